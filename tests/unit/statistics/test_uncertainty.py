"""Uncertainty of ranks: replicates against the index computed anew one by one, intervals by hand, and laws that they obey."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.statistics import index, uncertainty
from pipelines.statistics.index import Node, Rules, Values
from pipelines.statistics.normalise import Normalisation
from pipelines.statistics.uncertainty import rank_interval, rank_rows

NAN = float("nan")


def tree(how: str = "arithmetic", top: str = "arithmetic") -> Node:
    def leaf(name: str, weight: float = 1.0, **more: object) -> Node:
        return Node(name, weight, normalisation=Normalisation(**more))  # type: ignore[arg-type]

    green = Node("green", 2.0, (leaf("a", 3.0), leaf("b", 1.0, direction="lower_better"), leaf("c", 0.0)), how)
    fair = Node("fair", 1.0, (leaf("d", bounds=(0.0, 20.0)),), "arithmetic")
    return Node("all", 1.0, (green, fair, leaf("e", 0.5)), top)


def requiring(node: Node, names: set[str]) -> Node:
    """Return the tree with the nodes of these names required."""
    return replace(node, required=node.name in names, children=tuple(requiring(child, names) for child in node.children))


def random_values(seed: int, areas: int, gaps: float) -> dict[str, Values]:
    generator = np.random.default_rng(seed)
    leaves = {}
    for name in "abcde":
        raw = generator.integers(0, 15, (1, areas)).astype(float)  # few values: many ties
        raw[generator.random((1, areas)) < gaps] = np.nan
        leaves[name] = Values(raw, np.where(np.isnan(raw), index.STATUSES.index("M"), 0).astype(np.int8))
    return leaves


def scores_of(root: Node, leaves: dict[str, Values], rules: Rules) -> list[index.Scores]:
    return index.score(root, leaves, rules)


def one_by_one(root: Node, leaves: dict[str, Values], rules: Rules, choices: uncertainty.Choices, methods: list[str], r: int) -> np.ndarray:
    """Return the ranks of one replicate, from the index declared that way."""
    names = [leaf.name for leaf in index.leaves_of(root)]
    gone = names[choices.left_out[r]] if choices.left_out[r] >= 0 else None

    def changed(node: Node, weight: float) -> Node | None:
        if not node.children:
            how = node.normalisation
            if choices.normalisation[r]:
                method = methods[choices.normalisation[r]]
                how = replace(how, method=method, scale=uncertainty.SCALES.get(method), clip=False, reference=None)
            return None if node.name == gone else Node(node.name, weight, normalisation=how, required=node.required)
        parts = [changed(c, w) for c, w in zip(node.children, choices.weights[node.name][r], strict=True)]
        left = tuple(p for p in parts if p is not None)
        return Node(node.name, weight, left, node.aggregate, required=node.required) if left else None

    again = changed(root, 1.0)
    assert again is not None
    return np.nan_to_num(scores_of(again, leaves, rules)[-1].rank[0]).astype(int)


class TestRankRows:
    def test_ties_and_ninth_decimal(self) -> None:
        scores = np.array([[3.0, 1.0, 3.0 + 4e-10, np.nan, 2.0], [np.nan, 1.0, 1.0, 1.0, 1.0]])
        assert rank_rows(scores).tolist() == [[1, 4, 1, 0, 3], [0, 1, 1, 1, 1]]


class TestRankInterval:
    def test_rounds_percentiles_outwards(self) -> None:
        # ranks 1 to 21: the 5th percentile is at 0.05 * 20 = 1, the value 2; the 95th at 19, the value 20
        ranks = np.arange(1, 22, dtype=np.int32)[::-1, np.newaxis]
        assert [end.tolist() for end in rank_interval(ranks, np.array([5.0]))] == [[2], [20]]
        # ranks 1 to 4: at 0.15 and 2.85, between 1 and 2 and between 3 and 4
        assert [end.tolist() for end in rank_interval(ranks[-4:], np.array([2.0]))] == [[1], [4]]

    def test_includes_the_rank(self) -> None:
        ranks = np.array([[3, 0, 0], [3, 7, 0], [3, 0, 0]], dtype=np.int32)
        low, high = rank_interval(ranks, np.array([1.0, 9.0, 4.0]))
        assert (low.tolist(), high.tolist()) == ([1, 7, 4], [3, 9, 4])
        assert np.isnan(rank_interval(ranks, np.full(3, np.nan))[0]).all()


class TestRankIntervalShare:
    def test_median_width_over_ranked_areas(self) -> None:
        low, high = np.array([1.0, 1, 2, NAN]), np.array([2.0, 4, 3, NAN])
        assert uncertainty.rank_interval_share(low, high) == 1 / 3
        assert np.isnan(uncertainty.rank_interval_share(low[3:], high[3:]))


class TestReplicates:
    @settings(max_examples=25, deadline=None)
    @given(
        st.integers(0, 10_000),
        st.sampled_from([0.0, 0.3]),
        st.sampled_from(["arithmetic", "geometric", "harmonic"]),
        st.sampled_from(["arithmetic", "geometric"]),
        st.sampled_from([0.0, 0.6, 1.0]),
        st.sampled_from([None, "component_group_mean"]),
        st.sets(st.sampled_from(["a", "b", "d", "e", "green", "fair"])),
    )
    def test_equal_the_index_with_those_choices(
        self, seed: int, gaps: float, how: str, top: str, min_available: float, imputation: str | None, required: set[str]
    ) -> None:
        root, leaves = requiring(tree(how, top), required), random_values(seed, 12, gaps)
        rules = Rules(min_available=min_available, imputation=imputation, groups=np.arange(12) % 2, rank_partial=True)
        methods = uncertainty.alternatives("minmax")
        tables = [t[:, 0] for t in uncertainty.leaf_tables(scores_of(root, leaves, rules), methods, rules)]
        vary = ["weights", "normalisation", "leave_one_out"]
        choices = uncertainty.draw(root, 30, vary, len(methods), np.random.Generator(np.random.PCG64(seed)))
        result = uncertainty.replicate_ranks(root, tables, choices, rules, {"all": np.ones(12, dtype=np.bool_)})["all"]
        for r in range(30):
            np.testing.assert_array_equal(result[r], one_by_one(root, leaves, rules, choices, methods, r))

    def test_rank_the_areas_that_have_a_rank(self) -> None:
        """The first area lacks an indicator. A replicate without that indicator does not rank it either."""
        root, leaves, rules = tree(), random_values(3, 6, 0.0), Rules(min_available=0.6)
        leaves["a"].raw[0, 0] = np.nan
        scores = scores_of(root, leaves, rules)
        is_ranked = ~np.isnan(scores[-1].rank[0])
        assert is_ranked.tolist() == [False, True, True, True, True, True]
        choices = uncertainty.draw(root, 50, ["leave_one_out"], 1, np.random.Generator(np.random.PCG64(1)))
        table = np.array([s.score[0] for s in scores if not s.node.children])
        ranks = uncertainty.replicate_ranks(root, [table], choices, rules, {"all": is_ranked})["all"]
        assert (choices.left_out == 0).any()
        assert (ranks[:, 0] == 0).all()
        assert ranks.max() == 5

    def test_weights_vary_around_declared_ones(self) -> None:
        choices = uncertainty.draw(tree(), 20_000, ["weights"], 1, np.random.Generator(np.random.PCG64(7)))
        green = choices.weights["green"]
        np.testing.assert_allclose(green.sum(axis=1), 1)
        np.testing.assert_allclose(green.mean(axis=0), [0.75, 0.25, 0.0], atol=0.002)
        # Dirichlet(50 w): variance w (1 - w) / (50 + 1)
        np.testing.assert_allclose(green.std(axis=0), [np.sqrt(0.75 * 0.25 / 51), np.sqrt(0.25 * 0.75 / 51), 0], atol=0.002)
        assert (choices.normalisation == 0).all()
        assert (choices.left_out == uncertainty.NOBODY).all()

    def test_leave_out_one_leaf_or_none(self) -> None:
        choices = uncertainty.draw(tree(), 12_000, ["leave_one_out", "normalisation"], 3, np.random.Generator(np.random.PCG64(7)))
        values, counts = np.unique(choices.left_out, return_counts=True)
        assert values.tolist() == [-1, 0, 1, 2, 3, 4]
        np.testing.assert_allclose(counts / 12_000, 1 / 6, atol=0.02)
        assert np.unique(choices.normalisation).tolist() == [0, 1, 2]
        np.testing.assert_allclose(choices.weights["green"][5], [0.75, 0.25, 0])

    @settings(max_examples=20, deadline=None)
    @given(st.integers(0, 1000), st.permutations(range(9)))
    def test_order_of_areas_and_seed(self, seed: int, order: list[int]) -> None:
        root, leaves, rules = tree(), random_values(seed, 9, 0.2), Rules(min_available=0.6)
        methods = uncertainty.alternatives("minmax")

        def intervals(values: dict[str, Values]) -> tuple[np.ndarray, np.ndarray]:
            scores = scores_of(root, values, rules)
            tables = [t[:, 0] for t in uncertainty.leaf_tables(scores, methods, rules)]
            choices = uncertainty.draw(root, 80, ["weights", "normalisation"], 3, np.random.Generator(np.random.PCG64(seed)))
            rank = scores[-1].rank[0]
            inside = ~np.isnan(rank)
            low, high = rank_interval(uncertainty.replicate_ranks(root, tables, choices, rules, {"all": inside})["all"], rank)
            assert (low[inside] <= rank[inside]).all()
            assert (rank[inside] <= high[inside]).all()
            return low, high

        shuffled = {name: Values(v.raw[:, order], v.status[:, order]) for name, v in leaves.items()}
        for here, is_present in zip(intervals(leaves), intervals(shuffled), strict=True):
            np.testing.assert_array_equal(here[order], is_present)

    def test_single_leaf_and_no_choices(self) -> None:
        root = Node("all", 1.0, (Node("a", 1.0),))
        leaves, rules = random_values(1, 6, 0.0), Rules(min_available=0.6)
        scores = scores_of(root, leaves, rules)
        choices = uncertainty.draw(root, 10, ["weights", "leave_one_out"], 1, np.random.Generator(np.random.PCG64(1)))
        ranks = uncertainty.replicate_ranks(root, [scores[0].score], choices, rules, {"all": ~np.isnan(scores[-1].rank[0])})["all"]
        low, high = rank_interval(ranks, scores[-1].rank[0])
        assert low.tolist() == high.tolist() == scores[-1].rank[0].tolist()

    def test_unknown_choice(self) -> None:
        choices = uncertainty.draw(tree(), 1, [], 1, np.random.Generator(np.random.PCG64(1)))
        with pytest.raises(ValueError, match="no such choice: luck"):
            choices.with_("luck", choices)
