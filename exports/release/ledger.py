"""The ledger of all releases: what it says, how releases.json and latest.json are read, and how the ledger is written as JSON.

Only `public_folder` writes these files. This module imports nothing heavy, so that looking at the ledger is fast.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from exports.model.errors import ReleaseError
from exports.release.entries import (
    PUBLISHED,
    ROLLBACK,
    WITHDRAWAL,
    WITHDRAWN,
    Entry,
    Latest,
    LatestChange,
    LedgerEvent,
    PackInfo,
    Superseded,
    parse,
)

FORMAT = 1
LATEST = "latest.json"
LEDGER = "releases.json"
VERSION = re.compile(r"\d{4}\.\d{2}\.[1-9]\d*")


@dataclass(frozen=True)
class Ledger:
    """All releases in order of publication, all changes of the latest release, and all events in the order in which they happened.

    `publishing` and `changing` are a publication and a change of the latest release that were announced but not completed.
    """

    releases: tuple[Entry, ...] = ()
    publishing: Entry | None = None
    latest_changes: tuple[LatestChange, ...] = ()
    changing: LatestChange | None = None
    events: tuple[LedgerEvent, ...] = ()
    pack: PackInfo | None = None

    def find(self, version: str | None) -> Entry | None:
        return next((e for e in self.releases if e.version == version), None)

    @property
    def kept(self) -> list[str]:
        """The versions whose files were not removed."""
        return [e.version for e in self.releases if not e.is_pruned]

    def next_version(self, month: str) -> str:
        """Return the next free version in `month` (YYYY.MM)."""
        numbers = [int(e.version.rpartition(".")[2]) for e in self.releases if e.version.startswith(month + ".")]
        return f"{month}.{max(numbers, default=0) + 1}"

    def with_inputs_key(self, version: str, inputs_key: str) -> Ledger:
        """Return this ledger with `inputs_key` as the inputs that now produce `version`."""
        return self._with_changed(version, lambda entry: replace(entry, inputs_key=inputs_key))

    def annotate(self, version: str, name: str, **annotation: str) -> Ledger:
        """Return this ledger with an annotation of `version`."""
        return self._with_changed(version, lambda entry: entry.annotate(name, **annotation))

    def after_publication(self, entry: Entry) -> Ledger:
        """Return this ledger with one more release."""
        event = LedgerEvent(PUBLISHED, entry.version, entry.released, self.current_version, entry.version)
        return replace(self, releases=(*self.releases, entry), publishing=None, events=(*self.events, event))

    def after_change(self, change: LatestChange) -> Ledger:
        """Return this ledger with one more change of the latest release; a withdrawal also marks the release that it leaves."""
        ledger = replace(self, latest_changes=(*self.latest_changes, change), changing=None)
        if change.kind == WITHDRAWAL:
            return ledger.after_withdrawal(change.left, change.at, change.reason, current=change.to)
        return replace(ledger, events=(*ledger.events, _rollback_event(change)))

    def after_withdrawal(self, version: str, at: str, reason: str, current: str) -> Ledger:
        """Return this ledger with `version` marked as withdrawn; `current` is the current release after that."""
        ledger = self.annotate(version, WITHDRAWN, at=at, reason=reason)
        return replace(ledger, events=(*ledger.events, LedgerEvent(WITHDRAWN, version, at, self.current_version, current, reason)))

    def superseded(self, content: str, current: str | None) -> Superseded | None:
        """Return the release with the same `content` if an operator took it back; None if `content` may be published.

        A withdrawn release stays withdrawn for ever. After a rollback to `current`, the releases published after `current` stay taken
        back until new content is published. If several releases have the same content, the newest one decides.
        """
        versions = [e.version for e in self.releases]
        same = next((e for e in reversed(self.releases) if e.content == content), None)
        if same is None:
            return None
        if same.is_withdrawn:
            return Superseded(same, f"which was withdrawn{same.when_and_why(WITHDRAWN)}")
        if self.latest_changes and current in versions and versions.index(same.version) > versions.index(current):
            last = self.latest_changes[-1]
            return Superseded(same, f"which was rolled back to {current} at {last.at} ({last.reason})")
        return None

    def taken_back(self) -> set[str]:
        """Return the releases that a rollback left or passed over, and that no later rollback made current again."""
        versions = [e.version for e in self.releases]
        taken_back: set[str] = set()
        for change in self.latest_changes:
            if change.kind != ROLLBACK or not {change.left, change.to} <= set(versions):
                continue
            taken_back.update(versions[versions.index(change.to) + 1 : versions.index(change.left) + 1])  # none where it goes forward
            taken_back.discard(change.to)
        return taken_back

    @property
    def current_version(self) -> str:
        """The version that is current after the last event; empty before the first."""
        return self.events[-1].current if self.events else ""

    def _with_changed(self, version: str, change: Callable[[Entry], Entry]) -> Ledger:
        return replace(self, releases=tuple(change(e) if e.version == version else e for e in self.releases))

    def to_json(self) -> dict[str, Any]:
        """Return the content of releases.json."""
        value: dict[str, Any] = {"format": FORMAT}
        if self.pack:
            value["about"] = asdict(self.pack)
        value["releases"] = [entry.to_json() for entry in self.releases]
        if self.publishing:
            value["publishing"] = self.publishing.to_json()
        if self.latest_changes:
            value["moves"] = [asdict(change) for change in self.latest_changes]
        if self.changing:
            value["moving"] = asdict(self.changing)
        if self.events:
            value["journal"] = [asdict(event) for event in self.events]
        return value

    @classmethod
    def from_json(cls, value: Any) -> Ledger:
        """Return the ledger of the content of releases.json. Raises ValueError, KeyError or TypeError if it is not a ledger."""
        releases = tuple(Entry.from_json(entry) for entry in value["releases"])
        changes = tuple(parse(LatestChange, change) for change in value.get("moves", []))
        return cls(
            releases=releases,
            publishing=Entry.from_json(value["publishing"]) if "publishing" in value else None,
            latest_changes=changes,
            changing=parse(LatestChange, value["moving"]) if "moving" in value else None,
            events=tuple(parse(LedgerEvent, e) for e in value["journal"]) if "journal" in value else events_of(releases, changes),
            pack=parse(PackInfo, value["about"]) if "about" in value else None,
        )


def events_of(releases: Sequence[Entry], changes: Sequence[LatestChange]) -> tuple[LedgerEvent, ...]:
    """Return the events of a ledger that an earlier version wrote without events, in order of time."""
    events = [LedgerEvent(PUBLISHED, e.version, e.released, current=e.version) for e in releases]
    withdrawals = {change.left for change in changes if change.kind == WITHDRAWAL}
    for change in changes:
        withdrawn = LedgerEvent(WITHDRAWN, change.left, change.at, change.left, change.to, change.reason)
        events.append(withdrawn if change.kind == WITHDRAWAL else _rollback_event(change))
    for e in releases:
        if e.version not in withdrawals and (at := e.annotation(WITHDRAWN, "at")):
            events.append(LedgerEvent(WITHDRAWN, e.version, at, reason=e.annotation(WITHDRAWN, "reason")))
    ordered: list[LedgerEvent] = []
    for event in sorted(events, key=lambda e: e.at):  # the sort is stable: at the same time, publications come first
        before = ordered[-1].current if ordered else ""
        ordered.append(replace(event, before=before, current=event.current or before))
    return tuple(ordered)


def _rollback_event(change: LatestChange) -> LedgerEvent:
    return LedgerEvent(ROLLBACK, change.to, change.at, change.left, change.to, change.reason)


# ---------------------------------------------------------------------------------------------------------------- files


def read_ledger(public: Path) -> Ledger:
    """Return the ledger in releases.json; an empty one if there is no such file. Raises ReleaseError."""
    path = public / LEDGER
    try:
        value = json.loads(path.read_bytes())
        if value["format"] != FORMAT:
            raise ReleaseError(f"{path} has format {value['format']}, but this version of the software reads format {FORMAT}")
        return Ledger.from_json(value)
    except FileNotFoundError:
        return Ledger()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _unreadable(path, error) from error


def read_latest(public: Path) -> Latest | None:
    """Return the content of latest.json; None if nothing was ever published. Raises ReleaseError."""
    path = public / LATEST
    try:
        return parse(Latest, json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> ReleaseError:
    cause = "; ".join(" ".join(line.split()) for line in str(error).splitlines()[:3])
    files = " ".join(f"./{path.parent.name}/{name}" for name in (LEDGER, LATEST))
    return ReleaseError(
        f"{path} cannot be read ({cause}); restore it from a backup, with what belongs to it: "
        f"tar -C {path.parent.parent} -xf backup/state.tar {files}"
    )


def latest_version(public: Path) -> str | None:
    """Return the version in latest.json; None if nothing was ever published. Raises ReleaseError."""
    latest = read_latest(public)
    return latest.version if latest else None


def history(public: Path) -> list[Entry]:
    """Return all releases in order of publication. Raises ReleaseError."""
    return list(read_ledger(public).releases)


def current(public: Path) -> Entry | None:
    """Return the release that latest.json names; None if nothing was ever published. Raises ReleaseError."""
    ledger, version = read_ledger(public), latest_version(public)
    if ledger.publishing and ledger.publishing.version == version:
        return ledger.publishing  # current, but the process ended before the ledger counted it
    return ledger.find(version)


def superseded(public: Path, version: str) -> Superseded | None:
    """Return how an operator took back the content of `version`; None if it may be current. Raises ReleaseError."""
    ledger = read_ledger(public)
    entry = ledger.find(version)
    return ledger.superseded(entry.content, latest_version(public)) if entry else None
