"""Series over time: restated areas, convergence, progress, breaks and peers. The numbers are computed by hand from `decade_pack`."""

from __future__ import annotations

from math import log, sqrt
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from tests.conftest import current_release

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def parquet(decade_home: Path) -> Path:
    return current_release(decade_home) / "parquet"


def ask(parquet: Path, table: str, columns: str, where: str) -> list[tuple[Any, ...]]:
    return duckdb.execute(f"select {columns} from '{parquet}/{table}.parquet' where {where} order by all").fetchall()


def values(parquet: Path, indicator: str, period: str, areas: str) -> dict[str, tuple[float | None, str]]:
    rows = ask(parquet, "indicator_values", "ref_area, obs_value, obs_status", f"indicator = '{indicator}' and time_period = '{period}'")
    return {area: (value, status) for area, value, status in rows if area in areas.split()}


class TestAreaChanges:
    def test_merger_split_and_new_code_are_restated_and_flagged(self, parquet: Path) -> None:
        assert values(parquet, "heads", "2010", "a b c d e old1 old2 e0") == {
            "a": (100 + 50, "E"),
            "b": (200 + 0.25 * 80, "E"),
            "c": (300 + 0.75 * 80, "E"),
            "d": (400, "A"),
            "e": (500, "E"),
        }
        assert values(parquet, "heads", "2015", "a e") == {"a": (160, "A"), "e": (520, "A")}

    def test_restating_keeps_the_total(self, parquet: Path) -> None:
        reported = 100 + 50 + 200 + 300 + 80 + 400 + 500
        assert values(parquet, "heads", "2010", "V X") == {
            "V": (reported, "E"),
            "X": (None, "L"),  # the towns of W report no heads in 2010, so the sum is incomplete
        }

    def test_mean_is_restated_by_its_weights(self, parquet: Path) -> None:
        means = values(parquet, "mean_age", "2010", "a b c d e")
        assert means["a"] == (pytest.approx((100 * 40 + 50 * 46) / 150), "E")
        assert means["b"] == (pytest.approx((200 * 30 + 20 * 32) / 220), "E")
        assert means["c"] == (pytest.approx((300 * 31 + 60 * 32) / 360), "E")
        assert (means["d"], means["e"]) == ((33, "A"), (35, "E"))

    def test_other_measures_pass_on_as_a_whole_only(self, parquet: Path) -> None:
        assert values(parquet, "height", "2010", "a b c d e") == {
            "a": (None, "O"),
            "b": (None, "O"),
            "c": (None, "O"),
            "d": (5, "A"),
            "e": (7, "E"),
        }

    def test_area_is_not_restated_from_a_part_of_its_past(self, parquet: Path) -> None:
        # old1 gave no cars, those of old2 are missing at the source
        assert values(parquet, "cars", "2010", "a b c e") == {"a": (None, "O"), "b": (None, "M"), "c": (None, "M"), "e": (50, "E")}

    def test_counted_rows_are_restated_and_areas_without_rows_add_none(self, parquet: Path) -> None:
        assert values(parquet, "clubs", "2010", "a b c") == {"a": (2, "E"), "b": (1 + 0.25 * 4, "E"), "c": (0.75 * 4, "E")}

    def test_change_over_a_restated_period_is_flagged(self, parquet: Path) -> None:
        assert values(parquet, "growth", "2015", "a d") == {"a": (pytest.approx(100 * (160 - 150) / 150), "E"), "d": (-2.5, "A")}

    def test_observations_of_former_areas_go_to_quarantine(self, decade_home: Path, parquet: Path) -> None:
        quarantine = duckdb.execute(
            f"select source, row_number, reason from '{decade_home}/lake/quarantine/figures/**/*.parquet' order by all"
        ).fetchall()
        assert [(source, reason) for source, _, reason in quarantine] == [
            ("figures", "area old1: not valid on 2015-01-01"),
            ("figures", "area old2: not valid on 2015-01-01"),
        ]
        ends = dict(ask(parquet, "areas", "ref_area, valid_to", "valid_to is not null"))
        assert ends == {"old1": "2015-01-01", "old2": "2015-01-01", "e0": "2015-01-01"}

    def test_wrong_change_is_rejected_with_row_and_reason(self, decade_home: Path) -> None:
        entries = duckdb.execute(
            f"select row_number, reason from '{decade_home}/lake/quarantine/changes/**/*.parquet' order by all"
        ).fetchall()
        assert entries == [
            (6, "area nowhere: unknown"),
            (7, "share 1.5: expected a number above 0 and up to 1"),
            (8, "the change has no day"),
        ]


def convergence(parquet: Path, indicator: str, first: str = "2010", last: str = "2020", within: str = "W") -> dict[str, Any]:
    where = (
        f"indicator = '{indicator}' and within = '{within}' and of_level = 'town' and (first_period, last_period) = ('{first}', '{last}')"
    )
    return {
        s: (value, status, n) for s, value, status, n in ask(parquet, "cohesion_convergence", "statistic, obs_value, obs_status, n", where)
    }


class TestConvergence:
    @pytest.mark.parametrize(("last", "length", "wages"), [("2020", 10, [130, 150, 185, 230, 310]), ("2015", 5, [115, 136, 168, 214, 305])])
    def test_is_the_regression_of_growth_on_the_first_value(self, parquet: Path, last: str, length: int, wages: list[float]) -> None:
        first, end = np.array([100, 120, 150, 200, 300.0]), np.array(wages, dtype=float)
        x, y = np.log(first), np.log(end / first) / length
        (beta, alpha), residuals, *_ = np.polyfit(x, y, 1, full=True)
        expected = {
            "sigma_first": np.log(first).std(),
            "sigma_last": np.log(end).std(),
            "sigma_change": np.log(end).std() - np.log(first).std(),
            "beta": beta,
            "alpha": alpha,
            "beta_se": sqrt(residuals[0] / (5 - 2) / ((x - x.mean()) ** 2).sum()),
            "r2": 1 - residuals[0] / ((y - y.mean()) ** 2).sum(),
            "speed": -log(1 + beta * length) / length,
            "half_life": log(2) / (-log(1 + beta * length) / length),
        }
        statistics = convergence(parquet, "wage", last=last)
        # w6 has no wage in 2010, and does not count
        assert statistics == {name: (pytest.approx(value, rel=1e-9), "A", 5) for name, value in expected.items()}
        assert beta < 0 < statistics["speed"][0]

    def test_diverging_areas_have_no_half_life(self, parquet: Path) -> None:
        statistics = convergence(parquet, "apart")
        assert statistics["speed"][0] < 0 < statistics["sigma_change"][0]
        assert statistics["half_life"] == (None, "Z", 4)

    def test_equal_first_values_have_no_slope(self, parquet: Path) -> None:
        statistics = convergence(parquet, "flat")
        assert statistics["sigma_first"] == (0, "A", 5)
        assert statistics["sigma_last"] == (pytest.approx(np.log([6, 7, 8, 9, 10]).std()), "A", 5)
        assert {statistics[s] for s in ("alpha", "beta", "beta_se", "r2", "speed", "half_life")} == {(None, "Z", 5)}

    def test_is_undefined_without_logarithm_or_with_two_areas(self, parquet: Path) -> None:
        assert set(convergence(parquet, "loss").values()) == {(None, "Z", 3)}
        assert set(convergence(parquet, "heads").values()) == {(None, "L", 0)}

    def test_over_breaks_or_restated_values_is_flagged(self, parquet: Path) -> None:
        assert {status for _, status, _ in convergence(parquet, "rent").values()} == {"B"}
        assert {status for _, status, _ in convergence(parquet, "heads", within="V").values()} <= {"E", "Z"}

    def test_declared_spans_replace_first_and_last_period(self, parquet: Path) -> None:
        assert ask(
            parquet, "cohesion_convergence", "distinct indicator, first_period, last_period", "indicator in ('wage', 'rent', 'cars')"
        ) == [
            ("rent", "2010", "2020"),
            ("wage", "2010", "2015"),
            ("wage", "2010", "2020"),
        ]


def progress(parquet: Path, indicator: str, columns: str = "score, progress, obs_status") -> dict[str, list[Any]]:
    return {
        area: rest for area, *rest in ask(parquet, "progress", f"ref_area, {columns}", f"indicator = '{indicator}' and ref_area like 'w%'")
    }


def growth(first: float, last: float, years: int = 5) -> float:
    return float((last / first) ** (1 / years) - 1)


class TestProgress:
    def test_without_target_is_classed_by_fixed_growth_rates(self, parquet: Path) -> None:
        assert ask(parquet, "progress", "distinct base_period, last_period", "indicator = 'wage'") == [("2015", "2020")]
        scores = progress(parquet, "wage", "growth, growth_required, score, progress, obs_status")
        # 115 to 130 in five years is 2.5 % a year: beyond 2 %, the most that is told apart
        assert scores["w1"] == [pytest.approx(growth(115, 130)), None, 5, "substantial_progress", "A"]
        # 214 to 230 is 1.45 % a year, between 0.5 % (score 0) and 1.5 % (2.5): a line through both
        assert scores["w4"] == [
            pytest.approx(growth(214, 230)),
            None,
            pytest.approx(2.5 * (growth(214, 230) - 0.005) / 0.01),
            "moderate_progress",
            "A",
        ]
        # 305 to 310 is 0.33 %, between 0 (-2.5) and 0.5 % (0)
        assert scores["w5"] == [
            pytest.approx(growth(305, 310)),
            None,
            pytest.approx(-2.5 + 2.5 * growth(305, 310) / 0.005),
            "limited_progress",
            "A",
        ]
        assert scores["w6"] == [None, None, None, None, "O"]

    def test_growth_is_deterioration_where_less_is_better(self, parquet: Path) -> None:
        scores = progress(parquet, "wage_less")
        assert scores["w1"] == [-5, "deterioration", "A"]
        assert scores["w5"] == [pytest.approx(-2.5 - 2.5 * growth(305, 310) / 0.02), "deterioration", "A"]

    def test_with_target_compares_with_the_needed_growth(self, parquet: Path) -> None:
        scores = progress(parquet, "wage_goal", "growth_required, score, progress")

        def pace(first: float, last: float) -> float:
            return growth(first, last) / growth(first, 200, 15)

        # w1 is at two thirds of the pace, w3 ahead of it; from 60 % (score 0) a line to 130 % (5)
        assert 0.6 < pace(115, 130) < 0.95 < pace(168, 185) < 1.7
        assert scores["w1"] == [pytest.approx(growth(115, 200, 15)), pytest.approx(5 * (pace(115, 130) - 0.6) / 0.7), "moderate_progress"]
        assert scores["w3"] == [pytest.approx(growth(168, 200, 15)), 5, "substantial_progress"]
        assert scores["w4"] == [None, None, None]  # 214 of 200 in the first year: nothing was left to achieve

    def test_exact_target_is_missed_by_passing_it(self, parquet: Path) -> None:
        scores = progress(parquet, "wage_met", "growth, score, progress")

        def folded(wage: float) -> float:
            return min(wage, 160 * 160 / wage)

        # 136 to 150 comes nearer; 168 to 185 goes away: as far as 152.4 to 138.4 on the other side
        assert scores["w2"][0] == pytest.approx(growth(136, 150))
        assert scores["w2"][2] == "substantial_progress"
        assert scores["w3"][0] == pytest.approx(growth(folded(168), folded(185)))
        assert scores["w3"][2] == "deterioration"

    def test_is_not_assessed_over_breaks_and_without_direction(self, parquet: Path) -> None:
        assert ask(parquet, "progress", "distinct base_period, obs_status, reason, score", "indicator = 'rent' and ref_area like 'w%'") == [
            ("2010", "M", None, None),  # w6 has no rent
            ("2010", "Z", "break", None),
        ]
        assert progress(parquet, "wage_plain") == {}

    def test_growth_between_different_signs_is_undefined(self, parquet: Path) -> None:
        assert progress(parquet, "loss")["w2"] == [None, None, "Z"]


class TestPeers:
    def test_are_the_nearest_by_standardised_distance(self, parquet: Path) -> None:
        heads, wage = np.array([10, 20, 30, 40, 50.0]), np.array([130, 150, 185, 230, 310.0])
        z = np.column_stack([(v - v.mean()) / v.std() for v in (heads, wage)])

        def distance(a: int, b: int) -> float:
            return float(np.sqrt(((z[a - 1] - z[b - 1]) ** 2).sum()))

        # w6 has no heads in 2020 and is nobody's peer, nor are the towns of V, without wages
        nearest = {1: (2, 3), 2: (1, 3), 3: (2, 4), 4: (3, 5), 5: (4, 3)}
        assert ask(parquet, "peers", "ref_area, position, peer, distance", "true") == [
            (f"w{a}", i + 1, f"w{b}", pytest.approx(distance(a, b))) for a, both in nearest.items() for i, b in enumerate(both)
        ]

    def test_percentile_counts_equals_half_and_is_empty_without_peers(self, parquet: Path) -> None:
        percentiles = dict(ask(parquet, "sustainability", "ref_area, peer_percentile", "component = 'pay' and score is not null"))
        # scores rise from w1 to w6; w1 is below both of its peers, w3 lies between w2 and w4
        assert percentiles == {"w1": 0, "w2": 50, "w3": 50, "w4": 50, "w5": 100, "w6": None}
