"""The DuckDB file: the tables of the Parquet files, with comments. Its content is the same every time, its bytes need not be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from exports.sql import identifier, literal
from exports.tables import Table

STORAGE = "v1.0.0"
"""Every DuckDB from 1.0 on opens a file of this storage version."""
MEMORY = "512MB"


def write(tables: Sequence[Table], parquet: Path, path: Path, spill: Path) -> None:
    """Write a table for each of `tables` from `parquet`/<table>.parquet, in the order of its rows, keys not null."""
    with duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": str(spill)}) as connection:
        connection.execute(f"attach {literal(path)} as release (storage_version '{STORAGE}')")
        for table in tables:
            _write_table(connection, table, parquet / f"{table.name}.parquet")
        connection.execute("checkpoint release")
        connection.execute("detach release")


def _write_table(connection: duckdb.DuckDBPyConnection, table: Table, source: Path) -> None:
    name = f"release.{identifier(table.name)}"
    columns = ", ".join(
        f"{identifier(column.name)} {column.type}{' not null' if column.name in table.key else ''}" for column in table.columns
    )
    connection.execute(f"create table {name} ({columns})")
    connection.execute(f"insert into {name} select * from read_parquet({literal(source)})")
    description = f"{table.description} Key: {', '.join(table.key)}."
    connection.execute(f"comment on table {name} is {literal(description)}")
    for column in table.columns:
        unit = f" Unit: {column.unit}." if column.unit else ""
        connection.execute(f"comment on column {name}.{identifier(column.name)} is {literal(column.description + unit)}")
