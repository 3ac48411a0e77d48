"""`zpo2 explain`: asks, prints, and says by its exit code how it went. Explains nothing itself."""

from __future__ import annotations

import json
import os
import shutil
import sys

from pipelines.explain import telling
from pipelines.explain.account import document
from pipelines.explain.facts import Question
from pipelines.explain.inquiry import explain
from pipelines.explain.question import QuestionError
from pipelines.explain.warehouse import Unavailable, opened
from pipelines.home import Home
from pipelines.packs import Pack
from pipelines.runs import CURRENT, FAILED, WRONG
from pipelines.settings import Settings


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
            width = min(telling.WIDTH, shutil.get_terminal_size().columns) if sys.stdout.isatty() else None
            for line in telling.lines(account, width):
                print(line)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return CURRENT if account.agrees else FAILED
