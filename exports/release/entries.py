"""What the ledger knows: releases, moves of `latest`, and the journal of what happened to them. Values only; reads and writes no file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

RELEASES = "releases"
WITHDRAWN, PINNED, PRUNED = "withdrawn", "pinned", "pruned"
ROLLBACK, WITHDRAWAL = "rollback", "withdrawal"
PUBLISHED = "published"
_OPTIONAL = ("changes",)


@dataclass(frozen=True)
class Entry:
    """A release of the ledger. `content` is a digest of its tables and descriptors, version and time apart;
    `inputs_key` stands for the inputs that last gave this content; `changes` counts what it has changed against the release before, None
    where that was not kept; `more` keeps what was noted since, by an operator or by others."""

    version: str
    released: str
    inputs_key: str
    content: str
    rows: Mapping[str, int]
    changes: Mapping[str, Any] | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Entry:
        own = {f.name for f in fields(cls)} - {"more"}
        known = {k: value[k] for k in own if k in value or k not in _OPTIONAL}
        return cls(**known, more={k: v for k, v in value.items() if k not in own and k != "path"})

    def as_dict(self) -> dict[str, Any]:
        value = asdict(self)
        more = value.pop("more")
        return {**more, "path": self.path, **{k: v for k, v in value.items() if v is not None}}

    @property
    def path(self) -> str:
        """Its folder below `public`, as `latest.json` names it."""
        return f"{RELEASES}/{self.version}/"

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

    def note(self, name: str, key: str) -> str:
        """Return what a note says under `key` (`at`, `reason`); empty where there is none, or somebody wrote it by hand."""
        note = self.more.get(name)
        return str(note.get(key, "")) if isinstance(note, Mapping) else ""

    def told(self, name: str) -> str:
        """Return when and why `name` was noted, to be put behind a verb; empty where somebody noted it by hand."""
        at, reason = self.note(name, "at"), self.note(name, "reason")
        return f" at {at}" + (f" ({reason})" if reason else "") if at else ""


@dataclass(frozen=True)
class Move:
    """`latest` taken from one release to another that was there before; `kind`: rollback or withdrawal."""

    kind: str
    left: str
    to: str
    at: str
    reason: str


@dataclass(frozen=True)
class Happening:
    """What readers of the releases have to hear of, in the order in which it happened. `kind`: published, withdrawn or rollback.

    `version` is the release that it is about: of a rollback, the one that is current since. `before` and `current` are the current release
    before and after it, empty where there was none.
    """

    kind: str
    version: str
    at: str
    before: str = ""
    current: str = ""
    reason: str = ""

    def name(self, number: int) -> str:
        """Return what tells it from all others of its ledger; `number` is its place in the journal."""
        return {PUBLISHED: self.version, WITHDRAWN: f"{self.version}-withdrawn"}.get(self.kind, f"{self.version}-{self.kind}-{number}")


@dataclass(frozen=True)
class About:
    """Whose releases these are, for whoever has no more than the ledger. `title` is by language, the first of `languages` being the pack's
    own; `publisher` has `name` and `iri`; `feed` is the name of the change feed, which stays what it was when the feed first appeared."""

    pack: str
    title: Mapping[str, str]
    languages: Sequence[str]
    base_uri: str
    publisher: Mapping[str, str]
    feed: str


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
    not yet counted. The journal has both in one order, and the withdrawals of releases that were not current."""

    releases: tuple[Entry, ...] = ()
    publishing: Entry | None = None
    moves: tuple[Move, ...] = ()
    moving: Move | None = None
    journal: tuple[Happening, ...] = ()
    about: About | None = None

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
        happened = Happening(PUBLISHED, entry.version, entry.released, self._current(), entry.version)
        return replace(self, releases=(*self.releases, entry), publishing=None, journal=(*self.journal, happened))

    def moved(self, move: Move) -> Ledger:
        """Return this ledger with one move more; what a withdrawal leaves is marked."""
        ledger = replace(self, moves=(*self.moves, move), moving=None)
        if move.kind == WITHDRAWAL:
            return ledger.withdrawn(move.left, move.at, move.reason, current=move.to)
        return replace(ledger, journal=(*ledger.journal, _rollback(move)))

    def withdrawn(self, version: str, at: str, reason: str, current: str) -> Ledger:
        """Return this ledger with `version` marked as withdrawn, `current` being the current release after that."""
        ledger = self.with_note(version, WITHDRAWN, at=at, reason=reason)
        return replace(ledger, journal=(*ledger.journal, Happening(WITHDRAWN, version, at, self._current(), current, reason)))

    def _current(self) -> str:
        return self.journal[-1].current if self.journal else ""

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


def _rollback(move: Move) -> Happening:
    return Happening(ROLLBACK, move.to, move.at, move.left, move.to, move.reason)


def journal_of(releases: Sequence[Entry], moves: Sequence[Move]) -> tuple[Happening, ...]:
    """Return the journal of a ledger that kept none, in the order of its times: it was written by an earlier version."""
    happened = [Happening(PUBLISHED, e.version, e.released, current=e.version) for e in releases]
    withdrawals = {m.left for m in moves if m.kind == WITHDRAWAL}
    for move in moves:
        was_withdrawn = Happening(WITHDRAWN, move.left, move.at, move.left, move.to, move.reason)
        happened.append(was_withdrawn if move.kind == WITHDRAWAL else _rollback(move))
    for e in releases:
        if e.version not in withdrawals and (at := e.note(WITHDRAWN, "at")):
            happened.append(Happening(WITHDRAWN, e.version, at, reason=e.note(WITHDRAWN, "reason")))
    found: list[Happening] = []
    for happening in sorted(happened, key=lambda h: h.at):  # at one time: publications before what took them back
        before = found[-1].current if found else ""
        found.append(replace(happening, before=before, current=happening.current or before))
    return tuple(found)
