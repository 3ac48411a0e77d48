"""The expectations on published tables add to the tests of dbt and do not repeat them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
import yaml

from quality.expectations import EXPECTATIONS, validate_tables
from tests.support.command import PROJECT

DBT_TEST = {
    "ExpectColumnValuesToBeInSet": "accepted_values",
    "ExpectColumnValuesToBeBetween": "between",
    "ExpectColumnValuesToNotBeNull": "not_null",
}


def dbt_tests() -> Iterator[tuple[str, str, str]]:
    """Yield (table, column, name of the test) of the data tests in the YAML of the marts; key columns are tested as not null."""
    for path in (PROJECT / "dbt_project" / "models" / "marts").rglob("*.yml"):
        for model in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]:
            table = model["name"].removeprefix("mart_")
            for column in model["config"]["meta"]["key"]:
                yield table, column, "not_null"
            for test in model["data_tests"]:
                rules = test["valid"]["arguments"]
                for name in set(DBT_TEST.values()) & set(rules):
                    for column in rules[name]:
                        yield table, column, name


class TestExpectations:
    def test_none_repeats_a_dbt_test(self) -> None:
        suites = {(table, e.arguments.get("column"), DBT_TEST.get(e.type)) for table, suite in EXPECTATIONS.items() for e in suite}
        assert suites & set(dbt_tests()) == set()

    def test_tables_exist(self) -> None:
        assert set(EXPECTATIONS) <= {table for table, _, _ in dbt_tests()}


@pytest.mark.slow
class TestValidateTables:
    @pytest.fixture
    def warehouse(self, tmp_path: Any) -> Any:
        path = tmp_path / "warehouse.duckdb"
        with duckdb.connect(str(path)) as connection:
            connection.execute("create schema marts")
            connection.execute("create table marts.area_codes as select 'CZ_1' as ref_area union all select null")
            connection.execute("create table marts.peers as select 1 as position")
        return path

    def test_one_result_per_table(self, warehouse: Any) -> None:
        results = validate_tables(warehouse, ["area_codes", "peers"], {})
        assert [(r.name, r.passed) for r in results] == [("table:area_codes", False), ("table:peers", True)]
        assert "ref_area" in results[0].description

    def test_fails_a_table_that_lost_rows(self, warehouse: Any) -> None:
        [result] = validate_tables(warehouse, ["peers"], {"peers": 2})
        assert not result.passed
        assert "found 1" in result.description

    def test_warns_of_lost_rows_where_another_version_made_the_last_release(self, warehouse: Any) -> None:
        results = validate_tables(warehouse, ["area_codes", "peers"], {"area_codes": 3, "peers": 2}, is_comparable=False)
        assert [(r.name, r.passed, r.severity) for r in results] == [("table:area_codes", False, "error"), ("table:peers", False, "warn")]
        assert results[1].description.endswith("found 1; another version of the software made the last release, so this is a warning")
        assert "row_count" not in results[0].description

    def test_counts_all_rows_and_sees_one_bad_cell(self, tmp_path: Any) -> None:
        path = tmp_path / "warehouse.duckdb"
        with duckdb.connect(str(path)) as connection:
            connection.execute("create schema marts")
            connection.execute("create table marts.coverage as select 10 as expected, 5 as available from range(50000)")
            connection.execute("create table marts.cohesion_dispersion as select '_T' as sex, i % 7 as n from range(50000) t(i)")
            connection.execute("insert into marts.cohesion_dispersion values ('X', 3)")
        coverage, dispersion = validate_tables(path, ["coverage", "cohesion_dispersion"], {"coverage": 50_000}, memory=256 << 20)
        assert coverage.passed, coverage.description
        assert not dispersion.passed
        assert "column sex" in dispersion.description
        assert "['X']" in dispersion.description
