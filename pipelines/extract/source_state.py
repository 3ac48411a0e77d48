"""What is remembered of each part of each source between runs: its last fetch, its last good snapshot, since when it is stale. No content.

A part that failed several times in a row is left alone for a while (its breaker is open); then one question is tried (half-open), and an
answer closes it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pipelines.core import atomic
from pipelines.core.clock import timestamp
from pipelines.extract.http.request import Answer
from pipelines.packs import Pack, Part
from pipelines.packs.schema import FetchedSource

TRIPS_AFTER = 3  # failures in a row
FIRST_PAUSE = timedelta(minutes=15)  # doubles with every further failure
LONGEST_PAUSE = timedelta(hours=24)


@dataclass(frozen=True)
class SourceState:
    """The memory of one part. `sha256` is the newest snapshot, `good` the newest that could be read, `origin` what its address last gave:
    a file that was dropped since stays until the address gives something else.

    `headers` make the next question conditional; `history` lists (time, sha256) of every change; `failures` counts those in a row, and
    before `not_before` nobody asks again. `shape` is that of the last good snapshot.
    """

    sha256: str = ""
    good: str = ""
    origin: str = ""
    bytes: int = 0
    checked_at: str = ""
    changed_at: str = ""
    stale_since: str | None = None
    error: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    history: list[list[str]] = field(default_factory=list)
    failures: int = 0
    not_before: str = ""
    shape: dict[str, Any] = field(default_factory=dict)

    def as_last(self) -> dict[str, Any]:
        return {"sha256": self.origin or self.sha256, "bytes": self.bytes, "headers": self.headers}

    def is_open(self, now: datetime) -> bool:
        """Whether the part is to be left alone: its last failures are too recent."""
        return self.not_before > timestamp(now)

    def at(self, time: str) -> str:
        """Return the content that was the newest at `time`; empty where there was none yet."""
        return next((sha256 for since, sha256 in reversed(self.history) if since <= time), "")


class States:
    """The memory of all sources, in one file that is replaced whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        stored: dict[str, dict[str, dict[str, Any]]] = atomic.read_json(path, {})
        self._states = {s: {p: SourceState(**v) for p, v in parts.items()} for s, parts in stored.items()}

    def get(self, source: str, part: str) -> SourceState:
        return self._states.get(source, {}).get(part, SourceState())

    def put(self, source: str, part: str, state: SourceState) -> None:
        self._states.setdefault(source, {})[part] = state

    def learn(self, answer: Answer, time: datetime) -> None:
        """Take up the outcome of a fetch. A failure keeps the last snapshot and says since when it is stale."""
        now = timestamp(time)
        source, part = answer.request.source.id, answer.request.part.name
        state = self.get(source, part)
        if answer.snapshot is None:
            state = replace(state, error=answer.error, stale_since=state.stale_since or now)
            if answer.asked:
                failures = state.failures + 1
                until = time + _pause(failures, answer.wait) if "://" in answer.request.url else None
                state = replace(state, checked_at=now, failures=failures, not_before=timestamp(until) if until and until > time else "")
        else:
            given, before = answer.snapshot.sha256, state.origin or state.sha256
            new = given != (state.sha256 if answer.brought else before)
            state = replace(state, checked_at=now, error=None, origin=before if answer.brought else given)
            if new:
                history = [*state.history, [now, given]]
                state = replace(state, sha256=given, bytes=answer.snapshot.bytes, changed_at=now, history=history)
            if not answer.brought:
                state = replace(state, headers=answer.headers, failures=0, not_before="")
            # whether it is still stale is known when the bytes have been read
        self.put(source, part, state)

    def of(self, source: str) -> dict[str, SourceState]:
        return self._states.get(source, {})

    def save(self) -> None:
        atomic.write_json(self.path, {s: {p: asdict(v) for p, v in parts.items()} for s, parts in self._states.items()})


def parts_of(pack: Pack, source: FetchedSource, states: States) -> list[Part]:
    """Return the parts of a source: those it declares, or, where its records are pushed, the days of which there are any."""
    return [Part(name, {}) for name in sorted(states.of(source.id))] if source.fetch.brings_records else pack.parts(source)


def _pause(failures: int, wait: float | None) -> timedelta:
    """Return how long a part is left alone after so many failures in a row; at least as long as its server asks."""
    asked = timedelta(seconds=min(wait or 0, LONGEST_PAUSE.total_seconds()))
    own = timedelta(0) if failures < TRIPS_AFTER else min(FIRST_PAUSE * 2 ** min(failures - TRIPS_AFTER, 10), LONGEST_PAUSE)
    return max(asked, own)
