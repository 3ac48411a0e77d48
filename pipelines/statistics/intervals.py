"""Intervals of counts, proportions, rates and means at 95 % and 99.8 %. Numbers in, numbers out.

A count of a small area is one outcome of a process that could have given others. The interval holds the rates of the process that are
compatible with the count. Formulas and sources are in docs/methods.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Confidence:
    """A level of confidence: its text, the probability outside of the interval, and the quantile `z` of the normal distribution."""

    percent: str
    outside: float
    z: float


CONFIDENCES = (Confidence("95 %", 0.05, 1.959963984540054), Confidence("99.8 %", 0.002, 3.090232306167813))
BYAR_FROM = 10
"""The smallest count for which Byar's approximation is used; below it the limits are exact."""
Interval = tuple[float, float]


def proportion(x: float, n: float, confidence: Confidence) -> Interval | None:
    """Return Wilson's interval of the proportion `x` of `n`; None unless 0 <= x <= n and n > 0."""
    if not (n > 0 and 0 <= x <= n):
        return None
    z = confidence.z
    half = z * math.sqrt(z * z + 4 * x * (1 - x / n))
    return (2 * x + z * z - half) / (2 * (n + z * z)), (2 * x + z * z + half) / (2 * (n + z * z))


def rate(x: float, e: float, confidence: Confidence) -> Interval | None:
    """Return the interval of the rate of `x` events per exposure `e`: Byar's, or exact for fewer than 10; None unless x >= 0 and e > 0."""
    if not (x >= 0 and e > 0):
        return None
    if x < BYAR_FROM:
        ((lower, upper),) = exact_poisson(np.array([x]), confidence).tolist()
    else:
        lower, upper = byar(x, confidence)
    return lower / e, upper / e


def byar(x: float, confidence: Confidence) -> Interval:
    """Return Byar's approximation of the limits of the expected number of events where `x` > 0 were counted."""
    lower = x * (1 - 1 / (9 * x) - confidence.z / (3 * math.sqrt(x))) ** 3
    return lower, (x + 1) * (1 - 1 / (9 * (x + 1)) + confidence.z / (3 * math.sqrt(x + 1))) ** 3


def exact_poisson(x: Array, confidence: Confidence) -> Array:
    """Return the lower and the upper limits (n x 2) of the expected number of events where `x` were counted. `x` need not be whole.

    They are half of the quantiles of chi-square with 2x and 2x + 2 degrees of freedom. The lower limit of almost no event is 0.
    """
    from scipy.special import gammaincinv  # a third of a second, which only new numbers need

    some = x > 1e-3
    lower = np.where(some, gammaincinv(np.where(some, x, 1.0), confidence.outside / 2), 0.0)
    return np.stack([lower, gammaincinv(x + 1, 1 - confidence.outside / 2)], axis=1)


def mean(value: float, sd: float, n: float, confidence: Confidence) -> Interval | None:
    """Return Student's interval of a mean of `n` values with the standard deviation `sd`; None unless n > 1 and sd >= 0."""
    if not (n > 1 and sd >= 0):
        return None
    half = float(student(np.array([n]), confidence)[0]) * sd / math.sqrt(n)
    return value - half, value + half


def student(n: Array, confidence: Confidence) -> Array:
    """Return the quantile of Student's t for means of `n` values, n > 1."""
    from scipy.special import stdtrit

    quantiles: Array = stdtrit(n - 1, 1 - confidence.outside / 2)
    return quantiles


def of_value(
    kind: str, numerator: float | None, denominator: float | None, multiplier: float, sample: Sequence[float] | None = None
) -> tuple[Interval | None, ...]:
    """Return the intervals of a value at each level of confidence, None where it has none. `sample` is the size and the sd of a mean."""
    intervals: list[Interval | None] = []
    for confidence in CONFIDENCES:
        interval = None
        if kind == "mean":
            if numerator is not None and sample is not None:
                interval = mean(numerator, sample[1], sample[0], confidence)
        elif numerator is not None and denominator is not None:
            interval = proportion(numerator, denominator, confidence) if kind == "proportion" else rate(numerator, denominator, confidence)
        intervals.append(None if interval is None else (interval[0] * multiplier, interval[1] * multiplier))
    return tuple(intervals)
