"""What the descriptors of a release are made from: the pack, the version, tables, files and facts. Writes nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from exports.model.change_summary import Summary
from exports.model.licences import combined
from exports.model.provenance import Provenance
from exports.model.site_choices import SiteChoices
from exports.model.tables import Table
from exports.model.topics import Topic, data_sets
from pipelines.core.clock import timestamp
from pipelines.core.vocabulary import DEFAULT_FORMATS

Text = str | Mapping[str, str]
"""A text, or the same text by language."""


@dataclass(frozen=True)
class BoundaryFile:
    """A Parquet file with the polygons of areas (`ref_area`, `level`, `date`, `sources`, `joined`, `areas_missing`, `geometry` as WKB)."""

    path: Path
    sha256: str
    sources: Sequence[str] = ()
    """The sources that polygons may come from."""


@dataclass(frozen=True)
class ReleaseInfo:
    """The pack as a release shows it.

    `released` is a time with a time zone. `inputs_key` stands for everything the release is made from, and `provenance` has the parts of
    it that a later release compares.
    """

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
    """The national catalogues to write files for."""
    high_value: bool = False
    """Whether the catalogues declare the tables as high-value datasets."""
    formats: Sequence[str] = DEFAULT_FORMATS
    """What the release contains (`pipelines.core.vocabulary.FORMATS`)."""
    code: str = ""
    """Versions of the stages that made the release (`pipelines.core.versions`)."""
    software: str = ""
    """Name and version of the software."""
    levels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Titles by language, by level, in the order of the pack."""
    objectives: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Titles by language, by objective."""
    topics: Sequence[Topic] = ()
    """The data sets that the pack declares. `Context.data_sets` has those of the release."""
    sources_of: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The ids of the sources of each indicator; '' has those of the areas. All sources stand for those of an indicator that is not here."""

    measures: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Names of measures by language, by measure."""
    peers_by: Sequence[str] = ()
    """The measures and indicators by which similar areas are chosen."""
    site: SiteChoices = field(default_factory=SiteChoices)
    """What the pack chooses about the web site."""

    boundaries: BoundaryFile | None = None
    """The polygons of the areas, if the pack has any."""

    def __post_init__(self) -> None:
        if self.released.tzinfo is None:
            raise ValueError("`released` needs a time zone")

    @property
    def timestamp(self) -> str:
        """`released` in UTC, to the second, as the files show it."""
        return timestamp(self.released.astimezone(UTC))

    @property
    def licence_of_all(self) -> str:
        """The licence of what is made from all sources, such as the release as a whole: a share-alike source decides it."""
        return self.licence_from(None)

    def licence_from(self, sources: Collection[str] | None) -> str:
        """Return the licence, as an SPDX identifier, of what is made from `sources`, or from all of them if they are None."""
        used = (source for source in self.sources if sources is None or source["id"] in sources)
        return combined(self.licence, (str(source["licence"]) for source in used))

    def about(self, made_from: Collection[str] | None = None) -> dict[str, str]:
        """Return the metadata inside a data file, which stay with it when it is copied. `made_from` are its sources, by default all.

        They contain neither the version nor the time of the release nor the versions of the stages, so that equal tables are equal files.
        """
        publisher = {"publisher": self.text(self.publisher["name"])} if self.publisher.get("name") else {}
        used = [source for source in self.sources if made_from is None or source["id"] in made_from]
        sources = "; ".join(f"{s['id']}: {self.text(s['publisher'])}, {self.text(s['title'])} ({s['licence']})" for s in used)
        software = {"software": self.software} if self.software else {}
        return {"title": self.text(self.title), "licence": self.licence_from(made_from), **publisher, "sources": sources, **software}

    def text(self, value: Text | None, language: str | None = None) -> str:
        """Return `value` on one line, in `language` or else in the first of the pack's languages that it has."""
        if value is None:
            return ""
        if isinstance(value, Mapping):
            languages = [language, *self.languages] if language else self.languages
            value = next((value[lang] for lang in languages if lang in value), next(iter(value.values()), ""))
        return " ".join(value.split())


@dataclass(frozen=True)
class FileFacts:
    """Size and checksum of a file of the release."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class ForeignKey:
    """Every value of `column` in `table` that is not null is a value of `to_column` in `to_table`."""

    table: str
    column: str
    to_table: str
    to_column: str


@dataclass(frozen=True)
class Previous:
    """The previous release: its version, and the number of rows of each table."""

    version: str
    rows: Mapping[str, int]


@dataclass(frozen=True)
class Snapshot:
    """The bytes of a source, or of one part of it, that the release is made from."""

    source: str
    part: str
    url: str
    sha256: str
    bytes: int
    fetched_at: str


Box = tuple[float, float, float, float]
"""West, south, east, north in degrees."""


@dataclass(frozen=True)
class IndexFacts:
    """An index: title and note by language, the level of its areas, and whether readers see its ranks or only fifths."""

    id: str
    titles: Mapping[str, str]
    level: str
    rankable: bool
    notes: Mapping[str, str]


@dataclass(frozen=True)
class Extent:
    """What the values of an indicator cover. All of it is about the rows with a value, except for `rows`, which counts all.

    `period`: first and last day. `newest`: the newest period. `levels`: ids of levels. `countries`: codes, '' for the country of the pack.
    """

    rows: int
    valued: int
    period: tuple[str, str] | None
    newest: str
    levels: tuple[str, ...]
    countries: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """Facts about the release as a whole. A fact that no table has is empty.

    `periods`: first and last day by table. `boxes`: bounding box of the areas by country, None if no area has a point; the country '' is
    that of the pack. `statused`: for each table with a column obs_status, its rows and its rows with a value. `expected`, `available`:
    values of indicators. `read`, `accepted`, `quarantined`, `ignored`: rows of sources. `sources`, `stale`: numbers of sources.
    `inputs`, `imputed`: inputs of indices. `indices`: how each index is shown to readers. `indicators`, `units`: the titles and the unit of each
    indicator by language. `extents`: what the values of each indicator cover, without indicators that have none. `indicators_in`: the
    indicators in each table that is divided by them. `areas`: the number of areas of today by level.
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
    indices: Sequence[IndexFacts] = ()
    indicators: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    units: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    extents: Mapping[str, Extent] = field(default_factory=dict)
    indicators_in: Mapping[str, Sequence[str]] = field(default_factory=dict)
    areas: Mapping[str, int] = field(default_factory=dict)

    @property
    def box(self) -> Box | None:
        """The bounding box of all areas."""
        boxes = [box for box in self.boxes.values() if box]
        sides = list(zip(*boxes, strict=True))
        return (min(sides[0]), min(sides[1]), max(sides[2]), max(sides[3])) if boxes else None

    @property
    def period(self) -> tuple[str, str] | None:
        """The first and last day of all tables."""
        days = list(self.periods.values())
        return (min(first for first, _ in days), max(last for _, last in days)) if days else None


@dataclass(frozen=True)
class DataSetState:
    """A digest of the content of a data set, the time of the first release that has it, and of the last one that changed its content."""

    digest: str
    issued: str
    modified: str


@dataclass(frozen=True)
class Context:
    """Everything that a descriptor is made from. `files` are the data files by path in the release, without `indicators.duckdb`.

    `whole_csv` is what the tables would take as one CSV file each: less than their files, because all parts of a table repeat its header.
    `document_bytes` are the sizes of the descriptors by path and `duckdb_bytes` that of the DuckDB file; only the quality report states them.
    `changes` is the comparison with the previous release. It is not there yet when a build checks whether it has anything new to publish.
    `states` has the data sets by id; it is empty until all files are written.
    `schema_version` is the version of the tables' shape (`exports.model.schema_version`).
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
    whole_csv: int = 0
    document_bytes: Mapping[str, int] = field(default_factory=dict)
    states: Mapping[str, DataSetState] = field(default_factory=dict)
    duckdb_bytes: int = 0

    @property
    def data_sets(self) -> tuple[Topic, ...]:
        """The data sets by topic that the release has."""
        return data_sets(self.info.topics, self.facts.extents.keys(), self.rows)

    def timeless(self) -> Context:
        """Return this context without version and time, for a comparison of content."""
        info = replace(self.info, released=datetime(1970, 1, 1, tzinfo=UTC), inputs_key="")
        return replace(self, info=info, version="0000.00.0", previous=None, states={})
