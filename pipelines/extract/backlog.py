"""What arrived since the last run: files in the inbox and events in the queue. Archived, recorded, then cleared, under the home's lock.

If the process is killed between any two steps, the next run repeats them and ends with the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from pipelines.core.workspace import WorkspaceFolder
from pipelines.extract import inbox
from pipelines.extract.cloudevents.queue import Queue, Segment
from pipelines.extract.cloudevents.segments import affected_sources, archive_segment
from pipelines.extract.http.request import FetchResult
from pipelines.extract.source_state import SourceStates
from pipelines.packs.workspace import Workspace


def drain(
    workspace: Workspace,
    only: Collection[str] | None = None,
    on_result: Callable[[FetchResult], None] | None = None,
    *,
    segments: bool = True,
) -> list[FetchResult]:
    """Drain the inbox (for the sources in `only`) and, unless `segments` is false, the queue. The caller holds the home's lock."""
    results = drain_inbox(workspace, only) + (drain_segments(workspace) if segments else [])
    for result in results:
        if on_result:
            on_result(result)
    return results


def drain_inbox(workspace: Workspace, only: Collection[str] | None = None) -> list[FetchResult]:
    """Make snapshots of all complete files in the inbox, of the sources in `only`, and remove the files."""
    results = []
    states = SourceStates(workspace.fetch_state)
    for result, file in inbox.archive_files(workspace, states, only):
        states.record_result(result, workspace.settings.now())
        states.save()
        if result.snapshot is not None:
            inbox.remove(file.path, file.identity)
        results.append(result)
    return results


def drain_segments(workspace: Workspace) -> list[FetchResult]:
    """Make snapshots of all open segments of the queue, and mark the segments as drained."""
    if not workspace.queue.is_file():
        return []
    with Queue(workspace.queue) as queue:
        return [result for segment in queue.open_segments() for result in _drain_segment(workspace, queue, segment)]


def seal_waiting_events(workspace: WorkspaceFolder) -> None:
    """Seal all waiting events into a segment. Events that arrive later wait for the next run."""
    if workspace.queue.is_file():
        with Queue(workspace.queue) as queue:
            queue.seal(workspace.settings.now())


def reported_sources(workspace: Workspace) -> set[str]:
    """Return the sources that events in open segments report as changed. They have to be fetched before the segments are drained."""
    if not workspace.queue.is_file():
        return set()
    with Queue(workspace.queue) as queue:
        sources = [s for segment in queue.open_segments() for s in affected_sources(workspace.pack, queue, segment.number)]
    return {s.id for s in sources if not s.fetch.brings_records}


def _drain_segment(workspace: Workspace, queue: Queue, segment: Segment) -> list[FetchResult]:
    results = archive_segment(workspace, queue, segment)
    states = SourceStates(workspace.fetch_state)
    for result in results:
        states.record_result(result, workspace.settings.now())
    states.save()
    queue.mark_drained(segment.number, workspace.settings.now())
    return results
