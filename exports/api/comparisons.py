"""The tables `comparisons` and `trends` of one indicator as columns per area: total values only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from exports.api import optional
from exports.api.encode import Floats, Ints, numbers, rounded
from exports.api.territory import Territory
from pipelines.core.vocabulary import TOTAL

PEERS, COUNTRY = "peers", "country"
NOT_COMPARED = "not_compared"
NOT_ASSESSED = "not assessed"


@dataclass(frozen=True)
class Compared:
    """Comparisons and trends of the total. All arrays have an element per area of the release; None and NaN where there is no row.

    `reference`, `outcome` and `significance` are by what is compared with: `country` (the area at the top) or `peers`. The outcome of what is
    not compared is the reason. `slope`, `trend`, `direction`, `first`, `last` are of the table `trends`.
    """

    reference: Mapping[str, Floats] = field(default_factory=dict)
    outcome: Mapping[str, list[str | None]] = field(default_factory=dict)
    significance: Mapping[str, Floats] = field(default_factory=dict)
    trend: Mapping[str, list[str | None]] = field(default_factory=dict)

    def columns(self, areas: Ints, decimals: int | None) -> dict[str, Any]:
        """Return the comparisons of some areas; those without any are left out."""
        columns = {}
        for against, outcome in self.outcome.items():
            own = [outcome[area] for area in areas]
            if any(own):
                columns[against] = {
                    "reference": numbers(rounded(self.reference[against][areas], decimals)),
                    "outcome": own,
                    "significance": numbers(self.significance[against][areas]),
                }
        return columns

    def trends(self, areas: Ints) -> dict[str, Any] | None:
        """Return the trends of some areas, None if none was assessed."""
        columns = {name: [own[area] for area in areas] for name, own in self.trend.items()}
        return columns if any(columns.get("trend", ())) else None


class ComparedTables:
    """Reads the tables of a release by indicator. Either may be missing."""

    def __init__(self, parquet: Path, territory: Territory) -> None:
        self._territory = territory
        self._comparisons = _rows(optional.path(parquet, "comparisons"), "against", "reference_value", "outcome", "significance", "reason")
        self._trends = _rows(optional.path(parquet, "trends"), "first_period", "last_period", "trend", "direction")

    def of(self, indicator: str) -> Compared:
        count = self._territory.table.height
        reference, outcome, significance = {}, {}, {}
        rows = self._comparisons.get(indicator)
        for against in (COUNTRY, PEERS) if rows is not None else ():
            assert rows is not None
            is_peers = pl.col("against") == PEERS
            own = rows.filter(is_peers if against == PEERS else ~is_peers)
            reference[against], significance[against] = np.full(count, np.nan), np.full(count, np.nan)
            outcome[against] = _texts(own, self._territory, pl.coalesce("reason", "outcome"))
            for code, value, level in own.select("ref_area", "reference_value", "significance").iter_rows():
                if (area := self._territory.numbers.get(code)) is not None:
                    reference[against][area] = np.nan if value is None else value
                    significance[against][area] = np.nan if level is None else level
        trends = self._trends.get(indicator)
        assessed = trends.filter(pl.col("trend") != NOT_ASSESSED) if trends is not None else None
        trend = {}
        if assessed is not None and assessed.height:
            for name, column in {"first": "first_period", "last": "last_period", "trend": "trend", "direction": "direction"}.items():
                trend[name] = _texts(assessed, self._territory, pl.col(column))
        return Compared(reference, outcome, significance, trend)


def _rows(path: Path | None, *columns: str) -> Mapping[str, pl.DataFrame]:
    """Return the rows of totals by indicator."""
    if path is None:
        return {}
    rows = pl.scan_parquet(path).filter(pl.col("sex") == TOTAL, pl.col("age") == TOTAL).select("indicator", "ref_area", *columns).collect()
    return {str(name): own for (name,), own in rows.partition_by("indicator", as_dict=True).items()}


def _texts(rows: pl.DataFrame, territory: Territory, column: pl.Expr) -> list[str | None]:
    texts: list[str | None] = [None] * territory.table.height
    for code, text in _pairs(rows, column):
        if (area := territory.numbers.get(code)) is not None:
            texts[area] = text or None
    return texts


def _pairs(rows: pl.DataFrame, column: pl.Expr) -> Iterator[tuple[str, str | None]]:
    yield from rows.select("ref_area", column.alias("text")).iter_rows()
