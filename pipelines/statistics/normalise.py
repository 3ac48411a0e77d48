"""Normalisation: values of one indicator become scores that can be aggregated. Arrays in, arrays out; NaN is a missing value.

The methods are those of the OECD/JRC Handbook on Constructing Composite Indicators (2008), chapter 1.5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

DEFAULT_SCALES = {"minmax": (0.0, 100.0), "percentile": (0.0, 100.0), "zscore": (0.0, 1.0)}


@dataclass(frozen=True)
class Normalisation:
    """How an indicator becomes a score (formulas: `normalise`).

    `scale`, `bounds` and `target` are in the units of scores, of values, of values; `reference` is the position of the reference area in
    the last axis of the arrays.
    """

    method: str = "minmax"
    direction: str = "higher_better"
    scale: tuple[float, float] | None = None
    clip: bool = False
    bounds: tuple[float, float] | None = None  # [worst, best]; the direction follows from them
    target: float | None = None
    reference: int | None = None

    @property
    def lower_better(self) -> bool:
        return self.bounds[0] > self.bounds[1] if self.bounds else self.direction == "lower_better"


def normalise(values: Array, how: Normalisation) -> Array:
    """Return the scores of `values`, an array of any shape whose cells are compared with each other.

    x are the values after direction: with a target, and without bounds, -|x - target|; where lower is better, -x. n counts what is there.

    =====================  ============================================================  ============================================
    minmax                 lo + (hi - lo) (x - min x) / (max x - min x)                  scale [lo, hi], default [0, 100]
    minmax with bounds     lo + (hi - lo) (x - worst) / (best - worst)                   of x itself; leaves the scale unless clipped
    zscore                 mean + sd (x - mean x) / s, s with n - 1                      scale [mean, sd], default [0, 1]
    rank                   1 + number of values below                                    1 to n; ties get the lowest
    borda                  rank - 1                                                      points won against others
    percentile             lo + (hi - lo) (rank - 1) / (n - 1)                           scale [lo, hi], default [0, 100]
    distance_to_target     1 - |target - x| / max |target - x|, direction aside          share, 1 at the target
    distance_to_reference  1 - (x_ref - x) / (x_ref - min x), x_ref the reference area's 1 for the reference, 0 for the worst
    fraction_of_max        x / max x; where lower is better min x / x; x > 0 only        share, 1 for the best
    =====================  ============================================================  ============================================

    All NaN where nothing can be compared: fewer than two values, or all equal (but not with bounds, which need no others); a single NaN
    where the method is not defined for a value. Raises ValueError for a method that does not exist.
    Source: OECD/JRC Handbook (2008), chapter 1.5; Borda points: Saari (1995), Basic Geometry of Voting.
    """
    x = values
    if how.direction == "target" and not how.bounds and how.method != "distance_to_target":
        x = -np.abs(x - (how.target if how.target is not None else np.nan))
    if how.bounds and how.method == "minmax":
        worst, best = how.bounds
        return np.full_like(x, np.nan) if worst == best else _scaled((x - worst) / (best - worst), how)
    there = x[~np.isnan(x)]
    if there.size < 2 or there.min() == there.max():
        return np.full_like(x, np.nan)
    if how.method == "distance_to_target":
        distance = np.abs((how.target if how.target is not None else np.nan) - x)
        return _divided(distance, np.nanmax(distance), one_minus=True)
    if how.method == "fraction_of_max":
        positive = np.where(x > 0, x, np.nan)
        if np.isnan(positive).all():
            return np.full_like(x, np.nan)
        return np.asarray(np.nanmin(positive) / positive if how.lower_better else positive / np.nanmax(positive))
    if how.lower_better:
        x, there = -x, -there
    match how.method:
        case "minmax":
            return _scaled((x - there.min()) / (there.max() - there.min()), how)
        case "zscore":
            mean, deviation = how.scale or DEFAULT_SCALES["zscore"]
            return np.asarray(mean + deviation * (x - there.mean()) / there.std(ddof=1))
        case "rank":
            return ascending_ranks(x)
        case "borda":
            return ascending_ranks(x) - 1
        case "percentile":
            return _scaled((ascending_ranks(x) - 1) / (there.size - 1), how)
        case "distance_to_reference":
            reference = x[..., how.reference] if how.reference is not None else np.full(x.shape[:-1], np.nan)
            reference = reference[..., np.newaxis]
            return np.asarray(1 - _divided(reference - x, reference - there.min()))
        case _:
            raise ValueError(f"no such normalisation: {how.method}")


def ascending_ranks(values: Array) -> Array:
    """Return ranks from 1, the smallest value first, over all cells: 1 + the number of smaller values, so ties get the lowest; NaN stays."""
    there = ~np.isnan(values)
    ranks = np.full(values.shape, np.nan)
    ranks[there] = np.searchsorted(np.sort(values[there]), values[there], side="left") + 1
    return ranks


def best_first(scores: Array) -> Array:
    """Return ranks from 1, the largest score first; scores are compared rounded to 9 decimals, NaN is unranked."""
    return ascending_ranks(-np.round(scores, 9))


def _scaled(share: Array, how: Normalisation) -> Array:
    low, high = how.scale or DEFAULT_SCALES[how.method]
    scores = low + share * (high - low)
    return np.clip(scores, min(low, high), max(low, high)) if how.clip else scores


def _divided(values: Array, by: Array | np.float64, *, one_minus: bool = False) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient = np.where(np.asarray(by) == 0, np.nan, values / by)
    return 1 - quotient if one_minus else quotient
