"""One of several measures in a row can have a status of its own, such as confidential."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tests.support import ingested

DECLARED = (
    "fetch: {url: data/s.csv}\nread: {format: csv}\nmax_quarantined: 1\n"
    "columns: {code: {}, beds: {type: number}, houses: {type: number}, flag: {}, row: {}}\ninto: observations\n"
    "map:\n  area: {scheme: office, code: code}\n  period: \"'2024'\"\n  status: row\n"
    "  measures: {houses: houses, beds: {value: beds, status: \"case when flag = 'hidden' then 'c' else flag end\"}}\n"
)
ROWS = "code,beds,houses,flag,row\nt1,40,2,hidden,\nt2,60,3,,P\nt3,70,4,odd,E\n"


def test_status_of_a_measure_stands_before_that_of_its_row(tmp_path: Path) -> None:
    done = ingested.ingest(tmp_path, DECLARED, {"s.csv": ROWS})
    rows = done.frame.filter(pl.col("measure").is_not_null()).select("measure", "ref_area", "obs_value", "obs_status").rows()
    assert sorted(rows) == [
        ("beds", "t1", None, "C"),
        ("beds", "t2", 60.0, "P"),
        ("beds", "t3", None, "Q"),
        ("houses", "t1", 2.0, "A"),
        ("houses", "t2", 3.0, "P"),
        ("houses", "t3", 4.0, "E"),
    ]
    assert done.reasons() == [(4, "beds", "status ODD: not an observation status")]
