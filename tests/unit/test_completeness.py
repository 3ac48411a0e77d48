"""Indicators with fewer values than in the last release, and indicators that have none although everything they read was observed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from quality.completeness import NO_VALUES, ValueCount, check_empty_indicators, check_fewer_values, count_values

AGES = {"Y0T14": 4, "Y_GE15": 8}
Cell = tuple[str, str, int]
"""A measure, an age, and a year with a value."""


def warehouse(
    folder: Path,
    cells: Iterable[Cell],
    terms: Iterable[tuple[str, int]],
    status: str = "M",
    numerator: float | None = None,
    **formula: Any,
) -> Path:
    """Write what the check reads: one indicator with `terms` (a measure and its lag), without any value, and the observations of `cells`."""
    path = folder / "warehouse.duckdb"
    fields = {"formula": "x", "window_years": None, "window_min": None, "change_years": None, **formula}
    with duckdb.connect(str(path)) as connection:
        for schema in ("marts", "staging", "intermediate", "dimensions"):
            connection.execute(f"create schema {schema}")
        connection.execute("create table marts.areas (area_km2 double)")
        connection.execute("create table marts.indicator_values (indicator text, obs_value double, obs_status text, numerator double)")
        connection.execute("insert into marts.indicator_values values ('i', null, ?, ?)", [status, numerator])
        connection.execute(
            "create table staging.stg_indicators as select 'i' as indicator, ? as formula, ?::int as window_years, ?::int as window_min, "
            "?::int as change_years",
            list(fields.values()),
        )
        connection.execute(
            "create table staging.stg_terms (indicator text, measure text, measure_key int, times text, times_key int, sex text, age text, lag int)"
        )
        names = sorted({measure for measure, _, _ in cells} | {measure for measure, _ in terms})
        for measure, lag in terms:
            connection.execute(
                "insert into staging.stg_terms values ('i', ?, ?, null, null, null, null, ?)", [measure, names.index(measure), lag]
            )
        connection.execute("create table staging.stg_measures (measure_key int, to_period text)")
        connection.execute("create table dimensions.dim_breakdown (breakdown_key int, sex text, age text)")
        for age, key in {"_T": 0, **AGES}.items():
            connection.execute("insert into dimensions.dim_breakdown values (?, '_T', ?)", [key, age])
        connection.execute(
            "create table intermediate.int_reported_observations (measure_key int, period_key int, breakdown_key int, obs_value double)"
        )
        for measure, age, year in cells:
            connection.execute(
                "insert into intermediate.int_reported_observations values (?, ?, ?, 1)",
                [names.index(measure), year * 10_000, AGES.get(age, 0)],
            )
    return path


def fault(path: Path) -> str:
    result = check_empty_indicators(path, count_values(path, None))
    assert (result.name, result.severity, result.passed) == (NO_VALUES, "error", not result.description)
    return result.description


def years(measure: str, *of: int) -> list[Cell]:
    return [(measure, "_T", year) for year in of]


class TestEmptyIndicators:
    def test_measure_by_age_without_a_total_fails(self, tmp_path: Path) -> None:
        cells = [("a", "Y0T14", 2021), ("a", "Y_GE15", 2021), *years("b", 2021)]
        text = fault(warehouse(tmp_path, cells, [("a", 0), ("b", 0)]))
        assert text.startswith("i has no value, although each of its terms has observations: ")
        assert text.endswith("a has no value for all sexes and ages, only for age Y0T14, age Y_GE15")

    def test_terms_that_never_meet_fail(self, tmp_path: Path) -> None:
        assert fault(warehouse(tmp_path, [*years("a", 2021), *years("b", 2022)], [("a", 0), ("b", 0)])).endswith(
            "no period has values of all of them"
        )

    def test_terms_of_different_areas_fail(self, tmp_path: Path) -> None:
        path = warehouse(tmp_path, [*years("a", 2021), *years("b", 2021)], [("a", 0), ("b", 0)], "L")
        assert fault(path).endswith("no area has values of all of them in one period")

    def test_term_without_observations_explains_it(self, tmp_path: Path) -> None:
        assert fault(warehouse(tmp_path, years("a", 2021), [("a", 0), ("b", 0)])) == ""

    @pytest.mark.slow
    @pytest.mark.parametrize(("status", "numerator"), [("Z", 1.0), ("C", None), ("Q", None), ("S", None), ("L", 5.0)])
    def test_status_explains_it(self, status: str, numerator: float | None, tmp_path: Path) -> None:
        assert fault(warehouse(tmp_path, [*years("a", 2021), *years("b", 2021)], [("a", 0), ("b", 0)], status, numerator)) == ""

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("cells", "terms", "formula", "is_explained"),
        [
            ([*years("a", 2021), *years("b", 2021)], [("a", 1), ("b", 0)], {}, True),
            ([*years("a", 2020, 2021), *years("b", 2020, 2021)], [("a", 1), ("b", 0)], {}, False),
            (years("a", 2020, 2021), [("a", 0)], {"window_years": 3, "window_min": 3}, True),
            (years("a", 2019, 2020, 2021), [("a", 0)], {"window_years": 3, "window_min": 3}, False),
            (years("a", 2019, 2021), [("a", 0)], {"change_years": 1}, True),
            (years("a", 2020, 2021), [("a", 0)], {"change_years": 1}, False),
        ],
    )
    def test_years_explain_it_only_if_too_few(
        self, cells: list[Cell], terms: list[tuple[str, int]], formula: dict[str, Any], is_explained: bool, tmp_path: Path
    ) -> None:
        assert (fault(warehouse(tmp_path, cells, terms, **formula)) == "") is is_explained

    def test_indicator_without_a_formula_has_none(self, tmp_path: Path) -> None:
        assert fault(warehouse(tmp_path, [], [], "O", formula="")) == ""


class TestFewerValues:
    def test_counts_new_and_lost_values(self, tmp_path: Path) -> None:
        (tmp_path / "release" / "parquet").mkdir(parents=True)
        before = tmp_path / "release" / "parquet" / "indicator_values.parquet"
        duckdb.execute(f"copy (select * from (values ('i', 1), ('i', 2), ('gone', 1)) as t (indicator, obs_value)) to '{before}'")
        counts = count_values(warehouse(tmp_path, years("a", 2021), [("a", 0)]), tmp_path / "release")
        assert counts == [ValueCount("gone", 0, 1, False), ValueCount("i", 0, 2, True)]
        result = check_fewer_values(counts)
        assert (result.passed, result.severity) == (False, "warn")
        assert result.description == "gone had 1 values and now has 0; i had 2 values and now has 0"
