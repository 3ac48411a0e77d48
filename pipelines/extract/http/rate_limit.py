"""How many requests a host receives, and how much a run may fetch in all. Sends nothing."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock

from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import FetchError


class RateLimiter:
    """Spreads the requests to each host evenly, few at a time, and keeps the run's budget of requests and bytes."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._lock = Lock()
        self._slots: dict[str, BoundedSemaphore] = defaultdict(lambda: BoundedSemaphore(limits.per_host))
        self._next_start: dict[str, float] = defaultdict(float)
        self._requests_left = limits.run_requests
        self._bytes_left = limits.run_bytes

    @contextmanager
    def slot(self, host: str, per_second: float | None = None) -> Iterator[None]:
        """Wait until a request to `host` may start, and hold its slot. Raises FetchError when the run's requests are used up."""
        gap = 1 / (per_second or self.limits.per_second)
        with self._lock:
            if self._requests_left <= 0:
                raise FetchError(f"the run's budget of {self.limits.run_requests} requests is used up")
            self._requests_left -= 1
            slots = self._slots[host]
        with slots:
            with self._lock:
                now = time.monotonic()
                start = max(now, self._next_start[host])
                self._next_start[host] = start + gap
            time.sleep(max(0.0, start - now))
            yield

    def count_bytes(self, size: int) -> None:
        """Take `size` bytes off the run's budget. Raises FetchError when it is used up."""
        with self._lock:
            self._bytes_left -= size
            if self._bytes_left < 0:
                raise FetchError(f"the run's budget of {self.limits.run_bytes} bytes is used up")
