"""Dispersion of every indicator: prepares arrays of areas and their ancestors, and arranges the results in one table.

The statistics are in `pipelines.statistics.dispersion`. A relation is anything with a method `pl` that returns a polars frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from pipelines.core.vocabulary import PUBLISHED_SEXES
from pipelines.statistics.dispersion import SMALLEST_GROUP, Index, dispersion, sorted_pairs

STATUSES = ["A", "P", "I", "E", "B", "L", "Z"]
LOW, UNDEFINED = STATUSES.index("L"), STATUSES.index("Z")
SEXES = list(PUBLISHED_SEXES)
SCHEMA = pl.Schema(
    {
        "indicator": pl.String, "within": pl.String, "of_level": pl.String, "by_level": pl.String, "time_period": pl.String, "sex": pl.String,
        "statistic": pl.String, "obs_value": pl.Float64, "obs_status": pl.String, "n": pl.Int64, "coverage": pl.Float64,
    }
)  # fmt: skip


@dataclass(frozen=True)
class Tree:
    """The ancestors of all areas in all periods. A place is an area in a period; places are numbered by period, then by area.

    `first` and `count` give the slice of `ancestor` for a place; `at` has the ancestor of a place at each level, -1 for none.
    """

    areas: list[str]
    periods: list[str]
    levels: list[str]
    level_of: Index
    first: Index
    count: Index
    ancestor: Index
    at: Index
    ordinal: Index  # the number of each area among those of its level
    inside: dict[tuple[int, int], tuple[Index, Index]]  # (period, level): the areas with areas of that level below them, and how many
    between: dict[tuple[int, int], list[int]]  # (level, level above): the levels between them

    def place(self, period: Index, area: Index) -> Index:
        return period * len(self.areas) + area


@dataclass(frozen=True)
class Cells:
    """The values of one indicator, with the numbers of their periods, areas, sexes and statuses."""

    place: Index
    period: Index
    area: Index
    sex: Index
    status: Index
    value: Any
    weight: Any | None
    weighted: bool


def measure_dispersion(cells: Any, areas: Any, tree: Any, levels: Any, level_ancestors: Any) -> pa.Table:
    """Return the rows of SCHEMA: every statistic of every indicator, period, sex, level and area above."""
    frame = cells.pl()
    numbered = _tree(areas.pl(), tree.pl(), levels.pl(), level_ancestors.pl(), frame["time_period"])
    results = [pl.DataFrame(schema=SCHEMA)]
    for (indicator,), own in frame.sort("indicator").partition_by("indicator", as_dict=True, maintain_order=True).items():
        parts = list(_indicator(_cells(own, numbered), numbered))
        if parts:
            results.append(_laid_out(str(indicator), parts, numbered))
    return pl.concat(results).to_arrow()


def _tree(areas: pl.DataFrame, tree: pl.DataFrame, levels: pl.DataFrame, above: pl.DataFrame, used: pl.Series) -> Tree:
    names = areas["ref_area"].sort().to_list()
    level_names = levels.sort("position")["level"].to_list()
    periods = sorted(set(tree["time_period"].to_list()) | set(used.to_list()))
    period, area, ancestor = _codes(tree["time_period"], periods), _codes(tree["ref_area"], names), _codes(tree["ancestor"], names)
    level, ancestor_level = _codes(tree["level"], level_names), _codes(tree["ancestor_level"], level_names)
    places = len(periods) * len(names)
    key = period * len(names) + area
    order = np.lexsort((ancestor, key))
    count = np.bincount(key, minlength=places)
    at = np.full((places, len(level_names)), -1, dtype=np.int64)
    backwards = order[::-1]  # of two ancestors at one level the first counts
    at[key[backwards], ancestor_level[backwards]] = ancestor[backwards]
    level_of = np.full(len(names), -1, dtype=np.int64)
    on_levels = areas.filter(pl.col("level").is_in(level_names))
    level_of[_codes(on_levels["ref_area"], names)] = _codes(on_levels["level"], level_names)
    ordinal = np.zeros(len(names), dtype=np.int64)
    for lv in range(1, len(level_names)):  # areas of the finest level contain no others
        ordinal[level_of == lv] = np.arange((level_of == lv).sum())
    inside = {}
    for t in range(len(periods)):
        for lv in range(len(level_names)):
            inside[t, lv] = np.unique(ancestor[(period == t) & (level == lv)], return_counts=True)
    pairs = {(level_names.index(r["level"]), level_names.index(r["ancestor_level"])) for r in above.to_dicts()}
    between = {(a, b): [m for m in range(len(level_names)) if (a, m) in pairs and (m, b) in pairs] for a, b in sorted(pairs)}
    first = np.cumsum(count) - count
    return Tree(names, periods, level_names, level_of, first, count, ancestor[order], at, ordinal, inside, between)


def _codes(column: pl.Series, names: list[str]) -> Index:
    return column.cast(pl.Enum(names)).to_physical().to_numpy().astype(np.int64)


def _cells(own: pl.DataFrame, tree: Tree) -> Cells:
    period, area = _codes(own["time_period"], tree.periods), _codes(own["ref_area"], tree.areas)
    weighted = bool(own["weighted"][0])
    return Cells(
        place=tree.place(period, area),
        period=period,
        area=area,
        sex=_codes(own["sex"], SEXES),
        status=_codes(own["obs_status"], STATUSES),
        value=own["obs_value"].to_numpy(),
        weight=own["weight"].fill_null(0.0).to_numpy() if weighted else None,
        weighted=weighted,
    )


def _indicator(cells: Cells, tree: Tree) -> Iterator[dict[str, Any]]:
    """Yield the results of one indicator: arrays for each level and level above."""
    count = tree.count[cells.place]
    cell = np.repeat(np.arange(cells.place.size), count)
    offset = np.arange(cell.size) - np.repeat(np.cumsum(count) - count, count)
    within = tree.ancestor[tree.first[cells.place][cell] + offset]
    of_level, within_level = tree.level_of[cells.area], tree.level_of[within]
    for (low, high), between in tree.between.items():
        chosen = np.flatnonzero((of_level[cell] == low) & (within_level == high))
        series = np.flatnonzero(np.bincount((cells.period * len(SEXES) + cells.sex)[of_level == low]))
        if series.size:
            yield _level(cells, tree, cell[chosen], within[chosen], series, (low, high), between)


def _level(
    cells: Cells, tree: Tree, cell: Index, within: Index, series: Index, levels: tuple[int, int], between: list[int]
) -> dict[str, Any]:
    """Return the statistics of the areas of one level in all areas of a level above, in every period and sex that has values."""
    low, high = levels
    size = len(tree.areas)
    # every group that could have values, so that groups without any are reported too
    possible, expected = [], []
    for one in series:
        parents, inside = tree.inside[one // len(SEXES), low]
        fitting = tree.level_of[parents] == high
        possible.append(one * size + parents[fitting])
        expected.append(inside[fitting])
    keys, total = np.concatenate(possible), np.concatenate(expected)
    group = np.searchsorted(keys, (cells.period[cell] * len(SEXES) + cells.sex[cell]) * size + within)
    has_values = np.bincount(group, minlength=keys.size) > 0
    groups, number = np.flatnonzero(has_values), (np.cumsum(has_values) - 1)[group]
    weights = None if cells.weight is None else cells.weight[cell]
    pairs, sorting = sorted_pairs(number, cells.area[cell], cells.value[cell], weights)
    subgroups = {}
    for level in between:
        own = tree.at[cells.place[cell], level]
        ordinal = np.where(own >= 0, tree.ordinal[own] + 1, 0)
        subgroups[tree.levels[level]] = (number * (tree.ordinal.max() + 2) + ordinal)[sorting]
    n = np.zeros(keys.size, dtype=np.int64)
    n[groups] = pairs.counts
    status = np.zeros(keys.size, dtype=np.int64)
    if groups.size:
        status[groups] = np.maximum.reduceat(cells.status[cell][sorting], pairs.starts)
    names, by, values, codes = [], [], [], []
    for statistic in dispersion(pairs, subgroups, cells.weighted):
        value = np.full(keys.size, np.nan)
        value[groups] = np.where(np.isfinite(statistic.values), statistic.values, np.nan)  # squares can exceed the range of a double
        enough = n >= (1 if statistic.name == "max_min" else SMALLEST_GROUP)
        names.append(statistic.name)
        by.append(statistic.by)
        values.append(np.where(enough, value, np.nan))
        codes.append(np.where(enough, np.where(np.isnan(value), UNDEFINED, status), LOW))
    return {
        "period": keys // size // len(SEXES), "sex": keys // size % len(SEXES), "within": keys % size, "low": low, "names": names, "by": by,
        "values": np.array(values), "status": np.array(codes), "n": n, "coverage": n / total,
    }  # fmt: skip


def _laid_out(indicator: str, parts: list[dict[str, Any]], tree: Tree) -> pl.DataFrame:
    frames = []
    areas, periods, statuses, sexes = (pl.Series(v, dtype=pl.String) for v in (tree.areas, tree.periods, STATUSES, SEXES))
    for part in parts:
        statistics, groups = len(part["names"]), part["n"].size
        frames.append(
            pl.DataFrame(
                {
                    "indicator": pl.repeat(indicator, statistics * groups, eager=True),
                    "within": areas.gather(np.tile(part["within"], statistics)),
                    "of_level": pl.repeat(tree.levels[part["low"]], statistics * groups, eager=True),
                    "by_level": pl.Series(part["by"], dtype=pl.String).gather(np.repeat(np.arange(statistics), groups)),
                    "time_period": periods.gather(np.tile(part["period"], statistics)),
                    "sex": sexes.gather(np.tile(part["sex"], statistics)),
                    "statistic": pl.Series(part["names"]).gather(np.repeat(np.arange(statistics), groups)),
                    "obs_value": pl.Series(part["values"].ravel(), nan_to_null=True),
                    "obs_status": statuses.gather(part["status"].ravel()),
                    "n": np.tile(part["n"], statistics),
                    "coverage": np.tile(part["coverage"], statistics),
                }
            )
        )
    return pl.concat(frames)
