"""Write the marts of a warehouse as CSV and Parquet files, one row group at a time. Tables that did not change are linked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import polars as pl

from exports.formats import csv, parquet, prepare_table
from exports.formats.prepare_table import PreparedTable
from exports.model import checksums, foreign_keys
from exports.model.connection import Limits
from exports.model.info import FileFacts, ForeignKey, ReleaseInfo
from exports.model.reuse import Reuse, key
from exports.model.tables import Table
from pipelines.core.sql import literal

CATALOG = "warehouse"


@dataclass(frozen=True)
class TableFiles:
    """What was written: rows and guarded text cells by table, size and checksum by file, and the foreign keys that hold."""

    rows: dict[str, int]
    guarded: dict[str, int]
    files: dict[str, FileFacts]
    foreign_keys: list[ForeignKey]


def write(
    warehouse: Path,
    tables: Sequence[Table],
    info: ReleaseInfo,
    folder: Path,
    limits: Limits,
    reuse: Reuse,
    report_progress: Callable[[str], None],
) -> TableFiles:
    """Write csv/<table>.csv and parquet/<table>.parquet to `folder` for each of `tables`. The warehouse is only read."""
    (folder / "csv").mkdir()
    (folder / "parquet").mkdir()
    written = TableFiles({}, {}, {}, [])
    with limits.connect() as connection:
        connection.execute(f"attach {literal(warehouse)} as {CATALOG} (read_only)")
        for table in tables:
            mart = prepare_table.relation(connection, CATALOG, table)
            digest = reuse.digests[table.name] = prepare_table.digest(connection, mart, table)
            paths = [f"{kind}/{table.name}.{kind}" for kind in ("csv", "parquet")]
            if reuse.link(folder, paths, key("table", asdict(table), info.about(), digest.rows, digest.parts)):
                guarded = reuse.guarded_before(table.name)
                report_progress(f"{table.name}: {digest.rows} rows, as in the last release")
            else:
                prepared = PreparedTable(connection, mart, table)
                guarded = prepared.guarded
                _write(prepared, info, *(folder / path for path in paths))
                report_progress(f"{table.name}: {digest.rows} rows")
            reuse.guarded[table.name] = written.guarded[table.name] = guarded
            written.rows[table.name] = digest.rows
            written.files.update({path: reuse.linked.get(path) or checksums.facts(folder / path) for path in paths})
        candidates = foreign_keys.candidates(tables)
        written.foreign_keys.extend(k for k in candidates if _holds(connection, folder / "parquet", k))
    return written


def _write(prepared: PreparedTable, info: ReleaseInfo, csv_path: Path, parquet_path: Path) -> None:
    table = prepared.table
    with (
        csv_path.open("wb") as file,
        parquet.open_writer(parquet_path, table, prepared.schema, prepared.coded, info.about()) as writer,
    ):
        csv.append(pl.DataFrame(schema=[column.name for column in table.columns]), file, header=True)
        for rows in prepared.row_groups():
            csv.append(prepare_table.frame(rows), file, header=False)
            writer.write_table(rows, row_group_size=parquet.ROW_GROUP)


def _holds(connection: duckdb.DuckDBPyConnection, folder: Path, candidate: ForeignKey) -> bool:
    """Whether every value of the referring column is in the other table."""
    referring, referred = (
        f"select distinct {column}::varchar as value from read_parquet({literal(folder / f'{table}.parquet')}) where {column} is not null"
        for table, column in (
            (candidate.table, prepare_table.identifier(candidate.column)),
            (candidate.to_table, prepare_table.identifier(candidate.to_column)),
        )
    )
    query = f"select count(*) from ({referring}) as r anti join ({referred}) as t using (value)"
    return connection.execute(query).fetchall() == [(0,)]
