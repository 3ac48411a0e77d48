"""Every write to a `public` folder: how one current release follows another, so that readers always see a whole one.

Publication, with every step durable on the disk before the next one:

1. The ledger announces what is being published.
2. The finished folder is renamed to its final place.
3. `latest.json` is replaced. From here on the release is current.
4. `.latest` is replaced, a link into the current release for web servers that cannot read JSON.
5. The ledger counts the release.
6. `feed.atom` is replaced.
7. The pages and descriptors beside the releases are replaced (`pointer_pages`).

If the process is killed before step 3, `recover` removes the folder and the announcement. If it is killed later, `recover` does the
missing steps. A change to an earlier release works in the same way, without step 2.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from exports.model import checksums
from exports.model.errors import ReleaseError
from exports.release import feed, pointer_pages
from exports.release.entries import RELEASES, Entry, Latest, LatestChange, PackInfo
from exports.release.ledger import LATEST, LEDGER, VERSION, Ledger, latest_version, read_ledger

FEED = "feed.atom"
LINK = ".latest"
WORK = "publication"
"""Folder for unfinished work in the staging folder. Whoever writes to `public` next removes what a killed process left there."""


def recover(public: Path, work: Path) -> tuple[Ledger, Entry | None]:
    """Complete or undo what a killed process left, and return the ledger and the current release. Raises ReleaseError."""
    ledger, version = read_ledger(public), latest_version(public)
    if version is not None and not ledger.find(version) and (ledger.publishing is None or ledger.publishing.version != version):
        raise ReleaseError(
            f"{public / LEDGER} does not know the current release {version}; restore the ledger that belongs to it (nothing was changed)"
        )
    settled = ledger
    if ledger.publishing:
        is_current = ledger.publishing.version == version
        settled = settled.after_publication(ledger.publishing) if is_current else replace(settled, publishing=None)
    if ledger.changing:
        settled = settled.after_change(ledger.changing) if ledger.changing.to == version else replace(settled, changing=None)
    for folder in sorted((public / RELEASES).glob("*")) if (public / RELEASES).is_dir() else []:
        if VERSION.fullmatch(folder.name) and folder.name not in settled.kept and folder.is_dir():
            remove_release(folder, work)
    files = _link(version) if version else {}
    files |= _ledger_and_feed(settled) if settled != ledger else _feed(settled)
    _replace(public, {**files, **pointer_pages.files(public, settled, version)}, work)
    return settled, settled.find(version)


def restore_latest(public: Path, staging: Path) -> bool:
    """Write `latest.json` again from the ledger if it is damaged or missing; return whether it was. Raises ReleaseError.

    The caller holds the lock of the workspace. A publication that was announced but not completed is undone by `recover`, later.
    """
    try:
        if latest_version(public) is not None:
            return False
    except ReleaseError:
        if not read_ledger(public).releases:
            raise
    ledger = read_ledger(public)
    entry = ledger.find(ledger.current_version)
    if entry is None:
        return False
    work = staging / WORK
    work.mkdir(parents=True, exist_ok=True)
    _replace(public, {LATEST: _json(asdict(Latest(entry.version, entry.released, entry.path)))}, work)
    return True


def publish(folder: Path, entry: Entry, ledger: Ledger, public: Path, work: Path, pack: PackInfo | None = None) -> Path:
    """Make the finished `folder` the current release and return its final place. Both must be on the same file system.

    `pack` replaces what the ledger says about the pack. Raises ReleaseError if an operator took the same content back.
    """
    if superseded := ledger.superseded(entry.content, latest_version(public)):
        raise ReleaseError(f"{superseded}; the current release is unchanged")
    place = public / RELEASES / entry.version
    place.parent.mkdir(parents=True, exist_ok=True)
    sync(public)
    write_ledger(replace(ledger, publishing=entry), public, work)
    os.rename(folder, place)
    place.chmod(0o555)
    sync(place.parent)
    _make_current(entry, replace(ledger.after_publication(entry), pack=pack or ledger.pack), public, work)
    return place


def change_latest(change: LatestChange, ledger: Ledger, public: Path, work: Path) -> Ledger:
    """Make the release `change.to`, which must exist and be whole, the current one. Return the ledger after that."""
    target = ledger.find(change.to)
    assert target is not None
    write_ledger(replace(ledger, changing=change), public, work)
    after = ledger.after_change(change)
    _make_current(target, after, public, work)
    return after


def write_ledger(ledger: Ledger, public: Path, work: Path) -> None:
    """Replace the ledger, and the feed and the pages if they change too."""
    _replace(public, {**_ledger_and_feed(ledger), **pointer_pages.files(public, ledger, latest_version(public))}, work)


def _make_current(entry: Entry, after: Ledger, public: Path, work: Path) -> None:
    latest = Latest(entry.version, entry.released, entry.path)
    pages = pointer_pages.files(public, after, entry.version)
    _replace(public, {LATEST: _json(asdict(latest)), **_link(entry.version), **_ledger_and_feed(after), **pages}, work)


Content = bytes | Path | None
"""The content of a file: its bytes, the target of a link, or nothing where there must be no file."""


def _ledger_and_feed(ledger: Ledger) -> dict[str, Content]:
    return {LEDGER: _json(ledger.to_json()), **_feed(ledger)}


def _feed(ledger: Ledger) -> dict[str, Content]:
    content = feed.render(ledger)
    return {} if content is None else {FEED: content}


def _link(version: str) -> dict[str, Content]:
    """The link points to a file and not to the folder: otherwise a copy of `public` that follows links would hold the release twice."""
    return {LINK: Path(RELEASES, version, checksums.NAME)}


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


# --------------------------------------------------------------------------------------------------------- file system


def remove_release(folder: Path, work: Path) -> None:
    """Remove the folder of a release: for readers at once, by a rename, and only then file by file."""
    removed = work / f"removed-{folder.name}"
    folder.chmod(0o755)
    os.rename(folder, removed)
    sync(folder.parent)
    discard(removed)


def current_size(public: Path) -> int:
    """Return the bytes of the files of the current release; 0 if there is none."""
    try:
        folder = (public / LINK).resolve(strict=True).parent
        return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
    except OSError:
        return 0


def discard(folder: Path, *, ignore_errors: bool = False) -> None:
    """Delete a folder, even if it contains read-only folders as a release does."""
    for root, _, _ in os.walk(folder):
        os.chmod(root, 0o755)
    shutil.rmtree(folder, ignore_errors=ignore_errors)


def sync(path: Path) -> None:
    """Make sure that the content of a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _replace(public: Path, files: Mapping[str, Content], work: Path) -> None:
    """Replace files of `public` in the given order, and remove those without content. Files with the same content are left out.

    All files are prepared before the first one is replaced: a full disk must not stop between two of them.
    """
    changed = {name: content for name, content in files.items() if _content(public / name) != content}
    prepared = {name: _prepare(work / name.replace("/", "~"), content) for name, content in changed.items() if content is not None}
    for name in changed:
        target = public / name
        if name in prepared:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(prepared[name], target)
        else:
            target.unlink()
        sync(target.parent)


def _content(path: Path) -> Content:
    if path.is_symlink():
        return path.readlink()
    return path.read_bytes() if path.is_file() else None


def _prepare(path: Path, content: bytes | Path) -> Path:
    """Write a file or link outside `public`, so that no temporary file is ever served."""
    path.unlink(missing_ok=True)
    if isinstance(content, Path):
        path.symlink_to(content)
        return path
    path.write_bytes(content)
    path.chmod(0o644)
    sync(path)
    return path
