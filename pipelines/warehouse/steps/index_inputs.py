"""Reads the declaration and the values of each index from the warehouse into the arrays of `pipelines.statistics.index`.

One index at a time is in memory. Its cells arrive in batches, so that only their numbers are: periods x areas for each leaf.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from duckdb import DuckDBPyConnection

from pipelines.core import fingerprint
from pipelines.statistics import index
from pipelines.statistics.normalise import Normalisation

Row = dict[str, Any]

CELLS = "intermediate.int_index_inputs where index_id = $1"
BATCH_ROWS = 500_000
SCORED, COMPARED_ONLY = "1", "0"
PERIOD = f"if(in_pool, '{COMPARED_ONLY}', '{SCORED}') || time_period as period"
"""Periods that serve only for comparison sort before the others."""


@dataclass(frozen=True)
class Axes:
    """The axes of the arrays of an index, the period of each leaf's values, and which areas are valid in which period.

    Rows from `first` on are the periods of the index. Earlier rows serve only for comparison if the index is pooled.
    """

    areas: list[str]
    periods: list[str]
    raw_periods: dict[tuple[str, int], str | None]
    valid: Any
    first: int


@dataclass(frozen=True)
class Gathered:
    """The arrays of one index."""

    declared: Row
    nodes: list[Row]
    root: index.Node
    leaves: dict[str, index.Values]
    rules: index.Rules
    axes: Axes

    @property
    def id(self) -> str:
        return str(self.declared["index_id"])

    @property
    def indicator_of(self) -> dict[str, str | None]:
        return {n["node"]: n["indicator"] for n in self.nodes}

    def key(self) -> str:
        """Return a digest of everything that the scores of the index and their robustness depend on."""
        axes, rules = self.axes, self.rules
        facts = [
            self.declared,
            self.nodes,
            repr(self.root),
            axes.areas,
            axes.periods,
            axes.first,
            sorted(axes.raw_periods.items()),
            list(self.leaves),
        ]
        facts += [rules.min_available, rules.treatment, rules.imputation, rules.pooled, rules.steps, rules.rank_partial]
        arrays = [a for leaf in self.leaves.values() for a in (leaf.raw, leaf.status)]
        return fingerprint.of_arrays(facts, [*arrays, rules.groups, axes.valid])

    def score(self) -> list[index.Scores]:
        return index.score(self.root, self.leaves, self.rules)


def gather(warehouse: DuckDBPyConnection) -> Iterator[Gathered]:
    """Yield every index that has a value, in the order of declaration."""
    declared_columns = "index_id, level, treat, impute, normalise, pooled, aggregate, min_available, uncertainty, steps, rank_partial"
    columns_of_nodes = "node, parent, indicator, weight, bound_worst, bound_best, direction, normalise, aggregate, required"
    directions = {r["indicator"]: r for r in _rows(warehouse, "indicator, direction, target_value", "staging.stg_indicators")}
    for declared in list(_rows(warehouse, declared_columns, "staging.stg_indices order by position")):
        name = declared["index_id"]
        nodes = list(_rows(warehouse, columns_of_nodes, "staging.stg_index_nodes where index_id = $1 order by position", name))
        axes = _axes(warehouse, name)
        if axes.areas:
            yield _gathered(warehouse, declared, nodes, directions, axes)


def _axes(warehouse: DuckDBPyConnection, index_id: str) -> Axes:
    areas = sorted(r["ref_area"] for r in _rows(warehouse, "distinct ref_area", CELLS, index_id))
    read = list(_rows(warehouse, f"distinct node, raw_period, {PERIOD}", CELLS, index_id))
    periods = sorted({r["period"] for r in read})
    raw_periods = {(r["node"], periods.index(r["period"])): r["raw_period"] for r in read}
    first = sum(period.startswith(COMPARED_ONLY) for period in periods)
    return Axes(areas, [period[1:] for period in periods], raw_periods, np.zeros((len(periods), len(areas)), dtype=np.bool_), first)


def _gathered(warehouse: DuckDBPyConnection, declared: Row, nodes: list[Row], directions: dict[str, Row], axes: Axes) -> Gathered:
    names = [n["node"] for n in nodes if n["indicator"] is not None]
    raw = np.full((len(names), *axes.valid.shape), np.nan)
    status = np.full(raw.shape, index.STATUSES.index("O"), dtype=np.int8)
    periods = [(COMPARED_ONLY if t < axes.first else SCORED) + period for t, period in enumerate(axes.periods)]
    for cells in _batches(warehouse, declared["index_id"]):
        period, area = _codes(cells["period"], periods), _codes(cells["ref_area"], axes.areas)
        at = (_codes(cells["node"], names), period, area)
        raw[at] = cells["obs_value"].to_numpy()
        status[at] = _codes(cells["obs_status"], index.STATUSES)
        axes.valid[period, area] = True  # an area has no row in a period in which it is not valid
    root = _tree(declared, nodes, directions, axes)
    imputation = json.loads(declared["impute"]) if declared["impute"] else {}
    rules = index.Rules(
        min_available=declared["min_available"],
        treatment=_treatment(declared["treat"]),
        imputation=imputation.get("method"),
        groups=_groups(warehouse, imputation.get("by"), axes.areas),
        pooled=bool(declared["pooled"]),
        valid=axes.valid,
        steps=tuple(declared["steps"].split(",")),
        rank_partial=bool(declared["rank_partial"]),
    )
    leaves = {name: index.Values(raw[i], status[i]) for i, name in enumerate(names)}
    return Gathered(declared, nodes, root, leaves, rules, axes)


def _batches(warehouse: DuckDBPyConnection, index_id: str) -> Iterator[pl.DataFrame]:
    query = f"select node, {PERIOD}, ref_area, obs_value, obs_status from {CELLS}"
    for batch in warehouse.execute(query, [index_id]).to_arrow_reader(BATCH_ROWS):
        yield pl.DataFrame(batch)


def _codes(names: pl.Series, categories: list[str]) -> Any:
    """Return the place of each name in `categories`."""
    return names.cast(pl.Enum(categories)).to_physical().to_numpy()


def _tree(declared: Row, nodes: list[Row], directions: dict[str, Row], axes: Axes) -> index.Node:
    def build(row: Row) -> index.Node:
        children = tuple(build(n) for n in nodes if n["parent"] == row["node"])
        if children:
            aggregation = row["aggregate"] or declared["aggregate"]
            return index.Node(row["node"], row["weight"], children, aggregation, required=bool(row["required"]))
        normalisation = _normalisation(declared, row, directions[row["indicator"]], axes)
        return index.Node(row["node"], row["weight"], normalisation=normalisation, required=bool(row["required"]))

    return build(next(n for n in nodes if n["parent"] is None))


def _normalisation(declared: Row, node: Row, indicator: Row, axes: Axes) -> Normalisation:
    how = json.loads(node["normalise"] or declared["normalise"])
    reference = how.get("reference")
    scale = how.get("scale")
    return Normalisation(
        method=how["method"],
        direction=node["direction"] or indicator["direction"],
        scale=(scale[0], scale[1]) if scale else None,
        clip=how.get("clip", False),
        bounds=(node["bound_worst"], node["bound_best"]) if node["bound_worst"] is not None else None,
        target=how["target"] if how.get("target") is not None else indicator["target_value"],
        reference=axes.areas.index(reference) if reference in axes.areas else None,
    )


def _treatment(declared: str | None) -> dict[str, float] | None:
    if not declared:
        return None
    limits = json.loads(declared)
    return {"max_points": limits["max_points"], "max_skewness": limits["skewness"], "max_kurtosis": limits["kurtosis"]}


def _groups(warehouse: DuckDBPyConnection, attribute: str | None, areas: list[str]) -> Any:
    if attribute is None:
        return np.zeros(len(areas), dtype=np.int64)
    values = _rows(warehouse, "ref_area, value", "staging.stg_area_attributes where attribute = $1 order by ref_area", attribute)
    of_area = {r["ref_area"]: r["value"] for r in values}
    names = [of_area.get(a) for a in areas]
    numbers = {name: i for i, name in enumerate(sorted({n for n in names if n is not None}))}
    return np.array([-1 if n is None else numbers[n] for n in names], dtype=np.int64)


def _rows(warehouse: DuckDBPyConnection, columns: str, relation: str, *parameters: str) -> Iterator[Row]:
    result = warehouse.execute(f"select {columns} from {relation}", parameters)
    names = [column[0] for column in result.description or []]
    for row in result.fetchall():
        yield dict(zip(names, row, strict=True))
