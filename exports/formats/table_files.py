"""Write the marts of a warehouse as CSV and Parquet files, one row group at a time. Tables that did not change are linked."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import duckdb
import polars as pl

from exports.formats import csv, parquet, prepare_table
from exports.formats.prepare_table import PreparedTable
from exports.model import checksums, foreign_keys
from exports.model.connection import Limits
from exports.model.info import FileFacts, ForeignKey, ReleaseInfo
from exports.model.reuse import KeptRows, Ranges, Reuse, TableDigest, TableNote, key
from exports.model.tables import TRANSIENT, Table
from pipelines.core.sql import identifier, literal

CATALOG = "warehouse"


@dataclass(frozen=True)
class TableFiles:
    """What was written: rows and guarded text cells by table, size and checksum by file, and the foreign keys that hold.

    `content` has what size and checksum of some files would be without the values of transient columns.
    """

    rows: dict[str, int]
    guarded: dict[str, int]
    files: dict[str, FileFacts]
    foreign_keys: list[ForeignKey]
    content: dict[str, FileFacts]


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
    written = TableFiles({}, {}, {}, [], {})
    with limits.connect() as connection:
        connection.execute(f"attach {literal(warehouse)} as {CATALOG} (read_only)")
        for table in tables:
            mart = prepare_table.relation(connection, CATALOG, table)
            before = reuse.before(table.name)
            description = asdict(table)
            keys = {part: key(description, inputs) for part, inputs in reuse.part_keys.get(table.name, {}).items()}
            digest = prepare_table.digest(connection, mart, table, before, keys)
            paths = [f"{kind}/{table.name}.{kind}" for kind in ("csv", "parquet")]
            if reuse.link(folder, paths, key("table", description, info.about(), digest.rows, digest.parts)) and before:
                note = replace(before, part_keys=keys)
                report_progress(f"{table.name}: {digest.rows} rows, as in the last release")
            else:
                kept = reuse.kept_rows(table.name, digest)
                prepared = PreparedTable(connection, mart, table, digest, kept)
                ranges = _write(prepared, kept, info, *(folder / path for path in paths))
                note = TableNote(digest, prepared.guarded, ranges, keys)
                report_progress(f"{table.name}: {digest.rows} rows")
            reuse.tables[table.name] = note
            written.guarded[table.name] = note.guarded
            written.rows[table.name] = digest.rows
            written.files.update({path: reuse.linked.get(path) or checksums.facts(folder / path) for path in paths})
            written.content.update(_content(connection, mart, table, digest, info, folder))
        candidates = foreign_keys.candidates(tables)
        written.foreign_keys.extend(k for k in candidates if _holds(connection, folder / "parquet", k))
    return written


def _content(
    connection: duckdb.DuckDBPyConnection, mart: str, table: Table, digest: TableDigest, info: ReleaseInfo, folder: Path
) -> dict[str, FileFacts]:
    """Return what size and checksum of the files of `table` would be if its transient columns had no values; nothing if they have none."""
    names = [identifier(column.name) for column in table.columns if column.name in TRANSIENT.get(table.name, ())]
    if not names:
        return {}
    (counts,) = connection.execute(f"select {', '.join(f'count({name})' for name in names)} from {mart}").fetchall()
    if not any(counts):
        return {}
    empty = ", ".join(f"null::varchar as {name}" for name in names)
    connection.execute(f"create or replace temp view lasting as select * replace ({empty}) from {mart}")
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        paths = {kind: Path(scratch) / f"{table.name}.{kind}" for kind in ("csv", "parquet")}
        _write(PreparedTable(connection, "lasting", table, digest), None, info, paths["csv"], paths["parquet"])
        return {f"{kind}/{table.name}.{kind}": checksums.facts(path) for kind, path in paths.items()}


def _write(prepared: PreparedTable, kept: KeptRows | None, info: ReleaseInfo, csv_path: Path, parquet_path: Path) -> Ranges:
    """Write both files. Return where the parts of a divided table are in the CSV file."""
    table = prepared.table
    ranges: Ranges = {}
    with (
        csv_path.open("wb") as file,
        parquet.open_writer(parquet_path, table, prepared.schema, prepared.coded, info.about()) as writer,
    ):
        row_groups = parquet.RowGroups(writer)
        csv.append(pl.DataFrame(schema=[column.name for column in table.columns]), file, header=True)
        for segment in prepared.segments():
            if kept is not None and segment.kept is not None:
                ranges[segment.kept] = csv.copy(kept.csv, kept.ranges[segment.kept], file)
            for rows in segment.rows:
                row_groups.write(rows)
                if segment.kept is None:
                    csv.append_parts(prepare_table.frame(rows), prepared.by, file, ranges)
        row_groups.close()
    return ranges


def _holds(connection: duckdb.DuckDBPyConnection, folder: Path, candidate: ForeignKey) -> bool:
    """Whether every value of the referring column is in the other table."""
    referring, referred = (
        f"select distinct {column}::varchar as value from read_parquet({literal(folder / f'{table}.parquet')}) where {column} is not null"
        for table, column in (
            (candidate.table, identifier(candidate.column)),
            (candidate.to_table, identifier(candidate.to_column)),
        )
    )
    query = f"select count(*) from ({referring}) as r anti join ({referred}) as t using (value)"
    return connection.execute(query).fetchall() == [(0,)]
