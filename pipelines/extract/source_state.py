"""What is remembered about each part of each source between runs: the last fetch, the last good snapshot, since when it is stale.

A part that failed several times in a row is not fetched for a while (its breaker is open). Then one attempt is made (half-open); a
successful response closes the breaker.
"""

from __future__ import annotations

from dataclasses import field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, model_validator
from pydantic.dataclasses import dataclass

from pipelines.core.clock import timestamp
from pipelines.core.state import NEXT_RUN, load_state, save_state
from pipelines.extract.http.request import FetchResult, LastFetch
from pipelines.packs import Pack, Part
from pipelines.packs.schema import FetchedSource

OPENS_AFTER = 3  # failures in a row
FIRST_PAUSE = timedelta(minutes=15)  # doubles with every further failure
LONGEST_PAUSE = timedelta(hours=24)


@dataclass(frozen=True, config=ConfigDict(extra="ignore"))
class Acceptance:
    """Content that an operator accepted although it differs too much from what came before, and why."""

    sha256: str
    reason: str
    time: str


@dataclass(frozen=True, config=ConfigDict(extra="ignore"))
class SourceState:
    """The state of one part.

    `sha256` is the newest snapshot, `good` the newest that could be read, `tried` the newest that an ingest processed, readable or not.
    `request` is the digest of what was asked for, and `before_request` the number of entries in `history` that answered other requests: the
    snapshots of a part whose declaration asks for something else are not used.
    `origin` is what the address last gave: a file that was dropped into the inbox since then stays the newest until the address gives
    something else. `headers` make the next request conditional.
    `history` lists (time, sha256) of every change. `failures` counts the failures in a row; no attempt is made before `not_before`.
    `error` is what the last fetch or drop failed with, and `refusal` why the last ingest that judged the newest snapshot did not use it.
    `shape` describes the columns of the last good snapshot, `rows` and `accepted_rows` are their numbers (None where nobody counted them),
    `values` those of the values of each measure, and `entries` those of the entries that meet the condition of each count.
    `refused` is the newest content, where the ingest could read it and refused it for how it differs; `accepted` is what an operator accepted.
    Of pushed events: `holds` has, by their type, the newest segment whose records the snapshot holds, and `reported` the newest segment
    with events that reported a change and were answered with a fetch.
    """

    sha256: str = ""
    good: str = ""
    tried: str = ""
    origin: str = ""
    request: str = ""
    before_request: int = 0
    bytes: int = 0
    checked_at: str = ""
    changed_at: str = ""
    stale_since: str | None = None
    error: str | None = None
    refusal: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    history: list[tuple[str, str]] = field(default_factory=list)
    failures: int = 0
    not_before: str = ""
    shape: dict[str, Any] = field(default_factory=dict)
    rows: int | None = None
    accepted_rows: int | None = None
    values: dict[str, int] = field(default_factory=dict)
    entries: dict[str, int] = field(default_factory=dict)
    refused: str = ""
    accepted: Acceptance | None = None
    holds: dict[str, int] = field(default_factory=dict)
    reported: dict[str, int] = field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _split_error(cls, stored: Any) -> Any:
        """Take the error of an earlier version, which had one field for both, for a refusal unless a fetch has failed."""
        if isinstance(stored, dict) and "refusal" not in stored and stored.get("error") and not stored.get("failures"):
            return {**stored, "error": None, "refusal": stored["error"]}
        return stored

    @property
    def last_fetch(self) -> LastFetch:
        """What the next request needs to know of the last one."""
        return LastFetch(self.origin or self.sha256, self.bytes, self.headers)

    def breaker_is_open(self, now: datetime) -> bool:
        """Whether the last failures are too recent for another attempt."""
        return self.not_before > timestamp(now)

    @property
    def is_unprocessed(self) -> bool:
        """Whether no ingest has processed the newest snapshot yet, or none since an operator accepted it."""
        return bool(self.sha256) and self.sha256 != self.tried and (self.sha256 != self.good or self.is_accepted(self.sha256))

    @property
    def faults(self) -> list[str]:
        """Why the content is not the newest: the error of the last fetch, and the refusal of the last ingest."""
        return list(dict.fromkeys(filter(None, (self.error, self.refusal))))

    def answers(self, request: str) -> bool:
        """Whether the snapshots answer this request. Workspaces of earlier versions did not note the request."""
        return self.request in ("", request)

    def is_accepted(self, sha256: str) -> bool:
        """Whether an operator accepted this content."""
        return self.accepted is not None and self.accepted.sha256 == sha256

    def overtaken(self) -> list[str]:
        """Return the contents that came after the last good one and before the newest, the newest of them first."""
        contents = [sha256 for _, sha256 in self.history[self.before_request :]]
        if self.sha256 not in contents:
            return []
        newest = len(contents) - 1 - contents[::-1].index(self.sha256)
        good = len(contents) - 1 - contents[::-1].index(self.good) if self.good in contents else -1
        return [sha256 for sha256 in dict.fromkeys(reversed(contents[good + 1 : newest])) if sha256 not in (self.sha256, self.good)]

    def content_at(self, time: str) -> str:
        """Return the checksum of the newest content at `time`; empty where there was none yet."""
        return next((sha256 for since, sha256 in reversed(self.history) if since <= time), "")


_States = dict[str, dict[str, SourceState]]
_FILE = TypeAdapter(_States)


class SourceStates:
    """The states of all parts by source and part, kept in one file. Raises StateError where the file cannot be read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._states: _States = load_state(path, _FILE, NEXT_RUN) or {}

    def get(self, source: str, part: str) -> SourceState:
        return self._states.get(source, {}).get(part, SourceState())

    def put(self, source: str, part: str, state: SourceState) -> None:
        self._states.setdefault(source, {})[part] = state

    def parts(self, source: str) -> dict[str, SourceState]:
        """Return the states of a source by part."""
        return self._states.get(source, {})

    def sources(self) -> list[str]:
        """Return the sources of which something is remembered, whether the pack still declares them or not."""
        return sorted(self._states)

    def record_result(self, result: FetchResult, time: datetime) -> None:
        """Record the result of a fetch. After a failure the last snapshot stays, and is stale from now on."""
        now = timestamp(time)
        source, part = result.request.source.id, result.request.part.name
        state = self.get(source, part)
        if result.snapshot is None:
            state = replace(state, error=result.error, stale_since=state.stale_since or now)
            if result.attempted:
                failures = state.failures + 1
                until = time + _pause(failures, result.retry_after) if "://" in result.request.url else None
                state = replace(state, checked_at=now, failures=failures, not_before=timestamp(until) if until and until > time else "")
        else:
            fetch, request = result.request.source.fetch, result.request.digest
            if not fetch.brings_records and not state.answers(request):
                # all else that is remembered belongs to another request
                state = SourceState(history=state.history, before_request=len(state.history))
            sha256, last_origin = result.snapshot.sha256, state.origin or state.sha256
            is_new = sha256 != (state.sha256 if result.delivered else last_origin)
            state = replace(state, checked_at=now, error=None, origin=last_origin if result.delivered else sha256)
            if is_new:
                history = [*state.history, (now, sha256)]
                state = replace(state, sha256=sha256, bytes=result.snapshot.bytes, changed_at=now, history=history)
            if not result.delivered:
                state = replace(state, request=request, headers=result.headers, failures=0, not_before="")
            elif fetch.url and not fetch.brings_records:
                state = replace(state, request=request)  # a dropped file answers the present request
            # `stale_since` stays until the bytes have been read
        self.put(source, part, state)

    def accept(self, source: str, reason: str, time: datetime) -> list[str]:
        """Accept the newest content of each part of a source that was refused for how it differs; return these parts. The next run uses it."""
        refused = {part: state for part, state in self.parts(source).items() if state.refused and state.refused == state.sha256}
        for part, state in refused.items():
            self.put(source, part, replace(state, accepted=Acceptance(state.sha256, reason, timestamp(time)), refused="", tried=""))
        return sorted(refused)

    def save(self) -> None:
        save_state(self.path, _FILE, self._states)


def parts_of(pack: Pack, source: FetchedSource, states: SourceStates) -> list[Part]:
    """Return the parts of a source: those it declares, or, where its records are pushed, one for each day that has records."""
    return [Part(name, {}) for name in sorted(states.parts(source.id))] if source.fetch.brings_records else pack.parts(source)


def unprocessed_sources(pack: Pack, states: SourceStates) -> dict[str, list[tuple[str, str]]]:
    """Return the enabled sources with content that no ingest has processed, each with its parts and their snapshots."""
    unprocessed = {
        source.id: [
            (p.name, state.sha256) for p in parts_of(pack, source, states) if (state := states.get(source.id, p.name)).is_unprocessed
        ]
        for source in pack.sources.values()
        if source.enabled
    }
    return {source: parts for source, parts in unprocessed.items() if parts}


def _pause(failures: int, retry_after: float | None) -> timedelta:
    """Return how long to wait after so many failures in a row; at least as long as the server asks, up to `LONGEST_PAUSE`."""
    requested = timedelta(seconds=min(retry_after or 0, LONGEST_PAUSE.total_seconds()))
    own = timedelta(0) if failures < OPENS_AFTER else min(FIRST_PAUSE * 2 ** min(failures - OPENS_AFTER, 10), LONGEST_PAUSE)
    return max(requested, own)
