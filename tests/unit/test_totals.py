"""Totals of a source compared with their parts: which ones are contradicted, which only differ, and what is rounding."""

from __future__ import annotations

import polars as pl
import pytest

from pipelines.lake.ingest import totals
from pipelines.lake.mapping.observations import SCHEMA


def check(*cells: tuple[str, str, float | None]) -> totals.TotalsCheck:
    """Check observations of one area, given as sex, age and value."""
    rows = [
        {"source": "s", "part": f"p{i}", "measure": "m", "ref_area": "a", "time_period": "2021", "sex": sex, "age": age, "obs_value": value,
         "obs_status": "Q" if value is None else "A", "aggregate": "sum", "by_sex": True, "row_number": i, "row_count": 1}
        for i, (sex, age, value) in enumerate(cells, start=1)
    ]  # fmt: skip
    return totals.check_totals(pl.DataFrame(rows, schema=SCHEMA))


def rejected(*cells: tuple[str, str, float | None]) -> set[tuple[str, str]]:
    return set(check(*cells).contradicted.select("sex", "age").iter_rows())


def rejected_sexes(**values: float | None) -> set[str]:
    """Return the rejected sexes of a cell with these values; T is the total."""
    return {sex for sex, _ in rejected(*((f"_{sex}" if sex in "UT" else sex, "_T", value) for sex, value in values.items()))}


class TestCheckTotals:
    @pytest.mark.parametrize("total", [22, 25])
    def test_accepts_total_that_is_at_least_its_parts(self, total: float) -> None:
        assert rejected_sexes(M=10, F=12, T=total) == set()

    def test_smaller_total_rejects_every_sex_of_the_cell(self) -> None:
        assert rejected_sexes(M=10, F=12, U=1, T=22) == {"M", "F", "_U", "_T"}

    def test_adds_rows_of_a_cell_from_several_files(self) -> None:
        assert rejected(("M", "_T", 10), ("M", "_T", 5), ("_T", "_T", 14)) == {("M", "_T"), ("_T", "_T")}

    def test_whole_numbers_have_no_tolerance(self) -> None:
        assert rejected_sexes(M=10, F=12, T=21) == {"M", "F", "_T"}

    @pytest.mark.parametrize(("total", "is_accepted"), [(20.1, True), (20.0, False)])
    def test_tolerates_half_a_unit_of_the_last_decimal_per_value(self, total: float, is_accepted: bool) -> None:
        assert (rejected_sexes(M=10.1, F=10.1, T=total) == set()) == is_accepted  # 0.15 at most

    def test_tolerates_errors_of_binary_fractions(self) -> None:
        assert rejected_sexes(M=0.1, F=0.2, T=0.3) == set()

    def test_missing_part_leaves_the_others_as_lower_bound(self) -> None:
        assert rejected_sexes(M=None, F=12, T=22) == set()
        assert rejected_sexes(M=None, F=12, T=3) == {"M", "F", "_T"}
        assert rejected_sexes(M=None, F=5, U=-1, T=-5) == set()  # the missing part may be negative, too

    def test_missing_total_contradicts_nothing(self) -> None:
        assert rejected_sexes(M=10, F=12, T=None) == set()

    def test_contradiction_over_ages_rejects_all_ages_and_sexes(self) -> None:
        cells = [("F", "Y0T14", 5.0), ("F", "Y_GE15", 6.0), ("F", "_T", 7.0), ("M", "_T", 1.0)]
        assert rejected(*cells) == {(sex, age) for sex, age, _ in cells}

    def test_contradiction_over_sex_keeps_other_ages(self) -> None:
        assert rejected(("F", "Y0T14", 5), ("_T", "Y0T14", 3), ("F", "Y_GE15", 6), ("_T", "Y_GE15", 9)) == {("F", "Y0T14"), ("_T", "Y0T14")}

    def test_warns_where_complete_ages_differ_from_their_total(self) -> None:
        warning = "1 totals of m over ages differ from the sum of their ages"
        assert check(("_T", "Y_LT15", 5), ("_T", "Y_GE15", 6), ("_T", "_T", 13)).warnings == [warning]
        assert check(("_T", "young", 5), ("_T", "old", 6), ("_T", "_T", 13)).warnings == [warning]
        assert check(("_T", "Y_LT15", 5), ("_T", "Y_GE15", 6), ("_T", "_T", 11)).warnings == []
        assert check(("_T", "Y_GE65", 5), ("_T", "_T", 13)).warnings == []
        assert check(("_T", "Y_LT15", 5), ("_T", "Y_GE16", 6), ("_T", "_T", 13)).warnings == []


class TestDisjoint:
    def test_keeps_the_finest_of_overlapping_ages(self) -> None:
        assert totals.disjoint(["Y0T14", "Y15T64", "Y_GE65", "Y_GE15", "Y_LT65"]) == ["Y0T14", "Y15T64", "Y_GE65"]
        assert totals.disjoint(["Y7", "Y0T14", "unknown"]) == ["unknown", "Y7"]
        assert rejected(("_T", "Y0T14", 5), ("_T", "Y_GE0", 12), ("_T", "_T", 12)) == set()
