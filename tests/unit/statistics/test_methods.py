"""The statistics of indices against numbers worked out by hand and by the formulas that spreadsheets use."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.statistics.aggregate import aggregate
from pipelines.statistics.impute import impute
from pipelines.statistics.normalise import Normalisation, best_first, normalise
from pipelines.statistics.treat import kurtosis, skewness, treat

NAN = float("nan")
FIVE = np.array([2.0, 4.0, NAN, 8.0, 10.0])


TIED = np.array([1.0, 2.0, 2.0, 5.0])


class TestNormalise:
    @pytest.mark.parametrize(
        ("how", "expected"),
        [
            (Normalisation("minmax"), [0, 25, NAN, 75, 100]),
            (Normalisation("minmax", "lower_better"), [100, 75, NAN, 25, 0]),
            (Normalisation("minmax", scale=(1, 2)), [1, 1.25, NAN, 1.75, 2]),
            (Normalisation("minmax", bounds=(4, 8)), [-50, 0, NAN, 100, 150]),
            (Normalisation("minmax", bounds=(4, 8), clip=True), [0, 0, NAN, 100, 100]),
            (Normalisation("minmax", "higher_better", bounds=(8, 4), clip=True), [100, 100, NAN, 0, 0]),
            (Normalisation("minmax", "target", target=8), [0, 100 / 3, NAN, 100, 200 / 3]),
            (Normalisation("rank"), [1, 2, NAN, 3, 4]),
            (Normalisation("borda", "lower_better"), [3, 2, NAN, 1, 0]),
            (Normalisation("percentile"), [0, 100 / 3, NAN, 200 / 3, 100]),
            (Normalisation("distance_to_target", target=10), [0, 0.25, NAN, 0.75, 1]),
            (Normalisation("distance_to_reference", reference=3), [0, 1 / 3, NAN, 1, 4 / 3]),
            (Normalisation("fraction_of_max"), [0.2, 0.4, NAN, 0.8, 1]),
            (Normalisation("fraction_of_max", "lower_better"), [1, 0.5, NAN, 0.25, 0.2]),
        ],
    )
    def test_formulas(self, how: Normalisation, expected: list[float]) -> None:
        np.testing.assert_allclose(normalise(FIVE, how), expected, rtol=1e-12)

    @pytest.mark.parametrize(
        ("how", "expected"),
        [
            # range 4: (1 - 1)/4, (2 - 1)/4, (5 - 1)/4 of 100
            (Normalisation("minmax"), [0, 100 * 1 / 4, 100 * 1 / 4, 100]),
            # -1, -2, -2, -5: (-2 + 5)/4
            (Normalisation("minmax", "lower_better"), [100, 100 * 3 / 4, 100 * 3 / 4, 0]),
            # from 1 to 10: 1 + 9 * 1/4
            (Normalisation("minmax", scale=(1, 10)), [1, 1 + 9 / 4, 1 + 9 / 4, 10]),
            # from 0 as the worst to 4 as the best: 1/4, 2/4, 5/4
            (Normalisation(bounds=(0, 4)), [25, 50, 50, 125]),
            # distances to 2 are 1, 0, 0, 3; -3 is the worst: (-1 + 3)/3
            (Normalisation("minmax", "target", target=2), [100 * 2 / 3, 100, 100, 0]),
            # mean 10/4; squares 9/4 + 1/4 + 1/4 + 25/4 = 9 over n - 1 = 3
            (Normalisation("zscore"), [-1.5 / 3**0.5, -0.5 / 3**0.5, -0.5 / 3**0.5, 2.5 / 3**0.5]),
            (Normalisation("zscore", scale=(100, 15)), [100 + 15 * z / 3**0.5 for z in (-1.5, -0.5, -0.5, 2.5)]),
            # below stand 0, 1, 1, 3 areas
            (Normalisation("rank"), [1, 2, 2, 4]),
            # where lower is better 3, 1, 1, 0 are worse
            (Normalisation("rank", "lower_better"), [4, 2, 2, 1]),
            (Normalisation("borda"), [0, 1, 1, 3]),
            # (rank - 1) / 3
            (Normalisation("percentile"), [0, 100 / 3, 100 / 3, 100]),
            (Normalisation("percentile", "lower_better", scale=(0, 1)), [1, 1 / 3, 1 / 3, 0]),
            # distances to 4 are 3, 2, 2, 1, the farthest 3
            (Normalisation("distance_to_target", target=4), [1 - 3 / 3, 1 - 2 / 3, 1 - 2 / 3, 1 - 1 / 3]),
            # reference 2, worst 1: 1 - (2 - x)/(2 - 1)
            (Normalisation("distance_to_reference", reference=1), [1 - 1, 1, 1, 1 + 3]),
            # -1, -2, -2, -5: 1 - (-2 - x)/(-2 + 5)
            (Normalisation("distance_to_reference", "lower_better", reference=1), [1 + 1 / 3, 1, 1, 1 - 3 / 3]),
            (Normalisation("fraction_of_max"), [1 / 5, 2 / 5, 2 / 5, 1]),
            (Normalisation("fraction_of_max", "lower_better"), [1, 1 / 2, 1 / 2, 1 / 5]),
        ],
    )
    def test_by_hand(self, how: Normalisation, expected: list[float]) -> None:
        np.testing.assert_allclose(normalise(TIED, how), expected, rtol=1e-12, atol=1e-12)

    def test_fraction_needs_positive_values(self) -> None:
        values = np.array([-1.0, 0.0, 2.0, 8.0])
        np.testing.assert_allclose(normalise(values, Normalisation("fraction_of_max")), [NAN, NAN, 0.25, 1])
        np.testing.assert_allclose(normalise(values, Normalisation("fraction_of_max", "lower_better")), [NAN, NAN, 1, 0.25])

    def test_reference_missing_or_worst(self) -> None:
        assert np.isnan(normalise(TIED, Normalisation("distance_to_reference", reference=None))).all()
        assert np.isnan(normalise(TIED, Normalisation("distance_to_reference", reference=0))).all()
        assert np.isnan(normalise(FIVE, Normalisation("distance_to_reference", reference=2))).all()

    def test_bounds_need_no_other_values(self) -> None:
        np.testing.assert_array_equal(normalise(np.array([5.0, NAN]), Normalisation(bounds=(0, 20))), [25, NAN])
        np.testing.assert_array_equal(normalise(np.array([5.0, 5.0]), Normalisation(bounds=(20, 0))), [75, 75])

    def test_human_development_index(self) -> None:
        # Human Development Report 2020, technical note 1: an income of 3,829 between 100 and 75,000, compared by logarithms, gives 0.5506;
        # the geometric mean of 0.6971, 0.3447 and 0.5506 is 0.510
        bounds = (float(np.log(100)), float(np.log(75_000)))
        income = normalise(np.log(np.array([3_829.0])), Normalisation(bounds=bounds, scale=(0, 1)))
        assert income[0] == pytest.approx(0.5506, abs=5e-5)
        dimensions = np.array([[0.6971], [0.3447], [0.5506]])
        assert aggregate(dimensions, np.ones(3), "geometric")[0] == pytest.approx(0.510, abs=5e-4)
        # goalposts of that note: life expectancy from 20 to 85 years, expected schooling from 0 to 18, mean schooling from 0 to 15
        life = normalise(np.array([20.0, 52.5, 85.0]), Normalisation(bounds=(20, 85), scale=(0, 1)))
        np.testing.assert_allclose(life, [0, 0.5, 1])

    def test_zscore_mean_and_deviation(self) -> None:
        scores = normalise(FIVE, Normalisation("zscore", scale=(50, 10)))
        assert np.nanmean(scores) == pytest.approx(50)
        assert np.nanstd(scores, ddof=1) == pytest.approx(10)
        assert scores[0] == pytest.approx(50 - 10 * 4 / np.sqrt(40 / 3))

    @pytest.mark.parametrize("values", [[5.0, 5.0, 5.0], [5.0, NAN, NAN], [NAN, NAN, NAN]])
    @pytest.mark.parametrize("method", ["minmax", "zscore", "rank", "percentile", "fraction_of_max"])
    def test_too_few_or_equal_values(self, values: list[float], method: str) -> None:
        assert np.isnan(normalise(np.array(values), Normalisation(method))).all()

    def test_ranks_of_ties(self) -> None:
        np.testing.assert_array_equal(normalise(np.array([3.0, 1.0, 3.0, 9.0]), Normalisation("rank")), [2, 1, 2, 4])
        np.testing.assert_array_equal(best_first(np.array([3.0, 1.0, 3.0 + 1e-12, 9.0, NAN])), [2, 4, 2, 1, NAN])


class TestAggregate:
    @pytest.mark.parametrize(
        ("how", "expected"),
        [
            ("arithmetic", [3.25, 4.0, 1.0, NAN]),
            ("geometric", [(1 * 4**3) ** 0.25, 4.0, 0.0, NAN]),
            ("harmonic", [4 / (1 / 1 + 3 / 4), 4.0, 0.0, NAN]),
        ],
    )
    def test_renormalises_weights(self, how: str, expected: list[float]) -> None:
        scores = np.array([[1.0, NAN, 4.0, NAN], [4.0, 4.0, 0.0, NAN]])
        np.testing.assert_allclose(aggregate(scores, np.array([1.0, 3.0]), how), expected)

    @pytest.mark.parametrize(
        ("how", "expected"),
        [
            # weights 1/2, 1/4, 1/4
            ("arithmetic", 1 / 2 * 20 + 1 / 4 * 40 + 1 / 4 * 80),
            ("geometric", (20**2 * 40 * 80) ** (1 / 4)),
            ("harmonic", 1 / (1 / 2 / 20 + 1 / 4 / 40 + 1 / 4 / 80)),
        ],
    )
    def test_by_hand(self, how: str, expected: float) -> None:
        assert aggregate(np.array([[20.0], [40.0], [80.0]]), np.array([2.0, 1.0, 1.0]), how)[0] == pytest.approx(expected)

    def test_ignores_zero_weights(self) -> None:
        scores, weights = np.array([[0.0, -5.0], [8.0, 8.0]]), np.array([0.0, 1.0])
        for how in ("arithmetic", "geometric", "harmonic"):
            np.testing.assert_allclose(aggregate(scores, weights, how), [8, 8])
        assert np.isnan(aggregate(scores[:1], weights[:1], "arithmetic")).all()

    def test_geometric_mean_of_negative_scores(self) -> None:
        assert np.isnan(aggregate(np.array([[-1.0], [0.0]]), np.ones(2), "geometric")).all()
        assert aggregate(np.array([[-1.0], [5.0]]), np.ones(2), "arithmetic")[0] == 2


class TestTreat:
    def test_skewness_and_kurtosis_as_in_spreadsheets(self) -> None:
        sample = np.array([3.0, 4, 5, 2, 3, 4, 5, 6, 4, 7])  # the example of the functions' documentation
        assert skewness(sample) == pytest.approx(0.359543071)
        assert kurtosis(sample) == pytest.approx(-0.151799637)

    def test_agrees_with_r_coinr(self) -> None:
        # COINr (Becker et al.), vignette "Outlier treatment": skew(x), kurt(x), and both after one point was winsorised
        values = np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 30, 100])
        assert (skewness(values), kurtosis(values)) == (pytest.approx(3.063241, abs=5e-7), pytest.approx(9.741391, abs=5e-7))
        treated = treat(values)
        np.testing.assert_array_equal(treated, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 30, 30])
        assert (skewness(treated), kurtosis(treated)) == (pytest.approx(1.712038, abs=5e-7), pytest.approx(1.815781, abs=5e-7))

    def test_needs_both_limits(self) -> None:
        values = np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 30, 100])
        np.testing.assert_array_equal(treat(values, max_skewness=3.1), values)
        np.testing.assert_array_equal(treat(values, max_kurtosis=9.8), values)

    def test_skewness_and_kurtosis_by_hand(self) -> None:
        values = np.array([0.0, 0, 0, 4])
        # mean 1, squares 1 + 1 + 1 + 9 = 12, s = sqrt(12/3) = 2; cubes -1/8 three times and 27/8, in all 3; 4/(3 * 2) * 3
        assert skewness(values) == pytest.approx(2)
        # fourth powers 1/16 three times and 81/16, in all 21/4; 4 * 5/(3 * 2 * 1) * 21/4 - 3 * 9/(2 * 1)
        assert kurtosis(values) == pytest.approx(20 / 6 * 21 / 4 - 27 / 2)
        assert np.isnan([skewness(values[:2]), kurtosis(values[:3]), skewness(np.ones(5)), kurtosis(np.ones(5))]).all()

    def test_winsorises_an_outlier(self) -> None:
        values = np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 1000, NAN])
        np.testing.assert_array_equal(treat(values), [1, 2, 3, 4, 5, 6, 7, 8, 9, 9, NAN])
        np.testing.assert_array_equal(treat(-values), [-1, -2, -3, -4, -5, -6, -7, -8, -9, -9, NAN])
        np.testing.assert_array_equal(treat(values[:9]), values[:9])

    def test_skew_that_changes_sides(self) -> None:
        values = np.concatenate([[-700.0], np.linspace(0, 1, 60), [1000.0]])
        # once 1000 has become 1, -700 is what skews; it becomes 0, the next, and 0 itself stays
        expected = np.concatenate([[0.0], np.linspace(0, 1, 60), [1.0]])
        np.testing.assert_array_equal(treat(values), expected)
        np.testing.assert_array_equal(treat(-values), -expected)
        # two points it takes; with one allowed it is the logarithm of the untouched values
        np.testing.assert_allclose(treat(values, max_points=1), np.log(values + 700 + 17))

    def test_logarithm_of_original_values(self) -> None:
        values = np.concatenate([np.linspace(1, 2, 60), [50.0, 100.0, 400.0]])
        treated = treat(values, max_points=1)
        np.testing.assert_allclose(treated, np.log(values - 1 + 0.01 * 399))
        np.testing.assert_allclose(treat(-values, max_points=1), -treated)


class TestImpute:
    def test_group_mean(self) -> None:
        groups = np.array([0, 0, 0, 1, 1, 2])
        values = np.array([1.0, 3.0, NAN, 10.0, NAN, NAN])
        np.testing.assert_array_equal(impute(values, "group_mean", groups), [1, 3, 2, 10, 10, NAN])
        np.testing.assert_array_equal(impute(values, "median", groups), [1, 3, 3, 10, 3, 3])
        # mean (1 + 3 + 10) / 3; the group's median (1 + 3) / 2; an area of no group stays as it is
        np.testing.assert_allclose(impute(values, "mean", groups), [1, 3, 14 / 3, 10, 14 / 3, 14 / 3])
        np.testing.assert_array_equal(impute(values, "group_median", np.array([0, 0, 0, 1, 1, -1])), [1, 3, 2, 10, 10, NAN])
        np.testing.assert_array_equal(impute(np.array([NAN, NAN]), "mean", np.zeros(2, dtype=np.int64)), [NAN, NAN])
