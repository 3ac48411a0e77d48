"""How many requests a host receives, and how much a run may fetch in all. Sends nothing."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Semaphore

from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import FetchError


class Places:
    """Lets `count` holders go on at a time. One that takes longer than `patience` seconds is slow: another one may begin beside it, up to
    `slow` of them. So what is slow delays the others little, and what is not does not ask for more."""

    def __init__(self, count: int, slow: int, patience: float) -> None:
        self._quick, self._all, self._patience = Semaphore(count), Semaphore(count + slow), patience

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait for a place, and hold it."""
        with self._all:
            self._quick.acquire()
            given_up, lock = False, Lock()

            def give_up() -> None:
                nonlocal given_up
                with lock:
                    if not given_up:
                        given_up = True
                        self._quick.release()

            timer = threading.Timer(self._patience, give_up)
            timer.daemon = True
            timer.start()
            try:
                yield
            finally:
                timer.cancel()
                give_up()


class RateLimiter:
    """Spreads the requests to each host evenly, few at a time, and keeps the run's budget of requests and bytes.

    Where the others have used up the budget, a source may still send a few requests and fetch a few bytes.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._lock = Lock()
        self._places: dict[str, Places] = defaultdict(lambda: Places(limits.per_host, limits.slow_per_host, limits.patience))
        self._next_start: dict[str, float] = defaultdict(float)
        self._requests: Counter[str] = Counter()  # by source, with their sum under ""
        self._bytes: Counter[str] = Counter()

    @contextmanager
    def slot(self, host: str, source: str, per_second: float | None = None) -> Iterator[None]:
        """Wait until a request to `host` may start, and hold its slot. Raises FetchError when the run's requests are used up."""
        gap = 1 / (per_second or self.limits.per_second)
        with self._lock:
            self._count(self._requests, source, 1, self.limits.run_requests, self.limits.own_requests, "requests")
            places = self._places[host]
        with places.held():
            with self._lock:
                now = time.monotonic()
                start = max(now, self._next_start[host])
                self._next_start[host] = start + gap
            time.sleep(max(0.0, start - now))
            yield

    def count_bytes(self, source: str, size: int) -> None:
        """Take `size` bytes off the run's budget. Raises FetchError when it is used up."""
        with self._lock:
            self._count(self._bytes, source, size, self.limits.run_bytes, self.limits.own_bytes, "bytes")

    def _count(self, used: Counter[str], source: str, amount: int, of_run: int, of_source: int, unit: str) -> None:
        used[""] += amount
        used[source] += amount
        if used[""] > of_run and used[source] > of_source:
            raise FetchError(f"the run's budget of {of_run} {unit} is used up")
