"""Which releases there are: `latest.json`, the ledger `releases.json`, and the way from one current release to the next.

Builds and checks no release: it is handed a finished folder. Standard library only, so that asking costs nothing.

The way, every step durable before the next: (1) the ledger says what is being published, (2) the folder is renamed to
its place, (3) `latest.json` is replaced - from here on the release is current, (4) the ledger counts it. Killed before
(3), `recover` removes the folder and the note; killed after, it does (4). An older kept release is always in the ledger.
A move of `latest` to an earlier release goes the same way, without (2).

Two more are made from these: `.latest`, a link into the current release for web servers that cannot read JSON, right
after (3), and `feed.atom` after (4). Killed before them, they are for a moment what they were before; `recover` puts them right.

What an operator took back does not come back by itself: `Ledger.set_aside` says which content that is.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from exports.model import checksums
from exports.model.errors import ReleaseError
from exports.release import feed
from exports.release.entries import (
    PINNED,
    PRUNED,
    RELEASES,
    ROLLBACK,
    WITHDRAWAL,
    WITHDRAWN,
    About,
    Entry,
    Happening,
    Ledger,
    Move,
    SetAside,
    journal_of,
)

__all__ = [
    "PINNED", "PRUNED", "RELEASES", "ROLLBACK", "WITHDRAWAL", "WITHDRAWN", "About", "Entry", "Happening", "Ledger", "Move", "SetAside",
]  # fmt: skip

FORMAT = 1
LATEST = "latest.json"
LEDGER = "releases.json"
FEED = "feed.atom"
LINK = ".latest"
VERSION = re.compile(r"\d{4}\.\d{2}\.[1-9]\d*")


def history(public: Path) -> list[Entry]:
    """Return all releases in the order of publication."""
    return list(_read_ledger(public).releases)


def current(public: Path) -> Entry | None:
    """Return the release that `latest.json` names, or None where nothing was ever published."""
    ledger, version = _read_ledger(public), _latest_version(public)
    if ledger.publishing and ledger.publishing.version == version:
        return ledger.publishing
    return ledger.find(version)


def taken_back(public: Path, version: str) -> SetAside | None:
    """Return how what `version` holds was taken back; None where it may be current."""
    ledger = _read_ledger(public)
    entry = ledger.find(version)
    return ledger.set_aside(entry.content, _latest_version(public)) if entry else None


def read(public: Path) -> Ledger:
    """Return the ledger as it stands, without what was begun and not counted yet."""
    return _read_ledger(public)


def recover(public: Path, staging: Path) -> Ledger:
    """Bring `public` back to what is served, remove what a killed build left, and return the ledger."""
    ledger, version = _read_ledger(public), _latest_version(public)
    if version is not None and not ledger.find(version) and (ledger.publishing is None or ledger.publishing.version != version):
        raise ReleaseError(
            f"{public / LEDGER} does not know the current release {version}; put back the ledger that belongs to it (nothing was changed)"
        )
    settled = ledger
    if ledger.publishing:
        settled = settled.published(ledger.publishing) if ledger.publishing.version == version else replace(settled, publishing=None)
    if ledger.moving:
        settled = settled.moved(ledger.moving) if ledger.moving.to == version else replace(settled, moving=None)
    kept = {e.version for e in settled.releases if not e.is_pruned}
    for folder in sorted((public / RELEASES).glob("*")) if (public / RELEASES).is_dir() else []:
        if VERSION.fullmatch(folder.name) and folder.name not in kept and folder.is_dir():
            remove(folder, staging)
    derived = _link(version) if version else {}
    derived |= _ledger_files(settled) if settled != ledger else _feed(settled)
    _replace(public, derived, staging)
    return settled


def put(ledger: Ledger, public: Path, staging: Path) -> None:
    """Replace the ledger, and the feed where that says something else now."""
    _replace(public, _ledger_files(ledger), staging)


def publish(folder: Path, entry: Entry, ledger: Ledger, public: Path, staging: Path, about: About | None = None) -> Path:
    """Make the finished `folder` the current release and return its place. It must lie on the file system of `public`.

    `about` is what the ledger says of the pack from then on; without it, what it said before.
    """
    if aside := ledger.set_aside(entry.content, _latest_version(public)):
        raise ReleaseError(f"{aside}; the last release stands")
    place = public / RELEASES / entry.version
    place.parent.mkdir(parents=True, exist_ok=True)
    sync(public)
    put(replace(ledger, publishing=entry), public, staging)
    os.rename(folder, place)
    place.chmod(0o555)
    sync(place.parent)
    _make_current(entry, replace(ledger.published(entry), about=about or ledger.about), public, staging)
    return place


def move(move_: Move, ledger: Ledger, public: Path, staging: Path) -> Ledger:
    """Make the release `move_.to`, which is there and whole, the current one; return the ledger that tells it."""
    target = ledger.find(move_.to)
    assert target is not None
    put(replace(ledger, moving=move_), public, staging)
    after = ledger.moved(move_)
    _make_current(target, after, public, staging)
    return after


def _make_current(entry: Entry, after: Ledger, public: Path, staging: Path) -> None:
    latest = {"version": entry.version, "released": entry.released, "path": entry.path}
    _replace(public, {LATEST: _json_bytes(latest), **_link(entry.version), **_ledger_files(after)}, staging)


def remove(folder: Path, staging: Path) -> None:
    """Remove the folder of a release: from one moment to the next for whoever reads, file by file only where nobody looks."""
    aside = staging / f"removed-{folder.name}"
    folder.chmod(0o755)
    os.rename(folder, aside)
    sync(folder.parent)
    discard(aside)


def discard(folder: Path, *, anyway: bool = False) -> None:
    """Delete a folder that may hold folders which are read-only, as those of a release are; `anyway`: as far as it can be deleted."""
    for root, _, _ in os.walk(folder):
        os.chmod(root, 0o755)
    shutil.rmtree(folder, ignore_errors=anyway)


def sync(path: Path) -> None:
    """Have the content of a file, or the names in a folder, on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _replace(public: Path, files: dict[str, bytes | Path], staging: Path) -> None:
    """Replace files of `public` in the given order, those that are already what they should be left out; a path is what a link leads to.

    All of them are written before the first takes its name: a full disk must not come between two of them.
    """
    prepared = [(_prepare(staging / name, content), public / name) for name, content in files.items() if _present(public / name) != content]
    for path, target in prepared:
        os.replace(path, target)
        sync(public)


def _present(path: Path) -> bytes | Path | None:
    if path.is_symlink():
        return path.readlink()
    return path.read_bytes() if path.is_file() else None


def _prepare(path: Path, content: bytes | Path) -> Path:
    """Write what is to take its name in `public`; not there: what is served holds no temporary file."""
    path.unlink(missing_ok=True)
    if isinstance(content, Path):
        path.symlink_to(content)
        return path
    path.write_bytes(content)
    path.chmod(0o644)
    sync(path)
    return path


def _ledger_files(ledger: Ledger) -> dict[str, bytes | Path]:
    return {LEDGER: _ledger_bytes(ledger), **_feed(ledger)}


def _feed(ledger: Ledger) -> dict[str, bytes | Path]:
    content = feed.render(ledger)
    return {} if content is None else {FEED: content}


def _link(version: str) -> dict[str, bytes | Path]:
    """The link leads to a file: who copies `public` and follows links must not come to a second release."""
    return {LINK: Path(RELEASES, version, checksums.NAME)}


def _json_bytes(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def _ledger_bytes(ledger: Ledger) -> bytes:
    value: dict[str, Any] = {"format": FORMAT}
    if ledger.about:
        value["about"] = asdict(ledger.about)
    value["releases"] = [e.as_dict() for e in ledger.releases]
    if ledger.publishing:
        value["publishing"] = ledger.publishing.as_dict()
    if ledger.moves:
        value["moves"] = [asdict(m) for m in ledger.moves]
    if ledger.moving:
        value["moving"] = asdict(ledger.moving)
    if ledger.journal:
        value["journal"] = [asdict(h) for h in ledger.journal]
    return _json_bytes(value)


def _read_ledger(public: Path) -> Ledger:
    path = public / LEDGER
    try:
        value = json.loads(path.read_bytes())
        if value["format"] != FORMAT:
            raise ReleaseError(f"{path} has format {value['format']}; this version reads format {FORMAT}")
        publishing = Entry.of(value["publishing"]) if "publishing" in value else None
        moving = Move(**value["moving"]) if "moving" in value else None
        moves = tuple(Move(**m) for m in value.get("moves", []))
        releases = tuple(Entry.of(e) for e in value["releases"])
        journal = tuple(Happening(**h) for h in value["journal"]) if "journal" in value else journal_of(releases, moves)
        about = About(**value["about"]) if "about" in value else None
        return Ledger(releases, publishing, moves, moving, journal, about)
    except FileNotFoundError:
        return Ledger()
    except (ValueError, KeyError, TypeError) as error:
        raise ReleaseError(f"{path} cannot be read ({error}); put back a copy of it") from error


def _latest_version(public: Path) -> str | None:
    path = public / LATEST
    try:
        return str(json.loads(path.read_bytes())["version"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise ReleaseError(f"{path} cannot be read ({error}); put back a copy of it") from error
