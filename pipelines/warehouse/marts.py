"""The marts of a built warehouse: the tables to publish with their descriptions, and the contents of its relations."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

from exports.model.tables import Column, Table
from pipelines.core.code_texts import LANGUAGES, UNITS
from pipelines.core.workspace import WorkspaceFolder
from pipelines.warehouse.dbt import PROJECT_DIR, data_tests

PREVIEW_COLUMNS = 12
TEXT_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "cs": {
        "title": "Název",
        "description": "Popis",
        "unit": "Jednotka",
        "needed": "Potřebné údaje, které se nezjišťují",
        "supplier": "Kdo potřebné údaje má",
        "note": "Poznámka",
        "text": "Text",
    }
}
"""By language: what the columns hold that have a text in one language of the pack, by the beginning of their names."""


def published_tables(manifest: dict[str, Any], warehouse: Path) -> list[Table]:
    """Return the tables of the marts with the descriptions of dbt's YAML.

    A column that the declarations add is described by its indicator or language.
    """
    marts = [n for n in manifest["nodes"].values() if n["resource_type"] == "model" and n["schema"] == "marts"]
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        indicators = {
            name: _Indicator(json.loads(titles), unit, json.loads(units or "{}"))
            for name, titles, unit, units in connection.execute(
                "select indicator, titles, unit, units from staging.stg_indicators"
            ).fetchall()
        }
        columns = connection.execute(
            "select table_name, column_name, data_type from duckdb_columns() where schema_name = 'marts' order by table_name, column_index"
        ).fetchall()
    tested = _tested_columns(manifest)
    blocks = _blocks(manifest)
    return sorted((_table(node, columns, indicators, tested, blocks) for node in marts), key=lambda t: t.name)


@dataclass(frozen=True)
class _Block:
    """A description that several columns share, with its translations by language."""

    text: str
    translations: Mapping[str, str]


def _blocks(manifest: dict[str, Any]) -> dict[str, _Block]:
    """Return the blocks of descriptions by name. The block `indicator_cs` translates the block `indicator`."""
    texts = {block["name"]: " ".join(block["block_contents"].split()) for block in manifest["docs"].values()}
    translations = {name: {lang: texts[f"{name}_{lang}"] for lang in LANGUAGES if f"{name}_{lang}" in texts} for name in texts}
    return {name: _Block(text, translations[name]) for name, text in texts.items()}


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


@dataclass(frozen=True)
class _Indicator:
    """An indicator that is a column: its titles and units by language, and the unit without a language."""

    titles: Mapping[str, str]
    unit: str | None
    units: Mapping[str, str]


def _table(
    node: dict[str, Any],
    mart_columns: Iterable[tuple[str, str, str]],
    indicators: Mapping[str, _Indicator],
    tested: Mapping[tuple[str, str], dict[str, Any]],
    blocks: Mapping[str, _Block],
) -> Table:
    columns = []
    for table, name, kind in mart_columns:
        if table == node["alias"]:
            about = _described(node["columns"].get(name, {}), blocks) or _dynamic(name, indicators)
            limits = tested.get((node["unique_id"], name), {})
            columns.append(Column(name, "BIGINT" if kind in ("INTEGER", "HUGEINT") else kind, **about, **limits))
    meta = node["config"].get("meta", {})
    description = " ".join(node["description"].split())
    return Table(node["alias"], description, tuple(columns), tuple(meta["key"]), meta.get("view_of"), _stated_translations(meta))


def _described(spec: Mapping[str, Any], blocks: Mapping[str, _Block]) -> dict[str, Any]:
    """Return description, unit and translations as dbt's YAML has them; nothing if it does not describe the column.

    A description that is a block and nothing else has the translations of the block. `meta` has those of any other one.
    """
    if not spec.get("description"):
        return {}
    meta = {**spec.get("meta", {}), **spec.get("config", {}).get("meta", {})}
    used = [blocks[block.rpartition(".")[2]] for block in spec.get("doc_blocks", [])]
    of_block = used[0].translations if len(used) == 1 and " ".join(spec["description"].split()) == used[0].text else {}
    units = UNITS.get(meta.get("unit", ""), ())
    return {
        "description": spec["description"],
        "unit": meta.get("unit"),
        "translations": {**of_block, **_stated_translations(meta)},
        "unit_translations": dict(zip(LANGUAGES[1:], units[1:], strict=False)),
    }


def _stated_translations(meta: Mapping[str, Any]) -> dict[str, str]:
    return {language: meta[f"description_{language}"] for language in LANGUAGES if f"description_{language}" in meta}


def _dynamic(name: str, indicators: Mapping[str, _Indicator]) -> dict[str, Any]:
    """Return the same of a column that the declarations add: an indicator's title and unit, or a text in one language."""
    if indicator := indicators.get(name):
        title = indicator.titles.get("en") or next(iter(indicator.titles.values()))
        return {
            "description": title,
            "unit": indicator.units.get("en") or indicator.unit,
            "translations": {language: text for language, text in indicator.titles.items() if language != "en"},
            "unit_translations": {language: text for language, text in indicator.units.items() if language != "en"},
        }
    kind, _, language = name.partition("_")
    translations = {of: f"{texts[kind]} ({language})" for of, texts in TEXT_COLUMNS.items() if kind in texts}
    return {"description": f"{kind.capitalize()} in language {language}", "translations": translations}


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
