"""Runs functions in processes of their own, with limits: what ends such a process, or never ends, ends nothing else.

Libraries that parse files, compute geometries or evaluate expressions can abort the process, or need thousands of times the size of what
they get. A process is used for one call after another, and started again if it ended or grew.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

MEGABYTE = 1_000_000
TOTAL = 4_000 * MEGABYTE
"""Bytes of memory that all calls at a time share, unless a caller gives another number."""
_POLL = 0.05
"""Seconds between two looks at the memory of a process."""
_KEEP = 400 * MEGABYTE
"""A process with more memory than this after a call is not used again."""
_WAITING = 20
"""A process that does not use the CPU is stopped after this many times the CPU time that it may use."""
_LONGEST = 32 * MEGABYTE
"""Bytes of an answer: columns of a file by name, or a reason. Rows go through files."""


class Stopped(Exception):
    """A process ended, or was stopped, before it answered: how, in words that follow `was` or the name of what it did.

    `limit` is `memory`, `seconds` or `answer` where it was stopped there, else None.
    """

    def __init__(self, how: str, limit: str | None = None) -> None:
        super().__init__(how)
        self.limit = limit


class Failed(Exception):
    """A function failed with an error that it does not know: its type and message."""


class Process:
    """One process of `pipelines.core.worker`."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.core.worker"],
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

    def ask(self, question: dict[str, Any], memory: int, seconds: float) -> dict[str, Any]:
        """Return the answer to a question. Raises Stopped if the process ends, uses more than `memory` bytes, or more than `seconds`."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({**question, "seconds": seconds}).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._ended(seconds) from None
        answer: dict[str, Any] = json.loads(self._line(memory, seconds))
        return answer

    def _line(self, memory: int, seconds: float) -> bytes:
        """Return the line that the process writes. The limits hold until its end has come."""
        assert self._process.stdout is not None
        output = self._process.stdout.fileno()
        latest = time.monotonic() + seconds * _WAITING
        pieces: list[bytes] = []
        size = 0
        while not pieces or not pieces[-1].endswith(b"\n"):
            if self.memory > memory:
                self.stop()
                raise Stopped(f"stopped at {memory // MEGABYTE} MB of memory", "memory")
            if time.monotonic() > latest:
                self.stop()
                raise Stopped(f"stopped after {seconds * _WAITING:.0f} seconds", "seconds")
            if size > _LONGEST:
                self.stop()
                raise Stopped(f"stopped at an answer of more than {_LONGEST // MEGABYTE} MB", "answer")
            if select.select([output], [], [], _POLL)[0]:
                piece = os.read(output, 1 << 16)
                if not piece:
                    raise self._ended(seconds)
                pieces.append(piece)
                size += len(piece)
        return b"".join(pieces)

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()

    def _ended(self, seconds: float) -> Stopped:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)  # it closed its output, and may live on
        code = self._process.poll()
        self.stop()
        if code == -signal.SIGXCPU:
            return Stopped(f"stopped after {seconds:.0f} seconds of CPU time", "seconds")
        if code is None:
            return Stopped("closed its output")
        how = signal.Signals(-code).name if -code in set(signal.Signals) else f"exit code {code}"
        return Stopped(f"ended its process ({how})")


def call(task: str, request: dict[str, Any], memory: int, seconds: float, total: int = TOTAL) -> dict[str, Any]:
    """Return what the function `task` (`module:name`) returns for `request` in another process; both are made of JSON values.

    The call may use `memory` bytes and `seconds` of CPU time, and waits until all calls together stay below `total` bytes. Raises Stopped,
    Failed, and OSError where the machine lacks something, such as disk space.
    """
    with _reserved(memory, total), _process() as process:
        answer = process.ask({"task": task, "request": request}, memory, seconds)
    if "errno" in answer:
        raise OSError(answer["errno"], answer["message"])
    if "failed" in answer:
        raise Failed(answer["failed"])
    result: dict[str, Any] = answer["result"]
    return result


def _environment() -> dict[str, str]:
    """Return the environment of a process, without the secrets."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ZPO2_SECRET_")}


_in_use: list[int] = []
_changed = threading.Condition()


@contextmanager
def _reserved(memory: int, total: int) -> Iterator[None]:
    """Wait until `memory` bytes fit below `total` beside the other calls; a call without others never waits."""
    with _changed:
        _changed.wait_for(lambda: not _in_use or sum(_in_use) + memory <= total)
        _in_use.append(memory)
    try:
        yield
    finally:
        with _changed:
            _in_use.remove(memory)
            _changed.notify_all()


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
    """End the processes that wait for a call."""
    with _lock:
        while _idle:
            _idle.pop().stop()
