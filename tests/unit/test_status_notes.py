"""Notes of sources on values: in the lake with the observations of their rows, and in `check`."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipelines import packs
from pipelines.core.errors import Zpo2Error
from tests.support import ingested, small_pack, small_warehouse

DECLARED = (
    "fetch: {url: data/s.csv}\nread: {format: csv}\n"
    "notes:\n  - {where: \"flag = 'lost'\", measures: [beds], note: Lost on the way}\n  - {measures: [beds, houses], note: Counted by hand}\n"
    "columns: {code: {}, beds: {type: number}, houses: {type: number}, flag: {}}\ninto: observations\n"
    "map: {area: {scheme: office, code: code}, period: \"'2024'\", measures: {houses: houses, beds: {value: beds, aggregate: sum}, other: '1'}}\n"
)
ROWS = "code,beds,houses,flag\nt1,,2,lost\nt2,60,3,\n"


def test_first_note_of_a_row_goes_with_its_observations(tmp_path: Path) -> None:
    done = ingested.ingest(tmp_path, DECLARED, {"s.csv": ROWS})
    rows = done.frame.filter(pl.col("measure").is_not_null()).select("measure", "ref_area", "note").rows()
    assert sorted(rows, key=str) == [
        ("beds", "t1", "s_1"), ("beds", "t2", "s_2"), ("houses", "t1", "s_2"), ("houses", "t2", "s_2"), ("other", "t1", None), ("other", "t2", None),
    ]  # fmt: skip


@pytest.mark.slow
def test_value_with_a_status_refers_to_the_note(tmp_path: Path) -> None:
    notes = [{"where": "flag = 'lost'", "measures": ["beds"], "note": "Lost on the way"}]
    figures = "period,code,beds,flag\n2024,a,,lost\n2024,b,5,lost\n2024,c,,\n"
    indicators = [small_pack.indicator("beds", {"numerator": [{"measure": "beds"}]})]
    columns = {"period": {}, "code": {}, "beds": {"type": "number"}, "flag": {}}
    source = {"notes": notes, "columns": columns}
    pack = small_pack.write(tmp_path / "pack", {"N": ("a", "b", "c")}, figures, indicators, {"flag": "beds"}, source=source)
    warehouse = small_warehouse.build(pack, tmp_path / "home")
    rows = warehouse.connection.execute(
        "select ref_area, obs_status, status_note from marts.indicator_values where indicator = 'beds' order by 1"
    )
    assert rows.fetchall() == [("L", "L", None), ("N", "L", None), ("a", "M", "figures_1"), ("b", "A", None), ("c", "M", None)]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("measures: [beds]", "measures: [rooms]", "rooms: not a measure of this source"),
        ("flag = 'lost'", "flags = 'lost'", "notes.0.where"),
        ("note: Lost on the way", "note: {de: Verloren}", "the text is only in de"),
    ],
)
def test_check_refuses_a_wrong_note(tmp_path: Path, old: str, new: str, message: str) -> None:
    pack = ingested.write(tmp_path, DECLARED.replace(old, new), {"s.csv": ROWS})
    with pytest.raises(Zpo2Error, match=message):
        packs.load(pack)
