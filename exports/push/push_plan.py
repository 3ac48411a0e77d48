"""Select the release to push, check every byte of it, and read the pointer files that go with it. Sends nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from exports.model import checksums, layout
from exports.model.errors import ReleaseRequestError
from exports.model.info import FileFacts
from exports.push.errors import PushError
from exports.release import ledger as ledger_files
from exports.release.entries import PRUNED, RELEASES, WITHDRAWN, Entry
from exports.release.ledger import LATEST, LEDGER


@dataclass(frozen=True)
class PushPlan:
    """An undamaged release to push. `files` are the files in its folder by path.

    `pointer_files` are the contents of the files beside the releases by path (pages, feeds, ledger, latest.json), with latest.json last.
    They belong to the current release and are empty for any other release. `history` has all releases up to this one.
    """

    version: str
    folder: Path
    files: Mapping[str, FileFacts]
    pointer_files: Mapping[str, bytes]
    history: tuple[Entry, ...]

    @property
    def path(self) -> str:
        """The folder of the release below the root of the target."""
        return f"{RELEASES}/{self.version}/"

    @property
    def bytes(self) -> int:
        return sum(facts.bytes for facts in self.files.values())

    @property
    def workspace(self) -> str:
        """What tells the workspace from all others, and never changes: a digest of its first release."""
        first = self.history[0]
        return hashlib.sha256(f"{first.version} {first.released} {first.content}".encode()).hexdigest()[:32]

    def checked_file(self, path: str) -> Path:
        """Return the location of a file after checking again that it is undamaged. Raises PushError."""
        file = self.folder / path
        if checksums.facts(file) != self.files[path]:
            raise PushError(f"{path} changed after it was checked, so the release is damaged; the file was not sent")
        return file

    def check_still_current(self) -> None:
        """Check before the pointer files are sent that the release is still current, so that the target never goes back to an older one.

        Raises PushError if another release has become current since this plan was made.
        """
        current = ledger_files.current(self.folder.parent.parent)
        if self.pointer_files and (current is None or current.version != self.version):
            became = f"{current.version} became current" if current else "there is no current release any more"
            raise PushError(f"{became} during the push; repeat the command to push it")


def select_release(public: Path, version: str | None) -> PushPlan:
    """Return the plan for `version`, or for the current release. Raises ReleaseRequestError, PushError, ReleaseError."""
    pointer_files = _pointer_files(public)
    releases, current = ledger_files.history(public), ledger_files.current(public)
    if current is None:
        raise ReleaseRequestError("nothing has been published yet")
    if current.version not in {e.version for e in releases}:
        releases = [*releases, current]  # published a moment ago and not counted yet
    entry = current if version is None else next((e for e in releases if e.version == version), None)
    if entry is None:
        kept = ", ".join(e.version for e in releases if not e.is_pruned)
        raise ReleaseRequestError(f"{version}: no such release; the releases are {kept}")
    if entry.is_pruned:
        raise ReleaseRequestError(f"{entry.version}: its files were removed{entry.when_and_why(PRUNED)}")
    if withdrawn := next((e for e in releases if e.is_withdrawn and e.content == entry.content), None):
        same = "" if withdrawn is entry else f"has the same content as {withdrawn.version}, which "
        raise ReleaseRequestError(f"{entry.version} {same}was withdrawn{withdrawn.when_and_why(WITHDRAWN)} and is not pushed any more")
    folder = public / RELEASES / entry.version
    if faults := checksums.faults(folder):
        raise PushError(f"{entry.version} is damaged ({faults[0]}); nothing was sent")
    sums = checksums.read(folder)
    files = {path: FileFacts((folder / path).stat().st_size, sha256) for path, sha256 in sorted(sums.items())}
    files[checksums.NAME] = checksums.facts(folder / checksums.NAME)
    history = tuple(releases[: releases.index(entry) + 1])
    return PushPlan(entry.version, folder, files, pointer_files if entry.version == current.version else {}, history)


def _pointer_files(public: Path) -> dict[str, bytes]:
    """Return the contents of the files beside the releases at one moment. The ledger comes last but one, latest.json last."""
    while True:
        before = _contents(public, (LATEST, LEDGER))
        names = _names(public)
        others = _contents(public, [name for name in names if name not in before])
        if _contents(public, (LATEST, LEDGER)) == before:
            return {**others, **{name: before[name] for name in (LEDGER, LATEST) if name in before}}


def _names(public: Path) -> list[str]:
    """Return the files beside the releases by path, without hidden ones: what lies in `public`, and the pages in its two folders."""
    folders = [public / layout.LATEST_FOLDER, public / layout.DATASETS]
    paths = [*(public.iterdir() if public.is_dir() else ()), *(path for folder in folders for path in folder.rglob("*"))]
    names = [path.relative_to(public).as_posix() for path in paths if path.is_file()]
    return sorted(name for name in names if not any(part.startswith(".") for part in name.split("/")))


def _contents(public: Path, names: Iterable[str]) -> dict[str, bytes]:
    contents = {}
    for name in names:
        try:
            contents[name] = (public / name).read_bytes()
        except FileNotFoundError:
            continue  # missing, or removed in the meantime
    return contents
