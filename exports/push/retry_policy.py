"""Trying again what fails in passing, later and later, and at least as late as a server asks. Knows nothing of servers."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from exports.push.push_plan import PushError

T = TypeVar("T")


class PassingError(Exception):
    """What failed may work a little later; `after`: seconds that the server asks to be left alone for."""

    def __init__(self, text: str, after: float | None = None) -> None:
        super().__init__(text)
        self.after = after


@dataclass(frozen=True)
class Patience:
    """How often, how soon, and for how long at most a server's own wish is followed. Times in seconds."""

    tries: int = 6
    first: float = 0.5
    longest: float = 120.0

    def keep(self, attempt: Callable[[], T], tell: Callable[[str], None]) -> T:
        """Return what `attempt` returns. Raises PushError when it failed in passing too often, or the server asks for too long a wait."""
        for number in range(1, self.tries + 1):
            try:
                return attempt()
            except PassingError as error:
                if number == self.tries:
                    raise PushError(f"{error}; tried {number} times") from None
                pause = self.first * 2 ** (number - 1) * (1 + random.random() / 2)
                if error.after is not None:
                    if error.after > self.longest:
                        raise PushError(f"{error}, and asks to be left alone for {error.after:.0f} s") from None
                    pause = max(pause, error.after)
                tell(f"{error}; trying again in {pause:.0f} s")
                time.sleep(pause)
        raise AssertionError("unreachable")
