"""`zpo2 explain`: asks, prints, and says by its exit code how it went. Explains nothing itself."""

from __future__ import annotations

import json
import os
import shutil
import sys

from pipelines.core.settings import Settings
from pipelines.core.workspace import Home
from pipelines.explain import render
from pipelines.explain.cell_key import QuestionError
from pipelines.explain.explanation import document
from pipelines.explain.facts import Question
from pipelines.explain.service import explain
from pipelines.explain.warehouse import Unavailable, opened
from pipelines.packs import Pack
from pipelines.runs.run import CURRENT, FAILED, WRONG


def run(pack: Pack, home: Home, settings: Settings, key: tuple[str, str, str, str, str], as_json: bool) -> int:
    """Print the account of the cell with this key. Return 0; 1 where it cannot be had, or does not agree; 2 where there is no such number."""
    try:
        with opened(home) as warehouse:
            account = explain(pack, home, settings, warehouse, Question(*key))
    except QuestionError as error:
        print(error, file=sys.stderr)
        return WRONG
    except Unavailable as error:
        print(error, file=sys.stderr)
        return FAILED
    try:
        if as_json:
            print(json.dumps(document(account), ensure_ascii=False, indent=1))
        else:
            width = min(render.WIDTH, shutil.get_terminal_size().columns) if sys.stdout.isatty() else None
            for line in render.lines(account, width):
                print(line)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return CURRENT if account.agrees else FAILED
