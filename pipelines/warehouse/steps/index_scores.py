"""Arranges the scores of an index in a table. The rules are in `pipelines.statistics.index`; `index_inputs` prepares the arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from pipelines.core.vocabulary import first_day
from pipelines.statistics import index
from pipelines.warehouse.steps.index_inputs import Axes, Gathered

SCHEMA = pl.Schema({
    "index_id": pl.String, "node": pl.String, "parent": pl.String, "indicator": pl.String, "ref_area": pl.String, "time_period": pl.String,
    "raw_period": pl.String, "raw": pl.Float64, "treated": pl.Float64, "score": pl.Float64, "weight": pl.Float64, "imputed": pl.Boolean,
    "obs_status": pl.String, "rank": pl.Int64, "n_available": pl.Int64, "n_expected": pl.Int64,
    "oldest_input": pl.String, "newest_input": pl.String,
})  # fmt: skip
NO_INPUT = -1
Span = tuple[Any, Any]
"""The oldest and the newest period of the raw values below a node, as their places among all of them (periods x areas)."""


def score_rows(one: Gathered, scores: Iterable[index.Scores]) -> Iterator[pl.DataFrame]:
    """Yield the rows of SCHEMA of an index: one per node, area and period."""
    names = {period for period in one.axes.raw_periods.values() if period is not None}
    inputs = sorted(names, key=lambda period: (first_day(period) or date.min, period))
    spans: dict[str, Span] = {}
    for of_node in scores:
        spans[of_node.node.name] = span = _span(of_node, spans, inputs, one.axes)
        yield _laid_out(one.id, of_node, one.indicator_of, one.axes, inputs, span)


def _span(scores: index.Scores, spans: Mapping[str, Span], inputs: Sequence[str], axes: Axes) -> Span:
    if not scores.node.children:
        periods = [axes.raw_periods.get((scores.node.name, t)) for t in range(len(axes.periods))]
        places = np.array([NO_INPUT if period is None else inputs.index(period) for period in periods])
        place = np.where(np.isnan(scores.raw), NO_INPUT, places[:, np.newaxis])
        return place, place
    oldest, newest = (np.array([spans[child.name][end] for child in scores.node.children]) for end in (0, 1))
    oldest = np.where(oldest == NO_INPUT, len(inputs), oldest).min(axis=0)
    return np.where(oldest == len(inputs), NO_INPUT, oldest), newest.max(axis=0)


def _laid_out(
    index_id: str, scores: index.Scores, indicator_of: dict[str, str | None], axes: Axes, inputs: Sequence[str], span: Span
) -> pl.DataFrame:
    t, a = np.nonzero(axes.valid[axes.first :])
    t += axes.first
    name = scores.node.name
    of_place = pl.Series([*inputs, None], dtype=pl.String)  # the last one stands for no input
    siblings = sum(c.weight for c in scores.parent.children) if scores.parent else scores.node.weight
    return pl.DataFrame(
        {
            "ref_area": pl.Series(axes.areas, dtype=pl.String).gather(a),
            "time_period": pl.Series(axes.periods, dtype=pl.String).gather(t),
            "raw_period": pl.Series([axes.raw_periods.get((name, at)) for at in range(len(axes.periods))], dtype=pl.String).gather(t),
            "raw": scores.raw[t, a],
            "treated": scores.treated[t, a],
            "score": scores.score[t, a],
            "imputed": scores.imputed[t, a],
            "obs_status": pl.Series(index.STATUSES).gather(scores.status[t, a]),
            "rank": scores.rank[t, a],
            "n_available": scores.available[t, a],
            "oldest_input": of_place.gather(span[0][t, a] % len(of_place)),
            "newest_input": of_place.gather(span[1][t, a] % len(of_place)),
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
        pl.col("oldest_input", "newest_input"),
    )
