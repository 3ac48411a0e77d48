"""Before a merger or a split, numerator and denominator are restated in the same way: a share of a whole is never more than the whole."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support import small_pack, small_warehouse
from tests.support.small_warehouse import SmallWarehouse

pytestmark = pytest.mark.slow
COUNTIES = 25
DAY = "2015-01-01"
"""When the areas changed."""
SHARES = {
    "members_by_heads": ([{"measure": "member", "times": "heads"}], "heads"),
    "heads_by_members": ([{"measure": "heads", "times": "member"}], "heads"),
    "rate_of_heads": ([{"measure": "rate", "times": "heads"}], "heads"),
    "fixed_rate_of_heads": ([{"measure": "fixed_rate", "times": "heads"}], "heads"),
    "part_of_heads": ([{"measure": "part"}], "heads"),
    "members_of_areas": ([{"measure": "member"}], "areas"),
    "rate_of_areas": ([{"measure": "fixed_rate", "times": "areas"}], "areas"),
    "rate_of_surface": ([{"measure": "fixed_rate", "times": "area_km2"}], "area_km2"),
    "summed_rate_of_surface": ([{"measure": "rate", "times": "area_km2"}], "area_km2"),
}
"""Ratios that are shares of a whole in every area."""


@dataclass
class World:
    """Counties of towns: those that reported in 2010, and what became of them until 2020."""

    rng: random.Random
    towns: dict[str, str] = field(default_factory=dict)  # county by town
    km2: dict[str, float] = field(default_factory=dict)
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    figures: dict[tuple[str, str], dict[str, float]] = field(default_factory=dict)  # by year and town
    members: list[tuple[str, str]] = field(default_factory=list)

    def county(self, name: str) -> None:
        before = [f"{name}_{i}" for i in range(self.rng.randint(1, 4))]
        after = list(before)
        kind = self.rng.choice(["merger", "new town", "split", "part"])
        if kind == "merger":
            self.changes += [(town, before[0], "") for town in before[1:]]
            after = before[:1]
        elif kind == "new town":
            self.changes += [(town, f"{name}_new", "") for town in before]
            after = [f"{name}_new"]
        elif kind == "split":
            shares = [0.2, 0.3, 0.5]
            self.changes += [(before[0], f"{name}_split{i}", str(share)) for i, share in enumerate(shares)]
            after = [*before[1:], *(f"{name}_split{i}" for i in range(len(shares)))]
        elif len(before) > 1:
            self.changes.append((before[0], before[1], str(self.rng.choice([0.1, 0.5, 0.9]))))
        for town in dict.fromkeys(before + after):
            self.towns[town] = name
            if town in after or self.rng.random() < 0.5:
                self.km2[town] = self.rng.randint(1, 90)
        for year, towns in (("2010", before), ("2020", after)):
            for town in towns:
                heads = self.rng.randint(1, 999)
                self.figures[year, town] = {
                    "heads": heads, "part": self.rng.randint(0, heads), "rate": self.rng.choice([0.0, 0.5, 0.9, 1.0]),
                    "fixed_rate": self.rng.choice([0.0, 0.5, 0.9, 1.0]),
                }  # fmt: skip
                self.members += [(year, town)] * (self.rng.random() < 0.7)

    def _born(self, town: str) -> str:
        return "" if ("2010", town) in self.figures else DAY

    def write(self, folder: Path) -> Path:
        head = {"publisher": "Office", "licence": "CC0-1.0", "theme": "municipal", "read": {"format": "csv"}}

        def source(name: str, columns: dict[str, Any], into: str, how: dict[str, Any], **more: Any) -> dict[str, Any]:
            fetch = {"url": f"data/{name}.csv"}
            return {**head, "id": name, "title": name, "fetch": fetch, "columns": columns, "into": into, "map": how, **more}

        number: dict[str, Any] = {"type": "number"}
        areas: dict[str, Any] = {"code": {}, "level": {}, "county": {}, "km2": {"type": "number"}, "born": {"type": "date"}}
        area = {
            "ref_area": "code",
            "level": "level",
            "name": "code",
            "area_km2": "km2",
            "valid_from": "born",
            "parents": {"county": "county"},
        }
        measures = {"heads": "heads", "part": "part", "rate": "rate", "fixed_rate": {"value": "fixed_rate", "additive": False}}
        place = {"area": {"ref_area": "code"}, "period": "year"}
        files: dict[str, Any] = {
            "pack.yml": {
                "id": "shares", "title": "Shares", "country": "XX", "weight": "heads",
                "levels": [{"id": "town", "parents": ["county"]}, {"id": "county"}],
            },
            "sources/areas.yml": source("areas", areas, "areas", {"area": area}),
            "sources/changes.yml": source(
                "changes", {"old": {}, "new": {}, "share": number}, "area_changes",
                {"from": "old", "to": "new", "on": f"'{DAY}'", "share": "share"},
            ),
            "sources/figures.yml": source(
                "figures", {"year": {}, "code": {}, **dict.fromkeys(measures, number)}, "observations", {**place, "measures": measures}
            ),
            "sources/members.yml": source(
                "members", {"year": {}, "code": {}}, "observations", {**place, "measures": {"member": {"value": "1", "aggregate": "sum"}}},
                universe="all",
            ),
            "indicators/all.yml": [
                {
                    "id": name, "title": name, "objective": "ZPO2-1", "unit": "1", "direction": "none", "levels": ["town", "county"],
                    "formula": {"numerator": top, "denominator": [{"measure": low}], "missing": "zero"},
                }
                for name, (top, low) in SHARES.items()
            ],
        }  # fmt: skip
        tables: dict[str, list[Any]] = {
            "areas": [["code", "level", "county", "km2", "born"], *([c, "county", "", "", ""] for c in dict.fromkeys(self.towns.values())),
                      *([t, "town", c, self.km2.get(t, ""), self._born(t)] for t, c in self.towns.items())],
            "changes": [["old", "new", "share"], *self.changes],
            "figures": [["year", "code", *measures], *([year, t, *(row[m] for m in measures)] for (year, t), row in self.figures.items())],
            "members": [["year", "code"], *self.members],
        }  # fmt: skip
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(json.dumps(content), encoding="utf-8")
        (folder / "data").mkdir()
        for name, rows in tables.items():
            text = "".join(",".join(map(str, row)) + "\n" for row in rows)
            (folder / "data" / f"{name}.csv").write_text(text, encoding="utf-8")
        return folder


@pytest.fixture(scope="module", params=[1, 2])
def world(request: pytest.FixtureRequest) -> World:
    made = World(random.Random(request.param))
    for i in range(COUNTIES):
        made.county(f"c{i}")
    return made


@pytest.fixture(scope="module")
def warehouse(world: World, tmp_path_factory: pytest.TempPathFactory) -> SmallWarehouse:
    root = tmp_path_factory.mktemp("shares")
    return small_warehouse.build(world.write(root / "pack"), root / "home")


@pytest.mark.parametrize("indicator", SHARES)
def test_a_share_of_former_areas_is_a_share(warehouse: SmallWarehouse, indicator: str) -> None:
    published = [v for period in ("2010", "2020") for v, _ in warehouse.values(indicator, period).values() if v is not None]
    assert len(published) > 2 * COUNTIES
    assert all(0 <= value <= 1 + 1e-12 for value in published), max(published)


def test_products_are_summed_over_the_areas_that_reported(world: World, warehouse: SmallWarehouse) -> None:
    published = warehouse.values("members_by_heads", "2010")
    for county in dict.fromkeys(world.towns.values()):
        before = [(town, row) for (year, town), row in world.figures.items() if year == "2010" and world.towns[town] == county]
        expected = sum(row["heads"] for town, row in before if ("2010", town) in world.members) / sum(row["heads"] for _, row in before)
        assert published[county][0] == pytest.approx(expected), county


def test_explain_restates_in_the_same_way(warehouse: SmallWarehouse) -> None:
    assert warehouse.differences(*SHARES, most=60) == []


def test_a_former_area_that_passes_nothing_on_has_no_part_in_a_product_with_the_surface(tmp_path: Path) -> None:
    """All people of the zone, whose surface nobody knows, went to `new`; `old` received empty land."""
    figures = "period,code,people,rate\n2010,zone,30,0.9\n2010,old,0,0.5\n2020,new,40,0.5\n2020,old,0,0.5\n"
    indicators = [
        small_pack.indicator("rate", {"numerator": [{"measure": "rate", "times": "area_km2"}], "denominator": [{"measure": "area_km2"}]})
    ]
    rate = {"rate": {"value": "rate", "additive": False}}
    pack = small_pack.write(
        tmp_path / "pack", {"N": ("zone", "new", "old")}, figures, indicators, rate, weight="people", km2={"new": 20, "old": 10}
    )
    small_pack.add_changes(pack, "zone,old,2015-01-01", "zone,new,2015-01-01", existed=["old"])
    warehouse = small_warehouse.build(pack, tmp_path / "home")
    assert warehouse.values("rate", "2010")["old"] == (0.5, "E")
    assert warehouse.values("rate", "2010")["new"] == (0.9, "E")
    assert warehouse.differences("rate") == []
