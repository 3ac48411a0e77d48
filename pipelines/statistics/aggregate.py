"""Aggregation: the scores of a node's components become the node's score. Arrays in, arrays out; NaN is a missing value.

Linear and geometric aggregation: OECD/JRC Handbook on Constructing Composite Indicators (2008), chapter 1.6; with the harmonic
mean, high scores compensate for low ones even less.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def aggregate(scores: Array, weights: Array, how: str) -> Array:
    """Return the weighted mean over the components of `scores` (components x areas), per area.

    Weights are renormalised over the components that have a score. With w these shares, `how` is arithmetic: sum(w x),
    geometric: exp(sum(w ln x)), or harmonic: 1 / sum(w / x); all are in the unit of the scores, and harmonic <= geometric <= arithmetic.
    Components with the weight 0 are ignored. A geometric or harmonic mean is 0 if a score is 0, and NaN if a score is negative. All are
    NaN if no component with a weight has a score. Raises ValueError for any other `how`.
    """
    is_present = ~np.isnan(scores) & (weights[:, np.newaxis] > 0)
    w = np.where(is_present, weights[:, np.newaxis], 0.0)
    total = w.sum(axis=0)
    share = np.divide(w, total, out=np.zeros_like(w), where=total > 0)
    x = np.where(is_present, scores, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        if how == "arithmetic":
            result = (share * x).sum(axis=0)
        elif how == "geometric":
            result = np.exp((share * np.log(np.where(x > 0, x, 1.0))).sum(axis=0))
        elif how == "harmonic":
            result = 1 / (share / np.where(x > 0, x, 1.0)).sum(axis=0)
        else:
            raise ValueError(f"no such aggregation: {how}")
    if how != "arithmetic":
        result = np.where((x == 0).any(axis=0), 0.0, result)
        result = np.where((x < 0).any(axis=0), np.nan, result)
    return np.where(total > 0, result, np.nan)
