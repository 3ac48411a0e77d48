"""The tables that a release may lack: a file for programs leaves out what a missing table would say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl

_INDEX = ("index", "component", "ref_area", "time_period", "obs_status")
_SCORES = (
    *_INDEX, "level", "score", "rank", "rank_low", "rank_high", "peer_percentile", "n_available", "n_expected", "fifth", "oldest_input",
    "newest_input",
)  # fmt: skip
NEEDED: Mapping[str, Iterable[str]] = {
    "area_parents": ("ref_area", "parent", "valid_to"),
    "breaks": ("indicators", "period", "source"),
    "cohesion_convergence": (
        "indicator", "within", "of_level", "first_period", "last_period", "sex", "statistic", "obs_value", "obs_status", "n",
    ),
    "cohesion_dispersion": (
        "indicator", "within", "of_level", "by_level", "time_period", "sex", "statistic", "obs_value", "obs_status", "n", "coverage",
    ),
    "community": _SCORES,
    "comparisons": ("indicator", "ref_area", "sex", "age", "against", "reference_value", "outcome", "significance", "reason"),
    "index_components": (*_INDEX, "indicator", "raw", "normalised", "weight", "imputed"),
    "indices": ("index", "rankable"),
    "objective_measures": ("objective",),
    "peers": ("ref_area", "position", "peer"),
    "status_notes": ("note", "source"),
    "sustainability": _SCORES,
    "trends": ("indicator", "ref_area", "sex", "age", "first_period", "last_period", "trend", "direction"),
}  # fmt: skip
"""The columns that are read, by table."""


def path(parquet: Path, table: str) -> Path | None:
    """Return the Parquet file of a table; None if the release has none with the columns that are read."""
    file = parquet / f"{table}.parquet"
    if not file.is_file() or not set(NEEDED[table]) <= set(pl.read_parquet_schema(file)):
        return None
    return file
