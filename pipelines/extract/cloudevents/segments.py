"""Turn segments of the queue into snapshots: one per day and source whose records their events change. Does not interpret the records.

A snapshot holds all records of its day as they are now, in an order that does not depend on when they arrived. So events that arrive late,
twice or out of order end in the same bytes.

The state of each part says up to which segment it has the events (`SourceState.holds`). So no event is dropped by accident: it waits until a
source has taken it, also while its source is disabled, and whatever else happens to the declaration.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipelines.core.clock import timestamp
from pipelines.core.settings import Settings
from pipelines.extract.cloudevents.queue import Queue, Record
from pipelines.extract.http.request import FetchResult, Request
from pipelines.extract.snapshots import Archive, Snapshot
from pipelines.extract.source_state import SourceStates
from pipelines.packs import Pack, Part
from pipelines.packs.schema import FetchedSource
from pipelines.packs.workspace import Workspace

DAY = "day="


@dataclass(frozen=True)
class Pending:
    """Segments whose events a source has not taken yet: those after `after`, up to `up_to`."""

    source: FetchedSource
    type: str
    after: int
    up_to: int


def event_types(pack: Pack) -> dict[str, bool]:
    """Return the types of events that enabled sources declare, each with whether its events carry records for any of them."""
    types: dict[str, bool] = {}
    for source in _pushed(pack):
        assert source.fetch.push is not None
        types[source.fetch.push.type] = types.get(source.fetch.push.type, False) or source.fetch.brings_records
    return types


def pending(pack: Pack, states: SourceStates, queue: Queue) -> list[Pending]:
    """Return what each enabled source has not taken yet of the events in segments."""
    result = []
    for source in _pushed(pack):
        assert source.fetch.push is not None
        type_ = source.fetch.push.type
        after, up_to = _taken(states, source, type_), queue.newest_segment(type_)
        if up_to > after:
            result.append(Pending(source, type_, after, up_to))
    return result


def waiting_sources(pack: Pack, states: SourceStates, queue: Queue) -> dict[str, int]:
    """Return the enabled sources for which events wait, sealed or not, each with the newest segment of them."""
    unsealed = queue.waiting_types()
    sources = {source.id: 0 for source in _pushed(pack) if source.fetch.push and source.fetch.push.type in unsealed}
    return sources | {item.source.id: item.up_to for item in pending(pack, states, queue)}


@dataclass(frozen=True)
class Backlog:
    """Accepted events; how many of them wait for a source, and in how many segments; and by type those that no enabled source takes."""

    accepted: int = 0
    waiting: int = 0
    open_segments: int = 0
    unclaimed: dict[str, int] = field(default_factory=dict)


def backlog_of(pack: Pack, states: SourceStates, queue: Queue) -> Backlog:
    """Count the events of the queue. An event waits until every enabled source of its type has taken it, or, without one, until any has."""
    claimed: dict[str, list[int]] = {}
    for source in _pushed(pack):
        assert source.fetch.push is not None
        claimed.setdefault(source.fetch.push.type, []).append(_taken(states, source, source.fetch.push.type))
    waiting, segments = 0, set[int]()
    unclaimed: dict[str, int] = {}
    for type_ in queue.types():
        after = min(claimed[type_]) if type_ in claimed else _taken_by_any(states, type_)
        counts = queue.counts_after(type_, after)
        waiting += sum(counts.values())
        segments |= {segment for segment in counts if segment is not None}
        if counts and type_ not in claimed:
            unclaimed[type_] = sum(counts.values())
    return Backlog(queue.accepted(), waiting, len(segments), unclaimed)


def newest_held(states: SourceStates) -> int:
    """Return the newest segment of which any source has taken events."""
    parts = [part for source in states.sources() for part in states.parts(source).values()]
    return max((segment for part in parts for segment in (*part.holds.values(), *part.reported.values())), default=0)


def archive_records(workspace: Workspace, queue: Queue, states: SourceStates, item: Pending) -> list[FetchResult]:
    """Archive the records that segments change for a source, remember them in `states`, and return the snapshots as results.

    The caller saves the states. If the process is killed before that, the same work is repeated with the same result.
    """
    archive = Archive(workspace.archive)
    holds = {**_types_held(states, item.source.id), item.type: item.up_to}
    results = []
    for day in queue.days(item.type, item.after, item.up_to):
        result = _archive_day(item.source, DAY + day, _records(queue, day, holds), archive, workspace.settings)
        states.record_result(result, workspace.settings.now())
        states.put(item.source.id, DAY + day, replace(states.get(item.source.id, DAY + day), holds=holds))
        results.append(result)
    return results


def restore_records(workspace: Workspace, queue: Queue, states: SourceStates, source: FetchedSource, part: str) -> bool:
    """Archive the snapshot of a day again, and return whether the queue still has all that it held. The state does not change."""
    state = states.get(source.id, part)
    records = _records(queue, part.removeprefix(DAY), state.holds)
    if hashlib.sha256(_content(records)).hexdigest() != state.sha256:
        return False
    _archive_day(source, part, records, Archive(workspace.archive), workspace.settings)
    return True


def mark_reported(pack: Pack, states: SourceStates, items: Collection[Pending]) -> None:
    """Remember in `states` that sources were fetched after the events that reported them as changed."""
    for item in items:
        for part in pack.parts(item.source):
            state = states.get(item.source.id, part.name)
            states.put(item.source.id, part.name, replace(state, reported={**state.reported, item.type: item.up_to}))


def _pushed(pack: Pack) -> list[FetchedSource]:
    return [source for source in pack.sources.values() if source.enabled and source.fetch.push]


def _taken(states: SourceStates, source: FetchedSource, type_: str) -> int:
    """Return the newest segment whose events of a type a source has taken, 0 where it has taken none."""
    parts = states.parts(source.id).values()
    return max(((p.holds if source.fetch.brings_records else p.reported).get(type_, 0) for p in parts), default=0)


def _types_held(states: SourceStates, source: str) -> dict[str, int]:
    """Return the types whose records the snapshots of a source hold, each with its newest segment."""
    held: dict[str, int] = {}
    for part in states.parts(source).values():
        for type_, segment in part.holds.items():
            held[type_] = max(held.get(type_, 0), segment)
    return held


def _taken_by_any(states: SourceStates, type_: str) -> int:
    """Return the newest segment whose events of a type any source has taken, also one that is disabled or no longer declared."""
    parts = [part for source in states.sources() for part in states.parts(source).values()]
    return max((max(p.holds.get(type_, 0), p.reported.get(type_, 0)) for p in parts), default=0)


def _records(queue: Queue, day: str, holds: Mapping[str, int]) -> list[Record]:
    """Return the records of a day up to the segments that `holds` names by type, also those of a type that the source had before."""
    records = [record for type_, up_to in holds.items() for record in queue.records(type_, day, up_to)]
    return sorted(records, key=lambda r: (r.source, r.id))


def _content(records: Iterable[Record]) -> bytes:
    return ("[\n" + ",\n".join(r.data for r in records if r.data is not None) + "\n]\n").encode()


def _archive_day(source: FetchedSource, part: str, records: list[Record], archive: Archive, settings: Settings) -> FetchResult:
    assert source.fetch.push is not None
    content = _content(records)
    request = Request(source, Part(part, {}), f"push:{source.fetch.push.type}")
    snapshot = Snapshot(
        source=source.id, part=part, url=request.url, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content),
        fetched_at=timestamp(settings.now()), media_type="application/json",
        licence=source.licence, publisher=source.publisher,
    )  # fmt: skip
    archive.root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.root, prefix=".part-") as folder:
        path = Path(folder) / "records"
        path.write_bytes(content)
        return FetchResult(request, archive.add(path, snapshot), attempted=False, delivered=True)
