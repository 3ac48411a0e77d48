"""Chooses the peers of all areas, level by level, and arranges them in a table. The rule is in `pipelines.statistics.peers`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from duckdb import DuckDBPyConnection

from pipelines.statistics.peers import nearest

SCHEMA = pl.Schema({"ref_area": pl.String, "position": pl.Int64, "peer": pl.String, "distance": pl.Float64})


def peer_rows(warehouse: DuckDBPyConnection) -> Iterator[pl.DataFrame]:
    """Yield the rows of SCHEMA, level by level: the peers of every area that has all attributes, among the areas of its level."""
    for (level,) in warehouse.execute("select distinct level from intermediate.int_peer_attributes order by level").fetchall():
        query = "select ref_area, attribute, position, k, obs_value from intermediate.int_peer_attributes where level = $1"
        yield _of_level(warehouse.execute(query, [level]).pl())


def _of_level(attributes: pl.DataFrame) -> pl.DataFrame:
    wide = attributes.sort("position", "ref_area").pivot("attribute", index="ref_area", values="obs_value").drop_nulls().sort("ref_area")
    names = wide["ref_area"]
    peers, distances = nearest(wide.drop("ref_area").to_numpy(), int(attributes["k"][0]))
    count = peers.shape[1]
    return pl.DataFrame(
        {
            "ref_area": names.gather(np.repeat(np.arange(len(names)), count)),
            "position": np.tile(np.arange(1, count + 1), len(names)),
            "peer": names.gather(peers.ravel()),
            "distance": distances.ravel(),
        },
        schema=SCHEMA,
    )
