"""Aggregation: the scores of a node's components become the node's score. Arrays in, arrays out; NaN is a missing value.

Linear and geometric aggregation: OECD/JRC Handbook on Constructing Composite Indicators (2008), chapter 1.6; the harmonic mean goes
further in the same way: the less a low score can be made up for by a high one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def aggregate(scores: Array, weights: Array, how: str) -> Array:
    """Return the weighted mean over the components of `scores` (components x areas), weights renormalised over what is there.

    `how`, with w the shares of the weights of what is there: arithmetic sum(w x), geometric exp(sum(w ln x)), harmonic 1 / sum(w / x);
    all in the unit of the scores, harmonic <= geometric <= arithmetic. A geometric or harmonic mean with a 0 is 0, with a negative score
    NaN. NaN too where the weights of what is there sum to 0. A component that weighs nothing does not enter. Raises ValueError for any
    other `how`.
    """
    there = ~np.isnan(scores) & (weights[:, np.newaxis] > 0)
    w = np.where(there, weights[:, np.newaxis], 0.0)
    total = w.sum(axis=0)
    share = np.divide(w, total, out=np.zeros_like(w), where=total > 0)
    x = np.where(there, scores, 1.0)
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
