"""Locks of the operating system (flock). A lock ends with the process that holds it, however the process ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_INTERVAL = 0.05


@contextmanager
def file_lock(path: Path, *, shared: bool = False, wait: float = 0) -> Iterator[None]:
    """Hold a lock on a file, which is created if it is missing, or on an existing folder.

    Raises BlockingIOError if another process still holds the lock after `wait` seconds.
    """
    flags = os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT
    handle = os.open(path, flags, 0o644)
    try:
        deadline = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(_INTERVAL)
        yield
    finally:
        os.close(handle)
