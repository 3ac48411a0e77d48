"""The inbox: files that are dropped into `inbox/<source>/` of a workspace become snapshots. Does not read their content.

A file belongs to the part that its name without the extension gives (`year=2023.csv`), or to the source where that has no parts. A file that
holds all parts has the name of the source (`trees.xlsx`), or any name where the source reads the parts from one file (`read` has their
variables). A file stays in the inbox while it may be half written: for some seconds after its last change, while a process has it open for
writing, and while its name is that of an unfinished download. Files that systems and office programs leave behind stay, too.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.core import atomic
from pipelines.core.checksums import sha256_of
from pipelines.core.clock import timestamp
from pipelines.core.printable import printable_name
from pipelines.core.workspace import WorkspaceFolder
from pipelines.extract import validation
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import Download, FetchResult, Request
from pipelines.extract.snapshots import Archive, Snapshot
from pipelines.extract.source_state import SourceStates
from pipelines.packs import Pack, Part
from pipelines.packs.schema import FetchedSource
from pipelines.packs.workspace import Workspace
from pipelines.readers.options import VARIABLE_OPTIONS

SETTLE_SECONDS = 5.0
"""A file is complete once it has not changed for this long."""
REFUSED = ".refused"
_REASON = ".reason.txt"
_UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".download", ".opdownload", ".filepart", "~")
_LOCKS = (".lock", ".lck", ".swp", ".swo")
_SYSTEM_FILES = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx"}
_LISTED_PARTS = 20


@dataclass(frozen=True)
class DroppedFile:
    """A file in the inbox. `identity` tells it from another file of the same name."""

    source: str
    path: Path
    size: int
    changed: float
    identity: tuple[int, int, int]

    @property
    def name(self) -> str:
        return f"{self.source}/{self.path.name}"


def prepare(workspace: Workspace) -> None:
    """Create the folder of each source that accepts dropped files."""
    for source in workspace.pack.sources.values():
        if source.enabled and not source.fetch.brings_records:
            (workspace.inbox / source.id).mkdir(parents=True, exist_ok=True)


def list_files(workspace: WorkspaceFolder, only: Collection[str] | None = None) -> list[DroppedFile]:
    """Return the files in the inbox, complete or not, the oldest first."""
    files = []
    for folder in sorted(workspace.inbox.iterdir()) if workspace.inbox.is_dir() else []:
        if folder.name.startswith(".") or folder.is_symlink() or not folder.is_dir() or (only is not None and folder.name not in only):
            continue
        for path in sorted(folder.iterdir()):
            if is_left_alone(path.name):
                continue
            try:
                status = path.lstat()
            except FileNotFoundError:
                continue
            if stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode):
                identity = (status.st_ino, status.st_size, status.st_mtime_ns)
                files.append(DroppedFile(folder.name, path, status.st_size, status.st_mtime, identity))
    return sorted(files, key=lambda f: (f.changed, f.path))


def is_left_alone(name: str) -> bool:
    """Whether a file of this name is no delivery: hidden, unfinished, a lock, or left behind by a system or an office program."""
    name = name.lower()
    return name.startswith((".", "~$", "~wr")) or name.endswith((*_UNFINISHED, *_LOCKS)) or name in _SYSTEM_FILES


def complete_files(files: Collection[DroppedFile]) -> list[DroppedFile]:
    """Return those files that nobody is still writing."""
    settled = [f for f in files if abs(time.time() - f.changed) >= SETTLE_SECONDS]
    open_inodes = _open_for_writing() if settled else set()
    return [f for f in settled if f.identity[0] not in open_inodes and _identity(f.path) == f.identity]


def wait_until_settled(workspace: WorkspaceFolder, only: Collection[str] | None = None) -> None:
    """Wait until files that changed a moment ago have settled, but not longer for a file that keeps growing."""
    recent = [f for f in list_files(workspace, only) if abs(time.time() - f.changed) < SETTLE_SECONDS]
    if recent:
        time.sleep(max(0.0, SETTLE_SECONDS - min(time.time() - f.changed for f in recent)))


def archive_files(
    workspace: Workspace, states: SourceStates, only: Collection[str] | None = None
) -> Iterator[tuple[list[FetchResult], DroppedFile]]:
    """Archive each complete file and yield its results, one for each part that it holds. The caller records them, then removes the file.

    A rejected file is moved to `inbox/.refused/<source>/`, next to a file with the reason; its result has the error.
    """
    archive = Archive(workspace.archive)
    for file in complete_files(list_files(workspace, only)):
        source = workspace.pack.sources.get(file.source)
        parts, reason = _parts(workspace.pack, source, file)
        if source is None or not parts:
            _reject(workspace, file, reason)
            continue
        requests = [Request(source, part, f"inbox/{file.source}/{printable_name(file.path.name)}") for part in parts]
        try:
            snapshots = [_archived(workspace, request, file, archive, states) for request in requests]
            yield [FetchResult(r, s, attempted=False, delivered=True) for r, s in zip(requests, snapshots, strict=True)], file
        except validation.SnapshotRejected as error:
            _reject(workspace, file, str(error))
            message = f"{error} (moved to inbox/{REFUSED}/{file.source}/)"
            yield [FetchResult(request, None, message, attempted=False, delivered=True) for request in requests], file
        except OSError as error:
            if _identity(file.path) == file.identity:  # otherwise it is being written again, and a later run archives it
                text = f"{requests[0].url}: {error}"
                yield [FetchResult(request, None, text, attempted=False, delivered=True) for request in requests], file


def _archived(workspace: Workspace, request: Request, file: DroppedFile, archive: Archive, states: SourceStates) -> Snapshot:
    source, part = request.source, request.part.name
    max_bytes = Limits.of(workspace.settings).max_bytes
    if file.size > max_bytes:
        raise validation.SnapshotRejected(f"{request.url}: {file.size} bytes; the limit is {max_bytes} bytes")
    download = Download(file.path, sha256_of(file.path), file.size, request.url)
    entry = workspace.pack.locked.get((source.id, part))
    last_size = states.get(source.id, part).bytes or None
    validation.validate_snapshot(download, request.url, source, entry["sha256"] if entry else None, last_size)
    snapshot = Snapshot(
        source=source.id, part=part, url=request.url, sha256=download.sha256, bytes=download.size,
        fetched_at=timestamp(workspace.settings.now()), licence=source.licence, publisher=source.publisher,
    )  # fmt: skip
    return archive.add(file.path, snapshot)


def _parts(pack: Pack, source: FetchedSource | None, file: DroppedFile) -> tuple[list[Part], str]:
    """Return the parts a file holds, or why it holds none."""
    if file.path.is_symlink():
        return [], "a link; expected a regular file"
    if source is None or not source.enabled:
        return [], f"{printable_name(file.source)}: the pack has no such source, or it is disabled"
    if source.fetch.brings_records:
        return [], f"{file.source}: accepts pushed records, no files"
    parts = {part.name: part for part in pack.parts(source)}
    names = {file.path.name.split(".")[0], file.path.stem}
    part = parts.get("") or next((parts[name] for name in parts if name in names), None)
    if part is not None:
        return [part], ""
    holds_all = source.id in names or ("=" not in file.path.name and _reads_parts_from_one_file(source))
    expected = ", ".join(list(parts)[:_LISTED_PARTS])
    reason = (
        f"{printable_name(file.path.name)}: no part of the source has this name; expected one of {expected}, or {source.id} for all of them"
    )
    return list(parts.values()) if holds_all else [], reason


def _reads_parts_from_one_file(source: FetchedSource) -> bool:
    """Whether variables of the parts say what is read from a file, such as a sheet of a workbook."""
    options = [getattr(source.read, name) for name in VARIABLE_OPTIONS]
    return any(f"{{{variable}}}" in str(option) for option in options for variable in source.fetch.parts or {})


@dataclass(frozen=True)
class RefusedFile:
    """A file that the inbox refused, with the reason. `identity` tells it from an earlier refused file of the same name."""

    source: str
    name: str
    reason: str
    identity: str


def refused_files(workspace: WorkspaceFolder) -> list[RefusedFile]:
    """Return the files in the folder of refused files, by source and name."""
    files = []
    for note in sorted((workspace.inbox / REFUSED).glob(f"*/*{_REASON}")):
        with contextlib.suppress(OSError):
            reason = printable_name(" ".join(note.read_text(encoding="utf-8", errors="replace").split()))
            name = note.name.removesuffix(_REASON)
            identity = f"{note.parent.name}/{name} {note.stat().st_mtime_ns}"
            files.append(RefusedFile(printable_name(note.parent.name), printable_name(name), reason, printable_name(identity)))
    return files


def _reject(workspace: WorkspaceFolder, file: DroppedFile, reason: str) -> None:
    """Move a file to the folder of rejected files, and write the reason next to it."""
    folder = workspace.inbox / REFUSED / file.source
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / file.path.name
    number = 1
    while target.exists() or target.is_symlink():
        number += 1
        target = folder / f"{number}-{file.path.name}"
    with atomic.atomic_write(target.with_name(f"{target.name}{_REASON}")) as path:
        path.write_text(reason + "\n", encoding="utf-8")
    if _identity(file.path) == file.identity:
        shutil.move(file.path, target)


def remove(file: Path, identity: tuple[int, int, int]) -> None:
    """Remove an archived file, unless another file has taken its place."""
    if _identity(file) == identity:
        file.unlink(missing_ok=True)


def _identity(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _open_for_writing() -> set[int]:
    """Return the inodes that processes have open for writing, as far as this user may see them; empty on systems without /proc."""
    inodes = set()
    for folder in Path("/proc").glob("[0-9]*/fdinfo"):
        try:
            for info in folder.iterdir():
                flags = next((line.split()[1] for line in info.read_text().splitlines() if line.startswith("flags:")), "0")
                if int(flags, 8) & os.O_ACCMODE:
                    inodes.add(os.stat(folder.parent / "fd" / info.name).st_ino)
        except (OSError, ValueError):
            continue
    return inodes
