"""`zpo2 explain`: print an explanation as text or JSON. `pipelines.explain` does the work."""

from __future__ import annotations

import json
import os
import shutil
import sys

from pipelines.core.errors import ExitCode
from pipelines.explain import render
from pipelines.explain.explanation import document
from pipelines.explain.facts import CellKey
from pipelines.explain.service import explain
from pipelines.explain.warehouse import open_warehouse
from pipelines.packs.workspace import Workspace


def run(workspace: Workspace, key: tuple[str, str, str, str, str], as_json: bool) -> int:
    """Print the explanation of the cell with this key. Return 0, or 1 where the number differs from its recomputation.

    Raises CellKeyError where there is no such cell, and WarehouseUnavailable where there is no complete warehouse.
    """
    with open_warehouse(workspace) as warehouse:
        explanation = explain(workspace, warehouse, CellKey(*key))
    try:
        if as_json:
            print(json.dumps(document(explanation), ensure_ascii=False, indent=1))
        else:
            width = min(render.WIDTH, shutil.get_terminal_size().columns) if sys.stdout.isatty() else None
            for line in render.lines(explanation, width):
                print(line)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ExitCode.CURRENT if explanation.agrees else ExitCode.FAILED
