"""A composite index: the scores of its nodes for every area, from the leaves' values up to the root. Arrays in, arrays out.

What an index needs of the warehouse is gathered elsewhere (`pipelines.warehouse.steps.index_inputs`); here are only its rules. The steps and their
order are those of the OECD/JRC Handbook on Constructing Composite Indicators (2008): treatment, imputation, normalisation, weighting and
aggregation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pipelines.core.vocabulary import STATUS_RANK
from pipelines.statistics.aggregate import aggregate
from pipelines.statistics.impute import impute
from pipelines.statistics.normalise import Normalisation, best_first, normalise
from pipelines.statistics.treat import treat

Array = NDArray[np.float64]
Codes = NDArray[np.int8]

STATUSES = [*STATUS_RANK, "L", "Z"]
"""Codes of the statuses: with a value up to B, the one that stands is the largest; then what is missing."""
IMPUTED, BREAK, TOO_FEW, UNDEFINED = (STATUSES.index(s) for s in "IBLZ")

COMPONENT_GROUP_MEAN = "component_group_mean"


@dataclass(frozen=True)
class Node:
    """A leaf (an indicator) or a group of components. Weights are relative inside the node above."""

    name: str
    weight: float
    children: tuple[Node, ...] = ()
    aggregate: str = "arithmetic"
    normalisation: Normalisation = field(default_factory=Normalisation)


@dataclass(frozen=True)
class Rules:
    """What holds for all nodes of an index.

    `min_available` is the share of a node's components that must be there, by count (0 to 1). `treatment` holds the limits of `treat`,
    None for none; `imputation` a method of `impute`, or component_group_mean. `groups` has a number for each area, for imputation by
    group. `pooled` compares values over all periods together. `valid` (periods x areas) says which areas there are in which period, None
    for all in all: nothing is imputed for one that is not there.
    """

    min_available: float
    treatment: dict[str, float] | None = None
    imputation: str | None = None
    groups: NDArray[np.int64] | None = None
    pooled: bool = False
    valid: NDArray[np.bool_] | None = None

    def fill_components(self, scores: Array, t: int) -> Array:
        """Return the scores of a component in the period `t` with gaps filled, if that is how the index imputes."""
        if self.imputation != COMPONENT_GROUP_MEAN:
            return scores
        return self.there(impute(scores, "group_mean", self.groups_of(scores.size)), t)

    def groups_of(self, areas: int) -> NDArray[np.int64]:
        return self.groups if self.groups is not None else np.zeros(areas, dtype=np.int64)

    def there(self, values: Array, t: int) -> Array:
        """Return the values of the period `t` without those of areas that are not there."""
        return values if self.valid is None else np.where(self.valid[t], values, np.nan)

    def at(self, t: int) -> Rules:
        """Return these rules for the period `t` alone and the areas that are there in it."""
        if self.valid is None:
            return self
        now = self.valid[t]
        return replace(self, groups=self.groups_of(now.size)[now], valid=None)


@dataclass(frozen=True)
class Values:
    """A leaf's input, periods x areas: NaN and the code of a status where a value is missing."""

    raw: Array
    status: Codes


@dataclass
class Scores:
    """A node's result, periods x areas. Of a group `raw` and `treated` are NaN."""

    node: Node
    parent: Node | None
    raw: Array
    treated: Array
    score: Array
    status: Codes
    imputed: NDArray[np.bool_]
    available: NDArray[np.int64]
    expected: int
    rank: Array


def score(root: Node, leaves: dict[str, Values], rules: Rules) -> list[Scores]:
    """Return the scores of every node, components before what they are part of, the root last.

    `leaves` has an entry for each leaf's name, all of one shape (periods x areas), in the indicators' own units; scores are in those of
    the normalisation. A node's score is the mean (`aggregate`) of the components that are there, if their number over all of them is at
    least `min_available`; ranks are 1 + the number of areas with a larger score (`best_first`), period by period.
    """
    results: list[Scores] = []
    _score(root, None, leaves, rules, results)
    return results


def leaves_of(node: Node) -> Iterator[Node]:
    if not node.children:
        yield node
    for child in node.children:
        yield from leaves_of(child)


def _score(node: Node, parent: Node | None, leaves: dict[str, Values], rules: Rules, results: list[Scores]) -> Scores:
    if node.children:
        parts = [_score(child, node, leaves, rules, results) for child in node.children]
        result = _group(node, parent, parts, rules)
    else:
        result = _leaf(node, parent, leaves[node.name], rules)
    results.append(result)
    return result


def normalised(values: Array, how: Normalisation, rules: Rules) -> Array:
    """Return the scores of a leaf's values (periods x areas): compared over all periods together if the index is pooled, else in each."""
    scores = np.full_like(values, np.nan)
    for rows in _compared(values, rules):
        scores[rows] = normalise(values[rows], how)
    return scores


def _compared(values: Array, rules: Rules) -> list[slice]:
    periods = values.shape[0]
    return [slice(0, periods)] if rules.pooled else [slice(t, t + 1) for t in range(periods)]


def _leaf(node: Node, parent: Node | None, values: Values, rules: Rules) -> Scores:
    """Treat, impute and normalise a leaf: over all periods together if the index is pooled, else period by period."""
    filled = values.raw.copy()
    for rows in _compared(values.raw, rules):
        # fixed bounds make a scale that outliers do not stretch; they are bounds of the values as they are
        if rules.treatment is not None and not node.normalisation.bounds:
            filled[rows] = treat(values.raw[rows], **rules.treatment)  # type: ignore[arg-type]
        if rules.imputation in ("mean", "median", "group_mean", "group_median"):
            for t in range(rows.start, rows.stop):
                filled[t] = rules.there(impute(filled[t], rules.imputation, rules.groups_of(filled.shape[1])), t)
    scores = normalised(filled, node.normalisation, rules)
    imputed = np.isnan(values.raw) & ~np.isnan(filled)
    status = np.where(imputed, IMPUTED, values.status)
    status = np.where(~np.isnan(filled) & np.isnan(scores), UNDEFINED, status).astype(np.int8)
    there = ~np.isnan(scores)
    return Scores(
        node, parent, values.raw, filled, scores, status, imputed & there, there.astype(np.int64), 1, np.full_like(scores, np.nan)
    )


def _group(node: Node, parent: Node | None, parts: list[Scores], rules: Rules) -> Scores:
    weights = np.array([child.weight for child in node.children])
    shape = parts[0].score.shape
    scores, status = np.full(shape, np.nan), np.zeros(shape, dtype=np.int8)
    imputed = np.zeros(shape, dtype=np.bool_)
    for t in range(shape[0]):
        children = np.array([p.score[t] for p in parts])
        codes = np.array([p.status[t] for p in parts])
        there = ~np.isnan(children)
        enough = (there.mean(axis=0) >= rules.min_available - 1e-12) & there.any(axis=0)
        scores[t] = np.where(enough, aggregate(children, weights, node.aggregate), np.nan)
        same = codes.min(axis=0) == codes.max(axis=0)
        worst = np.where(there, codes, -1).max(axis=0)
        reason = np.where(there.any(axis=0) | ~same, TOO_FEW, codes.max(axis=0))
        status[t] = np.where(enough, np.where(np.isnan(scores[t]), UNDEFINED, worst), reason)
        if parent is not None:
            filled = rules.fill_components(scores[t], t)
            imputed[t] = np.isnan(scores[t]) & ~np.isnan(filled)
            scores[t], status[t] = filled, np.where(imputed[t], IMPUTED, status[t])
    empty = np.full(shape, np.nan)
    available = np.sum([p.available for p in parts], axis=0)
    ranks = np.array([best_first(row) for row in scores]).reshape(shape)
    return Scores(node, parent, empty, empty, scores, status, imputed, available, sum(p.expected for p in parts), ranks)
