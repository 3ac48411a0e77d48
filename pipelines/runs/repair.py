"""Make damaged state files of a workspace again, as far as other files hold what was in them. Every repair is reported.

`fetches.json` comes from the manifests and the sidecars of the archive, a sidecar from the states and the newest manifest, the newest manifest
from its copy, `latest.json` from the ledger. The outcome of the last run is derived: the next run has no outcome to compare with, so it does
everything. The caller holds the lock of the workspace.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from exports.release import public_folder
from pipelines.core.checksums import DamagedFile, set_aside
from pipelines.core.state import StateError, StateFile, log
from pipelines.core.workspace import WorkspaceFolder
from pipelines.extract.cloudevents.queue import Queue
from pipelines.extract.cloudevents.segments import newest_held
from pipelines.extract.http.request import address
from pipelines.extract.snapshots import Archive, Snapshot
from pipelines.extract.source_state import SourceState, SourceStates, parts_of
from pipelines.lake.manifest import Manifest
from pipelines.packs.schema import FetchedSource
from pipelines.packs.workspace import Workspace
from pipelines.runs.findings import IngestFindings
from pipelines.runs.outcome import RunOutcome

_HISTORY = {"history": ("runs.db", "runs/index.db"), "schedules": ("schedules.db",)}


def is_needed(workspace: WorkspaceFolder) -> bool:
    """Whether a file is damaged that the sensors read."""
    try:
        SourceStates(workspace.fetch_state)
        Manifest.current(workspace)
        RunOutcome.last(workspace)
        IngestFindings.last(workspace)
    except StateError:
        return True
    return False


def repair(workspace: Workspace) -> None:
    """Repair the state files. Raises ReleaseError where neither `latest.json` nor the ledger can be read."""
    _repair_manifest(workspace)
    states = _repaired_states(workspace)
    _repair_sidecars(workspace, states)
    models: tuple[tuple[Path, type[StateFile]], ...] = ((workspace.last_run, RunOutcome), (workspace.last_ingest, IngestFindings))
    for path, model in models:
        try:
            model.load(path)
        except StateError as error:
            log.warning(f"{error}; kept as {set_aside(path).name}")
            workspace.last_run.unlink(missing_ok=True)  # both come from the same run, so the next one must not take itself for unchanged
    _warn_of_lost_events(workspace, states)
    set_damaged_history_aside(workspace)
    if public_folder.restore_latest(workspace.public, workspace.staging):
        log.warning(f"{workspace.public / 'latest.json'}: damaged or missing; made again from the ledger")


def set_damaged_history_aside(workspace: WorkspaceFolder, error: str = "") -> bool:
    """Set Dagster's history of runs, or of the ticks of sensors, aside where a database of it is damaged, and return whether one was.

    With an `error` that a damaged database has raised, both are set aside. Dagster begins new ones.
    """
    folders = []
    for folder, names in _HISTORY.items():
        files = [workspace.dagster / folder / name for name in names]
        if (workspace.dagster / folder).is_dir() and (error or any(map(_is_damaged, files))):
            folders.append(set_aside(workspace.dagster / folder))
    if folders:
        reason = f" ({error})" if error else ""
        log.warning(f"Dagster's history is damaged{reason}; kept as {', '.join(map(str, folders))}, and a new one begins")
    return bool(folders)


def _is_damaged(database: Path) -> bool:
    """Whether a file is no SQLite database, or shorter than it says. Its pages are not read."""
    try:
        head = database.open("rb").read(100)
        if head[:16] == b"SQLite format 3\0":
            size = int.from_bytes(head[16:18], "big")
            size = 65536 if size == 1 else size  # so the format says
            if database.stat().st_size < int.from_bytes(head[28:32], "big") * size:
                return True
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute("select count(*) from sqlite_master").fetchone()
    except FileNotFoundError:
        return False
    except sqlite3.Error as error:
        return type(error) is sqlite3.DatabaseError
    return False


def _warn_of_lost_events(workspace: Workspace, states: SourceStates) -> None:
    """Report a queue that does not know the events that the snapshots hold: it is missing, was emptied, or comes from an older backup."""
    held, newest = newest_held(states), 0
    if workspace.queue.is_file():
        with Queue(workspace.queue) as queue:
            newest = queue.newest_segment()
    if newest < held:
        log.warning(
            f"{workspace.queue}: lacks events that were processed; restore it from a newer backup, otherwise replays of these events count again "
            "and days with new events lose them"
        )


def _repair_manifest(workspace: Workspace) -> None:
    """Replace a damaged newest manifest by its copy, which is kept under its own name; without one, the next ingest writes it."""
    try:
        Manifest.current(workspace)
        return
    except StateError as error:
        fault = str(error)
    kept = set_aside(workspace.manifest)
    last = max(_manifests(workspace), key=lambda m: m.created_at, default=None)
    if last is not None:
        last.save(workspace.manifest)
    log.warning(f"{fault}; kept as {kept.name}" + ("; its copy is used" if last else ""))


def _manifests(workspace: WorkspaceFolder) -> Iterator[Manifest]:
    """Yield all manifests that can be read, the newest one and those of earlier states."""
    for path in sorted(workspace.manifests.glob("*.json")):
        manifest = Manifest.load_if_whole(path)
        if manifest is not None and manifest.digest == manifest.content_digest():
            yield manifest


def _repaired_states(workspace: Workspace) -> SourceStates:
    try:
        return SourceStates(workspace.fetch_state)
    except StateError as error:
        fault = str(error)
    kept = set_aside(workspace.fetch_state)
    states = SourceStates(workspace.fetch_state)
    for source, part, state in _states_from_archive(workspace):
        states.put(source, part, state)
    states.save()
    log.warning(f"{fault}; kept as {kept.name}, and made again from the archive and the manifests: everything is fetched once more")
    return states


def _states_from_archive(workspace: Workspace) -> Iterator[tuple[str, str, SourceState]]:
    """Yield the state of each part: its contents in the order in which they became the newest, and the last one that was in the lake."""
    archive = Archive(workspace.archive)
    arrivals: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for snapshot in archive.sidecars():
        arrivals.setdefault((snapshot.source, snapshot.part), []).append((snapshot.fetched_at, snapshot.sha256))
    good: dict[tuple[str, str], str] = {}
    for manifest in (*sorted(_manifests(workspace), key=lambda m: m.created_at), Manifest.current(workspace)):
        for source, entry in manifest.sources.items():
            for part, item in entry.parts.items():
                if good.get((source, part)) != item.snapshot and archive.file_of(item.snapshot):
                    good[source, part] = item.snapshot  # also content that came back, of which the sidecar has the first time only
                    arrivals.setdefault((source, part), []).append((manifest.created_at, item.snapshot))
    for (source, part), entries in arrivals.items():
        entries.sort(key=lambda entry: entry[0])
        history = [entry for before, entry in zip([None, *entries], entries, strict=False) if before is None or before[1] != entry[1]]
        time, sha256 = history[-1]
        size = _size(archive, sha256)
        yield source, part, SourceState(sha256, good.get((source, part), ""), bytes=size, checked_at=time, changed_at=time, history=history)


def _size(archive: Archive, sha256: str) -> int:
    """Return the length of content, 0 where its file is damaged. The next run that reads it reports this."""
    try:
        return archive.size(sha256)
    except DamagedFile:
        return 0


def _repair_sidecars(workspace: Workspace, states: SourceStates) -> None:
    """Write the sidecars of the contents in use again, where they are damaged or missing and the bytes are there."""
    archive = Archive(workspace.archive)
    manifest = Manifest.current(workspace)
    for source in workspace.pack.sources.values():
        parts = manifest.sources[source.id].parts if source.id in manifest.sources else {}
        for part in parts_of(workspace.pack, source, states) if source.enabled else []:
            state = states.get(source.id, part.name)
            for sha256 in {state.sha256, state.good} - {""}:
                if archive.find(source.id, part.name, sha256) is not None or not archive.file_of(sha256):
                    continue
                fetched_at = next((time for time, content in state.history if content == sha256), state.changed_at)
                url = address(source, part) if source.fetch.url else _origin(source)
                item = parts.get(part.name)
                if item is not None and item.snapshot == sha256 and item.url:
                    url, fetched_at = item.url, item.fetched_at or fetched_at
                archive.restore(
                    Snapshot(
                        source=source.id, part=part.name, url=url, sha256=sha256, bytes=_size(archive, sha256),
                        fetched_at=fetched_at, licence=source.licence, publisher=source.publisher,
                    )
                )  # fmt: skip
                log.warning(f"{source.id} {part.name}".strip() + ": the description of its snapshot was damaged or missing; made again")


def _origin(source: FetchedSource) -> str:
    """Return what stands for the address of a source without one."""
    return f"push:{source.fetch.push.type}" if source.fetch.push and source.fetch.brings_records else f"inbox/{source.id}/"
