"""What a release says of itself: its pack, its version, its tables and files. Holds facts for descriptors; writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from exports.model.change_summary import Summary
from exports.model.provenance import Provenance
from exports.model.tables import Table
from pipelines.core.clock import timestamp

Text = str | Mapping[str, str]
"""A text, or the same text by language."""


@dataclass(frozen=True)
class ReleaseInfo:
    """The pack as a release shows it. `released` is an aware time; `inputs_key` stands for everything the release is made from, and
    `provenance` says of it what a later release compares."""

    pack: str
    title: Mapping[str, str]
    publisher: Mapping[str, Any]
    licence: str
    base_uri: str
    country: str
    languages: Sequence[str]
    sources: Sequence[Mapping[str, Any]]
    released: datetime
    inputs_key: str
    provenance: Provenance = field(default_factory=Provenance)
    catalogues: Sequence[str] = ()
    """National catalogues to write files for."""
    high_value: bool = False
    """Whether the catalogues call the tables high-value datasets."""
    code: str = ""
    """Digest of the code that made the release."""
    software: str = ""
    """Name and version of the software."""

    def __post_init__(self) -> None:
        if self.released.tzinfo is None:
            raise ValueError("`released` needs a time zone")

    @property
    def timestamp(self) -> str:
        """`released` in UTC, to the second, as the files write it."""
        return timestamp(self.released.astimezone(UTC))

    def about(self) -> dict[str, str]:
        """Return what a data file says of itself wherever it is taken.

        It has neither the release's version nor its time nor the digest of the code, so that equal tables are equal files.
        """
        publisher = {"publisher": self.text(self.publisher["name"])} if self.publisher.get("name") else {}
        sources = "; ".join(f"{s['id']}: {self.text(s['publisher'])}, {self.text(s['title'])} ({s['licence']})" for s in self.sources)
        software = {"software": self.software} if self.software else {}
        return {"title": self.text(self.title), "licence": self.licence, **publisher, "sources": sources, **software}

    def text(self, value: Text | None) -> str:
        """Return `value` in the pack's first language that it has, on one line."""
        if value is None:
            return ""
        if isinstance(value, Mapping):
            value = next((value[lang] for lang in self.languages if lang in value), next(iter(value.values()), ""))
        return " ".join(value.split())


@dataclass(frozen=True)
class FileFacts:
    """Size and checksum of a file of the release."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class ForeignKey:
    """Every value of `column` in `table`, where there is one, is a value of `to_column` in `to_table`."""

    table: str
    column: str
    to_table: str
    to_column: str


@dataclass(frozen=True)
class Previous:
    """The release that was current before: its version, and the rows of each of its tables."""

    version: str
    rows: Mapping[str, int]


@dataclass(frozen=True)
class Snapshot:
    """The bytes of a source, or of a part of it, that went into a release."""

    source: str
    part: str
    url: str
    sha256: str
    bytes: int
    fetched_at: str


Box = tuple[float, float, float, float]
"""West, south, east, north in degrees."""


@dataclass(frozen=True)
class Facts:
    """What the tables say of the release as a whole; each is empty where they do not.

    `periods`: first and last day by table; `boxes`: west, south, east, north of the areas' points by country, None where no point is
    known, '' being the country of the pack; `statused`: by table with a column
    obs_status, its rows and those with a value; `expected`, `available`: values of indicators; `read`, `accepted`, `quarantined`,
    `ignored`: rows of sources; `sources`, `stale`: numbers of sources; `inputs`, `imputed`: inputs of indices.
    """

    snapshots: Sequence[Snapshot] = ()
    periods: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    boxes: Mapping[str, Box | None] = field(default_factory=dict)
    statused: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    expected: int = 0
    available: int = 0
    read: int = 0
    accepted: int = 0
    quarantined: int = 0
    ignored: int = 0
    sources: int = 0
    stale: int = 0
    inputs: int = 0
    imputed: int = 0

    @property
    def box(self) -> Box | None:
        """The box of all areas."""
        known = [box for box in self.boxes.values() if box]
        sides = list(zip(*known, strict=True))
        return (min(sides[0]), min(sides[1]), max(sides[2]), max(sides[3])) if known else None

    @property
    def period(self) -> tuple[str, str] | None:
        """The first and last day of all tables."""
        days = list(self.periods.values())
        return (min(first for first, _ in days), max(last for _, last in days)) if days else None


@dataclass(frozen=True)
class Context:
    """All that a descriptor may know. `files` are the data files by path inside the release, without `indicators.duckdb`.

    `changes` says what is different from the release before; what is compared to know whether anything is new has neither it nor its table.
    `schema_version` is that of the tables' shape (`exports.model.schema_version`).
    """

    info: ReleaseInfo
    version: str
    tables: Sequence[Table]
    rows: Mapping[str, int]
    guarded: Mapping[str, int]
    foreign_keys: Sequence[ForeignKey]
    files: Mapping[str, FileFacts]
    quality_report: Mapping[str, Any]
    previous: Previous | None = field(default=None)
    changes: Summary | None = field(default=None)
    facts: Facts = field(default_factory=Facts)
    schema_version: str = ""

    def timeless(self) -> Context:
        """Return this context as it would be in any other version at any other time."""
        info = replace(self.info, released=datetime(1970, 1, 1, tzinfo=UTC), inputs_key="")
        return replace(self, info=info, version="0000.00.0", previous=None)
