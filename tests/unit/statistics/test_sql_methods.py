"""Methods that live in SQL - ratios of sums, changes, gaps, convergence, progress - run on DuckDB as they stand in the dbt project."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.one_model import DBT, Table, asked, expanded, key_of_period, sql_of, variables

laws = settings(max_examples=6, deadline=None)
seeds = st.integers(0, 2**32 - 1)

# --- keys: what the models join by, and the tables that give the names back ---

POSITIONS = {level: position for position, level in enumerate(["lau", "orp", "okres", "nuts0"])}
SEXES: dict[str, int] = variables()["sex_codes"]
INDICATOR, MEASURE = 1, 7
"""The keys of the one indicator and the one measure."""
CELL = "indicator_key integer, area_key integer, period_key integer, breakdown_key integer"


def keys_of(names: Iterable[str]) -> dict[str, int]:
    """Return a key for each name."""
    return {name: key for key, name in enumerate(sorted(set(names)), start=1)}


def names_of(indicators: Mapping[str, int], areas: Mapping[str, int], periods: Iterable[str]) -> dict[str, tuple[str, Table]]:
    """Return the tables that give the names back: of indicators, areas, periods, breakdowns without an age, and levels."""
    return {
        "stg_indicators": (
            "indicator_key integer, indicator varchar, interval_kind varchar",
            [{"indicator_key": k, "indicator": n} for n, k in indicators.items()],
        ),
        "dim_area": (
            "area_key integer, ref_area varchar, level varchar",
            [{"area_key": k, "ref_area": n, "level": "lau"} for n, k in areas.items()],
        ),
        "dim_period": (
            "period_key integer, time_period varchar",
            [{"period_key": key_of_period(p), "time_period": p} for p in sorted(set(periods))],
        ),
        "dim_breakdown": (
            "breakdown_key integer, sex varchar, age varchar",
            [{"breakdown_key": key, "sex": sex, "age": "_T"} for sex, key in SEXES.items()],
        ),
        "stg_levels": ("level varchar, position bigint", [{"level": level, "position": n} for level, n in POSITIONS.items()]),
    }


NO_BREAKS: tuple[str, Table] = ("indicator_key integer, day_number integer", [])
SCALE = 2.0**60
"""The scale of exact sums; the numbers of the tests are small."""

# --- values and roll-up ---


def rolled(children: Table, tree: list[tuple[str, str, str]], weights: dict[str, float] | None = None) -> dict[str, dict[str, Any]]:
    """Return the sums of every area above `children`, by area. `tree` has (area, ancestor, its level)."""
    areas = keys_of([child["ref_area"] for child in children] + [ancestor for _, ancestor, _ in tree])
    cell = {"indicator_key": INDICATOR, "period_key": key_of_period("2021"), "breakdown_key": SEXES["_T"]}
    direct = [{**cell, "status_rank": 1, **child, "area_key": areas[child["ref_area"]]} for child in children]
    result = asked(
        sql_of("int_rolled_values"),
        {
            "int_direct_values": (
                f"{CELL}, numerator double, denominator double, base_numerator double, base_denominator double, status_rank integer",
                direct,
            ),
            "int_indicator_periods": (
                "indicator_key integer, period_key integer, finest_position integer",
                [{**cell, "finest_position": POSITIONS["lau"]}],
            ),
            "int_area_tree": (
                "period_key integer, area_key integer, level_position integer, ancestor_key integer, ancestor_position integer",
                [
                    {
                        **cell,
                        "area_key": areas[a],
                        "level_position": POSITIONS["lau"],
                        "ancestor_key": areas[b],
                        "ancestor_position": POSITIONS[c],
                    }
                    for a, b, c in tree
                ],
            ),
            "int_area_weights": (
                "weight_key integer, period_key integer, area_key integer, weight double",
                [{**cell, "weight_key": MEASURE, "area_key": areas[a], "weight": w} for a, w in (weights or {}).items()],
            ),
            "int_terms": (
                "indicator_key integer, measure_key integer, times_key integer, at_position integer",
                [{"indicator_key": INDICATOR, "measure_key": MEASURE}],
            ),
            "int_indicator_scales": (
                "indicator_key integer, numerator_scale double, denominator_scale double",
                [{"indicator_key": INDICATOR, "numerator_scale": SCALE, "denominator_scale": SCALE}],
            ),
            "stg_indicators": (
                "indicator_key integer, weighted boolean, has_denominator boolean, weight_key integer, is_share boolean",
                [{"indicator_key": INDICATOR, "weighted": False, "has_denominator": True, "weight_key": MEASURE if weights else None}],
            ),
            "stg_measures": (
                "measure_key integer, source varchar, additive boolean, divisible boolean, weighted_by_key integer, is_counted boolean",
                [{"measure_key": MEASURE, "source": "s", "additive": True, "divisible": True, "is_counted": False}],
            ),
            "int_indicator_levels": (
                "indicator_key integer, level_position integer",
                [{"indicator_key": INDICATOR, "level_position": POSITIONS[level]} for level in sorted({c for _, _, c in tree})],
            ),
        },
    )
    names = {key: area for area, key in areas.items()}
    return {names[row["area_key"]]: row for row in result}


class TestRollUpModel:
    def test_by_hand(self) -> None:
        """The example of docs/methods.md: what one of three does not tell lowers coverage by its weight."""
        children = [
            {"ref_area": "a", "numerator": 300.0, "denominator": 1000.0},
            {"ref_area": "b", "numerator": 100.0, "denominator": 8000.0},
            {"ref_area": "c", "denominator": 500.0, "status_rank": 12},
        ]
        tree = [(area, "D", "okres") for area in "abc"]
        district = rolled(children, tree, {"a": 1000, "b": 8000, "c": 500})["D"]
        assert (district["numerator"], district["denominator"], district["children"], district["contributing"]) == (400, 9000, 3, 2)
        assert district["coverage"] == pytest.approx(9000 / 9500)
        # without weights areas count once
        assert rolled(children, tree)["D"]["coverage"] == pytest.approx(2 / 3)

    @laws
    @given(seeds, st.integers(2, 12))
    def test_ratio_is_within_its_parts(self, seed: int, n: int) -> None:
        generator = np.random.default_rng(seed)
        names = [f"a{i}" for i in range(n)]
        numerators, denominators = generator.integers(0, 500, n).astype(float), generator.integers(1, 900, n).astype(float)
        is_present = generator.random(n) < 0.8
        is_present[0] = True
        children = [
            {"ref_area": a, "numerator": x, "denominator": y, "status_rank": 1 if t else 12}
            for a, x, y, t in zip(names, numerators, denominators, is_present, strict=True)
        ]
        # two ways to the state, by orp and by okres; the tree of the warehouse has each ancestor once
        orp, okres = generator.integers(0, 3, n), generator.integers(0, 2, n)
        tree = [(a, f"orp{orp[i]}", "orp") for i, a in enumerate(names)] + [(a, f"okres{okres[i]}", "okres") for i, a in enumerate(names)]
        tree += [(a, "state", "nuts0") for a in names]
        weights = dict(zip(names, denominators, strict=True))
        result = rolled(children, tree, weights)
        state = result["state"]
        assert state["numerator"] == pytest.approx(numerators[is_present].sum())
        assert state["denominator"] == pytest.approx(denominators[is_present].sum())
        assert state["coverage"] == pytest.approx(denominators[is_present].sum() / denominators.sum())
        ratios = numerators[is_present] / denominators[is_present]
        assert ratios.min() - 1e-12 <= state["numerator"] / state["denominator"] <= ratios.max() + 1e-12
        for chain in ("orp", "okres"):
            parts = [row for area, row in result.items() if area.startswith(chain)]
            assert sum(row["numerator"] or 0 for row in parts) == pytest.approx(state["numerator"])
            assert sum(row["contributing"] for row in parts) == state["contributing"]
        order = generator.permutation(n)
        assert rolled([children[i] for i in order], [tree[i] for i in generator.permutation(len(tree))], weights) == result


def created_by_roll_up(parent: dict[str, float], *children: dict[str, float | None], contributing: dict[str, int] | None = None) -> Table:
    """Return what the gate's check finds: `parent` and each of `children` have a value for each sex, None where it is missing."""
    above = 1000
    cell = {"indicator_key": INDICATOR, "period_key": key_of_period("2021")}
    direct = [
        {**cell, "area_key": i, "breakdown_key": SEXES[sex], "numerator": n, "status_rank": 12 if n is None else 1}
        for i, child in enumerate(children) for sex, n in child.items()
    ]  # fmt: skip
    number = contributing or {sex: sum(child[sex] is not None for child in children) for sex in parent}
    rolled_up = [
        {**cell, "area_key": above, "breakdown_key": SEXES[sex], "numerator": n, "contributing": number[sex]} for sex, n in parent.items()
    ]
    return asked(
        expanded((DBT / "tests" / "roll_up_keeps_totals_over_sex.sql").read_text(encoding="utf-8")),
        {
            "int_direct_values": (f"{CELL}, numerator double, denominator double, status_rank integer", direct),
            "int_rolled_values": (f"{CELL}, numerator double, denominator double, contributing integer", rolled_up),
            "int_indicator_periods": (
                "indicator_key integer, period_key integer, finest_position integer",
                [{**cell, "finest_position": POSITIONS["lau"]}],
            ),
            "stg_indicators": ("indicator_key integer, by_sex boolean", [{**cell, "by_sex": True}]),
            "int_area_tree": (
                "period_key integer, area_key integer, level_position integer, ancestor_key integer",
                [{**cell, "area_key": i, "level_position": POSITIONS["lau"], "ancestor_key": above} for i in range(len(children))],
            ),
        },
    )


def test_a_roll_up_that_changes_the_total_over_sex_is_found() -> None:
    children: list[dict[str, float | None]] = [{"M": 1, "F": 2, "_T": 3}, {"M": 10, "F": 20, "_T": 37}]  # 7 of unknown sex
    assert created_by_roll_up({"M": 11, "F": 22, "_T": 40}, *children) == []
    for wrong in ({"M": 11, "F": 22, "_T": 33}, {"M": 11, "F": 22, "_T": 80}, {"M": 22, "F": 22, "_T": 40}):
        [row] = created_by_roll_up({sex: float(n) for sex, n in wrong.items()}, *children)
        assert row["expected_numerator"] == 7


def test_a_roll_up_over_different_areas_is_not_compared() -> None:
    children: list[dict[str, float | None]] = [{"M": 1, "F": 2, "_T": 3}, {"M": None, "F": 20, "_T": 37}]
    assert created_by_roll_up({"M": 1, "F": 22, "_T": 40}, *children) == []


def value(
    numerator: float, denominator: float | None = None, base: tuple[float, float | None] = (0.0, None), **declared: Any
) -> float | None:
    """Return an indicator's value by the macro that every row goes through."""
    query = expanded("select {{ indicator_value('v') }} as value from i, v")
    indicator = {"multiplier": 1.0, "has_denominator": denominator is not None, **declared}
    sums = {"numerator": numerator, "denominator": denominator, "base_numerator": base[0], "base_denominator": base[1]}
    [row] = asked(
        query,
        {
            "i": ("multiplier double, has_denominator boolean, change_kind varchar", [indicator]),
            "v": ("numerator double, denominator double, base_numerator double, base_denominator double", [sums]),
        },
    )
    result = row["value"]
    assert result is None or isinstance(result, float)
    return result


class TestValuesModel:
    def test_by_hand(self) -> None:
        assert value(400, 9000, multiplier=1000.0) == pytest.approx(1000 * 400 / 9000)
        assert value(7) == 7
        assert value(7, 0) is None
        # 30 of 60 after 20 of 80: a half after a quarter
        ends: dict[str, Any] = {"numerator": 30, "denominator": 60, "base": (20, 80)}
        assert value(**ends, multiplier=100.0, change_kind="difference") == pytest.approx(50 - 25)
        assert value(**ends, multiplier=100.0, change_kind="percent") == pytest.approx(100)
        assert value(**ends, change_kind="log_ratio") == pytest.approx(math.log(2))
        # a percentage needs a base above 0, a logarithm both ends
        assert value(30, None, (0, None), change_kind="percent") is None
        assert value(30, None, (-5, None), change_kind="percent") is None
        assert value(-30, None, (5, None), change_kind="percent") == -700
        assert value(0, None, (5, None), change_kind="log_ratio") is None
        assert value(-3, None, (5, None), change_kind="difference") == -8


# --- women and men ---


def gaps(pairs: dict[str, tuple[float | None, float | None]]) -> dict[str, dict[str, Any]]:
    areas = keys_of(pairs)
    rows = [
        {"indicator_key": INDICATOR, "area_key": areas[area], "period_key": key_of_period("2021"), "breakdown_key": SEXES[sex],
         "obs_value": amount, "obs_status": "M" if amount is None else "A"}
        for area, pair in pairs.items()
        for sex, amount in zip("FM", pair, strict=True)
    ]  # fmt: skip
    cells = (f"{CELL}, obs_value double, obs_status varchar", rows)
    result = asked(sql_of("mart_gender_gaps"), {"int_indicator_cells": cells, **names_of({"x": INDICATOR}, areas, ["2021"])})
    return {row["ref_area"]: row for row in result}


class TestGenderGapsModel:
    def test_by_hand(self) -> None:
        result = gaps({"fewer": (30.0, 40.0), "more": (40.0, 30.0), "none": (0.0, 5.0), "only": (5.0, 0.0), "missing": (None, 4.0)})
        fields = ("difference", "ratio", "parity_distance", "obs_status")
        assert [result["fewer"][f] for f in fields] == [-10, 0.75, 0.25, "A"]
        # 1 - 3/4, as far as the other way round
        assert [result["more"][f] for f in fields] == [10, pytest.approx(4 / 3), pytest.approx(0.25), "A"]
        assert [result["none"][f] for f in fields] == [-5, 0, 1, "A"]
        assert [result["only"][f] for f in fields] == [5, None, None, "Z"]
        assert [result["missing"][f] for f in fields] == [None, None, None, "M"]

    @laws
    @given(st.lists(st.tuples(st.integers(1, 999), st.integers(1, 999)), min_size=1, max_size=8), st.sampled_from([0.01, 7.0]))
    def test_symmetry_and_unit_invariance(self, pairs: list[tuple[int, int]], factor: float) -> None:
        is_present = gaps({str(i): (float(f), float(m)) for i, (f, m) in enumerate(pairs)})
        back = gaps({str(i): (factor * m, factor * f) for i, (f, m) in enumerate(pairs)})
        for area, row in is_present.items():
            assert 0 <= row["parity_distance"] < 1
            assert back[area]["parity_distance"] == pytest.approx(row["parity_distance"], abs=1e-12)
            assert back[area]["difference"] == pytest.approx(-factor * row["difference"])
            assert back[area]["ratio"] == pytest.approx(1 / row["ratio"])


# --- convergence ---

FIRST = [100.0, 120.0, 150.0, 200.0, 260.0]


def converged(first: list[float], last: list[float], ends: tuple[str, str] = ("2010", "2020")) -> dict[str, tuple[float | None, str]]:
    """Return value and status of every statistic of convergence between two periods."""
    areas = keys_of(["W"])
    span = {"first_period": key_of_period(ends[0]), "last_period": key_of_period(ends[1])}
    rows = [
        {
            "indicator_key": INDICATOR, "within_key": areas["W"], "level_position": POSITIONS["lau"], **span, "breakdown_key": SEXES["_T"],
            "first_value": a, "last_value": b, "status_rank": 1,
        }
        for a, b in zip(first, last, strict=True)
    ]  # fmt: skip
    result = asked(
        sql_of("mart_cohesion_convergence"),
        {
            "int_convergence_pairs": (
                "indicator_key integer, within_key integer, level_position integer, first_period integer, last_period integer, "
                "breakdown_key integer, first_value double, last_value double, status_rank integer",
                rows,
            ),
            "int_convergence_left": (
                "indicator_key integer, within_key integer, level_position integer, first_period integer, last_period integer, "
                "breakdown_key integer, sd_left_first double, sd_left_last double",
                [],
            ),
            "int_indicator_breaks": NO_BREAKS,
            **names_of({"x": INDICATOR}, areas, ends),
        },
    )
    return {row["statistic"]: (row["obs_value"], row["obs_status"]) for row in result}


def regression(first: list[float], last: list[float], years: float) -> dict[str, float]:
    """Return what least squares by numpy gives, written out without the SQL's sums."""
    x, z = np.log(first), np.log(last)
    y = (z - x) / years
    (beta, alpha), unscaled = np.polyfit(x, y, 1, cov="unscaled")
    residuals = y - alpha - beta * x
    return {
        "sigma_first": x.std(), "sigma_last": z.std(), "sigma_change": z.std() - x.std(), "beta": beta, "alpha": alpha,
        "beta_se": np.sqrt((residuals**2).sum() / (x.size - 2) * unscaled[0, 0]), "r2": 1 - (residuals**2).sum() / ((y - y.mean()) ** 2).sum(),
    }  # fmt: skip


class TestConvergenceModel:
    def test_methods_page_example(self) -> None:
        result = converged(FIRST, [170.0, 150.0, 210.0, 230.0, 300.0])
        assert {name: v for name, (v, _) in result.items()} == pytest.approx(
            {
                "sigma_first": 0.343732667051, "sigma_last": 0.241392871145, "sigma_change": -0.102339795907, "beta": -0.034439312864,
                "alpha": 0.20146536114, "beta_se": 0.0145329148461, "r2": 0.651798251308, "speed": 0.0422193951143, "half_life": 16.4177430464,
            },
            rel=1e-10,
        )  # fmt: skip
        assert {status for _, status in result.values()} == {"A"}

    def test_half_life(self) -> None:
        # every distance from 200 on the scale of logarithms is halved: beta T = -1/2, speed = ln 2 / 10
        last = [200 * (y / 200) ** 0.5 for y in FIRST]
        result = converged(FIRST, last)
        assert result["beta"][0] == pytest.approx(-0.5 / 10)
        assert result["speed"][0] == pytest.approx(math.log(2) / 10)
        assert result["half_life"][0] == pytest.approx(10)
        assert result["r2"][0] == pytest.approx(1)
        sigma = result["sigma_first"][0]
        assert sigma is not None
        assert result["sigma_last"][0] == pytest.approx(sigma / 2)

    def test_no_half_life_when_diverging(self) -> None:
        apart = converged(FIRST, [100.0, 130.0, 160.0, 250.0, 400.0])
        assert apart["speed"][0] == pytest.approx(-0.0352761864601)
        assert apart["half_life"] == (None, "Z")
        # 1 + beta T = 1 - 1.66
        turned = converged(FIRST, [300.0, 240.0, 210.0, 190.0, 150.0])
        assert turned["beta"][0] == pytest.approx(-0.166105838195)
        assert turned["speed"] == turned["half_life"] == (None, "Z")

    def test_equal_values(self) -> None:
        equal = converged([1.0, 2.0, 20.0], [3.0, 3.0, 3.0], ("2010", "2012-07"))
        assert equal["beta"][0] == pytest.approx(-1 / 2.5)
        assert equal["sigma_last"] == (0, "A")
        assert equal["speed"] == equal["half_life"] == (None, "Z")
        alike = converged([1.0, 3.0, 7.0, 11.0], [1.1, 3.3, 7.7, 12.1], ("2010", "2013"))
        assert (alike["beta"], alike["speed"]) == ((0, "A"), (0, "A"))
        assert alike["half_life"] == alike["r2"] == (None, "Z")

    @laws
    @given(seeds, st.integers(3, 15), st.sampled_from([("2011", 1.0), ("2012-07", 2.5), ("2020", 10.0)]))
    def test_is_least_squares(self, seed: int, n: int, end: tuple[str, float]) -> None:
        last_period, years = end
        generator = np.random.default_rng(seed)
        first, last = (generator.integers(1, 5000, n).astype(float).tolist() for _ in "ab")
        result = converged(first, last, ("2010", last_period))
        for name, expected in regression(first, last, years).items():
            assert result[name] == (pytest.approx(expected, rel=1e-7, abs=1e-9), "A"), name
        # another unit, and even one of its own at either end: growth shifts for all alike
        again = converged([3 * y for y in first], [700 * y for y in last], ("2010", last_period))
        for name in ("sigma_first", "sigma_last", "beta", "beta_se", "r2", "speed", "half_life"):
            was, status = result[name]
            assert again[name] == (None if was is None else pytest.approx(was, rel=1e-6, abs=1e-9), status), name


# --- progress ---


def progress(rows: Table) -> list[dict[str, Any]]:
    """Return the progress of each row: direction, target, base and last value, base and last year, kind of interval, whether a change."""
    area, everyone = keys_of(["a"]), SEXES["_T"]
    indicators = [
        {"indicator_key": i, "indicator": str(i), "direction": r["direction"], "target_value": r.get("target"), "multiplier": 100.0,
         "interval_kind": r.get("interval"), "is_change": r.get("is_change", False)}
        for i, r in enumerate(rows)
    ]  # fmt: skip
    years = [(str(r.get("base_year", 2015)), str(r.get("last_year", 2020))) for r in rows]
    ends = [(key_of_period(base), key_of_period(last)) for base, last in years]
    cell = {"area_key": area["a"], "level_position": POSITIONS["lau"], "breakdown_key": everyone}
    names = names_of({}, area, [year for both in years for year in both])
    result = asked(
        sql_of("mart_progress"),
        {
            **names,
            "stg_indicators": (
                "indicator_key integer, indicator varchar, direction varchar, target_value double, multiplier double, interval_kind varchar, "
                "is_change boolean",
                indicators,
            ),
            "int_progress_spans": (
                "indicator_key integer, level_position integer, breakdown_key integer, base_period integer, last_period integer",
                [{**cell, "indicator_key": i, "base_period": base, "last_period": last} for i, (base, last) in enumerate(ends)],
            ),
            "int_indicator_cells": (
                f"{CELL}, level_position integer, obs_value double, obs_status varchar",
                [
                    {**cell, "indicator_key": i, "period_key": period, "obs_value": rows[i][end], "obs_status": "A"}
                    for i, periods in enumerate(ends)
                    for end, period in zip(("base", "last"), periods, strict=True)
                ],
            ),
            "int_indicator_breaks": (
                "indicator_key integer, day_number integer",
                [{"indicator_key": i, "day_number": r["break"]} for i, r in enumerate(rows) if "break" in r],
            ),
        },
    )
    return sorted(result, key=lambda row: int(row["indicator"]))


def open_sdg(row: dict[str, Any]) -> tuple[float | None, str | None]:
    """Return score and class as the Open SDG platform's methodology says (docs/progress-methodology.md of open-sdg/open-sdg)."""
    base, last, target = row["base"] or 0.001, row["last"], row.get("target")
    way = 1 if row["direction"] == "higher_better" else -1
    ends = (row["base"], row["last"])
    if all((target is None and way == -1 and end == 0) or (target is not None and way * (end - target) >= 0) for end in ends):
        return None, None  # this project's own rule: nothing is left to achieve
    if row["base"] == row["last"] == 0 and not (target is not None and way * (last - target) >= 0):
        return None, None  # there is no rate of growth from 0 to 0
    if target is not None and ((way == 1 and last >= target) or (way == -1 and last <= target)):
        return 5.0, "target_achieved"
    years = row.get("last_year", 2020) - row.get("base_year", 2015)
    observed = way * ((last / base) ** (1 / years) - 1)
    if target is None:
        corners, borders, at = [(-0.02, -5.0), (0, -2.5), (0.005, 0), (0.015, 2.5), (0.02, 5.0)], (0.015, 0.005), observed
    else:
        required = abs(((target or 0.001) / base) ** (1 / (2030 - row.get("base_year", 2015))) - 1)
        corners, borders, at = [(-0.6, -5.0), (0.6, 0), (1.3, 5.0)], (0.95, 0.6), observed / required
    high, middle = borders
    name = "substantial" if at >= high else "moderate" if at >= middle else "limited" if at >= 0 else "deterioration"
    score = float(np.interp(at, [x for x, _ in corners], [y for _, y in corners]))
    return score, name if name == "deterioration" else f"{name}_progress"


class TestProgressModel:
    @settings(max_examples=3, deadline=None)
    @given(seeds)
    def test_open_sdg_examples(self, seed: int) -> None:
        generator = np.random.default_rng(seed)
        rows: Table = [
            {
                "direction": ("higher_better", "lower_better")[generator.integers(2)],
                "base": float(generator.integers(0, 200)),
                "last": float(generator.integers(0, 200)),
                "target": None if generator.random() < 0.5 else float(generator.integers(0, 200)) + 0.5,
                "base_year": int(generator.integers(2015, 2019)),
                "last_year": int(generator.integers(2019, 2024)),
            }
            for _ in range(60)
        ]
        for row, result in zip(rows, progress(rows), strict=True):
            score, name = open_sdg(row)
            assert (result["progress"], result["obs_status"]) == (name, "A" if name else "Z"), row
            assert result["score"] == (None if score is None else pytest.approx(score, abs=1e-9)), row

    def test_by_hand(self) -> None:
        doubled = {"direction": "higher_better", "base": 100.0, "last": 100 * 1.01**5}
        result = progress(
            [
                doubled,
                {**doubled, "target": 100 * 1.01**15},
                {**doubled, "target": 100 * 1.02**15},
                {**doubled, "direction": "lower_better"},
            ]
        )
        # 1 % a year lies in the middle between 0.5 % (0) and 1.5 % (2.5)
        assert result[0]["growth"] == pytest.approx(0.01)
        assert (result[0]["score"], result[0]["progress"]) == (pytest.approx(1.25), "moderate_progress")
        # as fast as needed: 1 lies at 0.4/0.7 of the way from 0.6 (0) to 1.3 (5)
        assert result[1]["growth_required"] == pytest.approx(0.01)
        assert (result[1]["score"], result[1]["progress"]) == (pytest.approx(5 * 0.4 / 0.7), "substantial_progress")
        # half as fast as needed: 1.1/1.2 of the way from -0.6 (-5) to 0.6 (0)
        assert (result[2]["score"], result[2]["progress"]) == (pytest.approx(-5 + 5 * 1.1 / 1.2), "limited_progress")
        # the wrong way by 1 % a year: halfway from -2 % (-5) to 0 (-2.5)
        assert (result[3]["score"], result[3]["progress"]) == (pytest.approx(-3.75), "deterioration")

    def test_is_not_assessed_with_a_reason(self) -> None:
        higher, lower = ({"direction": direction, "base": 50.0, "last": 60.0} for direction in ("higher_better", "lower_better"))
        share = {**higher, "interval": "proportion"}
        rows: dict[str | None, Table] = {
            "change": [{**higher, "is_change": True}, {**higher, "is_change": True, "base": -1.0}],
            "break": [{**higher, "break": 20180101}, {**higher, "break": 20200101}],
            "nothing_to_achieve": [
                {**higher, "base": 100.0, "last": 100.0, "target": 100.0}, {**higher, "base": 110.0, "last": 105.0, "target": 100.0},
                {**lower, "base": 10.0, "last": 9.0, "target": 20.0}, {**lower, "base": 0.0, "last": 0.0},
                {"direction": "target", "base": 50.0, "last": 50.0, "target": 50.0},
                {**share, "base": 100.0, "last": 100.0}, {**share, "base": 98.0, "last": 99.0},
            ],
            "undefined_growth": [{**higher, "base": -1.0}],
            None: [
                higher, lower, {**higher, "break": 20150101}, {**higher, "break": 20210101}, {**share, "base": 97.0, "last": 98.0},
                {**higher, "base": 98.0, "last": 98.0}, {**higher, "target": 100.0, "base": 99.5, "last": 99.6},
            ],
        }  # fmt: skip
        results = iter(progress([row for of_reason in rows.values() for row in of_reason]))
        for reason, of_reason in rows.items():
            for row in of_reason:
                result = next(results)
                assert (result["reason"], result["obs_status"]) == (reason, "A" if reason is None else "Z"), row
                assert (result["score"] is None) == (result["progress"] is None) == (reason is not None), row

    def test_area_that_had_nothing_to_achieve_and_fell_away_has_deteriorated(self) -> None:
        rows: Table = [
            {"direction": "higher_better", "base": 100.0, "last": 90.0, "target": 100.0},
            {"direction": "higher_better", "base": 110.0, "last": 90.0, "target": 100.0},
            {"direction": "lower_better", "base": 0.0, "last": 10.0},
            {"direction": "lower_better", "base": 0.0, "last": 10.0, "target": 0.0},
            {"direction": "target", "base": 50.0, "last": 40.0, "target": 50.0},
            {"direction": "higher_better", "base": 100.0, "last": 96.0, "interval": "proportion"},
        ]
        for row, result in zip(rows, progress(rows), strict=True):
            assert (result["progress"], result["obs_status"], result["reason"]) == ("deterioration", "A", None), row
            assert -5 <= result["score"] < -2.5, row

    def test_no_growth_rate_from_zero_to_zero(self) -> None:
        """A village that never had anything has not lost it."""
        (row,) = progress([{"direction": "higher_better", "base": 0.0, "last": 0.0}])
        assert (row["progress"], row["growth"], row["score"], row["obs_status"], row["reason"]) == (
            None,
            None,
            None,
            "Z",
            "undefined_growth",
        )

    def test_no_growth_rate_across_zero(self) -> None:
        [result] = progress([{"direction": "higher_better", "base": -5.0, "last": 5.0}])
        assert (result["growth"], result["score"], result["progress"], result["obs_status"]) == (None, None, None, "Z")


# --- comparisons and trends ---


def compared(rows: Table, state: float | None) -> dict[str, dict[str, Any]]:
    """Return the comparisons with the state by area; each row has an area, a value, its denominator, and the bounds of its interval."""
    areas, year = keys_of([*(row["ref_area"] for row in rows), "CZ"]), key_of_period("2021")
    cell = {"indicator_key": INDICATOR, "period_key": year, "breakdown_key": SEXES["_T"]}
    rows = [*rows, {"ref_area": "CZ", "obs_value": state, "denominator": 1e6, "lower_95": state, "upper_95": state}]
    cells = [{**cell, **row, "area_key": areas[row["ref_area"]], "level_position": POSITIONS["lau"]} for row in rows]
    bounds = [{**c, "lower_998": c.get("lower_95"), "upper_998": c.get("upper_95")} for c in cells]
    names = names_of({"i": INDICATOR}, areas, ["2021"])
    result = asked(
        sql_of("mart_comparisons"),
        {
            **names,
            "stg_indicators": (
                "indicator_key integer, indicator varchar, direction varchar, target_value double, multiplier double, interval_kind varchar",
                [{"indicator_key": INDICATOR, "indicator": "i", "direction": "none", "multiplier": 100.0, "interval_kind": "proportion"}],
            ),
            "int_indicator_cells": (f"{CELL}, level_position integer, obs_value double, numerator double, denominator double", cells),
            "int_intervals": (f"{CELL}, lower_95 double, upper_95 double, lower_998 double, upper_998 double", bounds),
            "int_area_tree": (
                "period_key integer, area_key integer, ancestor_key integer, ancestor_position integer",
                [
                    {"period_key": year, "area_key": c["area_key"], "ancestor_key": areas["CZ"], "ancestor_position": POSITIONS["nuts0"]}
                    for c in cells[:-1]
                ],
            ),
            "int_peers": ("ref_area varchar, peer varchar", []),
        },
    )
    return {row["ref_area"]: row for row in result if row["against"] == "CZ"}


def test_few_people_are_not_compared_and_the_reason_is_given() -> None:
    rows: Table = [
        {"ref_area": "nine", "obs_value": 100.0, "denominator": 9.0, "lower_95": 70.0, "upper_95": 100.0},
        {"ref_area": "ten", "obs_value": 100.0, "denominator": 10.0, "lower_95": 72.0, "upper_95": 100.0},
        {"ref_area": "none", "obs_value": None, "denominator": 0.0},
        {"ref_area": "beyond", "obs_value": 110.0, "denominator": 20.0},
    ]
    outcomes = {area: (row["outcome"], row["reason"]) for area, row in compared(rows, 30.0).items()}
    assert outcomes == {
        "nine": ("not_compared", "too_few"),
        "ten": ("higher", None),
        "none": ("not_compared", "no_value"),
        "beyond": ("not_compared", "no_interval"),
    }
    assert {row["reason"] for row in compared(rows[1:2], None).values()} == {"no_reference"}
