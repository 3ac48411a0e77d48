"""Poll the sources whose next poll has come, and archive what is new. Starts no run: content that no ingest has processed is in the source states.

The cursor only records when each source was last polled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pipelines.core import schedule
from pipelines.core.clock import parse_timestamp, timestamp
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import FetchResult, request_digest
from pipelines.extract.source_state import SourceStates, unprocessed_sources
from pipelines.extract.sources import fetch_sources
from pipelines.packs import Pack
from pipelines.packs.schema import FetchedSource
from pipelines.packs.workspace import Workspace

CURSOR_VERSION = 1
POLL_LIMITS = Limits(
    connect_timeout=5, read_timeout=20, retries=1, max_retry_after=10, min_rate_after=15, poll_timeout=30, response_timeout=30, deadline=120
)
"""A poll holds the lock of the workspace, so it does not wait long for a server; the next poll tries again."""


@dataclass(frozen=True)
class Cursor:
    """When each source was last polled successfully, in UTC."""

    polled: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str | None) -> Cursor:
        """Return the cursor in `text`; an empty one, with which all sources are polled again, where it is unreadable or of another version."""
        try:
            value = json.loads(text or "")
            if value["version"] != CURSOR_VERSION:
                return cls()
            return cls({str(s): str(t) for s, t in value["looked"].items() if parse_timestamp(str(t))})
        except (ValueError, KeyError, TypeError, AttributeError):
            return cls()

    def text(self) -> str:
        """Return the cursor as JSON. Its keys are those of earlier versions, so that a running instance keeps its cursor."""
        return json.dumps({"version": CURSOR_VERSION, "looked": dict(sorted(self.polled.items()))})


@dataclass(frozen=True)
class PollResult:
    """The result of a poll: the polled sources with content that no ingest has processed, and all fetch results."""

    changed: frozenset[str]
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


def sources_with_another_request(pack: Pack, states: SourceStates) -> set[str]:
    """Return the sources whose declaration asks for something else than before: their snapshots are not used until they are polled."""
    sources = [s for s in pack.sources.values() if s.enabled and s.fetch.url]
    return {s.id for s in sources for part in pack.parts(s) if not states.get(s.id, part.name).answers(request_digest(s, part))}


def poll(workspace: Workspace, cursor: Cursor, limits: Limits = POLL_LIMITS) -> PollResult:
    """Fetch the sources whose next poll has come. The caller holds the lock of the workspace.

    A source of which any part failed keeps its place in the cursor, and is polled again the next time if its breaker allows.
    """
    pack, now = workspace.pack, workspace.settings.now()
    sources = sorted(
        {s.id for s in due_sources(pack, cursor, now)} | sources_with_another_request(pack, SourceStates(workspace.fetch_state))
    )
    results = fetch_sources(workspace, sources, limits=limits, ignore_breakers=False)
    failed = {r.request.source.id for r in results if r.error}
    unprocessed = unprocessed_sources(pack, SourceStates(workspace.fetch_state))
    polled = {**cursor.polled, **{name: timestamp(now) for name in sources if name not in failed}}
    return PollResult(frozenset(sources) & unprocessed.keys(), Cursor(polled), tuple(results))
