"""Counts that follow from others: bounds by linear programming, and the choice of further counts to suppress. Arrays in and out.

Counts are tied by equations: women and men are all people, districts are a region. What is published of such a sum bounds what is suppressed. A
count is derivable if its bounds, of which linear programming gives the narrowest, differ by less than 1. The method is in docs/methods.md.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float64]
Mask = NDArray[np.bool_]
Places = NDArray[np.intp]
NARROW = 1.0
"""A count is derivable if the bounds that published counts give for it differ by less."""
TOLERANCE = 1e-6
SOLVE_TOGETHER = 8
"""As long as a block has so many open counts, programmes move all of them together. After that, each has two programmes of its own."""


@dataclass(frozen=True)
class Equation:
    """The sum of factor x count over `cells` is `amount`. Cells are places in an array of counts."""

    cells: tuple[int, ...]
    factors: tuple[float, ...]
    amount: float = 0.0


def sum_of(total: int, parts: Sequence[int]) -> Equation:
    """Return the equation that the count of `total` is the sum of those of `parts`."""
    return Equation((total, *parts), (1.0, *[-1.0] * len(parts)))


@dataclass(frozen=True)
class Audit:
    """The places of the derivable counts, the number of blocks with suppressed counts, and the size of the largest programme."""

    derivable: Places
    blocks: int
    largest_rows: int
    largest_columns: int


class Ties:
    """The equations between counts, as arrays: for each entry its row, its cell and its factor. `signed` counts may be negative."""

    def __init__(self, n: int, equations: Iterable[Equation], signed: Mask | None = None) -> None:
        rows: list[int] = []
        cells: list[int] = []
        factors: list[float] = []
        amounts: list[float] = []
        for equation in equations:
            rows += [len(amounts)] * len(equation.cells)
            cells += equation.cells
            factors += equation.factors
            amounts.append(equation.amount)
        self.n = n
        self.rows = np.array(rows, dtype=np.intp)
        self.cells = np.array(cells, dtype=np.intp)
        self.factors = np.array(factors, dtype=np.float64)
        self.amounts = np.array(amounts, dtype=np.float64)
        self.signed = np.zeros(n, dtype=bool) if signed is None else signed

    def audit(self, counts: Counts, is_unknown: Mask, suppressed: Mask) -> Audit:
        """Return which `suppressed` counts follow from the counts that are not unknown, the equations, and that no count is below 0.

        Unknown counts that are not suppressed are published nowhere; nothing is to be shown of them.
        """
        known = np.where(is_unknown, 0.0, counts)
        amounts = self.amounts - np.bincount(self.rows, self.factors * known[self.cells], len(self.amounts))
        scale = 1.0 + np.bincount(self.rows, np.abs(self.factors * known[self.cells]), len(self.amounts))
        entries = is_unknown[self.cells]
        rows, cells, factors = self.rows[entries], self.cells[entries], self.factors[entries]
        fixed = np.zeros(self.n, dtype=bool)
        while True:  # counts that a single equation gives away
            per_row = np.bincount(rows, minlength=len(amounts))
            is_single = per_row[rows] == 1
            of_one_sign = np.abs(np.bincount(rows, np.sign(factors), len(amounts))) == per_row
            all_positive = np.bincount(rows, self.signed[cells], len(amounts)) == 0
            is_zero = (of_one_sign & all_positive & (np.abs(amounts) <= 1e-9 * scale))[rows]
            gone = is_single | is_zero
            if not gone.any():
                break
            values = np.zeros(self.n)
            single = cells[is_single & ~is_zero]
            values[single] = (amounts[rows] / factors)[is_single & ~is_zero]
            fixed[cells[gone]] = True
            is_fixed = fixed[cells]
            amounts = amounts - np.bincount(rows[is_fixed], (factors * values[cells])[is_fixed], len(amounts))
            rows, cells, factors = rows[~is_fixed], cells[~is_fixed], factors[~is_fixed]
        derivable = [np.flatnonzero(suppressed & fixed)]
        blocks, largest = 0, (0, 0)
        for block in self._blocks(rows, cells, factors, amounts, suppressed):
            blocks += 1
            largest = max(largest, (len(block.columns), block.n_rows))
            derivable.append(block.derivable())
        places = np.unique(np.concatenate(derivable)).astype(np.intp)
        return Audit(places, blocks + int((suppressed & fixed).any()), largest[1], largest[0])

    def _blocks(self, rows: Places, cells: Places, factors: Counts, amounts: Counts, suppressed: Mask) -> Iterator[_Block]:
        """Yield the connected blocks with suppressed counts. No programme has to be larger than one of them."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        if not len(rows):
            return
        size = self.n + len(amounts)
        graph = coo_array((np.ones(len(rows)), (rows + self.n, cells)), shape=(size, size))
        _, labels = connected_components(graph, directed=False)
        with_suppressed = np.unique(labels[: self.n][suppressed & np.isin(np.arange(self.n), cells)])
        order = np.argsort(labels[cells], kind="stable")
        sorted_labels = labels[cells][order]
        for label in with_suppressed:
            entries = order[np.searchsorted(sorted_labels, label) : np.searchsorted(sorted_labels, label, "right")]
            yield _Block.of(rows[entries], cells[entries], factors[entries], amounts, suppressed, self.signed)


@dataclass(frozen=True)
class _Column:
    """Counts with the same entries in all equations: only their sum is bounded."""

    cells: tuple[int, ...]
    is_signed: bool


@dataclass(frozen=True)
class _Block:
    columns: list[_Column]
    n_rows: int
    matrix: Any
    amounts: Counts
    suppressed: Mask

    @classmethod
    def of(cls, rows: Places, cells: Places, factors: Counts, amounts: Counts, suppressed: Mask, signed: Mask) -> _Block:
        from scipy.sparse import coo_array

        distinct_rows, place = np.unique(rows, return_inverse=True)
        order = np.lexsort((place, cells))
        alike: dict[tuple[bool, bytes, bytes], list[int]] = {}
        ends = [*np.flatnonzero(np.diff(cells[order])) + 1, len(order)]
        start = 0
        for end in ends:
            of_cell = order[start:end]
            cell = int(cells[of_cell[0]])
            alike.setdefault((bool(signed[cell]), place[of_cell].tobytes(), factors[of_cell].tobytes()), []).append(cell)
            start = end
        columns, entries = [], ([], [], [])  # type: tuple[list[_Column], tuple[list[int], list[int], list[float]]]
        for (is_signed, at, by), own in alike.items():
            own_rows, own_factors = np.frombuffer(at, dtype=place.dtype), np.frombuffer(by)
            entries[0].extend(own_rows.tolist())
            entries[1].extend([len(columns)] * len(own_rows))
            entries[2].extend(own_factors.tolist())
            columns.append(_Column(tuple(own), is_signed))
        matrix = coo_array((entries[2], (entries[0], entries[1])), shape=(len(distinct_rows), len(columns))).tocsr()
        return cls(columns, len(distinct_rows), matrix, amounts[distinct_rows], suppressed)

    def derivable(self) -> Places:
        """Return the places of the suppressed counts of the block whose bounds are narrow."""
        open_columns = [i for i, column in enumerate(self.columns) if self.suppressed[list(column.cells)].any()]
        solution, upwards, stalled = self._solution(), True, 0
        if solution is not None:
            low, high = solution.copy(), solution.copy()
        while solution is not None and len(open_columns) >= SOLVE_TOGETHER and stalled < 2:
            solution = self._move(open_columns, low, high, upwards=upwards)
            if solution is None:
                break
            np.minimum(low, solution, out=low)
            np.maximum(high, solution, out=high)
            for i in open_columns:
                if len(self.columns[i].cells) > 1 and not self.columns[i].is_signed:
                    low[i] = 0.0  # counts of one column can be exchanged: one of them can have all or nothing
            left = [i for i in open_columns if not high[i] - low[i] >= NARROW - TOLERANCE]
            stalled = 0 if len(left) < len(open_columns) else stalled + 1
            open_columns, upwards = left, not upwards
        narrow = []
        for i in open_columns:
            aim = np.zeros(len(self.columns))
            aim[i] = 1.0
            bounds = [self._bound(direction * aim) for direction in (1.0, -1.0)]
            lowest, highest = bounds[0], -bounds[1]
            is_shared = len(self.columns[i].cells) > 1
            width = highest if is_shared and not self.columns[i].is_signed else np.inf if is_shared else highest - lowest
            if not width >= NARROW - TOLERANCE:  # also where the equations contradict each other
                narrow += [cell for cell in self.columns[i].cells if self.suppressed[cell]]
        return np.array(sorted(narrow), dtype=np.intp)

    def _solution(self) -> Counts | None:
        """Return any solution, or None where the equations contradict each other."""
        result = self._programme(np.zeros(len(self.columns)))
        return np.asarray(result.x, dtype=np.float64) if result.status == 0 else None

    def _move(self, open_columns: Sequence[int], low: Counts, high: Counts, *, upwards: bool) -> Counts | None:
        """Return a solution in which as many open counts as possible are 1 above the least, or 1 below the most, that they have been so far.

        That proves many counts wide at once. None where there is no solution.
        """
        from scipy.sparse import coo_array, hstack

        m, n = len(open_columns), len(self.columns)
        sign = 1.0 if upwards else -1.0  # gain <= sign * (count - start), and at most 1
        start = low if upwards else high
        moved = coo_array((np.full(m, -sign), (np.arange(m), open_columns)), shape=(m, n))
        result = self._programme(
            np.concatenate([np.zeros(n), -np.ones(m)]),
            gains=m,
            A_ub=hstack([moved, coo_array((np.ones(m), (np.arange(m), np.arange(m))), shape=(m, m))]).tocsr(),
            b_ub=-sign * start[open_columns],
        )
        return np.asarray(result.x[:n], dtype=np.float64) if result.status == 0 else None

    def _programme(self, aim: Counts, gains: int = 0, **inequalities: Any) -> Any:
        from scipy.optimize import linprog
        from scipy.sparse import coo_array, hstack

        bounds: list[tuple[float | None, float | None]] = [(-self._far if column.is_signed else 0, self._far) for column in self.columns]
        matrix = hstack([self.matrix, coo_array((self.n_rows, gains))]).tocsr() if gains else self.matrix
        return linprog(aim, A_eq=matrix, b_eq=self.amounts, bounds=bounds + [(None, NARROW)] * gains, method="highs", **inequalities)

    @property
    def _far(self) -> float:
        """A bound that is wider than any that matters, so that no programme is unbounded."""
        return 10 * float(np.abs(self.amounts).sum()) + 1e3

    def _bound(self, aim: Counts) -> float:
        """Return the least that `aim` can be; no number where the equations contradict each other."""
        result = self._programme(aim)
        return float(result.fun) if result.status == 0 else np.nan


class Protection:
    """The choice of further counts to suppress, so that no suppressed count is derivable. Deterministic: see `protect`.

    ties: the equations between counts
    counts: the true counts, not a number where nobody knows them
    published: for each count the published cells that show it; a count that no open cell shows is unknown
    hides: for each cell the counts that are suppressed with it
    """

    def __init__(
        self, ties: Ties, counts: Counts, publishers: Sequence[Sequence[int]], shows: Sequence[Sequence[int]], hides: Sequence[Sequence[int]],
        public: Mask,
    ) -> None:  # fmt: skip
        self.ties, self.counts, self.publishers, self.shows, self.hides = ties, counts, publishers, shows, hides
        self.public = public
        self.suppressed: Mask = np.zeros(len(counts), dtype=bool)
        self.masked: Mask = np.zeros(len(shows), dtype=bool)
        self._open = np.array([len(cells) for cells in publishers], dtype=np.intp)
        self.unknown: Mask = (self._open == 0) & ~public
        self._unknown_in = np.bincount(ties.rows, self.unknown[ties.cells], len(ties.amounts)).astype(np.intp)
        self._by_row = _lists(ties.rows, ties.cells, len(ties.amounts))
        self._by_cell = _lists(ties.cells, ties.rows, len(counts))
        self._touched: list[int] = []

    def suppress(self, counts: Iterable[int], cells: Iterable[int] = ()) -> None:
        """Suppress counts, and every cell that shows one of them; and cells, with the counts that they hide."""
        waiting, cells = list(counts), list(cells)
        while waiting or cells:
            while waiting:
                count = waiting.pop()
                if not self.suppressed[count]:
                    self.suppressed[count] = True
                    self._touched += self._by_cell[count]
                    cells += [cell for cell in self.publishers[count] if not self.masked[cell]]
            while cells:
                cell = cells.pop()
                if self.masked[cell]:
                    continue
                self.masked[cell] = True
                waiting += [count for count in self.hides[cell] if not self.public[count]]
                for count in self.shows[cell]:
                    self._open[count] -= 1
                    if self._open[count] == 0 and not self.public[count]:
                        self.unknown[count] = True
                        for row in self._by_cell[count]:
                            self._unknown_in[row] += 1
                        self._touched += self._by_cell[count]

    def protect(self) -> None:
        """Suppress as many further counts as it takes.

        First, an equation with a single unknown count, which is suppressed, gets a second one. Then, as long as linear programming derives a
        count, an equation with such a count gets another one. The further count is one that stands in most of the equations that have a single
        unknown count; of equal ones the smallest that is not 0, else the first.
        """
        while True:
            self._repair()
            derivable = self.ties.audit(self.counts, self.unknown, self.suppressed).derivable
            choices = (self._choice_around(count) for count in derivable.tolist())
            further = sorted({choice for choice in choices if choice is not None})
            if not further:
                return
            self.suppress(further)

    def _repair(self) -> None:
        heap = sorted(set(range(len(self._unknown_in))) if not self._touched else set(self._touched))
        self._touched = []
        while heap:
            row = heapq.heappop(heap)
            if self._unknown_in[row] != 1:
                continue
            [unknown] = [cell for cell in self._by_row[row] if self.unknown[cell]]
            if self.suppressed[unknown] and (choice := self._choice(self._by_row[row])) is not None:
                self.suppress([choice])
                for touched in sorted(set(self._touched)):
                    heapq.heappush(heap, touched)
                self._touched = []

    def _choice(self, cells: Iterable[int]) -> int | None:
        candidates = [cell for cell in cells if not self.unknown[cell] and not self.public[cell]]
        return min(candidates, key=self._rank, default=None)

    def _rank(self, cell: int) -> tuple[int, bool, float, int]:
        alone = sum(1 for row in self._by_cell[cell] if self._unknown_in[row] == 1)
        count = float(self.counts[cell])
        return -alone, count == 0, abs(count), cell

    def _choice_around(self, count: int) -> int | None:
        """Return a further count from the equations nearest to a derivable one; None if all counts around it are unknown or public."""
        seen, front = {count}, [count]
        while front:
            rows = sorted({row for cell in front for row in self._by_cell[cell]}, key=lambda row: (self._unknown_in[row], row))
            for row in rows:
                if (choice := self._choice(self._by_row[row])) is not None:
                    return choice
            front = sorted({cell for row in rows for cell in self._by_row[row] if self.unknown[cell]} - seen)
            seen.update(front)
        return None


def protect(counts: Counts, equations: Sequence[Equation], primary: Mask) -> Mask:
    """Return the counts to suppress where each count is a published cell of its own: `primary`, and as many further ones as it takes."""
    n = len(counts)
    alone = [[i] for i in range(n)]
    protection = Protection(Ties(n, equations), counts, alone, alone, alone, np.zeros(n, dtype=bool))
    protection.suppress(np.flatnonzero(primary).tolist())
    protection.protect()
    return protection.suppressed


def _lists(keys: Places, values: Places, n: int) -> list[list[int]]:
    lists: list[list[int]] = [[] for _ in range(n)]
    for key, value in zip(keys.tolist(), values.tolist(), strict=True):
        lists[key].append(value)
    return lists


def age_parts(ages: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield each age group with the shorter ones that it consists of, such as Y0T14, Y15T64 and Y_GE65 for all ages; those of others are left out."""
    spans = {span: age for age in ages if (span := _span_of_age(age)) is not None}
    for (first, last), total in spans.items():
        inside = sorted(span for span in spans if span != (first, last) and first <= span[0] and span[1] <= last)
        parts, end = [], first - 1
        while end < last and (begun := [span for span in inside if span[0] == end + 1]):
            parts.append(spans[begun[0]])
            end = begun[0][1]
        if parts and end == last:
            yield total, parts


def _span_of_age(age: str) -> tuple[float, float] | None:
    """Return the first and the last year of an age group; None for another kind of group."""
    if age == "_T":
        return 0, math.inf
    if age.startswith("Y_GE") and age[4:].isdigit():
        return int(age[4:]), math.inf
    if age.startswith("Y_LT") and age[4:].isdigit():
        return 0, int(age[4:]) - 1
    first, _, last = age.removeprefix("Y").partition("T")
    if age.startswith("Y") and first.isdigit() and (last.isdigit() or not last):
        return int(first), int(last or first)
    return None
