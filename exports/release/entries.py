"""The records of a ledger: releases, changes of the latest release, events, and the pack that they belong to. Reads and writes no file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache
from typing import Any, TypeVar

RELEASES = "releases"
WITHDRAWN, PINNED, PRUNED = "withdrawn", "pinned", "pruned"
"""Annotations of a release."""
ROLLBACK, WITHDRAWAL = "rollback", "withdrawal"
"""Kinds of changes of the latest release."""
PUBLISHED = "published"

Record = TypeVar("Record")


def parse(record: type[Record], value: object) -> Record:
    """Return the dataclass `record` for a value from a JSON file. Raises ValueError if a member is missing or has the wrong type."""
    key: Any = record  # mypy does not know that classes are hashable
    validated: Record = _adapter(key).validate_python(value)
    return validated


@cache
def _adapter(record: Any) -> Any:
    from pydantic import TypeAdapter  # imported here: most commands never read a ledger

    return TypeAdapter(record)


@dataclass(frozen=True)
class Latest:
    """The content of latest.json: the current release."""

    version: str
    released: str
    path: str


@dataclass(frozen=True)
class TableCounts:
    """How many rows and cells of a table changed; `changed_cells` is by kind."""

    added: int
    removed: int
    changed_cells: Mapping[str, int]


@dataclass(frozen=True)
class ChangeCounts:
    """How much a release changed compared with the release `against`, which is None for a first release. Unchanged tables are left out."""

    against: str | None
    comparable: bool = True
    tables: Mapping[str, TableCounts] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        if self.against is None:
            return {"against": None}
        if not self.comparable:
            return {"against": self.against, "comparable": False}
        return {"against": self.against, "tables": {name: asdict(counts) for name, counts in self.tables.items()}}


@dataclass(frozen=True)
class Entry:
    """A release in the ledger.

    `content` is a digest of its tables and descriptors without version and time. `inputs_key` stands for the inputs that last produced
    this content. `changes` is None if an earlier version of the software did not record it. `annotations` holds what operators or other
    programs added later.
    """

    version: str
    released: str
    inputs_key: str
    content: str
    rows: Mapping[str, int]
    changes: ChangeCounts | None = None
    data_sets: Mapping[str, str] = field(default_factory=dict)
    page: str = ""
    schema_version: str = ""
    annotations: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, value: object) -> Entry:
        """Return the entry of a JSON object; members that are not its own are annotations. Raises ValueError."""
        if not isinstance(value, Mapping):
            raise ValueError("a release is not an object")
        own = {f.name for f in fields(cls)} - {"annotations"}
        annotations = {name: member for name, member in value.items() if name not in own and name != "path"}
        return parse(cls, {**{name: value[name] for name in own & set(value)}, "annotations": annotations})

    def to_json(self) -> dict[str, Any]:
        members = {name: getattr(self, name) for name in ("version", "released", "inputs_key", "content", "rows")}
        changes = {"changes": self.changes.to_json()} if self.changes else {}
        later = {name: value for name in ("data_sets", "page", "schema_version") if (value := getattr(self, name))}
        return {**self.annotations, "path": self.path, **members, **changes, **later}

    @property
    def path(self) -> str:
        """The folder of the release below `public`, as in latest.json."""
        return f"{RELEASES}/{self.version}/"

    @property
    def is_withdrawn(self) -> bool:
        return bool(self.annotations.get(WITHDRAWN))

    @property
    def is_pinned(self) -> bool:
        return bool(self.annotations.get(PINNED))

    @property
    def is_pruned(self) -> bool:
        """Whether its files were removed. Its version is never reused."""
        return bool(self.annotations.get(PRUNED))

    def annotate(self, name: str, **annotation: str) -> Entry:
        return replace(self, annotations={**self.annotations, name: annotation})

    def annotation(self, name: str, member: str) -> str:
        """Return `at` or `reason` of an annotation. Empty if there is none, or if somebody wrote it by hand in another form."""
        annotation = self.annotations.get(name)
        return str(annotation.get(member, "")) if isinstance(annotation, Mapping) else ""

    def when_and_why(self, name: str) -> str:
        """Return the time and the reason of an annotation as the end of a sentence. Empty if somebody wrote the annotation by hand."""
        at, reason = self.annotation(name, "at"), self.annotation(name, "reason")
        return f" at {at}" + (f" ({reason})" if reason else "") if at else ""


@dataclass(frozen=True)
class LatestChange:
    """A change of the latest release from `left` to the earlier release `to`. `kind` is rollback or withdrawal."""

    kind: str
    left: str
    to: str
    at: str
    reason: str


@dataclass(frozen=True)
class LedgerEvent:
    """Something that readers of the releases need to know. `kind` is published, withdrawn or rollback.

    `version` is the release concerned; for a rollback, the release that became current. `before` and `current` are the current release
    before and after the event. They are empty if there was none.
    """

    kind: str
    version: str
    at: str
    before: str = ""
    current: str = ""
    reason: str = ""

    def event_id(self, number: int) -> str:
        """Return an identifier that is unique in the ledger; `number` is the position of the event, counted from 1."""
        return {PUBLISHED: self.version, WITHDRAWN: f"{self.version}-withdrawn"}.get(self.kind, f"{self.version}-{self.kind}-{number}")


@dataclass(frozen=True)
class PackInfo:
    """The pack that the releases belong to, for readers who have only the ledger.

    `title` is by language; the first of `languages` is the pack's main language. `publisher` has `name` and `iri`. `feed` is the
    identifier of the change feed, which never changes.
    """

    pack: str
    title: Mapping[str, str]
    languages: Sequence[str]
    base_uri: str
    publisher: Mapping[str, str]
    feed: str


@dataclass(frozen=True)
class Superseded:
    """A release whose content an operator took back, and how."""

    entry: Entry
    how: str

    def __str__(self) -> str:
        return f"the tables are the same as in {self.entry.version}, {self.how}"
