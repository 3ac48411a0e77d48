"""Write the marts of a warehouse as CSV and Parquet files, one table at a time, so that only one table is in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from exports.formats import csv, parquet, prepare_table
from exports.model import checksums, foreign_keys
from exports.model.info import FileFacts, ForeignKey, ReleaseInfo
from exports.model.tables import Table
from pipelines.core.sql import literal

MEMORY = "512MB"
CATALOG = "warehouse"


@dataclass(frozen=True)
class TableFiles:
    """What was written: rows and guarded text cells by table, size and checksum by file, and the foreign keys that hold."""

    rows: dict[str, int]
    guarded: dict[str, int]
    files: dict[str, FileFacts]
    foreign_keys: list[ForeignKey]


def write(
    warehouse: Path, tables: Sequence[Table], info: ReleaseInfo, folder: Path, spill: Path, report_progress: Callable[[str], None]
) -> TableFiles:
    """Write csv/<table>.csv and parquet/<table>.parquet to `folder` for each of `tables`. The warehouse is only read."""
    (folder / "csv").mkdir()
    (folder / "parquet").mkdir()
    keys = foreign_keys.candidates(tables)
    key_columns = {(k.table, k.column) for k in keys} | {(k.to_table, k.to_column) for k in keys}
    distinct: dict[tuple[str, str], pl.Series] = {}
    written = TableFiles({}, {}, {}, [])
    with duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": str(spill)}) as connection:
        connection.execute(f"attach {literal(warehouse)} as {CATALOG} (read_only)")
        for table in tables:
            prepared = prepare_table.prepare(connection, CATALOG, table)
            for name in (column.name for column in table.columns if (table.name, column.name) in key_columns):
                distinct[table.name, name] = prepared.frame[name].unique().drop_nulls().cast(pl.String)
            csv.write(prepared.frame, folder / "csv" / f"{table.name}.csv")
            parquet.write(prepared.frame, table, folder / "parquet" / f"{table.name}.parquet", info.about())
            written.rows[table.name] = prepared.frame.height
            written.guarded[table.name] = prepared.guarded
            report_progress(f"{table.name}: {prepared.frame.height} rows")
            del prepared
    for name in (f"{kind}/{table.name}.{kind}" for table in tables for kind in ("csv", "parquet")):
        written.files[name] = checksums.facts(folder / name)
    written.foreign_keys.extend(foreign_keys.validate_foreign_keys(keys, distinct))
    return written
