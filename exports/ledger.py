"""Which releases there are: `latest.json`, the ledger `releases.json`, and the way from one current release to the next.

Builds and checks no release: it is handed a finished folder. Standard library only, so that asking costs nothing.

The way, every step durable before the next: (1) the ledger says what is being published, (2) the folder is renamed to
its place, (3) `latest.json` is replaced - from here on the release is current, (4) the ledger counts it. Killed before
(3), `recover` removes the folder and the note; killed after, it does (4). An older kept release is always in the ledger.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

FORMAT = 1
LATEST = "latest.json"
LEDGER = "releases.json"
RELEASES = "releases"
VERSION = re.compile(r"\d{4}\.\d{2}\.[1-9]\d*")


class ReleaseError(Exception):
    """A release cannot be built or published; the last one stands."""


@dataclass(frozen=True)
class Entry:
    """A release of the ledger. `content` is a digest of its tables and descriptors, version and time apart;
    `inputs_key` stands for the inputs that last gave this content; `more` keeps what others noted."""

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


@dataclass(frozen=True)
class Ledger:
    """Releases in the order of publication, and the one whose publication was announced and not yet counted."""

    releases: tuple[Entry, ...] = ()
    publishing: Entry | None = None

    def find(self, version: str | None) -> Entry | None:
        return next((e for e in self.releases if e.version == version), None)

    def with_inputs(self, version: str, inputs_key: str) -> Ledger:
        """Return this ledger, `inputs_key` being the inputs that now give what `version` holds."""
        return Ledger(tuple(replace(e, inputs_key=inputs_key) if e.version == version else e for e in self.releases))

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


def recover(public: Path, staging: Path) -> Ledger:
    """Bring `public` back to what is served, remove what a killed build left, and return the ledger."""
    ledger, version = _read_ledger(public), _latest_version(public)
    if version is not None and not ledger.find(version) and (ledger.publishing is None or ledger.publishing.version != version):
        raise ReleaseError(
            f"{public / LEDGER} does not know the current release {version}; put back the ledger that belongs to it (nothing was changed)"
        )
    half_done = ledger.publishing
    if half_done and half_done.version == version:
        ledger = Ledger((*ledger.releases, half_done))
    known = {e.version for e in ledger.releases}
    for folder in sorted((public / RELEASES).glob("*")) if (public / RELEASES).is_dir() else []:
        if VERSION.fullmatch(folder.name) and folder.name not in known and folder.is_dir():
            shutil.rmtree(folder)
    if half_done:
        ledger = Ledger(ledger.releases)
        _replace(public / LEDGER, _ledger_bytes(ledger), staging)
    return ledger


def put(ledger: Ledger, public: Path, staging: Path) -> None:
    """Replace the ledger."""
    _replace(public / LEDGER, _ledger_bytes(ledger), staging)


def publish(folder: Path, entry: Entry, ledger: Ledger, public: Path, staging: Path) -> Path:
    """Make the finished `folder` the current release and return its place. It must lie on the file system of `public`."""
    place = public / RELEASES / entry.version
    place.parent.mkdir(parents=True, exist_ok=True)
    sync(public)
    put(Ledger(ledger.releases, entry), public, staging)
    os.rename(folder, place)
    sync(place.parent)
    latest = {"version": entry.version, "released": entry.released, "path": f"{RELEASES}/{entry.version}/"}
    # both files are written before either takes its name: a full disk must not come between the two
    new_latest = _prepare(public / LATEST, _json_bytes(latest), staging)
    new_ledger = _prepare(public / LEDGER, _ledger_bytes(Ledger((*ledger.releases, entry))), staging)
    os.replace(new_latest, public / LATEST)
    sync(public)
    os.replace(new_ledger, public / LEDGER)
    sync(public)
    return place


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
    return _json_bytes(value)


def _read_ledger(public: Path) -> Ledger:
    path = public / LEDGER
    try:
        value = json.loads(path.read_bytes())
        if value["format"] != FORMAT:
            raise ReleaseError(f"{path} has format {value['format']}; this version reads format {FORMAT}")
        publishing = Entry.of(value["publishing"]) if "publishing" in value else None
        return Ledger(tuple(Entry.of(e) for e in value["releases"]), publishing)
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
