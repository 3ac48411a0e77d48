"""A whole index from its leaves to the root: availability, statuses, imputation, pooled bounds."""

from __future__ import annotations

import numpy as np

from pipelines.methods.index import STATUSES, Node, Rules, Scores, Values, score
from pipelines.methods.normalise import Normalisation

NAN = float("nan")
PLAIN = Normalisation(bounds=(0, 1), scale=(0, 1))
ROOT = Node(
    "all", 1, (Node("one", 1, (Node("a", 1, normalisation=PLAIN), Node("b", 3, normalisation=PLAIN))), Node("c", 1, normalisation=PLAIN))
)


def leaf(*cells: float | str) -> Values:
    raw = [c if not isinstance(c, str) else NAN for c in cells]
    codes = [STATUSES.index(c) if isinstance(c, str) else 0 for c in cells]
    return Values(np.array([raw], dtype=float), np.array([codes], dtype=np.int8))


def scored(leaves: dict[str, Values], rules: Rules, root: Node = ROOT) -> dict[str, Scores]:
    return {s.node.name: s for s in score(root, leaves, rules)}


def statuses(scores: Scores) -> str:
    return "".join(STATUSES[c] for c in scores.status[0])


def test_a_node_needs_its_share_of_components_by_count_and_says_why_it_has_no_score() -> None:
    leaves = {"a": leaf(0.2, "M", "M", "M"), "b": leaf(0.4, 0.5, "M", "Q"), "c": leaf(1.0, 0.5, 0.5, "O")}
    half = scored(leaves, Rules(min_available=0.5))
    np.testing.assert_allclose(half["one"].score[0], [0.35, 0.5, NAN, NAN])
    assert statuses(half["one"]) == "AAML"  # nothing there and one reason: that reason; else coverage is too low
    np.testing.assert_allclose(half["all"].score[0], [0.675, 0.5, 0.5, NAN])
    assert half["all"].available[0].tolist() == [3, 2, 1, 0]
    assert half["all"].expected == 3
    full = scored(leaves, Rules(min_available=1.0))
    np.testing.assert_allclose(full["all"].score[0], [0.675, NAN, NAN, NAN])
    assert statuses(full["one"]) == "ALML"
    assert statuses(full["all"]) == "ALLL"


def test_the_weightiest_status_of_what_is_there_stands() -> None:
    broken = Values(np.array([[0.5, 0.5]]), np.array([[STATUSES.index("B"), STATUSES.index("P")]], dtype=np.int8))
    result = scored({"a": leaf(0.5, 0.5), "b": broken, "c": leaf(0.5, 0.5)}, Rules(min_available=0.6))
    assert statuses(result["all"]) == "BP"


def test_an_indicator_that_does_not_vary_is_missing_as_not_defined() -> None:
    root = Node("all", 1, (Node("a", 1), Node("b", 1)))
    result = scored({"a": leaf(5.0, 5.0), "b": leaf(1.0, 2.0)}, Rules(min_available=0.5), root)
    assert statuses(result["a"]) == "ZZ"
    np.testing.assert_allclose(result["all"].score[0], [0, 100])
    np.testing.assert_array_equal(result["all"].rank[0], [2, 1])


def test_a_gap_filled_before_normalising_counts_as_there_and_carries_i() -> None:
    root = Node("all", 1, (Node("a", 1), Node("b", 1)))
    rules = Rules(min_available=1.0, imputation="mean")
    result = scored({"a": leaf(0.0, 10.0, "M"), "b": leaf(1.0, 2.0, 3.0)}, rules, root)
    assert statuses(result["all"]) == "AAI"
    np.testing.assert_allclose(result["all"].score[0], [0, 75, 75])
    assert result["a"].imputed[0].tolist() == [False, False, True]
    assert np.isnan(result["a"].raw[0, 2])
    assert result["a"].treated[0, 2] == 5


def test_a_missing_component_takes_the_mean_of_its_group() -> None:
    groups = np.array([0, 0, 1])
    leaves = {"a": leaf(0.2, "M", "M"), "b": leaf(0.2, "M", "M"), "c": leaf(0.4, 0.4, 0.4)}
    result = scored(leaves, Rules(min_available=0.6, imputation="component_group_mean", groups=groups))
    np.testing.assert_allclose(result["one"].score[0], [0.2, 0.2, NAN])
    assert statuses(result["one"]) == "AIM"
    assert statuses(result["all"]) == "AIL"


def test_pooled_bounds_make_scores_of_different_periods_comparable() -> None:
    root = Node("all", 1, (Node("a", 1),))
    values = {"a": Values(np.array([[0.0, 5.0], [5.0, 10.0]]), np.zeros((2, 2), dtype=np.int8))}
    apart, pooled = (score(root, values, Rules(min_available=0.6, pooled=p))[-1].score for p in (False, True))
    np.testing.assert_allclose(apart, [[0, 100], [0, 100]])
    np.testing.assert_allclose(pooled, [[0, 50], [50, 100]])
