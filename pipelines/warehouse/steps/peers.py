"""Chooses the peers of all areas, level by level, and arranges them in one table. The rule is in `pipelines.statistics.peers`."""

from __future__ import annotations

from typing import Any

import polars as pl
import pyarrow as pa

from pipelines.statistics.peers import nearest

SCHEMA = pl.Schema({"ref_area": pl.String, "position": pl.Int64, "peer": pl.String, "distance": pl.Float64})


def choose_peers(attributes: Any) -> pa.Table:
    """Return the rows of SCHEMA: the peers of every area that has all attributes, among the areas of its level."""
    frame = attributes.pl()
    tables = [pl.DataFrame(schema=SCHEMA)]
    for _, own in sorted(frame.partition_by("level", as_dict=True).items()):
        wide = own.sort("position", "ref_area").pivot("attribute", index="ref_area", values="obs_value").drop_nulls().sort("ref_area")
        names = wide["ref_area"]
        peers, distances = nearest(wide.drop("ref_area").to_numpy(), int(own["k"][0]))
        count = peers.shape[1]
        tables.append(
            pl.DataFrame(
                {
                    "ref_area": [name for name in names for _ in range(count)],
                    "position": [i + 1 for _ in names for i in range(count)],
                    "peer": names.gather(peers.ravel()),
                    "distance": distances.ravel(),
                },
                schema=SCHEMA,
            )
        )
    return pl.concat(tables).to_arrow()
