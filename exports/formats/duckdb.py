"""Write the DuckDB file: the tables of the Parquet files, with comments. The same input gives the same content, but not the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from exports.model.connection import Limits
from exports.model.tables import Table, View
from pipelines.core.sql import identifier, literal

STORAGE = "v1.3.0"
"""DuckDB 1.3 (May 2025) and later can open a file with this storage version, which stores texts in less space."""

MOST_COMMENTED = 500
"""The most columns of a table that get comments: DuckDB copies the whole definition of the table for each, so 5,000 columns took four minutes."""
NO_COMMENTS = "Its columns are described in datapackage.json."


def write(tables: Sequence[Table], parquet: Path, path: Path, limits: Limits, views: Sequence[View] = ()) -> None:
    """Write each of `tables` from `parquet`/<table>.parquet with its rows in the same order, then the `views`."""
    with limits.connect() as connection:
        connection.execute(f"attach {literal(path)} as release (storage_version '{STORAGE}')")
        for table in tables:
            _write_table(connection, table, parquet / f"{table.name}.parquet")
        for view in views:
            _write_view(connection, view)
        connection.execute("checkpoint release")
        connection.execute("detach release")


def _write_table(connection: duckdb.DuckDBPyConnection, table: Table, source: Path) -> None:
    name = f"release.{identifier(table.name)}"
    columns = ", ".join(
        f"{identifier(column.name)} {column.type}{' not null' if column.name in table.key else ''}" for column in table.columns
    )
    connection.execute(f"create table {name} ({columns})")
    connection.execute(f"insert into {name} select * from read_parquet({literal(source)})")
    is_wide = len(table.columns) > MOST_COMMENTED
    description = f"{table.description} Key: {', '.join(table.key)}.{f' {NO_COMMENTS}' if is_wide else ''}"
    connection.execute(f"comment on table {name} is {literal(description)}")
    for column in () if is_wide else table.columns:
        unit = f" Unit: {column.unit}." if column.unit else ""
        connection.execute(f"comment on column {name}.{identifier(column.name)} is {literal(column.description + unit)}")


def _write_view(connection: duckdb.DuckDBPyConnection, view: View) -> None:
    connection.execute("use release")  # the view names its table without a database: users attach the file under any name
    name = identifier(view.name)
    columns = ", ".join(f"{expression} as {identifier(column.name)}" for column, expression in view.columns.items())
    connection.execute(f"create view {name} as select {columns} from {identifier(view.of)} where {view.where}")
    connection.execute(f"comment on view {name} is {literal(view.description)}")
    for column in view.columns:
        connection.execute(f"comment on column {name}.{identifier(column.name)} is {literal(column.description)}")
    connection.execute("use memory")
