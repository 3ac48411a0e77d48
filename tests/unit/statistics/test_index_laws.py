"""Laws of scores: what scale, origin and order of the values do to each normalisation, between which bounds means lie, what ranks tell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipelines.statistics.aggregate import aggregate
from pipelines.statistics.impute import impute
from pipelines.statistics.index import Node, Rules, Values, score
from pipelines.statistics.normalise import Normalisation, ascending_ranks, best_first, normalise
from pipelines.statistics.treat import kurtosis, skewness, treat

Array = NDArray[np.float64]
NAN = float("nan")

cells = st.one_of(st.integers(1, 40), st.none())
samples = (
    st.lists(cells, min_size=2, max_size=20)
    .map(lambda x: np.array([NAN if c is None else c for c in x], dtype=np.float64))
    .filter(lambda x: np.unique(x[~np.isnan(x)]).size > 1)
)
directions = st.sampled_from(["higher_better", "lower_better"])
seeds = st.integers(0, 2**32 - 1)
laws = settings(max_examples=30, deadline=None)
FREE_OF_UNIT_AND_ORIGIN = ["minmax", "zscore", "rank", "borda", "percentile", "distance_to_reference"]
ALL = [*FREE_OF_UNIT_AND_ORIGIN, "distance_to_target", "fraction_of_max"]


def scored(x: Array, method: str, direction: str = "higher_better", target: float | None = None) -> Array:
    return normalise(x, Normalisation(method, direction, target=20.0 if target is None else target, reference=0))


class TestNormalisationLaws:
    @laws
    @given(samples, st.sampled_from(FREE_OF_UNIT_AND_ORIGIN), directions, st.sampled_from([0.001, 3.0, 1e5]), st.integers(-500, 500))
    def test_unit_and_origin_invariance(self, x: Array, method: str, direction: str, factor: float, shift: int) -> None:
        np.testing.assert_allclose(scored(factor * x + shift, method, direction), scored(x, method, direction), atol=1e-7)

    @laws
    @given(samples, directions, st.sampled_from([0.001, 3.0, 1e5]))
    def test_unit_invariance_of_fractions_and_distances(self, x: Array, direction: str, factor: float) -> None:
        np.testing.assert_allclose(scored(factor * x, "fraction_of_max", direction), scored(x, "fraction_of_max", direction))
        np.testing.assert_allclose(
            scored(factor * x, "distance_to_target", target=factor * 20), scored(x, "distance_to_target", target=20), atol=1e-12
        )

    @laws
    @given(samples, st.sampled_from(ALL), directions, seeds)
    def test_order_of_values(self, x: Array, method: str, direction: str, seed: int) -> None:
        shuffle = np.r_[0, 1 + np.random.default_rng(seed).permutation(x.size - 1)]  # the reference stands first
        np.testing.assert_allclose(scored(x[shuffle], method, direction), scored(x, method, direction)[shuffle], rtol=1e-12, atol=1e-12)

    @laws
    @given(samples, st.sampled_from([m for m in ALL if m != "distance_to_target"]), directions)
    def test_monotonicity(self, x: Array, method: str, direction: str) -> None:
        scores = scored(x, method, direction)
        if np.isnan(scores).all():
            # the reference is missing, or the worst itself
            assert method == "distance_to_reference"
            return
        assert (np.isnan(scores) == np.isnan(x)).all()
        better = np.argsort(x if direction == "higher_better" else -x)[: np.sum(~np.isnan(x))]
        assert (np.diff(scores[better]) >= -1e-12).all()

    @laws
    @given(samples, directions)
    def test_extremes_define_the_scale(self, x: Array, direction: str) -> None:
        for method, largest in (("minmax", 100.0), ("distance_to_target", 1.0), ("fraction_of_max", 1.0)):
            scores = scored(x, method, direction)
            assert np.nanmin(scores) >= 0
            assert np.nanmax(scores) <= largest
        assert (np.nanmin(scored(x, "minmax", direction)), np.nanmax(scored(x, "minmax", direction))) == (0, 100)
        standard = scored(x, "zscore", direction)
        np.testing.assert_allclose([np.nanmean(standard), np.nanstd(standard, ddof=1)], [0, 1], atol=1e-12)
        np.testing.assert_array_equal(scored(x, "borda", direction), scored(x, "rank", direction) - 1)

    @laws
    @given(samples)
    def test_bounds_equal_to_the_extremes(self, x: Array) -> None:
        low, high = np.nanmin(x), np.nanmax(x)
        np.testing.assert_allclose(normalise(x, Normalisation(bounds=(low, high))), scored(x, "minmax"))
        np.testing.assert_allclose(normalise(x, Normalisation(bounds=(high, low))), scored(x, "minmax", "lower_better"), atol=1e-12)
        clipped = normalise(x, Normalisation(bounds=(10, 20), clip=True))
        np.testing.assert_array_equal(clipped, np.clip(normalise(x, Normalisation(bounds=(10, 20))), 0, 100))

    @laws
    @given(samples)
    def test_ranks_count_better_areas(self, x: Array) -> None:
        for i, (up, down) in enumerate(zip(ascending_ranks(x), best_first(x), strict=True)):
            if np.isnan(x[i]):
                assert np.isnan(up)
                assert np.isnan(down)
            else:
                assert up == 1 + (x < x[i]).sum()
                assert down == 1 + (x > x[i]).sum()

    def test_ranks_compare_nine_decimals(self) -> None:
        np.testing.assert_array_equal(best_first(np.array([1.0, 1.0 + 4e-10, 1.0 + 2e-9])), [2, 2, 1])


tables = st.lists(st.lists(st.integers(1, 99), min_size=3, max_size=3), min_size=1, max_size=6).map(lambda x: np.array(x, dtype=np.float64))


class TestAggregationLaws:
    @laws
    @given(tables, seeds, st.sampled_from([0.01, 7.0]))
    def test_order_of_means(self, scores: Array, seed: int, factor: float) -> None:
        generator = np.random.default_rng(seed)
        weights = generator.integers(1, 9, len(scores)).astype(np.float64)
        gaps = generator.random(scores.shape) < 0.2
        scores = np.where(gaps, NAN, scores)
        h, g, a = (aggregate(scores, weights, how) for how in ("harmonic", "geometric", "arithmetic"))
        is_present = ~gaps.all(axis=0)
        assert (np.isnan(a) == ~is_present).all()
        low, high = np.where(gaps, np.inf, scores).min(axis=0)[is_present], np.where(gaps, -np.inf, scores).max(axis=0)[is_present]
        for smaller, larger in (
            (low, h[is_present]),
            (h[is_present], g[is_present]),
            (g[is_present], a[is_present]),
            (a[is_present], high),
        ):
            assert (smaller <= larger + 1e-9).all()
        for how, was in zip(("harmonic", "geometric", "arithmetic"), (h, g, a), strict=True):
            np.testing.assert_allclose(aggregate(scores, factor * weights, how), was)  # weights are relative
            np.testing.assert_allclose(aggregate(factor * scores, weights, how), factor * was)  # scores carry their unit
            order = generator.permutation(len(scores))
            np.testing.assert_allclose(aggregate(scores[order], weights[order], how), was)


class TestImputationLaws:
    @laws
    @given(samples, seeds, st.sampled_from([0.01, 3.0]), st.integers(-100, 100))
    def test_imputed_values_are_within_their_group(self, x: Array, seed: int, factor: float, shift: int) -> None:
        groups = np.random.default_rng(seed).integers(-1, 3, x.size)
        for method in ("mean", "median", "group_mean", "group_median"):
            filled = impute(x, method, groups)
            is_present = ~np.isnan(x)
            np.testing.assert_array_equal(filled[is_present], x[is_present])
            for i in np.flatnonzero(~is_present):
                others = x[is_present & (groups == groups[i])] if method.startswith("group_") else x[is_present]
                if (groups[i] < 0 and method.startswith("group_")) or not others.size:
                    assert np.isnan(filled[i])
                else:
                    assert others.min() <= filled[i] <= others.max()
            np.testing.assert_allclose(impute(factor * x + shift, method, groups), factor * filled + shift, atol=1e-9)


outlying = st.lists(st.integers(1, 30), min_size=8, max_size=40).flatmap(
    lambda x: st.lists(st.integers(-4000, 4000), max_size=4).map(lambda far: np.array(x + far, dtype=np.float64))
)


class TestTreatmentLaws:
    @laws
    @given(outlying, st.integers(0, 5), st.sampled_from([0.01, 3.0]), st.integers(-100, 100))
    def test_keeps_order_and_limits_changes(self, x: Array, points: int, factor: float, shift: int) -> None:
        treated = treat(x, max_points=points)
        order = np.argsort(x, kind="stable")
        assert (np.diff(treated[order]) >= -1e-12).all()
        wild = abs(skewness(x)) > 2 and kurtosis(x) > 3.5
        changed = (treated != x).sum()
        if not wild:
            assert changed == 0
        elif changed <= points and set(treated) <= set(x):
            assert not (abs(skewness(treated)) > 2 and kurtosis(treated) > 3.5)
        else:
            spread = x.max() - x.min()
            logs = np.log(x - x.min() + 0.01 * spread) if skewness(x) > 0 else -np.log(x.max() - x + 0.01 * spread)
            np.testing.assert_allclose(treated, logs)
        # in another unit and from another origin the same scores come out
        assume(np.unique(treated).size > 1)
        again = treat(factor * x + shift, max_points=points)
        np.testing.assert_allclose(scored(again, "minmax"), scored(treated, "minmax"), atol=1e-6)


class TestIndexLaws:
    @laws
    @given(
        st.integers(2, 12),
        seeds,
        st.sampled_from(["minmax", "zscore", "percentile"]),
        st.sampled_from(["arithmetic", "geometric", "harmonic"]),
    )
    def test_dominating_area_is_first(self, n: int, seed: int, method: str, how: str) -> None:
        generator = np.random.default_rng(seed)
        raw = {name: generator.permutation(n).astype(np.float64) for name in "abc"}
        for values in raw.values():
            values[0] = n + 1  # the first area
        scale = (100.0, 10.0) if method == "zscore" else (1.0, 2.0)
        leaf = Normalisation(method, scale=scale)
        root = Node(
            "all",
            1,
            (Node("ab", 2, (Node("a", 1, normalisation=leaf), Node("b", 3, normalisation=leaf)), how), Node("c", 1, normalisation=leaf)),
            how,
        )

        def result(order: NDArray[np.int64]) -> tuple[Array, Array]:
            leaves = {name: Values(v[order][np.newaxis], np.zeros((1, n), dtype=np.int8)) for name, v in raw.items()}
            last = score(root, leaves, Rules(min_available=1.0))[-1]
            return last.score[0], last.rank[0]

        scores, ranks = result(np.arange(n))
        assert ranks[0] == 1
        order = generator.permutation(n)
        np.testing.assert_allclose(result(order)[0], scores[order])
        np.testing.assert_array_equal(result(order)[1], ranks[order])

    @pytest.mark.parametrize("pooled", [False, True])
    def test_later_periods_matter_only_if_pooled(self, pooled: bool) -> None:
        leaf = Node("all", 1, (Node("a", 1),))
        first, second = [1.0, 2.0, 5.0], [2.0, 9.0, 3.0]

        def scores(*periods: list[float]) -> Array:
            values = {"a": Values(np.array(periods), np.zeros((len(periods), 3), dtype=np.int8))}
            return score(leaf, values, Rules(min_available=0.6, pooled=pooled))[-1].score

        alone, together = scores(first)[0], scores(first, second)[0]
        np.testing.assert_allclose(alone, [0, 25, 100])
        np.testing.assert_allclose(together, [0, 12.5, 50] if pooled else alone)
