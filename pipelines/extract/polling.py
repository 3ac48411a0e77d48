"""Look at the sources that are due: ask each whether it has anything new, and say which content a run should take up. Starts no run.

What was seen lies in the archive and in the memory of the sources; the cursor only knows when each source was last looked at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipelines.core import schedule, versions
from pipelines.core.clock import parse_timestamp, timestamp
from pipelines.core.fingerprint import digest
from pipelines.extract.fetching import fetch_sources
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import Answer
from pipelines.extract.source_state import States, parts_of
from pipelines.packs import Pack
from pipelines.packs.schema import FetchedSource
from pipelines.packs.workspace import Workspace

VERSION = 1
AGAIN = timedelta(hours=1)
"""How long content may wait for the run that was asked for before another one is asked for."""
QUICK = Limits(connect=5, silence=20, retries=1, patience=10, grace=15, polling=30)
"""A look holds the home's lock: it does not wait long for a server; the next one asks again."""


@dataclass(frozen=True)
class Cursor:
    """When each source was last looked at with success; which run was last asked for and when: (key, time); and under which declarations
    and code. Times are UTC."""

    looked: Mapping[str, str] = field(default_factory=dict)
    requested: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    made_by: str = ""

    @classmethod
    def parse(cls, text: str | None) -> Cursor:
        """Return the cursor in `text`; what cannot be read, or is of another version, is an empty one: everything is looked at again."""
        try:
            value = json.loads(text or "")
            if value["version"] != VERSION:
                return cls()
            looked = {str(s): str(t) for s, t in value["looked"].items() if parse_timestamp(str(t))}
            requested = {str(s): (str(k), str(t)) for s, (k, t) in value["requested"].items() if parse_timestamp(str(t))}
            return cls(looked, requested, str(value["made_by"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            return cls()

    def text(self) -> str:
        requested = {source: list(asked) for source, asked in sorted(self.requested.items())}
        return json.dumps(
            {"version": VERSION, "looked": dict(sorted(self.looked.items())), "requested": requested, "made_by": self.made_by}
        )


@dataclass(frozen=True)
class Look:
    """What looking came to: the new content of each source that has any, by the key of the run that takes it up; and what was asked."""

    changed: Mapping[str, str]  # source -> run key
    cursor: Cursor
    answers: tuple[Answer, ...] = ()

    @property
    def asked(self) -> list[str]:
        return sorted({a.request.source.id for a in self.answers})

    @property
    def failed(self) -> dict[str, str]:
        return {a.request.source.id: a.error for a in self.answers if a.error}


def due(pack: Pack, cursor: Cursor, now: datetime) -> list[FetchedSource]:
    """Return the sources whose cadence came true since they were last looked at."""
    asked = [s for s in pack.sources.values() if s.enabled and s.fetch.url]
    crons = {source.fetch.cadence or schedule.DEFAULT for source in asked}
    last = {cron: timestamp(schedule.last_due(cron, pack.file.timezone, now)) for cron in crons}
    return [s for s in asked if cursor.looked.get(s.id, "") < last[s.fetch.cadence or schedule.DEFAULT]]


def made_by(pack: Pack) -> str:
    """Return what, beside the content of the sources, decides what comes out: the declarations and the code."""
    return digest([pack.digest, versions.STAGES])


def is_due(pack: Pack, cursor: Cursor, now: datetime) -> bool:
    """Whether a look has anything to do: a source is due, or declarations or code are others than at the last one."""
    return cursor.made_by != made_by(pack) or bool(due(pack, cursor, now))


def look(workspace: Workspace, cursor: Cursor, limits: Limits = QUICK) -> Look:
    """Ask the sources that are due. The caller holds the home's lock.

    A source of which any part could not be had is not advanced, and is asked again the next time (its breaker allowing). Under other
    declarations or code than at the last look all content is new.
    """
    now = workspace.settings.now()
    sources = due(workspace.pack, cursor, now)
    answers = fetch_sources(workspace, [s.id for s in sources], limits=limits, insist=False)
    failed = {a.request.source.id for a in answers if a.error}
    states = States(workspace.fetch_state)
    looked = dict(cursor.looked)
    requested = {name: asked for name, asked in cursor.requested.items() if name in workspace.pack.sources}
    changed = {}
    if cursor.made_by and cursor.made_by != made_by(workspace.pack):
        everything = (s for s in workspace.pack.sources.values() if s.enabled and states.of(s.id))
        changed = {s.id: f"{s.id}:{_content(workspace.pack, s, states)}:{made_by(workspace.pack)[:16]}" for s in everything}
    for source in sources:
        if source.id not in failed:
            looked[source.id] = timestamp(now)
        if key := _run_key(workspace.pack, source, states):
            before = requested.get(source.id)
            if before and before[0].split("+")[0] == key:
                if before[1] > timestamp(now - AGAIN):
                    continue  # its run is on its way
                key = f"{key}+{timestamp(now)}"  # that run never got to it, or could not read it
            changed[source.id] = key
            requested[source.id] = (key, timestamp(now))
    return Look(changed, Cursor(looked, requested, made_by(workspace.pack)), tuple(answers))


def _content(pack: Pack, source: FetchedSource, states: States) -> str:
    """Return the checksum of a source's newest content, over all its parts."""
    found = [[part.name, states.get(source.id, part.name).sha256] for part in parts_of(pack, source, states)]
    return found[0][1] if len(found) == 1 else digest(found)


def _run_key(pack: Pack, source: FetchedSource, states: States) -> str:
    """Return `source:content:code` where a source has content that no run has taken up; else an empty text.

    Content that was there before and has come back gets its count, too: to whoever remembers keys it would look as if it were done.
    """
    known = [(part.name, states.get(source.id, part.name)) for part in parts_of(pack, source, states)]
    if all(state.sha256 == state.good for _, state in known):
        return ""
    content = _content(pack, source, states)
    times = max(sum(sha256 == state.sha256 for _, sha256 in state.history) for _, state in known)
    return f"{source.id}:{content}:lake{versions.LAKE}" + (f":{times}" if times > 1 else "")
