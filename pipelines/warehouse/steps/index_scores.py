"""Arranges the scores of an index in a table. The rules are in `pipelines.statistics.index`; `index_inputs` prepares the arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import polars as pl

from pipelines.statistics import index
from pipelines.warehouse.steps.index_inputs import Axes, Gathered

SCHEMA = pl.Schema({
    "index_id": pl.String, "node": pl.String, "parent": pl.String, "indicator": pl.String, "ref_area": pl.String, "time_period": pl.String,
    "raw_period": pl.String, "raw": pl.Float64, "treated": pl.Float64, "score": pl.Float64, "weight": pl.Float64, "imputed": pl.Boolean,
    "obs_status": pl.String, "rank": pl.Int64, "n_available": pl.Int64, "n_expected": pl.Int64,
})  # fmt: skip


def score_rows(one: Gathered, scores: Iterable[index.Scores]) -> Iterator[pl.DataFrame]:
    """Yield the rows of SCHEMA of an index: one per node, area and period."""
    for of_node in scores:
        yield _laid_out(one.id, of_node, one.indicator_of, one.axes)


def _laid_out(index_id: str, scores: index.Scores, indicator_of: dict[str, str | None], axes: Axes) -> pl.DataFrame:
    t, a = np.nonzero(axes.valid[axes.first :])
    t += axes.first
    name = scores.node.name
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
