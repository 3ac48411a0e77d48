"""Protection of suppressed counts: which further cells to suppress so that none follows from published ones, and the proof. Arrays in and out.

Counts are tied by sums: women and men are all people, districts are a region. What is published of such a sum bounds what is suppressed. A count is
derivable if its bounds, of which linear programming gives the narrowest, differ by less than 1. The method is in docs/methods.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float64]
Mask = NDArray[np.bool_]
NARROW = 1.0
"""A count is derivable if the bounds that published cells give for it differ by less."""
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Sum:
    """The count of the cell `total` is the sum of the counts of the cells `parts`. Cells are places in an array."""

    total: int
    parts: tuple[int, ...]

    @property
    def cells(self) -> tuple[int, ...]:
        return (self.total, *self.parts)


@dataclass(frozen=True)
class Audit:
    """The result of an audit: bounds of every cell (n x 2, equal for published ones), and what the largest programme was."""

    bounds: Counts
    blocks: int
    largest_block: int

    def derivable(self, suppressed: Mask) -> NDArray[np.intp]:
        """Return the places of the suppressed cells that follow from published ones."""
        return np.flatnonzero(suppressed & (self.bounds[:, 1] - self.bounds[:, 0] < NARROW - TOLERANCE))


def audit(counts: Counts, sums: Sequence[Sum], suppressed: Mask) -> Audit:
    """Return the bounds of all cells, given the published ones, the sums, and that no count is below 0."""
    bounds = np.stack([counts, counts], axis=1)
    sizes = [0]
    for block, tied in _blocks(sums, suppressed):
        bounds[block] = _bounds_of_block(counts, block, tied, suppressed)
        sizes.append(len(block))
    free = np.flatnonzero(suppressed & ~np.isin(np.arange(len(counts)), [cell for s in sums for cell in s.cells]))
    bounds[free] = (0, np.inf)
    return Audit(bounds, len(sizes) - 1, max(sizes))


def protect(counts: Counts, sums: Sequence[Sum], primary: Mask) -> Mask:
    """Return the cells to suppress: `primary`, and as many further ones as it takes to make none of them derivable.

    Deterministic. First, a sum with one suppressed cell gets a second one: of its cells that are not 0 the smallest, of equal ones the first. Then,
    as long as linear programming derives a cell, the sum with the fewest suppressed cells among those that contain it gets another one.
    """
    suppressed = primary.copy()
    touched = _sums_of_cells(sums, len(counts))
    pending = list(range(len(sums)))
    while True:
        while pending:
            place = pending.pop(0)
            if sum(suppressed[cell] for cell in sums[place].cells) == 1 and (further := _smallest(counts, sums[place], suppressed)) is not None:
                suppressed[further] = True
                pending += [other for other in touched[further] if other not in pending]
        derivable = audit(counts, sums, suppressed).derivable(suppressed)
        if not derivable.size:
            return suppressed
        for cell in derivable:
            candidates = sorted(touched[cell], key=lambda place: (sum(suppressed[c] for c in sums[place].cells), place))
            further = next((c for place in candidates if (c := _smallest(counts, sums[place], suppressed)) is not None), None)
            if further is not None:
                suppressed[further] = True
                pending += [other for other in touched[further] if other not in pending]
                break
        else:
            return suppressed  # everything around it is suppressed already


def _smallest(counts: Counts, tied: Sum, suppressed: Mask) -> int | None:
    """Return the cell of a sum to suppress next: a part before the total, one that is not 0 before one that is, the smallest, the first."""
    open_cells = [cell for cell in tied.cells if not suppressed[cell]]
    return min(open_cells, key=lambda cell: (cell == tied.total, counts[cell] == 0, counts[cell], cell), default=None)


def _sums_of_cells(sums: Sequence[Sum], n: int) -> list[list[int]]:
    touched: list[list[int]] = [[] for _ in range(n)]
    for place, tied in enumerate(sums):
        for cell in tied.cells:
            touched[cell].append(place)
    return touched


def _blocks(sums: Sequence[Sum], suppressed: Mask) -> Iterable[tuple[list[int], list[Sum]]]:
    """Yield the connected blocks: suppressed cells that sums tie together, with these sums. No programme has to be larger than that."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    tied = [(place, cell) for place, s in enumerate(sums) for cell in s.cells if suppressed[cell]]
    if not tied:
        return
    n = len(suppressed)
    rows, columns = np.array(tied).T
    graph = coo_array((np.ones(len(tied)), (rows + n, columns)), shape=(n + len(sums), n + len(sums)))
    _, labels = connected_components(graph, directed=False)
    cells_by_block: dict[int, list[int]] = {}
    for cell in sorted(set(columns.tolist())):
        cells_by_block.setdefault(int(labels[cell]), []).append(cell)
    sums_by_block: dict[int, list[Sum]] = {}
    for place in sorted(set(rows.tolist())):
        sums_by_block.setdefault(int(labels[n + place]), []).append(sums[place])
    for label, cells in cells_by_block.items():
        yield cells, sums_by_block[label]


def _bounds_of_block(counts: Counts, block: Sequence[int], sums: Sequence[Sum], suppressed: Mask) -> Counts:
    from scipy.optimize import linprog
    from scipy.sparse import lil_array

    column = {cell: i for i, cell in enumerate(block)}
    matrix, right = lil_array((len(sums), len(block))), np.zeros(len(sums))
    for row, tied in enumerate(sums):
        for cell, sign in ((tied.total, 1.0), *((part, -1.0) for part in tied.parts)):
            if suppressed[cell]:
                matrix[row, column[cell]] += sign
            else:
                right[row] -= sign * counts[cell]
    equations: dict[str, Any] = {"A_eq": matrix.tocsr(), "b_eq": right, "bounds": (0, None), "method": "highs"}
    bounds = np.empty((len(block), 2))
    for i in range(len(block)):
        aim = np.zeros(len(block))
        aim[i] = 1.0
        low, high = linprog(aim, **equations), linprog(-aim, **equations)
        bounds[i] = (low.fun if low.status == 0 else 0.0, -high.fun if high.status == 0 else np.inf)
    return bounds
