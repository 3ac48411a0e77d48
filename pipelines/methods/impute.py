"""Imputation: what fills a gap in one indicator's values. Arrays in, arrays out; NaN is a missing value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def impute(values: Array, method: str, groups: NDArray[np.int64]) -> Array:
    """Return `values` with gaps filled by the mean or median of all areas or of the area's group.

    `groups` has a group's number for each area, -1 where it belongs to none; a group without values leaves its gaps.
    """
    middle = np.nanmedian if method.endswith("median") else np.nanmean
    filled = values.copy()
    gaps = np.isnan(values)
    if not gaps.any() or gaps.all():
        return filled
    if not method.startswith("group_"):
        filled[gaps] = middle(values)
        return filled
    for group in np.unique(groups[gaps & (groups >= 0)]):
        members = groups == group
        if not np.isnan(values[members]).all():
            filled[members & gaps] = middle(values[members])
    return filled
