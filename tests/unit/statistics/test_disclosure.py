"""Suppressed counts that published ones give away: the audit by linear programming, and the cells that protect them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.statistics.disclosure import Sum, audit, protect

SQUARE = [  # rows and columns of a table of 2 x 2 with totals: cells 0 1 | 2, 3 4 | 5, 6 7 | 8
    Sum(2, (0, 1)), Sum(5, (3, 4)), Sum(8, (6, 7)), Sum(6, (0, 3)), Sum(7, (1, 4)), Sum(8, (2, 5)),
]  # fmt: skip


def mask(n: int, *places: int) -> np.ndarray:
    return np.isin(np.arange(n), places)


def table(inner: np.ndarray) -> np.ndarray:
    """The cells of a table with its totals, row by row."""
    with_rows = np.concatenate([inner, inner.sum(axis=1, keepdims=True)], axis=1)
    return np.concatenate([with_rows, with_rows.sum(axis=0, keepdims=True)]).ravel().astype(float)


def sums_of(rows: int, columns: int) -> list[Sum]:
    width = columns + 1
    across = [Sum(r * width + columns, tuple(r * width + c for c in range(columns))) for r in range(rows + 1)]
    down = [Sum(rows * width + c, tuple(r * width + c for r in range(rows))) for c in range(columns + 1)]
    return across + down


class TestAudit:
    def test_one_missing_cell_of_a_sum_is_derived(self) -> None:
        counts = np.array([3.0, 7.0, 10.0])
        result = audit(counts, [Sum(2, (0, 1))], mask(3, 0))
        assert result.bounds.tolist() == [[3, 3], [7, 7], [10, 10]]
        assert result.derivable(mask(3, 0)).tolist() == [0]

    def test_two_missing_cells_have_the_bounds_of_their_sum(self) -> None:
        counts = np.array([3.0, 7.0, 10.0])
        result = audit(counts, [Sum(2, (0, 1))], mask(3, 0, 1))
        assert result.bounds[:2].tolist() == [[0, 10], [0, 10]]
        assert (result.blocks, result.largest_block) == (1, 2)
        assert not result.derivable(mask(3, 0, 1)).size

    def test_zero_of_zero_is_derived(self) -> None:
        assert audit(np.zeros(3), [Sum(2, (0, 1))], mask(3, 0, 1)).derivable(mask(3, 0, 1)).tolist() == [0, 1]

    def test_a_rectangle_that_rows_and_columns_give_away_is_derived(self) -> None:
        """Three cells of a square are suppressed; the fourth gives all of them away."""
        counts = table(np.array([[2, 8], [9, 20]]))
        assert audit(counts, SQUARE, mask(9, 0, 1, 3)).derivable(mask(9, 0, 1, 3)).tolist() == [0, 1, 3]
        assert not audit(counts, SQUARE, mask(9, 0, 1, 3, 4)).derivable(mask(9, 0, 1, 3, 4)).size

    def test_a_cell_without_a_sum_has_no_upper_bound(self) -> None:
        assert audit(np.array([4.0]), [], mask(1, 0)).bounds.tolist() == [[0, np.inf]]


class TestProtect:
    def test_the_smallest_other_part_is_suppressed_too(self) -> None:
        counts = np.array([2.0, 50.0, 8.0, 60.0])
        assert protect(counts, [Sum(3, (0, 1, 2))], mask(4, 0)).tolist() == [True, False, True, False]

    def test_a_square_is_completed(self) -> None:
        counts = table(np.array([[2, 8], [9, 20]]))
        assert np.flatnonzero(protect(counts, SQUARE, mask(9, 0))).tolist() == [0, 1, 3, 4]

    def test_nothing_is_suppressed_without_a_reason(self) -> None:
        assert not protect(table(np.array([[2, 8], [9, 20]])), SQUARE, mask(9)).any()

    @given(
        st.integers(2, 4), st.integers(2, 4), st.integers(0, 2**32 - 1), st.integers(3, 8),
    )  # fmt: skip
    def test_no_small_count_of_a_random_table_can_be_derived(self, rows: int, columns: int, seed: int, below: int) -> None:
        inner = np.random.default_rng(seed).negative_binomial(1, 0.05, (rows, columns))
        counts, sums = table(inner), sums_of(rows, columns)
        primary = (counts > 0) & (counts < below)
        suppressed = protect(counts, sums, primary)
        assert (suppressed >= primary).all()
        derivable = audit(counts, sums, suppressed).derivable(suppressed)
        # where the grand total itself is too small, nothing can be hidden from who knows that it is
        assert not derivable.size or suppressed.all()
        assert (protect(counts, sums, primary) == suppressed).all(), "the same cells give the same suppression"

    def test_bounds_hold_for_every_table_with_the_same_published_cells(self) -> None:
        """All tables of 2 x 2 with small counts that agree with what is published lie within the bounds, and reach them."""
        counts = table(np.array([[1, 4], [3, 2]]))
        suppressed = mask(9, 0, 1, 3, 4)
        bounds = audit(counts, SQUARE, suppressed).bounds
        fitting = [
            table(np.array(cells).reshape(2, 2))
            for cells in itertools.product(range(8), repeat=4)
            if (table(np.array(cells).reshape(2, 2))[~suppressed] == counts[~suppressed]).all()
        ]
        assert len(fitting) > 1
        assert np.min(fitting, axis=0) == pytest.approx(bounds[:, 0])
        assert np.max(fitting, axis=0) == pytest.approx(bounds[:, 1])
