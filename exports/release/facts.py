"""Facts about a release as a whole, computed from its tables: periods, extent, snapshots and counts. Only reads the Parquet files."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from exports.model.connection import Limits
from exports.model.info import Box, Extent, Facts, IndexFacts, Snapshot
from exports.model.layout import PART, is_divided
from exports.model.tables import Table
from pipelines.core.sql import identifier, literal
from pipelines.core.vocabulary import STATUSES

PERIODS = ("time_period", "base_period", "first_period", "last_period")
_PERIOD = re.compile(r"(\d{4})(?:-(?:Q([1-4])|S([12])|W(\d{2})|(\d{2})(?:-(\d{2}))?))?")
_SOURCE_COUNTS = "sum(rows_read), sum(rows_accepted), sum(rows_quarantined), sum(rows_ignored), count(*), count(stale_since)"


def gather(tables: Sequence[Table], parquet: Path, limits: Limits) -> Facts:
    """Return the facts of the tables whose files are in `parquet`. Facts that no table has stay empty."""
    with limits.connect() as connection:
        files = _Tables(connection, {table.name: table for table in tables}, parquet)
        read, accepted, quarantined, ignored, sources, stale = files.numbers("sources", _SOURCE_COUNTS, 6)
        expected, available = files.numbers("coverage", "sum(expected), sum(available)", 2)
        inputs, imputed = files.numbers("index_components", "count(*), count(*) filter (where imputed = 'true')", 2)
        return Facts(
            snapshots=tuple(Snapshot(*row) for row in files.rows("snapshots", "source, part, url, sha256, bytes, fetched_at")),
            periods={name: days for name in files.tables if (days := files.span(name))},
            boxes=files.boxes(),
            statused={name: counts for name in files.tables if (counts := files.statused(name))},
            expected=expected,
            available=available,
            read=read,
            accepted=accepted,
            quarantined=quarantined,
            ignored=ignored,
            sources=sources,
            stale=stale,
            inputs=inputs,
            imputed=imputed,
            indices=files.indices(),
            indicators=files.texts_of_indicators("title_"),
            units=files.texts_of_indicators("unit_"),
            extents=files.extents(),
            indicators_in={table.name: files.indicators_in(table.name) for table in tables if is_divided(table)},
            areas=files.areas(),
        )


def days(period: str) -> tuple[str, str] | None:
    """Return the first and last day of a year, half-year, quarter, month, week or day; None for any other text."""
    match = _PERIOD.fullmatch(period)
    if not match:
        return None
    year, quarter, half, week, month, day = (int(part) if part else 0 for part in match.groups())
    try:
        if week:
            first = date.fromisocalendar(year, week, 1)
            return first.isoformat(), (first + timedelta(days=6)).isoformat()
        if day:
            return date(year, month, day).isoformat(), date(year, month, day).isoformat()
        length = 3 if quarter else 6 if half else 1 if match[5] else 12
        start = 3 * quarter - 2 if quarter else 6 * half - 5 if half else month if match[5] else 1
        last = start + length - 1
        return date(year, start, 1).isoformat(), date(year, last, monthrange(year, last)[1]).isoformat()
    except (ValueError, OverflowError):
        return None


def span(periods: Iterable[str]) -> tuple[str, str] | None:
    """Return the first day of the earliest and the last day of the latest of `periods`."""
    spans = [first_and_last for period in periods if (first_and_last := days(period))]
    return (min(first for first, _ in spans), max(last for _, last in spans)) if spans else None


def _by_language(row: Mapping[str, Any], prefix: str) -> dict[str, str]:
    return {name.removeprefix(prefix).replace("_", "-"): text for name, text in row.items() if name.startswith(prefix) and text}


class _Tables:
    """Queries on the Parquet files. A query on a missing table or column returns nothing."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Table], parquet: Path) -> None:
        self.connection = connection
        self.tables = tables
        self.parquet = parquet

    def rows(self, table: str, selected: str, rest: str = "") -> list[tuple[Any, ...]]:
        if table not in self.tables:
            return []
        path = literal(self.parquet / f"{table}.parquet")
        return self.connection.execute(f"select {selected} from read_parquet({path}) {rest}").fetchall()

    def numbers(self, table: str, selected: str, count: int) -> list[int]:
        rows = self.rows(table, selected)
        return [int(value or 0) for value in rows[0]] if rows else [0] * count

    def has(self, table: str, *columns: str) -> bool:
        return table in self.tables and {column.name for column in self.tables[table].columns} >= set(columns)

    def span(self, table: str) -> tuple[str, str] | None:
        texts: set[str] = set()
        for column in (column for column in PERIODS if self.has(table, column)):
            texts |= {value for (value,) in self.rows(table, f"distinct {identifier(column)}") if value}
        return span(texts)

    def areas(self) -> dict[str, int]:
        """Return the number of areas of today at each level."""
        today = "where valid_to is null" if self.has("areas", "valid_to") else ""
        rows = self.rows("areas", "level, count(*)", f"{today} group by 1 order by 1") if self.has("areas", "level") else []
        return {level: int(count) for level, count in rows}

    def boxes(self) -> dict[str, Box | None]:
        """Return the bounding box of the areas of each country."""
        country = "coalesce(country, '')" if self.has("areas", "country") else "''"
        if not self.has("areas", "lon", "lat"):
            return {country: None for (country,) in self.rows("areas", f"distinct {country}", "order by 1")}
        has_point = "filter (where lon is not null and lat is not null)"
        sides = ", ".join(f"{side} {has_point}" for side in ("min(lon)", "min(lat)", "max(lon)", "max(lat)"))
        rows = self.rows("areas", f"{country}, {sides}", "group by 1 order by 1")
        return {country: None if west is None else (west, south, east, north) for country, west, south, east, north in rows}

    def indices(self) -> tuple[IndexFacts, ...]:
        if not self.has("indices", "index", "level", "rankable"):
            return ()
        names = [column.name for column in self.tables["indices"].columns]
        rows = [dict(zip(names, row, strict=True)) for row in self.rows("indices", ", ".join(map(identifier, names)), "order by index")]
        return tuple(
            IndexFacts(row["index"], _by_language(row, "title_"), row["level"], row["rankable"] == "true", _by_language(row, "note_"))
            for row in rows
        )

    def texts_of_indicators(self, prefix: str) -> dict[str, dict[str, str]]:
        """Return a text of each indicator by language: that in the columns whose names are `prefix` and a language."""
        if not self.has("indicators", "indicator"):
            return {}
        names = [name for column in self.tables["indicators"].columns if (name := column.name).startswith(prefix)]
        rows = self.rows("indicators", ", ".join(map(identifier, ["indicator", *names])), "order by indicator")
        return {row[0]: _by_language(dict(zip(names, row[1:], strict=True)), prefix) for row in rows}

    def extents(self) -> dict[str, Extent]:
        """Return what the values of each indicator cover, in the order of their names."""
        if not self.has("indicator_values", "indicator", "ref_area", "time_period", "obs_value"):
            return {}
        level = "v.level" if self.has("indicator_values", "level") else "''"
        country, joined = "''", ""
        if self.has("areas", "ref_area", "country"):
            country = "coalesce(a.country, '')"
            joined = f"left join read_parquet({literal(self.parquet / 'areas.parquet')}) a on a.ref_area = v.ref_area"
        cells: dict[str, list[tuple[Any, ...]]] = {}
        selected = f"v.indicator, v.time_period, {level}, {country}, count(*), count(v.obs_value)"
        for name, *cell in self.rows("indicator_values", selected, f"v {joined} group by 1, 2, 3, 4 order by 1, 2, 3, 4"):
            cells.setdefault(name, []).append(tuple(cell))
        extents = {}
        for name, counted in cells.items():
            valued = [cell for cell in counted if cell[4]]
            if not valued:
                continue
            periods = [(days(cell[0]) or ("", ""))[1] + cell[0] for cell in valued]
            extents[name] = Extent(
                rows=sum(cell[3] for cell in counted),
                valued=sum(cell[4] for cell in counted),
                period=span(cell[0] for cell in valued),
                newest=valued[periods.index(max(periods))][0],
                levels=tuple(sorted({cell[1] for cell in valued if cell[1]})),
                countries=tuple(sorted({cell[2] for cell in valued})),
            )
        return extents

    def indicators_in(self, table: str) -> tuple[str, ...]:
        """Return the indicators that a table has rows of."""
        return tuple(name for (name,) in self.rows(table, f"distinct {PART}", f"where {PART} is not null order by 1"))

    def statused(self, table: str) -> tuple[int, int] | None:
        if not self.has(table, "obs_status"):
            return None
        codes = ", ".join(literal(code) for code, status in STATUSES.items() if status.has_value)
        rows, with_value = self.numbers(table, f"count(*), count(*) filter (where obs_status in ({codes}))", 2)
        return rows, with_value
