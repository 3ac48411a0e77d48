"""The differences inside territories in the files for programs, from a table of dispersion."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl

from exports.api import encode
from exports.api.cohesion import CohesionTables
from exports.api.territory import Territory

ROWS = [
    ("iqr", "2023", None, "Z"), ("iqr", "2024", 1.5, "A"), ("sd", "2023", 2.0, "A"), ("sd", "2024", 2.5, "A"), ("sd_left", "2023", None, "Z"),
    ("sd_left", "2024", None, "Z"),
]  # fmt: skip


def territory() -> Territory:
    none = np.array([], dtype=np.int64)
    return Territory(pl.DataFrame(), {"CZ": 0}, (), none, (), none, (), (), ())


def test_statistics_without_a_value_are_left_out(tmp_path: Path) -> None:
    columns = {name: [row[at] for row in ROWS] for at, name in enumerate(("statistic", "time_period", "obs_value", "obs_status"))}
    rows = pl.DataFrame(columns).with_columns(
        indicator=pl.lit("share"), within=pl.lit("CZ"), of_level=pl.lit("lau"), by_level=pl.lit(None, pl.String), sex=pl.lit("_T"),
        n=pl.lit(3), coverage=pl.lit(1.0),
    )  # fmt: skip
    rows.write_parquet(tmp_path / "cohesion_dispersion.parquet")
    document = json.loads(encode.document(CohesionTables(tmp_path, territory()).document("share")))
    assert document["periods"] == ["2023", "2024"]
    [group] = document["dispersion"]
    assert group["statistics"] == {"iqr": [None, 1.5], "sd": [2, 2.5]}
    assert (group["status"], group["status_of"]) == ("AA", {"iqr": "ZA", "sd_left": "ZZ"})
