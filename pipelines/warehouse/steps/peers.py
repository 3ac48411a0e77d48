"""Chooses the peers of all areas, level by level, and arranges them in a table. The rule is in `pipelines.statistics.peers`."""

from __future__ import annotations

import numpy as np
import polars as pl
from duckdb import DuckDBPyConnection

from pipelines.core import fingerprint
from pipelines.statistics.peers import nearest

SCHEMA = pl.Schema({"ref_area": pl.String, "position": pl.Int64, "peer": pl.String, "distance": pl.Float64})


def levels(warehouse: DuckDBPyConnection) -> list[str]:
    """Return the levels whose areas have peers."""
    rows = warehouse.execute("select distinct level from intermediate.int_peer_attributes order by level").fetchall()
    return [level for (level,) in rows]


def attributes(warehouse: DuckDBPyConnection, level: str) -> pl.DataFrame:
    """Return the attributes of the areas of a level, in a fixed order."""
    query = "select ref_area, attribute, position, k, obs_value from intermediate.int_peer_attributes where level = $1"
    return warehouse.execute(query, [level]).pl().sort("position", "ref_area")


def key(attributes: pl.DataFrame) -> str:
    """Return a digest of everything that the peers of a level depend on."""
    return fingerprint.of_arrays(
        [attributes[name].to_list() for name in ("ref_area", "attribute", "k")], [attributes["obs_value"].to_numpy()]
    )


def peer_rows(attributes: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of SCHEMA for a level: the peers of every area that has all attributes, among the areas of the level."""
    # an attribute may be called ref_area
    wide = attributes.rename({"ref_area": "__area"}).pivot("attribute", index="__area", values="obs_value").drop_nulls().sort("__area")
    names = wide["__area"]
    peers, distances = nearest(wide.drop("__area").to_numpy(), int(attributes["k"][0]))
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
