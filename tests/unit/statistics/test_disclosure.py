"""Suppressed counts that published ones give away: the audit by linear programming, and the counts that protect them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from pipelines.statistics.disclosure import Equation, Protection, Ties, age_parts, protect, sum_of

SQUARE = [  # rows and columns of a table of 2 x 2 with totals: cells 0 1 | 2, 3 4 | 5, 6 7 | 8
    sum_of(2, (0, 1)), sum_of(5, (3, 4)), sum_of(8, (6, 7)), sum_of(6, (0, 3)), sum_of(7, (1, 4)), sum_of(8, (2, 5)),
]  # fmt: skip


def mask(n: int, *places: int) -> np.ndarray:
    return np.isin(np.arange(n), places)


def table(inner: np.ndarray) -> np.ndarray:
    """The cells of a table with its totals, row by row."""
    with_rows = np.concatenate([inner, inner.sum(axis=1, keepdims=True)], axis=1)
    return np.concatenate([with_rows, with_rows.sum(axis=0, keepdims=True)]).ravel().astype(float)


def sums_of(rows: int, columns: int) -> list[Equation]:
    width = columns + 1
    across = [sum_of(r * width + columns, [r * width + c for c in range(columns)]) for r in range(rows + 1)]
    down = [sum_of(rows * width + c, [r * width + c for r in range(rows)]) for c in range(columns + 1)]
    return across + down


def derivable(counts: np.ndarray, equations: list[Equation], suppressed: np.ndarray) -> list[int]:
    return Ties(len(counts), equations).audit(counts, suppressed, suppressed).derivable.tolist()


def narrow_by_single_programmes(counts: np.ndarray, equations: list[Equation], suppressed: np.ndarray) -> list[int]:
    """The same by the definition, without any shortcut: two programmes over all cells for each suppressed one."""
    matrix = np.zeros((len(equations), len(counts)))
    for row, equation in enumerate(equations):
        matrix[row, list(equation.cells)] = equation.factors
    bounds = [(0, None) if hidden else (count, count) for count, hidden in zip(counts, suppressed, strict=True)]
    narrow = []
    for cell in np.flatnonzero(suppressed):
        aim = np.isin(np.arange(len(counts)), [cell]).astype(float)
        low, high = (linprog(sign * aim, A_eq=matrix, b_eq=np.zeros(len(equations)), bounds=bounds) for sign in (1, -1))
        if high.status == 0 and -high.fun - low.fun < 1 - 1e-6:
            narrow.append(int(cell))
    return narrow


class TestAudit:
    def test_one_missing_cell_of_a_sum_is_derived(self) -> None:
        assert derivable(np.array([3.0, 7.0, 10.0]), [sum_of(2, (0, 1))], mask(3, 0)) == [0]

    def test_two_missing_cells_are_bounded_by_their_sum_only(self) -> None:
        assert derivable(np.array([3.0, 7.0, 10.0]), [sum_of(2, (0, 1))], mask(3, 0, 1)) == []

    def test_zero_of_zero_is_derived(self) -> None:
        assert derivable(np.zeros(3), [sum_of(2, (0, 1))], mask(3, 0, 1)) == [0, 1]

    def test_counts_that_may_be_negative_have_no_bounds(self) -> None:
        counts, equations = np.zeros(4), [sum_of(3, (0, 1)), Equation((1, 2), (1.0, 2.0))]
        assert derivable(counts, equations, mask(4, 0, 1, 2)) == [0, 1, 2]
        ties = Ties(4, equations, signed=mask(4, 0, 1, 2))
        assert not ties.audit(counts, mask(4, 0, 1, 2), mask(4, 0, 1, 2)).derivable.size

    def test_a_rectangle_that_rows_and_columns_give_away_is_derived(self) -> None:
        """Three cells of a square are suppressed; the fourth gives all of them away."""
        counts = table(np.array([[2, 8], [9, 20]]))
        assert derivable(counts, SQUARE, mask(9, 0, 1, 3)) == [0, 1, 3]
        assert derivable(counts, SQUARE, mask(9, 0, 1, 3, 4)) == []

    def test_equations_that_contradict_each_other_are_no_protection(self) -> None:
        counts, equations = np.array([3.0, 7.0, 10.0, 30.0]), [sum_of(2, (0, 1)), sum_of(3, (0, 1))]
        assert derivable(counts, equations, mask(4, 0, 1)) == [0, 1]

    def test_a_count_that_is_published_nowhere_protects_and_needs_no_protection(self) -> None:
        result = Ties(3, [sum_of(2, (0, 1))]).audit(np.array([3.0, 7.0, 10.0]), mask(3, 0, 1), mask(3, 0))
        assert (result.derivable.tolist(), result.blocks) == ([], 1)

    @given(st.integers(2, 4), st.integers(2, 4), st.integers(0, 2**32 - 1), st.floats(0.2, 0.9))
    @settings(max_examples=15, deadline=None)
    def test_it_agrees_with_the_definition(self, rows: int, columns: int, seed: int, share: float) -> None:
        rng = np.random.default_rng(seed)
        counts, equations = table(rng.negative_binomial(1, 0.2, (rows, columns))), sums_of(rows, columns)
        suppressed = rng.random(len(counts)) < share
        assert derivable(counts, equations, suppressed) == narrow_by_single_programmes(counts, equations, suppressed)

    @pytest.mark.slow
    def test_many_open_counts_need_few_programmes(self) -> None:
        """Men, women and all people of 400 places: the counts of a block are moved together."""
        rng = np.random.default_rng(1)
        by_sex = rng.negative_binomial(2, 0.2, (2, 400)) + 1.0
        counts = np.concatenate([by_sex.ravel(), by_sex.sum(axis=0), by_sex.sum(axis=1), [by_sex.sum()]])
        equations = [sum_of(800 + i, (i, 400 + i)) for i in range(400)]
        equations += [sum_of(1200, range(400)), sum_of(1201, range(400, 800)), sum_of(1202, range(800, 1200)), sum_of(1202, (1200, 1201))]
        suppressed = np.arange(1203) < 1200
        result = Ties(1203, equations).audit(counts, suppressed, suppressed)
        assert not result.derivable.size
        assert result.largest_columns == 1200


class TestProtect:
    def test_the_smallest_other_part_is_suppressed_too(self) -> None:
        counts = np.array([2.0, 50.0, 8.0, 60.0])
        assert protect(counts, [sum_of(3, (0, 1, 2))], mask(4, 0)).tolist() == [True, False, True, False]

    def test_a_square_is_completed(self) -> None:
        """A second cell in each row and column, one by one, would not do: the corner opposite has to go, too."""
        counts = table(np.array([[2, 8], [9, 20]]))
        assert np.flatnonzero(protect(counts, SQUARE, mask(9, 0))).tolist() == [0, 1, 3, 4]

    def test_two_cells_in_each_sum_can_still_be_too_few(self) -> None:
        """Each sum has two suppressed cells, and 0 + 0 = 0 gives them away. The audit finds it, and a third one is suppressed."""
        counts = np.array([1.0, 0.0, 5.0, 6.0, 1.0])
        equations = [sum_of(3, (0, 1, 2)), sum_of(4, (0, 1))]
        naive = mask(5, 0, 1)
        assert derivable(counts, equations, naive) == []
        tight = np.array([0.0, 0.0, 5.0, 5.0, 0.0])
        assert derivable(tight, equations, naive) == [0, 1]
        assert derivable(tight, equations, protect(tight, equations, naive)) == []

    def test_nothing_is_suppressed_without_a_reason(self) -> None:
        assert not protect(table(np.array([[2, 8], [9, 20]])), SQUARE, mask(9)).any()

    def test_a_cell_that_shows_two_counts_hides_both(self) -> None:
        """A share shows numerator and denominator; another cell that shows the same denominator stays open."""
        ties = Ties(3, [sum_of(2, (0, 1))])
        counts = np.array([3.0, 7.0, 10.0])
        publishers, shows = [[0], [1], [0, 1]], [[0, 2], [1, 2]]
        protection = Protection(ties, counts, publishers, shows, [[0], [1]], mask(3))
        protection.suppress([0])
        assert (protection.masked.tolist(), protection.unknown.tolist()) == ([True, False], [True, False, False])
        protection.protect()  # the complement and the denominator give the numerator away
        assert (protection.masked.tolist(), protection.unknown.tolist()) == ([True, True], [True, True, True])

    def test_a_public_count_is_never_suppressed(self) -> None:
        alone = [[0], [1], [2]]
        protection = Protection(Ties(3, [sum_of(2, (0, 1))]), np.array([3.0, 7.0, 10.0]), alone, alone, alone, mask(3, 1))
        protection.suppress([0])
        protection.protect()
        assert protection.suppressed.tolist() == [True, False, True]

    @pytest.mark.slow
    @given(st.integers(2, 4), st.integers(2, 4), st.integers(0, 2**32 - 1), st.integers(3, 8))
    @settings(max_examples=15, deadline=None)
    def test_no_small_count_of_a_random_table_can_be_derived(self, rows: int, columns: int, seed: int, below: int) -> None:
        inner = np.random.default_rng(seed).negative_binomial(1, 0.05, (rows, columns))
        counts, equations = table(inner), sums_of(rows, columns)
        primary = (counts > 0) & (counts < below)
        suppressed = protect(counts, equations, primary)
        assert (suppressed >= primary).all()
        assert not narrow_by_single_programmes(counts, equations, suppressed)
        assert (protect(counts, equations, primary) == suppressed).all(), "the same cells give the same suppression"

    def test_bounds_are_those_of_all_tables_with_the_same_published_cells(self) -> None:
        """A count is derivable exactly if all tables of whole numbers that agree with what is published have nearly the same count."""
        counts = table(np.array([[1, 4], [3, 2]]))
        for places in itertools.combinations(range(4), 3):
            hidden = mask(9, *(np.array([0, 1, 3, 4])[list(places)]))
            fitting = [
                table(np.array(cells).reshape(2, 2))
                for cells in itertools.product(range(8), repeat=4)
                if (table(np.array(cells).reshape(2, 2))[~hidden] == counts[~hidden]).all()
            ]
            spread = np.max(fitting, axis=0) - np.min(fitting, axis=0)
            assert derivable(counts, SQUARE, hidden) == np.flatnonzero(hidden & (spread < 1)).tolist()


def test_age_groups_consist_of_shorter_ones() -> None:
    ages = ["_T", "Y0T14", "Y15T64", "Y_GE65", "Y15T24", "Y25T64", "other"]
    assert dict(age_parts(ages)) == {"_T": ["Y0T14", "Y15T24", "Y25T64", "Y_GE65"], "Y15T64": ["Y15T24", "Y25T64"]}
    assert dict(age_parts(["_T", "Y0T14", "Y_GE65"])) == {}
