"""Published comparisons and trends, and disparities without chance: recomputed by numpy from the published values and intervals."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from tests.conftest import current_release
from tests.support import five_places
from tests.support.command import EPOCH, zpo2

pytestmark = pytest.mark.slow

PEERS = five_places.PACK + "languages: [en, cs]\npeers: {by: [population], k: 2}\n"
EVENTS = """\
id: events
title: Events
publisher: Office
licence: CC0-1.0
theme: municipal
fetch: {url: data/events.csv}
read: {format: csv}
columns:
  code: {required: true}
  year: {type: integer}
  rising: {type: integer}
  steady: {type: integer}
  broken: {type: integer}
  uneven: {type: integer}
  exposed: {type: integer}
into: observations
breaks: [{measure: broken, period: "2018", note: A new register}]
map:
  area: {scheme: lau, code: code}
  period: year
  measures: {rising: rising, steady: steady, broken: broken, uneven: uneven, exposed: exposed}
"""
SIMULATED = """\
id: simulated
title: Events of a simulation
publisher: Office
licence: CC0-1.0
theme: municipal
fetch: {url: data/simulated.csv}
read: {format: csv}
columns: {code: {required: true}, equal: {type: integer}, spread: {type: integer}, people: {type: integer}}
into: observations
map:
  area: {scheme: lau, code: code}
  period: "'2020'"
  measures: {equal: equal, spread: spread, people: people}
"""
SPREAD = 0.05
YEARS = (2015, 2016, 2017, 2018, 2019, 2020)
RISING = {
    "a1": (9, 12, 30, 52, 77, 110),
    "a2": (80, 74, 40, 31, 20, 11),
    "a3": (50, 51, 49, 52, 48, 50),
    "a4": (5, 1, 9, 2, 60, 61),
    "a5": (),
}


def events() -> str:
    lines = ["code,year,rising,steady,broken,uneven,exposed"]
    for area, counts in RISING.items():
        for year, count in zip(YEARS, counts, strict=False):
            uneven = "" if year == 2018 else count
            lines.append(f"{area},{year},{count},50,{count},{uneven},1000")
    lines.append("a5,2020,0,50,0,0,1000")
    lines.append("a5,2019,1,50,1,1,1000")
    return "\n".join(lines) + "\n"


def simulated() -> str:
    """400 municipalities of 5 to 200 people: one true rate of 0.3 for all, and true rates that differ by SPREAD."""
    random = np.random.default_rng(7)
    people = random.integers(5, 200, 400)
    equal = random.binomial(people, 0.3)
    spread = random.binomial(people, np.clip(random.normal(0.3, SPREAD, 400), 0, 1))
    rows = (f"m{i},{x},{y},{n}" for i, (x, y, n) in enumerate(zip(equal, spread, people, strict=True)))
    return "\n".join(["code,equal,spread,people", *rows]) + "\n"


def indicator(name: str, measure: str, direction: str, kind: str = "proportion", more: str = "", exposed: str = "exposed") -> str:
    return f"""\
- id: {name}
  title: {name}
  objective: ZPO2-3
  unit: "%"
  direction: {direction}
  interval: {kind}
  formula: {{numerator: [{{measure: {measure}}}], denominator: [{{measure: {exposed}}}], multiplier: 100{more}}}
  levels: [lau, orp, okres, nuts0]
"""


INDICATORS = (
    indicator("rising", "rising", "higher_better")
    + indicator("rate", "rising", "lower_better", "rate")
    + indicator("steady", "steady", "none")
    + indicator("broken", "broken", "higher_better")
    + indicator("uneven", "uneven", "higher_better")
    + indicator("aimed", "rising", "target\n  target_value: 8")
    + indicator("equal", "equal", "none", exposed="people")
    + indicator("equal_rate", "equal", "none", "rate", exposed="people")
    + indicator("spread", "spread", "none", exposed="people")
    + """\
- id: libraries
  title: {en: Library users, cs: Čtenáři knihoven}
  objective: ZPO2-2
  measure: 1
  unit: {en: persons, cs: osob}
  direction: higher_better
  display: headline
  depends_on_size: true
  needed: {what: {en: Reports of libraries, cs: Výkazy knihoven}, supplier: {en: the municipality, cs: obec}}
"""
    + indicator("of_two_years", "rising", "higher_better", more=", window: {years: 2}")
)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("small_numbers")
    files = {
        "pack_yml": PEERS,
        "sources__events_yml": EVENTS,
        "data__events_csv": events(),
        "sources__simulated_yml": SIMULATED,
        "data__simulated_csv": simulated(),
        "data__areas_csv": five_places.AREAS_CSV
        + "".join(f"m{i},Moss {i},lau,R9,O9,\n" for i in range(400))
        + "R9,Far,orp,,,T\nO9,Far off,okres,,,T\nT,Other state,nuts0,,,\n",
        "indicators__all_yml": five_places.INDICATORS + INDICATORS,
    }
    done = zpo2("run", "--pack", five_places.write(root / "pack", **files), "--home", root / "home", SOURCE_DATE_EPOCH=EPOCH)
    assert done.returncode == 0, done.stdout + done.stderr
    return current_release(root / "home")


def table(release: Path, name: str, where: str = "true") -> list[dict[str, Any]]:
    return duckdb.sql(f"from '{release}/parquet/{name}.parquet' where {where} order by all").pl().to_dicts()


def value_of(release: Path, indicator: str, area: str, period: str) -> dict[str, Any]:
    (row,) = table(
        release,
        "indicator_values",
        f"indicator = '{indicator}' and ref_area = '{area}' and time_period = '{period}' and sex = '_T' and age = '_T'",
    )
    return row


def test_a_reference_outside_the_interval_is_better_or_worse_and_one_inside_is_similar(release: Path) -> None:
    compared = table(release, "comparisons", "indicator in ('rising', 'rate', 'steady') and against = 'S'")
    assert {row["ref_area"] for row in compared} == {"a1", "a2", "a3", "a4", "a5", "R1", "R2", "O1", "O2"}
    outcomes = set()
    for row in compared:
        value, reference = (value_of(release, row["indicator"], area, "2020") for area in (row["ref_area"], "S"))
        assert (row["time_period"], row["reference_value"]) == ("2020", pytest.approx(reference["obs_value"], rel=1e-12))
        outside = [
            percent
            for percent, ends in ((99.8, "998"), (95, "95"))
            if not value[f"lower_{ends}"] <= reference["obs_value"] <= value[f"upper_{ends}"]
        ]
        assert row["significance"] == (outside[0] if outside else None)
        higher = value["obs_value"] > reference["obs_value"]
        expected = {"rising": "better" if higher else "worse", "rate": "worse" if higher else "better"}.get(row["indicator"], "")
        assert row["outcome"] == (expected if outside else "similar")
        outcomes.add((row["indicator"], row["outcome"]))
    assert {("rising", "better"), ("rising", "worse"), ("rising", "similar"), ("rate", "worse"), ("steady", "similar")} <= outcomes


def test_a_value_nearer_to_the_target_is_better(release: Path) -> None:
    outcomes = {
        row["ref_area"]: row["outcome"]
        for row in table(release, "comparisons", "indicator = 'aimed' and against = 'S' and ref_area like 'a%'")
    }
    assert outcomes == {"a1": "better", "a2": "worse", "a3": "similar", "a4": "better", "a5": "worse"}


def test_peers_are_compared_together(release: Path) -> None:
    neighbours: dict[str, list[str]] = {}
    for row in table(release, "peers"):
        neighbours.setdefault(row["ref_area"], []).append(row["peer"])
    compared = table(release, "comparisons", "indicator = 'rising' and against = 'peers'")
    assert {row["ref_area"] for row in compared} >= {"a1", "a2", "a3", "a4", "a5"}
    for row in compared:
        values = [value_of(release, "rising", peer, "2020") for peer in neighbours[row["ref_area"]]]
        expected = 100 * sum(v["numerator"] for v in values) / sum(v["denominator"] for v in values)
        assert row["reference_value"] == pytest.approx(expected, rel=1e-12)


def test_the_slope_of_a_trend_is_that_of_the_weighted_line(release: Path) -> None:
    trends = {}
    for row in table(release, "trends", "indicator in ('rising', 'rate') and ref_area in ('a1', 'a2', 'a3', 'a4')"):
        values = [value_of(release, row["indicator"], row["ref_area"], str(year)) for year in YEARS[1:]]
        y = np.array([v["obs_value"] for v in values])
        weight = np.array([(3.92 / (v["upper_95"] - v["lower_95"])) ** 2 for v in values])
        x = np.arange(5.0)
        slope = float(np.polyfit(x, y, 1, w=np.sqrt(weight))[0])
        chi2 = slope**2 * float((weight * (x - np.average(x, weights=weight)) ** 2).sum())
        assert (row["first_period"], row["last_period"], row["points"]) == ("2016", "2020", 5)
        assert (row["slope"], row["chi2"]) == (pytest.approx(slope, rel=1e-9, abs=1e-12), pytest.approx(chi2, rel=1e-9, abs=1e-12))
        without = [float(np.polyfit(np.delete(x, i), np.delete(y, i), 1, w=np.delete(np.sqrt(weight), i))[0]) for i in range(5)]
        significant = chi2 > 9.5495 and all(math.copysign(1, s) == math.copysign(1, slope) for s in without)
        expected = ("increasing" if slope > 0 else "decreasing") if significant else "no significant change"
        assert row["trend"] == expected
        trends[row["indicator"], row["ref_area"]] = (row["trend"], row["direction"])
    assert trends["rising", "a1"] == ("increasing", "better")
    assert trends["rate", "a1"] == ("increasing", "worse")
    assert trends["rising", "a2"] == ("decreasing", "worse")
    assert trends["rising", "a3"] == ("no significant change", "")


def test_a_trend_needs_five_points_at_equal_steps_without_a_break(release: Path) -> None:
    rows = {(row["indicator"], row["ref_area"]): row for row in table(release, "trends", "sex = '_T'")}
    assert {name for name, _ in rows} == {"rising", "rate", "steady", "broken", "uneven", "aimed"}, "no window"
    for name, area, points in (("broken", "a1", 5), ("uneven", "a1", 5), ("rising", "a5", 2)):
        row = rows[name, area]
        assert (row["trend"], row["direction"], row["slope"], row["chi2"], row["points"]) == ("not assessed", "", None, None, points)
    assert (rows["steady", "a1"]["trend"], rows["steady", "a1"]["slope"]) == ("no significant change", 0)


def test_chance_is_taken_out_of_the_standard_deviation(release: Path) -> None:
    for name, is_proportion in (("rising", True), ("rate", False)):
        statistics = {
            row["statistic"]: row["obs_value"]
            for row in table(
                release, "cohesion_dispersion", f"indicator = '{name}' and within = 'S' and of_level = 'lau' and time_period = '2020'"
            )
        }
        values = [value_of(release, name, area, "2020") for area in RISING]
        sizes = [v["denominator"] for v in values]
        p = sum(v["numerator"] for v in values) / sum(sizes)
        chance = 100 * math.sqrt(p * (1 - p * is_proportion) * np.mean([1 / n for n in sizes]))
        assert statistics["sd_chance"] == pytest.approx(chance, rel=1e-9)
        assert statistics["sd_left"] == pytest.approx(math.sqrt(max(statistics["sd"] ** 2 - chance**2, 0)), rel=1e-9)
    where = "indicator = 'population' and statistic in ('sd_chance', 'sd_left')"
    assert not table(release, "cohesion_dispersion", where), "indicators without intervals have neither"


def test_convergence_is_also_given_of_what_is_left(release: Path) -> None:
    left = {
        row["statistic"]: row["obs_value"]
        for row in table(
            release, "cohesion_convergence", "indicator = 'rising' and within = 'S' and of_level = 'lau' and statistic like 'sd_left%'"
        )
    }
    expected = []
    for period in ("2015", "2020"):
        values = [value_of(release, "rising", area, period) for area in ("a1", "a2", "a3", "a4")]
        y = np.array([v["obs_value"] for v in values])
        p = y.mean() / 100  # all exposures are 1,000
        expected.append(math.sqrt(max(y.var() - 100**2 * p * (1 - p) / 1000, 0)))
    assert (left["sd_left_first"], left["sd_left_last"]) == pytest.approx(expected, rel=1e-9)
    assert left["sd_left_change"] == pytest.approx(expected[1] - expected[0], rel=1e-9)
    assert all(a < b for a, b in pairwise(expected))


def test_readers_get_units_needs_and_suppliers_in_their_language(release: Path) -> None:
    (row,) = table(release, "indicators", "indicator = 'libraries'")
    columns = ("unit", "unit_en", "unit_cs", "needed", "needed_en", "needed_cs", "supplier_en", "supplier_cs", "display", "depends_on_size")
    assert tuple(row[column] for column in columns) == (
        "persons", "persons", "osob", "Reports of libraries", "Reports of libraries", "Výkazy knihoven", "the municipality", "obec", "headline",
        "true",
    )  # fmt: skip
    (other,) = table(release, "indicators", "indicator = 'rising'")
    assert (other["unit_cs"], other["needed_cs"], other["supplier_en"], other["display"], other["depends_on_size"]) == (
        "%", None, None, "more", "false",
    )  # fmt: skip


def test_the_measures_of_the_objectives_say_what_is_published_and_what_is_missing(release: Path) -> None:
    measures = {(row["objective"], row["measure"]): row for row in table(release, "objective_measures")}
    assert [number for objective, number in measures if objective == "ZPO2-2"] == list("12345678")
    assert [number for objective, number in measures if objective == "ZPO2-3"] == list("123456")
    first = measures["ZPO2-2", "1"]
    assert (first["indicators"], first["indicators_with_data"], first["areas"], first["newest_period"]) == (1, 0, 0, None)
    assert (first["needed_en"], first["needed_cs"]) == ("Reports of libraries", "Výkazy knihoven")
    assert first["title_cs"].startswith("Spolky")


def test_a_simulation_with_equal_rates_leaves_nothing_and_a_spread_is_found_again(release: Path) -> None:
    sd: dict[str, dict[str, float]] = {}
    where = "within = 'T' and of_level = 'lau' and indicator in ('equal', 'equal_rate', 'spread') and statistic like 'sd%'"
    for row in table(release, "cohesion_dispersion", where):
        sd.setdefault(row["indicator"], {})[row["statistic"]] = row["obs_value"]
    assert sd["equal"]["sd"] > 5
    assert sd["equal"]["sd_left"] < 0.3 * sd["equal"]["sd"]
    assert sd["equal_rate"]["sd_left"] == 0, "a rate that cannot pass 1 varies less than one of a Poisson process"
    assert sd["spread"]["sd_left"] == pytest.approx(100 * SPREAD, rel=0.2)
