"""Totals of a source beside their parts: which are contradicted, which only differ, and what is rounding."""

from __future__ import annotations

import polars as pl
import pytest

from pipelines.lake.ingest import totals
from pipelines.lake.mapping.observations import SCHEMA


def judged(*cells: tuple[str, str, float | None]) -> totals.Judged:
    """Judge observations of one area, each its sex, its age and its value."""
    rows = [
        {"source": "s", "part": f"p{i}", "measure": "m", "ref_area": "a", "time_period": "2021", "sex": sex, "age": age, "obs_value": value,
         "obs_status": "Q" if value is None else "A", "aggregate": "sum", "by_sex": True, "row_number": i, "row_count": 1}
        for i, (sex, age, value) in enumerate(cells, start=1)
    ]  # fmt: skip
    return totals.judge(pl.DataFrame(rows, schema=SCHEMA))


def refused(*cells: tuple[str, str, float | None]) -> set[tuple[str, str]]:
    return set(judged(*cells).refused.select("sex", "age").iter_rows())


def of_sexes(**values: float | None) -> set[str]:
    """Return the refused sexes of a cell with these values; T is the total."""
    return {sex for sex, _ in refused(*((f"_{sex}" if sex in "UT" else sex, "_T", value) for sex, value in values.items()))}


@pytest.mark.parametrize("total", [22, 25])
def test_a_total_that_is_at_least_its_parts_stands(total: float) -> None:
    assert of_sexes(M=10, F=12, T=total) == set()


def test_a_total_that_is_less_refuses_every_sex_of_the_cell() -> None:
    assert of_sexes(M=10, F=12, U=1, T=22) == {"M", "F", "_U", "_T"}


def test_parts_of_a_cell_in_several_files_are_one() -> None:
    assert refused(("M", "_T", 10), ("M", "_T", 5), ("_T", "_T", 14)) == {("M", "_T"), ("_T", "_T")}


def test_whole_numbers_are_not_rounded() -> None:
    assert of_sexes(M=10, F=12, T=21) == {"M", "F", "_T"}


@pytest.mark.parametrize(("total", "stands"), [(20.1, True), (20.0, False)])
def test_half_a_unit_of_the_last_decimal_of_each_value_may_be_rounding(total: float, stands: bool) -> None:
    assert (of_sexes(M=10.1, F=10.1, T=total) == set()) == stands  # 0.15 at most


def test_binary_fractions_are_no_contradiction() -> None:
    assert of_sexes(M=0.1, F=0.2, T=0.3) == set()


def test_where_a_part_is_missing_the_others_may_still_be_more_than_the_total() -> None:
    assert of_sexes(M=None, F=12, T=22) == set()
    assert of_sexes(M=None, F=12, T=3) == {"M", "F", "_T"}
    assert of_sexes(M=None, F=5, U=-1, T=-5) == set()  # the missing one may be negative, too


def test_a_total_that_is_missing_contradicts_nothing() -> None:
    assert of_sexes(M=10, F=12, T=None) == set()


def test_a_contradiction_over_ages_refuses_all_ages_and_sexes_of_the_place() -> None:
    cells = [("F", "Y0T14", 5.0), ("F", "Y_GE15", 6.0), ("F", "_T", 7.0), ("M", "_T", 1.0)]
    assert refused(*cells) == {(sex, age) for sex, age, _ in cells}


def test_a_contradiction_over_sex_leaves_other_ages_alone() -> None:
    assert refused(("F", "Y0T14", 5), ("_T", "Y0T14", 3), ("F", "Y_GE15", 6), ("_T", "Y_GE15", 9)) == {("F", "Y0T14"), ("_T", "Y0T14")}


def test_ages_that_differ_from_their_total_are_told_where_they_are_all() -> None:
    told = "1 totals of m over ages differ from the sum of their ages"
    assert judged(("_T", "Y_LT15", 5), ("_T", "Y_GE15", 6), ("_T", "_T", 13)).warnings == [told]
    assert judged(("_T", "young", 5), ("_T", "old", 6), ("_T", "_T", 13)).warnings == [told]
    assert judged(("_T", "Y_LT15", 5), ("_T", "Y_GE15", 6), ("_T", "_T", 11)).warnings == []
    assert judged(("_T", "Y_GE65", 5), ("_T", "_T", 13)).warnings == []
    assert judged(("_T", "Y_LT15", 5), ("_T", "Y_GE16", 6), ("_T", "_T", 13)).warnings == []


def test_of_ages_that_overlap_the_finest_count() -> None:
    assert totals.disjoint(["Y0T14", "Y15T64", "Y_GE65", "Y_GE15", "Y_LT65"]) == ["Y0T14", "Y15T64", "Y_GE65"]
    assert totals.disjoint(["Y7", "Y0T14", "unknown"]) == ["unknown", "Y7"]
    assert refused(("_T", "Y0T14", 5), ("_T", "Y_GE0", 12), ("_T", "_T", 12)) == set()
