"""Turn segments of the queue into snapshots: one per day and source whose records their events change. Does not interpret the records.

A snapshot holds all records of its day as they are now, in an order that does not depend on when they arrived. So events that arrive late,
twice or out of order end in the same bytes.

The state of each part says up to which segment it has the events (`SourceState.holds`). So no event is dropped by accident: it waits until a
source has taken it, also while its source is disabled, and whatever else happens to the declaration.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from pipelines.core.checksums import DamagedFile
from pipelines.core.clock import timestamp
from pipelines.core.settings import Settings
from pipelines.core.workspace import WorkspaceFolder
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

    The caller saves the states. If the process is killed before that, the same work is repeated with the same result. If the archive lacks
    data that were removed from the queue, the result is the error of that day, and the source takes none of these events: they wait.
    """
    archive = Archive(workspace.archive)
    holds = {**_types_held(states, item.source.id), item.type: item.up_to}
    results = []
    for day in queue.days(item.type, item.after, item.up_to):
        part = DAY + day
        try:
            records = _records(queue, archive, day, holds)
        except DamagedFile as error:
            result = FetchResult(_request(item.source, part), None, str(error), attempted=False, delivered=True)
            states.record_result(result, workspace.settings.now())
            return [result]
        results.append(_archive_day(item.source, part, records, archive, workspace.settings, states.get(item.source.id, part).sha256))
    for result in results:
        part = result.request.part.name
        states.record_result(result, workspace.settings.now())
        states.put(item.source.id, part, replace(states.get(item.source.id, part), holds=holds))
    return results


def restore_records(workspace: Workspace, queue: Queue, states: SourceStates, source: FetchedSource, part: str) -> bool:
    """Archive the snapshot of a day again, and return whether this was possible: data removed from the queue may be missing.

    The state does not change.
    """
    state, archive = states.get(source.id, part), Archive(workspace.archive)
    try:
        records = _records(queue, archive, part.removeprefix(DAY), state.holds)
    except DamagedFile:
        return False
    if hashlib.sha256(_content(records)).hexdigest() != state.sha256:
        return False
    _archive_day(source, part, records, archive, workspace.settings)
    return True


def forget_archived(workspace: WorkspaceFolder, queue: Queue, received_before: datetime) -> int:
    """Remove the data of events received before a time from the queue, where the archive has them, and return of how many.

    The snapshot of the day must have been processed, and is read and compared before. The keys and digests of events stay, so that replays and
    conflicts are recognised. The caller holds the lock of the workspace.
    """
    states, archive, count = SourceStates(workspace.fetch_state), Archive(workspace.archive), 0
    days = queue.days_with_data(received_before)
    for source in states.sources():
        for part, state in states.parts(source).items():
            if part.removeprefix(DAY) not in days or not state.holds or state.good != state.sha256:
                continue
            try:
                records = _records(queue, archive, part.removeprefix(DAY), state.holds, whole=False)
                lines = _lines(archive.read(state.sha256))
            except DamagedFile:
                continue
            present = [record for record in records if record.data is not None or record.snapshot is not None]
            if len(lines) == len(present) and all(record.has(line) for record, line in zip(present, lines, strict=True)):
                count += queue.forget(zip(present, range(len(lines)), strict=True), state.sha256, received_before)
    for type_ in queue.types():
        count += queue.forget_replaced(type_, _held_by_any(states, type_), received_before)
    if count:
        queue.shrink()
    return count


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


def _held_by_any(states: SourceStates, type_: str) -> int:
    """Return the newest segment whose records of a type any source holds."""
    return max((part.holds.get(type_, 0) for source in states.sources() for part in states.parts(source).values()), default=0)


def _taken_by_any(states: SourceStates, type_: str) -> int:
    """Return the newest segment whose events of a type any source has taken, also one that is disabled or no longer declared."""
    parts = [part for source in states.sources() for part in states.parts(source).values()]
    return max((max(p.holds.get(type_, 0), p.reported.get(type_, 0)) for p in parts), default=0)


def _records(queue: Queue, archive: Archive, day: str, holds: Mapping[str, int], *, whole: bool = True) -> list[Record]:
    """Return the records of a day up to the segments that `holds` names by type, also those of a type that the source had before.

    `whole`: with the data that were removed from the queue. Raises DamagedFile where the archive lacks them.
    """
    records = [record for type_, up_to in holds.items() for record in queue.records(type_, day, up_to)]
    records.sort(key=lambda r: (r.source, r.id))
    return _with_data(archive, records) if whole else records


def _with_data(archive: Archive, records: Iterable[Record]) -> list[Record]:
    """Return the records with the data that were removed from the queue. Raises DamagedFile where the archive lacks them."""
    contents: dict[str, list[str]] = {}
    result = []
    for record in records:
        if record.snapshot is None:
            result.append(record)
            continue
        if record.snapshot not in contents:
            try:
                contents[record.snapshot] = _lines(archive.read(record.snapshot))
            except DamagedFile as error:
                archive.set_damaged_aside(record.snapshot)
                raise DamagedFile(f"data of pushed events are in the archive only: {error}; restore the archive from a backup") from None
        lines, line = contents[record.snapshot], record.line or 0
        if line >= len(lines) or not record.has(lines[line]):
            raise DamagedFile(f"data of the event {record.id} are in the archive only, but not on line {line} of {record.snapshot}")
        result.append(record._replace(data=lines[line]))
    return result


def _lines(content: bytes) -> list[str]:
    """Return the records in the content of a snapshot."""
    return [line.removesuffix(b",").decode() for line in content.split(b"\n")[1:-2]]


def _content(records: Iterable[Record]) -> bytes:
    return ("[\n" + ",\n".join(r.data for r in records if r.data is not None) + "\n]\n").encode()


def _request(source: FetchedSource, part: str) -> Request:
    assert source.fetch.push is not None
    return Request(source, Part(part, {}), f"push:{source.fetch.push.type}")


def _archive_day(
    source: FetchedSource, part: str, records: list[Record], archive: Archive, settings: Settings, before: str = ""
) -> FetchResult:
    """Archive the records of a day; of those that its snapshot `before` has, nothing is written again."""
    content = _content(records)
    request = _request(source, part)
    snapshot = Snapshot(
        source=source.id, part=part, url=request.url, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content),
        fetched_at=timestamp(settings.now()), media_type="application/json",
        licence=source.licence, publisher=source.publisher,
    )  # fmt: skip
    return FetchResult(request, archive.add_successor(content, snapshot, before), attempted=False, delivered=True)
