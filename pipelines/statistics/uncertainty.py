"""Uncertainty of ranks: an index is computed again with other weights and normalisations, and without one of its indicators.

Replicates are computed in blocks, all areas at once. The choices and their analysis follow Saisana, Saltelli and Tarantola (2005),
Uncertainty and sensitivity analysis techniques as tools for the quality assessment of composite indicators, and the OECD/JRC Handbook on
Constructing Composite Indicators (2008), chapter 1.7. Arrays in, arrays out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.statistics.index import COMPONENT_GROUP_MEAN, Node, Rules, Scores, leaves_of, normalised
from pipelines.statistics.normalise import Normalisation

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Ranks = NDArray[np.int32]

WEIGHTS, NORMALISATION, LEAVE_ONE_OUT = "weights", "normalisation", "leave_one_out"
CONCENTRATION = 50.0  # weights ~ Dirichlet(50 w): a weight of 0.25 varies with a standard deviation of 0.06
ALTERNATIVES = ("minmax", "zscore", "percentile")
SCALES = {"zscore": (100.0, 10.0)}  # above zero, so that a geometric mean exists
BLOCK = 64  # number of replicates in memory at the same time
LOW, HIGH = 0.05, 0.95
NOBODY = -1  # stands for no leaf left out


@dataclass(frozen=True)
class Choices:
    """The choices of each replicate: weights of the children by node (replicates x children), a normalisation, and the leaf left out."""

    weights: Mapping[str, Array]
    normalisation: Index
    left_out: Index

    def __len__(self) -> int:
        return self.normalisation.size

    def with_(self, choice: str, other: Choices) -> Choices:
        """Return these choices with one of them taken from `other`. Raises ValueError for an unknown choice."""
        match choice:
            case "weights":
                return replace(self, weights=other.weights)
            case "normalisation":
                return replace(self, normalisation=other.normalisation)
            case "leave_one_out":
                return replace(self, left_out=other.left_out)
        raise ValueError(f"no such choice: {choice}")


def draw(root: Node, count: int, vary: Sequence[str], methods: int, generator: np.random.Generator) -> Choices:
    """Return `count` random choices. Choices that are not in `vary` stay as declared.

    Weights have a Dirichlet(50 w) distribution, with w the relative weights of a node's children. Each of the `methods` normalisations is
    equally likely, and so is leaving out any one of the leaves or none.
    """
    leaves = sum(1 for _ in leaves_of(root))
    weights = {}
    for node in groups_of(root):
        declared = np.array([child.weight for child in node.children])
        share = declared / declared.sum() if declared.sum() else declared
        drawn = np.tile(share, (count, 1))
        positive = share > 0
        if WEIGHTS in vary and positive.sum() > 1:
            drawn[:, positive] = generator.dirichlet(CONCENTRATION * share[positive], count)
        weights[node.name] = drawn
    zeros = np.zeros(count, dtype=np.int64)
    normalisation = generator.integers(0, methods, count) if NORMALISATION in vary else zeros
    left_out = generator.integers(NOBODY, leaves, count) if LEAVE_ONE_OUT in vary and leaves > 1 else zeros + NOBODY
    return Choices(weights, normalisation, left_out)


def groups_of(node: Node) -> Iterator[Node]:
    """Yield the nodes that have children, the root last."""
    for child in node.children:
        if child.children:
            yield from groups_of(child)
    yield node


def alternatives(declared: str) -> list[str]:
    """Return the names of the normalisations that replicates draw from, the declared one first."""
    return [declared, *(m for m in ALTERNATIVES if m != declared)]


def leaf_tables(scores: Sequence[Scores], methods: Sequence[str], rules: Rules) -> list[Array]:
    """Return the normalised values of all leaves (leaves x periods x areas) for each of `methods`; the first table has the declared scores."""
    leaves = [s for s in scores if not s.node.children]
    tables = [np.array([s.score for s in leaves])]
    for method in methods[1:]:
        tables.append(np.array([normalised(s.treated, _other(s.node.normalisation, method), rules) for s in leaves]))
    return tables


def _other(declared: Normalisation, method: str) -> Normalisation:
    return replace(declared, method=method, scale=SCALES.get(method), clip=False, reference=None)


def replicate_ranks(
    root: Node, tables: Sequence[Array], choices: Choices, rules: Rules, ranked: Mapping[str, NDArray[np.bool_]]
) -> dict[str, Ranks]:
    """Return the ranks of the areas in every replicate (replicates x areas) for each node in `ranked`; 0 for an area without a rank.

    `ranked` says which areas have a rank in the index itself: replicates rank the same areas. `tables` has, for each normalisation, the
    leaves' scores in one period (leaves x areas); `rules` are those of that period (`Rules.at`). Availability, imputation of components
    and aggregation are those of the index.
    """
    ranks = {name: np.zeros((len(choices), tables[0].shape[1]), dtype=np.int32) for name in ranked}
    for method, table in enumerate(tables):
        mine = np.flatnonzero(choices.normalisation == method)
        if not mine.size:
            continue
        prepared = _Prepared(root, table, rules)
        for start in range(0, mine.size, BLOCK):
            block = mine[start : start + BLOCK]
            scores = prepared.scores({name: w[block] for name, w in choices.weights.items()}, choices.left_out[block])
            for name, is_ranked in ranked.items():
                ranks[name][block] = rank_rows(np.where(is_ranked, scores[name], np.nan))
    return ranks


def rank_rows(scores: Array) -> Ranks:
    """Return the ranks in each row of `scores`: 1 for the largest score, the lowest rank for ties, 0 for NaN.

    Scores are compared after rounding to 9 decimals.
    """
    places = np.arange(1, scores.shape[1] + 1, dtype=np.int32)
    ranks = np.empty(scores.shape, dtype=np.int32)
    key = np.rint(scores * -1e9)
    for row, own in zip(key, ranks, strict=True):  # a row at a time stays in the processor's cache
        order = np.argsort(row)  # missing scores come last
        ordered = row[order]
        differs = ordered[1:] != ordered[:-1]
        own[order] = places if differs.all() else np.maximum.accumulate(np.where(np.r_[True, differs], places, 0))
        if ordered.size and np.isnan(ordered[-1]):
            own[np.isnan(row)] = 0
    return ranks


def rank_interval(ranks: Ranks, rank: Array) -> tuple[Array, Array]:
    """Return the ends of the rank interval of each area: the 5th percentile rounded down and the 95th rounded up, extended to `rank`.

    Percentiles are interpolated linearly, over the replicates (replicates x areas) in which an area has a rank.
    """
    ordered = np.sort(np.ascontiguousarray(ranks.T), axis=1)
    total = ordered.shape[1]
    n = total - np.count_nonzero(ordered == 0, axis=1)
    low, high = (_percentile(ordered, n, p) for p in (LOW, HIGH))
    low, high = np.where(n > 0, np.floor(low), rank), np.where(n > 0, np.ceil(high), rank)
    return np.where(np.isnan(rank), np.nan, np.minimum(low, rank)), np.where(np.isnan(rank), np.nan, np.maximum(high, rank))


def rank_interval_share(low: Array, high: Array) -> float:
    """Return the median width of the rank intervals as a share of the number of ranked areas; NaN if no area is ranked."""
    width = (high - low)[~np.isnan(low)]
    return float(np.median(width) / width.size) if width.size else float("nan")


def _percentile(ordered: Ranks, n: Index, p: float) -> Array:
    """Return the percentile of the last `n` values of each row."""
    total = ordered.shape[1]
    at = p * np.maximum(n - 1, 0)
    below = np.floor(at + 1e-9).astype(np.int64)  # 0.95 * 20 is 19, despite rounding errors
    first = np.minimum(total - n, total - 1)
    rows = np.arange(ordered.shape[0])
    a = ordered[rows, np.minimum(first + below, total - 1)]
    b = ordered[rows, np.minimum(first + below + 1, total - 1)]
    return np.asarray(a + (b - a) * np.maximum(at - below, 0.0))


class _Prepared:
    """The scores of the leaves under one normalisation, prepared for blocks of replicates."""

    def __init__(self, root: Node, table: Array, rules: Rules) -> None:
        self.root, self.rules = root, rules
        self.position = {id(leaf): i for i, leaf in enumerate(leaves_of(root))}
        self.leaves: dict[str, _Leaves] = {}
        for node in groups_of(root):
            own = [self.position[id(c)] for c in node.children if not c.children]
            if own:
                self.leaves[node.name] = _Leaves.of(np.array(own), table[own], node.aggregate)

    def scores(self, weights: Mapping[str, Array], left_out: Index) -> dict[str, Array]:
        """Return the scores of all groups (replicates x areas)."""
        scores: dict[str, Array] = {}
        empty: dict[str, NDArray[np.bool_]] = {}
        for node in groups_of(self.root):
            scores[node.name], empty[node.name] = self._group(node, weights[node.name], left_out, scores, empty)
        return scores

    def _group(
        self, node: Node, weights: Array, left_out: Index, scores: Mapping[str, Array], empty: Mapping[str, NDArray[np.bool_]]
    ) -> tuple[Array, NDArray[np.bool_]]:
        is_leaf = np.array([not c.children for c in node.children])
        sums = _Sums(node.aggregate)
        if is_leaf.any():
            leaves = self.leaves[node.name]
            expected = left_out[:, np.newaxis] != leaves.positions
            required = expected & np.array([child.required for child in node.children if not child.children])
            sums.add_leaves(leaves, weights[:, is_leaf] * expected, expected, required)
        for i in np.flatnonzero(~is_leaf):
            child = node.children[i]
            sums.add_group(scores[child.name], weights[:, i], ~empty[child.name], child.required)
        result = sums.result(self.rules.min_available)
        if self.rules.imputation == COMPONENT_GROUP_MEAN and node is not self.root:
            result = np.array([self.rules.fill_components(row, 0) for row in result])
        return result, sums.expected == 0


@dataclass(frozen=True)
class _Leaves:
    """The leaves of one node: positions among all leaves, scores as the aggregation sums them, and which are present, zero or negative."""

    positions: Index
    terms: Array
    incomplete: Index  # areas without a score of some leaf
    present: Array  # which leaves these areas have
    zero: Array | None  # None: none, or irrelevant for the aggregation
    negative: Array | None

    @classmethod
    def of(cls, positions: Index, scores: Array, how: str) -> _Leaves:
        missing = np.isnan(scores)
        x = np.where(missing, 1.0 if how != "arithmetic" else 0.0, scores)
        zero, negative = x == 0, x < 0
        if how != "arithmetic":
            x = _transformed(x, how)
            x[missing] = 0.0
        matters = how != "arithmetic"
        return cls(
            positions,
            x,
            np.flatnonzero(missing.any(axis=0)),
            (~missing[:, missing.any(axis=0)]).astype(np.float64),
            zero.astype(np.float64) if matters and zero.any() else None,
            negative.astype(np.float64) if matters and negative.any() else None,
        )

    def sum_over_present(self, amounts: Array) -> Array:
        """Return the sum of `amounts` (replicates x leaves) over the present leaves, for every area; one column if all areas have all leaves."""
        whole: Array = amounts.sum(axis=1)[:, np.newaxis]
        if not self.incomplete.size:
            return whole
        sums: Array = np.repeat(whole, self.terms.shape[1], axis=1)
        sums[:, self.incomplete] = amounts @ self.present
        return sums


def _transformed(x: Array, how: str) -> Array:
    positive = np.where(x > 0, x, 1.0)
    return np.log(positive) if how == "geometric" else 1 / positive


class _Sums:
    """Sums over the children of a node for a block of replicates, and the resulting score."""

    def __init__(self, how: str) -> None:
        self.how = how
        self.terms: Any = 0.0
        self.weight: Any = 0.0
        self.count: Any = 0.0
        self.expected: Array = np.zeros(1)
        self.zero: NDArray[np.bool_] | None = None
        self.negative: NDArray[np.bool_] | None = None
        self.lacking: NDArray[np.bool_] | None = None

    def add_leaves(self, leaves: _Leaves, weights: Array, expected: NDArray[np.bool_], required: NDArray[np.bool_]) -> None:
        self.terms = self.terms + weights @ leaves.terms
        self.expected = self.expected + expected.sum(axis=1)
        self.weight = self.weight + leaves.sum_over_present(weights)
        self.count = self.count + leaves.sum_over_present(expected.astype(np.float64))
        if required.any() and leaves.incomplete.size:
            needed = required.astype(np.float64)
            self.lacking = _either(self.lacking, leaves.sum_over_present(needed) < needed.sum(axis=1)[:, np.newaxis])
        if leaves.zero is not None:
            self.zero = _either(self.zero, (weights > 0).astype(np.float64) @ leaves.zero > 0)
        if leaves.negative is not None:
            self.negative = _either(self.negative, (weights > 0).astype(np.float64) @ leaves.negative > 0)

    def add_group(self, scores: Array, weights: Array, expected: NDArray[np.bool_], required: bool) -> None:
        w = (weights * expected)[:, np.newaxis]
        missing = np.isnan(scores)
        x = np.where(missing, 1.0 if self.how != "arithmetic" else 0.0, scores)
        self.terms = self.terms + w * (x if self.how == "arithmetic" else np.where(missing, 0.0, _transformed(x, self.how)))
        self.weight = self.weight + w * ~missing
        self.count = self.count + (~missing & expected[:, np.newaxis])
        self.expected = self.expected + expected
        if required and missing.any():
            self.lacking = _either(self.lacking, missing & expected[:, np.newaxis])
        if self.how != "arithmetic":
            self.zero = _either(self.zero, (x == 0) & (w > 0))
            self.negative = _either(self.negative, (x < 0) & (w > 0))

    def result(self, min_available: float) -> Array:
        terms, weight = np.asarray(self.terms), np.broadcast_to(self.weight, np.shape(self.terms))
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = terms / weight
            scores = {"arithmetic": lambda: mean, "geometric": lambda: np.exp(mean), "harmonic": lambda: weight / terms}[self.how]()
        if self.zero is not None:
            scores = np.where(self.zero, 0.0, scores)
        if self.negative is not None:
            scores = np.where(self.negative, np.nan, scores)
        enough = (np.asarray(self.count) >= (min_available - 1e-12) * self.expected[:, np.newaxis]) & (np.asarray(self.count) > 0)
        if self.lacking is not None:
            enough = enough & ~self.lacking
        if enough.all() and (np.asarray(self.weight) > 0).all():
            return np.asarray(scores)
        return np.where(enough & (weight > 0), scores, np.nan)


def _either(a: NDArray[np.bool_] | None, b: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return b if a is None else a | b
