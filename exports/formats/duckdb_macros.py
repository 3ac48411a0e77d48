"""Add the views and macros of `query_macros` to the DuckDB file of a release, with comments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from exports.formats.duckdb import STORAGE
from exports.formats.query_macros import DESCRIPTIONS, Query, queries
from exports.model.connection import Limits
from exports.model.tables import Table
from pipelines.core.sql import identifier, literal


def write(tables: Sequence[Table], languages: Sequence[str], path: Path, limits: Limits) -> None:
    """Add the queries that `tables` can answer to the DuckDB file at `path`."""
    with limits.connect() as connection:
        connection.execute(f"attach {literal(path)} as release (storage_version '{STORAGE}')")
        connection.execute("use release")  # views name their tables without a database: users attach the file under any name
        columns = {column.name: column.description for table in tables if table.name == "indicator_values" for column in table.columns}
        for query in queries(tables, languages):
            _write(connection, query, {**columns, **DESCRIPTIONS})
        connection.execute("use memory")
        connection.execute("checkpoint release")
        connection.execute("detach release")


def _write(connection: duckdb.DuckDBPyConnection, query: Query, descriptions: dict[str, str]) -> None:
    name, comment = identifier(query.name), literal(query.description)
    if query.parameters is not None:
        connection.execute(f"create macro {name}({', '.join(query.parameters)}) as table {query.sql}")
        connection.execute(f"comment on macro table {name} is {comment}")
        return
    connection.execute(f"create view {name} as {query.sql}")
    connection.execute(f"comment on view {name} is {comment}")
    for (column,) in connection.execute(f"select column_name from (describe {name})").fetchall():
        connection.execute(f"comment on column {name}.{identifier(column)} is {literal(descriptions[column])}")
