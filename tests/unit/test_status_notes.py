"""Notes of sources on values: in the lake with the observations of their rows, and in `check`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines import packs
from pipelines.core.errors import Zpo2Error
from tests.support import ingested, small_pack, small_warehouse
from tests.support.small_warehouse import SmallWarehouse

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


@pytest.fixture(scope="module")
def councils(tmp_path_factory: pytest.TempPathFactory) -> SmallWarehouse:
    """Towns a to d in 2010, of which d became e in 2015. Nobody stood in b, c is without a council by law, and two notes are on e."""
    folder = tmp_path_factory.mktemp("councils")
    notes: list[dict[str, Any]] = [
        {"areas": "ref_area = 'c'", "measures": ["stood"], "undefined": True, "note": "No council by law"},
        {"where": "code = 'a'", "measures": ["stood"], "always": True, "note": "Counted by hand"},
        {"where": "code = 'd'", "measures": ["stood"], "note": "Counted twice"},
        {"areas": "all", "measures": ["stood"], "note": "Nobody stood"},
    ]
    figures = "period,code,sex,stood\n" + "".join(f"2010,{town},{sex},1\n" for town in ("a", "d") for sex in "MFF")
    indicators = [
        small_pack.indicator(
            "women", {"numerator": [{"measure": "stood", "sex": "F"}], "denominator": [{"measure": "stood"}], "missing": "zero"}
        ),
        small_pack.indicator("stood", {"numerator": [{"measure": "stood"}]}),
    ]
    pack = small_pack.write(
        folder / "pack", {"N": ("a", "b", "c", "d", "e")}, figures, indicators, {"stood": {"value": "stood", "aggregate": "sum"}},
        source={"notes": notes, "universe": "level = 'town' and ref_area <> 'c'"},
    )  # fmt: skip
    small_pack.add_changes(pack, "d,e,2015-01-01")
    return small_warehouse.build(pack, folder / "home")


@pytest.mark.slow
def test_notes_reach_areas_without_a_row_and_what_areas_became(councils: SmallWarehouse) -> None:
    rows = councils.connection.execute(
        "select ref_area, obs_value, obs_status, status_note from marts.indicator_values "
        "where indicator = 'women' and sex = '_T' and level = 'town' order by 1"
    ).fetchall()
    assert rows == [
        ("a", pytest.approx(2 / 3), "A", "figures_2"),  # the only note that stands on a normal value
        ("b", None, "Z", "figures_4"),  # a share of nobody
        ("c", None, "Z", "figures_1"),
        ("e", pytest.approx(2 / 3), "E", "figures_3"),  # in the order of the declaration
    ]


@pytest.mark.slow
def test_an_area_where_nothing_can_be_is_not_defined_and_one_without_rows_is_missing(councils: SmallWarehouse) -> None:
    assert councils.values("stood", "2010") == {
        "a": (3, "A"), "b": (None, "M"), "c": (None, "Z"), "e": (3, "E"), "N": (None, "L"), "L": (None, "L"),
    }  # fmt: skip
    # a share of nobody adds nothing to the sums above, and its town is covered
    assert councils.values("women", "2010")["N"][0] is None
    assert councils.differences("women", "stood") == []
    assert councils.explained("stood", "c", "2010").undefined_by_source


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("where: \"flag = 'lost'\", measures", "areas: flag = 1, measures", "notes.0.areas"),
        ("where: \"flag = 'lost'\", measures", "where: flag = 'lost', areas: all, measures", "either where or areas"),
        ("where: \"flag = 'lost'\", measures", "undefined: true, measures", "undefined: needs areas"),
        ("measures: [beds]", "measures: [rooms]", "rooms: not a measure of this source"),
        ("flag = 'lost'", "flags = 'lost'", "notes.0.where"),
        ("note: Lost on the way", "note: {de: Verloren}", "the text is only in de"),
    ],
)
def test_check_refuses_a_wrong_note(tmp_path: Path, old: str, new: str, message: str) -> None:
    pack = ingested.write(tmp_path, DECLARED.replace(old, new), {"s.csv": ROWS})
    with pytest.raises(Zpo2Error, match=message):
        packs.load(pack)
