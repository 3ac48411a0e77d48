"""Turn a segment of the queue into snapshots: one for each day and source whose records its events change. Reads no record.

A snapshot holds all records of its day as they stand now, in an order that does not depend on when they came: however events are delivered,
late, twice or out of order, the same events end in the same bytes.
"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from pipelines.core.clock import timestamp
from pipelines.core.settings import Settings
from pipelines.extract.cloudevents.queue import Queue, Record, Segment
from pipelines.extract.http.request import Answer, Request
from pipelines.extract.snapshots import Archive, Snapshot
from pipelines.packs import Pack, Part
from pipelines.packs.schema import FetchedSource
from pipelines.packs.workspace import Workspace


def types(pack: Pack) -> dict[str, bool]:
    """Return the types of events that enabled sources declare, and whether any of those takes records from them."""
    found: dict[str, bool] = {}
    for source in pack.sources.values():
        if source.enabled and source.fetch.push:
            found[source.fetch.push.type] = found.get(source.fetch.push.type, False) or source.fetch.brings_records
    return found


def concerned(pack: Pack, queue: Queue, segment: Segment) -> list[FetchedSource]:
    """Return the sources that the events of a segment bring records for, or say to have changed."""
    present = set(queue.types(segment.number))
    return [s for s in pack.sources.values() if s.enabled and s.fetch.push and s.fetch.push.type in present]


def drain(workspace: Workspace, queue: Queue, segment: Segment) -> list[Answer]:
    """Archive the records that a segment changes, and return the snapshots as answers. The caller remembers them, then calls
    `queue.drained`: killed in between, the same is done again with the same result."""
    archive = Archive(workspace.archive)
    answers = []
    for source in concerned(workspace.pack, queue, segment):
        if not source.fetch.brings_records or source.fetch.push is None:
            continue
        for day in queue.days(segment.number, source.fetch.push.type):
            records = queue.records(source.fetch.push.type, day, segment.number)
            answers.append(_snapshot(source, f"day={day}", records, archive, workspace.settings))
    return answers


def _snapshot(source: FetchedSource, part: str, records: list[Record], archive: Archive, settings: Settings) -> Answer:
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
        return Answer(request, archive.add(path, snapshot), asked=False, brought=True)
