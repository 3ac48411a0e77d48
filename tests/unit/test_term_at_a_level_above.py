"""A term at a level above: the national price index for the money of a town."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import packs
from pipelines.core.errors import Zpo2Error
from tests.support import small_pack, small_warehouse
from tests.support.small_pack import indicator
from tests.support.small_warehouse import SmallWarehouse

AREAS = {"N": ("n1", "n2"), "S": ("s1",)}
FIGURES = """\
period,code,money,people,deflator,local
2020,n1,100,10,,
2020,n2,300,30,,
2020,s1,50,10,,
2021,n1,110,10,,
2021,n2,,30,,
2021,s1,60,10,,
2020,L,,,1.0,
2021,L,,,0.5,
2020,N,,,,2
2020,S,,,,
"""
DEFLATED = {"measure": "deflator", "times": "money", "at": "land"}
INDICATORS = [
    indicator("real_money", {"numerator": [DEFLATED]}),
    indicator("real_per_head", {"numerator": [DEFLATED], "denominator": [{"measure": "people"}]}),
    indicator("at_prices_of_last_year", {"numerator": [{**DEFLATED, "lag": 1}]}),
    indicator("real_change", {"numerator": [DEFLATED], "change": {"years": 1, "kind": "difference"}}),
    indicator("over_deflator", {"numerator": [{"measure": "money"}], "denominator": [{"measure": "deflator", "at": "land"}]}),
    indicator("deflator", {"numerator": [{"measure": "deflator", "at": "land"}]}),
    indicator("local", {"numerator": [{"measure": "local", "times": "money", "at": "county"}]}),
]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> SmallWarehouse:
    root = tmp_path_factory.mktemp("above")
    measures = {name: {"value": name, "where": f"{name} is not null"} for name in ("deflator", "local")}
    measures |= {name: {"value": name, "where": "length(code) = 2"} for name in ("money", "people")}
    return small_warehouse.build(small_pack.write(root / "pack", AREAS, FIGURES, INDICATORS, measures), root / "home")


@pytest.mark.slow
class TestTermAtALevelAbove:
    def test_is_that_of_the_area_above(self, warehouse: SmallWarehouse) -> None:
        assert warehouse.values("real_money", "2021") == {
            "n1": (55, "A"), "n2": (None, "M"), "s1": (30, "A"), "N": (None, "L"), "S": (30, "A"), "L": (None, "L"),
        }  # fmt: skip

    def test_parents_sum_the_products(self, warehouse: SmallWarehouse) -> None:
        assert warehouse.values("real_money", "2020")["L"] == (450, "A")
        assert warehouse.values("real_per_head", "2020") == {
            "n1": (10, "A"), "n2": (10, "A"), "s1": (5, "A"), "N": (10, "A"), "S": (5, "A"), "L": (9, "A"),
        }  # fmt: skip

    def test_looks_back_with_its_term(self, warehouse: SmallWarehouse) -> None:
        assert warehouse.values("at_prices_of_last_year", "2021")["n2"] == (300, "A")
        assert warehouse.values("real_change", "2021")["s1"] == (-20, "A")

    def test_alone_has_no_roll_up(self, warehouse: SmallWarehouse) -> None:
        assert warehouse.values("over_deflator", "2021") == {
            "n1": (220, "A"), "n2": (None, "M"), "s1": (120, "A"), "N": (None, "O"), "S": (None, "O"), "L": (None, "M"),
        }  # fmt: skip
        values = warehouse.values("deflator", "2021")
        assert values == dict.fromkeys(("n1", "n2", "s1", "L"), (0.5, "A")) | dict.fromkeys(("N", "S"), (None, "O"))

    def test_of_an_area_without_a_value_is_missing_for_the_areas_below(self, warehouse: SmallWarehouse) -> None:
        assert warehouse.values("local", "2020") == {
            "n1": (200, "A"), "n2": (600, "A"), "s1": (None, "M"), "N": (800, "A"), "S": (None, "M"), "L": (None, "L"),
        }  # fmt: skip

    def test_is_explained(self, warehouse: SmallWarehouse) -> None:
        assert warehouse.differences(*(i["id"] for i in INDICATORS)) == []


@pytest.mark.parametrize(
    ("term", "message"),
    [
        ({"measure": "money", "at": "moon"}, "formula.numerator.0.at: moon: no such level"),
        ({"measure": "area_km2", "at": "land"}, "at: area_km2: a built-in measure belongs to the row's own area"),
    ],
)
def test_check_refuses_a_wrong_level(tmp_path: Path, term: dict[str, str], message: str) -> None:
    pack = small_pack.write(tmp_path, AREAS, FIGURES, [indicator("wrong", {"numerator": [term]})])
    with pytest.raises(Zpo2Error, match=message):
        packs.load(pack)
