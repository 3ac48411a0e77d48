"""Sums that can go wrong silently, in the published tables: partial sums at parents, totals beside their parts, areas that separate again."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.conftest import current_release
from tests.support import sums_pack
from tests.support.command import EPOCH, PROJECT, zpo2

pytestmark = pytest.mark.slow
Cell = tuple[float | None, str, float | None]
Look = Callable[..., Cell]


def look_into(release: Path) -> Look:
    def look(indicator: str, area: str, period: str = "2021", sex: str = "_T", age: str = "_T") -> Cell:
        columns = "round(obs_value, 9), obs_status, round(coverage, 9)"
        key = "indicator = ? and ref_area = ? and time_period = ? and sex = ? and age = ?"
        table = f"'{release}/parquet/indicator_values.parquet'"
        [row] = duckdb.execute(f"select {columns} from {table} where {key}", [indicator, area, period, sex, age]).fetchall()
        return row

    return look


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sums")
    done = zpo2("run", "--pack", sums_pack.write(root / "pack"), "--home", root / "home", SOURCE_DATE_EPOCH=EPOCH)
    assert done.returncode == 0, done.stdout + done.stderr
    return root / "home"


@pytest.fixture(scope="module")
def cell(home: Path) -> Look:
    return look_into(current_release(home))


@pytest.fixture(scope="module")
def warnings(home: Path) -> dict[str, str]:
    report = json.loads((current_release(home) / "quality" / "report.json").read_text(encoding="utf-8"))
    return {check["name"]: check["description"] for check in report["gate"]["warnings"]}


@pytest.fixture(scope="module")
def quarantine(home: Path) -> list[dict[str, Any]]:
    done = zpo2("quarantine", "--pack", home.parent / "pack", "--home", home, "--json")
    listed: list[dict[str, Any]] = json.loads(done.stdout)
    return listed


def explained(home: Path, *key: str) -> dict[str, Any]:
    done = zpo2("explain", *key, "--pack", home.parent / "pack", "--home", home, "--json")
    document: dict[str, Any] = json.loads(done.stdout)
    return document


class TestWeights:
    def test_uses_the_nearest_earlier_weight_of_the_area(self, cell: Look) -> None:
        assert cell("share", "earlier") == (None, "L", 0.75)  # 30 of 10 + 30: of 2020, not of 2019 or 2022

    def test_uses_the_nearest_later_weight_without_an_earlier_one(self, cell: Look) -> None:
        assert cell("share", "later") == (None, "L", 0.5)  # the other area keeps its weight of 2021

    def test_coverage_is_unknown_without_any_weight_of_a_missing_area(self, cell: Look, home: Path) -> None:
        assert cell("share", "never") == (None, "L", None)
        explanation = explained(home, "share", "never", "2021")
        assert explanation["agrees"]
        assert explanation["value"]["coverage"] is None
        assert explanation["value"]["why"][0].startswith("the coverage is unknown: no period has a weight for n1")

    def test_contributing_area_needs_no_weight(self, cell: Look) -> None:
        assert cell("all_share", "never") == (0.5, "A", 1)

    def test_missing_area_of_weight_zero_leaves_a_ratio_covered(self, cell: Look) -> None:
        assert cell("share", "empty") == (0.5, "A", 1)


class TestPlainSums:
    def test_do_not_need_areas_of_weight_zero(self, cell: Look) -> None:
        assert cell("done", "empty") == (3, "A", 1)

    @pytest.mark.parametrize("county", ["earlier", "later", "never"])
    def test_need_every_other_area_and_count_them(self, county: str, cell: Look) -> None:
        assert cell("done", county) == (None, "L", 0.5)

    @pytest.mark.parametrize("county", ["earlier", "later", "never"])
    def test_of_the_weight_itself_need_every_area(self, county: str, cell: Look) -> None:
        assert cell("heads", county) == (None, "L", 0.5)

    def test_broken_cell_of_the_demo_pack_withholds_the_state(self, tmp_path: Path) -> None:
        pack = shutil.copytree(PROJECT / "packs" / "demo", tmp_path / "pack")
        declared = pack / "pack.yml"
        declared.write_text(re.sub(r"(?m)^formats: .*$", "formats: [csv, parquet]", declared.read_text(encoding="utf-8")), encoding="utf-8")
        file = pack / "data" / "population.csv"
        lines = file.read_text(encoding="utf-8").splitlines()
        broken = [i for i, line in enumerate(lines) if line.startswith(("2023,CZ0100,_T,", "2023,CZ0100,F,"))]
        assert len(broken) == 2
        for i in broken:
            year, district, sex, _, age = lines[i].split(",")
            lines[i] = f"{year},{district},{sex},x,{age}"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        done = zpo2("run", "--pack", pack, "--home", tmp_path / "home", SOURCE_DATE_EPOCH=EPOCH)
        assert done.returncode == 0, done.stdout + done.stderr
        look = look_into(current_release(tmp_path / "home"))
        assert look("population", "CZ", "2023")[:2] == (None, "L")
        assert look("population", "CZ", "2023")[2] == round(76 / 77, 9)
        assert look("population", "CZ", "2022")[1:] == ("B", 1)


def by_sex(cell: Look, indicator: str, area: str) -> list[tuple[float | None, str]]:
    return [cell(indicator, area, sex=sex)[:2] for sex in ("M", "F", "_T")]


class TestTotalsOverSex:
    def test_own_total_is_not_added_to_its_parts(self, cell: Look, home: Path) -> None:
        assert by_sex(cell, "people", "s1") == [(10, "A"), (12, "A"), (22, "A")]
        assert explained(home, "people", "s1", "2021")["agrees"]

    def test_without_own_total_all_rows_are_summed(self, cell: Look) -> None:
        assert by_sex(cell, "people", "s2") == [(8, "A"), (10, "A"), (18, "A")]
        assert by_sex(cell, "people", "s10") == [(1, "A"), (0, "A"), (3, "A")]

    def test_larger_total_is_published_with_a_warning(self, cell: Look, warnings: dict[str, str]) -> None:
        assert by_sex(cell, "people", "s3") == [(10, "A"), (12, "A"), (25, "A")]
        assert warnings["model:totals_over_sex_agree"].startswith("Got 3 results")  # s3 and the rounded s7 of `people`, s1 of `told`

    def test_smaller_total_puts_the_cell_in_quarantine(self, cell: Look, quarantine: list[dict[str, Any]], home: Path) -> None:
        assert by_sex(cell, "people", "s4") == [(None, "Q")] * 3
        entries = [r for r in quarantine if r["source"] == "sexes" and r["column"] == "people" and "s4" in r["value"]]
        assert len(entries) == 3
        assert {r["reason"].split(";")[0] for r in entries} == {
            "the source's own total over sex is 3, less than 22, the sum of M, F and _U"
        }
        explanation = explained(home, "people", "s4", "2021")
        assert explanation["agrees"]
        assert "the source's own total over sex is 3" in explanation["value"]["why"][0]
        text = zpo2("explain", "people", "s4", "2021", "--pack", home.parent / "pack", "--home", home)
        assert "sexes gives a total that is less than the sum of its parts" in text.stdout, text.stderr

    def test_total_alone_does_not_make_its_parts_zero(self, cell: Look) -> None:
        assert by_sex(cell, "people", "s5") == [(None, "M"), (None, "M"), (9, "A")]

    def test_sex_without_rows_is_zero_where_the_others_make_the_total(self, cell: Look) -> None:
        assert by_sex(cell, "people", "s6") == [(4, "A"), (0, "A"), (4, "A")]

    def test_total_may_be_smaller_by_rounding_only(self, cell: Look) -> None:
        assert by_sex(cell, "people", "s7") == [(10.1, "A"), (10.1, "A"), (20.1, "A")]
        assert by_sex(cell, "people", "s8") == [(None, "Q")] * 3

    def test_rejected_row_of_men_keeps_women_and_own_total(self, cell: Look) -> None:
        assert by_sex(cell, "people", "s9") == [(None, "Q"), (12, "A"), (22, "A")]

    def test_own_total_may_come_in_another_part(self, cell: Look) -> None:
        assert by_sex(cell, "in_parts", "s1") == [(10, "A"), (12, "A"), (22, "A")]
        assert by_sex(cell, "in_parts", "s4") == [(None, "Q")] * 3

    def test_maximum_is_over_all_rows(self, cell: Look) -> None:
        assert cell("largest", "s4")[:2] == (12, "A")

    def test_contradiction_without_aggregate_is_published(self, cell: Look, quarantine: list[dict[str, Any]]) -> None:
        assert by_sex(cell, "told", "s1") == [(10, "A"), (12, "A"), (5, "A")]
        assert by_sex(cell, "told", "s2") == [(10, "A"), (12, "A"), (22, "A")]
        assert not [r for r in quarantine if r["source"] == "plain"]

    def test_cell_in_quarantine_makes_its_parent_incomplete(self, cell: Look) -> None:
        assert cell("people", "broken") == (None, "L", 0.5)


def by_age(cell: Look, area: str, *ages: str) -> list[tuple[float | None, str]]:
    return [cell("aged", area, age=age)[:2] for age in (*ages, "_T")]


class TestTotalsOverAges:
    def test_own_total_is_not_added_to_its_ages(self, cell: Look) -> None:
        assert by_age(cell, "b1", "Y0T14", "Y_GE15") == [(5, "A"), (6, "A"), (11, "A")]

    def test_larger_total_is_published_with_a_warning(self, cell: Look, warnings: dict[str, str]) -> None:
        assert by_age(cell, "b3", "Y0T14", "Y_GE15") == [(5, "A"), (6, "A"), (13, "A")]
        assert "1 totals of aged over ages differ from the sum of their ages" in warnings["rows:ages"]

    def test_smaller_total_puts_the_cell_in_quarantine(self, cell: Look, quarantine: list[dict[str, Any]]) -> None:
        assert by_age(cell, "b2", "Y0T14", "Y_GE15") == [(None, "Q")] * 3
        reasons = {r["reason"].split(";")[0] for r in quarantine if r["source"] == "ages"}
        assert reasons == {"the source's own total over ages is 7, less than 11, the sum of its ages"}

    def test_overlapping_or_incomplete_ages_contradict_nothing(self, cell: Look) -> None:
        assert by_age(cell, "b4", "Y0T14", "Y15T64", "Y_GE65", "Y_GE15") == [(5, "A"), (6, "A"), (1, "A"), (7, "A"), (12, "A")]
        assert by_age(cell, "b5", "Y_GE65") == [(4, "A"), (9, "A")]


def series(home: Path, area: str) -> dict[str, tuple[float, str, float]]:
    """Return what `folk` publishes for an area, by period: value, status and coverage."""
    columns = "time_period, obs_value, obs_status, coverage"
    table = f"'{current_release(home)}/parquet/indicator_values.parquet'"
    rows = duckdb.execute(f"select {columns} from {table} where indicator = 'folk' and ref_area = ?", [area]).fetchall()
    return {period: (value, status, coverage) for period, value, status, coverage in rows}


class TestTownsThatSeparateAgain:
    def test_own_dates_leave_a_gap(self, home: Path, quarantine: list[dict[str, Any]]) -> None:
        assert series(home, "d1") == {"2004": (10, "A", 1), "2011": (12, "A", 1)}
        assert series(home, "dated") == {"2004": (31, "A", 1), "2007": (34, "A", 1), "2011": (37, "A", 1)}  # with o1
        assert [r["reason"] for r in quarantine if r["source"] == "folk"] == ["code d1 of scheme code: not valid on 2007-01-01"]

    def test_gap_between_changes_is_restated_from_the_area_it_merged_into(self, home: Path) -> None:
        assert series(home, "j1") == {"2004": (10, "E", 1), "2007": (10, "E", 1), "2011": (11, "A", 1)}
        assert series(home, "j2") == {"2004": (30, "E", 1), "2007": (30, "E", 1), "2011": (33, "A", 1)}
        assert series(home, "joined") == {"2004": (40, "E", 1), "2007": (40, "E", 1), "2011": (44, "A", 1)}
        assert explained(home, "folk", "j1", "2007")["agrees"]

    def test_merged_town_counts_for_itself_only_from_its_later_date_on(self, home: Path) -> None:
        assert series(home, "m1") == {"2011": (12, "A", 1)}
        assert series(home, "m2") == {"2004": (40, "E", 1), "2007": (44, "A", 1), "2011": (36, "A", 1)}
        assert series(home, "merged") == {"2004": (40, "E", 1), "2007": (44, "A", 1), "2011": (48, "A", 1)}

    def test_they_are_expected_only_while_they_exist(self, home: Path) -> None:
        query = f"select expected from '{current_release(home)}/parquet/coverage.parquet' where indicator = 'folk' and level = 'town'"
        towns = sum(len(within) for within in sums_pack.AREAS.values())
        assert [n for (n,) in duckdb.sql(query + " order by time_period").fetchall()] == [towns - 1, towns - 2, towns]

    def test_town_follows_its_county_into_another_one(self, home: Path) -> None:
        assert series(home, "former") == {}
        assert series(home, "o1") == {"2004": (1, "A", 1), "2007": (2, "A", 1), "2011": (3, "A", 1)}
        assert series(home, "dated")["2011"] == (12 + 22 + 3, "A", 1)

    def test_areas_has_one_row_and_codes_have_each_span(self, home: Path) -> None:
        tables = current_release(home) / "parquet"
        spans = "valid_from, valid_to from '{}' where ref_area = 'd1' order by 1"
        assert duckdb.sql("select " + spans.format(tables / "areas.parquet")).fetchall() == [("2000-01-01", None)]
        assert duckdb.sql("select " + spans.format(tables / "area_codes.parquet")).fetchall() == [
            ("2000-01-01", "2005-01-01"), ("2010-01-01", None),
        ]  # fmt: skip
