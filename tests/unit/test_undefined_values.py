"""A ratio over nobody is not defined, and never 0: also where its source computed it, and where the areas have changed since."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support import small_warehouse
from tests.support.small_warehouse import SmallWarehouse

pytestmark = pytest.mark.slow
LEVELS = ["town", "county"]
FIGURES = """\
year,code,children,old,ageing
2010,full,10,20,200
2010,young,,5,50
2010,none,0,7,0
2010,left,0,3,0
2010,right,0,4,0
2010,emptied,3,6,200
2015,emptied,0,0,
2015,full,13,26,200
2020,full,10,30,300
2020,young,,5,50
2020,none,0,8,0
2020,left,2,7,350
"""
"""Of `young`, nobody knows the children; `right` merged into `left`; nobody was left in `emptied` when `full` got a part of it."""


def indicator(name: str, formula: dict[str, Any]) -> dict[str, Any]:
    head = {"id": name, "title": name, "objective": "ZPO2-1", "unit": "1", "direction": "none", "levels": LEVELS}
    return {**head, "formula": formula}


def write(folder: Path) -> Path:
    head = {"publisher": "Office", "licence": "CC0-1.0", "theme": "municipal", "read": {"format": "csv"}}
    number = {"type": "number"}
    mean = {"value": "ageing", "additive": False, "weighted_by": "children"}
    ageing = [{"measure": "ageing"}]
    files: dict[str, Any] = {
        "pack.yml": {
            "id": "undefined", "title": "U", "country": "XX", "weight": "children",
            "levels": [{"id": "town", "parents": ["county"]}, {"id": "county"}],
        },
        "sources/areas.yml": {
            **head, "id": "areas", "title": "A", "fetch": {"url": "data/areas.csv"}, "columns": {"code": {}, "level": {}, "county": {}},
            "into": "areas", "map": {"area": {"ref_area": "code", "level": "level", "parents": {"county": "county"}}},
        },
        "sources/changes.yml": {
            **head, "id": "changes", "title": "C", "fetch": {"url": "data/changes.csv"},
            "columns": {"old": {}, "new": {}, "share": {"type": "number"}},
            "into": "area_changes", "map": {"from": "old", "to": "new", "on": "'2015-01-01'", "share": "share"},
        },
        "sources/figures.yml": {
            **head, "id": "figures", "title": "F", "fetch": {"url": "data/figures.csv"},
            "columns": {"year": {}, "code": {}, "children": number, "old": number, "ageing": number}, "into": "observations",
            "map": {"area": {"ref_area": "code"}, "period": "year", "measures": {"children": "children", "old": "old", "ageing": mean}},
        },
        "indicators/all.yml": [
            indicator("ageing", {"numerator": ageing}),
            indicator("computed", {"numerator": [{"measure": "old"}], "denominator": [{"measure": "children"}], "multiplier": 100}),
            indicator("two_years", {"numerator": ageing, "window": {"years": 11, "min": 2}}),
            indicator("rise", {"numerator": ageing, "change": {"years": 10, "kind": "difference"}}),
        ],
    }  # fmt: skip
    tables = {
        "areas": "code,level,county\nfull,town,C\nyoung,town,Y\nnone,town,N\nleft,town,C\nright,town,C\nemptied,town,C\n"
        "C,county,\nN,county,\nY,county,\n",
        "changes": "old,new,share\nright,left,1\nemptied,emptied,\nemptied,full,\n",
        "figures": FIGURES,
    }
    files |= {f"data/{name}.csv": text for name, text in tables.items()}
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> SmallWarehouse:
    root = tmp_path_factory.mktemp("undefined")
    return small_warehouse.build(write(root / "pack"), root / "home")


class TestMeanOverNobody:
    def test_is_not_defined(self, warehouse: SmallWarehouse) -> None:
        assert warehouse.values("ageing", "2020") == {
            "full": (300, "A"), "left": (350, "A"), "none": (None, "Z"), "young": (50, "A"), "emptied": (None, "O"),
            "C": (pytest.approx((10 * 300 + 2 * 350) / 12), "A"), "N": (None, "Z"), "Y": (None, "M"),
        }  # fmt: skip

    def test_is_as_undefined_as_the_ratio_itself(self, warehouse: SmallWarehouse) -> None:
        for period in ("2010", "2020"):
            published, computed = (warehouse.values(name, period) for name in ("ageing", "computed"))
            assert [area for area in published if published[area][1] == "Z"] == [area for area in computed if computed[area][1] == "Z"]

    def test_is_not_defined_in_an_area_that_came_from_such_areas(self, warehouse: SmallWarehouse) -> None:
        assert warehouse.values("ageing", "2010")["left"] == (None, "Z")
        assert warehouse.values("ageing", "2010")["C"] == (200, "E")

    def test_is_not_defined_in_an_area_that_nobody_was_left_in_and_changes_no_other(self, warehouse: SmallWarehouse) -> None:
        values = warehouse.values("ageing", "2010")
        assert values["emptied"] == (None, "Z")
        assert (values["full"], values["young"]) == ((200, "E"), (50, "A"))

    @pytest.mark.parametrize("name", ["two_years", "rise"])
    def test_has_no_window_or_change(self, warehouse: SmallWarehouse, name: str) -> None:
        assert warehouse.values(name, "2020")["none"] == (None, "Z")

    def test_no_value_is_published_over_a_denominator_of_zero(self, warehouse: SmallWarehouse) -> None:
        query = "select count(*), count(obs_value) from marts.indicator_values where denominator = 0"
        [(rows, values)] = warehouse.connection.execute(query).fetchall()
        assert rows > 10
        assert values == 0

    def test_is_explained(self, warehouse: SmallWarehouse) -> None:
        assert warehouse.differences("ageing", "computed", "two_years", "rise") == []
