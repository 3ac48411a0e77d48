"""The rules by which a number is computed anew, without a database: cells, formula, roll-up, and the lines that show it."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pipelines.core.vocabulary import first_day, years_before
from pipelines.explain import cells, formula, parents
from pipelines.explain.arithmetic import arithmetic
from pipelines.explain.computation import Computation, agree
from pipelines.explain.facts import Break, Facts, Key, Place, Question
from pipelines.explain.format import number
from pipelines.explain.parents import Outcome
from tests.unit.explain.making import facts, low, seen, term


def own(known: Facts, sex: str = "_T") -> formula.Direct:
    return formula.direct(known, "a", "2021", sex, "_T")


def outcome(known: Facts, sex: str = "_T") -> Outcome:
    return parents.outcome(known, own(known, sex), False, None)


def parent(known: Facts, *below: str, min_coverage: float = 0.9) -> Computation:
    members = [parents.Member(known.areas[name], formula.direct(known, name, "2021", "_T", "_T")) for name in below]
    rolled = parents.roll_up(known, members, min_coverage)
    sums = formula.direct(known, "p", "2021", "_T", "_T")
    return Computation(Question("i", "p", "2021"), known, "county", "town", parents.outcome(known, sums, True, rolled), sums, rolled)


# --------------------------------------------------------------------------------------------------------------------- cells


def test_a_total_that_no_source_gives_is_women_and_men_and_unknown() -> None:
    known = facts([term("x")], seen("x a 2021 M", 1), seen("x a 2021 F", 2), seen("x a 2021 _U", 4))
    found = cells.cell(known, Key("x", "a", "2021", "_T", "_T"))
    assert found is not None
    assert (found.value, found.how, [p.key.sex for p in found.parts]) == (7, "women and men", ["F", "M", "_U"])
    assert len(cells.observations_of(found)) == 3


def test_one_sex_alone_makes_no_total_and_neither_does_a_measure_that_cannot_be_summed() -> None:
    key = Key("x", "a", "2021", "_T", "_T")
    assert cells.cell(facts([term("x")], seen("x a 2021 M", 1)), key) is None
    both = (seen("x a 2021 M", 1), seen("x a 2021 F", 2))
    assert cells.cell(facts([term("x")], *both, additive={"x": False}), key) is None


def test_the_first_source_stands_and_the_other_is_passed_over() -> None:
    found = cells.cell(facts([term("x")], seen("x a 2021", 5, source="t"), seen("x a 2021", 3)), Key("x", "a", "2021", "_T", "_T"))
    assert found is not None
    assert (found.source, found.value, [p.value for p in found.passed_over]) == ("s", 3, [5])


def test_an_aggregate_is_over_all_rows_and_a_sex_without_rows_is_zero() -> None:
    rows = [seen("x a 2021 M", 3, aggregate="sum", by_sex=True), seen("x a 2021 _U", 1, aggregate="sum", by_sex=True)]
    known = facts([term("x")], *rows)
    values = {sex: cells.cell(known, Key("x", "a", "2021", sex, "_T")) for sex in ("_T", "M", "F")}
    assert {sex: (c.value, c.how) for sex, c in values.items() if c} == {"_T": (4, "aggregated"), "M": (3, "aggregated"), "F": (0, "zero")}


def test_a_total_of_the_source_is_not_added_to_women_and_men() -> None:
    given = {"M": 10, "F": 12, "_T": 25}
    rows = [seen(f"x a 2021 {sex}", value, aggregate="sum", by_sex=True) for sex, value in given.items()]
    found = [cells.cell(facts([term("x")], *rows), Key("x", "a", "2021", sex, "_T")) for sex in given]
    assert [(c.value, len(c.inputs)) for c in found if c] == [(10, 1), (12, 1), (25, 1)]


def test_a_sex_without_rows_is_zero_only_where_the_others_make_the_total() -> None:
    def women(total: float) -> cells.Cell | None:
        rows = [seen("x a 2021 M", 3, aggregate="sum", by_sex=True), seen("x a 2021 _T", total, aggregate="sum", by_sex=True)]
        return cells.cell(facts([term("x")], *rows), Key("x", "a", "2021", "F", "_T"))

    zero = women(3)
    assert zero is not None
    assert (zero.value, zero.how) == (0, "zero")
    assert women(4) is None


def test_a_total_that_is_less_than_its_parts_refuses_all_of_them() -> None:
    rows = [seen("x a 2021 M", 3, aggregate="sum", by_sex=True), seen("x a 2021 _T", 1, aggregate="sum", by_sex=True)]
    key = Key("x", "a", "2021", "_T", "_T")
    known = facts([term("x")], *rows, conflicts=frozenset({("s", key)}))
    found = [cells.cell(known, key._replace(sex=sex)) for sex in ("M", "F", "_T")]
    assert [(c.value, c.rank, c.how) for c in found if c] == [(None, 13, "contradiction")] * 3


def test_a_refused_row_of_unknown_sex_puts_doubt_on_both() -> None:
    rows = [seen("x a 2021 M", 3, aggregate="sum", by_sex=True), seen("x a 2021 _T", None, "Q", aggregate="sum", by_sex=True, row=9)]
    found = cells.cell(facts([term("x")], *rows), Key("x", "a", "2021", "F", "_T"))
    assert found is not None
    assert (found.value, found.rank, found.how, [o.row for o in found.inputs]) == (None, 13, "doubt", [9])


def test_different_values_within_a_source_are_a_conflict() -> None:
    key = Key("x", "a", "2021", "_T", "_T")
    known = facts([term("x")], seen("x a 2021", 1), seen("x a 2021", 2, row=2), conflicts=frozenset({("s", key)}))
    found = cells.cell(known, key)
    assert found is not None
    assert (found.value, found.rank, found.how, len(found.inputs)) == (None, 13, "conflict", 2)


# ------------------------------------------------------------------------------------------------------------------- formula


def test_terms_add_up_with_factors_lags_and_products() -> None:
    known = facts(
        [term("x", factor=2.0), term("x", lag=1, factor=-1.0), term("n", times="price")],
        seen("x a 2021", 10), seen("x a 2020", 4), seen("n a 2021", 3), seen("price a 2021", 5),
    )  # fmt: skip
    assert outcome(known).value == 2 * 10 - 4 + 3 * 5


def test_a_year_of_a_window_counts_where_both_sides_are_there() -> None:
    window = {"window_years": 3, "window_agg": "sum", "window_min": 2}
    known = facts(
        [term("x"), low("y")], seen("x a 2021", 5), seen("y a 2021", 20), seen("x a 2020", 3), seen("x a 2019", 1), seen("y a 2019", 10),
        formula=window,
    )  # fmt: skip
    assert outcome(known).value == 6 / 30
    assert [y.complete for y in own(known).now.years] == [True, False, True]


@pytest.mark.parametrize(("kind", "value"), [("percent", 50.0), ("difference", 5.0), ("log_ratio", math.log(1.5))])
def test_a_change_compares_with_its_base(kind: str, value: float) -> None:
    known = facts([term("x")], seen("x a 2021", 15), seen("x a 2020", 10), formula={"change_kind": kind, "change_years": 1})
    assert outcome(known).value == pytest.approx(value)


def test_a_percentage_of_a_base_that_is_not_positive_is_not_defined() -> None:
    known = facts([term("x")], seen("x a 2021", 15), seen("x a 2020", 0), formula={"change_kind": "percent", "change_years": 1})
    assert (outcome(known).value, outcome(known).status) == (None, "Z")


def test_a_break_between_the_ends_marks_a_change_and_not_the_value_at_its_end() -> None:
    change = {"change_kind": "difference", "change_years": 1}
    breaks = (Break("x", "t", "2021", "rebased"),)
    known = facts([term("x")], seen("x a 2021", 2), seen("x a 2020", 1), formula=change, breaks=breaks)
    assert (outcome(known).status, own(known).broken) == ("B", breaks[0])
    assert own(known).now.rank == 1


@pytest.mark.parametrize(
    ("more", "how", "status"),
    [
        ({}, "absent", "O"),
        ({"universe": frozenset({Place("x", "a", "2021")})}, "unreported", "M"),
        ({"universe": frozenset({Place("x", "a", "2021")}), "formula": {"missing_zero": True}}, "zero", "A"),
        ({"down": {"x": frozenset({None})}, "formula": {"missing_zero": True}}, "down", "S"),
        ({"down": {"x": frozenset({"2020"})}}, "absent", "O"),
    ],
)
def test_what_nothing_was_observed_of_has_a_reason(more: dict[str, Any], how: str, status: str) -> None:
    known = facts([term("x"), low("y")], seen("y a 2021", 10), **more)
    operand = own(known).now.years[0].terms[0].operands[0]
    assert (operand.how, outcome(known).status) == (how, status)


def test_a_denominator_of_zero_is_not_defined() -> None:
    known = facts([term("x"), low("y")], seen("x a 2021", 1), seen("y a 2021", 0))
    assert (outcome(known).value, outcome(known).status, outcome(known).denominator) == (None, "Z", 0)


# ------------------------------------------------------------------------------------------------------------------- parents


def test_a_parent_is_a_ratio_of_sums_over_the_areas_that_have_every_term() -> None:
    known = facts(
        [term("x"), low("y")], seen("x a 2021", 1), seen("y a 2021", 10), seen("x b 2021", 3), seen("y b 2021", 10), seen("x c 2021", 9),
        areas={"a": 30.0, "b": 65.0, "c": 5.0, "p": None},
    )  # fmt: skip
    found = parent(known, "a", "b", "c")
    assert (found.outcome.value, found.outcome.status, found.outcome.coverage) == (4 / 20, "A", 0.95)
    assert arithmetic(found) == ["sums over 2 of 3 areas of level town: numerator 4, denominator 20", "= 4 / 20", "= 0.2"]


def test_where_an_area_of_unknown_weight_is_missing_the_coverage_of_a_ratio_is_unknown() -> None:
    rows = (seen("x a 2021", 1), seen("y a 2021", 10), seen("y b 2021", 10))
    known = facts([term("x"), low("y")], *rows, areas={"a": 30.0, "b": None})
    found = parent(known, "a", "b").outcome
    assert (found.value, found.status, found.numerator, found.coverage) == (None, "L", 1, None)
    there = parent(facts([term("x"), low("y")], *rows, seen("x b 2021", 1), areas={"a": 30.0, "b": None}), "a", "b").outcome
    assert (there.value, there.status, there.coverage) == (2 / 20, "A", 1)


@pytest.mark.parametrize(("weight", "coverage", "status"), [(100.0, 0.5, "L"), (None, 0.5, "L"), (0.0, 1.0, "A")])
def test_a_plain_sum_counts_all_areas_but_those_that_weigh_nothing(weight: float | None, coverage: float, status: str) -> None:
    known = facts([term("x")], seen("x a 2021", 1), areas={"a": 300.0, "b": weight})
    found = parent(known, "a", "b").outcome
    assert (found.status, found.coverage) == (status, coverage)


def test_below_the_coverage_there_are_sums_and_no_value() -> None:
    known = facts([term("x"), low("y")], seen("x a 2021", 1), seen("y a 2021", 10), areas={"a": 30.0, "b": 70.0, "p": None})
    found = parent(known, "a", "b").outcome
    assert (found.value, found.status, found.numerator, found.denominator, found.coverage) == (None, "L", 1, 10, 0.3)


def test_areas_that_share_a_reason_give_it_to_their_parent() -> None:
    rows = [seen("x a 2021", None, "C"), seen("x b 2021", None, "C")]
    assert parent(facts([term("x")], *rows, areas={"a": 1.0, "b": 1.0, "p": None}), "a", "b").outcome.status == "C"


def test_a_reported_parent_stands_where_the_indicator_asks_for_it() -> None:
    rows = [seen("x a 2021", 1), seen("x p 2021", 99)]
    assert parent(facts([term("x")], *rows), "a").outcome.value == 1
    assert parent(facts([term("x")], *rows, formula={"rollup": "reported"}), "a").outcome.value == 99


def test_a_measure_that_cannot_be_summed_has_no_parent() -> None:
    found = parent(facts([term("x")], seen("x a 2021", 1), areas={"a": 1.0, "p": None}, additive={"x": False}), "a").outcome
    assert (found.way, found.status, found.coverage) == ("absent", "O", 0.0)


# ------------------------------------------------------------------------------------------------------------ what is shown


def test_the_lines_show_every_term_and_end_with_the_value() -> None:
    known = facts(
        [term("x"), term("x", lag=1, factor=-1.0), low("y")], seen("x a 2021", 7), seen("x a 2020", -2), seen("y a 2021", 3),
        formula={"multiplier": 100.0},
    )  # fmt: skip
    lines = arithmetic(Computation(Question("i", "a", "2021"), known, "town", "town", outcome(known), own(known)))
    assert lines == ["= 100 * (7 + (-1) * (-2)) / 3", "= 100 * 9 / 3", "= 300"]


@pytest.mark.parametrize(("value", "text"), [(None, "missing"), (16656.0, "16656"), (1 / 3, "0.333333333333"), (-2.5, "-2.5"), (0.0, "0")])
def test_numbers_have_twelve_digits(value: float | None, text: str) -> None:
    assert number(value) == text


def test_numbers_agree_but_for_the_last_digits() -> None:
    assert agree(1 / 3, 0.333333333333)
    assert agree(None, None)
    assert agree(0.0, 0.0)
    assert not agree(1.0, 1.00001)
    assert not agree(0.0, None)
    assert not agree(0.0, 1e-12)


def test_periods_go_back_by_calendar_years() -> None:
    assert years_before("2021-Q3", 2) == "2019-Q3"
    assert [str(first_day(p)) for p in ("2021", "2021-Q3", "2021-07", "2021-07-15", "2021-13")] == [
        "2021-01-01", "2021-07-01", "2021-07-01", "2021-07-15", "None",
    ]  # fmt: skip
