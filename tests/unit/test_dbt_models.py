"""The conventions of the dbt project that neither dbt nor sqlfluff checks."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
import yaml

from pipelines.warehouse.statistics import TABLES
from tests.support.one_model import DBT

MODELS = sorted(path for path in (DBT / "models").rglob("*.*") if path.suffix in (".sql", ".py"))
SQL = sorted(path for folder in ("models", "macros", "tests") for path in (DBT / folder).rglob("*.sql"))
REFERENCE = re.compile(r"\{\{ doc\('(\w+)'\) \}\}")
RANK_AS_NUMBER = re.compile(r"rank\)?\s*(?:<>|[<>]=?|=|,|in \()\s*\d")


@pytest.fixture(scope="module")
def descriptions() -> list[str]:
    """Return the description of every column of every model, as it is written."""
    files = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in (DBT / "models").rglob("*.yml")]
    return [column["description"] for file in files for model in file.get("models", []) for column in model["columns"]]


class TestDescriptions:
    def test_repeated_ones_are_docs_blocks(self, descriptions: list[str]) -> None:
        repeated = {text for text, count in Counter(descriptions).items() if count > 1}
        assert [text for text in sorted(repeated) if not REFERENCE.search(text)] == []

    def test_docs_blocks_are_shared(self, descriptions: list[str]) -> None:
        blocks = re.findall(r"\{% docs (\w+) %\}", (DBT / "models" / "docs.md").read_text(encoding="utf-8"))
        uses = Counter(name for text in descriptions for name in REFERENCE.findall(text))
        assert {name for name in blocks if uses[name] < 2} == set()
        assert set(uses) <= set(blocks)


def test_a_model_has_at_most_one_test_of_its_own_and_all_its_rules_are_in_it() -> None:
    for path in (DBT / "models").rglob("*.yml"):
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", []):
            tests = model.get("data_tests", [])
            assert [test["valid"]["name"] for test in tests] in ([], [f"valid_{model['name']}"]), path
            assert not any("data_tests" in column for column in model["columns"]), path
            columns = {column["name"] for column in model["columns"]}
            for rules in (test["valid"]["arguments"] for test in tests):
                named = {
                    name.strip('"')
                    for rule in ("unique_key", "not_null", "accepted_values", "between", "relationships")
                    for name in rules.get(rule, [])
                }
                assert named | {rules.get("value_or_reason")} - {None} <= columns, path


def test_sources_of_statistics_have_the_columns_that_python_writes() -> None:
    types = {pl.String: "string", pl.Float64: "double", pl.Int64: "bigint", pl.Boolean: "boolean"}
    [source] = yaml.safe_load((DBT / "models" / "intermediate" / "statistics.yml").read_text(encoding="utf-8"))["sources"]
    declared = {table["name"]: {c["name"]: c["data_type"] for c in table["columns"]} for table in source["tables"]}
    assert {name: list(columns.items()) for name, columns in declared.items()} == {
        name: [(column, types[type(kind)]) for column, kind in table.schema.items()] for name, table in TABLES.items()
    }


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_model_begins_with_its_grain(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith(("-- grain: one row", '"""Grain: one row'))


@pytest.mark.parametrize(
    ("line", "is_bare"),
    [("status_rank < 11", True), ("coalesce(max(f.any_rank), 11)", True), ("max(status_rank) >= 11", True), ("d.status_rank in (13, 15)", True),
     ("peer_rank <= n", False), ("{{ has_value('status_rank') }}", False)],
)  # fmt: skip
def test_rank_as_number_is_recognised(line: str, is_bare: bool) -> None:
    assert bool(RANK_AS_NUMBER.search(line)) == is_bare


@pytest.mark.parametrize("path", SQL, ids=lambda path: path.stem)
def test_sql_has_no_rank_of_a_status_as_a_number(path: Path) -> None:
    assert [line for line in path.read_text(encoding="utf-8").splitlines() if RANK_AS_NUMBER.search(line)] == []
