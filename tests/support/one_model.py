"""SQL models of the warehouse by themselves: their text as dbt would hand it to DuckDB, on tables that a test makes up. No dbt, no files."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import duckdb
import jinja2
import yaml

from tests.support.command import PROJECT

DBT = PROJECT / "dbt_project"
Table = list[dict[str, Any]]
MACRO = re.compile(r"(\{%-?\s*macro\s+)(\w+)")
PREFIX = "macro__"
"""Before the names of macros in their templates, so that a call of one by another goes through `Macros.call`."""


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
    """Return SQL with the project's macros expanded, as for DuckDB."""
    return _macros().environment.from_string(text).render()


@cache
def key_of_period(period: str) -> int:
    """Return the key of a period by the macro of the project: 20210000 for `2021`."""
    [row] = asked(expanded("select {{ period_key(\"'" + period + "'\") }} as key"), {})
    return int(row["key"])


class _ReturnedError(Exception):
    """What `return` in a macro raises, with the value: dbt's way to give anything but text."""

    def __init__(self, value: Any) -> None:
        self.value = value


class Macros:
    """The macros of the project, and what dbt adds to them; `more` are further ones, or others in their place."""

    def __init__(self, **more: Callable[..., Any]) -> None:
        self.environment = jinja2.Environment(undefined=jinja2.StrictUndefined, extensions=["jinja2.ext.do"], autoescape=False)
        text = "".join(path.read_text(encoding="utf-8") for path in sorted((DBT / "macros").glob("*.sql")))
        self.environment.globals |= {
            **{name: self._caller(name) for _, name in MACRO.findall(text)},
            "adapter": self,
            "config": lambda **_: "",
            "ref": lambda name: f'"{name}"',
            "var": variables().__getitem__,
            "in_scope": lambda *_: "true",  # as for the first run of a workspace
            "return": self._leave,
            **more,
        }
        self.module = self.environment.from_string(MACRO.sub(rf"\g<1>{PREFIX}\g<2>", text)).module

    def dispatch(self, name: str) -> Callable[..., Any]:
        """Return the macro for DuckDB, as dbt's adapter does."""
        return self._caller(f"default__{name}")

    def _caller(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            try:
                return getattr(self.module, PREFIX + name)(*arguments, **named)
            except _ReturnedError as returned:
                return returned.value

        return call

    @staticmethod
    def _leave(value: Any) -> None:
        raise _ReturnedError(value)


@cache
def _macros() -> Macros:
    return Macros()


@cache
def _database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


def fill(database: duckdb.DuckDBPyConnection, tables: dict[str, tuple[str, Table]], schema: str = "main") -> None:
    """Create `tables`, each its columns with types (as in CREATE TABLE) and its rows; a column left out is null."""
    for name, (columns, rows) in tables.items():
        database.execute(f'create or replace table {schema}."{name}" ({columns})')
        names = [c.split()[0] for c in columns.split(", ")]
        if rows:
            cells = [[row.get(column) for row in rows] for column in names]
            database.execute(f'insert into {schema}."{name}" select ' + ", ".join("unnest(?)" for _ in names), cells)


def asked(query: str, tables: dict[str, tuple[str, Table]]) -> Table:
    """Return the rows of `query` over `tables` (see `fill`)."""
    database = _database()
    fill(database, tables)
    return rows_of(database.execute(query))


def rows_of(result: duckdb.DuckDBPyConnection) -> Table:
    """Return the rows of a result, each by the names of its columns."""
    header = [c[0] for c in result.description]
    return [dict(zip(header, row, strict=True)) for row in result.fetchall()]
