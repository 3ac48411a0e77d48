"""Intervals of published values: those of the formulas, at every level, for every kind; and their explanation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.statistics.intervals import of_value
from tests.conftest import current_release
from tests.support import five_places
from tests.support.command import EPOCH, zpo2

pytestmark = pytest.mark.slow

CASES = """\
id: cases
title: Cases
publisher: Office
licence: CC0-1.0
theme: municipal
fetch: {url: data/cases.csv}
read: {format: csv}
columns: {code: {required: true}, year: {type: integer}, cases: {type: number}, wait: {type: number}, n: {type: integer}, sd: {type: number}}
into: observations
map:
  area: {scheme: lau, code: code}
  period: year
  measures: {cases: cases, wait: {value: wait, additive: false}, answers: n, deviation: {value: sd, additive: false}}
"""
CASES_CSV = """\
code,year,cases,wait,n,sd
a1,2021,0,12.5,8,2.5
a2,2021,3,10,1,0
a3,2021,9.5,11,30,0
a4,2021,10,,,
a5,2021,250,9,40,
a1,2020,1,12,9,2
a2,2020,1,9,12,1.5
"""
SHARE = "  direction: none\n  formula: {numerator: [{measure: population, sex: F}]"
INDICATORS = (
    five_places.INDICATORS.replace(SHARE, SHARE.replace("none\n", "none\n  interval: proportion\n"))
    + """\
- id: case_rate
  title: Cases
  objective: ZPO2-3
  unit: per 1,000
  direction: lower_better
  interval: rate
  formula: {numerator: [{measure: cases}], denominator: [{measure: population}], multiplier: 1000}
  levels: [lau, orp, okres, nuts0]
- id: cases_of_two_years
  title: Cases in two years
  objective: ZPO2-3
  unit: per 1,000
  direction: lower_better
  interval: rate
  formula: {numerator: [{measure: cases}], denominator: [{measure: population}], multiplier: 1000, window: {years: 2}}
  levels: [lau]
- id: mean_wait
  title: Waiting time
  objective: ZPO2-3
  unit: minutes
  direction: lower_better
  interval: {kind: mean, n: answers, sd: deviation}
  formula: {numerator: [{measure: wait}], multiplier: 60}
  levels: [lau]
"""
)  # fmt: skip
KINDS = {"women_share": ("proportion", 100), "case_rate": ("rate", 1000), "cases_of_two_years": ("rate", 1000), "mean_wait": ("mean", 60)}
SAMPLES = {("a1", "2021"): (8, 2.5), ("a3", "2021"): (30, 0), ("a1", "2020"): (9, 2), ("a2", "2020"): (12, 1.5)}
BOUNDS = ("lower_95", "upper_95", "lower_998", "upper_998")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("intervals")
    files = {
        "pack_yml": five_places.ONLY_TABLES,
        "sources__cases_yml": CASES,
        "data__cases_csv": CASES_CSV,
        "indicators__all_yml": INDICATORS,
    }
    done = zpo2("run", "--pack", five_places.write(root / "pack", **files), "--home", root / "home", SOURCE_DATE_EPOCH=EPOCH)
    assert done.returncode == 0, done.stdout + done.stderr
    return root / "home"


@pytest.fixture(scope="module")
def rows(home: Path) -> list[dict[str, Any]]:
    """The published values, by column."""
    table = f"'{current_release(home)}/parquet/indicator_values.parquet'"
    return duckdb.sql(f"from {table} order by all").pl().to_dicts()


@pytest.mark.parametrize("indicator", KINDS)
def test_every_published_value_has_the_interval_of_its_formula(rows: list[dict[str, Any]], indicator: str) -> None:
    kind, multiplier = KINDS[indicator]
    values = [row for row in rows if row["indicator"] == indicator]
    with_interval = 0
    for row in values:
        sample = SAMPLES.get((row["ref_area"], row["time_period"]))
        expected = of_value(kind, row["numerator"], row["denominator"], multiplier, sample)
        for interval, (lower, upper) in zip(expected, (BOUNDS[:2], BOUNDS[2:]), strict=True):
            if row["obs_value"] is None or interval is None:
                assert (row[lower], row[upper]) == (None, None), row
            else:
                assert (row[lower], row[upper]) == pytest.approx(interval, rel=1e-9), row
                assert row[lower] <= row["obs_value"] <= row[upper]
                with_interval += 1
    assert with_interval >= 4


def test_the_sums_of_a_parent_have_a_narrower_interval_than_its_areas(rows: list[dict[str, Any]]) -> None:
    widths = {
        row["ref_area"]: row["upper_95"] - row["lower_95"]
        for row in rows
        if row["indicator"] == "women_share" and row["time_period"] == "2021"
    }
    assert widths["S"] < min(width for area, width in widths.items() if area != "S")


def test_other_indicators_have_none(rows: list[dict[str, Any]]) -> None:
    assert {row[bound] for row in rows if row["indicator"] == "population" for bound in BOUNDS} == {None}


def test_a_changed_declaration_changes_the_interval(home: Path, tmp_path: Path) -> None:
    files = {
        "pack_yml": five_places.ONLY_TABLES,
        "sources__cases_yml": CASES,
        "data__cases_csv": CASES_CSV,
        "indicators__all_yml": INDICATORS.replace("interval: proportion", "interval: rate"),
    }
    five_places.write(home.parent / "pack", **files)
    done = zpo2("run", "--pack", home.parent / "pack", "--home", home, SOURCE_DATE_EPOCH=EPOCH)
    assert done.returncode == 0, done.stdout + done.stderr
    table = f"'{current_release(home)}/parquet/indicator_values.parquet'"
    query = (
        f"select numerator, denominator, lower_95 from {table} where indicator = 'women_share' and ref_area = 'S' and time_period = '2021'"
    )
    ((x, n, lower),) = duckdb.execute(query).fetchall()
    interval = of_value("rate", x, n, 100)[0]
    assert interval is not None
    assert lower == pytest.approx(interval[0], rel=1e-9)


def test_the_explanation_has_it(home: Path) -> None:
    done = zpo2("explain", "case_rate", "a1", "2021", "--pack", home.parent / "pack", "--home", home, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    explanation = json.loads(done.stdout)
    assert explanation["agrees"]
    assert explanation["value"]["interval"] == {
        "kind": "rate",
        "lower_95": 0,
        "upper_95": pytest.approx(147.555178, rel=1e-6),
        "lower_998": 0,
        "upper_998": pytest.approx(276.310211, rel=1e-6),
    }
