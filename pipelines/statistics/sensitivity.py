"""Sensitivity of an index: which choices change ranks, which components matter, and whether components measure the same. Arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pipelines.statistics.aggregate import aggregate
from pipelines.statistics.index import Node, Rules, enough
from pipelines.statistics.normalise import best_first
from pipelines.statistics.uncertainty import Choices, Ranks

Array = NDArray[np.float64]


def mean_rank_shift(ranks: Ranks, base: Array) -> Array:
    """Return for each replicate the mean absolute difference between its ranks and the ranks `base`, over the areas ranked in both.

    `ranks` has a row per replicate, with 0 for areas without a rank; `base` has NaN for them. Source: Saisana et al. (2005), who explain
    the variance of this output.
    """
    both = (ranks > 0) & ~np.isnan(base)
    shift = np.where(both, np.abs(ranks - np.nan_to_num(base)), 0.0).sum(axis=1)
    n = both.sum(axis=1)
    mean: Array = np.divide(shift, n, out=np.full(n.shape, np.nan), where=n > 0)
    return mean


def sobol(a: Array, b: Array, mixed: Array) -> tuple[float, float]:
    """Return the first-order and the total Sobol index of a choice; NaN if the output does not vary.

    `a` and `b` are the outputs of two independent sets of choices, `mixed` that of `a` with only this choice taken from `b`. Estimators:
    first order: mean(b (mixed - a)) / V, Saltelli et al. (2010); total: mean((a - mixed)^2) / 2V, Jansen (1999); V is the variance of `a`
    and `b` together. Estimates of small indices can be below 0.
    """
    is_ranked = ~(np.isnan(a) | np.isnan(b) | np.isnan(mixed))
    a, b, mixed = a[is_ranked], b[is_ranked], mixed[is_ranked]
    variance = np.concatenate([a, b]).var() if a.size else 0.0
    if variance <= 0:
        return float("nan"), float("nan")
    # centred outputs have the same indices, and their estimates vary less
    centre = np.concatenate([a, b]).mean()
    first = ((b - centre) * (mixed - a)).mean() / variance
    return float(first), float(((a - mixed) ** 2).mean() / 2 / variance)


def mixed_choices(a: Choices, b: Choices, vary: Sequence[str]) -> dict[str, Choices]:
    """Return, for each choice that varies, `a` with only that choice taken from `b`."""
    return {choice: a.with_(choice, b) for choice in vary}


def cronbach_alpha(items: Array) -> float:
    """Return Cronbach's alpha of `items` (components x areas), k/(k-1) (1 - sum of variances / variance of the sum); NaN where undefined.

    Over the areas that have all components; variances with n - 1. Source: Cronbach (1951).
    """
    complete = items[:, ~np.isnan(items).any(axis=0)]
    k, n = complete.shape
    total = complete.sum(axis=0).var(ddof=1) if n > 1 else 0.0
    if k < 2 or not total > 0:
        return float("nan")
    return float(k / (k - 1) * (1 - complete.var(axis=1, ddof=1).sum() / total))


def correlation(x: Array, y: Array) -> float:
    """Return Pearson's correlation over the areas that have both values; NaN for fewer than three areas or without variance."""
    both = ~(np.isnan(x) | np.isnan(y))
    x, y = x[both] - x[both].mean() if both.any() else x[both], y[both] - y[both].mean() if both.any() else y[both]
    spread = np.sqrt((x * x).sum() * (y * y).sum())
    if x.size < 3 or not spread > 0:
        return float("nan")
    return float(np.clip((x * y).sum() / spread, -1, 1))


def effective_weight(x: Array, y: Array, weight: float) -> float:
    """Return the share of the component `x` in the variance of the index `y`: weight * cov(x, y) / var(y).

    `weight` is the component's share in the whole index. With arithmetic means of complete components, the shares of all leaves sum to 1,
    as those of income sources do in Shorrocks (1982). NaN for fewer than three areas, or without variance.
    """
    both = ~(np.isnan(x) | np.isnan(y))
    if both.sum() < 3:
        return float("nan")
    x, y = x[both], y[both] - y[both].mean()
    variance = (y * y).sum()
    return float(weight * (x * y).sum() / variance) if variance > 0 else float("nan")


def shift_without(root: Node, left_out: Node, scores: Mapping[int, Array], rules: Rules, is_ranked: NDArray[np.bool_]) -> float:
    """Return the mean absolute change of ranks if one component is left out; NaN if none is left or no area is ranked in both cases.

    `scores` has the scores of all areas in one period, by the `id()` of the node; `rules` are those of that period (`Rules.at`), and
    `is_ranked` says which areas have a rank.
    """
    without = _without(root, left_out, scores, rules)
    if without is None:
        return float("nan")
    before, after = (best_first(np.where(is_ranked, x, np.nan)) for x in (scores[id(root)], without))
    both = ~(np.isnan(before) | np.isnan(after))
    return float(np.abs(before - after)[both].mean()) if both.any() else float("nan")


def _without(node: Node, left_out: Node, scores: Mapping[int, Array], rules: Rules, *, is_root: bool = True) -> Array | None:
    """Return the scores of `node` without one component below it; None if no component is left."""
    if node is left_out:
        return None
    if not node.children or not _contains(node, left_out):
        return scores[id(node)]
    parts = [(child, _without(child, left_out, scores, rules, is_root=False)) for child in node.children]
    left = [(child, part) for child, part in parts if part is not None]
    if not left:
        return None
    table = np.array([part for _, part in left])
    is_enough = enough(~np.isnan(table), [child for child, _ in left], rules)
    scores_without = np.where(is_enough, aggregate(table, np.array([child.weight for child, _ in left]), node.aggregate), np.nan)
    return scores_without if is_root else rules.fill_components(scores_without, 0)


def _contains(node: Node, other: Node) -> bool:
    return any(child is other or _contains(child, other) for child in node.children)
