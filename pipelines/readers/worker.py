"""The process that reads files: `python -m pipelines.readers.worker`. It serves one request after another and ends with its input.

A request is a line of JSON on standard input, an answer a line of JSON on standard output. The rows go through an Arrow file. A file that
ends this process, or because of which it is stopped, ends nothing else (`pipelines.readers.isolated`).
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, TextIO

from pipelines.core.errors import in_one_line


def main() -> None:
    """Serve requests until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends this process
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer
    for line in sys.stdin:
        _answer(json.loads(line), answers)


def _end_with_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


def _answer(request: dict[str, Any], answers: TextIO) -> None:
    _limit_cpu(request["seconds"])
    try:
        answer = _read(request)
    except BaseException as error:  # a panic of polars is no Exception
        answer = _failure(error, request["options"]["format"])
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def _limit_cpu(seconds: float) -> None:
    """Let the system end this process once it has used `seconds` of CPU time from now on."""
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(used + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _read(request: dict[str, Any]) -> dict[str, Any]:
    from pipelines import readers
    from pipelines.readers.cells import Columns, NumberColumn

    numbers = {name: NumberColumn(decimal, is_integer) for name, (decimal, is_integer) in request["numbers"].items()}
    columns = Columns(request["columns"], numbers)
    rows = readers.read(Path(request["path"]), readers.ReadOptions.model_validate(request["options"]), columns)
    if rows.height > request["rows"]:
        raise readers.UnreadableSnapshot(f"the file has {rows.height} rows, more than {request['rows']} (ZPO2_READ_ROWS)")
    rows.write_ipc(request["output"], compression="uncompressed")
    return {"found": list(columns.found)}


def _failure(error: BaseException, format_: str) -> dict[str, Any]:
    from pipelines.readers import UnreadableSnapshot

    if isinstance(error, UnreadableSnapshot):
        return {"unreadable": str(error)}
    if isinstance(error, OSError) and error.errno is not None:  # of the machine, such as a full disk
        return {"errno": error.errno, "message": str(error.strerror or error)}
    return {"unreadable": f"the {format_} reader failed: {type(error).__name__}: {in_one_line(error)}"}


if __name__ == "__main__":
    main()
