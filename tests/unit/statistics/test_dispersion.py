"""Statistics of dispersion against arithmetic by hand, published figures, and the plain formulas written out value by value."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from tests.support.dispersion import Group, Statistics, dispersion


def plain(values: list[float], weights: list[float] | None = None) -> dict[str, float]:
    """Return the statistics of one group by their textbook formulas."""
    n = len(values)
    w = [1 / n] * n if weights is None else [x / sum(weights) for x in weights]
    mean = sum(p * y for p, y in zip(w, values, strict=True))
    pairs = list(zip(w, values, strict=True))
    logs = sum(p * math.log(y) for p, y in pairs)
    return {
        "cv": math.sqrt(sum(p * (y - mean) ** 2 for p, y in pairs)) / mean,
        "gini": sum(p * q * abs(y - z) for p, y in pairs for q, z in pairs) / (2 * mean),
        "hoover": sum(p * abs(y - mean) for p, y in pairs) / (2 * mean),
        "atkinson_05": 1 - sum(p * math.sqrt(y) for p, y in pairs) ** 2 / mean,
        "theil_t": sum(p * y / mean * math.log(y / mean) for p, y in pairs),
        "theil_l": sum(p * math.log(mean / y) for p, y in pairs),
        "sd_log": math.sqrt(sum(p * (math.log(y) - logs) ** 2 for p, y in pairs)),
    }


def computed(
    groups: list[list[float]], weights: list[list[float]] | None = None, subgroups: list[list[int]] | None = None, *, weighted: bool = True
) -> dict[tuple[str, str], list[float]]:
    """Return every statistic of some groups of one indicator."""
    declared = [
        Group(values, weights[i] if weights else None, {"region": subgroups[i]} if subgroups else {}) for i, values in enumerate(groups)
    ]
    [results] = dispersion([declared], weighted=weighted)
    return {key: [result[key] for result in results] for key in results[0]}


@pytest.fixture
def groups() -> list[list[float]]:
    numbers = random.Random(7)
    return [[numbers.uniform(1, 100) for _ in range(n)] for n in (3, 10, 41)]


LN2, ROOT2 = math.log(2), math.sqrt(2)
BY_HAND = {
    # mean 5/2; squares 9/4 + 1/4 + 1/4 + 9/4 = 5
    "sd": math.sqrt(5 / 4),
    # quartiles at positions 3/4 and 9/4 of 0 to 3: 1.75 and 3.25
    "iqr": 3.25 - 1.75,
    "max_min": 4 / 1,
    # at positions 0.3 and 2.7: 1.3 and 3.7
    "p90_p10": 3.7 / 1.3,
    "cv": math.sqrt(5 / 4) / 2.5,
    # differences of the six pairs 1 + 2 + 3 + 1 + 2 + 1 = 10, both ways 20; over 2 n^2 mean = 2 * 16 * 5/2 = 80
    "gini": 20 / 80,
    # below the mean stand 3/2 + 1/2 = 2 of 10 in all
    "hoover": 2 / 10,
    "atkinson_05": 1 - ((1 + ROOT2 + math.sqrt(3) + 2) / 4) ** 2 / 2.5,
    # relative values 0.4, 0.8, 1.2, 1.6
    "theil_t": (0.4 * math.log(0.4) + 0.8 * math.log(0.8) + 1.2 * math.log(1.2) + 1.6 * math.log(1.6)) / 4,
    "theil_l": -math.log(0.4 * 0.8 * 1.2 * 1.6) / 4,
    # logarithms 0, ln 2, ln 3, 2 ln 2
    "sd_log": math.sqrt((0 + LN2**2 + math.log(3) ** 2 + 4 * LN2**2) / 4 - (math.log(24) / 4) ** 2),
    # deviations 3/2 + 1/2 + 1/2 + 3/2 = 4, over 4 areas 1, of 2.5
    "mean_abs_dev": 100 * 1 / 2.5,
}


WEIGHTED_BY_HAND = {
    # 1, 2, 4 with weights 2, 1, 1: shares 1/2, 1/4, 1/4; mean 1/2 + 1/2 + 1 = 2; squares 1/2 * 1 + 0 + 1/4 * 4 = 3/2
    "cv_weighted": math.sqrt(3 / 2) / 2,
    # pairs, both ways: 2 (1/8 * 1 + 1/8 * 3 + 1/16 * 2) = 5/4; over 2 * 2
    "gini_weighted": 5 / 16,
    # half of what deviates, 1/2 * 1 + 1/4 * 2 = 1, over the mean
    "hoover_weighted": 1 / 2 / 2,
    "atkinson_05_weighted": 1 - (1 / 2 + ROOT2 / 4 + 2 / 4) ** 2 / 2,
    # relative values 1/2, 1, 2: 1/2 * 1/2 * -ln 2 + 0 + 1/4 * 2 * ln 2
    "theil_t_weighted": LN2 / 4,
    "theil_l_weighted": LN2 / 2 - LN2 / 4,
    # logarithms 0, 1, 2 times ln 2, mean 3/4: 1/2 * 9/16 + 1/4 * 1/16 + 1/4 * 25/16 = 11/16
    "sd_log_weighted": math.sqrt(11 / 16) * LN2,
    "mean_abs_dev": 100 * 1 / 2,
}


def published(values: list[float], weights: list[float] | None = None) -> dict[str, float]:
    return {name: v[0] for (name, _), v in computed([values], [weights] if weights else None).items()}


class TestDispersion:
    def test_without_weights(self, groups: list[list[float]]) -> None:
        result = computed(groups, weighted=False)
        for name in plain(groups[0]):
            assert result[name, ""] == pytest.approx([plain(g)[name] for g in groups], rel=1e-12), name
        assert result["sd", ""] == pytest.approx([np.std(g) for g in groups])
        assert result["iqr", ""] == pytest.approx([np.quantile(g, 0.75) - np.quantile(g, 0.25) for g in groups])
        assert result["p90_p10", ""] == pytest.approx([np.quantile(g, 0.9) / np.quantile(g, 0.1) for g in groups])
        assert result["max_min", ""] == pytest.approx([max(g) / min(g) for g in groups])
        assert not any(name.endswith("_weighted") for name, _ in result)

    def test_with_weights(self, groups: list[list[float]]) -> None:
        numbers = random.Random(8)
        weights = [[numbers.uniform(0.1, 9) for _ in g] for g in groups]
        result = computed(groups, weights)
        for name in plain(groups[0]):
            expected = [plain(g, w)[name] for g, w in zip(groups, weights, strict=True)]
            assert result[f"{name}_weighted", ""] == pytest.approx(expected, rel=1e-12), name
            assert result[name, ""] == pytest.approx([plain(g)[name] for g in groups], rel=1e-12), name
        assert result["mean_abs_dev", ""] == pytest.approx([200 * plain(g, w)["hoover"] for g, w in zip(groups, weights, strict=True)])

    def test_theil_decomposition(self) -> None:
        values, regions = [1.0, 3.0, 5.0, 5.0], [0, 0, 1, 1]
        result = computed([values], subgroups=[regions], weights=[[1.0, 1.0, 1.0, 1.0]])
        # means 2 and 5 around 3.5; nothing differs in the second region
        between = 2 / 7 * math.log(4 / 7) + 5 / 7 * math.log(10 / 7)
        assert result["theil_t_between", "region"] == pytest.approx([between])
        assert result["theil_t_within", "region"] == pytest.approx([2 / 7 * (0.25 * math.log(0.5) + 0.75 * math.log(1.5))])
        for suffix in ("", "_weighted"):
            parts = result[f"theil_t_between{suffix}", "region"][0] + result[f"theil_t_within{suffix}", "region"][0]
            assert parts == pytest.approx(result[f"theil_t{suffix}", ""][0])

    def test_all_statistics_by_hand(self) -> None:
        result = computed([[1.0, 2.0, 3.0, 4.0]], weighted=False)
        assert {name: v[0] for (name, _), v in result.items()} == pytest.approx(BY_HAND, rel=1e-12)

    def test_all_weighted_statistics_by_hand(self) -> None:
        result = computed([[1.0, 2.0, 4.0]], [[2.0, 1.0, 1.0]])
        assert {name: result[name, ""][0] for name in WEIGHTED_BY_HAND} == pytest.approx(WEIGHTED_BY_HAND, rel=1e-12)
        assert {name for name, _ in result} - set(BY_HAND) | {"mean_abs_dev"} == set(WEIGHTED_BY_HAND)

    def test_maximum_inequality(self) -> None:
        result = computed([[0.0, 0.0, 0.0, 12.0]], weighted=False)
        largest = {"cv": math.sqrt(3), "gini": 3 / 4, "hoover": 3 / 4, "atkinson_05": 3 / 4, "theil_t": math.log(4), "mean_abs_dev": 150}
        assert {name: result[name, ""][0] for name in largest} == pytest.approx(largest)

    def test_theil_of_two_levels_by_hand(self) -> None:
        # districts of the first region 1, 1 and 3, 3; of the second 6, 6 and 10, 10; all areas weigh the same
        values, districts, regions = [1.0, 1.0, 3.0, 3.0, 6.0, 6.0, 10.0, 10.0], [0, 0, 1, 1, 2, 2, 3, 3], [0, 0, 0, 0, 1, 1, 1, 1]
        [[result]] = dispersion([[Group(values, subgroups={"district": districts, "region": regions})]], weighted=False)
        # regional means 2 and 8 around 5, half of the areas each
        assert result["theil_t_between", "region"] == pytest.approx(0.5 * 0.4 * math.log(0.4) + 0.5 * 1.6 * math.log(1.6))
        # inside: shares of the sum 1/5 and 4/5, relative values 1/2, 3/2 and 3/4, 5/4
        first = (0.5 * math.log(0.5) + 1.5 * math.log(1.5)) / 2
        second = (0.75 * math.log(0.75) + 1.25 * math.log(1.25)) / 2
        assert result["theil_t_within", "region"] == pytest.approx(1 / 5 * first + 4 / 5 * second)
        # districts differ among each other only
        assert result["theil_t_between", "district"] == pytest.approx(result["theil_t", ""])
        assert result["theil_t_within", "district"] == 0

    def test_agrees_with_r_ineq(self) -> None:
        # R package ineq 0.2-13 (Zeileis), mean incomes of ten classes in the USA, 1968; figures as compared with it by the test suites of
        # open-risk/concentrationMetrics (examples/python/gini_example.py) and mgoeminne/scalar-ineq (IneqTest.scala)
        result = published([541, 1463, 2445, 3438, 4437, 5401, 6392, 8304, 11904, 22261])
        assert result["gini"] == pytest.approx(0.4620911, abs=5e-8)
        assert result["atkinson_05"] == pytest.approx(0.1796591, abs=5e-8)
        assert result["theil_t"] == pytest.approx(0.3623412, abs=5e-8)

    @pytest.mark.slow
    def test_agrees_with_r_reat(self) -> None:
        # REAT 3.0.3 (Wieland): ?gini, the sales of four car makers and six classes of income after Doersam, Wirtschaftsstatistik (2004);
        # ?theil after Stoermann, Regionaloekonomik (2009), which is Theil's second measure
        assert published([20, 50, 20, 10])["gini"] == pytest.approx(0.3)
        classes = published([500, 1500, 2500, 4000, 7500, 15000], [1000, 1200, 1600, 400, 200, 600])
        assert classes["gini_weighted"] == pytest.approx(0.5278, abs=5e-5)
        assert published([10, 10, 10, 20, 50])["theil_l"] == pytest.approx(0.2326302, abs=5e-8)
        german_states = [
            460.69, 549.19, 124.16, 65.29, 31.59, 109.27, 263.44, 39.87,
            258.53, 645.59, 131.95, 35.03, 112.66, 56.22, 85.61, 56.81,
        ]  # fmt: skip
        assert published(german_states)["gini"] == pytest.approx(0.5009, abs=5e-5)

    def test_agrees_with_julia_inequality(self) -> None:
        # Inequality.jl (JosepER): the docstrings of gini, theil and mld, without weights and with 0.1, 0.2, ... 0.9
        result = published([8, 5, 1, 3, 5, 6, 7, 6, 3], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
        printed = {
            "gini": 0.2373737373737374, "theil_t": 0.10494562214323544, "theil_l": 0.1397460530936332,
            "gini_weighted": 0.20652395514780775, "theil_t_weighted": 0.08120013911680612, "theil_l_weighted": 0.10375545537468206,
        }  # fmt: skip
        assert {name: result[name] for name in printed} == pytest.approx(printed, rel=1e-12)
        # half the squared coefficient of variation is the generalised entropy of order 2 (gen_entropy)
        assert result["cv"] ** 2 / 2 == pytest.approx(0.09039256198347094, rel=1e-12)

    def test_agrees_with_an_r_function_for_atkinson(self) -> None:
        # documentation of an R atkinson(x, n, epsilon = 0.5): values 10, 20, 30 that occur 3, 1 and 1 times
        assert published([10, 20, 30], [3, 1, 1])["atkinson_05_weighted"] == pytest.approx(0.05558586, abs=5e-9)

    @pytest.mark.slow
    @pytest.mark.parametrize("value", [0.1, 0.7, 1 / 3, 12345.678])
    @pytest.mark.parametrize("n", [3, 7, 10])
    def test_equal_values_give_exactly_zero(self, value: float, n: int) -> None:
        result = computed([[value] * n], [[0.3 * (i + 1) for i in range(n)]], [[0] * (n - 1) + [1]])
        assert {v[0] for (name, _), v in result.items() if name not in ("max_min", "p90_p10")} == {0.0}
        assert result["max_min", ""] == result["p90_p10", ""] == [1.0]

    @pytest.mark.parametrize(
        ("values", "undefined"),
        [
            ([0.0, 1.0, 2.0], {"theil_l", "sd_log", "max_min"}),
            (
                [0.0, 0.0, 0.0],
                {"theil_l", "sd_log", "max_min", "p90_p10", "cv", "gini", "hoover", "atkinson_05", "theil_t", "mean_abs_dev"},
            ),
            (
                [-1.0, 1.0, 9.0],
                {"theil_l", "sd_log", "max_min", "p90_p10", "cv", "gini", "hoover", "atkinson_05", "theil_t", "mean_abs_dev"},
            ),
        ],
    )
    def test_undefined_statistics(self, values: list[float], undefined: set[str]) -> None:
        result = computed([values], weighted=False)
        assert {name for (name, _), v in result.items() if math.isnan(v[0])} == undefined

    def test_zero_and_negative_weights(self) -> None:
        values = [1.0, 2.0, 6.0]
        nothing = computed([values], [[0.0, 0.0, 0.0]])
        assert nothing["cv_weighted", ""] == nothing["cv", ""]
        assert math.isnan(computed([values], [[-1.0, 2.0, 3.0]])["gini_weighted", ""][0])

    @pytest.mark.parametrize("values", [[-1.0, 1.0, 1e-17], [-1e200, 1e200, 1e-200], [-1.0, 1.0, 0.0]])
    def test_a_mean_near_zero(self, values: list[float]) -> None:
        result = computed([values], [[1.0, 2.0, 1.0]])
        assert {name for (name, _), v in result.items() if not math.isnan(v[0])} == {"sd", "iqr"}
        assert result["sd", ""] == pytest.approx([math.sqrt(2 / 3) * values[1]])

    def test_small_differences_of_large_values(self) -> None:
        # the spread is a millionth of the mean, and less
        for step in (1.0, 2.0**-10, 2.0**-20):
            result = computed([[1e6 + step * y for y in (1, 2, 3, 4)]], [[1.0] * 4])
            assert result["sd", ""] == pytest.approx([step * math.sqrt(5 / 4)], rel=1e-14)
            assert result["cv_weighted", ""] == pytest.approx([step * math.sqrt(5 / 4) / (1e6 + 2.5 * step)], rel=1e-14)
            assert result["gini", ""] == pytest.approx([step * 20 / 32 / (1e6 + 2.5 * step)], rel=1e-12)

    @pytest.mark.slow
    def test_the_unit_can_be_as_large_and_as_small_as_numbers_are(self) -> None:
        values, weights, regions = [1.0, 2.0, 3.0, 7.0], [2.0, 1.0, 1.0, 5.0], [0, 0, 1, 1]
        expected = computed([values], [weights], [regions])
        for unit in (1e200, 1e-200, 1e-250, 1e307):
            result = computed([[unit * y for y in values]], [weights], [regions])
            for key, [value] in expected.items():
                assert result[key] == pytest.approx([value * unit if key[0] in ("sd", "iqr") else value], rel=1e-12, abs=0), (key, unit)

    def test_a_sum_beyond_the_largest_number_has_a_mean(self) -> None:
        result = computed([[1.5e308, 1.5e308, 0.0]], [[1.0, 1.0, 1.0]])
        assert result["gini", ""] == pytest.approx([1 / 3])
        assert result["gini_weighted", ""] == pytest.approx([1 / 3])
        assert result["sd", ""] == pytest.approx([1.5e308 / 3 * math.sqrt(2)])


LARGEST = 1.7e308
SMALLEST = 5e-324


def extreme_groups() -> list[list[Group]]:
    """Return groups of three areas: extreme values with extreme weights, each a group of an indicator of its own."""
    values = [
        [1e200, 1e-200, 1.0], [1e200, 1e200, 1e-200], [SMALLEST, SMALLEST, 2 * SMALLEST], [0.0, 0.0, SMALLEST], [1e-300, 1.0, 1.0],
        [LARGEST, LARGEST, 1.0], [LARGEST, -LARGEST, 0.0], [LARGEST, LARGEST, LARGEST], [-1e200, 1e200, 1e-200], [2.3e-308, 2.3e-308, 2.2e-308],
        [1.0, 1.0, 1.0 + 2.0**-52], [-1.0, -1e-200, -1e200],
    ]  # fmt: skip
    weights = [
        [1.0, 2.0, 3.0], [1e200, 1e-200, 1.0], [1e-200, 1e200, 1.0], [SMALLEST] * 3, [LARGEST] * 3, [0.0, 0.0, SMALLEST], [1.0, 1e-300, 0.0],
        [0.0, 0.0, 0.0], [-1.0, 1.0, 1.0],
    ]  # fmt: skip
    return [[Group(v, w, {"region": [0, 0, 1]})] for v in values for w in weights]


class TestExtremeValues:
    def test_every_statistic_is_a_finite_number_or_not_defined(self) -> None:
        groups = extreme_groups()
        for [group], [statistics] in zip(groups, dispersion(groups), strict=True):
            # `dispersion` checks that each value is finite, or the status Z
            for (name, level), value in statistics.items():
                assert math.isnan(value) or value >= 0, (name, level, group)
            if min(group.values) < max(group.values) and max(map(abs, group.values)) < LARGEST:
                assert statistics["sd", ""] >= 0

    def test_extreme_values_of_one_indicator(self) -> None:
        groups = [group for [group] in extreme_groups()]
        [results] = dispersion([groups])
        assert len(results) == len(groups)


class TestOrder:
    """Sums are exact, so the digits depend neither on the order of rows nor on threads."""

    @pytest.fixture(scope="class")
    def indicators(self) -> list[list[Group]]:
        numbers = random.Random(4)

        def group(n: int) -> Group:
            return Group(
                [math.exp(numbers.gauss(0, 3)) for _ in range(n)],
                [math.exp(numbers.gauss(0, 3)) for _ in range(n)],
                {"region": [numbers.randrange(5) for _ in range(n)], "district": [numbers.randrange(20) for _ in range(n)]},
            )

        return [[group(n) for n in (3, 40, 400)], [group(1500)]]

    @pytest.fixture(scope="class")
    def expected(self, indicators: list[list[Group]]) -> list[list[Statistics]]:
        return dispersion(indicators)

    @pytest.mark.slow
    @pytest.mark.parametrize("threads", [1, 4])
    @pytest.mark.parametrize("seed", [2, 3])
    def test_any_order_and_number_of_threads(
        self, indicators: list[list[Group]], expected: list[list[Statistics]], threads: int, seed: int
    ) -> None:
        assert dispersion(indicators, threads=threads, seed=seed) == expected
