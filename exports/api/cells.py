"""The values of one indicator as arrays: for each level and each breakdown, a row per period and a column per area."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from exports.api.encode import Codes, Floats, Ints
from exports.api.territory import LevelRange, Territory
from pipelines.core.vocabulary import TOTAL, first_day

MEASURED = ("obs_value", "lower_95", "upper_95", "numerator", "denominator")
KEY = ("indicator", "ref_area", "time_period", "sex", "age", "obs_status")
OPTIONAL = ("status_note",)
NO_NOTE = -1


@dataclass(frozen=True)
class Breakdown:
    """The cells of one sex and age group. `numbers` has an array (period, area) for each of MEASURED; NaN is missing.

    `status` has character codes, 0 where there is no row. `note` has places in `notes`, which are the ids of notes, or NO_NOTE.
    """

    sex: str
    age: str
    numbers: Mapping[str, Floats] = field(repr=False)
    status: Codes = field(repr=False)
    note: Ints = field(repr=False)
    notes: Sequence[str]

    @property
    def values(self) -> Floats:
        return self.numbers["obs_value"]

    @property
    def is_total(self) -> bool:
        return self.sex == TOTAL and self.age == TOTAL

    def listed_notes(self, columns: Any = slice(None)) -> list[dict[str, Any]]:
        """Return the notes on the cells of some areas: for each note and period, the places of the areas in `columns`."""
        own = self.note[:, columns]
        if (own == NO_NOTE).all():
            return []
        return [
            {"note": note, "period": int(period), "areas": np.flatnonzero(own[period] == number).tolist()}
            for number, note in enumerate(self.notes)
            for period in np.flatnonzero((own == number).any(axis=1))
        ]

    @property
    def has_interval(self) -> bool:
        return bool(np.isfinite(self.numbers["lower_95"]).any())


@dataclass(frozen=True)
class LevelCells:
    """The cells of a level. `periods` are in the order of time; the total is the first of `breakdowns`, if it has rows."""

    level: LevelRange
    periods: Sequence[str]
    breakdowns: Sequence[Breakdown]

    @cached_property
    def newest(self) -> int | None:
        """The last period in which the total has a value, which is the one that `comparisons` compares; None without a value."""
        for breakdown in self.breakdowns:
            if breakdown.is_total:
                has_value = np.flatnonzero(np.isfinite(breakdown.values).any(axis=1))
                return int(has_value[-1]) if len(has_value) else None
        return None


@dataclass(frozen=True)
class IndicatorCells:
    """All cells of an indicator, by level in the order of the territory."""

    id: str
    levels: Sequence[LevelCells]

    @property
    def periods(self) -> list[str]:
        """All periods with a row, in the order of time."""
        return by_time({period for level in self.levels for period in level.periods})

    def level(self, name: str) -> LevelCells | None:
        return next((level for level in self.levels if level.level.id == name), None)


def by_time(periods: set[str]) -> list[str]:
    return sorted(periods, key=lambda period: (str(first_day(period) or ""), period))


def read(path: Path, territory: Territory) -> Iterator[IndicatorCells]:
    """Yield the cells of each indicator that has a value, in the order of the table. The rows of one indicator are in memory at a time."""
    scan = pl.scan_parquet(path)
    present = scan.collect_schema().names()
    columns = [*KEY, *(name for name in (*MEASURED, *OPTIONAL) if name in present)]
    counts = scan.group_by("indicator").agg(pl.len().alias("rows"), pl.col("obs_value").count().alias("values")).collect().sort("indicator")
    offset = 0
    for indicator, rows, values in counts.iter_rows():
        if values:
            yield arranged(scan.slice(offset, rows).select(columns).collect(), indicator, territory)
        offset += rows


def arranged(frame: pl.DataFrame, indicator: str, territory: Territory) -> IndicatorCells:
    """Return the rows of an indicator as arrays. Rows of areas that the table `areas` does not have are left out."""
    number = frame["ref_area"].replace_strict(territory.numbers, default=None, return_dtype=pl.Int64)
    measured = [pl.col(name).cast(pl.Float64).fill_null(np.nan) for name in MEASURED if name in frame.columns]
    frame = frame.with_columns(number.alias("area"), *measured).filter(pl.col("area").is_not_null())
    levels = []
    for level in territory.levels:
        own = frame.filter(pl.col("area").is_between(level.first, level.stop - 1))
        if own.height:
            levels.append(_level(own, level))
    return IndicatorCells(indicator, levels)


def _level(frame: pl.DataFrame, level: LevelRange) -> LevelCells:
    periods = by_time(set(frame["time_period"].unique().to_list()))
    place = {period: number for number, period in enumerate(periods)}
    row = frame["time_period"].replace_strict(place, return_dtype=pl.Int64)
    frame = frame.with_columns(row.alias("period"), (pl.col("area") - level.first).alias("column"))
    groups = {(str(sex), str(age)): own for (sex, age), own in frame.partition_by("sex", "age", as_dict=True).items()}
    order = sorted(groups, key=lambda pair: (pair != (TOTAL, TOTAL), pair[0] != TOTAL, pair))
    shape = (len(periods), level.count)
    return LevelCells(level, periods, [_breakdown(groups[pair], *pair, shape) for pair in order])


def _breakdown(frame: pl.DataFrame, sex: str, age: str, shape: tuple[int, int]) -> Breakdown:
    at: tuple[Ints, Ints] = (frame["period"].to_numpy(), frame["column"].to_numpy())
    numbers = {}
    for name in MEASURED:
        numbers[name] = np.full(shape, np.nan)
        if name in frame.columns:
            numbers[name][at] = frame[name].to_numpy()
    status = np.zeros(shape, dtype=np.uint8)
    letters = np.frombuffer("".join(frame["obs_status"].to_list()).encode("ascii"), dtype=np.uint8)
    status[at] = letters
    note, notes = np.full(shape, NO_NOTE, dtype=np.int64), []
    if "status_note" in frame.columns and frame["status_note"].null_count() < frame.height:
        notes = frame["status_note"].drop_nulls().unique().sort().to_list()
        place = {text: number for number, text in enumerate(notes)}
        note[at] = frame["status_note"].replace_strict(place, default=NO_NOTE, return_dtype=pl.Int64).fill_null(NO_NOTE).to_numpy()
    return Breakdown(sex, age, numbers, status, note, notes)
