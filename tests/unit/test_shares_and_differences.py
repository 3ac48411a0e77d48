"""Shares of areas below or above a threshold, and differences to the area above."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines import packs
from pipelines.core.errors import Zpo2Error
from tests.support import small_pack, small_warehouse
from tests.support.small_pack import indicator
from tests.support.small_warehouse import SmallWarehouse

AREAS = {"N": ("n1", "n2", "n3"), "S": ("s1", "s2", "s3")}
FIGURES = """\
period,code,votes,voters,heads,score
2020,n1,30,100,100,1
2020,n2,150,300,300,2
2020,n3,0,0,0,
2020,s1,45,100,150,3
2020,s2,20,100,250,4
2020,s3,,100,,5
2021,n1,60,100,,7
2020,N,,,,9
"""
TURNOUT = {"numerator": [{"measure": "votes"}], "denominator": [{"measure": "voters"}], "multiplier": 100}
INDICATORS = [
    indicator("turnout", TURNOUT),
    indicator("low", {**TURNOUT, "share_of_areas": {"below": 40}}),
    indicator("low_people", {**TURNOUT, "share_of_areas": {"below": 40, "of": "weight"}}),
    indicator("high", {**TURNOUT, "share_of_areas": {"above": 45}}),
    indicator("scores", {"numerator": [{"measure": "score"}], "share_of_areas": {"above": 1}}),
    indicator("fallen", {**TURNOUT, "change": {"years": 1, "kind": "difference"}, "share_of_areas": {"below": 0}}),
    indicator("to_land", {**TURNOUT, "difference_to": "land"}),
    indicator("to_county", {**TURNOUT, "difference_to": "county"}, levels=["town", "county"]),
    indicator("low_to_land", {**TURNOUT, "share_of_areas": {"below": 40}, "difference_to": "land"}),
]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> SmallWarehouse:
    root = tmp_path_factory.mktemp("shares")
    measures = {"score": {"value": "score", "additive": False}}
    pack = small_pack.write(root / "pack", AREAS, FIGURES, INDICATORS, measures, weight="heads", min_coverage=0.5)
    return small_warehouse.build(pack, root / "home")


@pytest.mark.slow
class TestShareOfAreas:
    def test_counts_areas_beyond_the_threshold(self, warehouse: SmallWarehouse) -> None:
        assert warehouse.values("low", "2020") == {
            "n1": (100, "A"), "n2": (0, "A"), "n3": (None, "Z"), "s1": (0, "A"), "s2": (100, "A"), "s3": (None, "M"),
            "N": (50, "A"), "S": (None, "L"), "L": (None, "L"),
        }  # fmt: skip

    def test_threshold_itself_is_not_beyond(self, warehouse: SmallWarehouse) -> None:
        assert warehouse.values("high", "2020")["s1"] == (0, "A")
        assert warehouse.values("high", "2020")["N"] == (50, "A")

    def test_can_count_inhabitants(self, warehouse: SmallWarehouse) -> None:
        query = "select obs_value, numerator, denominator from marts.indicator_values where indicator = ? and ref_area = 'N' and time_period = '2020'"
        assert warehouse.connection.execute(query, ["low_people"]).fetchall() == [(25, 100, 400)]

    def test_values_need_not_be_additive(self, warehouse: SmallWarehouse) -> None:
        assert warehouse.values("scores", "2020")["S"] == (100, "A")
        assert warehouse.values("scores", "2020")["N"][1] == "A"  # not what a source reports for the county itself

    def test_values_can_be_changes(self, warehouse: SmallWarehouse) -> None:
        assert warehouse.values("fallen", "2021")["n1"] == (0, "A")


@pytest.mark.slow
class TestDifferenceToTheAreaAbove:
    def test_is_that_of_the_published_values(self, warehouse: SmallWarehouse) -> None:
        turnout, difference = (warehouse.values(name, "2020") for name in ("turnout", "to_county"))
        assert difference["n1"] == (pytest.approx(30 - 45), "A")
        assert difference["N"] == (0, "A")
        assert difference["n3"] == (None, "Z")
        assert turnout["N"] == (45, "A")

    def test_needs_a_value_above(self, warehouse: SmallWarehouse) -> None:
        assert warehouse.values("turnout", "2020")["S"] == (None, "L")
        assert warehouse.values("to_county", "2020")["s1"] == (None, "L")
        assert warehouse.values("to_county", "2020")["s3"] == (None, "M")

    def test_is_explained(self, warehouse: SmallWarehouse) -> None:
        assert warehouse.differences(*(i["id"] for i in INDICATORS), most=200) == []


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ({**TURNOUT, "share_of_areas": {}}, "give either below or above"),
        (
            {**TURNOUT, "share_of_areas": {"below": 1, "of": "weight"}},
            "weight: neither the indicator nor pack.yml names a measure as weight",
        ),
        ({**TURNOUT, "difference_to": "county"}, "county must be the last of levels"),
    ],
)
def test_check_refuses(tmp_path: Path, formula: dict[str, Any], message: str) -> None:
    pack = small_pack.write(tmp_path, AREAS, FIGURES, [indicator("wrong", formula)])
    with pytest.raises(Zpo2Error, match=message):
        packs.load(pack)
