"""Statistics of dispersion against the plain formulas, written out value by value for one group at a time."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from pipelines.methods.dispersion import dispersion, sorted_pairs


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
    group = np.repeat(np.arange(len(groups)), [len(g) for g in groups])
    values = np.array([y for g in groups for y in g])
    w = np.array([x for g in weights for x in g]) if weights else None
    shuffle = np.random.default_rng(1).permutation(values.size)
    pairs, order = sorted_pairs(group[shuffle], np.arange(values.size), values[shuffle], None if w is None else w[shuffle])
    by = {"region": np.array([s for g in subgroups for s in g])[shuffle][order]} if subgroups else {}
    return {(s.name, s.by): s.values.tolist() for s in dispersion(pairs, by, weighted)}


@pytest.fixture
def groups() -> list[list[float]]:
    numbers = random.Random(7)
    return [[numbers.uniform(1, 100) for _ in range(n)] for n in (3, 10, 41)]


def test_each_statistic_counts_every_area_once(groups: list[list[float]]) -> None:
    found = computed(groups, weighted=False)
    for name in plain(groups[0]):
        assert found[name, ""] == pytest.approx([plain(g)[name] for g in groups], rel=1e-12), name
    assert found["sd", ""] == pytest.approx([np.std(g) for g in groups])
    assert found["iqr", ""] == pytest.approx([np.quantile(g, 0.75) - np.quantile(g, 0.25) for g in groups])
    assert found["p90_p10", ""] == pytest.approx([np.quantile(g, 0.9) / np.quantile(g, 0.1) for g in groups])
    assert found["max_min", ""] == pytest.approx([max(g) / min(g) for g in groups])
    assert not any(name.endswith("_weighted") for name, _ in found)


def test_weighted_statistics_go_around_the_weighted_mean(groups: list[list[float]]) -> None:
    numbers = random.Random(8)
    weights = [[numbers.uniform(0.1, 9) for _ in g] for g in groups]
    found = computed(groups, weights)
    for name in plain(groups[0]):
        expected = [plain(g, w)[name] for g, w in zip(groups, weights, strict=True)]
        assert found[f"{name}_weighted", ""] == pytest.approx(expected, rel=1e-12), name
        assert found[name, ""] == pytest.approx([plain(g)[name] for g in groups], rel=1e-12), name
    assert found["mean_abs_dev", ""] == pytest.approx([200 * plain(g, w)["hoover"] for g, w in zip(groups, weights, strict=True)])


def test_theil_falls_into_a_part_between_groups_and_a_part_within_them() -> None:
    values, regions = [1.0, 3.0, 5.0, 5.0], [0, 0, 1, 1]
    found = computed([values], subgroups=[regions], weights=[[1.0, 1.0, 1.0, 1.0]])
    # means 2 and 5 around 3.5; nothing differs in the second region
    between = 2 / 7 * math.log(4 / 7) + 5 / 7 * math.log(10 / 7)
    assert found["theil_t_between", "region"] == pytest.approx([between])
    assert found["theil_t_within", "region"] == pytest.approx([2 / 7 * (0.25 * math.log(0.5) + 0.75 * math.log(1.5))])
    for suffix in ("", "_weighted"):
        parts = found[f"theil_t_between{suffix}", "region"][0] + found[f"theil_t_within{suffix}", "region"][0]
        assert parts == pytest.approx(found[f"theil_t{suffix}", ""][0])


def test_the_gini_of_three_places_by_hand() -> None:
    assert computed([[1.0, 2.0, 3.0]])["gini", ""] == pytest.approx([2 / 9])


def test_equal_values_do_not_differ_at_all() -> None:
    found = computed([[0.1, 0.1, 0.1]], [[1.0, 2.0, 3.0]])
    assert {k: v for k, v in found.items() if abs(v[0] - (1 if k[0] in ("max_min", "p90_p10") else 0)) > 1e-15} == {}


@pytest.mark.parametrize(
    ("values", "undefined"),
    [
        ([0.0, 1.0, 2.0], {"theil_l", "sd_log", "max_min"}),
        ([0.0, 0.0, 0.0], {"theil_l", "sd_log", "max_min", "p90_p10", "cv", "gini", "hoover", "atkinson_05", "theil_t", "mean_abs_dev"}),
        ([-1.0, 1.0, 9.0], {"theil_l", "sd_log", "max_min", "p90_p10", "cv", "gini", "hoover", "atkinson_05", "theil_t", "mean_abs_dev"}),
    ],
)
def test_a_statistic_that_does_not_suit_the_values_is_not_defined(values: list[float], undefined: set[str]) -> None:
    found = computed([values], weighted=False)
    assert {name for (name, _), v in found.items() if math.isnan(v[0])} == undefined


def test_weights_that_sum_to_nothing_count_areas_once_and_negative_ones_do_not_count() -> None:
    values = [1.0, 2.0, 6.0]
    nothing = computed([values], [[0.0, 0.0, 0.0]])
    assert nothing["cv_weighted", ""] == nothing["cv", ""]
    assert math.isnan(computed([values], [[-1.0, 2.0, 3.0]])["gini_weighted", ""][0])
