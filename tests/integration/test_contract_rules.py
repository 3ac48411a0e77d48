"""Every rule by which observations become indicators, one rule per test. The numbers are computed by hand from `rules_pack`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest

from quality import completeness
from tests.conftest import current_release
from tests.support.command import zpo2

pytestmark = pytest.mark.slow


class Cell(NamedTuple):
    value: float | None
    status: str
    numerator: float | None
    denominator: float | None
    coverage: float


Look = Callable[..., Cell]
Rows = dict[tuple[str, str, str, str], Cell]


def about(number: float) -> Any:
    return pytest.approx(number)


@pytest.fixture(scope="session")
def rows(rules_home: Path) -> Rows:
    table = current_release(rules_home) / "parquet" / "indicator_values.parquet"
    cells = duckdb.execute(
        "select indicator, ref_area, time_period, sex, obs_value, obs_status, numerator, denominator, coverage "
        f"from '{table}' where age = '_T'"
    ).fetchall()
    return {(i, a, t, s): Cell(*rest) for i, a, t, s, *rest in cells}


@pytest.fixture(scope="session")
def cell(rows: Rows) -> Look:
    def look(indicator: str, area: str, period: str = "2021", sex: str = "_T") -> Cell:
        return rows[indicator, area, period, sex]

    return look


@pytest.fixture(scope="session")
def quarantine(rules_home: Path) -> list[dict[str, Any]]:
    done = zpo2("quarantine", "--pack", rules_home.parent / "pack", "--home", rules_home, "--json")
    listed: list[dict[str, Any]] = json.loads(done.stdout)
    return listed


@pytest.fixture(scope="session")
def warnings(rules_home: Path) -> set[str]:
    report = json.loads((current_release(rules_home) / "quality" / "report.json").read_text(encoding="utf-8"))
    return {check["name"] for check in report["gate"]["warnings"]}


def periods(rows: Rows, indicator: str, area: str = "t1") -> set[str]:
    return {t for i, a, t, _ in rows if (i, a) == (indicator, area)}


class TestTotalsOverSex:
    def test_aggregate_makes_a_sex_without_rows_zero(self, cell: Look) -> None:
        assert cell("candidates", "t1", sex="F")[:2] == (2, "A")
        assert cell("candidates", "t1", sex="M")[:2] == (0, "A")

    def test_total_of_an_aggregate_includes_unknown_sex(self, cell: Look) -> None:
        assert cell("candidates", "t2").value == 3
        assert cell("money", "t2").value == 5 + 6 + 7

    @pytest.mark.parametrize("sex", ["_T", "M", "F"])
    def test_area_outside_the_measures_where_has_no_observation(self, cell: Look, sex: str) -> None:
        assert cell("candidates", "t3").value == 1
        assert cell("listed", "t3", sex=sex)[:2] == (None, "M")

    @pytest.mark.parametrize("sex", ["_T", "M", "F"])
    def test_missing_zero_makes_such_an_area_zero(self, cell: Look, sex: str) -> None:
        assert cell("listed_or_zero", "t3", sex=sex)[:2] == (0, "A")
        assert cell("listed_or_zero", "t4", sex=sex)[:2] == (None, "O")

    def test_plain_total_is_the_one_of_the_source(self, cell: Look) -> None:
        assert cell("people", "t1").value == 10
        assert cell("people", "t1", sex="F").value == 2

    def test_missing_plain_total_is_men_women_and_unknown(self, cell: Look) -> None:
        assert cell("people", "t2").value == 1 + 2 + 4

    def test_plain_total_is_computed_over_all_sources(self, cell: Look) -> None:
        assert cell("people", "t5").value == 1 + 2  # men in one file, women in the other
        assert cell("people", "t8").value == 9  # men and women in one, the total in the other

    def test_plain_total_needs_men_and_women(self, cell: Look) -> None:
        assert cell("people", "t3", sex="M").value == 5
        assert cell("people", "t3")[:2] == (None, "M")

    def test_measure_that_is_not_additive_gets_no_total(self, cell: Look) -> None:
        assert cell("mark", "t1", sex="F").value == 2
        assert cell("mark", "t1").value is None

    def test_ages_are_not_summed(self, cell: Look) -> None:
        assert cell("by_age", "t1")[:2] == (None, "M")

    def test_formula_whose_terms_never_meet_closes_the_gate(self, rules_home: Path) -> None:
        counts = completeness.count_values(rules_home / "warehouse.duckdb", None)
        result = completeness.check_empty_indicators(rules_home / "warehouse.duckdb", counts)
        # of eight indicators without values, the sources and statuses explain six
        assert [text.split()[0] for text in result.description.split("; ")] == ["by_age", "mismatched"]
        accepted = json.loads((rules_home / "last_run.json").read_text())["gate"]["accepted"]
        assert list(accepted) == [completeness.NO_VALUES]

    def test_periods_are_not_summed(self, rows: Rows) -> None:
        assert periods(rows, "quarterly") == {"2021-Q1", "2021-Q2", "2021-Q3", "2021-Q4"}

    def test_null_makes_its_total_missing(self, cell: Look) -> None:
        assert cell("people", "t4", sex="M")[:2] == (None, "M")
        assert cell("people", "t4")[:2] == (None, "M")


class TestSeveralValues:
    def test_aggregate_works_within_a_source(self, cell: Look) -> None:
        assert cell("counted", "t1").value == 2  # two ballots; the three tallies of another file are not added

    def test_equal_observations_are_one(self, cell: Look) -> None:
        assert cell("twice", "t1")[:2] == (5, "A")

    def test_different_observations_of_a_source_go_to_quarantine(self, cell: Look, quarantine: list[dict[str, Any]]) -> None:
        assert cell("twice", "t2")[:2] == (None, "Q")
        values = sorted(json.loads(r["value"])["obs_value"] for r in quarantine if "a different value" in r["reason"])
        assert values == [5, 6]

    def test_first_source_by_file_name_is_used_with_a_warning(self, cell: Look, warnings: set[str]) -> None:
        assert cell("twice", "t3")[:2] == (1, "A")
        assert cell("twice", "t4")[:2] == (7, "A")
        assert "model:sources_agree" in warnings


class TestRollUp:
    def test_parallel_parents_count_nobody_twice(self, cell: Look) -> None:
        assert cell("total", "V2").value == 4 + 8 + 16
        assert cell("total", "C1").value == 1 + 2 + 4
        assert cell("total", "X")[:2] == (127, "A")

    def test_parent_is_not_summed_from_intermediate_values(self, cell: Look) -> None:
        assert cell("both_ways", "X") == (None, "L", 3, None, 0.5)  # 50 of the second valley is no child of the land

    def test_children_are_areas_valid_in_the_period(self, cell: Look) -> None:
        assert cell("living", "V3", "2010") == (1 + 2 + 4, "A", 7, None, 1)
        assert cell("living", "V3", "2011") == (1 + 2 + 8, "A", 11, None, 1)
        assert cell("living", "V3", "2012") == (1 + 2, "A", 3, None, 1)

    def test_ratio_of_a_parent_is_a_ratio_of_sums(self, cell: Look) -> None:
        assert cell("ratio", "V1") == (about(3 / 15), "A", 3, 15, 1)

    def test_child_contributes_to_both_sides_or_to_none(self, cell: Look) -> None:
        assert cell("ratio", "V2") == (None, "L", 4 + 5, 0 + 7, about(40 / 60))

    def test_child_with_denominator_zero_contributes(self, cell: Look) -> None:
        assert cell("ratio", "C2") == (about(9 / 7), "A", 9, 7, 1)

    def test_coverage_is_the_share_of_contributing_weight(self, cell: Look) -> None:
        assert cell("ratio", "X").coverage == about((10 + 30 + 40 + 0) / 100)

    def test_value_is_published_at_min_coverage(self, cell: Look) -> None:
        assert cell("covered", "X") == (about(6 / 10), "A", 6, 10, about(0.9))

    def test_value_alone_is_withheld_below_min_coverage(self, cell: Look) -> None:
        assert cell("ratio", "X") == (None, "L", 12, 22, about(0.8))

    def test_plain_sum_needs_and_counts_all_children(self, cell: Look) -> None:
        assert cell("covered_sum", "X") == (None, "L", 6, None, about(3 / 4))

    def test_reported_parent_without_children_is_published(self, cell: Look) -> None:
        assert cell("both_ways", "V2") == (50, "A", 50, None, 1)

    def test_reported_parent_needs_all_terms(self, cell: Look) -> None:
        assert cell("half_reported", "C3").value is None

    def test_built_in_measure_is_no_reported_observation(self, cell: Look) -> None:
        assert cell("both_ways_per_area", "V1") == (1.5, "A", 3, 2, 1)
        assert cell("both_ways_per_area", "V2")[:2] == (None, "M")  # areas are built in for the finest level only

    def test_confidential_reported_parent_is_confidential(self, cell: Look) -> None:
        assert cell("told", "V2")[:2] == (None, "C")

    def test_computed_value_is_published_and_the_difference_checked(self, cell: Look, warnings: set[str]) -> None:
        assert cell("both_ways", "V1") == (3, "A", 3, None, 1)
        assert "model:computed_and_reported_agree" in warnings

    def test_rollup_reported_prefers_the_reported_parent(self, cell: Look) -> None:
        assert cell("both_ways_reported", "V1")[:2] == (999, "A")

    def test_finest_level_is_one_for_pack_and_period(self, cell: Look) -> None:
        assert cell("grain", "X", "2020") == (35, "A", 35, None, 1)  # of counties
        assert cell("grain", "t1", "2020").value is None
        assert cell("grain", "X", "2021") == (None, "L", 1, None, 0.25)  # of towns, though only one has data
        assert cell("grain", "C2", "2021") == (20, "A", 20, None, 1)

    def test_finest_level_is_that_of_the_numerator(self, cell: Look) -> None:
        assert cell("grain_ratio", "X", "2020") == (about(35 / 300), "A", 35, 300, 1)

    def test_weighted_measure_is_a_weighted_mean(self, cell: Look) -> None:
        assert cell("mean_age", "V2") == (about(2750 / 70), "A", 20 * 50 + 50 * 35, 20 + 50, 1)

    def test_weighted_measure_counts_as_having_a_denominator(self, cell: Look) -> None:
        assert cell("mean_age", "X") == (33.5, "A", 3350, 100, about(0.9))  # 0.9 is enough
        assert cell("mean_age", "V1") == (None, "L", 600, 30, 0.75)

    def test_weighted_measure_is_unchanged_at_its_own_level(self, cell: Look) -> None:
        assert cell("mean_age", "t2") == (20, "A", 600, 30, 1)

    def test_measure_neither_additive_nor_weighted_stays_at_its_level(self, cell: Look) -> None:
        assert cell("stays", "t1").value == 5
        assert cell("stays", "V1").value is None

    def test_product_is_computed_per_cell_before_the_roll_up(self, cell: Look) -> None:
        assert cell("spent", "V1").value == 2 * 3 + 4 * 5

    def test_terms_match_on_equal_text_of_the_period(self, cell: Look) -> None:
        assert cell("mismatched", "t1", "2021-Q3").value is None  # the stock of 2021 is of no quarter

    def test_built_in_measures_exist_for_areas_of_the_finest_level(self, cell: Look) -> None:
        assert cell("per_area", "X") == (about(127 / 7), "A", 127, 7, 1)
        assert cell("per_km2", "V1") == (0.5, "A", 3, 6, 1)

    def test_term_has_its_own_sex_and_age(self, cell: Look) -> None:
        assert cell("old_women", "t1").value == 3

    def test_numerator_and_denominator_are_published_with_status_z(self, cell: Look) -> None:
        assert cell("ratio", "t4") == (None, "Z", 4, 0, 1)

    def test_numerator_and_denominator_are_empty_without_a_term(self, cell: Look) -> None:
        assert cell("ratio", "t3") == (None, "M", None, None, 0)

    def test_denominator_column_is_empty_without_a_denominator(self, rows: Rows) -> None:
        assert {c.denominator for (indicator, *_), c in rows.items() if indicator in ("total", "people", "grain")} == {None}

    def test_coverage_at_the_finest_level_is_one_or_zero(self, cell: Look) -> None:
        assert cell("people", "t1").coverage == 1
        assert cell("people", "t3").coverage == 0


class TestWeights:
    def test_are_those_of_the_rows_period(self, cell: Look) -> None:
        assert cell("weighing", "V1", "2021").coverage == 0.25

    def test_fall_back_to_the_nearest_earlier_period(self, cell: Look) -> None:
        assert cell("weighing", "V1", "2020").coverage == 0.5  # of 2018, though 2021 is nearer

    def test_fall_back_to_the_nearest_later_period(self, cell: Look) -> None:
        assert cell("weighing", "V1", "2015").coverage == 0.5

    def test_are_read_at_the_total_over_sex(self, cell: Look) -> None:
        assert cell("weighing", "V1", "2023").coverage == 0.25  # 2023 has a weight of men only, so 2021 stands

    def test_area_of_weight_zero_is_not_needed_for_a_plain_sum(self, cell: Look) -> None:
        assert cell("covered_sum", "C2") == (3, "A", 3, None, 1)

    def test_sum_of_zero_counts_areas_once(self, cell: Look) -> None:
        assert cell("lone", "V3").coverage == 0.5


class TestCells:
    def test_are_of_the_declared_levels_only(self, rows: Rows) -> None:
        areas = {a for i, a, _, _ in rows if i == "two_levels"}
        assert areas == {"t1", "t2", "t3", "t4", "t5", "t8", "t9", "X"}

    def test_parent_is_summed_over_a_level_that_is_not_published(self, rows: Rows) -> None:
        parents = {a: c[:2] for (i, a, _, _), c in rows.items() if i == "upper_level"}
        assert parents == {"C1": (7, "A"), "C2": (24, "A"), "C3": (96, "A")}

    def test_are_of_areas_valid_in_the_period(self, rows: Rows) -> None:
        assert periods(rows, "living", "t1") == {"2010", "2010-Q3", "2011", "2012"}
        assert periods(rows, "living", "old") == {"2010", "2010-Q3"}  # valid_to is exclusive
        assert periods(rows, "living", "new") == {"2010-Q3", "2011"}  # valid_from is inclusive

    def test_observation_of_an_invalid_area_goes_to_quarantine(self, quarantine: list[dict[str, Any]]) -> None:
        assert [r["reason"] for r in quarantine if "not valid" in r["reason"]] == ["code old of scheme code: not valid on 2011-01-01"]

    def test_period_of_the_denominator_alone_makes_none(self, rows: Rows) -> None:
        assert periods(rows, "ratio") == {"2021"}

    def test_rejected_cell_or_row_makes_cells_of_its_period(self, rows: Rows, cell: Look) -> None:
        assert periods(rows, "refused") == {"2021", "2022", "2023"}
        assert cell("refused", "t1", "2022")[:2] == (None, "Q")
        assert cell("refused", "t1", "2023").value is None  # the row that was refused names no known area

    def test_source_that_is_down_makes_cells_of_its_period(self, cell: Look) -> None:
        assert cell("late", "t1", "2021").value == 1
        assert {cell("late", area, "2025")[:2] for area in ("t1", "t9", "V1", "X")} == {(None, "S")}

    def test_are_of_the_total_and_the_declared_splits(self, rows: Rows) -> None:
        assert {s for i, _, _, s in rows if i == "people"} == {"_T", "M", "F"}
        assert {s for i, _, _, s in rows if i == "total"} == {"_T"}

    def test_indicator_without_period_has_no_row(self, rows: Rows) -> None:
        assert not {i for i, *_ in rows} & {"nothing", "needed_only"}
        assert "" not in {period for _, _, period, _ in rows}


class TestStatuses:
    @pytest.mark.parametrize(("area", "status"), [("t1", "B"), ("t2", "E"), ("t3", "I"), ("t4", "P"), ("t5", "A")])
    def test_value_keeps_the_status_of_its_source(self, cell: Look, area: str, status: str) -> None:
        assert cell("flagged", area)[:2] == (1, status)

    @pytest.mark.parametrize(("area", "status"), [("V1", "B"), ("V2", "I"), ("C2", "P"), ("X", "B")])
    def test_parent_takes_the_first_of_b_e_i_p_a_of_its_children(self, cell: Look, area: str, status: str) -> None:
        assert cell("flagged", area).status == status

    @pytest.mark.parametrize(("area", "status"), [("t1", "E"), ("t2", "I"), ("t3", "B")])
    def test_value_takes_the_first_of_b_e_i_p_a_of_its_terms(self, cell: Look, area: str, status: str) -> None:
        assert cell("flag_ratio", area)[:2] == (1, status)

    def test_confidential_value_is_withheld(self, cell: Look) -> None:
        assert cell("quiet", "t1") == (None, "C", None, None, 0)

    @pytest.mark.parametrize(
        ("indicator", "area", "period", "status"),
        [
            ("lack_ratio", "t1", "2021", "C"),  # confidential over missing
            ("lack_ratio", "t5", "2021", "C"),  # confidential over refused
            ("lack_ratio", "t2", "2021", "Q"),  # refused over missing
            ("lack_elsewhere", "t1", "2021", "M"),  # missing over not collected
            ("late_ratio", "t1", "2025", "C"),  # source down over confidential
            ("late_ratio", "t2", "2025", "S"),  # source down over refused
            ("late_ratio", "t3", "2025", "S"),  # source down over missing
        ],
    )
    def test_first_of_c_s_q_m_o_is_used(self, cell: Look, indicator: str, area: str, period: str, status: str) -> None:
        assert cell(indicator, area, period)[:2] == (None, status)

    def test_area_is_not_collected_outside_and_missing_inside_the_universe(self, cell: Look) -> None:
        assert cell("sparse", "t2", "2022").status == "M"  # the source has another row of it
        assert cell("sparse", "t3", "2022").status == "O"

    def test_z_needs_all_inputs(self, cell: Look) -> None:
        assert cell("lack_ratio", "t4").status == "M"  # over a denominator of 0
        assert cell("zero_ratio", "V1") == (None, "Z", 9, 0, 1)

    def test_parent_takes_the_status_that_all_missing_children_share(self, cell: Look) -> None:
        assert cell("quiet", "V1")[:2] == (None, "C")
        assert cell("quiet", "C2")[:2] == (None, "C")

    def test_parent_has_status_l_where_children_differ(self, cell: Look) -> None:
        assert cell("quiet", "V2")[:2] == (None, "L")


class TestWindow:
    def test_sums_both_sides_up_to_the_rows_period(self, cell: Look) -> None:
        assert cell("window_of_two", "t1", "2021") == (about(9 / 40), "A", 1 + 3 + 5, 10 + 10 + 20, 1)
        assert cell("window_of_two", "t1", "2020") == (about(4 / 20), "A", 1 + 3, 10 + 10, 1)

    def test_is_published_with_the_fewest_years_allowed(self, cell: Look, rows: Rows) -> None:
        assert cell("window_of_two", "t2", "2021") == (about(6 / 30), "A", 2 + 4, 10 + 20, 1)
        assert periods(rows, "window_of_two") == {"2020", "2021"}, "the first year cannot have two"

    def test_with_fewer_years_is_missing_and_does_not_contribute(self, cell: Look) -> None:
        assert cell("window_of_three", "t2", "2021")[:4] == (None, "M", None, None)
        assert cell("window_of_three", "V1", "2021") == (None, "L", 9, 40, 0.25)

    def test_of_a_parent_is_summed_over_its_children(self, cell: Look) -> None:
        assert cell("window_of_two", "V1", "2021") == (about(15 / 70), "A", 15, 70, 1)

    def test_may_be_a_mean(self, cell: Look) -> None:
        assert cell("window_mean", "t1").value == 3
        assert cell("window_mean", "t2").value == 3  # of the two years that are there

    def test_may_count_years_other_than_zero(self, cell: Look) -> None:
        assert cell("window_count", "t1").value == 3
        assert cell("window_count", "t3").value == 1

    def test_counts_calendar_years(self, cell: Look) -> None:
        assert cell("window_of_quarters", "t1", "2021-Q3").value == 1 + 2  # the same quarter of two years


class TestChangeAndLag:
    def test_percentage_needs_a_base_above_zero(self, cell: Look) -> None:
        assert cell("change_percent", "t1")[:2] == (about(50), "A")
        assert cell("change_percent", "t4")[:2] == (-100, "A")
        assert cell("change_percent", "t2")[:2] == (None, "Z")
        assert cell("change_percent", "t3")[:2] == (None, "Z")

    def test_difference_needs_both_values(self, cell: Look) -> None:
        assert [cell("change_difference", area).value for area in ("t1", "t2", "t3", "t4")] == [5, 5, 10, -20]
        assert cell("change_difference", "t2", "2020").value is None

    def test_log_ratio_needs_both_above_zero(self, cell: Look) -> None:
        assert cell("change_log", "t1").value == about(math.log(1.5))
        assert cell("change_log", "t2")[:2] == (None, "Z")
        assert cell("change_log", "t4")[:2] == (None, "Z")

    def test_change_counts_calendar_years(self, cell: Look) -> None:
        assert cell("change_two", "t1").value == about(100 * 3 / 12)

    def test_change_uses_unrounded_values(self, cell: Look) -> None:
        assert cell("change_ratio", "t1").value == about(100 * (2 / 3 - 1 / 3))

    def test_change_publishes_the_sums_of_the_rows_period(self, cell: Look) -> None:
        assert cell("change_ratio", "t1")[2:4] == (2, 3)
        assert cell("change_percent", "t1").numerator == 15

    def test_change_of_a_parent_is_over_areas_with_both_ends(self, cell: Look) -> None:
        assert cell("change_joined", "V2") == (about(100 * 20 / 60), "A", 30 + 50, None, 1)  # without the 1000 that just came
        assert cell("change_joined", "V1") == (None, "L", 12, None, 0.5)

    def test_child_with_undefined_change_contributes(self, cell: Look) -> None:
        assert cell("change_percent", "t2") == (None, "Z", 5, None, 1)
        assert cell("change_percent", "V1") == (100, "A", 15 + 5, None, 1)  # from 10 + 0

    def test_change_may_be_of_a_window(self, cell: Look) -> None:
        assert cell("change_of_window", "t1").value == (3 + 5) - (1 + 3)

    def test_lag_counts_calendar_years(self, cell: Look, rows: Rows) -> None:
        assert cell("lagged", "t1", "2021").value == 3
        assert cell("lagged", "t1", "2020").value == 1
        assert cell("lagged_quarter", "t1", "2021-Q3").value == 1
        assert periods(rows, "lagged") == {"2020", "2021"}, "nothing is known of the year before 2019"

    def test_terms_add_up_with_their_factors(self, cell: Look) -> None:
        assert cell("growth", "t1").value == 5 - 3


class TestBreaks:
    def test_period_of_a_break_has_status_b(self, cell: Look) -> None:
        assert [cell("rebased", "t1", year)[:2] for year in ("2020", "2021", "2022")] == [(1, "A"), (2, "B"), (4, "A")]
        assert cell("rebased", "V1", "2021")[:2] == (4, "B")

    def test_change_over_a_break_has_status_b(self, cell: Look) -> None:
        assert cell("rebased_change", "t1", "2021")[:2] == (1, "B")
        assert cell("rebased_two", "t1", "2022")[:2] == (3, "B")
        assert cell("rebased_two", "V1", "2022")[:2] == (6, "B")


class TestMissingZero:
    def test_numerator_term_without_a_row_is_zero_in_the_universe(self, cell: Look) -> None:
        assert cell("support", "t1").value == 5 + 1
        assert cell("support", "t2").value == 0 + 1
        assert cell("support", "t3")[:2] == (0, "A")
        assert cell("support", "V1").value == 7

    def test_is_not_zero_in_a_period_without_rows_of_the_source(self, cell: Look) -> None:
        assert cell("support", "t1", "2022")[:2] == (None, "O")

    def test_is_zero_only_in_areas_of_the_declared_universe(self, cell: Look) -> None:
        assert [cell("subsidy_or_zero", area)[:2] for area in ("t1", "t2", "t3")] == [(3, "A"), (0, "A"), (None, "O")]

    def test_universe_is_the_areas_with_rows_where_none_is_declared(self, cell: Look) -> None:
        values = [cell("sparse_or_zero", area, "2022")[:2] for area in ("t1", "t2", "t3")]
        assert values == [(1, "A"), (0, "A"), (None, "O")]

    def test_does_not_hide_rejected_confidential_or_null_values(self, cell: Look) -> None:
        assert [cell("support", area)[:2] for area in ("t4", "t5", "t8")] == [(None, "Q"), (None, "C"), (None, "M")]

    def test_does_not_hide_a_source_that_is_down(self, cell: Look) -> None:
        assert cell("late_or_zero", "t1", "2025")[:2] == (None, "S")

    def test_does_not_apply_to_denominators(self, cell: Look) -> None:
        assert cell("granted_per_own", "t2") == (0, "A", 0, 1, 1)
        assert cell("granted_per_own", "t3") == (None, "M", None, None, 0)


class TestCountedSources:
    def test_events_count_in_the_period_of_their_start(self, cell: Look) -> None:
        assert [cell("concerts", "t1", year).value for year in ("2021", "2022")] == [2, 0]
        assert cell("concerts_free", "t1", "2021").value == 1
        assert cell("concerts", "t2", "2022").value == 1

    def test_area_of_the_universe_has_zero_in_periods_with_entries(self, cell: Look, rows: Rows) -> None:
        assert cell("concerts", "t2", "2021")[:2] == (0, "A")
        assert cell("concerts", "V1", "2021")[:2] == (2, "A")
        assert periods(rows, "concerts") == {"2021", "2022"}

    def test_area_outside_the_universe_has_no_observation(self, cell: Look) -> None:
        assert cell("concerts", "t3", "2021")[:2] == (None, "O")
        assert cell("members", "t3", "2021")[:2] == (None, "O")

    def test_register_entry_counts_in_years_on_whose_first_day_it_is_valid(self, cell: Look) -> None:
        years = ("2020", "2021", "2022", "2023")
        assert [cell("members", "t1", year).value for year in years] == [1, 2, 1, 1]
        assert [cell("members", "t2", year).value for year in years] == [0, 0, 0, 1]

    def test_register_counts_from_first_valid_from_to_the_snapshots_year(self, rows: Rows) -> None:
        assert periods(rows, "members") == {"2020", "2021", "2022", "2023", "2024", "2025"}
