"""Which releases there are: `latest.json`, the ledger `releases.json`, and the way from one current release to the next.

Builds and checks no release: it is handed a finished folder. Standard library only, so that asking costs nothing.

The way, every step durable before the next: (1) the ledger says what is being published, (2) the folder is renamed to
its place, (3) `latest.json` is replaced - from here on the release is current, (4) the ledger counts it. Killed before
(3), `recover` removes the folder and the note; killed after, it does (4). An older kept release is always in the ledger.
A move of `latest` to an earlier release goes the same way, without (2).

What an operator took back does not come back by itself: `Ledger.set_aside` says which content that is.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

FORMAT = 1
LATEST = "latest.json"
LEDGER = "releases.json"
RELEASES = "releases"
WITHDRAWN, PINNED, PRUNED = "withdrawn", "pinned", "pruned"
ROLLBACK, WITHDRAWAL = "rollback", "withdrawal"
VERSION = re.compile(r"\d{4}\.\d{2}\.[1-9]\d*")


class ReleaseError(Exception):
    """A release cannot be built or published; the last one stands."""


@dataclass(frozen=True)
class Entry:
    """A release of the ledger. `content` is a digest of its tables and descriptors, version and time apart;
    `inputs_key` stands for the inputs that last gave this content; `more` keeps what was noted since, by an operator or by others."""

    version: str
    released: str
    inputs_key: str
    content: str
    rows: Mapping[str, int]
    more: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Entry:
        own = {f.name for f in fields(cls)} - {"more"}
        return cls(**{k: value[k] for k in own}, more={k: v for k, v in value.items() if k not in own})

    def as_dict(self) -> dict[str, Any]:
        value = asdict(self)
        return {**value.pop("more"), **value}

    @property
    def is_withdrawn(self) -> bool:
        return bool(self.more.get(WITHDRAWN))

    @property
    def is_pinned(self) -> bool:
        return bool(self.more.get(PINNED))

    @property
    def is_pruned(self) -> bool:
        """Whether its files are gone; its version is never given again."""
        return bool(self.more.get(PRUNED))

    def noted(self, name: str, **note: str) -> Entry:
        return replace(self, more={**self.more, name: note})

    def told(self, name: str) -> str:
        """Return when and why `name` was noted, to be put behind a verb; empty where somebody noted it by hand."""
        note = self.more.get(name)
        if not isinstance(note, Mapping) or "at" not in note:
            return ""
        return f" at {note['at']}" + (f" ({note['reason']})" if "reason" in note else "")


@dataclass(frozen=True)
class Move:
    """`latest` taken from one release to another that was there before; `kind`: rollback or withdrawal."""

    kind: str
    left: str
    to: str
    at: str
    reason: str


@dataclass(frozen=True)
class SetAside:
    """A release whose content was taken back, and how."""

    entry: Entry
    how: str

    def __str__(self) -> str:
        return f"the tables are those of {self.entry.version}, {self.how}"


@dataclass(frozen=True)
class Ledger:
    """Releases in the order of publication, moves in the order they were made, and the one publication or move that was announced and
    not yet counted."""

    releases: tuple[Entry, ...] = ()
    publishing: Entry | None = None
    moves: tuple[Move, ...] = ()
    moving: Move | None = None

    def find(self, version: str | None) -> Entry | None:
        return next((e for e in self.releases if e.version == version), None)

    def with_inputs(self, version: str, inputs_key: str) -> Ledger:
        """Return this ledger, `inputs_key` being the inputs that now give what `version` holds."""
        return self._changed(version, lambda entry: replace(entry, inputs_key=inputs_key))

    def with_note(self, version: str, name: str, **note: str) -> Ledger:
        """Return this ledger with a note on `version`."""
        return self._changed(version, lambda entry: entry.noted(name, **note))

    def published(self, entry: Entry) -> Ledger:
        """Return this ledger with one release more."""
        return replace(self, releases=(*self.releases, entry), publishing=None)

    def moved(self, move: Move) -> Ledger:
        """Return this ledger with one move more; what a withdrawal leaves is marked."""
        ledger = replace(self, moves=(*self.moves, move), moving=None)
        return ledger.with_note(move.left, WITHDRAWN, at=move.at, reason=move.reason) if move.kind == WITHDRAWAL else ledger

    def set_aside(self, content: str, current: str | None) -> SetAside | None:
        """Return the release that was taken back and says the same as `content`; None where `content` may be published.

        Taken back is what was withdrawn, for ever; and, while `current` is not the newest release because of a rollback, what was
        published after it. Where several releases say the same, the newest of them counts.
        """
        versions = [e.version for e in self.releases]
        same = next((e for e in reversed(self.releases) if e.content == content), None)
        if same is None:
            return None
        if same.is_withdrawn:
            return SetAside(same, f"which was withdrawn{same.told(WITHDRAWN)}")
        if self.moves and current in versions and versions.index(same.version) > versions.index(current):
            last = self.moves[-1]
            return SetAside(same, f"from which latest was taken back to {current} at {last.at} ({last.reason})")
        return None

    def _changed(self, version: str, change: Callable[[Entry], Entry]) -> Ledger:
        return replace(self, releases=tuple(change(e) if e.version == version else e for e in self.releases))

    def next_version(self, month: str) -> str:
        """Return `month` (YYYY.MM) with the number after the last one used in it."""
        numbers = [int(e.version.rpartition(".")[2]) for e in self.releases if e.version.startswith(month + ".")]
        return f"{month}.{max(numbers, default=0) + 1}"


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
    if settled != ledger:
        put(settled, public, staging)
    return settled


def put(ledger: Ledger, public: Path, staging: Path) -> None:
    """Replace the ledger."""
    _replace(public / LEDGER, _ledger_bytes(ledger), staging)


def publish(folder: Path, entry: Entry, ledger: Ledger, public: Path, staging: Path) -> Path:
    """Make the finished `folder` the current release and return its place. It must lie on the file system of `public`."""
    if aside := ledger.set_aside(entry.content, _latest_version(public)):
        raise ReleaseError(f"{aside}; the last release stands")
    place = public / RELEASES / entry.version
    place.parent.mkdir(parents=True, exist_ok=True)
    sync(public)
    put(replace(ledger, publishing=entry), public, staging)
    os.rename(folder, place)
    place.chmod(0o555)
    sync(place.parent)
    _make_current(entry, ledger.published(entry), public, staging)
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
    latest = {"version": entry.version, "released": entry.released, "path": f"{RELEASES}/{entry.version}/"}
    # both files are written before either takes its name: a full disk must not come between the two
    new_latest = _prepare(public / LATEST, _json_bytes(latest), staging)
    new_ledger = _prepare(public / LEDGER, _ledger_bytes(after), staging)
    os.replace(new_latest, public / LATEST)
    sync(public)
    os.replace(new_ledger, public / LEDGER)
    sync(public)


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


def _prepare(target: Path, content: bytes, staging: Path) -> Path:
    path = staging / target.name  # not beside the target: what is served holds no temporary file
    path.write_bytes(content)
    path.chmod(0o644)
    sync(path)
    return path


def _replace(target: Path, content: bytes, staging: Path) -> None:
    os.replace(_prepare(target, content, staging), target)
    sync(target.parent)


def _json_bytes(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def _ledger_bytes(ledger: Ledger) -> bytes:
    value: dict[str, Any] = {"format": FORMAT, "releases": [e.as_dict() for e in ledger.releases]}
    if ledger.publishing:
        value["publishing"] = ledger.publishing.as_dict()
    if ledger.moves:
        value["moves"] = [asdict(m) for m in ledger.moves]
    if ledger.moving:
        value["moving"] = asdict(ledger.moving)
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
        return Ledger(tuple(Entry.of(e) for e in value["releases"]), publishing, moves, moving)
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
