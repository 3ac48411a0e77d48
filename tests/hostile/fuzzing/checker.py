"""The process that checks packs: `python -m tests.hostile.fuzzing.checker`. A line of input is a folder, a line of output what `zpo2 check` said."""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import sys
import time
import traceback

MEMORY = 2_000_000_000
"""Bytes that the process may allocate."""


def main() -> None:
    """Check one pack after the other until the input ends."""
    from pipelines.cli.app import main as zpo2

    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        sys.argv = ["zpo2", "check", "--pack", line.rstrip("\n")]
        output, exit_code, began = io.StringIO(), None, time.process_time()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            try:
                zpo2()
                exit_code = 0
            except SystemExit as end:
                exit_code = int(end.code or 0)
            except BaseException:
                traceback.print_exc()
        text = output.getvalue().encode("utf-8", "backslashreplace").decode()
        answers.write(json.dumps({"exit_code": exit_code, "output": text, "seconds": time.process_time() - began}) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
