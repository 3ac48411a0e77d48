"""Rounding of published numbers to 12 significant digits. Works on whole arrays; knows nothing of tables."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DIGITS = 12
LARGEST_EXACT_POWER = 22
"""10**22 is the last power of ten that a double holds exactly."""
_POWERS = np.array([float(f"1e{n}") for n in range(LARGEST_EXACT_POWER + 1)])
_DOUBTFUL = 1e-3
"""Scaling costs at most half an ulp of 10**12, about 6e-5: nearer to a half than this, the last digit is in doubt."""


def round_significant(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each x the double nearest to x in 12 significant decimal digits, float(f"{x:.12g}"); -0.0 becomes 0.0.

    Values must be finite. Whole numbers of up to 12 digits, which most published numbers are, stay as they are.
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

    The digits are found by scaling to a whole number of 12 digits with an exact power of ten, and brought back by one
    correctly rounded operation on two exact numbers. The few values for which that could go wrong (next to a tie, at a
    power of ten, or beyond the exact powers) go through the decimal text.
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
