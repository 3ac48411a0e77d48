"""A release opened for questions: its Parquet files as tables of a DuckDB connection that can read nothing else, and what is read once.

The connection sees only the folder `parquet` of the release, and its settings are locked. Every statement is made here or in the modules of
this package; texts of a question enter it as quoted literals.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import duckdb

from exports.model.connection import Limits
from exports.model.errors import ReleaseError
from exports.query import texts
from exports.query.answers import About, IndicatorFacts, Origin, Place, PlaceName
from exports.query.errors import QueryError
from exports.query.folding import fold
from pipelines.core.sql import identifier, literal

NEEDED: Mapping[str, frozenset[str]] = {
    "areas": frozenset({"ref_area", "level", "name", "valid_to"}),
    "area_parents": frozenset({"ref_area", "parent", "valid_to"}),
    "area_codes": frozenset({"scheme", "code", "ref_area", "valid_to"}),
    "indicators": frozenset({"indicator", "unit", "direction", "decimals", "formula", "sources", "depends_on_size"}),
    "indicator_values": frozenset({
        "indicator", "ref_area", "time_period", "sex", "age", "level", "obs_value", "obs_status", "numerator", "denominator", "coverage",
        "sources", "lower_95", "upper_95", "lower_998", "upper_998", "status_note",
    }),
    "sources": frozenset({"source", "title", "publisher", "licence", "homepage", "stale_since"}),
}  # fmt: skip
"""The columns that a release must have, by table."""
DESCRIPTOR = "datapackage.json"
LARGEST_DESCRIPTOR = 64 << 20
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Indicator:
    """An indicator: its row of the table `indicators`, and by level the periods with rows (`published`) and with values (`periods`)."""

    row: Row
    published: Mapping[str, Sequence[str]] = field(default_factory=dict)
    periods: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return str(self.row["indicator"])

    @property
    def decimals(self) -> int | None:
        decimals = self.row["decimals"]
        return None if decimals is None else int(decimals)

    @property
    def depends_on_size(self) -> bool:
        return bool(self.row["depends_on_size"] == "true")

    def said(self, name: str, language: str) -> str | None:
        """Return a text in a language, else the one without a language, else in any language; None without any."""
        for column in (f"{name}_{language}", f"{name}_en", name):
            if self.row.get(column):
                return str(self.row[column])
        return next((str(value) for column, value in self.row.items() if column.startswith(f"{name}_") and value), None)

    def title(self, language: str) -> str:
        return self.said("title", language) or self.id

    def facts(self, language: str) -> IndicatorFacts:
        """Return what the release says about the indicator."""
        periods = sorted({period for own in self.periods.values() for period in own})
        return IndicatorFacts(
            indicator=self.id, title=self.title(language), description=self.said("description", language) or "",
            unit=self.said("unit", language) or "", objective=self.row.get("objective"), measure=self.row.get("measure"),
            field=self.row.get("field"), direction=str(self.row["direction"]), target=self.row.get("target_value"),
            depends_on_size=self.depends_on_size, has_data=bool(periods), levels=list(self.published),
            first_period=periods[0] if periods else None, last_period=periods[-1] if periods else None,
            needed=self.said("needed", language), supplier=self.said("supplier", language),
        )  # fmt: skip


@dataclass(frozen=True)
class Area:
    """A place: its row of the table `areas`, the codes of the places directly above it, and its folded name."""

    code: str
    name: str
    level: str
    valid_to: str | None
    parents: tuple[str, ...] = ()
    folded: str = ""

    @property
    def short(self) -> PlaceName:
        return PlaceName(code=self.code, name=self.name, level=self.level)


class PublishedRelease:
    """A release of which questions are asked. Several threads can ask at once. Raises ReleaseError if the folder is not a release."""

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        self.descriptor = _descriptor(folder)
        self._connection = (limits or Limits()).connect()
        try:
            self.columns = _create_views(self._connection, folder / "parquet")
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def rows(self, sql: str) -> list[Row]:
        """Return the rows of a query. Raises ReleaseError if a file of the release cannot be read."""
        with self._connection.cursor() as cursor:
            try:
                cursor.execute(sql)
                names = [column[0] for column in cursor.description or ()]
                return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            except duckdb.Error as error:
                raise ReleaseError(f"release {self.version}: its tables cannot be read ({type(error).__name__})") from error

    def has(self, table: str) -> bool:
        return table in self.columns

    # ------------------------------------------------------------------------------------------------------------ facts

    @property
    def version(self) -> str:
        return str(self.descriptor.get("version", ""))

    @cached_property
    def languages(self) -> list[str]:
        """The languages of the release, that of the pack first."""
        return [name.removeprefix("title_") for name in self.columns["indicators"] if name.startswith("title_")] or ["en"]

    def language(self, wanted: str | None) -> str:
        """Return the language to answer in. Raises QueryError if the release does not have it."""
        if wanted is None:
            return self.languages[0]
        if wanted not in self.languages:
            raise QueryError(texts.text("language", wanted, wanted=texts.echo(wanted), languages=", ".join(self.languages)))
        return wanted

    @cached_property
    def about(self) -> About:
        licences = self.descriptor.get("licenses") or [{}]
        publishers = [c.get("title") for c in self.descriptor.get("contributors", []) if "publisher" in c.get("roles", ())]
        identity = self.descriptor.get("id")
        return About(
            title=self.descriptor.get("title", ""), version=self.version, released=self.descriptor.get("created", ""),
            address=identity.removesuffix(DESCRIPTOR) if identity else None, publisher=publishers[0] if publishers else None,
            licence=licences[0].get("name", "NOASSERTION"), licence_address=licences[0].get("path"),
        )  # fmt: skip

    @cached_property
    def origins(self) -> Mapping[str, Origin]:
        """The sources by identifier."""
        citations = {s.get("name"): s.get("citation") for s in self.descriptor.get("sources", [])}
        return {
            row["source"]: Origin(
                source=row["source"], title=row["title"] or "", publisher=row["publisher"] or "", licence=row["licence"] or "NOASSERTION",
                citation=citations.get(row["source"]), homepage=row["homepage"], rights=row.get("rights"), carrier=row.get("carrier"),
            )
            for row in self.rows("select * from sources order by source")
        }  # fmt: skip

    def attribution(self, joined: Iterator[str | None] | Sequence[str | None]) -> list[Origin]:
        """Return the sources that cells name, each once; a cell names them joined by semicolons."""
        names = {name for text in joined for name in (text or "").split(";")}
        return [self.origins[name] for name in sorted(names) if name in self.origins]

    @cached_property
    def status_notes(self) -> Mapping[str, Row]:
        return {row["note"]: row for row in self.rows("select * from status_notes")} if self.has("status_notes") else {}

    # ------------------------------------------------------------------------------------------------- places, indicators

    @cached_property
    def areas(self) -> Mapping[str, Area]:
        """The places by code. Those that exist have the parents of today, others their last ones."""
        parents: dict[str, dict[str, list[str]]] = {}
        for row in self.rows("select ref_area, parent, coalesce(valid_to, '') as valid_to from area_parents order by ref_area, parent"):
            parents.setdefault(row["ref_area"], {}).setdefault(row["valid_to"], []).append(row["parent"])
        rows = self.rows("select ref_area, level, name, valid_to from areas order by ref_area")
        published = {row["ref_area"] for row in rows}
        areas = {}
        for row in rows:
            links = parents.get(row["ref_area"], {})
            last = links.get("") or (links[max(links)] if links else [])
            above = tuple(parent for parent in dict.fromkeys(last) if parent in published)
            name = row["name"] or row["ref_area"]
            areas[row["ref_area"]] = Area(row["ref_area"], name, row["level"], row["valid_to"], above, fold(name))
        return areas

    @cached_property
    def levels(self) -> Mapping[str, int]:
        """The levels with their numbers of places that exist, the fewest places first."""
        counts: dict[str, int] = {}
        for area in self.areas.values():
            counts[area.level] = counts.get(area.level, 0) + (area.valid_to is None)
        return dict(sorted(counts.items(), key=lambda pair: (pair[1], pair[0])))

    def above(self, code: str) -> list[Area]:
        """Return the places that a place lies in, the smallest first."""
        areas_above: dict[str, Area] = {}
        step = list(self.areas[code].parents)
        while step:
            areas_above.update({parent: self.areas[parent] for parent in step if parent not in areas_above and parent != code})
            step = [up for parent in step for up in self.areas[parent].parents if up not in areas_above]
        size = list(self.levels)
        return sorted(areas_above.values(), key=lambda area: (-size.index(area.level), area.code))

    def place(self, code: str) -> Place:
        area = self.areas[code]
        above = [parent.short for parent in self.above(code)]
        return Place(code=area.code, name=area.name, level=area.level, within=above, valid_to=area.valid_to)

    @cached_property
    def children(self) -> Mapping[str, Sequence[str]]:
        """The codes of the places directly in a place that exist."""
        children: dict[str, list[str]] = {}
        for area in self.areas.values():
            for parent in area.parents if area.valid_to is None else ():
                children.setdefault(parent, []).append(area.code)
        return children

    def inside(self, code: str) -> set[str]:
        """Return the codes of all places that lie in a place."""
        codes: set[str] = set()
        step = list(self.children.get(code, ()))
        while step:
            codes.update(step)
            step = [child for parent in step for child in self.children.get(parent, ()) if child not in codes]
        return codes

    @cached_property
    def top(self) -> Area:
        """The place in which most others lie: the state, or the first of several."""
        roots = [area for area in self.areas.values() if not area.parents and area.valid_to is None] or list(self.areas.values())
        return max(roots, key=lambda area: (len(self.inside(area.code)), area.code))

    @cached_property
    def codes(self) -> Mapping[str, Sequence[str]]:
        """The places by codes in other schemes that are valid, with small letters."""
        codes: dict[str, list[str]] = {}
        for row in self.rows("select distinct lower(code) as code, ref_area from area_codes where valid_to is null order by all"):
            codes.setdefault(row["code"], []).append(row["ref_area"])
        return codes

    @cached_property
    def indicators(self) -> Mapping[str, Indicator]:
        """The indicators by identifier."""
        published: dict[str, dict[str, list[str]]] = {}
        periods: dict[str, dict[str, list[str]]] = {}
        sql = """
            select
                indicator, level, list(distinct time_period order by time_period) as published,
                list(distinct time_period order by time_period) filter (where obs_value is not null) as periods
            from indicator_values group by indicator, level
        """
        size = list(self.levels)
        for row in sorted(self.rows(sql), key=lambda row: size.index(row["level"]) if row["level"] in size else len(size)):
            published.setdefault(row["indicator"], {})[row["level"]] = row["published"]
            if row["periods"]:
                periods.setdefault(row["indicator"], {})[row["level"]] = row["periods"]
        rows = self.rows("select * from indicators order by indicator")
        return {r["indicator"]: Indicator(r, published.get(r["indicator"], {}), periods.get(r["indicator"], {})) for r in rows}


def _descriptor(folder: Path) -> dict[str, Any]:
    path = folder / DESCRIPTOR
    try:
        if path.stat().st_size > LARGEST_DESCRIPTOR:
            raise ReleaseError(f"{path}: larger than {LARGEST_DESCRIPTOR >> 20} MB; not the file of a release")
        value = json.loads(path.read_bytes())
    except OSError as error:
        raise ReleaseError(f"{path}: {error.strerror}; name the folder of a release, such as data/demo/public/releases/2026.11.1") from None
    except (ValueError, RecursionError):
        raise ReleaseError(f"{path}: not JSON; check the release with zpo2 verify") from None
    if not isinstance(value, dict) or not isinstance(value.get("version"), str):
        raise ReleaseError(f"{path}: not the description of a release; check it with zpo2 verify")
    return value


def _create_views(connection: duckdb.DuckDBPyConnection, parquet: Path) -> dict[str, list[str]]:
    """Create a view for each Parquet file, then keep the connection from reading anything else. Returns the columns by table."""
    columns: dict[str, list[str]] = {}
    for path in sorted(parquet.glob("*.parquet")):
        try:
            connection.execute(f"create view {identifier(path.stem)} as select * from read_parquet({literal(path)})")
            columns[path.stem] = [row[0] for row in connection.execute(f"describe {identifier(path.stem)}").fetchall()]
        except duckdb.Error as error:
            raise ReleaseError(f"{path}: cannot be read ({type(error).__name__}); check the release with zpo2 verify") from None
    for table, needed in NEEDED.items():
        if lacking := sorted(needed - set(columns.get(table, ()))):
            raise ReleaseError(
                f"{parquet / table}.parquet: {', '.join(lacking)} not there; an earlier version of the software made this release"
            )
    connection.execute(f"set allowed_directories = [{literal(parquet)}]")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return columns
