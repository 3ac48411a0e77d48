"""`zpo2 explain`: prints an explanation as text or JSON. `pipelines.explain` does the work."""

from __future__ import annotations

import json
import os
import shutil
import sys

from pipelines.core.errors import ExitCode
from pipelines.explain import render
from pipelines.explain.explanation import document
from pipelines.explain.facts import Question
from pipelines.explain.service import explain
from pipelines.explain.warehouse import opened
from pipelines.packs.workspace import Workspace


def run(workspace: Workspace, key: tuple[str, str, str, str, str], as_json: bool) -> int:
    """Print the explanation of the cell with this key. Return 0, or 1 where the number does not agree with its recomputation.

    Raises QuestionError where there is no such number, Unavailable where there is no complete warehouse.
    """
    with opened(workspace) as warehouse:
        account = explain(workspace, warehouse, Question(*key))
    try:
        if as_json:
            print(json.dumps(document(account), ensure_ascii=False, indent=1))
        else:
            width = min(render.WIDTH, shutil.get_terminal_size().columns) if sys.stdout.isatty() else None
            for line in render.lines(account, width):
                print(line)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ExitCode.CURRENT if account.agrees else ExitCode.FAILED
