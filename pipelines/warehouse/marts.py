"""The marts of a built warehouse: the tables to publish with their descriptions, and the contents of its relations."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

from exports.model.tables import Column, Table
from pipelines.core.workspace import WorkspaceFolder
from pipelines.warehouse.dbt import PROJECT_DIR, data_tests

PREVIEW_COLUMNS = 12


def published_tables(manifest: dict[str, Any], warehouse: Path) -> list[Table]:
    """Return the tables of the marts with the descriptions of dbt's YAML.

    A column that the declarations add is described by its indicator or language.
    """
    marts = [n for n in manifest["nodes"].values() if n["resource_type"] == "model" and n["schema"] == "marts"]
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        titles = {
            name: (title, unit)
            for name, title, unit in connection.execute(
                "select indicator, (titles ->> '$.*')[1], unit from staging.stg_indicators"
            ).fetchall()
        }
        columns = connection.execute(
            "select table_name, column_name, data_type from duckdb_columns() where schema_name = 'marts' order by table_name, column_index"
        ).fetchall()
    tested = _tested_columns(manifest)
    return sorted((_table(node, columns, titles, tested) for node in marts), key=lambda t: t.name)


def _tested_columns(manifest: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the bounds and the allowed values of columns by (model, column), as the data tests check them."""
    tested: dict[tuple[str, str], dict[str, Any]] = {}
    for node in data_tests(manifest):
        test = node.get("test_metadata") or {}
        if test.get("name") != "valid" or node["config"].get("meta", {}).get("gate") == "warn" or node["config"].get("where"):
            continue  # a test that only warns, or that skips rows, guarantees nothing
        model, rules = node["attached_node"], test["kwargs"]
        for column, (low, high) in rules.get("between", {}).items():
            tested.setdefault((model, column), {}).update(minimum=low, maximum=high)
        for column, values in rules.get("accepted_values", {}).items():
            tested.setdefault((model, column), {}).update(values=tuple(_rendered(values)))
    return tested


def _rendered(argument: Any) -> Any:
    """Return an argument of a data test. The manifest holds `{{ var('name') }}` unrendered; the project file has the value."""
    match = re.fullmatch(r"\{\{\s*var\('(\w+)'\)\s*\}\}", argument) if isinstance(argument, str) else None
    return _variables()[match[1]] if match else argument


@lru_cache(maxsize=1)
def _variables() -> dict[str, Any]:
    project = yaml.safe_load((PROJECT_DIR / "dbt_project.yml").read_text(encoding="utf-8"))
    return dict(project["vars"][project["name"]])


def _table(
    node: dict[str, Any],
    mart_columns: Iterable[tuple[str, str, str]],
    titles: Mapping[str, tuple[str, str]],
    tested: Mapping[tuple[str, str], dict[str, Any]],
) -> Table:
    described = node["columns"]
    columns = []
    for table, name, kind in mart_columns:
        if table != node["alias"]:
            continue
        spec = described.get(name, {})
        text, unit = (spec["description"], None) if spec.get("description") else _dynamic(name, titles)
        unit = unit or spec.get("config", {}).get("meta", {}).get("unit") or spec.get("meta", {}).get("unit")
        limits = tested.get((node["unique_id"], name), {})
        columns.append(Column(name, "BIGINT" if kind in ("INTEGER", "HUGEINT") else kind, text, unit, **limits))
    meta = node["config"].get("meta", {})
    return Table(node["alias"], " ".join(node["description"].split()), tuple(columns), tuple(meta["key"]), meta.get("view_of"))


def _dynamic(name: str, titles: Mapping[str, tuple[str, str]]) -> tuple[str, str | None]:
    """Return description and unit of a column that the declarations add: an indicator's title and unit, or a text in one language."""
    if name in titles:
        return titles[name]
    kind, _, language = name.partition("_")
    return f"{kind.capitalize()} in language {language}", None


@dataclass(frozen=True)
class Content:
    """The number of rows of a relation; for a published one also the first rows as a Markdown table."""

    rows: int
    preview: str = ""


def contents(workspace: WorkspaceFolder, names: Collection[str]) -> dict[str, Content]:
    """Return the contents of the relations of these names that dbt has built."""
    if not workspace.warehouse.is_file():
        return {}
    with duckdb.connect(str(workspace.warehouse), read_only=True) as connection:
        relations = connection.execute("select table_schema, table_name from information_schema.tables").fetchall()
        return {name: _content(connection, schema, name) for schema, name in relations if name in names}


def _content(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> Content:
    rows = connection.execute(f"select count(*) from {schema}.{name}").fetchall()[0][0]
    if schema != "marts":
        return Content(rows)
    head_rows = connection.execute(f"select * from {schema}.{name} limit 5")
    head = [column[0] for column in head_rows.description or []][:PREVIEW_COLUMNS]
    lines = [head, ["---"] * len(head), *(row[:PREVIEW_COLUMNS] for row in head_rows.fetchall())]
    return Content(rows, "\n".join("| " + " | ".join("" if cell is None else str(cell) for cell in line) + " |" for line in lines))
