"""Round published numbers to 12 significant digits, and those to be read to decimals. Works on whole arrays; knows nothing about tables."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DIGITS = 12
LARGEST_EXACT_POWER = 22
"""10**22 is the largest power of ten that a double represents exactly."""
_POWERS = np.array([float(f"1e{n}") for n in range(LARGEST_EXACT_POWER + 1)])
_DOUBTFUL = 1e-3
"""Scaling changes a number by at most half an ulp of 10**12, about 6e-5. Closer to a half than this, the last digit is uncertain."""

PRECISION = 1e-15
"""By how much of itself a rounded number may be further than half a unit of its last digit from the number: some ulps of a double."""
LARGEST_SHIFT = 15
_NEAR_HALF = 1e-4
"""Closer to a half than this, scaling can have changed what a number is rounded to."""


def round_significant(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each x rounded to 12 significant decimal digits, as float(f"{x:.12g}") does; -0.0 becomes 0.0.

    Values must be finite. Whole numbers of up to 12 digits, which most published numbers are, do not change.
    """
    if not np.isfinite(values).all():
        raise ValueError("not a finite number")
    rounded: NDArray[np.float64] = values + 0.0
    rest = np.flatnonzero((np.rint(values) != values) | (np.abs(values) >= 10.0**DIGITS))
    if len(rest):
        rounded[rest] = _rounded(values[rest])
    return rounded


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round numbers other than 0.

    An exact power of ten scales each number to a whole number of 12 digits, and one correctly rounded operation on two exact numbers
    scales it back. The few numbers for which this could be wrong (close to a tie, at a power of ten, or beyond the exact powers) are
    rounded through their decimal text.
    """
    size = np.abs(values)
    shift = (DIGITS - 1 - np.floor(np.log10(size))).astype(np.int64)
    up = _POWERS[np.clip(shift, 0, LARGEST_EXACT_POWER)]
    down = _POWERS[np.clip(-shift, 0, LARGEST_EXACT_POWER)]
    scaled = size * up / down  # one of the two is 1
    rounded: NDArray[np.float64] = np.copysign(np.rint(scaled) * down / up, values)
    doubtful = np.abs(scaled - np.floor(scaled) - 0.5) < _DOUBTFUL
    doubtful |= (np.abs(shift) > LARGEST_EXACT_POWER) | (scaled < 10.0 ** (DIGITS - 1)) | (scaled >= 10.0**DIGITS)
    for position in np.flatnonzero(doubtful):
        rounded[position] = float(f"{values[position]:.{DIGITS}g}")
    return rounded


def round_decimals(values: NDArray[np.float64], decimals: int | None) -> NDArray[np.float64]:
    """Return values rounded as `round` does it, -0.0 as 0.0; unchanged if `decimals` is None."""
    if decimals is None:
        return values + 0.0
    if not 0 <= decimals <= LARGEST_SHIFT:
        return np.array([v if np.isnan(v) else round(v, decimals) for v in values.ravel().tolist()]).reshape(values.shape) + 0.0
    scaled = np.abs(values) * 10.0**decimals
    result: NDArray[np.float64] = np.copysign(np.rint(scaled) / 10.0**decimals, values)
    doubtful = (np.abs(scaled - np.floor(scaled) - 0.5) < _NEAR_HALF) | (scaled > 10.0**LARGEST_SHIFT)
    for place in zip(*np.nonzero(doubtful), strict=True):
        result[place] = round(float(values[place]), decimals)
    return result + 0.0
