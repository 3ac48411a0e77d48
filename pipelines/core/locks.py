"""Locks on files, held by the operating system (flock). A lock ends with the process that holds it, however the process ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

RETRY_SECONDS = 0.1


@contextmanager
def file_lock(path: Path, *, shared: bool = False, wait: float = 0.0, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold a lock on a file, which is created if it is missing, or on an existing folder.

    Any number of processes may hold it `shared`; otherwise one process holds it alone. `on_wait` is called once before the first wait.
    Raises BlockingIOError if another process still holds the lock after `wait` seconds.
    """
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT, 0o644)
    try:
        deadline = time.monotonic() + wait
        waited = False
        while True:
            try:
                fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise
                if on_wait and not waited:
                    on_wait()
                    waited = True
                time.sleep(RETRY_SECONDS)
        yield
    finally:
        os.close(handle)
