"""Reads the declaration and the values of each index from the warehouse into the arrays of `pipelines.statistics.index`.

A relation is anything with `project`, `order` and `fetchnumpy`, as DuckDB's are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.statistics import index
from pipelines.statistics.normalise import Normalisation

Row = dict[str, Any]


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

    def score(self) -> list[index.Scores]:
        return index.score(self.root, self.leaves, self.rules)


def gather(indices: Any, nodes: Any, indicators: Any, attributes: Any, inputs: Any) -> Iterator[Gathered]:
    """Yield every index that has a value, in the order of declaration."""
    declared_columns = "index_id, level, treat, impute, normalise, pooled, aggregate, min_available, uncertainty"
    declared = list(_rows(indices, declared_columns, "position"))
    columns_of_nodes = "index_id, node, parent, indicator, weight, bound_worst, bound_best, direction, normalise, aggregate"
    all_nodes = list(_rows(nodes, columns_of_nodes, "position"))
    directions = {r["indicator"]: r for r in _rows(indicators, "indicator, direction, target_value", "position")}
    of_area = {(r["attribute"], r["ref_area"]): r["value"] for r in _rows(attributes, "attribute, ref_area, value", "ref_area")}
    columns = inputs.project("index_id, node, time_period, ref_area, raw_period, obs_value, obs_status, in_pool").fetchnumpy()
    for one in declared:
        mine = columns["index_id"] == one["index_id"]
        if mine.any():
            own_nodes = [n for n in all_nodes if n["index_id"] == one["index_id"]]
            yield _gathered(one, own_nodes, directions, of_area, _taken(columns, mine))


def _gathered(
    declared: Row, nodes: list[Row], directions: dict[str, Row], of_area: dict[tuple[str, str], str], cells: dict[str, Any]
) -> Gathered:
    areas, area = np.unique(cells["ref_area"].astype(str), return_inverse=True)
    own = ~cells["in_pool"].astype(np.bool_)
    # periods that serve only for comparison sort before the others
    rows, period = np.unique(np.char.add(np.where(own, "1", "0"), cells["time_period"].astype(str)), return_inverse=True)
    periods = [row[1:] for row in rows.tolist()]
    first = sum(row.startswith("0") for row in rows.tolist())
    code = np.array([index.STATUSES.index(s) for s in cells["obs_status"]], dtype=np.int8)
    # an area has no row in a period in which it is not valid
    valid = np.zeros((len(periods), len(areas)), dtype=np.bool_)
    valid[period, area] = True
    axes = Axes(areas.tolist(), periods, {}, valid, first)
    leaves = {}
    for node in (n for n in nodes if n["indicator"] is not None):
        at = np.flatnonzero(cells["node"] == node["node"])
        raw = np.full(valid.shape, np.nan)
        status = np.full(valid.shape, index.STATUSES.index("O"), dtype=np.int8)
        raw[period[at], area[at]] = cells["obs_value"][at]
        status[period[at], area[at]] = code[at]
        leaves[node["node"]] = index.Values(raw, status)
        for t, name in zip(period[at], cells["raw_period"][at], strict=True):
            axes.raw_periods[node["node"], int(t)] = name
    root = _tree(declared, nodes, directions, axes)
    imputation = json.loads(declared["impute"]) if declared["impute"] else {}
    rules = index.Rules(
        min_available=declared["min_available"],
        treatment=_treatment(declared["treat"]),
        imputation=imputation.get("method"),
        groups=_groups(imputation.get("by"), axes.areas, of_area),
        pooled=bool(declared["pooled"]),
        valid=valid,
    )
    return Gathered(declared, nodes, root, leaves, rules, axes)


def _tree(declared: Row, nodes: list[Row], directions: dict[str, Row], axes: Axes) -> index.Node:
    def build(row: Row) -> index.Node:
        children = tuple(build(n) for n in nodes if n["parent"] == row["node"])
        if children:
            return index.Node(row["node"], row["weight"], children, row["aggregate"] or declared["aggregate"])
        return index.Node(row["node"], row["weight"], normalisation=_normalisation(declared, row, directions[row["indicator"]], axes))

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


def _groups(attribute: str | None, areas: list[str], of_area: dict[tuple[str, str], str]) -> Any:
    if attribute is None:
        return np.zeros(len(areas), dtype=np.int64)
    names = [of_area.get((attribute, a)) for a in areas]
    numbers = {name: i for i, name in enumerate(sorted({n for n in names if n is not None}))}
    return np.array([-1 if n is None else numbers[n] for n in names], dtype=np.int64)


def _rows(relation: Any, columns: str, order: str) -> Iterator[Row]:
    names = columns.split(", ")
    for row in relation.order(order).project(columns).fetchall():
        yield dict(zip(names, row, strict=True))


def _taken(columns: dict[str, Any], mask: Any) -> dict[str, Any]:
    """Return the rows of `mask`, with NaN or None for null."""

    def filled(values: Any) -> Any:
        if values.dtype.kind == "f":
            return np.ma.filled(values, np.nan)
        objects = np.ma.getdata(values).astype(object)
        objects[np.ma.getmaskarray(values)] = None  # numpy would fill objects with the text "?"
        return objects

    return {name: filled(values)[mask] for name, values in columns.items()}
