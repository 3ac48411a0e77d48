"""A composite index: the scores of its nodes for every area, from the values of the leaves up to the root. Arrays in, arrays out.

`pipelines.warehouse.steps.index_inputs` reads the arrays from the warehouse. The steps are those of the OECD/JRC Handbook on Constructing
Composite Indicators (2008): imputation, treatment of outliers, normalisation, weighting and aggregation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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

STATUSES = [*(status for status in STATUS_RANK if status != "L"), "L", "Z"]
"""Statuses by code. Of several statuses the one with the largest code stands; statuses with a value come first, up to B."""
IMPUTED, ESTIMATED, MISSING, TOO_FEW, UNDEFINED = (STATUSES.index(s) for s in "IEMLZ")

COMPONENT_GROUP_MEAN = "component_group_mean"
IMPUTE, TREAT = "impute", "treat"


@dataclass(frozen=True)
class Node:
    """A leaf (an indicator) or a group of components.

    Weights are relative inside the node above. That node has no score without a component that is `required`.
    """

    name: str
    weight: float
    children: tuple[Node, ...] = ()
    aggregate: str = "arithmetic"
    normalisation: Normalisation = field(default_factory=Normalisation)
    required: bool = False


@dataclass(frozen=True)
class Rules:
    """The rules that apply to all nodes of an index.

    min_available: the share of a node's components that must have a score, by count (0 to 1)
    treatment: the limits of `treat`; None: no treatment
    imputation: a method of `impute`, or component_group_mean
    groups: the number of each area's group, for imputation by group
    pooled: whether values are compared over all periods together
    steps: the order of imputation and treatment
    rank_partial: whether a score from fewer than all leaves has a rank
    valid: periods x areas, which areas exist in which period; nothing is imputed for the others. None: all areas exist in all periods
    """

    min_available: float
    treatment: dict[str, float] | None = None
    imputation: str | None = None
    groups: NDArray[np.int64] | None = None
    pooled: bool = False
    valid: NDArray[np.bool_] | None = None
    steps: tuple[str, ...] = (IMPUTE, TREAT)
    rank_partial: bool = False

    def fill_components(self, scores: Array, t: int) -> Array:
        """Return the scores of a component in the period `t`, with gaps filled if the index imputes components."""
        if self.imputation != COMPONENT_GROUP_MEAN:
            return scores
        return self.of_valid_areas(impute(scores, "group_mean", self.groups_of(scores.size)), t)

    def groups_of(self, areas: int) -> NDArray[np.int64]:
        return self.groups if self.groups is not None else np.zeros(areas, dtype=np.int64)

    def of_valid_areas(self, values: Array, t: int) -> Array:
        """Return the values of the period `t`, with NaN for areas that do not exist in it."""
        return values if self.valid is None else np.where(self.valid[t], values, np.nan)

    def at(self, t: int) -> Rules:
        """Return these rules for the period `t` alone and the areas that exist in it."""
        if self.valid is None:
            return self
        now = self.valid[t]
        return replace(self, groups=self.groups_of(now.size)[now], valid=None)


@dataclass(frozen=True)
class Values:
    """The input of a leaf (periods x areas): values, NaN where they are missing, and the codes of their statuses."""

    raw: Array
    status: Codes


@dataclass
class Scores:
    """The result of a node (periods x areas). `raw` and `treated` of a group are NaN.

    `partial` says where a leaf below the node is missing, and neither the leaf nor a component that contains it was imputed.
    """

    node: Node
    parent: Node | None
    raw: Array
    treated: Array
    score: Array
    status: Codes
    imputed: NDArray[np.bool_]
    partial: NDArray[np.bool_]
    available: NDArray[np.int64]
    expected: int
    rank: Array


def score(root: Node, leaves: dict[str, Values], rules: Rules) -> list[Scores]:
    """Return the scores of every node, components before their group, the root last.

    `leaves` has the values of each leaf by name, all of one shape (periods x areas), in the units of the indicators; scores have the unit
    of the normalisation. The score of a group is the mean (`aggregate`) of the components with a score, if all required components have
    one and their share of all its components is at least `min_available`. A score from fewer than all leaves is estimated and has no rank,
    unless `rank_partial`. Ranks are 1 + the number of ranked areas with a larger score (`best_first`), per period.
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


def enough(is_present: NDArray[np.bool_], nodes: Sequence[Node], rules: Rules) -> NDArray[np.bool_]:
    """Return for each area whether its present components (components x areas) are enough for a score."""
    is_share: NDArray[np.bool_] = is_present.mean(axis=0) >= rules.min_available - 1e-12
    return is_share & is_present.any(axis=0) & has_required(is_present, nodes)


def has_required(is_present: NDArray[np.bool_], nodes: Sequence[Node]) -> NDArray[np.bool_]:
    """Return for each area whether all required components (components x areas) are present."""
    required: NDArray[np.bool_] = np.array([[node.required] for node in nodes], dtype=np.bool_)
    has_all: NDArray[np.bool_] = np.logical_and.reduce(is_present | ~required, axis=0)
    return has_all


def normalised(values: Array, how: Normalisation, rules: Rules) -> Array:
    """Return the scores of a leaf's values (periods x areas), compared over all periods together if the index is pooled, else per period."""
    scores = np.full_like(values, np.nan)
    for rows in _compared(values, rules):
        scores[rows] = normalise(values[rows], how)
    return scores


def _compared(values: Array, rules: Rules) -> list[slice]:
    periods = values.shape[0]
    return [slice(0, periods)] if rules.pooled else [slice(t, t + 1) for t in range(periods)]


def _leaf(node: Node, parent: Node | None, values: Values, rules: Rules) -> Scores:
    """Impute, treat and normalise a leaf: over all periods together if the index is pooled, else period by period."""
    filled = values.raw.copy()
    for rows in _compared(values.raw, rules):
        for step in rules.steps:
            # outliers do not stretch a scale with fixed bounds, and the bounds are those of untreated values
            if step == TREAT and rules.treatment is not None and not node.normalisation.bounds:
                filled[rows] = treat(filled[rows], **rules.treatment)  # type: ignore[arg-type]
            if step == IMPUTE and rules.imputation in ("mean", "median", "group_mean", "group_median"):
                for t in range(rows.start, rows.stop):
                    filled[t] = rules.of_valid_areas(impute(filled[t], rules.imputation, rules.groups_of(filled.shape[1])), t)
    scores = normalised(filled, node.normalisation, rules)
    imputed = np.isnan(values.raw) & ~np.isnan(filled)
    status = np.where(imputed, IMPUTED, values.status)
    status = np.where(~np.isnan(filled) & np.isnan(scores), UNDEFINED, status).astype(np.int8)
    is_present = ~np.isnan(scores)
    available, ranks = is_present.astype(np.int64), np.full_like(scores, np.nan)
    return Scores(node, parent, values.raw, filled, scores, status, imputed & is_present, ~is_present, available, 1, ranks)


def _group(node: Node, parent: Node | None, parts: list[Scores], rules: Rules) -> Scores:
    weights = np.array([child.weight for child in node.children])
    shape = parts[0].score.shape
    scores, status = np.full(shape, np.nan), np.zeros(shape, dtype=np.int8)
    imputed = np.zeros(shape, dtype=np.bool_)
    partial = np.any([p.partial for p in parts], axis=0)
    for t in range(shape[0]):
        children = np.array([p.score[t] for p in parts])
        codes = np.array([p.status[t] for p in parts])
        is_present = ~np.isnan(children)
        is_enough = enough(is_present, node.children, rules)
        scores[t] = np.where(is_enough, aggregate(children, weights, node.aggregate), np.nan)
        same = codes.min(axis=0) == codes.max(axis=0)
        worst = np.where(is_present, codes, -1).max(axis=0)
        worst = np.where(partial[t], np.maximum(worst, ESTIMATED), worst)
        reason = np.where(has_required(is_present, node.children), TOO_FEW, MISSING)
        reason = np.where(is_present.any(axis=0) | ~same, reason, codes.max(axis=0))
        status[t] = np.where(is_enough, np.where(np.isnan(scores[t]), UNDEFINED, worst), reason)
        if parent is not None:
            filled = rules.fill_components(scores[t], t)
            imputed[t] = np.isnan(scores[t]) & ~np.isnan(filled)
            scores[t], status[t] = filled, np.where(imputed[t], IMPUTED, status[t])
    partial = partial & ~imputed
    empty = np.full(shape, np.nan)
    available = np.sum([p.available for p in parts], axis=0)
    is_ranked = np.ones(shape, dtype=np.bool_) if rules.rank_partial else ~partial
    ranks = np.array([best_first(row) for row in np.where(is_ranked, scores, np.nan)]).reshape(shape)
    return Scores(node, parent, empty, empty, scores, status, imputed, partial, available, sum(p.expected for p in parts), ranks)
