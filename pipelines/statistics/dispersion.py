"""Dispersion of values within groups of areas: inequality and spread, with or without weights. Arrays in, arrays out.

All groups are computed at once: values are sorted by group and value, and every statistic is a sum, an extreme or a position in the
slice of a group. Definitions: Cowell, Measuring Inequality (3rd ed., 2011); Theil, Economics and
Information Theory (1967); Atkinson, On the measurement of inequality, Journal of Economic Theory 2 (1970); the mean absolute deviation
is that of Eurostat's regional dispersion. Explained with examples in docs/methods.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]

SHARES = ("cv", "gini", "hoover", "atkinson_05", "theil_t")  # all values >= 0 and a mean > 0
LOGARITHMIC = ("theil_l", "sd_log")  # all values > 0
RATIOS = ("max_min", "p90_p10")  # 1 where all values are equal; all others are 0
SMALLEST_GROUP = 3


@dataclass(frozen=True)
class Statistic:
    """One statistic of all groups: NaN where it is not defined for the values of a group."""

    name: str
    by: str
    values: Array


@dataclass(frozen=True)
class Pairs:
    """Values and weights of areas, sorted by group and value (see `sorted_pairs`); `starts` has the position of the first pair of each group."""

    group: Index
    values: Array
    weights: Array | None
    starts: Index

    @property
    def counts(self) -> Index:
        return np.diff(np.append(self.starts, self.group.size))


def sorted_pairs(group: Index, area: Index, values: Array, weights: Array | None) -> tuple[Pairs, Index]:
    """Return the pairs in order of group and value, and their positions in the input.

    All arrays have one length. Groups are numbered from 0 without gaps. `area` breaks ties, so that the order of the input does not
    matter. `weights` are in any unit and not negative; None: all areas have the same weight.
    """
    order = np.lexsort((area, values, group))
    g = group[order]
    starts = np.flatnonzero(np.r_[True, g[1:] != g[:-1]]) if g.size else np.zeros(0, dtype=np.int64)
    return Pairs(g, values[order], None if weights is None else weights[order], starts), order


def dispersion(pairs: Pairs, subgroups: dict[str, Index], weighted: bool) -> list[Statistic]:
    """Return the statistics of every group in the order of this table, each followed by its parts; `_weighted` statistics come last.

    With w the weights of a group as shares (1/n without weights), y its values and m = sum(w y):

    ============  =================================================  ====================================================
    sd            sqrt(sum((y - mean)^2) / n)                        in the unit of y; never weighted
    iqr           q(0.75) - q(0.25)                                  in the unit of y; never weighted
    max_min       max y / min y                                      no unit, from 1
    p90_p10       q(0.9) / q(0.1)                                    no unit, from 1; q linear between order statistics
    cv            sqrt(sum(w (y - m)^2)) / m                         no unit, 0 to sqrt(n - 1)
    gini          sum(w y (2 F - w)) / m - 1, F = running sum of w   no unit, 0 to 1 - 1/n (Gini 1912; Cowell 2011)
    hoover        sum(w |y - m|) / (2 m)                             share to redistribute, 0 to 1 - 1/n (Hoover 1936)
    atkinson_05   1 - (sum(w sqrt y))^2 / m                          share, 0 to 1 - 1/n (Atkinson 1970, aversion 0.5)
    theil_t       sum(w y/m ln(y/m)), 0 ln 0 = 0                     nats, 0 to ln n (Theil 1967)
    theil_l       sum(w ln(m/y))                                     nats, from 0 (mean log deviation; Theil 1967)
    sd_log        sqrt(sum(w (ln y - sum(w ln y))^2))                from 0; if small, about the relative spread
    mean_abs_dev  100 sum(w |y - m|) / m                             per cent; Eurostat's dispersion of regional GDP
    ============  =================================================  ====================================================

    theil_t_between = sum over subgroups of W M/m ln(M/m), W the weight and M the mean of a subgroup; theil_t_within = the sum over
    subgroups of W M/m times Theil's T within it. Their sum is theil_t (Theil 1967; Cowell 2011, chapter 3).

    `subgroups` has, for each intermediate level, the number of each pair's subgroup, counted over all groups. `weighted` adds the
    `_weighted` statistics; without it, weights are used only for the mean absolute deviation. Weights that sum to 0 count as no weights;
    with a negative weight, weighted statistics are not defined. NaN where a statistic is not defined: those of shares need all values
    >= 0 and a mean > 0; theil_l, sd_log and max_min need all values > 0; p90_p10 needs a tenth percentile > 0.
    """
    once = 1.0 / pairs.counts.astype(np.float64)[pairs.group]
    shares = once if pairs.weights is None else _shares(pairs, pairs.weights, once)
    statistics = _spread(pairs)
    statistics += _inequality(pairs, once, subgroups, "")
    mean = _sum(pairs, shares * pairs.values)
    deviation = _sum(pairs, shares * np.abs(pairs.values - mean[pairs.group]))
    statistics.append(Statistic("mean_abs_dev", "", _where(_shareable(pairs, mean), 100 * _ratio(deviation, mean))))
    if weighted:
        statistics += _inequality(pairs, shares, subgroups, "_weighted")
    return [s if s.name in RATIOS else Statistic(s.name, s.by, _not_negative(pairs, s.values)) for s in statistics]


def _not_negative(pairs: Pairs, values: Array) -> Array:
    """Return `values` without rounding errors: at least 0, and exactly 0 where all values of a group are equal."""
    equal = pairs.values[pairs.starts] == pairs.values[pairs.starts + pairs.counts - 1]
    return np.where(np.isnan(values), np.nan, np.where(equal, 0.0, np.maximum(values, 0.0)))


def _spread(pairs: Pairs) -> list[Statistic]:
    counts = pairs.counts
    once = 1.0 / counts.astype(np.float64)
    mean = _sum(pairs, pairs.values) * once
    low, high = pairs.values[pairs.starts], pairs.values[pairs.starts + counts - 1]
    p10, q1, q3, p90 = (_quantile(pairs, p) for p in (0.1, 0.25, 0.75, 0.9))
    return [
        Statistic("sd", "", np.sqrt(_sum(pairs, (pairs.values - mean[pairs.group]) ** 2) * once)),
        Statistic("iqr", "", q3 - q1),
        Statistic("max_min", "", _where(low > 0, _ratio(high, low))),
        Statistic("p90_p10", "", _where(p10 > 0, _ratio(p90, p10))),
    ]


def _inequality(pairs: Pairs, share: Array, subgroups: dict[str, Index], suffix: str) -> list[Statistic]:
    y, g = pairs.values, pairs.group
    mean = _sum(pairs, share * y)
    shareable = _shareable(pairs, mean) & ~np.isnan(mean)
    positive = (y[pairs.starts] > 0) & shareable
    relative = _ratio(y, mean[g])
    squares = _sum(pairs, share * (y - mean[g]) ** 2)
    # the share of an area times the shares up to it, for the area under the Lorenz curve
    below = 2 * _running(pairs, share) - share
    log = np.log(np.where(y > 0, y, 1.0))
    mean_log = _sum(pairs, share * log)
    values = {
        "cv": _ratio(np.sqrt(squares), mean),
        "gini": _ratio(_sum(pairs, share * y * below), mean) - 1,
        "hoover": _ratio(_sum(pairs, share * np.abs(y - mean[g])), 2 * mean),
        "atkinson_05": 1 - _ratio(_sum(pairs, share * np.sqrt(np.maximum(y, 0))) ** 2, mean),
        "theil_t": _sum(pairs, share * _x_log_x(relative)),
        "theil_l": -_sum(pairs, share * np.log(np.where(relative > 0, relative, 1.0))),
        "sd_log": np.sqrt(_sum(pairs, share * (log - mean_log[g]) ** 2)),
    }
    statistics = [Statistic(name + suffix, "", _where(positive if name in LOGARITHMIC else shareable, v)) for name, v in values.items()]
    for level, subgroup in subgroups.items():
        between, within = _theil_parts(pairs, share, relative, subgroup)
        statistics.append(Statistic(f"theil_t_between{suffix}", level, _where(shareable, between)))
        statistics.append(Statistic(f"theil_t_within{suffix}", level, _where(shareable, within)))
    return statistics


def _theil_parts(pairs: Pairs, share: Array, relative: Array, subgroup: Index) -> tuple[Array, Array]:
    """Return Theil's T between the subgroups of each group, and within them. `subgroup` numbers them over all groups."""
    size = int(subgroup.max()) + 1 if subgroup.size else 0
    weight = np.bincount(subgroup, share, size).astype(np.float64)
    mass = np.bincount(subgroup, share * relative, size).astype(np.float64)
    mean = _ratio(mass, weight)
    group_of = np.zeros(size, dtype=np.int64)
    group_of[subgroup] = pairs.group
    between = np.bincount(group_of, np.where(weight == 0, 0.0, weight * _x_log_x(mean)), pairs.starts.size).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        # a subgroup with the weight 0 has no mean and adds nothing
        inner = np.where((relative > 0) & (share != 0), relative * np.log(relative / mean[subgroup]), 0.0)
    return between, _sum(pairs, share * inner)


def _shareable(pairs: Pairs, mean: Array) -> NDArray[np.bool_]:
    return (pairs.values[pairs.starts] >= 0) & (mean > 0)


def _shares(pairs: Pairs, weights: Array, once: Array) -> Array:
    """Return weights that sum to 1 in each group: NaN if one is negative, equal ones if they sum to 0."""
    total = _sum(pairs, weights)
    shares = np.where(total[pairs.group] > 0, _ratio(weights, total[pairs.group]), once)
    negative = np.minimum.reduceat(weights, pairs.starts) < 0 if weights.size else np.zeros(0, dtype=np.bool_)
    return np.where(negative[pairs.group], np.nan, shares)


def _sum(pairs: Pairs, x: Array) -> Array:
    return np.add.reduceat(x, pairs.starts) if x.size else np.zeros(0)


def _running(pairs: Pairs, x: Array) -> Array:
    """Return the cumulative sum within each group: that over all groups less the sum of the groups before."""
    if not x.size:
        return x
    filled = np.nan_to_num(x)
    step = filled.copy()
    step[pairs.starts[1:]] -= np.add.reduceat(filled, pairs.starts)[:-1]
    return np.where(np.isnan(x), np.nan, np.cumsum(step))


def _quantile(pairs: Pairs, p: float) -> Array:
    """Return the quantile of each group, interpolated linearly between its two neighbours."""
    at = p * (pairs.counts - 1)
    low = np.floor(at).astype(np.int64)
    high = np.minimum(low + 1, pairs.counts - 1)
    below, above = pairs.values[pairs.starts + low], pairs.values[pairs.starts + high]
    return np.asarray(below + (above - below) * (at - low))


def _x_log_x(x: Array) -> Array:
    return np.asarray(np.where(x > 0, x * np.log(np.where(x > 0, x, 1.0)), np.where(np.isnan(x), np.nan, 0.0)))


def _ratio(a: Array, b: Array) -> Array:
    quotient: Array = np.divide(a, b, out=np.full(np.broadcast(a, b).shape, np.nan), where=np.asarray(b) != 0)
    return quotient


def _where(condition: NDArray[np.bool_], x: Array) -> Array:
    return np.where(condition, x, np.nan)
