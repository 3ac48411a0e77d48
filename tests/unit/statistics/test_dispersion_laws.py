"""Laws that any values obey: what scale, origin, order, repetition and a transfer do to each statistic; the parts of Theil's T add up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.support.dispersion import Group, Statistics, dispersion

Array = NDArray[np.float64]
Numbers = dict[str, NDArray[np.int64]]

OF_VALUES = {"sd", "iqr"}  # in the unit of the values
RELATIVE = {"cv", "gini", "hoover", "atkinson_05", "theil_t", "theil_l", "sd_log", "max_min", "p90_p10", "mean_abs_dev"}
PARTS = {"theil_t_between", "theil_t_within"}
ENTROPIES = {"theil_t", "theil_l", "atkinson_05", "gini", "cv"}  # fall with every transfer from above to below
QUANTILES = {"iqr", "p90_p10"}

values = st.lists(st.integers(1, 1000), min_size=3, max_size=25).map(lambda x: np.array(x, dtype=np.float64))
amounts = st.lists(st.integers(0, 60), min_size=3, max_size=25).map(lambda x: np.array(x, dtype=np.float64))
seeds = st.integers(0, 2**32 - 1)
pytestmark = pytest.mark.slow  # every example is a round through DuckDB
laws = settings(max_examples=15, deadline=None)


def kind(name: str) -> str:
    return name.removesuffix("_weighted")


def group(y: Array, w: Array | None = None, by: Numbers | None = None) -> Group:
    return Group(y.tolist(), None if w is None else w.tolist(), {level: numbers.tolist() for level, numbers in (by or {}).items()})


def measured(*groups: Group, weighted: bool = True) -> list[Statistics]:
    """Return all statistics of some groups, each that of an indicator of its own, by name and level of the parts."""
    return [statistics for [statistics] in dispersion([[g] for g in groups], weighted=weighted)]


def drawn(seed: int, n: int, groups: int = 4) -> tuple[Array, Numbers]:
    """Return weights, some of them 0, and two nested levels of subgroups."""
    generator = np.random.default_rng(seed)
    districts = generator.integers(0, 2 * groups, n)
    return generator.integers(0, 9, n).astype(np.float64), {"district": districts, "region": districts // 2}


def close(result: Statistics, expected: Statistics, tolerance: float = 1e-9) -> None:
    assert result.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_allclose(result[key], value, rtol=tolerance, atol=tolerance, err_msg=str(key))


class TestDispersionLaws:
    @laws
    @given(values, seeds, st.sampled_from([0.001, 0.5, 3.0, 1e6]))
    def test_scale_invariance(self, y: Array, seed: int, factor: float) -> None:
        w, by = drawn(seed, y.size)
        before, after = measured(group(y, w, by), group(factor * y, w, by))
        assert {kind(name) for name, _ in before} == OF_VALUES | RELATIVE | PARTS
        close(after, {(n, by): v * factor if kind(n) in OF_VALUES else v for (n, by), v in before.items()})

    @laws
    @given(values, seeds, st.integers(1, 1000))
    def test_adding_a_constant(self, y: Array, seed: int, amount: int) -> None:
        w, _ = drawn(seed, y.size)
        w = w + 1
        before, after = measured(group(y, w), group(y + amount, w))
        for (name, level), was in before.items():
            now = after[name, level]
            weighted = name.endswith("_weighted") or name == "mean_abs_dev"
            mean = float(np.average(y, weights=w if weighted else None))
            if kind(name) in OF_VALUES:
                np.testing.assert_allclose(now, was, rtol=1e-9, atol=1e-9)
            elif kind(name) in {"cv", "gini", "hoover", "mean_abs_dev"}:
                # deviations stay, the mean they are compared with grows
                np.testing.assert_allclose(now, was * mean / (mean + amount), rtol=1e-9, atol=1e-12)
            else:
                assert now <= was + 1e-12, name

    @laws
    @given(amounts, seeds)
    def test_bounds(self, y: Array, seed: int) -> None:
        assume(y.max() > 0)
        w, by = drawn(seed, y.size)
        n = y.size
        [statistics] = measured(group(y, w, by))
        result = {k: v for k, v in statistics.items() if not np.isnan(v)}
        assert {"gini", "cv", "hoover", "atkinson_05", "theil_t"} <= {name for name, _ in result}
        for (name, level), value in result.items():
            assert value >= 0, (name, level)
            if kind(name) in {"gini", "hoover", "atkinson_05"}:
                assert value < 1, name
        for name, largest in {
            "gini": 1 - 1 / n,
            "hoover": 1 - 1 / n,
            "atkinson_05": 1 - 1 / n,
            "theil_t": np.log(n),
            "cv": np.sqrt(n - 1),
        }.items():
            assert result[name, ""] <= largest + 1e-12

    @laws
    @given(amounts, seeds)
    def test_theil_parts_add_up(self, y: Array, seed: int) -> None:
        assume(y.max() > 0)
        w, by = drawn(seed, y.size)
        assume((w * y).sum() > 0)
        [result] = measured(group(y, w, by))
        for suffix in ("", "_weighted"):
            total = result[f"theil_t{suffix}", ""]
            for level in by:
                between, within = result[f"theil_t_between{suffix}", level], result[f"theil_t_within{suffix}", level]
                assert abs(between + within - total) < 1e-9
            # a finer level leaves less inside its areas
            assert result[f"theil_t_between{suffix}", "district"] >= result[f"theil_t_between{suffix}", "region"] - 1e-12

    @laws
    @given(values, seeds)
    def test_order_of_areas(self, y: Array, seed: int) -> None:
        w, by = drawn(seed, y.size)
        shuffle = np.random.default_rng(seed).permutation(y.size)
        before, after = measured(group(y, w, by), group(y[shuffle], w[shuffle], {level: numbers[shuffle] for level, numbers in by.items()}))
        close(after, before, 1e-14)
        # the same areas in another order of rows
        assert dispersion([[group(y, w, by)]], seed=seed) == [[before]]

    @laws
    @given(values, seeds)
    def test_replication(self, y: Array, seed: int) -> None:
        w, by = drawn(seed, y.size)
        doubled = group(np.tile(y, 2), np.tile(w, 2), {level: np.tile(numbers, 2) for level, numbers in by.items()})
        once, twice = measured(group(y, w, by), doubled)
        close({k: v for k, v in twice.items() if k[0] not in QUANTILES}, {k: v for k, v in once.items() if k[0] not in QUANTILES})

    @laws
    @given(values, seeds, st.sampled_from([0.01, 7.0, 1e5]))
    def test_whole_weights_are_repetitions(self, y: Array, seed: int, factor: float) -> None:
        w, _ = drawn(seed, y.size)
        assume(w.sum() > 0)
        repeated_values = np.repeat(y, w.astype(int))
        assume(repeated_values.size >= 3)
        result, repeated, rescaled = measured(group(y, w), group(repeated_values), group(y, factor * w))
        for (name, _), value in result.items():
            if name.endswith("_weighted"):
                np.testing.assert_allclose(value, repeated[kind(name), ""], rtol=1e-9, atol=1e-9, err_msg=name)
        np.testing.assert_allclose(result["mean_abs_dev", ""], repeated["mean_abs_dev", ""], rtol=1e-9, atol=1e-9)
        close(rescaled, result)

    @laws
    @given(values, seeds)
    def test_transfers_reduce_inequality(self, y: Array, seed: int) -> None:
        low, high = int(y.argmin()), int(y.argmax())
        assume(y[high] - y[low] >= 2)
        gift = np.random.default_rng(seed).uniform(0.1, (y[high] - y[low]) / 2)
        after_gift = y.copy()
        after_gift[[low, high]] += [gift, -gift]
        before, after = measured(group(y), group(after_gift), weighted=False)
        for name in ENTROPIES:
            assert after[name, ""] < before[name, ""], name
        assert after["hoover", ""] <= before["hoover", ""] + 1e-12

    @laws
    @given(st.lists(values, min_size=2, max_size=6), seeds)
    def test_groups_are_independent(self, of_groups: list[Array], seed: int) -> None:
        groups = [group(y, drawn(seed, y.size)[0]) for y in of_groups]
        [together] = dispersion([groups])
        for result, alone in zip(together, measured(*groups), strict=True):
            close(result, alone, 1e-11)
