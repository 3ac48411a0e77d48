"""How often a host is asked, and how much a run may ask at all. Sends nothing."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock

from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import FetchError


class Pace:
    """Few requests of a host at a time, evenly spread; and one budget of requests and bytes for the run."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._lock = Lock()
        self._hosts: dict[str, BoundedSemaphore] = defaultdict(lambda: BoundedSemaphore(limits.per_host))
        self._next: dict[str, float] = defaultdict(float)
        self._requests = limits.run_requests
        self._bytes = limits.run_bytes

    @contextmanager
    def turn(self, host: str, per_second: float | None = None) -> Iterator[None]:
        """Wait for a turn at `host`, and hold it. Raises FetchError when the run's requests are used up."""
        gap = 1 / (per_second or self.limits.per_second)
        with self._lock:
            if self._requests <= 0:
                raise FetchError(f"the run's budget of {self.limits.run_requests} requests is used up")
            self._requests -= 1
            semaphore = self._hosts[host]
        with semaphore:
            with self._lock:
                now = time.monotonic()
                start = max(now, self._next[host])
                self._next[host] = start + gap
            time.sleep(max(0.0, start - now))
            yield

    def spend(self, size: int) -> None:
        """Take `size` bytes off the run's budget. Raises FetchError when it is used up."""
        with self._lock:
            self._bytes -= size
            if self._bytes < 0:
                raise FetchError(f"the run's budget of {self.limits.run_bytes} bytes is used up")
