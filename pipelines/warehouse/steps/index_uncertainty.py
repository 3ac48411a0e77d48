"""Computes the robustness of an index and arranges it in tables.

The statistics are in `pipelines.statistics.uncertainty` and `pipelines.statistics.sensitivity`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from pipelines.statistics import sensitivity, uncertainty
from pipelines.statistics.index import Node, Scores
from pipelines.warehouse.steps.index_inputs import Gathered

INTERVALS = pl.Schema({
    "index_id": pl.String, "node": pl.String, "ref_area": pl.String, "time_period": pl.String, "rank_low": pl.Int64, "rank_high": pl.Int64,
})  # fmt: skip
SENSITIVITY = pl.Schema({"index_id": pl.String, "component": pl.String, "statistic": pl.String, "obs_value": pl.Float64})


def rank_intervals(one: Gathered, scores: list[Scores]) -> pl.DataFrame:
    """Return the rows of INTERVALS: the interval of every rank, where the index declares uncertainty."""
    return pl.concat([pl.DataFrame(schema=INTERVALS), *(_intervals(one, scores) if one.declared["uncertainty"] else [])])


def sensitivity_rows(one: Gathered, scores: list[Scores], intervals: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of SENSITIVITY, for the newest period of the index; a value that is not defined is null."""
    newest = len(one.axes.periods) - 1
    rows = list(_of_components(one, scores, newest))
    if one.declared["uncertainty"]:
        rows += _of_choices(one, scores, newest)
        rows.append({"component": one.root.name, "statistic": "rank_interval_share", "obs_value": _interval_share(one, intervals)})
    frame = pl.DataFrame([{"index_id": one.id, **row} for row in rows], schema=SENSITIVITY)
    return frame.with_columns(pl.col("obs_value").fill_nan(None))


def _intervals(one: Gathered, scores: list[Scores]) -> Iterator[pl.DataFrame]:
    declared, methods = _declared(one)
    tables = uncertainty.leaf_tables(scores, methods, one.rules)
    generator = np.random.Generator(np.random.PCG64(declared["seed"]))
    choices = uncertainty.draw(one.root, declared["replicates"], declared["vary"], len(methods), generator)
    groups = [s for s in scores if s.node.children]
    for t, period in enumerate(one.axes.periods[one.axes.first :], one.axes.first):
        is_valid = one.axes.valid[t]
        now = [table[:, t, is_valid] for table in tables]
        ranked = {group.node.name: ~np.isnan(group.rank[t, is_valid]) for group in groups}
        ranks = uncertainty.replicate_ranks(one.root, now, choices, one.rules.at(t), ranked)
        areas = [area for area, valid in zip(one.axes.areas, is_valid, strict=True) if valid]
        for group in groups:
            low, high = uncertainty.rank_interval(ranks[group.node.name], group.rank[t, is_valid])
            yield pl.DataFrame(
                {"ref_area": areas, "rank_low": low, "rank_high": high}, nan_to_null=True
            ).drop_nulls().select(
                pl.lit(one.id).alias("index_id"),
                pl.lit(group.node.name).alias("node"),
                "ref_area",
                pl.lit(period).alias("time_period"),
                pl.col("rank_low", "rank_high").cast(pl.Int64),
            )  # fmt: skip


def _interval_share(one: Gathered, intervals: pl.DataFrame) -> float:
    newest = intervals.filter(node=one.root.name, time_period=one.axes.periods[-1])
    low, high = (newest[column].cast(pl.Float64).to_numpy() for column in ("rank_low", "rank_high"))
    return uncertainty.rank_interval_share(low, high)


def _declared(one: Gathered) -> tuple[dict[str, Any], list[str]]:
    """Return the declaration of uncertainty, and the normalisations from which replicates draw."""
    return json.loads(one.declared["uncertainty"]), uncertainty.alternatives(json.loads(one.declared["normalise"])["method"])


def _of_components(one: Gathered, scores: list[Scores], t: int) -> Iterator[dict[str, Any]]:
    is_valid = one.axes.valid[t]
    now = {id(s.node): s.score[t, is_valid] for s in scores}
    index_score, names, shares = now[id(one.root)], _names(one), _shares(one.root)
    is_ranked = ~np.isnan(scores[-1].rank[t, is_valid])
    for part in scores:
        node = part.node
        if node.children:
            items = np.array([now[id(child)] for child in node.children])
            yield {"component": names[id(node)], "statistic": "cronbach_alpha", "obs_value": sensitivity.cronbach_alpha(items)}
        if node is one.root:
            continue
        values = {
            "correlation": sensitivity.correlation(now[id(node)], index_score),
            "effective_weight": sensitivity.effective_weight(now[id(node)], index_score, shares[id(node)]),
            "mean_abs_rank_change": sensitivity.shift_without(one.root, node, now, one.rules.at(t), is_ranked),
        }
        yield from ({"component": names[id(node)], "statistic": name, "obs_value": value} for name, value in values.items())


def _of_choices(one: Gathered, scores: list[Scores], t: int) -> Iterator[dict[str, Any]]:
    declared, methods = _declared(one)
    is_valid = one.axes.valid[t]
    now = [table[:, t, is_valid] for table in uncertainty.leaf_tables(scores, methods, one.rules)]
    vary = list(dict.fromkeys(declared["vary"]))
    generator = np.random.Generator(np.random.PCG64(declared["seed"]))
    samples = -(-declared["replicates"] // 2)  # the output for two sets of choices and for every mixture of them
    first, second = (uncertainty.draw(one.root, samples, vary, len(methods), generator) for _ in range(2))
    name, base = one.root.name, scores[-1].rank[t, is_valid]
    ranked = {name: ~np.isnan(base)}

    def output(choices: uncertainty.Choices) -> Any:
        return sensitivity.mean_rank_shift(uncertainty.replicate_ranks(one.root, now, choices, one.rules.at(t), ranked)[name], base)

    a, b = output(first), output(second)
    for choice, mixed in sensitivity.mixed_choices(first, second, vary).items():
        own, total = sensitivity.sobol(a, b, output(mixed))
        yield {"component": choice, "statistic": "sobol_first", "obs_value": own}
        yield {"component": choice, "statistic": "sobol_total", "obs_value": total}


def _names(one: Gathered) -> dict[int, str]:
    """Return the published name of each node. A leaf has the name of its indicator, or its full name if that is not unique."""
    names: dict[int, tuple[str, str]] = {}

    def walk(node: Node) -> None:
        names[id(node)] = (one.indicator_of.get(node.name) or node.name, node.name)
        for child in node.children:
            walk(child)

    walk(one.root)
    short = [name for name, _ in names.values()]
    return {key: name if short.count(name) == 1 else whole for key, (name, whole) in names.items()}


def _shares(root: Node) -> dict[int, float]:
    """Return the declared share of every node in the whole index, by the `id()` of the node."""
    shares = {id(root): 1.0}

    def walk(node: Node) -> None:
        total = sum(child.weight for child in node.children)
        for child in node.children:
            shares[id(child)] = shares[id(node)] * child.weight / total if total else 0.0
            walk(child)

    walk(root)
    return shares
