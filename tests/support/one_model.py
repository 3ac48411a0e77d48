"""One SQL model of the warehouse by itself: its text as dbt would hand it to DuckDB, on tables that a test makes up. No dbt, no files."""

from __future__ import annotations

from functools import cache
from typing import Any

import duckdb
import jinja2
import yaml

from tests.support.command import PROJECT

DBT = PROJECT / "dbt_project"
Table = list[dict[str, Any]]


@cache
def variables() -> dict[str, Any]:
    """Return the variables of the dbt project."""
    project = yaml.safe_load((DBT / "dbt_project.yml").read_text(encoding="utf-8"))
    return dict(project["vars"][project["name"]])


@cache
def sql_of(model: str) -> str:
    """Return the SQL of a model, its macros expanded, `ref` being the table of that name."""
    [path] = (DBT / "models").rglob(f"{model}.sql")
    return expanded(path.read_text(encoding="utf-8"))


@cache
def expanded(text: str) -> str:
    """Return SQL with the project's macros expanded."""
    macros = "".join(p.read_text(encoding="utf-8") for p in sorted((DBT / "macros").glob("*.sql")))
    jinja = jinja2.Environment(undefined=jinja2.StrictUndefined, extensions=["jinja2.ext.do"], autoescape=False)
    return jinja.from_string(macros + text).render(ref=lambda name: f'"{name}"', var=variables().__getitem__)


@cache
def _database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


def asked(query: str, tables: dict[str, tuple[str, Table]]) -> Table:
    """Return the rows of `query` over `tables`, each its columns with types (as in CREATE TABLE) and its rows; a column left out is null."""
    database = _database()
    for name, (columns, rows) in tables.items():
        database.execute(f'create or replace table "{name}" ({columns})')
        names = [c.split()[0] for c in columns.split(", ")]
        if rows:
            cells = [[row.get(column) for row in rows] for column in names]
            database.execute(f'insert into "{name}" select ' + ", ".join("unnest(?)" for _ in names), cells)
    found = database.execute(query)
    header = [c[0] for c in found.description]
    return [dict(zip(header, row, strict=True)) for row in found.fetchall()]
