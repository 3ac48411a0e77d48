"""What arrived since the last run: files in the inbox and events in the queue. Archived, recorded, then cleared, under the lock of the workspace.

If the process is killed between any two steps, the next run repeats them and ends with the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from pipelines.core.workspace import WorkspaceFolder
from pipelines.extract import inbox
from pipelines.extract.cloudevents import segments as sealed
from pipelines.extract.cloudevents.queue import Queue
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
    """Drain the inbox (for the sources in `only`) and, unless `segments` is false, the queue. The caller holds the lock of the workspace."""
    results = drain_inbox(workspace, only) + (drain_segments(workspace) if segments else [])
    for result in results:
        if on_result:
            on_result(result)
    return results


def drain_inbox(workspace: Workspace, only: Collection[str] | None = None) -> list[FetchResult]:
    """Make snapshots of all complete files in the inbox, of the sources in `only`, and remove the files."""
    results: list[FetchResult] = []
    states = SourceStates(workspace.fetch_state)
    for of_file, file in inbox.archive_files(workspace, states, only):
        for result in of_file:
            states.record_result(result, workspace.settings.now())
        states.save()
        if all(result.snapshot is not None for result in of_file):
            inbox.remove(file.path, file.identity)
        results += of_file
    return results


def drain_segments(workspace: Workspace) -> list[FetchResult]:
    """Make snapshots of the records that sources have not taken yet, and note that sources reported as changed were fetched."""
    if not workspace.queue.is_file():
        return []
    states, results = SourceStates(workspace.fetch_state), []
    with Queue(workspace.queue) as queue:
        items = sealed.pending(workspace.pack, states, queue)
        for item in items:
            if item.source.fetch.brings_records:
                results += sealed.archive_records(workspace, queue, states, item)
                states.save()
    reported = [item for item in items if not item.source.fetch.brings_records]
    if reported:
        sealed.mark_reported(workspace.pack, states, reported)
        states.save()
    return results


def seal_waiting_events(workspace: WorkspaceFolder) -> None:
    """Seal all waiting events into a segment. Events that arrive later wait for the next run.

    Its number is larger than any that the snapshots hold, also where `events.db` comes from an older backup.
    """
    if workspace.queue.is_file():
        with Queue(workspace.queue) as queue:
            queue.seal(workspace.settings.now(), sealed.newest_held(SourceStates(workspace.fetch_state)))


def reported_sources(workspace: Workspace) -> set[str]:
    """Return the sources that events in segments report as changed. They have to be fetched before the segments are drained."""
    if not workspace.queue.is_file():
        return set()
    with Queue(workspace.queue) as queue:
        items = sealed.pending(workspace.pack, SourceStates(workspace.fetch_state), queue)
    return {item.source.id for item in items if not item.source.fetch.brings_records}
