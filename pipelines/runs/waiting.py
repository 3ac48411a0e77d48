"""What waits for a run: pushed events, dropped files, content that no ingest has processed, and a lake that no run has published.

All of it is decided by files of the workspace, so nothing is lost when a run fails or a process is killed: it waits until a run has done it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pipelines.core import versions
from pipelines.core.fingerprint import digest
from pipelines.extract.cloudevents.queue import Queue
from pipelines.extract.cloudevents.segments import backlog_of, waiting_sources
from pipelines.extract.inbox import DroppedFile
from pipelines.extract.source_state import SourceStates, unprocessed_sources
from pipelines.lake.manifest import Manifest
from pipelines.packs.loading import load
from pipelines.packs.workspace import Workspace
from pipelines.runs.outcome import RunOutcome, lake_key
from pipelines.warehouse import condition


@dataclass(frozen=True)
class Work:
    """One reason for a run: a text for the operator, the sources to process, and a key that differs for other work of the same kind."""

    text: str
    sources: frozenset[str]
    key: str


def arrived(workspace: Workspace, files: Collection[DroppedFile]) -> list[Work]:
    """Return the work that pushed events and the complete `files` of the inbox make. May be called while a run is going on."""
    return [*_events(workspace), *_files(workspace, files)]


def unfinished(workspace: Workspace) -> list[Work]:
    """Return the work that polls and earlier runs have left. The caller holds the lock of the workspace, else a run may just be doing it."""
    states = SourceStates(workspace.fetch_state)
    unprocessed = unprocessed_sources(workspace.pack, states)
    work = [Work(f"new content of {source}", frozenset([source]), digest([source, parts])) for source, parts in unprocessed.items()]
    all_sources = frozenset(source.id for source in workspace.pack.sources.values() if source.enabled)
    manifest = Manifest.current(workspace)
    if not manifest.digest:  # the first run takes place once there is content
        return [*work, Work("the first run of the workspace", all_sources, "")] if work else []
    if is_of_other_declarations(workspace, manifest):
        return [*work, Work("the pack or the software has changed", all_sources, digest([workspace.pack.digest, versions.LAKE]))]
    if lost := condition.lost_files(workspace, manifest):
        return [*work, Work("files of the lake are missing or were damaged", all_sources, digest(sorted(lost)))]
    key = lake_key(workspace)
    if RunOutcome.last(workspace).lake_key != key:
        work.append(Work("no run has published the present lake", frozenset(), key))
    return work


def is_of_other_declarations(workspace: Workspace, manifest: Manifest) -> bool:
    """Whether the lake was made from other declarations or by another version of the lake stage.

    A process that loaded the pack before it was changed does not count its own, older declarations as a change.
    """
    if manifest.code_version != versions.LAKE:
        return True
    pack = workspace.pack
    return manifest.pack_digest != pack.digest and load(pack.root).digest == pack.digest


def _events(workspace: Workspace) -> list[Work]:
    if not workspace.queue.is_file():
        return []
    states = SourceStates(workspace.fetch_state)
    with Queue(workspace.queue) as queue:
        sources = waiting_sources(workspace.pack, states, queue)
        if not sources:  # no event waits, or only events that no enabled source takes
            return []
        first = queue.waiting()[1]
        events = backlog_of(workspace.pack, states, queue)
    count = events.waiting - sum(events.unclaimed.values())
    return [Work(f"pushed events: {count}", frozenset(sources), digest(["events", sorted(sources.items()), first]))]


def _files(workspace: Workspace, files: Collection[DroppedFile]) -> list[Work]:
    work = []
    for file in files:
        source = workspace.pack.sources.get(file.source)
        if source is not None and source.enabled:
            work.append(Work(f"file {file.name}", frozenset([file.source]), digest([str(file.path), list(file.identity)])))
    return work
