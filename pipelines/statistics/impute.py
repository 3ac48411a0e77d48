"""Imputation: what fills a gap in one indicator's values. Arrays in, arrays out; NaN is a missing value.

Unconditional means and medians, over all areas or a group: OECD/JRC Handbook on Constructing Composite Indicators (2008), chapter 1.3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def impute(values: Array, method: str, groups: NDArray[np.int64]) -> Array:
    """Return `values` (one for each area, in any unit) with gaps filled by the mean or median of all areas or of the area's group.

    `method` is mean, median, group_mean or group_median: the mean is sum(x) / n over what is there, the median the middle value or the
    mean of both middle ones. `groups` has a group's number for each area, -1 where it belongs to none; a group without values, and an
    area without a group, keep their gaps.
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
