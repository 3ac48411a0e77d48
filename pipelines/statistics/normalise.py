"""Normalisation of the values of one indicator to scores that can be aggregated. Arrays in, arrays out; NaN is a missing value.

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

    `scale` is in the unit of scores, `bounds` and `target` are in that of values. `reference` is the position of the reference area on the
    last axis of the arrays.
    """

    method: str = "minmax"
    direction: str = "higher_better"
    scale: tuple[float, float] | None = None
    clip: bool = False
    bounds: tuple[float, float] | None = None  # [worst, best], which determine the direction
    target: float | None = None
    reference: int | None = None

    @property
    def lower_better(self) -> bool:
        return self.bounds[0] > self.bounds[1] if self.bounds else self.direction == "lower_better"


def normalise(values: Array, how: Normalisation) -> Array:
    """Return the scores of `values`, an array of any shape whose cells are compared with each other.

    x are the values in the direction "higher is better": -|x - target| with a target and without bounds, -x if lower is better.
    n is the number of present values.

    =====================  ============================================================  ============================================
    minmax                 lo + (hi - lo) (x - min x) / (max x - min x)                  scale [lo, hi], default [0, 100]
    minmax with bounds     lo + (hi - lo) (x - worst) / (best - worst)                   of the values; can leave the scale if not clipped
    zscore                 mean + sd (x - mean x) / s, s with n - 1                      scale [mean, sd], default [0, 1]
    rank                   1 + number of lower values                                    1 to n; ties get the lowest
    borda                  rank - 1                                                      number of areas that it beats
    percentile             lo + (hi - lo) (rank - 1) / (n - 1)                           scale [lo, hi], default [0, 100]
    distance_to_target     1 - |target - x| / max |target - x|, for either direction     share, 1 at the target
    distance_to_reference  1 - (x_ref - x) / (x_ref - min x), x_ref the reference area's 1 for the reference, 0 for the worst
    fraction_of_max        x / max x; where lower is better min x / x; x > 0 only        share, 1 for the best
    =====================  ============================================================  ============================================

    All scores are NaN if there are fewer than two values or all are equal (except with bounds, which need no other values). A single score
    is NaN if the method is not defined for its value. Raises ValueError for an unknown method.
    Source: OECD/JRC Handbook (2008), chapter 1.5; Borda points: Saari (1995), Basic Geometry of Voting.
    """
    x = values
    if how.direction == "target" and not how.bounds and how.method != "distance_to_target":
        x = -np.abs(x - (how.target if how.target is not None else np.nan))
    if how.bounds and how.method == "minmax":
        worst, best = how.bounds
        return np.full_like(x, np.nan) if worst == best else _scaled((x - worst) / (best - worst), how)
    present = x[~np.isnan(x)]
    if present.size < 2 or present.min() == present.max():
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
        x, present = -x, -present
    match how.method:
        case "minmax":
            return _scaled((x - present.min()) / (present.max() - present.min()), how)
        case "zscore":
            mean, deviation = how.scale or DEFAULT_SCALES["zscore"]
            return np.asarray(mean + deviation * (x - present.mean()) / present.std(ddof=1))
        case "rank":
            return ascending_ranks(x)
        case "borda":
            return ascending_ranks(x) - 1
        case "percentile":
            return _scaled((ascending_ranks(x) - 1) / (present.size - 1), how)
        case "distance_to_reference":
            reference = x[..., how.reference] if how.reference is not None else np.full(x.shape[:-1], np.nan)
            reference = reference[..., np.newaxis]
            return np.asarray(1 - _divided(reference - x, reference - present.min()))
        case _:
            raise ValueError(f"no such normalisation: {how.method}")


def ascending_ranks(values: Array) -> Array:
    """Return ranks over all cells, 1 for the smallest value: 1 + the number of smaller values, so ties get the lowest rank; NaN stays."""
    is_present = ~np.isnan(values)
    ranks = np.full(values.shape, np.nan)
    ranks[is_present] = np.searchsorted(np.sort(values[is_present]), values[is_present], side="left") + 1
    return ranks


def best_first(scores: Array) -> Array:
    """Return ranks, 1 for the largest score. Scores are compared after rounding to 9 decimals; NaN has no rank."""
    return ascending_ranks(-np.round(scores, 9))


def _scaled(share: Array, how: Normalisation) -> Array:
    low, high = how.scale or DEFAULT_SCALES[how.method]
    scores = low + share * (high - low)
    return np.clip(scores, min(low, high), max(low, high)) if how.clip else scores


def _divided(values: Array, by: Array | np.float64, *, one_minus: bool = False) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient = np.where(np.asarray(by) == 0, np.nan, values / by)
    return 1 - quotient if one_minus else quotient
