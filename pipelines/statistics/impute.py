"""Imputation of missing values of one indicator. Arrays in, arrays out; NaN is a missing value.

Unconditional means and medians, over all areas or a group: OECD/JRC Handbook on Constructing Composite Indicators (2008), chapter 1.3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def impute(values: Array, method: str, groups: NDArray[np.int64]) -> Array:
    """Return `values` (one per area, in any unit) with gaps filled by the mean or the median of all areas, or of the area's group.

    `method` is mean, median, group_mean or group_median: the mean is sum(x) / n over the present values, the median the middle value or
    the mean of the two middle values. `groups` has the number of each area's group, -1 for none. Gaps remain in a group without values,
    and for an area without a group.
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
