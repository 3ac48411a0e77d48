"""The rules by which a number is recomputed, without a database: cells, formula, roll-up, and the lines that show the calculation."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pipelines.core.vocabulary import first_day, years_before
from pipelines.explain import cells, formula, parents
from pipelines.explain.arithmetic import arithmetic
from pipelines.explain.computation import Computation, agree
from pipelines.explain.facts import Break, CellKey, Facts, Key, Place
from pipelines.explain.format import number
from pipelines.explain.parents import Outcome
from tests.unit.explain.builders import denominator, facts, obs, term


def own(inputs: Facts, sex: str = "_T") -> formula.AreaSums:
    return formula.area_sums(inputs, "a", "2021", sex, "_T")


def outcome(inputs: Facts, sex: str = "_T") -> Outcome:
    return parents.choose_outcome(inputs, own(inputs, sex), False, None)


def parent(inputs: Facts, *below: str, min_coverage: float = 0.9) -> Computation:
    members = [parents.Member(inputs.areas[name], formula.area_sums(inputs, name, "2021", "_T", "_T")) for name in below]
    rolled = parents.roll_up(inputs, members, min_coverage)
    sums = formula.area_sums(inputs, "p", "2021", "_T", "_T")
    return Computation(
        CellKey("i", "p", "2021"), inputs, "county", "town", parents.choose_outcome(inputs, sums, True, rolled), sums, rolled
    )


class TestFindCell:
    def test_total_is_women_men_and_unknown_where_no_source_gives_it(self) -> None:
        inputs = facts([term("x")], obs("x a 2021 M", 1), obs("x a 2021 F", 2), obs("x a 2021 _U", 4))
        cell = cells.find_cell(inputs, Key("x", "a", "2021", "_T", "_T"))
        assert cell is not None
        assert (cell.value, cell.how, [p.key.sex for p in cell.parts]) == (7, "women and men", ["F", "M", "_U"])
        assert len(cells.observations_of(cell)) == 3

    def test_no_total_of_one_sex_or_of_a_measure_that_is_not_additive(self) -> None:
        key = Key("x", "a", "2021", "_T", "_T")
        assert cells.find_cell(facts([term("x")], obs("x a 2021 M", 1)), key) is None
        both = (obs("x a 2021 M", 1), obs("x a 2021 F", 2))
        assert cells.find_cell(facts([term("x")], *both, additive={"x": False}), key) is None

    def test_uses_the_first_source_and_lists_the_other(self) -> None:
        cell = cells.find_cell(facts([term("x")], obs("x a 2021", 5, source="t"), obs("x a 2021", 3)), Key("x", "a", "2021", "_T", "_T"))
        assert cell is not None
        assert (cell.source, cell.value, [p.value for p in cell.passed_over]) == ("s", 3, [5])

    def test_aggregate_is_over_all_rows_and_zero_without_rows_of_a_sex(self) -> None:
        rows = [obs("x a 2021 M", 3, aggregate="sum", by_sex=True), obs("x a 2021 _U", 1, aggregate="sum", by_sex=True)]
        inputs = facts([term("x")], *rows)
        values = {sex: cells.find_cell(inputs, Key("x", "a", "2021", sex, "_T")) for sex in ("_T", "M", "F")}
        assert {sex: (c.value, c.how) for sex, c in values.items() if c} == {
            "_T": (4, "aggregated"),
            "M": (3, "aggregated"),
            "F": (0, "zero"),
        }

    def test_own_total_is_not_added_to_its_parts(self) -> None:
        given = {"M": 10, "F": 12, "_T": 25}
        rows = [obs(f"x a 2021 {sex}", value, aggregate="sum", by_sex=True) for sex, value in given.items()]
        result = [cells.find_cell(facts([term("x")], *rows), Key("x", "a", "2021", sex, "_T")) for sex in given]
        assert [(c.value, len(c.inputs)) for c in result if c] == [(10, 1), (12, 1), (25, 1)]

    def test_sex_without_rows_is_zero_only_where_the_others_make_the_total(self) -> None:
        def women(total: float) -> cells.Cell | None:
            rows = [
                obs("x a 2021 M", 3, aggregate="sum", by_sex=True),
                obs("x a 2021 _T", total, aggregate="sum", by_sex=True),
            ]
            return cells.find_cell(facts([term("x")], *rows), Key("x", "a", "2021", "F", "_T"))

        zero = women(3)
        assert zero is not None
        assert (zero.value, zero.how) == (0, "zero")
        assert women(4) is None

    def test_smaller_total_is_a_contradiction_in_every_sex(self) -> None:
        rows = [obs("x a 2021 M", 3, aggregate="sum", by_sex=True), obs("x a 2021 _T", 1, aggregate="sum", by_sex=True)]
        key = Key("x", "a", "2021", "_T", "_T")
        inputs = facts([term("x")], *rows, conflicts=frozenset({("s", key)}))
        result = [cells.find_cell(inputs, key._replace(sex=sex)) for sex in ("M", "F", "_T")]
        assert [(c.value, c.rank, c.how) for c in result if c] == [(None, 13, "contradiction")] * 3

    def test_rejected_row_of_unknown_sex_is_a_doubt_about_both(self) -> None:
        rows = [
            obs("x a 2021 M", 3, aggregate="sum", by_sex=True),
            obs("x a 2021 _T", None, "Q", aggregate="sum", by_sex=True, row=9),
        ]
        cell = cells.find_cell(facts([term("x")], *rows), Key("x", "a", "2021", "F", "_T"))
        assert cell is not None
        assert (cell.value, cell.rank, cell.how, [o.row for o in cell.inputs]) == (None, 13, "doubt", [9])

    def test_different_values_within_a_source_are_a_conflict(self) -> None:
        key = Key("x", "a", "2021", "_T", "_T")
        inputs = facts([term("x")], obs("x a 2021", 1), obs("x a 2021", 2, row=2), conflicts=frozenset({("s", key)}))
        cell = cells.find_cell(inputs, key)
        assert cell is not None
        assert (cell.value, cell.rank, cell.how, len(cell.inputs)) == (None, 13, "conflict", 2)


class TestAreaSums:
    def test_add_terms_with_factors_lags_and_products(self) -> None:
        inputs = facts(
            [term("x", factor=2.0), term("x", lag=1, factor=-1.0), term("n", times="price")],
            obs("x a 2021", 10), obs("x a 2020", 4), obs("n a 2021", 3), obs("price a 2021", 5),
        )  # fmt: skip
        assert outcome(inputs).value == 2 * 10 - 4 + 3 * 5

    def test_window_uses_years_with_numerator_and_denominator(self) -> None:
        window = {"window_years": 3, "window_agg": "sum", "window_min": 2}
        inputs = facts(
            [term("x"), denominator("y")], obs("x a 2021", 5), obs("y a 2021", 20), obs("x a 2020", 3), obs("x a 2019", 1), obs("y a 2019", 10),
            formula=window,
        )  # fmt: skip
        assert outcome(inputs).value == 6 / 30
        assert [y.complete for y in own(inputs).now.years] == [True, False, True]

    @pytest.mark.parametrize(("kind", "value"), [("percent", 50.0), ("difference", 5.0), ("log_ratio", math.log(1.5))])
    def test_change_compares_with_its_base(self, kind: str, value: float) -> None:
        inputs = facts([term("x")], obs("x a 2021", 15), obs("x a 2020", 10), formula={"change_kind": kind, "change_years": 1})
        assert outcome(inputs).value == pytest.approx(value)

    def test_percentage_needs_a_positive_base(self) -> None:
        inputs = facts([term("x")], obs("x a 2021", 15), obs("x a 2020", 0), formula={"change_kind": "percent", "change_years": 1})
        assert (outcome(inputs).value, outcome(inputs).status) == (None, "Z")

    def test_break_marks_a_change_but_not_its_end(self) -> None:
        change = {"change_kind": "difference", "change_years": 1}
        breaks = (Break("x", "t", "2021", "rebased"),)
        inputs = facts([term("x")], obs("x a 2021", 2), obs("x a 2020", 1), formula=change, breaks=breaks)
        assert (outcome(inputs).status, own(inputs).series_break) == ("B", breaks[0])
        assert own(inputs).now.rank == 1

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
    def test_operand_without_observation_has_a_reason(self, more: dict[str, Any], how: str, status: str) -> None:
        inputs = facts([term("x"), denominator("y")], obs("y a 2021", 10), **more)
        operand = own(inputs).now.years[0].terms[0].operands[0]
        assert (operand.how, outcome(inputs).status) == (how, status)

    def test_denominator_of_zero_is_not_defined(self) -> None:
        inputs = facts([term("x"), denominator("y")], obs("x a 2021", 1), obs("y a 2021", 0))
        assert (outcome(inputs).value, outcome(inputs).status, outcome(inputs).denominator) == (None, "Z", 0)


class TestRollUp:
    def test_is_a_ratio_of_sums_over_areas_with_every_term(self) -> None:
        inputs = facts(
            [term("x"), denominator("y")], obs("x a 2021", 1), obs("y a 2021", 10), obs("x b 2021", 3), obs("y b 2021", 10), obs("x c 2021", 9),
            areas={"a": 30.0, "b": 65.0, "c": 5.0, "p": None},
        )  # fmt: skip
        result = parent(inputs, "a", "b", "c")
        assert (result.outcome.value, result.outcome.status, result.outcome.coverage) == (4 / 20, "A", 0.95)
        assert arithmetic(result) == ["sums over 2 of 3 areas of level town: numerator 4, denominator 20", "= 4 / 20", "= 0.2"]

    def test_coverage_is_unknown_without_the_weight_of_a_missing_area(self) -> None:
        rows = (obs("x a 2021", 1), obs("y a 2021", 10), obs("y b 2021", 10))
        inputs = facts([term("x"), denominator("y")], *rows, areas={"a": 30.0, "b": None})
        result = parent(inputs, "a", "b").outcome
        assert (result.value, result.status, result.numerator, result.coverage) == (None, "L", 1, None)
        there = parent(facts([term("x"), denominator("y")], *rows, obs("x b 2021", 1), areas={"a": 30.0, "b": None}), "a", "b").outcome
        assert (there.value, there.status, there.coverage) == (2 / 20, "A", 1)

    @pytest.mark.parametrize(("weight", "coverage", "status"), [(100.0, 0.5, "L"), (None, 0.5, "L"), (0.0, 1.0, "A")])
    def test_plain_sum_counts_all_areas_except_those_of_weight_zero(self, weight: float | None, coverage: float, status: str) -> None:
        inputs = facts([term("x")], obs("x a 2021", 1), areas={"a": 300.0, "b": weight})
        result = parent(inputs, "a", "b").outcome
        assert (result.status, result.coverage) == (status, coverage)

    def test_low_coverage_gives_sums_without_a_value(self) -> None:
        inputs = facts([term("x"), denominator("y")], obs("x a 2021", 1), obs("y a 2021", 10), areas={"a": 30.0, "b": 70.0, "p": None})
        result = parent(inputs, "a", "b").outcome
        assert (result.value, result.status, result.numerator, result.denominator, result.coverage) == (None, "L", 1, 10, 0.3)

    def test_takes_a_status_that_all_areas_share(self) -> None:
        rows = [obs("x a 2021", None, "C"), obs("x b 2021", None, "C")]
        assert parent(facts([term("x")], *rows, areas={"a": 1.0, "b": 1.0, "p": None}), "a", "b").outcome.status == "C"

    def test_uses_the_reported_parent_where_the_indicator_says_so(self) -> None:
        rows = [obs("x a 2021", 1), obs("x p 2021", 99)]
        assert parent(facts([term("x")], *rows), "a").outcome.value == 1
        assert parent(facts([term("x")], *rows, formula={"rollup": "reported"}), "a").outcome.value == 99

    def test_measure_that_is_not_additive_has_no_parent(self) -> None:
        result = parent(facts([term("x")], obs("x a 2021", 1), areas={"a": 1.0, "p": None}, additive={"x": False}), "a").outcome
        assert (result.way, result.status, result.coverage) == ("absent", "O", 0.0)


class TestArithmetic:
    def test_shows_every_term_and_ends_with_the_value(self) -> None:
        inputs = facts(
            [term("x"), term("x", lag=1, factor=-1.0), denominator("y")], obs("x a 2021", 7), obs("x a 2020", -2), obs("y a 2021", 3),
            formula={"multiplier": 100.0},
        )  # fmt: skip
        lines = arithmetic(Computation(CellKey("i", "a", "2021"), inputs, "town", "town", outcome(inputs), own(inputs)))
        assert lines == ["= 100 * (7 + (-1) * (-2)) / 3", "= 100 * 9 / 3", "= 300"]


class TestNumber:
    @pytest.mark.parametrize(
        ("value", "text"), [(None, "missing"), (16656.0, "16656"), (1 / 3, "0.333333333333"), (-2.5, "-2.5"), (0.0, "0")]
    )
    def test_has_twelve_digits(self, value: float | None, text: str) -> None:
        assert number(value) == text


class TestAgree:
    def test_ignores_the_last_digits(self) -> None:
        assert agree(1 / 3, 0.333333333333)
        assert agree(None, None)
        assert agree(0.0, 0.0)
        assert not agree(1.0, 1.00001)
        assert not agree(0.0, None)
        assert not agree(0.0, 1e-12)


class TestPeriods:
    def test_go_back_by_calendar_years(self) -> None:
        assert years_before("2021-Q3", 2) == "2019-Q3"
        assert [str(first_day(p)) for p in ("2021", "2021-Q3", "2021-07", "2021-07-15", "2021-13")] == [
            "2021-01-01", "2021-07-01", "2021-07-01", "2021-07-15", "None",
        ]  # fmt: skip
