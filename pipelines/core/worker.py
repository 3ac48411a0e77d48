"""The process that runs functions for another one: `python -m pipelines.core.worker`. It serves one call after another and ends with its input.

A question is a line of JSON on standard input, an answer a line of JSON on standard output. What ends this process, or because of which
it is stopped, ends nothing else (`pipelines.core.isolated`).
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import threading
import time
from importlib import import_module
from typing import Any, TextIO

from pipelines.core.errors import in_one_line


def main() -> None:
    """Serve questions until the input ends."""
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


def _answer(question: dict[str, Any], answers: TextIO) -> None:
    _limit_cpu(question["seconds"])
    try:
        module, _, name = question["task"].partition(":")
        answer = {"result": getattr(import_module(module), name)(question["request"])}
    except BaseException as error:  # a panic of polars is no Exception
        answer = _failure(error)
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def _limit_cpu(seconds: float) -> None:
    """Let the system end this process once it has used `seconds` of CPU time from now on."""
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(used + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _failure(error: BaseException) -> dict[str, Any]:
    if isinstance(error, OSError) and error.errno is not None:  # of the machine, such as a full disk
        return {"errno": error.errno, "message": str(error.strerror or error)}
    return {"failed": in_one_line(error)}


if __name__ == "__main__":
    main()
