"""Statistics of dispersion by the SQL models of the warehouse, for groups of areas that a test makes up."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import duckdb

from tests.support.one_model import Table, fill, rows_of, sql_of

Statistics = dict[tuple[str, str], float]
"""Values by the name of the statistic and the level of its parts, which is empty for all others; NaN where a statistic is not defined."""
LEVELS = ("place", "district", "region", "country")
MODELS = ("int_dispersion_groups", "int_dispersion_levels", "int_dispersion", "int_theil_parts")
"""The models between the inputs and the published table, each after those that it reads."""
ALL = 0
"""The key of all sexes and ages together."""
COLUMNS = {
    "int_dispersion_inputs": "indicator_key integer, area_key integer, level_position smallint, period_key integer, breakdown_key integer, "
    "obs_value double, status_rank integer, weight double, weighted boolean, chance_factor double",
    "int_area_tree": "period_key integer, area_key integer, level_position smallint, ancestor_key integer, ancestor_position smallint",
    "dim_area": "area_key integer, ref_area varchar, level varchar, level_position smallint",
    "dim_breakdown": "breakdown_key integer, sex varchar",
    "dim_period": "period_key integer, time_period varchar",
    "stg_indicators": "indicator_key integer, indicator varchar, interval_kind varchar, multiplier double",
    "stg_levels": "level varchar, position bigint",
    "stg_level_ancestors": "level varchar, ancestor_level varchar",
}


@dataclass(frozen=True)
class Group:
    """Areas inside a country: their values, their weights, and for every level between a number for the area that each of them belongs to."""

    values: Sequence[float]
    weights: Sequence[float] | None = None
    subgroups: Mapping[str, Sequence[int]] = field(default_factory=dict)


def dispersion(indicators: Sequence[Sequence[Group]], *, weighted: bool = True, threads: int = 1, seed: int = 1) -> list[list[Statistics]]:
    """Return the statistics of every group of every indicator. `seed` shuffles the rows; `weighted` gives the weighted statistics, too."""
    rows = _dispersion_rows(indicators, weighted, threads, seed)
    results: list[list[Statistics]] = [[{} for _ in groups] for groups in indicators]
    for row in rows:
        indicator, group = (int(n) for n in row["within"].split("/"))
        value = row["obs_value"]
        assert (value is None) == (row["obs_status"] in ("L", "Z")), row
        assert value is None or math.isfinite(value), row
        assert row["n"] == len(indicators[indicator][group].values)
        results[indicator][group][row["statistic"], row["by_level"]] = math.nan if value is None else value
    return results


def of_one_group(values: Sequence[float], weights: Sequence[float] | None = None, regions: Sequence[int] | None = None) -> dict[str, float]:
    """Return the statistics of one group by their names, rounded to six decimals."""
    group = Group(values, weights, {"region": regions} if regions else {})
    [[statistics]] = dispersion([[group]], weighted=weights is not None)
    return {name: round(value, 6) for (name, _), value in statistics.items()}


def _dispersion_rows(indicators: Sequence[Sequence[Group]], weighted: bool, threads: int, seed: int) -> Table:
    database = _database(threads)
    fill(database, {name: (COLUMNS[name], rows) for name, rows in _tables(indicators, weighted, random.Random(seed)).items()})
    for model in MODELS:
        database.execute(f'create or replace table "{model}" as {sql_of(model)}')
    published = rows_of(database.execute(sql_of("mart_cohesion_dispersion")))
    return [row for row in published if row["of_level"] == "place" and "/" in row["within"]]


@cache
def _database(threads: int) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": threads})


def _tables(indicators: Sequence[Sequence[Group]], weighted: bool, shuffler: random.Random) -> dict[str, Table]:
    """Return the rows of the tables that the models read. A country is named by its indicator and group: 0/2.

    Each indicator has a period of its own, so that it has no part in the groups of another one.
    """
    levels = [level for level in LEVELS if level in ("country", "place") or any(level in g.subgroups for gs in indicators for g in gs)]
    position = {level: number for number, level in enumerate(levels)}
    areas: Table = []

    def add_area(name: str, level: str) -> int:
        areas.append({"area_key": len(areas) + 1, "ref_area": name, "level": level, "level_position": position[level]})
        return len(areas)

    inputs: Table = []
    tree: Table = []
    for i, groups in enumerate(indicators):
        for number, group in enumerate(groups):
            country = add_area(f"{i}/{number}", "country")
            own = {(level, n): add_area(f"{level} {n}", level) for level, numbers in group.subgroups.items() for n in sorted(set(numbers))}
            for place, value in enumerate(group.values):
                key = add_area("", "place")
                weight = group.weights[place] if group.weights is not None else None
                inputs.append(
                    {"indicator_key": i, "area_key": key, "level_position": position["place"], "period_key": i, "breakdown_key": ALL,
                     "obs_value": float(value), "status_rank": 1, "weight": None if weight is None else float(weight), "weighted": weighted}
                )  # fmt: skip
                above = [("country", country), *((level, own[level, numbers[place]]) for level, numbers in group.subgroups.items())]
                tree += [
                    {"period_key": i, "area_key": key, "level_position": position["place"], "ancestor_key": ancestor,
                     "ancestor_position": position[level]}
                    for level, ancestor in above
                ]  # fmt: skip
    tables: dict[str, list[dict[str, Any]]] = {
        "int_dispersion_inputs": inputs,
        "int_area_tree": tree,
        "dim_area": areas,
        "dim_breakdown": [{"breakdown_key": ALL, "sex": "_T"}],
        "dim_period": [{"period_key": i, "time_period": str(i)} for i in range(len(indicators))],
        "stg_indicators": [{"indicator_key": i, "indicator": str(i)} for i in range(len(indicators))],
        "stg_levels": [{"level": level, "position": n} for level, n in position.items()],
        "stg_level_ancestors": [{"level": low, "ancestor_level": high} for n, low in enumerate(levels) for high in levels[n + 1 :]],
    }
    for rows in tables.values():
        shuffler.shuffle(rows)
    return tables
