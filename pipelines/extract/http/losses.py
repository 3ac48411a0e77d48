"""How long the requests to each host, and the parts of each source, took in a run that then failed. Sends nothing.

Servers that never end cost a run one deadline each as long as they are few. Where many of them are on one host, or one source has many parts,
what follows is given less and less time.
"""

from __future__ import annotations

from collections import defaultdict
from threading import Lock

from pipelines.extract.http.deadline import Deadline
from pipelines.extract.http.request import NotAsked


class Losses:
    """The seconds that were lost, by the name of a host or a source. Those of optional sources do not count for the others.

    Who has lost the time of one part (`seconds`) is given a tenth of it for each further part, and who has lost twice as much is not asked again.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lost: dict[tuple[str, bool], float] = defaultdict(float)
        self._lock = Lock()

    def add(self, name: str, deadline: Deadline, seconds: float) -> None:
        """Remember that so many seconds of a part were lost."""
        with self._lock:
            self._lost[name, deadline.of_all is None] += seconds

    def limit(self, name: str, deadline: Deadline, url: str) -> None:
        """Give a part that begins less time where much was lost. Raises NotAsked where too much was. A part that has begun has its own deadline."""
        if deadline.asked:
            return
        lost = self._lost[name, deadline.of_all is None]
        if lost >= 2 * self._seconds:
            raise NotAsked(f"{url}: not asked: requests to {name} have failed for {lost:.0f} s; twice ZPO2_FETCH_DEADLINE is the limit")
        if lost >= self._seconds:
            deadline.shorten(self._seconds / 10, f"requests to {name} have failed for {lost:.0f} s before")
