"""Puts the view and the macros of `questions` into the DuckDB file of a release, with comments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from exports.formats.duckdb import STORAGE
from exports.formats.query_macros import TEXTS, Question, questions
from exports.model.tables import Table
from pipelines.core.sql import identifier, literal


def write(tables: Sequence[Table], languages: Sequence[str], path: Path) -> None:
    """Add to the file at `path`, which holds `tables`, the questions that they can answer."""
    with duckdb.connect() as connection:
        connection.execute(f"attach {literal(path)} as release (storage_version '{STORAGE}')")
        connection.execute("use release")  # names inside a view are those of its own file, under whatever name that is attached
        said = {column.name: column.description for table in tables if table.name == "indicator_values" for column in table.columns}
        for question in questions(tables, languages):
            _write(connection, question, {**said, **TEXTS})
        connection.execute("use memory")
        connection.execute("checkpoint release")
        connection.execute("detach release")


def _write(connection: duckdb.DuckDBPyConnection, question: Question, said: dict[str, str]) -> None:
    name, comment = identifier(question.name), literal(question.description)
    if question.parameters is not None:
        connection.execute(f"create macro {name}({', '.join(question.parameters)}) as table {question.sql}")
        connection.execute(f"comment on macro table {name} is {comment}")
        return
    connection.execute(f"create view {name} as {question.sql}")
    connection.execute(f"comment on view {name} is {comment}")
    for (column,) in connection.execute(f"select column_name from (describe {name})").fetchall():
        connection.execute(f"comment on column {name}.{identifier(column)} is {literal(said[column])}")
