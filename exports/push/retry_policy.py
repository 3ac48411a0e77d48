"""When and how often a failed request is repeated. Knows nothing about servers."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from exports.push.errors import GaveUpError, TemporaryError

T = TypeVar("T")


@dataclass(frozen=True)
class RetryPolicy:
    """The number of attempts, the first delay, which doubles each time, and the longest wait that a server may ask for. In seconds."""

    attempts: int = 6
    first_delay: float = 0.5
    max_retry_after: float = 120.0

    def run(self, request: Callable[[], T], report_progress: Callable[[str], None]) -> T:
        """Return the result of `request`, which is repeated after a TemporaryError. Raises GaveUpError when the policy gives up."""
        for attempt in range(1, self.attempts + 1):
            try:
                return request()
            except TemporaryError as error:
                if attempt == self.attempts:
                    raise GaveUpError(f"{error}; gave up after {attempt} attempts") from None
                delay = self.first_delay * 2 ** (attempt - 1) * (1 + random.random() / 2)
                if error.retry_after is not None:
                    if error.retry_after > self.max_retry_after:
                        raise GaveUpError(f"{error}, and asks to wait for {error.retry_after:.0f} s; try again later") from None
                    delay = max(delay, error.retry_after)
                report_progress(f"{error}; trying again in {delay:.0f} s")
                time.sleep(delay)
        raise AssertionError("unreachable")
