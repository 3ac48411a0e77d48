"""Where an area was divided, people are divided, and land is not: it stays with the area that kept the identifier, and in all sums."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import packs
from pipelines.core.errors import Zpo2Error
from tests.support import small_pack, small_warehouse
from tests.support.small_warehouse import SmallWarehouse

FIGURES = "period,code,people,land,forest\n2010,zone,30,900,600\n2010,old,70,100,10\n2020,zone,0,700,500\n2020,new,40,200,100\n2020,old,60,100,10\n"
"""All people of the zone live in what became the new town in 2015, and most of the land stayed in the zone."""


def write(folder: Path) -> Path:
    people, land = {"measure": "people"}, {"measure": "land"}
    indicators = [
        small_pack.indicator("people", {"numerator": [people]}),
        small_pack.indicator("forest_share", {"numerator": [{"measure": "forest"}], "denominator": [land], "multiplier": 100}),
        small_pack.indicator("land_per_head", {"numerator": [land], "denominator": [people]}),
        small_pack.indicator("land_times_areas", {"numerator": [{"measure": "land", "times": "areas"}], "denominator": [land]}),
    ]
    measures = {name: {"value": name, "divisible": False} for name in ("land", "forest")}
    pack = small_pack.write(folder, {"N": ("zone", "new", "old")}, FIGURES, indicators, measures, weight="people")
    small_pack.add_changes(pack, "zone,zone,2015-01-01", "zone,new,2015-01-01")
    return pack


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> SmallWarehouse:
    folder = tmp_path_factory.mktemp("zone")
    return small_warehouse.build(write(folder / "pack"), folder / "home")


@pytest.mark.slow
def test_land_is_not_divided_by_people(warehouse: SmallWarehouse) -> None:
    assert warehouse.values("people", "2010") == {"zone": (0, "E"), "new": (30, "E"), "old": (70, "A"), "N": (100, "E"), "L": (100, "E")}
    shares = warehouse.values("forest_share", "2010")
    assert {area: shares[area] for area in ("zone", "new", "old")} == {
        "zone": (pytest.approx(100 * 600 / 900), "E"),
        "new": (None, "O"),
        "old": (10, "A"),
    }
    # nothing is lost: the sums above have all land, whatever their coverage by people is
    [(forest, land)] = warehouse.connection.execute(
        "select numerator, denominator from marts.indicator_values where indicator = 'forest_share' and ref_area = 'L' and time_period = '2010'"
    ).fetchall()
    assert (forest, land) == (610, 1000)
    assert warehouse.values("forest_share", "2020")["new"] == (50, "A")
    assert warehouse.values("land_per_head", "2010")["zone"] == (None, "Z")
    assert warehouse.values("land_times_areas", "2010")["new"] == (None, "O")


@pytest.mark.slow
def test_explain_finds_the_same_numbers(warehouse: SmallWarehouse) -> None:
    assert warehouse.differences("people", "forest_share", "land_per_head", "land_times_areas") == []


def test_check_refuses_an_undivided_mean(tmp_path: Path) -> None:
    pack = write(tmp_path)
    file = pack / "sources" / "figures.yml"
    file.write_text(
        file.read_text(encoding="utf-8").replace('"divisible": false', '"additive": false, "divisible": false', 1), encoding="utf-8"
    )
    with pytest.raises(Zpo2Error, match="a measure that is not additive is never divided"):
        packs.load(pack)
