"""What an index depends on: functions whose indices are known, a published alpha, and ranks without a component by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.statistics import sensitivity
from pipelines.statistics.index import Node, Rules

NAN = float("nan")
ALL = np.ones(3, dtype=np.bool_)
"""All three areas have a rank."""


class TestSobol:
    def test_sum(self) -> None:
        # y = 3 x1 + x2 with independent uniforms: variances 9/12 and 1/12, no interaction
        generator = np.random.Generator(np.random.PCG64(3))
        a, b = generator.random((2, 200_000)), generator.random((2, 200_000))

        def y(x: np.ndarray) -> np.ndarray:
            return 3 * x[0] + x[1]

        for i, share in ((0, 0.9), (1, 0.1)):
            mixed = a.copy()
            mixed[i] = b[i]
            first, total = sensitivity.sobol(y(a), y(b), y(mixed))
            assert first == pytest.approx(share, abs=0.01)
            assert total == pytest.approx(share, abs=0.01)

    def test_ishigami_function(self) -> None:
        """sin x1 + 7 sin^2 x2 + 0.1 x3^4 sin x1 on (-pi, pi): Ishigami and Homma (1990) give 0.3139, 0.4424, 0 and totals 0.5576, 0.4424, 0.2437."""
        generator = np.random.Generator(np.random.PCG64(4))
        a, b = (generator.uniform(-np.pi, np.pi, (3, 200_000)) for _ in range(2))

        def y(x: np.ndarray) -> np.ndarray:
            return np.sin(x[0]) + 7 * np.sin(x[1]) ** 2 + 0.1 * x[2] ** 4 * np.sin(x[0])

        for i, (own, all_) in enumerate([(0.3139, 0.5576), (0.4424, 0.4424), (0.0, 0.2437)]):
            mixed = a.copy()
            mixed[i] = b[i]
            assert sensitivity.sobol(y(a), y(b), y(mixed)) == (pytest.approx(own, abs=0.02), pytest.approx(all_, abs=0.02))

    def test_constant_output(self) -> None:
        assert np.isnan(sensitivity.sobol(np.ones(9), np.ones(9), np.ones(9))).all()


class TestComponents:
    def test_cronbach_alpha_by_hand(self) -> None:
        # items (1 2 3), (2 4 6): variances 1 and 4, sums 3 6 9 with variance 9; 2/1 * (1 - 5/9) = 8/9. The fourth area lacks an item
        items = np.array([[1.0, 2.0, 3.0, np.nan], [2.0, 4.0, 6.0, 5.0]])
        assert sensitivity.cronbach_alpha(items) == pytest.approx(8 / 9)
        # two items that say the opposite: the sum does not vary
        assert np.isnan(sensitivity.cronbach_alpha(np.array([[1.0, 2.0], [2.0, 1.0]])))
        assert np.isnan(sensitivity.cronbach_alpha(np.array([[1.0, 2.0, 3.0]])))
        # items that agree perfectly
        assert sensitivity.cronbach_alpha(np.array([[1.0, 2.0, 4.0]] * 3)) == pytest.approx(1)

    def test_correlation_and_effective_weight_by_hand(self) -> None:
        x, z = np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])
        # deviations -1 0 1 and -1 1 0: 1 / sqrt(2 * 2)
        assert sensitivity.correlation(x, z) == pytest.approx(0.5)
        assert np.isnan(sensitivity.correlation(x[:2], z[:2]))
        assert np.isnan(sensitivity.correlation(x, np.ones(3)))
        # y = (3 x + z) / 4: the shares of its variance sum to 1
        y = 0.75 * x + 0.25 * z
        shares = [sensitivity.effective_weight(x, y, 0.75), sensitivity.effective_weight(z, y, 0.25)]
        # cov(x, y) = 0.75 * 2 + 0.25 * 1 = 1.75, cov(z, y) = 0.75 * 1 + 0.25 * 2 = 1.25 (sums), var 0.75 * 1.75 + 0.25 * 1.25
        assert shares == [pytest.approx(0.75 * 1.75 / 1.625), pytest.approx(0.25 * 1.25 / 1.625)]
        assert sum(shares) == pytest.approx(1)

    def test_shift_without_a_component(self) -> None:
        a, b, c = Node("a", 1.0), Node("b", 1.0), Node("c", 2.0)
        group = Node("group", 1.0, (a, b))
        root = Node("root", 1.0, (group, c))
        scores = {
            id(a): np.array([0.0, 50.0, 100.0]),
            id(b): np.array([100.0, 0.0, 0.0]),
            id(c): np.array([50.0, 60.0, 40.0]),
        }
        scores[id(group)] = (scores[id(a)] + scores[id(b)]) / 2  # 50 25 50
        scores[id(root)] = (scores[id(group)] + 2 * scores[id(c)]) / 3  # 50, 48.3, 43.3: ranks 1 2 3
        # without a the group is b: (100 + 100)/3, (0 + 120)/3, (0 + 80)/3: still 1 2 3
        assert sensitivity.shift_without(root, a, scores, Rules(0.6), ALL) == 0
        # without b: (0 + 100)/3, (50 + 120)/3, (100 + 80)/3: ranks 3 2 1, so 2 + 0 + 2 over three
        assert sensitivity.shift_without(root, b, scores, Rules(0.6), ALL) == pytest.approx(4 / 3)
        # without c the group alone: 50 25 50, ranks 1 3 1: 0 + 1 + 2
        assert sensitivity.shift_without(root, c, scores, Rules(0.6), ALL) == pytest.approx(1)
        # without the group c alone: ranks 2 1 3: 1 + 1 + 0
        assert sensitivity.shift_without(root, group, scores, Rules(0.6), ALL) == pytest.approx(2 / 3)
        assert np.isnan(sensitivity.shift_without(Node("r", 1.0, (a,)), a, {**scores}, Rules(0.6), ALL))

    def test_shift_counts_ranked_areas_without_required_components(self) -> None:
        a, b = Node("a", 1.0, required=True), Node("b", 1.0)
        c = Node("c", 1.0)
        root = Node("root", 1.0, (a, b, c))
        scores = {id(a): np.array([1.0, 2, NAN]), id(b): np.array([4.0, 1, 9]), id(c): np.array([0.0, 0, 0])}
        scores[id(root)] = np.array([5 / 3, 1, NAN])
        ranked = np.array([True, True, False])
        # without a, which nothing requires any more: 2 and 0.5 (and 4.5, without a rank); without b: 0.5 and 1
        assert sensitivity.shift_without(root, a, scores, Rules(0.3), ranked) == 0
        assert sensitivity.shift_without(root, b, scores, Rules(0.3), ranked) == 1

    def test_mean_rank_shift(self) -> None:
        ranks = np.array([[1, 2, 3], [3, 0, 1], [0, 0, 2]], dtype=np.int32)
        result = sensitivity.mean_rank_shift(ranks, np.array([1.0, 2.0, np.nan]))
        assert result[:2].tolist() == [0, 2]
        assert np.isnan(result[2])

    def test_shift_with_imputed_components(self) -> None:
        """Without `a` the component `one` of the third area has nothing, and takes the mean 20 of the two others."""
        a, b, c = Node("a", 1.0), Node("b", 1.0), Node("c", 1.0)
        one = Node("one", 1.0, (a, b))
        root = Node("all", 1.0, (one, c))
        scores = {
            id(a): np.array([0.0, 0.0, 90.0]), id(b): np.array([10.0, 30.0, np.nan]), id(c): np.array([40.0, 50.0, 47.0]),
            id(one): np.array([5.0, 15.0, 90.0]), id(root): np.array([22.5, 32.5, 68.5]),
        }  # fmt: skip
        imputing = Rules(0.5, imputation="component_group_mean")
        # before: 3, 2, 1; after: (10 + 40) / 2, (30 + 50) / 2, (20 + 47) / 2 = 25, 40, 33.5, ranks 3, 1, 2
        assert sensitivity.shift_without(root, a, scores, imputing, ALL) == pytest.approx(2 / 3)
        # with nothing in its place `c` alone stands for the third area: 25, 40, 47, ranks as before
        assert sensitivity.shift_without(root, a, scores, Rules(0.5), ALL) == 0
