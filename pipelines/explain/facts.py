"""The inputs of the recomputation: declarations, observations of the lake, areas. Plain records that neither compute nor read anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from pipelines.core.vocabulary import AREA_KM2, AREAS, years_before


@dataclass(frozen=True)
class CellKey:
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
    """A row of the lake: one value from a part of a source. `row` is the first of `rows` rows of the snapshot."""

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
    """A term of a formula. The side `weight` is the denominator of a weighted measure."""

    side: str
    measure: str
    times: str | None
    factor: float
    sex: str | None
    age: str | None
    lag: int
    at_level: str | None = None  # of the measure; its factor `times` is taken in the row's own area


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
    interval_kind: str | None = None
    weight: str | None = None
    difference_to: str | None = None
    is_share: bool = False
    share_below: float | None = None
    share_above: float | None = None
    share_by_weight: bool = False
    value_multiplier: float = 1.0
    value_has_denominator: bool = False
    value_weighted: bool = False
    value_change_kind: str | None = None
    terms: tuple[Term, ...] = ()

    def of_values(self) -> Indicator:
        """Return the indicator whose values a share of areas compares with its threshold."""
        return replace(
            self, is_share=False, multiplier=self.value_multiplier, has_denominator=self.value_has_denominator, weighted=self.value_weighted,
            change_kind=self.value_change_kind,
        )  # fmt: skip

    @property
    def is_direct(self) -> bool:
        """Whether a row depends on its own period only."""
        return self.window_years is None and self.change_years is None

    def levels_above(self) -> set[str]:
        """Return the levels at which terms are taken."""
        return {t.at_level for t in self.terms if t.at_level is not None}

    def measures(self) -> set[str]:
        return {m for t in self.terms for m in (t.measure, t.times) if m is not None} - {AREAS, AREA_KM2}

    def periods(self, period: str) -> set[str]:
        """Return every period that a row of `period` depends on: its window, its base, and the lags of its terms."""
        return {years_before(at, term.lag) for at in self.formula_periods(period) for term in self.terms}

    def formula_periods(self, period: str) -> set[str]:
        """Return the periods in which a row of `period` computes the formula: its window and its base."""
        ends = {0, self.change_years or 0}
        return {years_before(period, end + year) for end in ends for year in range(self.window_years or 1)}


@dataclass(frozen=True)
class Area:
    """An area of the computation. `weight` is None where the indicator has none or the area never has one; `weight_period` is its period."""

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
class OverPeriods:
    """How a source gives a measure in finer periods than its own: `to` (quarter or year), and how many must have rows."""

    to: str
    needed: int
    is_mean: bool

    def longer(self, period: str) -> str:
        """Return the quarter or year in which a period lies."""
        if self.to == "year" or "Q" in period:
            return period[:4] if self.to == "year" else period
        return f"{period[:5]}Q{(int(period[5:7]) + 2) // 3}"


@dataclass(frozen=True)
class Facts:
    """Everything that the requested number and those of the areas below it are computed from."""

    indicator: Indicator
    observations: Mapping[Place, tuple[Observation, ...]]
    areas: Mapping[str, Area]
    positions: Mapping[str, int]  # of sources, by file name
    additive: Mapping[str, bool]
    conflicts: frozenset[tuple[str, Key]] = frozenset()
    breaks: tuple[Break, ...] = ()
    universe: frozenset[Place] = frozenset()
    down: Mapping[str, frozenset[str | None]] = field(default_factory=dict)  # periods by measure; None is any period
    has_weight: bool = False
    origins: Mapping[tuple[str, str], tuple[tuple[str, float], ...]] = field(default_factory=dict)
    """By (area, period): the areas that it was then, with their shares."""
    passed_on: frozenset[tuple[str, str]] = frozenset()  # (area, period) whose values passed to other areas
    weighted_by: Mapping[str, str | None] = field(default_factory=dict)
    above: Mapping[tuple[str, str, str], str] = field(default_factory=dict)
    """By (area, period, level): the area at that level in which it lies."""
    over_periods: Mapping[tuple[str, str], OverPeriods] = field(default_factory=dict)  # by source and measure
    counted: frozenset[str] = frozenset()  # measures that count rows; an area without rows counts 0
    indivisible: frozenset[str] = frozenset()  # measures whose values are not divided with the area
    divided: frozenset[tuple[str, str]] = frozenset()  # (area, period) that several areas have come from

    def share(self, measures: Iterable[str], origin: str, key: Key, share: float) -> float | None:
        """Return the share of a former area that goes to the area of `key`; None where it has nothing of a value that is not divided."""
        if (origin, key.time_period) not in self.divided or self.indivisible.isdisjoint(measures):
            return share
        return 1.0 if origin == key.ref_area else None
