"""Turn a segment of the queue into snapshots: one per day and source whose records its events change. Does not interpret the records.

A snapshot holds all records of its day as they are now, in an order that does not depend on when they arrived. So events that arrive late,
twice or out of order end in the same bytes.
"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from pipelines.core.clock import timestamp
from pipelines.core.settings import Settings
from pipelines.extract.cloudevents.queue import Queue, Record, Segment
from pipelines.extract.http.request import FetchResult, Request
from pipelines.extract.snapshots import Archive, Snapshot
from pipelines.packs import Pack, Part
from pipelines.packs.schema import FetchedSource
from pipelines.packs.workspace import Workspace


def event_types(pack: Pack) -> dict[str, bool]:
    """Return the types of events that enabled sources declare, each with whether its events carry records for any of them."""
    types: dict[str, bool] = {}
    for source in pack.sources.values():
        if source.enabled and source.fetch.push:
            types[source.fetch.push.type] = types.get(source.fetch.push.type, False) or source.fetch.brings_records
    return types


def affected_sources(pack: Pack, queue: Queue, segment: int | None) -> list[FetchedSource]:
    """Return the sources for which the events of a segment carry records, or which they report as changed; None: the waiting events."""
    types = set(queue.types(segment))
    return [s for s in pack.sources.values() if s.enabled and s.fetch.push and s.fetch.push.type in types]


def archive_segment(workspace: Workspace, queue: Queue, segment: Segment) -> list[FetchResult]:
    """Archive the records that a segment changes, and return the snapshots as results.

    The caller records the results, then calls `queue.mark_drained`. If the process is killed in between, the same work is repeated with
    the same result.
    """
    archive = Archive(workspace.archive)
    results = []
    for source in affected_sources(workspace.pack, queue, segment.number):
        if not source.fetch.brings_records or source.fetch.push is None:
            continue
        for day in queue.days(segment.number, source.fetch.push.type):
            records = queue.records(source.fetch.push.type, day, segment.number)
            results.append(_archive_day(source, f"day={day}", records, archive, workspace.settings))
    return results


def _archive_day(source: FetchedSource, part: str, records: list[Record], archive: Archive, settings: Settings) -> FetchResult:
    assert source.fetch.push is not None
    content = ("[\n" + ",\n".join(r.data for r in records if r.data is not None) + "\n]\n").encode()
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
