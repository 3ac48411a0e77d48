"""The statistics of indices against numbers worked out by hand and by the formulas that spreadsheets use."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.methods.aggregate import aggregate
from pipelines.methods.impute import impute
from pipelines.methods.normalise import Normalisation, best_first, normalise
from pipelines.methods.treat import kurtosis, skewness, treat

NAN = float("nan")
FIVE = np.array([2.0, 4.0, NAN, 8.0, 10.0])


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
def test_each_normalisation_gives_the_scores_of_its_formula(how: Normalisation, expected: list[float]) -> None:
    np.testing.assert_allclose(normalise(FIVE, how), expected, rtol=1e-12)


def test_zscores_have_the_mean_and_the_sample_deviation_of_their_scale() -> None:
    scores = normalise(FIVE, Normalisation("zscore", scale=(50, 10)))
    assert np.nanmean(scores) == pytest.approx(50)
    assert np.nanstd(scores, ddof=1) == pytest.approx(10)
    assert scores[0] == pytest.approx(50 - 10 * 4 / np.sqrt(40 / 3))


@pytest.mark.parametrize("values", [[5.0, 5.0, 5.0], [5.0, NAN, NAN], [NAN, NAN, NAN]])
@pytest.mark.parametrize("method", ["minmax", "zscore", "rank", "percentile", "fraction_of_max"])
def test_nothing_is_scored_where_all_values_are_equal_or_fewer_than_two(values: list[float], method: str) -> None:
    assert np.isnan(normalise(np.array(values), Normalisation(method))).all()


def test_ties_get_the_lowest_rank_and_the_best_has_rank_1() -> None:
    np.testing.assert_array_equal(normalise(np.array([3.0, 1.0, 3.0, 9.0]), Normalisation("rank")), [2, 1, 2, 4])
    np.testing.assert_array_equal(best_first(np.array([3.0, 1.0, 3.0 + 1e-12, 9.0, NAN])), [2, 4, 2, 1, NAN])


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("arithmetic", [3.25, 4.0, 1.0, NAN]),
        ("geometric", [(1 * 4**3) ** 0.25, 4.0, 0.0, NAN]),
        ("harmonic", [4 / (1 / 1 + 3 / 4), 4.0, 0.0, NAN]),
    ],
)
def test_weights_are_renormalised_over_what_is_there(how: str, expected: list[float]) -> None:
    scores = np.array([[1.0, NAN, 4.0, NAN], [4.0, 4.0, 0.0, NAN]])
    np.testing.assert_allclose(aggregate(scores, np.array([1.0, 3.0]), how), expected)


def test_a_geometric_mean_with_a_negative_score_is_not_defined() -> None:
    assert np.isnan(aggregate(np.array([[-1.0], [0.0]]), np.ones(2), "geometric")).all()
    assert aggregate(np.array([[-1.0], [5.0]]), np.ones(2), "arithmetic")[0] == 2


def test_skewness_and_kurtosis_are_those_of_a_spreadsheet() -> None:
    sample = np.array([3.0, 4, 5, 2, 3, 4, 5, 6, 4, 7])  # the example of the functions' documentation
    assert skewness(sample) == pytest.approx(0.359543071)
    assert kurtosis(sample) == pytest.approx(-0.151799637)


def test_a_single_outlier_takes_the_value_of_the_next() -> None:
    values = np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 1000, NAN])
    np.testing.assert_array_equal(treat(values), [1, 2, 3, 4, 5, 6, 7, 8, 9, 9, NAN])
    np.testing.assert_array_equal(treat(-values), [-1, -2, -3, -4, -5, -6, -7, -8, -9, -9, NAN])
    np.testing.assert_array_equal(treat(values[:9]), values[:9])


def test_a_skew_that_changes_sides_takes_the_most_extreme_value_of_the_other_side() -> None:
    values = np.concatenate([[-700.0], np.linspace(0, 1, 60), [1000.0]])
    # once 1000 has become 1, -700 is what skews; it becomes 0, the next, and 0 itself stays
    expected = np.concatenate([[0.0], np.linspace(0, 1, 60), [1.0]])
    np.testing.assert_array_equal(treat(values), expected)
    np.testing.assert_array_equal(treat(-values), -expected)
    # two points it takes; with one allowed it is the logarithm of the untouched values
    np.testing.assert_allclose(treat(values, max_points=1), np.log(values + 700 + 17))


def test_what_winsorising_cannot_mend_gets_a_logarithm_of_the_untouched_values() -> None:
    values = np.concatenate([np.linspace(1, 2, 60), [50.0, 100.0, 400.0]])
    treated = treat(values, max_points=1)
    np.testing.assert_allclose(treated, np.log(values - 1 + 0.01 * 399))
    np.testing.assert_allclose(treat(-values, max_points=1), -treated)


def test_gaps_take_the_mean_of_their_group_and_stay_where_a_group_has_none() -> None:
    groups = np.array([0, 0, 0, 1, 1, 2])
    values = np.array([1.0, 3.0, NAN, 10.0, NAN, NAN])
    np.testing.assert_array_equal(impute(values, "group_mean", groups), [1, 3, 2, 10, 10, NAN])
    np.testing.assert_array_equal(impute(values, "median", groups), [1, 3, 3, 10, 3, 3])
