"""Decides which computed cells are published without numbers: the confidential ones, and those from which they could be derived.

Brings the cells of the warehouse into the form that `statistics.disclosure` understands: counts, the equations between them, and which cell shows
which count. Counts are the observations of a measure in an area, and what formulas make of them: sums of terms, windows, roll-ups.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from duckdb import DuckDBPyConnection

from pipelines.core.vocabulary import FIRST_MISSING_RANK, STATUSES
from pipelines.packs import Pack, confidentiality
from pipelines.packs.confidentiality import Group
from pipelines.statistics.disclosure import Equation, Protection, Ties, age_parts, sum_of

SCHEMA = pl.Schema({
    "indicator_key": pl.Int32, "area_key": pl.Int32, "period_key": pl.Int32, "breakdown_key": pl.Int32, "is_primary": pl.Boolean,
    "hides_denominator": pl.Boolean,
})  # fmt: skip
YEAR = 10000
"""What a year adds to the key of a period."""
SEXES = 4
MALE, FEMALE, UNKNOWN_SEX = 1, 2, 3
CONFIDENTIAL = STATUSES["C"].rank
EQUAL = 1e-9

Rows = list[tuple[Any, ...]]
Side = tuple[tuple[Any, ...], ...]
"""The terms of a numerator or denominator, in order: measure, factor, lag, and sex and age if the term has its own."""
Place = tuple[int, int, int]
"""Area, period, breakdown."""


def suppressed_cells(connection: DuckDBPyConnection, pack: Pack) -> pl.DataFrame:
    """Return the rows of SCHEMA for the indicators in scope that have to be protected."""
    rows = [row for group in confidentiality.groups(pack) for row in _of_group(connection, pack, group)]
    return pl.DataFrame(sorted(rows), schema=SCHEMA, orient="row")


def _of_group(connection: DuckDBPyConnection, pack: Pack, group: Group) -> Iterator[tuple[Any, ...]]:
    names = ", ".join("?" for _ in group.indicators)
    keys = dict(
        connection.execute(
            f"select s.indicator, s.indicator_key from intermediate.int_indicator_scope as s where s.in_scope and s.indicator in ({names})",
            list(group.indicators),
        ).fetchall()
    )
    if not keys:
        return
    counts = _Counts(connection, pack, group, keys)
    cells = counts.cells()
    primary, small = counts.primary(cells)
    if not primary and not small:
        return
    shows = [[count for count in (cell.numerator, cell.denominator) if count is not None] for cell in cells]
    hides = [[cell.numerator] if cell.numerator is not None else [] for cell in cells]
    publishers: list[list[int]] = [[] for _ in counts.amounts]
    for place, shown in enumerate(shows):
        for count in shown:
            publishers[count].append(place)
    counts.tie_observations()
    publishers += [[] for _ in range(len(counts.amounts) - len(publishers))]
    ties = Ties(len(counts.amounts), counts.equations, np.array(counts.signed, dtype=bool))
    amounts = np.array(counts.amounts, dtype=np.float64)
    protection = Protection(ties, amounts, publishers, shows, hides, np.array(counts.public, dtype=bool) & ~np.isnan(amounts))
    protection.suppress(sorted(small), sorted(primary))
    is_primary = protection.masked.copy()
    protection.protect()
    for place, cell in enumerate(cells):
        if protection.masked[place]:
            hides_denominator = cell.denominator is not None and bool(protection.suppressed[cell.denominator])
            yield (cell.indicator, *cell.place, bool(is_primary[place]), hides_denominator)


@dataclass(frozen=True)
class _Cell:
    """A computed cell: the counts that it shows if it is published, and its amounts. `is_marked`: a source gives it as confidential."""

    indicator: int
    place: Place
    numerator: int | None
    denominator: int | None
    amounts: tuple[float | None, float | None]
    is_marked: bool


class _Counts:
    """The counts behind the cells of a group, numbered in a fixed order, and the equations between them."""

    def __init__(self, connection: DuckDBPyConnection, pack: Pack, group: Group, keys: Mapping[str, int]) -> None:
        self.connection = connection
        self.amounts: list[float] = []
        self.signed: list[bool] = []
        self.public: list[bool] = []
        self.equations: list[Equation] = []
        self._index: dict[Any, int] = {}
        self._keys = ", ".join(map(str, sorted(keys.values())))
        self._thresholds = {keys[name]: pack.indicators[name].confidential_below for name in keys}
        measures: dict[str, int] = dict(self._rows("select distinct measure, measure_key from staging.stg_measures"))
        self._group = {measures[name] for name in group.measures if name in measures}
        public = {measures[name] for name in confidentiality.public_measures(pack) if name in measures}
        below = confidentiality.threshold_of_measures(pack)
        self._measure_thresholds = {measures[name]: below[name] for name in below if name in measures}
        self._sides = self._read_sides()
        self._windows = {
            key: (years, agg)
            for key, years, agg in self._rows(
                f"select indicator_key, window_years, window_agg from staging.stg_indicators where indicator_key in ({self._keys})"
            )
        }
        self._observed = self._read_observations(public)
        self._years: dict[tuple[int, Place], tuple[float | None, float | None, bool]] = {
            (key, (area, period, breakdown)): (numerator, denominator, rank < FIRST_MISSING_RANK)
            for key, area, period, breakdown, numerator, denominator, rank in self._rows(
                "select indicator_key, area_key, period_key, breakdown_key, numerator, denominator, status_rank "
                f"from intermediate.int_formula_values where indicator_key in ({self._keys}) and status_rank is not null order by all"
            )
        }
        self._small_if_single: dict[int, int] = {}

    def _rows(self, sql: str) -> Rows:
        return self.connection.execute(sql).fetchall()

    def _read_sides(self) -> dict[tuple[int, bool], Side]:
        """Return the numerators and denominators that show counts of the group, by indicator."""
        sides: dict[tuple[int, bool], list[tuple[Any, ...]]] = defaultdict(list)
        linear: dict[tuple[int, bool], bool] = defaultdict(lambda: True)
        for key, is_numerator, measure, times, built_in, at, factor, lag, sex, age in self._rows(
            "select t.indicator_key, t.is_numerator, t.measure_key, t.times_key, t.built_in, t.at_position, t.factor, t.lag, t.sex_code, t.age_code "
            "from intermediate.int_terms as t inner join staging.stg_indicators as i on i.indicator_key = t.indicator_key "
            f"where t.indicator_key in ({self._keys}) and not i.is_share and not i.weighted order by all"
        ):
            sides[key, is_numerator].append((measure, factor, lag, sex, age))
            linear[key, is_numerator] &= times is None and built_in is None and at is None
        return {
            name: tuple(sorted(terms, key=repr))
            for name, terms in sides.items()
            if linear[name] and any(term[0] in self._group for term in terms)
        }

    def _read_observations(self, public: set[int]) -> dict[tuple[int, Place], int]:
        """Number the observations of all measures in the sides. One without a value has no amount that anybody knows."""
        measures = sorted({term[0] for side in self._sides.values() for term in side} | self._group)
        observed: dict[tuple[int, Place], int] = {}
        self._marked: list[int] = []
        negative: set[int] = set()
        for measure, area, period, breakdown, value, rank in self._rows(
            "select measure_key, area_key, period_key, breakdown_key, obs_value, status_rank from intermediate.int_observations "
            f"where measure_key in ({', '.join(map(str, measures)) or 'null'}) order by measure_key, period_key, area_key, breakdown_key"
        ):
            is_known = value is not None and rank < FIRST_MISSING_RANK
            count = self._add(value if is_known else math.nan, public=measure in public)
            observed[measure, (area, period, breakdown)] = count
            if rank == CONFIDENTIAL and measure not in public:
                self._marked.append(count)
            if is_known and value < 0:
                negative.add(measure)
        for (measure, _), count in observed.items():
            self.signed[count] = measure in negative
        return observed

    def _add(self, amount: float | None, *, public: bool = False, signed: bool = False) -> int:
        self.amounts.append(math.nan if amount is None else float(amount))
        self.public.append(public)
        self.signed.append(signed)
        return len(self.amounts) - 1

    # ------------------------------------------------------------------------------------------------- what formulas make of observations

    def cells(self) -> list[_Cell]:
        """Return the computed cells that have a number, or that a source marks as confidential."""
        finest = {(key, period): position for key, period, position in self._rows(
            f"select indicator_key, period_key, finest_position from intermediate.int_indicator_periods where indicator_key in ({self._keys})"
        )}  # fmt: skip
        self._below = self._read_tree({period for _, period in finest} | {period for _, (_, period, _) in self._observed})
        self._direct = {
            (key, (area, period, breakdown)): (numerator, denominator)
            for key, area, period, breakdown, numerator, denominator in self._rows(
                "select indicator_key, area_key, period_key, breakdown_key, numerator, denominator from intermediate.int_direct_values "
                f"where indicator_key in ({self._keys}) and status_rank < {FIRST_MISSING_RANK}"
            )
        }
        cells = []
        for key, area, period, breakdown, basis, status, numerator, denominator in self._rows(
            "select indicator_key, area_key, period_key, breakdown_key, basis, obs_status, numerator, denominator "
            f"from intermediate.int_computed_cells where indicator_key in ({self._keys}) and (numerator is not null or obs_status = 'C') "
            "order by indicator_key, period_key, area_key, breakdown_key"
        ):
            place = area, period, breakdown
            counts: list[int | None] = []
            for is_numerator, amount in ((True, numerator), (False, denominator)):
                side = self._sides.get((key, is_numerator))
                if side is None or amount is None:
                    counts.append(None)
                elif basis == "rolled":
                    counts.append(
                        self._rolled(key, is_numerator, side, place, amount, self._below.get((period, area, finest[key, period]), ()))
                    )
                else:
                    counts.append(self._of_area(key, is_numerator, side, place, amount))
            cells.append(_Cell(key, place, counts[0], counts[1], (numerator, denominator), status == "C"))
        return cells

    def _read_tree(self, periods: Iterable[int]) -> dict[tuple[int, int, int], list[int]]:
        """Return the areas below each area in some periods, by period, area and level."""
        below: dict[tuple[int, int, int], list[int]] = defaultdict(list)
        for period, ancestor, position, area in self._rows(
            "select period_key, ancestor_key, level_position, area_key from intermediate.int_area_tree "
            f"where period_key in ({', '.join(map(str, sorted(periods))) or 'null'}) order by all"
        ):
            below[period, ancestor, position].append(area)
        return below

    def _rolled(self, key: int, is_numerator: bool, side: Side, place: Place, amount: float, areas: Iterable[int]) -> int | None:
        """Return the sum over the areas below that contribute."""
        _, period, breakdown = place
        parts = []
        for area in areas:
            own = self._direct.get((key, (area, period, breakdown)))
            if own is not None:
                value = own[0] if is_numerator else own[1]
                part = self._of_area(key, is_numerator, side, (area, period, breakdown), value)
                if part is not None:
                    parts.append(part)
        return self._sum(("rolled", side, place, tuple(parts)), amount, parts, [1.0] * len(parts), side)

    def _of_area(self, key: int, is_numerator: bool, side: Side, place: Place, amount: float | None) -> int | None:
        """Return the count of an area's own observations, over the years of a window if there is one."""
        area, period, breakdown = place
        years, agg = self._windows[key]
        if years is None:
            return self._of_year(side, place, amount)
        parts = []
        for back in range(years):
            earlier = area, period - back * YEAR, breakdown
            numerator, denominator, is_complete = self._years.get((key, earlier), (None, None, False))
            if is_complete:
                part = self._of_year(side, earlier, numerator if is_numerator else denominator)
                if part is not None:
                    parts.append(part)
        if agg == "count_nonzero" or not parts:
            return None
        share = 1 / len(parts) if agg == "mean" else 1.0
        return self._sum(("window", side, place, tuple(parts), agg), amount, parts, [share] * len(parts), side)

    def _of_year(self, side: Side, place: Place, amount: float | None) -> int | None:
        """Return the count of one period: the observation itself, or a sum of terms. A term without an observation is 0."""
        area, period, breakdown = place
        parts, factors = [], []
        for measure, factor, lag, sex, age in side:
            at = (breakdown % SEXES if sex is None else sex) + (breakdown - breakdown % SEXES if age is None else age)
            observation = self._observed.get((measure, (area, period - lag * YEAR, at)))
            if observation is not None:
                parts.append(observation)
                factors.append(factor)
        return self._sum(("year", side, place), amount, parts, factors, side)

    def _sum(self, name: Any, amount: float | None, parts: Sequence[int], factors: Sequence[float], side: Side) -> int | None:
        if not parts:
            return None
        if len(parts) == 1 and factors[0] == 1:
            count = parts[0]
        elif name in self._index:
            count = self._index[name]
        else:
            signed = any(self.signed[part] for part in parts) or min(factors) < 0
            count = self._index[name] = self._add(amount, signed=signed, public=all(self.public[part] for part in parts))
            self.equations.append(Equation((count, *parts), (1.0, *(-factor for factor in factors))))
        if len(side) == 1 and side[0][1] == 1 and side[0][0] in self._measure_thresholds:
            self._small_if_single[count] = self._measure_thresholds[side[0][0]]
        return count

    # ---------------------------------------------------------------------------------------------------------- what is confidential

    def primary(self, cells: Sequence[_Cell]) -> tuple[set[int], set[int]]:
        """Return the places of the confidential cells, and the confidential counts."""
        confidential: set[int] = set()
        small = set(self._marked)
        for (measure, _), count in self._observed.items():
            if measure in self._measure_thresholds and _is_small(self.amounts[count], self._measure_thresholds[measure]):
                small.add(count)
        small |= {count for count, below in self._small_if_single.items() if _is_small(self.amounts[count], below)}
        denominators: dict[int, bool] = dict(self._rows(
            "select indicator_key, bool_or(built_in is null) from intermediate.int_terms "
            f"where not is_numerator and indicator_key in ({self._keys}) group by indicator_key"
        ))  # fmt: skip
        for at, cell in enumerate(cells):
            if cell.is_marked:
                confidential.add(at)
            below = self._thresholds[cell.indicator]
            numerator, denominator = cell.amounts
            if below is None or numerator is None:
                continue
            is_small = denominators.get(cell.indicator, False) and _is_small(denominator, below)
            if is_small or _is_small(numerator, below):
                confidential.add(at)
            if is_small and cell.denominator is not None and not self.public[cell.denominator]:
                small.add(cell.denominator)
        return confidential, small

    # ------------------------------------------------------------------------------------------------ sums that hold between observations

    def tie_observations(self) -> None:
        """Add the equations over sex, over age groups, and over areas of which a source reports the parents, too."""
        by_cell: dict[tuple[int, int, int], dict[int, int]] = defaultdict(dict)  # counts by breakdown, by measure, period and area
        by_area: dict[tuple[int, int, int], dict[int, int]] = defaultdict(dict)  # counts by area, by measure, period and breakdown
        for (measure, (area, period, breakdown)), count in self._observed.items():
            by_cell[measure, period, area][breakdown] = count
            by_area[measure, period, breakdown][area] = count
        for counts in by_cell.values():
            for breakdown, total in counts.items():
                sexes = [counts[breakdown + sex] for sex in (MALE, FEMALE, UNKNOWN_SEX) if breakdown + sex in counts]
                if breakdown % SEXES == 0 and {breakdown + MALE, breakdown + FEMALE} <= counts.keys():
                    self._tie(total, sexes, 0)
            for total, parts in self._age_groups(counts):
                self._tie(total, parts, 0)
        positions: dict[int, int] = dict(self._rows("select area_key, level_position from dimensions.dim_area"))
        for (_, period, _), counts in by_area.items():
            levels = {positions[area] for area in counts}
            if len(levels) < 2:
                continue
            for area, total in counts.items():
                for level in sorted(level for level in levels if level < positions[area]):
                    children = self._below.get((period, area, level), [])
                    own = [counts[child] for child in children if child in counts]
                    if own:
                        self._tie(total, own, len(children) - len(own))

    def _age_groups(self, counts: Mapping[int, int]) -> Iterator[tuple[int, list[int]]]:
        """Yield age groups with the shorter ones that they consist of."""
        for sex in range(SEXES):
            own = {self._ages[breakdown - sex]: count for breakdown, count in counts.items() if breakdown % SEXES == sex}
            for total, parts in age_parts(own):
                yield own[total], [own[part] for part in parts]

    @cached_property
    def _ages(self) -> dict[int, str]:
        """The age groups by their share of the key of a breakdown."""
        return dict(self._rows("select distinct age_code, age from dimensions.dim_breakdown"))

    def _tie(self, total: int, parts: Sequence[int], absent: int) -> None:
        """Add the equation of a sum that holds, or that nobody can refute because some of its counts are unknown."""
        known = [self.amounts[part] for part in parts if not math.isnan(self.amounts[part])]
        is_complete = len(known) == len(parts) and not absent
        rest = self.amounts[total] - math.fsum(known)
        tolerance = EQUAL * max(1.0, abs(self.amounts[total]) if not math.isnan(rest) else 1.0)
        if not math.isnan(rest) and (abs(rest) > tolerance if is_complete else rest < -tolerance):
            return
        self.equations.append(sum_of(total, [*parts, *(self._add(math.nan) for _ in range(min(absent, 1)))]))


def _is_small(amount: float | None, below: int) -> bool:
    return amount is not None and EQUAL < amount < below - EQUAL
