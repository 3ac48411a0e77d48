"""Finds the small counts and the sizes of samples whose quantiles SQL needs, and arranges these in tables. The formulas are in `statistics`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from pipelines.core import fingerprint
from pipelines.statistics.intervals import BYAR_FROM, CONFIDENCES, exact_poisson, student

POISSON = pl.Schema({
    "events": pl.Float64, "lower_95": pl.Float64, "upper_95": pl.Float64, "lower_998": pl.Float64, "upper_998": pl.Float64,
})  # fmt: skip
STUDENT = pl.Schema({"n": pl.Float64, "t_95": pl.Float64, "t_998": pl.Float64})
_EVENTS = """
    select distinct c.numerator
    from intermediate.int_indicator_cells as c
    inner join staging.stg_indicators as i on i.indicator_key = c.indicator_key
    where i.interval_kind = 'rate' and c.numerator >= 0 and c.numerator < ?
    order by all"""
_SIZES = """
    select distinct o.obs_value
    from intermediate.int_observations as o
    where o.measure_key in (select interval_n_key from staging.stg_indicators where interval_n_key is not null) and o.obs_value > 1
    order by all"""


@dataclass(frozen=True)
class Needed:
    """The numbers of events and the sizes of samples for which there are quantiles, each once and in order."""

    events: NDArray[np.float64]
    sizes: NDArray[np.float64]

    @classmethod
    def gather(cls, warehouse: DuckDBPyConnection) -> Needed:
        events = warehouse.execute(_EVENTS, [BYAR_FROM]).fetchnumpy()["numerator"]
        sizes = warehouse.execute(_SIZES).fetchnumpy()["obs_value"]
        return cls(np.asarray(events, dtype=np.float64), np.asarray(sizes, dtype=np.float64))

    def key(self) -> str:
        """Return a digest of everything that the tables depend on."""
        return fingerprint.of_arrays(["interval quantiles"], [self.events, self.sizes])

    def poisson_limits(self) -> pl.DataFrame:
        """Return the rows of POISSON."""
        limits = [limit for confidence in CONFIDENCES for limit in exact_poisson(self.events, confidence).T]
        return pl.DataFrame([self.events, *limits], schema=POISSON)

    def student_quantiles(self) -> pl.DataFrame:
        """Return the rows of STUDENT."""
        return pl.DataFrame([self.sizes, *(student(self.sizes, confidence) for confidence in CONFIDENCES)], schema=STUDENT)
