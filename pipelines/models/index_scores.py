"""The indices of a pack from the warehouse's relations to one table of scores: gathers arrays, applies `methods.index`, lays it out.

No rule of an index stands here. A relation is anything with `project`, `order` and `fetchnumpy`, as DuckDB's are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from pipelines.methods import index
from pipelines.methods.normalise import Normalisation

SCHEMA = {
    "index_id": pl.String, "node": pl.String, "parent": pl.String, "indicator": pl.String, "ref_area": pl.String, "time_period": pl.String,
    "raw_period": pl.String, "raw": pl.Float64, "treated": pl.Float64, "score": pl.Float64, "weight": pl.Float64, "imputed": pl.Boolean,
    "obs_status": pl.String, "rank": pl.Int64, "n_available": pl.Int64, "n_expected": pl.Int64,
}  # fmt: skip

Row = dict[str, Any]


@dataclass(frozen=True)
class Axes:
    """What the arrays of an index run over, and the period in which each leaf was read."""

    areas: list[str]
    periods: list[str]
    raw_periods: dict[tuple[str, str], str | None]


def score_indices(indices: Any, nodes: Any, indicators: Any, attributes: Any, inputs: Any) -> pa.Table:
    """Return one row for each node, area and period of each index, with the columns of SCHEMA."""
    declared = list(_rows(indices, "index_id, level, treat, impute, normalise, pooled, aggregate, min_available", "position"))
    columns_of_nodes = "index_id, node, parent, indicator, weight, bound_worst, bound_best, direction, normalise, aggregate"
    all_nodes = list(_rows(nodes, columns_of_nodes, "position"))
    directions = {r["indicator"]: r for r in _rows(indicators, "indicator, direction, target_value", "position")}
    of_area = {(r["attribute"], r["ref_area"]): r["value"] for r in _rows(attributes, "attribute, ref_area, value", "ref_area")}
    columns = inputs.project("index_id, node, time_period, ref_area, raw_period, obs_value, obs_status").fetchnumpy()
    tables = [pl.DataFrame(schema=SCHEMA)]
    for one in declared:
        mine = columns["index_id"] == one["index_id"]
        if mine.any():
            own_nodes = [n for n in all_nodes if n["index_id"] == one["index_id"]]
            tables.append(_score(one, own_nodes, directions, of_area, _taken(columns, mine)))
    return pl.concat(tables).to_arrow()


def _score(
    declared: Row, nodes: list[Row], directions: dict[str, Row], of_area: dict[tuple[str, str], str], cells: dict[str, Any]
) -> pl.DataFrame:
    areas, area = np.unique(cells["ref_area"].astype(str), return_inverse=True)
    periods, period = np.unique(cells["time_period"].astype(str), return_inverse=True)
    code = np.array([index.STATUSES.index(s) for s in cells["obs_status"]], dtype=np.int8)
    axes = Axes(areas.tolist(), periods.tolist(), {})
    # an area that is not valid in a period of the index has no row there
    valid = np.zeros((len(periods), len(areas)), dtype=np.bool_)
    valid[period, area] = True
    leaves = {}
    for node in (n for n in nodes if n["indicator"] is not None):
        at = np.flatnonzero(cells["node"] == node["node"])
        raw = np.full(valid.shape, np.nan)
        status = np.full(valid.shape, index.STATUSES.index("O"), dtype=np.int8)
        raw[period[at], area[at]] = cells["obs_value"][at]
        status[period[at], area[at]] = code[at]
        leaves[node["node"]] = index.Values(raw, status)
        for t, name in zip(period[at], cells["raw_period"][at], strict=True):
            axes.raw_periods[node["node"], periods[t]] = name
    root = _tree(declared, nodes, directions, axes)
    imputation = json.loads(declared["impute"]) if declared["impute"] else {}
    rules = index.Rules(
        min_available=declared["min_available"],
        treatment=_treatment(declared["treat"]),
        imputation=imputation.get("method"),
        groups=_groups(imputation.get("by"), axes.areas, of_area),
        pooled=bool(declared["pooled"]),
    )
    indicator_of = {n["node"]: n["indicator"] for n in nodes}
    return pl.concat([_laid_out(declared["index_id"], s, indicator_of, axes, valid) for s in index.score(root, leaves, rules)])


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


def _laid_out(index_id: str, scores: index.Scores, indicator_of: dict[str, str | None], axes: Axes, valid: Any) -> pl.DataFrame:
    t, a = np.nonzero(valid)
    name = scores.node.name
    siblings = sum(c.weight for c in scores.parent.children) if scores.parent else scores.node.weight
    return pl.DataFrame(
        {
            "ref_area": pl.Series(axes.areas, dtype=pl.String).gather(a),
            "time_period": pl.Series(axes.periods, dtype=pl.String).gather(t),
            "raw_period": pl.Series([axes.raw_periods.get((name, p)) for p in axes.periods], dtype=pl.String).gather(t),
            "raw": scores.raw[t, a],
            "treated": scores.treated[t, a],
            "score": scores.score[t, a],
            "imputed": scores.imputed[t, a],
            "obs_status": pl.Series(index.STATUSES).gather(scores.status[t, a]),
            "rank": scores.rank[t, a],
            "n_available": scores.available[t, a],
        },
        nan_to_null=True,
    ).select(
        pl.lit(index_id).alias("index_id"),
        pl.lit(name).alias("node"),
        pl.lit(scores.parent.name if scores.parent else None, pl.String).alias("parent"),
        pl.lit(indicator_of[name], pl.String).alias("indicator"),
        pl.col("ref_area", "time_period", "raw_period", "raw", "treated", "score"),
        pl.lit(scores.node.weight / siblings if siblings else 0.0).alias("weight"),
        pl.col("imputed", "obs_status"),
        pl.col("rank").cast(pl.Int64),
        pl.col("n_available"),
        pl.lit(scores.expected, pl.Int64).alias("n_expected"),
    )


def _rows(relation: Any, columns: str, order: str) -> Iterator[Row]:
    names = columns.split(", ")
    for row in relation.order(order).project(columns).fetchall():
        yield dict(zip(names, row, strict=True))


def _taken(columns: dict[str, Any], mask: Any) -> dict[str, Any]:
    """Return the rows of `mask`, nulls as NaN or None."""

    def filled(values: Any) -> Any:
        if values.dtype.kind == "f":
            return np.ma.filled(values, np.nan)
        found = np.ma.getdata(values).astype(object)
        found[np.ma.getmaskarray(values)] = None  # numpy's own filling of objects is the text "?"
        return found

    return {name: filled(values)[mask] for name, values in columns.items()}
