"""How the values of an indicator are distributed among the areas of a level, by their size. Works on arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from exports.api.encode import Floats, number, rounded

SIZES = (0, 500, 2_000, 10_000)
"""Where the classes of size begin, in inhabitants."""
MOST_BINS = 40
INSIDE = (1, 99)
"""The percentiles between which the bins have equal width; the outer bins take what is beyond."""
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


def document(values: Floats, people: Floats, decimals: int | None) -> dict[str, Any] | None:
    """Return edges of bins and counts by class of size, without empty classes; None if there is no value.

    `values` and `people` have an element per area; NaN is missing. Areas without a number of inhabitants are in no class.
    """
    finite = values[np.isfinite(values)]
    if not len(finite):
        return None
    edges = _edges(finite, decimals)
    classes = []
    for start, end in zip(SIZES, (*SIZES[1:], math.inf), strict=True):
        of_size = values[(people >= start) & (people < end)]
        if len(of_size):
            classes.append({"from": start, "to": None if end == math.inf else int(end), **_class(of_size, edges, decimals)})
    return {"edges": [number(edge, 10) for edge in edges.tolist()], "classes": classes}


def _class(values: Floats, edges: Floats, decimals: int | None) -> dict[str, Any]:
    finite = values[np.isfinite(values)]
    spread = rounded(np.quantile(finite, (0.5, 0.1, 0.9)), decimals).tolist() if len(finite) else (None, None, None)
    inside = np.searchsorted(edges[1:-1], finite, "right")
    counts = np.bincount(inside, minlength=len(edges) - 1)
    return {
        "areas": len(values),
        "missing": len(values) - len(finite),
        **{name: number(value) for name, value in zip(("median", "p10", "p90"), spread, strict=True)},
        "counts": counts.tolist(),
    }


def _edges(values: Floats, decimals: int | None) -> Floats:
    """Return the edges of at most MOST_BINS bins of a width that reads well, not narrower than the last published digit."""
    low, high = np.percentile(values, INSIDE).tolist()
    finest = 10.0 ** -(decimals if decimals is not None else 6)
    step = _nice(max((high - low) / (MOST_BINS - 2), finest))
    first, last = math.floor(low / step), math.ceil(high / step)
    return np.arange(first, max(last, first + 1) + 1) * step


def _nice(width: float) -> float:
    """Return the next number of 1, 2, 2.5 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(width))
    return next(step * power for step in _STEPS if step * power >= width * (1 - 1e-9))
