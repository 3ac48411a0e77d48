"""Reads files in processes of their own, with limits: a file that ends its reader, or never ends, is refused, and the run goes on.

Libraries that parse workbooks, archives and Parquet can abort the process, or need thousands of times the size of the file. No check of a
file before it is read finds all of these. A process is used for one file after another, and started again if it ended or grew.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.core.errors import UsageError
from pipelines.core.memory import SMALLEST, parse_size
from pipelines.readers.options import ReadOptions
from pipelines.readers.unreadable import UnreadableSnapshot

if TYPE_CHECKING:
    import polars as pl

    from pipelines.core.settings import Settings
    from pipelines.readers.cells import Columns

MEGABYTE = 1_000_000
_POLL = 0.05
"""Seconds between two looks at the memory of a process."""
_KEEP = 700 * MEGABYTE
"""A process with more memory than this after a file is not used again."""
_WAITING = 20
"""A process that does not use the CPU is stopped after this many times the CPU time that it may use."""


@dataclass(frozen=True)
class Limits:
    """What reading a file may use. Memory and time rise with the size of the file, up to the largest ones.

    `memory` in bytes, `seconds` of CPU time, `rows` of the result.
    """

    memory: int = 2_000 * MEGABYTE
    memory_per_byte: int = 20
    largest_memory: int = 4_000 * MEGABYTE
    seconds: float = 30.0
    seconds_per_megabyte: float = 3.0
    largest_seconds: float = 600.0
    rows: int = 50_000_000

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """Return the limits that the settings choose. Raises UsageError."""
        usual = cls()
        largest = usual.largest_memory if not settings.read_memory else parse_size(settings.read_memory)
        if largest is None or largest < SMALLEST:
            raise UsageError(
                f"ZPO2_READ_MEMORY is {settings.read_memory!r}; expected a size of at least {SMALLEST // 2**20}MiB, such as 4GB"
            )
        return replace(
            usual,
            largest_memory=largest,
            largest_seconds=settings.read_seconds or usual.largest_seconds,
            rows=settings.read_rows or usual.rows,
        )

    def memory_for(self, size: int) -> int:
        return min(self.memory + self.memory_per_byte * size, self.largest_memory)

    def seconds_for(self, size: int) -> float:
        return min(self.seconds + self.seconds_per_megabyte * size / MEGABYTE, self.largest_seconds)


def read(path: Path, options: ReadOptions, columns: Columns, limits: Limits, folder: Path | None) -> pl.DataFrame:
    """Return what `readers.read` returns, read by another process; `folder`, or the system's, is for files that exist only while it works.

    `columns.found` has the names of all columns of the file afterwards. Raises UnreadableSnapshot also where a limit was reached or the process
    ended, and OSError where the machine lacks something, such as disk space.
    """
    import polars as pl

    with tempfile.TemporaryDirectory(dir=folder, prefix=".part-") as scratch:
        output = Path(scratch) / "rows.arrow"
        request = {
            "path": str(path), "output": str(output), "options": options.model_dump(mode="json", exclude_unset=True), "rows": limits.rows,
            "columns": None if columns.everything else sorted(columns), "seconds": limits.seconds_for(path.stat().st_size),
            "numbers": {name: (number.decimal, number.is_integer) for name, number in columns.numbers.items()},
        }  # fmt: skip
        with _process() as process:
            answer = process.ask(request, limits.memory_for(path.stat().st_size))
        if "unreadable" in answer:
            raise UnreadableSnapshot(answer["unreadable"])
        if "errno" in answer:
            raise OSError(answer["errno"], answer["message"])
        columns.found.update(dict.fromkeys(answer["found"]))
        return pl.read_ipc(output)


class Process:
    """One process of `pipelines.readers.worker`."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.readers.worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_environment(),
        )  # fmt: skip

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    @property
    def memory(self) -> int:
        """Bytes of memory that belong to the process alone; 0 where the system does not say."""
        with suppress(OSError, ValueError, IndexError):
            _, resident, shared, *_ = Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii").split()
            return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")
        return 0

    def ask(self, request: dict[str, Any], memory: int) -> dict[str, Any]:
        """Return the answer to a request, or why there is none. The process is stopped if it uses more than `memory` bytes."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return {"unreadable": self._ended(request)}
        latest = time.monotonic() + request["seconds"] * _WAITING
        while not select.select([self._process.stdout], [], [], _POLL)[0]:
            if self.memory > memory:
                self.stop()
                return {"unreadable": f"reading it was stopped at {memory // MEGABYTE} MB of memory (ZPO2_READ_MEMORY)"}
            if time.monotonic() > latest:
                self.stop()
                return {"unreadable": f"reading it was stopped after {request['seconds'] * _WAITING:.0f} seconds (ZPO2_READ_SECONDS)"}
        line = self._process.stdout.readline()
        if not line.endswith(b"\n"):
            return {"unreadable": self._ended(request)}
        answer: dict[str, Any] = json.loads(line)
        return answer

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()

    def _ended(self, request: dict[str, Any]) -> str:
        code = self._process.wait()
        self.stop()
        if code == -signal.SIGXCPU:
            return f"reading it was stopped after {request['seconds']:.0f} seconds of CPU time (ZPO2_READ_SECONDS)"
        how = signal.Signals(-code).name if -code in set(signal.Signals) else f"exit code {code}"
        return f"the {request['options']['format']} reader ended its process ({how})"


def _environment() -> dict[str, str]:
    """Return the environment of a process, without the secrets."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ZPO2_SECRET_")}


_idle: list[Process] = []
_lock = threading.Lock()


@contextmanager
def _process() -> Iterator[Process]:
    """Lend a process to one thread."""
    with _lock:
        process = _idle.pop() if _idle else None
    if process is None or not process.is_alive:
        process = Process()
    finished = False
    try:
        yield process
        finished = True
    finally:
        if finished and process.is_alive and process.memory < _KEEP:
            with _lock:
                _idle.append(process)
        else:
            process.stop()


@atexit.register
def stop_all() -> None:
    """End the processes that wait for files."""
    with _lock:
        while _idle:
            _idle.pop().stop()
