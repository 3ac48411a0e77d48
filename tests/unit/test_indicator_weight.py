"""An indicator's own weight of areas: coverage by surface, by a measure, by number; and the same in `explain`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import five_places, small_warehouse
from tests.support.command import zpo2
from tests.support.one_model import asked, sql_of
from tests.support.small_warehouse import SmallWarehouse

pytestmark = pytest.mark.slow

AREAS = five_places.AREAS.replace("state: {}}", "state: {}, km2: {type: number}}").replace("name: name,", "name: name, area_km2: km2,")
KM2 = {"a1": "60", "a2": "30", "a3": "6", "a4": "", "a5": "4"}
AREAS_CSV = "\n".join(
    f"{line},{'km2' if line.startswith('code') else KM2.get(line[:2], '')}" for line in five_places.AREAS_CSV.splitlines()
)
# a5 has most inhabitants, and nobody measured its little land
LAND = """\
id: land
title: Land
publisher: Office
licence: CC0-1.0
theme: municipal
fetch: {url: data/land.csv}
read: {format: csv}
columns: {code: {required: true}, woods: {type: number}, land: {type: number}, herds: {type: number}}
into: observations
map:
  area: {scheme: lau, code: code}
  period: "'2021'"
  measures: {woods: woods, land: land, herds: herds}
"""
LAND_CSV = "code,woods,land,herds\na1,30,60,10\na2,3,30,80\na3,3,6,9\na4,1,2,1\na5,,,0\n"
WEIGHTS = {"by_people": "", "by_area": "weight: area_km2", "by_herds": "weight: herds", "by_number": "weight: areas"}
INDICATORS = "".join(
    f"""\
- id: {name}
  title: Woods
  objective: ZPO2-3
  unit: "%"
  direction: higher_better
  {weight}
  formula: {{numerator: [{{measure: woods}}], denominator: [{{measure: land}}], multiplier: 100}}
  levels: [lau, orp, okres, nuts0]
"""
    for name, weight in WEIGHTS.items()
)
FILES = {
    "sources__areas_yml": AREAS, "data__areas_csv": AREAS_CSV, "sources__land_yml": LAND, "data__land_csv": LAND_CSV,
    "indicators__land_yml": INDICATORS,
}  # fmt: skip


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> SmallWarehouse:
    root = tmp_path_factory.mktemp("weights")
    return small_warehouse.build(five_places.write(root / "pack", **FILES), root / "home")


def coverage(warehouse: SmallWarehouse, indicator: str, area: str) -> tuple[float | None, str]:
    query = "select coverage, obs_status from marts.indicator_values where indicator = ? and ref_area = ? and sex = '_T'"
    [row] = warehouse.connection.execute(query, [indicator, area]).fetchall()
    return row[0], row[1]


def test_coverage_is_of_the_declared_weight(warehouse: SmallWarehouse) -> None:
    # of 309 inhabitants 100 live in a5
    assert coverage(warehouse, "by_people", "S") == (pytest.approx(209 / 309), "L")
    assert coverage(warehouse, "by_area", "S") == (pytest.approx(96 / 100), "A")
    assert coverage(warehouse, "by_herds", "S") == (1, "A")
    assert coverage(warehouse, "by_number", "S") == (pytest.approx(4 / 5), "L")
    assert warehouse.values("by_area", "2021")["S"] == (pytest.approx(100 * 37 / 98), "A")
    assert warehouse.values("by_people", "2021")["a1"] == warehouse.values("by_area", "2021")["a1"] == (50, "A")


def test_area_without_a_surface_adds_no_weight(warehouse: SmallWarehouse) -> None:
    assert coverage(warehouse, "by_area", "O2") == (0, "L")  # a4 contributes, a5 does not: 0 of 4 square kilometres
    assert coverage(warehouse, "by_area", "O1") == (1, "A")


def test_explain_finds_the_same_coverage_and_names_the_weight(warehouse: SmallWarehouse) -> None:
    assert warehouse.differences(*WEIGHTS) == []
    rolled = warehouse.explained("by_area", "S", "2021").rolled
    assert rolled is not None
    assert (rolled.weight, rolled.contributing_weight) == (100, 96)
    assert warehouse.explained("by_area", "S", "2021").facts.indicator.weight == "area_km2"


def test_values_without_a_denominator_weigh_by_it_in_statistics() -> None:
    """The weighted statistics of sums and changes use the indicator's weight; those of ratios use the denominator. 5 is without dispersion."""
    kinds = {1: (False, None, 7), 2: (True, "percent", 8), 3: (True, None, 8), 4: (False, None, None), 5: (False, None, 7)}
    cell = {"area_key": 1, "level_position": 0, "period_key": 20210000, "breakdown_key": 0, "obs_value": 5.0, "obs_status": "A"}
    rows = asked(
        sql_of("int_dispersion_inputs"),
        {
            "int_indicator_cells": (
                "indicator_key integer, area_key integer, level_position integer, period_key integer, breakdown_key integer, "
                "obs_value double, obs_status varchar, numerator double, denominator double",
                [{**cell, "indicator_key": key, "denominator": 9.0} for key in kinds],
            ),
            "stg_indicators": (
                "indicator_key integer, has_denominator boolean, change_kind varchar, weight_key integer, multiplier double, "
                "interval_kind varchar, dispersion boolean",
                [
                    {"indicator_key": key, "has_denominator": is_ratio, "change_kind": change, "weight_key": weight, "dispersion": key < 5}
                    for key, (is_ratio, change, weight) in kinds.items()
                ],
            ),
            "int_samples": (
                "indicator_key integer, area_key integer, period_key integer, breakdown_key integer, n double, sd double",
                [],
            ),
            "int_area_weights": (
                "weight_key integer, period_key integer, area_key integer, weight double",
                [{"weight_key": key, "period_key": 20210000, "area_key": 1, "weight": 10.0 * key} for key in (7, 8)],
            ),
        },
    )
    assert {row["indicator_key"]: (row["weight"], row["weighted"]) for row in rows} == {
        1: (70, True), 2: (80, True), 3: (9, True), 4: (None, False),
    }  # fmt: skip


def test_check_refuses_a_weight_that_no_source_gives(tmp_path: Path) -> None:
    files = {**FILES, "indicators__land_yml": INDICATORS.replace("weight: herds", "weight: wolves")}
    done = zpo2("check", "--pack", five_places.write(tmp_path / "pack", **files))
    assert done.returncode == 2
    assert "weight: wolves: no source declares this measure" in done.stdout + done.stderr
