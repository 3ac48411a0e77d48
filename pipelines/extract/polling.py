"""Poll the sources that are due: fetch what is new, and name the content that a run should process. Starts no run.

The content goes to the archive and the source states; the cursor only records when each source was last polled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipelines.core import schedule, versions
from pipelines.core.clock import parse_timestamp, timestamp
from pipelines.core.fingerprint import digest
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import FetchResult
from pipelines.extract.source_state import SourceStates, parts_of
from pipelines.extract.sources import fetch_sources
from pipelines.packs import Pack
from pipelines.packs.schema import FetchedSource
from pipelines.packs.workspace import Workspace

CURSOR_VERSION = 1
REPEAT_AFTER = timedelta(hours=1)
"""How long content may wait for its run before another run is requested."""
POLL_LIMITS = Limits(connect_timeout=5, read_timeout=20, retries=1, max_retry_after=10, min_rate_after=15, poll_timeout=30)
"""A poll holds the home's lock, so it does not wait long for a server; the next poll tries again."""


@dataclass(frozen=True)
class Cursor:
    """When each source was last polled successfully, and which run was last requested for it and when: (key, time). Times are UTC.

    `basis` is the hash of the declarations and stage versions at the last poll.
    """

    polled: Mapping[str, str] = field(default_factory=dict)
    requested: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    basis: str = ""

    @classmethod
    def parse(cls, text: str | None) -> Cursor:
        """Return the cursor in `text`; an empty one, with which all sources are polled again, where it is unreadable or of another version."""
        try:
            value = json.loads(text or "")
            if value["version"] != CURSOR_VERSION:
                return cls()
            polled = {str(s): str(t) for s, t in value["looked"].items() if parse_timestamp(str(t))}
            requested = {str(s): (str(k), str(t)) for s, (k, t) in value["requested"].items() if parse_timestamp(str(t))}
            return cls(polled, requested, str(value["made_by"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            return cls()

    def text(self) -> str:
        """Return the cursor as JSON. Its keys are those of earlier versions, so that a running instance keeps its cursor."""
        requested = {source: list(request) for source, request in sorted(self.requested.items())}
        return json.dumps(
            {"version": CURSOR_VERSION, "looked": dict(sorted(self.polled.items())), "requested": requested, "made_by": self.basis}
        )


@dataclass(frozen=True)
class PollResult:
    """The result of a poll: for each source with new content the key of the run that should process it, and all fetch results."""

    changed: Mapping[str, str]  # source -> run key
    cursor: Cursor
    results: tuple[FetchResult, ...] = ()

    @property
    def polled(self) -> list[str]:
        """The sources that were polled."""
        return sorted({r.request.source.id for r in self.results})

    @property
    def failed(self) -> dict[str, str]:
        """The error of each source of which a part could not be fetched."""
        return {r.request.source.id: r.error for r in self.results if r.error}


def due_sources(pack: Pack, cursor: Cursor, now: datetime) -> list[FetchedSource]:
    """Return the sources that should have been polled by their cadence since they last were."""
    sources = [s for s in pack.sources.values() if s.enabled and s.fetch.url]
    crons = {source.fetch.cadence or schedule.DEFAULT for source in sources}
    last_due = {cron: timestamp(schedule.last_due(cron, pack.file.timezone, now)) for cron in crons}
    return [s for s in sources if cursor.polled.get(s.id, "") < last_due[s.fetch.cadence or schedule.DEFAULT]]


def basis(pack: Pack) -> str:
    """Return a hash of what decides the outcome besides the content of the sources: the declarations and the stage versions."""
    return digest([pack.digest, versions.STAGES])


def is_due(pack: Pack, cursor: Cursor, now: datetime) -> bool:
    """Whether a poll has anything to do: a source is due, or the declarations or stage versions have changed since the last poll."""
    return cursor.basis != basis(pack) or bool(due_sources(pack, cursor, now))


def poll(workspace: Workspace, cursor: Cursor, limits: Limits = POLL_LIMITS) -> PollResult:
    """Fetch the sources that are due. The caller holds the home's lock.

    A source of which any part failed keeps its place in the cursor, and is polled again the next time if its breaker allows. If the
    declarations or stage versions have changed since the last poll, all content counts as new.
    """
    pack, now = workspace.pack, workspace.settings.now()
    sources = due_sources(pack, cursor, now)
    results = fetch_sources(workspace, [s.id for s in sources], limits=limits, ignore_breakers=False)
    failed = {r.request.source.id for r in results if r.error}
    states = SourceStates(workspace.fetch_state)
    polled = dict(cursor.polled)
    requested = {name: request for name, request in cursor.requested.items() if name in pack.sources}
    changed = {}
    if cursor.basis and cursor.basis != basis(pack):
        with_content = (s for s in pack.sources.values() if s.enabled and states.parts(s.id))
        changed = {s.id: f"{s.id}:{_content(pack, s, states)}:{basis(pack)[:16]}" for s in with_content}
    for source in sources:
        if source.id not in failed:
            polled[source.id] = timestamp(now)
        if key := _run_key(pack, source, states):
            last_request = requested.get(source.id)
            if last_request and last_request[0].split("+")[0] == key:
                if last_request[1] > timestamp(now - REPEAT_AFTER):
                    continue  # the requested run is still expected
                key = f"{key}+{timestamp(now)}"  # the requested run never started, or could not read the content
            changed[source.id] = key
            requested[source.id] = (key, timestamp(now))
    return PollResult(changed, Cursor(polled, requested, basis(pack)), tuple(results))


def _content(pack: Pack, source: FetchedSource, states: SourceStates) -> str:
    """Return the checksum of a source's newest content, over all its parts."""
    parts = [[part.name, states.get(source.id, part.name).sha256] for part in parts_of(pack, source, states)]
    return parts[0][1] if len(parts) == 1 else digest(parts)


def _run_key(pack: Pack, source: FetchedSource, states: SourceStates) -> str:
    """Return `source:content:code` where a source has content that no run has processed; else an empty text.

    A counter is appended when old content reappears; otherwise Dagster would skip the run key.
    """
    current = [states.get(source.id, part.name) for part in parts_of(pack, source, states)]
    if all(state.sha256 == state.good for state in current):
        return ""
    times = max(sum(sha256 == state.sha256 for _, sha256 in state.history) for state in current)
    return f"{source.id}:{_content(pack, source, states)}:lake{versions.LAKE}" + (f":{times}" if times > 1 else "")
