"""What is known before anything is computed: declarations, observations of the lake, areas. Plain records; computes nothing, reads nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pipelines.core.vocabulary import years_before

AREAS, AREA_KM2 = "areas", "area_km2"
"""Measures that every area has by itself: 1, and its surface."""


@dataclass(frozen=True)
class Question:
    """The key of a cell of `indicator_values`; the period is empty where nothing was ever collected."""

    indicator: str
    ref_area: str
    time_period: str
    sex: str = "_T"
    age: str = "_T"


class Key(NamedTuple):
    """A cell: one measure of one area in one period, of one sex and age."""

    measure: str
    ref_area: str
    time_period: str
    sex: str
    age: str


class Place(NamedTuple):
    """All cells of a measure, area and period."""

    measure: str
    ref_area: str
    time_period: str


@dataclass(frozen=True)
class Observation:
    """A row of the lake: one value that a part of a source gives. `row` is the first of `rows` rows of the snapshot."""

    source: str
    part: str
    key: Key
    value: float | None
    status: str
    aggregate: str | None
    by_sex: bool
    row: int | None
    rows: int | None
    snapshot: str | None


@dataclass(frozen=True)
class Term:
    """A term of a formula. Side `weight` is what a weighted measure has for a denominator."""

    side: str
    measure: str
    times: str | None
    factor: float
    sex: str | None
    age: str | None
    lag: int


@dataclass(frozen=True)
class Indicator:
    """A declared indicator, as the warehouse was built with it."""

    id: str
    unit: str
    formula: str
    rollup: str
    multiplier: float
    has_denominator: bool
    weighted: bool
    missing_zero: bool
    window_years: int | None
    window_agg: str | None
    window_min: int | None
    change_kind: str | None
    change_years: int | None
    terms: tuple[Term, ...] = ()

    @property
    def is_direct(self) -> bool:
        """Whether a row looks at its own period only."""
        return self.window_years is None and self.change_years is None

    def measures(self) -> set[str]:
        return {m for t in self.terms for m in (t.measure, t.times) if m is not None} - {AREAS, AREA_KM2}

    def periods(self, period: str) -> set[str]:
        """Return every period that a row of `period` looks at: over its window, its base, and the lags of its terms."""
        ends = {0, self.change_years or 0}
        back = range(self.window_years or 1)
        return {years_before(period, end + year + term.lag) for end in ends for year in back for term in self.terms}


@dataclass(frozen=True)
class Area:
    """An area that takes part: `weight` is None where the pack names none, or the area never has one; `weight_period` is what it is of."""

    ref_area: str
    name: str
    level: str
    km2: float | None
    weight: float | None = None
    weight_period: str | None = None


@dataclass(frozen=True)
class Break:
    """A declared break in the series of a source."""

    measure: str
    source: str
    period: str
    note: str | None


@dataclass(frozen=True)
class Facts:
    """Everything that the number in question, and those of the areas below it, are made from."""

    indicator: Indicator
    observations: Mapping[Place, tuple[Observation, ...]]
    areas: Mapping[str, Area]
    positions: Mapping[str, int]  # of sources, by file name
    additive: Mapping[str, bool]
    conflicts: frozenset[tuple[str, Key]] = frozenset()
    breaks: tuple[Break, ...] = ()
    universe: frozenset[Place] = frozenset()
    down: Mapping[str, frozenset[str | None]] = field(default_factory=dict)  # measure -> periods, None being any
    has_weight: bool = False
    origins: Mapping[tuple[str, str], tuple[tuple[str, float], ...]] = field(
        default_factory=dict
    )  # (area, period) -> what it was, by share
    gone: frozenset[tuple[str, str]] = frozenset()  # (area, period) whose values went over to other areas
    weighted_by: Mapping[str, str | None] = field(default_factory=dict)
    counted: frozenset[str] = frozenset()  # measures of rows that are counted: an area without rows has none
