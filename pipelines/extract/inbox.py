"""The inbox: files that are dropped into `inbox/<source>/` of a home become snapshots. Reads no content.

A file belongs to the part that its name says without the ending (`year=2023.csv`), or, where a source has no parts, to the source. It is
left alone while it may be half written: for some seconds after its last change, while a process has it open for writing, and as long as
its name begins with a dot or ends as that of a download under way.
"""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.core import atomic
from pipelines.core.clock import timestamp
from pipelines.core.settings import Settings
from pipelines.core.workspace import WorkspaceFolder
from pipelines.extract import validation
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import Answer, Received, Request
from pipelines.extract.snapshots import Archive, Snapshot, sha256_of
from pipelines.extract.source_state import States
from pipelines.packs import Pack, Part
from pipelines.packs.schema import FetchedSource
from pipelines.packs.workspace import Workspace

SETTLED = 5.0  # seconds without a change
REFUSED = ".refused"
_UNDER_WAY = (".part", ".partial", ".tmp", ".crdownload", ".filepart", "~")


@dataclass(frozen=True)
class Dropped:
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
    """Make the folder of every source that may be given files."""
    for source in workspace.pack.sources.values():
        if source.enabled and not source.fetch.brings_records:
            (workspace.inbox / source.id).mkdir(parents=True, exist_ok=True)


def files(workspace: WorkspaceFolder, only: Collection[str] | None = None) -> list[Dropped]:
    """Return the files that lie in the inbox, whether or not they are complete, the oldest first."""
    found = []
    for folder in sorted(workspace.inbox.iterdir()) if workspace.inbox.is_dir() else []:
        if folder.name.startswith(".") or folder.is_symlink() or not folder.is_dir() or (only is not None and folder.name not in only):
            continue
        for path in sorted(folder.iterdir()):
            if path.name.startswith(".") or path.name.endswith(_UNDER_WAY):
                continue
            try:
                status = path.lstat()
            except FileNotFoundError:
                continue
            if stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode):
                identity = (status.st_ino, status.st_size, status.st_mtime_ns)
                found.append(Dropped(folder.name, path, status.st_size, status.st_mtime, identity))
    return sorted(found, key=lambda f: (f.changed, f.path))


def complete(dropped: Collection[Dropped]) -> list[Dropped]:
    """Return those files that nobody is writing any more."""
    settled = [f for f in dropped if abs(time.time() - f.changed) >= SETTLED]
    written = _open_for_writing() if settled else set()
    return [f for f in settled if f.identity[0] not in written and _identity(f.path) == f.identity]


def wait_for(workspace: WorkspaceFolder, only: Collection[str] | None = None) -> None:
    """Wait until files that were changed a moment ago have settled; for one that goes on growing not longer than that."""
    young = [f for f in files(workspace, only) if abs(time.time() - f.changed) < SETTLED]
    if young:
        time.sleep(max(0.0, SETTLED - min(time.time() - f.changed for f in young)))


def take_up(workspace: Workspace, states: States, only: Collection[str] | None = None) -> Iterator[tuple[Answer, Dropped]]:
    """Archive every complete file, and yield what it came to. The caller remembers the answer and then removes the file.

    A file that cannot be a snapshot goes to `inbox/.refused/<source>/` with its reason beside it; the answer says so.
    """
    archive = Archive(workspace.archive)
    for file in complete(files(workspace, only)):
        source = workspace.pack.sources.get(file.source)
        part, reason = _part(workspace.pack, source, file)
        if source is None or part is None:
            _refuse(workspace, file, reason)
            continue
        request = Request(source, part, f"inbox/{file.source}/{_readable(file.path.name)}")
        try:
            yield (
                Answer(request, _archived(workspace.pack, request, file, archive, workspace.settings, states), asked=False, brought=True),
                file,
            )
        except validation.RefusedError as error:
            _refuse(workspace, file, str(error))
            yield Answer(request, None, f"{error} (it lies in inbox/{REFUSED}/{file.source}/)", asked=False, brought=True), file
        except OSError as error:
            if _identity(file.path) == file.identity:  # else it is being written again: a later run takes it up
                yield Answer(request, None, f"{request.url}: {error}", asked=False, brought=True), file


def _archived(pack: Pack, request: Request, file: Dropped, archive: Archive, settings: Settings, states: States) -> Snapshot:
    source, part = request.source, request.part.name
    if file.size > Limits().max_bytes:
        raise validation.RefusedError(f"{request.url}: {file.size} bytes, at most {Limits().max_bytes} are taken")
    received = Received(file.path, sha256_of(file.path), file.size, request.url)
    entry = pack.locked.get((source.id, part))
    validation.judge(received, request.url, source, entry["sha256"] if entry else None, states.get(source.id, part).bytes or None)
    snapshot = Snapshot(
        source=source.id, part=part, url=request.url, sha256=received.sha256, bytes=received.size,
        fetched_at=timestamp(settings.now()), licence=source.licence, publisher=source.publisher,
    )  # fmt: skip
    return archive.add(file.path, snapshot)


def _part(pack: Pack, source: FetchedSource | None, file: Dropped) -> tuple[Part | None, str]:
    """Return the part a file belongs to, or why there is none."""
    if file.path.is_symlink():
        return None, "a link; only files are taken"
    if source is None or not source.enabled:
        return None, f"{_readable(file.source)}: the pack has no such source, or it is switched off"
    if source.fetch.brings_records:
        return None, f"{file.source}: its records are pushed"
    parts = {part.name: part for part in pack.parts(source)}
    found = parts.get("") or parts.get(file.path.name.split(".")[0]) or parts.get(file.path.stem)
    return found, f"{_readable(file.path.name)}: no part is named so; there are {', '.join(list(parts)[:20])}"


def _readable(name: str) -> str:
    """Return a file's name as it may stand in a text: without control characters, and without bytes that are no text."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)


def _refuse(workspace: WorkspaceFolder, file: Dropped, reason: str) -> None:
    """Put a file aside, with the reason beside it."""
    folder = workspace.inbox / REFUSED / file.source
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / file.path.name
    number = 1
    while target.exists() or target.is_symlink():
        number += 1
        target = folder / f"{number}-{file.path.name}"
    with atomic.atomic_write(target.with_name(f"{target.name}.reason.txt")) as path:
        path.write_text(reason + "\n", encoding="utf-8")
    if _identity(file.path) == file.identity:
        shutil.move(file.path, target)


def remove(file: Path, identity: tuple[int, int, int]) -> None:
    """Remove a file that was taken up, unless another one lies in its place by now."""
    if _identity(file) == identity:
        file.unlink(missing_ok=True)


def _identity(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _open_for_writing() -> set[int]:
    """Return the inodes that processes have open for writing, as far as this user may see them; nothing where the system does not tell."""
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
