"""The column `sources` of a value names the sources of everything that it reads, also of earlier years, and also one that is down."""

from __future__ import annotations

from typing import Any

from tests.support.one_model import Table, asked, key_of_period, sql_of

MEASURES = {"births": 1, "people": 2}
SOURCES = {"office": 0, "town": 1}


def sources(
    terms: list[tuple[str, int]], observed: list[tuple[str, str, str]], down: list[tuple[str, str | None]] | None = None, **formula: Any
) -> str:
    """Return `sources` of the value of 2021. `terms` are measures with lags, `observed` measures with years and sources.

    The town fills births, the office fills people.
    """
    fills = {"town": "births", "office": "people"}
    tables: dict[str, tuple[str, Table]] = {
        "stg_terms": (
            "indicator_key int, lag int, measure_key int, times_key int",
            [{"indicator_key": 1, "lag": lag, "measure_key": MEASURES[measure]} for measure, lag in terms],
        ),
        "int_observations": (
            "measure_key int, period_key int, source_position smallint",
            [{"measure_key": MEASURES[m], "period_key": key_of_period(y), "source_position": SOURCES[s]} for m, y, s in observed],
        ),
        "stg_sources": ("source varchar, position int", [{"source": s, "position": p} for s, p in SOURCES.items()]),
        "stg_measures": (
            "measure varchar, measure_key int, source varchar, source_position bigint, to_period varchar",
            [{"measure_key": MEASURES[m], "source": s, "source_position": SOURCES[s]} for s, m in fills.items()],
        ),
        "stg_observations": ("source varchar, measure varchar, ref_area varchar, time_period varchar, note varchar", []),
        "int_intervals": (
            "indicator_key int, area_key int, period_key int, breakdown_key int, lower_95 double, upper_95 double, lower_998 double, "
            "upper_998 double",
            [],
        ),
        "stg_down": ("source varchar, time_period varchar", [{"source": s, "time_period": p} for s, p in down or []]),
        "int_window_years": (
            "indicator_key int, years_back int",
            [{"indicator_key": 1, "years_back": year} for year in range(formula.get("window_years", 1))],
        ),
        "int_indicator_periods": ("indicator_key int, period_key int", [{"indicator_key": 1, "period_key": key_of_period("2021")}]),
        "stg_indicators": (
            "indicator varchar, indicator_key int, unit varchar, has_denominator boolean, change_years int",
            [{"indicator": "i", "indicator_key": 1, "change_years": formula.get("change_years")}],
        ),
        "int_indicator_cells": (
            "indicator_key int, area_key int, period_key int, breakdown_key int, obs_value double, obs_status varchar, numerator double, "
            "denominator double, coverage double",
            [{"indicator_key": 1, "area_key": 1, "period_key": key_of_period("2021"), "breakdown_key": 0}],
        ),
        "int_value_notes": ("indicator_key int, area_key int, period_key int, note varchar, note_always varchar", []),
        "dim_area": ("area_key int, ref_area varchar, level varchar", [{"area_key": 1, "ref_area": "a", "level": "town"}]),
        "dim_breakdown": ("breakdown_key int, sex varchar, age varchar", [{"breakdown_key": 0, "sex": "_T", "age": "_T"}]),
        "dim_period": ("period_key int, time_period varchar", [{"period_key": key_of_period("2021"), "time_period": "2021"}]),
    }
    read = asked(sql_of("int_read_periods"), tables)
    tables["int_read_periods"] = ("indicator_key int, period_key int, measure_key int, at_period int", read)
    [row] = asked(sql_of("mart_indicator_values"), tables)
    return str(row["sources"])


class TestSources:
    def test_of_all_terms_in_the_period(self) -> None:
        assert sources([("births", 0), ("people", 0)], [("births", "2021", "town"), ("people", "2021", "office")]) == "office;town"

    def test_of_the_year_that_a_lag_reads(self) -> None:
        assert sources([("births", 0), ("people", 1)], [("births", "2021", "town"), ("people", "2020", "office")]) == "office;town"
        assert sources([("births", 0), ("people", 1)], [("births", "2021", "town"), ("people", "2021", "office")]) == "town"

    def test_of_all_years_of_a_window(self) -> None:
        observed = [("births", "2021", "town"), ("births", "2019", "office")]
        assert sources([("births", 0)], observed, window_years=3) == "office;town"
        assert sources([("births", 0)], observed, window_years=2) == "town"

    def test_of_the_base_of_a_change(self) -> None:
        assert sources([("births", 0)], [("births", "2021", "town"), ("births", "2016", "office")], change_years=5) == "office;town"

    def test_of_a_source_that_is_down(self) -> None:
        births, both = [("births", "2021", "town")], [("births", 0), ("people", 0)]
        assert sources(both, births, [("office", "2021")]) == "office;town"
        assert sources(both, births, [("office", None)]) == "office;town"
        assert sources(both, births, [("office", "2020")]) == "town"
