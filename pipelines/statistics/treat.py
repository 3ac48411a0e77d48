"""Treatment of outliers before normalising: winsorisation, then a logarithm. Arrays in, arrays out; NaN is a missing value.

The rule and its limits are those of the European Commission's Joint Research Centre, as in the Global Innovation Index (Cornell
University, INSEAD and WIPO, e.g. 2020, appendix on the framework). Skewness and kurtosis are computed as in spreadsheets.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def skewness(values: Array) -> float:
    """Return the sample skewness (SKEW of a spreadsheet): n / ((n - 1)(n - 2)) sum(((x - mean) / s)^3), s the standard deviation with n - 1.

    No unit; 0 for a symmetric sample. NaN for fewer than 3 values or equal ones. Source: Joanes and Gill (1998), The Statistician 47, G1.
    """
    n, spread = values.size, values.std(ddof=1) if values.size > 2 else 0.0
    if n < 3 or spread == 0:
        return float("nan")
    return float(n / ((n - 1) * (n - 2)) * (((values - values.mean()) / spread) ** 3).sum())


def kurtosis(values: Array) -> float:
    """Return the sample excess kurtosis (KURT of a spreadsheet), s the standard deviation with n - 1:

    n (n + 1) / ((n - 1)(n - 2)(n - 3)) sum(((x - mean) / s)^4) - 3 (n - 1)^2 / ((n - 2)(n - 3)).

    No unit; about 0 for a normal sample. NaN for fewer than 4 values or equal ones. Source: Joanes and Gill (1998), The Statistician 47, G2.
    """
    n, spread = values.size, values.std(ddof=1) if values.size > 3 else 0.0
    if n < 4 or spread == 0:
        return float("nan")
    fourth = (((values - values.mean()) / spread) ** 4).sum()
    return float(n * (n + 1) / ((n - 1) * (n - 2) * (n - 3)) * fourth - 3 * (n - 1) ** 2 / ((n - 2) * (n - 3)))


def treat(values: Array, max_points: int = 5, max_skewness: float = 2.0, max_kurtosis: float = 3.5) -> Array:
    """Return `values` (any shape) with outliers treated, or unchanged if they need no treatment.

    They need it if |skewness| > `max_skewness` and excess kurtosis > `max_kurtosis`. Then up to `max_points` values are winsorised one by
    one: the outermost value on the side of the skew is set to its neighbour, until the limits are met. If they are not met, the original
    x becomes ln(x - min + 0.01 (max - min)), or -ln(max - x + 0.01 (max - min)) for a negative skew, which keeps the order of areas and
    loses the unit. The limits have no unit.
    """
    is_present = ~np.isnan(values)
    x = values[is_present]
    result = values.copy()

    def skewed(sample: Array) -> bool:
        return abs(skewness(sample)) > max_skewness and kurtosis(sample) > max_kurtosis

    if not skewed(x):
        return result
    winsorised = _winsorised(x, max_points, skewed)
    result[is_present] = winsorised if winsorised is not None else _logarithm(x, mirrored=skewness(x) < 0)
    return result


def _winsorised(x: Array, max_points: int, skewed: object) -> Array | None:
    assert callable(skewed)
    sample = x.copy()
    order = np.argsort(sample, kind="stable")
    low = high = 0  # number of points moved on either side: the side of the skew can change
    for _ in range(min(max_points, x.size - 1)):
        if skewness(sample) > 0:
            high += 1
            sample[order[-high:]] = sample[order[-high - 1]]
        else:
            low += 1
            sample[order[:low]] = sample[order[low]]
        if not skewed(sample):
            return sample
    return None


def _logarithm(x: Array, *, mirrored: bool) -> Array:
    low, high = x.min(), x.max()
    margin = 0.01 * (high - low)
    return np.asarray(-np.log(high - x + margin) if mirrored else np.log(x - low + margin))
