"""Locks on files, held by the operating system (flock): a lock ends with its process, however that ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

RETRY_SECONDS = 0.2


class LockedError(Exception):
    """Another process holds the lock."""


@contextmanager
def file_lock(path: Path, *, shared: bool = False, wait: float = 0.0, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold a lock on the file `path`, which is created where it does not exist.

    Any number of processes may hold it `shared`; otherwise one process holds it alone. `on_wait` is called once before the first wait.
    Raises LockedError when another process still holds it after `wait` seconds.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        deadline = time.monotonic() + wait
        waited = False
        while True:
            try:
                fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise LockedError(str(path)) from None
                if on_wait and not waited:
                    on_wait()
                    waited = True
                time.sleep(RETRY_SECONDS)
        yield
    finally:
        os.close(handle)
