"""A whole index from its leaves to the root: availability, statuses, imputation, pooled bounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipelines.statistics.index import STATUSES, Node, Rules, Scores, Values, score
from pipelines.statistics.normalise import Normalisation

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


class TestIndexScore:
    def test_min_available_and_reasons(self) -> None:
        leaves = {"a": leaf(0.2, "M", "M", "M"), "b": leaf(0.4, 0.5, "M", "Q"), "c": leaf(1.0, 0.5, 0.5, "O")}
        half = scored(leaves, Rules(min_available=0.5))
        np.testing.assert_allclose(half["one"].score[0], [0.35, 0.5, NAN, NAN])
        assert statuses(half["one"]) == "AEML"  # nothing there and one reason: that reason; else coverage is too low
        np.testing.assert_allclose(half["all"].score[0], [0.675, 0.5, 0.5, NAN])
        assert statuses(half["all"]) == "AEEL"
        assert half["all"].available[0].tolist() == [3, 2, 1, 0]
        assert half["all"].expected == 3
        full = scored(leaves, Rules(min_available=1.0))
        np.testing.assert_allclose(full["all"].score[0], [0.675, NAN, NAN, NAN])
        assert statuses(full["one"]) == "ALML"
        assert statuses(full["all"]) == "ALLL"

    def test_status_with_the_highest_rank_stands(self) -> None:
        broken = Values(np.array([[0.5, 0.5]]), np.array([[STATUSES.index("B"), STATUSES.index("P")]], dtype=np.int8))
        result = scored({"a": leaf(0.5, 0.5), "b": broken, "c": leaf(0.5, 0.5)}, Rules(min_available=0.6))
        assert statuses(result["all"]) == "BP"

    def test_constant_indicator_is_undefined(self) -> None:
        root = Node("all", 1, (Node("a", 1), Node("b", 1)))
        result = scored({"a": leaf(5.0, 5.0), "b": leaf(1.0, 2.0)}, Rules(min_available=0.5), root)
        assert statuses(result["a"]) == "ZZ"
        np.testing.assert_allclose(result["all"].score[0], [0, 100])
        assert statuses(result["all"]) == "EE"
        assert np.isnan(result["all"].rank[0]).all()
        ranked = scored({"a": leaf(5.0, 5.0), "b": leaf(1.0, 2.0)}, Rules(min_available=0.5, rank_partial=True), root)
        np.testing.assert_array_equal(ranked["all"].rank[0], [2, 1])

    def test_imputed_before_normalising_has_status_i(self) -> None:
        root = Node("all", 1, (Node("a", 1), Node("b", 1)))
        rules = Rules(min_available=1.0, imputation="mean")
        result = scored({"a": leaf(0.0, 10.0, "M"), "b": leaf(1.0, 2.0, 3.0)}, rules, root)
        assert statuses(result["all"]) == "AAI"
        np.testing.assert_allclose(result["all"].score[0], [0, 75, 75])
        assert result["a"].imputed[0].tolist() == [False, False, True]
        assert np.isnan(result["a"].raw[0, 2])
        assert result["a"].treated[0, 2] == 5

    def test_component_group_mean(self) -> None:
        groups = np.array([0, 0, 1])
        leaves = {"a": leaf(0.2, "M", "M"), "b": leaf(0.2, "M", "M"), "c": leaf(0.4, 0.4, 0.4)}
        result = scored(leaves, Rules(min_available=0.6, imputation="component_group_mean", groups=groups))
        np.testing.assert_allclose(result["one"].score[0], [0.2, 0.2, NAN])
        assert statuses(result["one"]) == "AIM"
        assert statuses(result["all"]) == "AIL"

    def test_imputes_nothing_for_invalid_areas(self) -> None:
        """The third area is valid in the second period only: in the first it counts in no mean, no bound and no rank."""
        valid = np.array([[True, True, False], [True, True, True]])
        root = Node("all", 1, (Node("one", 1, (Node("a", 1), Node("b", 1))), Node("c", 1)))
        values = {
            name: Values(np.array([[0.0, 10.0, NAN], [0.0, 10.0, last]]), np.zeros((2, 3), dtype=np.int8))
            for name, last in (("a", 20.0), ("b", 20.0), ("c", NAN))
        }
        for imputation in ("mean", "median", "group_mean", "group_median", "component_group_mean"):
            rules = Rules(min_available=1.0, imputation=imputation, groups=np.zeros(3, dtype=int), valid=valid)
            result = {s.node.name: s for s in score(root, values, rules)}
            assert result["all"].rank[0].tolist()[:2] == [2, 1]
            assert all(np.isnan(result[name].score[0, 2]) for name in ("a", "one", "c", "all"))
            assert not result["one"].imputed[0].any()
        assert rules.at(0).groups_of(2).tolist() == [0, 0]

    def test_pooled_bounds(self) -> None:
        root = Node("all", 1, (Node("a", 1),))
        values = {"a": Values(np.array([[0.0, 5.0], [5.0, 10.0]]), np.zeros((2, 2), dtype=np.int8))}
        apart, pooled = (score(root, values, Rules(min_available=0.6, pooled=p))[-1].score for p in (False, True))
        np.testing.assert_allclose(apart, [[0, 100], [0, 100]])
        np.testing.assert_allclose(pooled, [[0, 50], [50, 100]])

    def test_three_areas_by_hand(self) -> None:
        """Treatment aside, every step: direction, scale, weights, a gap, the mean of two components, ranks with a tie."""
        green = Node("green", 2, (Node("waste", 1, normalisation=Normalisation(direction="lower_better")), Node("land", 3)))
        root = Node("all", 1, (green, Node("income", 1, normalisation=Normalisation(bounds=(10, 30), clip=True))))
        leaves = {"waste": leaf(100.0, 200.0, 300.0), "land": leaf(0.0, "M", 8.0), "income": leaf(20.0, 35.0, 10.0)}
        result = scored(leaves, Rules(min_available=0.5), root)
        np.testing.assert_allclose(result["waste"].score[0], [100, 50, 0])
        np.testing.assert_allclose(result["land"].score[0], [0, NAN, 100])
        np.testing.assert_allclose(result["income"].score[0], [50, 100, 0])
        # 1/4 * 100 + 3/4 * 0; waste alone; 1/4 * 0 + 3/4 * 100
        np.testing.assert_allclose(result["green"].score[0], [25, 50, 75])
        # 2/3 of green, 1/3 of income: 50/3 + 50/3, 100/3 + 100/3, 50 + 0
        np.testing.assert_allclose(result["all"].score[0], [100 / 3, 200 / 3, 50])
        # the second area has no figure for land: its score is an estimate and has no rank
        assert statuses(result["all"]) == "AEA"
        np.testing.assert_array_equal(result["all"].rank[0], [2, NAN, 1])
        ranked = scored(leaves, Rules(min_available=0.5, rank_partial=True), root)
        assert ranked["all"].rank[0].tolist() == [3, 1, 2]
        assert result["all"].available[0].tolist() == [3, 2, 3]

    def test_ties_and_missing_ranks(self) -> None:
        root = Node("all", 1, (Node("a", 1, normalisation=PLAIN),))
        result = scored({"a": leaf(0.5, 0.7, 0.5, "M", 0.1)}, Rules(min_available=0.6), root)
        np.testing.assert_array_equal(result["all"].rank[0], [2, 1, 2, NAN, 4])

    def test_min_available_is_inclusive(self) -> None:
        leaves = {name: leaf(0.5, 0.5) for name in "abc"} | {name: leaf("M", 0.5) for name in "de"}
        root = Node("all", 1, tuple(Node(name, 1, normalisation=PLAIN) for name in "abcde"))
        # 3 of 5
        np.testing.assert_allclose(scored(leaves, Rules(min_available=0.6), root)["all"].score[0], [0.5, 0.5])
        np.testing.assert_allclose(scored(leaves, Rules(min_available=0.61), root)["all"].score[0], [NAN, 0.5])

    def test_bounds_apply_to_untreated_values(self) -> None:
        values = [1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 30, 100]
        root = Node("all", 1, (Node("free", 1), Node("bound", 1, normalisation=Normalisation(bounds=(0, 100)))))
        rules = Rules(min_available=1.0, treatment={"max_points": 5, "max_skewness": 2.0, "max_kurtosis": 3.5})
        result = scored({"free": leaf(*values), "bound": leaf(*values)}, rules, root)
        assert result["free"].treated[0, -2:].tolist() == [30, 30]
        assert result["free"].score[0, -1] == 100
        assert result["bound"].treated[0, -1] == result["bound"].score[0, -1] == 100
        assert result["bound"].score[0, 4] == 5

    def test_required_components(self) -> None:
        a, b, c = (Node(name, 1, normalisation=PLAIN, required=name in "ab") for name in "abc")
        root = Node("all", 1, (Node("one", 1, (a, b)), replace(c, required=True)))
        leaves = {"a": leaf(0.2, "M", 0.2, "O"), "b": leaf(0.4, 0.4, 0.4, "O"), "c": leaf(1.0, 1.0, "M", "O")}
        result = scored(leaves, Rules(min_available=0.1, rank_partial=True), root)
        assert statuses(result["one"]) == "AMAO"
        np.testing.assert_allclose(result["all"].score[0], [0.65, 1.0, NAN, NAN])
        assert statuses(result["all"]) == "AEMO"
        np.testing.assert_array_equal(result["all"].rank[0], [2, 1, NAN, NAN])

    def test_imputed_component_stands_for_its_leaves(self) -> None:
        leaves = {"a": leaf(0.2, "M"), "b": leaf(0.4, "M"), "c": leaf(1.0, 1.0)}
        result = scored(leaves, Rules(min_available=0.6, imputation="component_group_mean"))
        assert statuses(result["all"]) == "AI"
        np.testing.assert_array_equal(result["all"].rank[0], [1, 1])

    def test_imputes_before_treating_unless_the_steps_say_otherwise(self) -> None:
        values = [1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 30, 100]
        root, limits = Node("all", 1, (Node("a", 1),)), {"max_points": 5, "max_skewness": 2.0, "max_kurtosis": 3.5}
        default = Rules(min_available=1.0, treatment=limits, imputation="mean")
        # 185 over 12, and not the mean of the values in which 100 has become 30
        assert scored({"a": leaf(*values, "M")}, default, root)["a"].treated[0, -2:].tolist() == [30, 185 / 12]
        treat_first = replace(default, steps=("treat", "impute"))
        assert scored({"a": leaf(*values, "M")}, treat_first, root)["a"].treated[0, -1] == 115 / 12
