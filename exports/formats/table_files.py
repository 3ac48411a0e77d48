"""Write the marts of a warehouse as CSV and Parquet files, one row group at a time. Tables that did not change are linked."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Protocol

import duckdb
import polars as pl

from exports.formats import csv, parquet, prepare_table
from exports.formats.prepare_table import PreparedTable
from exports.model import checksums, foreign_keys, layout, made_from
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


@dataclass(frozen=True)
class _Source:
    """A table to write: the mart that it comes from, and the digest of its rows."""

    connection: duckdb.DuckDBPyConnection
    mart: str
    table: Table
    digest: TableDigest
    about: Mapping[str, str]

    def prepared(self, kept: KeptRows | None = None) -> PreparedTable:
        return PreparedTable(self.connection, self.mart, self.table, self.digest, kept)


class _CsvFile(Protocol):
    """Where the rows of a table go as CSV."""

    def append(self, rows: pl.DataFrame) -> None:
        """Write rows, which come in the order of the key."""

    def keep(self, part: str) -> None:
        """Take over the rows of a part that did not change."""

    def close(self) -> None: ...


def write(
    warehouse: Path,
    tables: Sequence[Table],
    info: ReleaseInfo,
    folder: Path,
    limits: Limits,
    reuse: Reuse,
    report_progress: Callable[[str], None],
) -> TableFiles:
    """Write each of `tables` to `folder` as CSV and Parquet (`exports.model.layout`). The warehouse is only read."""
    (folder / "csv").mkdir()
    (folder / "parquet").mkdir()
    written = TableFiles({}, {}, {}, [], {})
    with limits.connect() as connection:
        connection.execute(f"attach {literal(warehouse)} as {CATALOG} (read_only)")
        for table in tables:
            mart = prepare_table.relation(connection, CATALOG, table)
            before = reuse.before(table.name)
            description = asdict(table)
            part_keys = {part: key(description, inputs) for part, inputs in reuse.part_keys.get(table.name, {}).items()}
            digest = prepare_table.digest(connection, mart, table, before, part_keys)
            about = info.about(made_from.table_sources(info, table, digest.parts if digest.by == layout.PART else ()))
            whole_key = key("table", description, about, digest.rows, digest.parts)
            source = _Source(connection, mart, table, digest, about)
            write_table = _write_partitioned if layout.is_partitioned(table) else _write_whole
            note = write_table(source, whole_key, folder, reuse)
            if note is None:
                assert before is not None
                note = replace(before, part_keys=part_keys)
                report_progress(f"{table.name}: {digest.rows} rows, as in the last release")
            else:
                note = replace(note, part_keys=part_keys)
                report_progress(f"{table.name}: {digest.rows} rows")
            reuse.tables[table.name] = note
            written.guarded[table.name] = note.guarded
            written.rows[table.name] = digest.rows
            paths = [*_csv_paths(table, digest), layout.parquet_path(table.name)]
            written.files.update({path: reuse.linked.get(path) or checksums.facts(folder / path) for path in paths})
            written.content.update(_content(source, folder))
        candidates = foreign_keys.candidates(tables)
        written.foreign_keys.extend(k for k in candidates if _holds(connection, folder / "parquet", k))
    return written


def _csv_paths(table: Table, digest: TableDigest) -> list[str]:
    if layout.is_partitioned(table):
        return [layout.part_path(table.name, part) for part in sorted(digest.parts)]
    return [layout.csv_path(table.name)]


def _write_whole(source: _Source, whole_key: str, folder: Path, reuse: Reuse) -> TableNote | None:
    """Write a table as one CSV file and one Parquet file. Returns None if both are links to those of the previous release."""
    table, digest = source.table, source.digest
    paths = [layout.csv_path(table.name), layout.parquet_path(table.name)]
    if reuse.link(folder, paths, whole_key) and reuse.before(table.name):
        return None
    kept = reuse.kept_rows(table.name, digest)
    prepared = source.prepared(kept)
    csv_file = _WholeCsv(table, folder / paths[0], prepared.by, kept)
    _write(prepared, csv_file, source.about, folder / paths[1])
    return TableNote(digest, prepared.guarded, csv_file.ranges)


def _write_partitioned(source: _Source, whole_key: str, folder: Path, reuse: Reuse) -> TableNote | None:
    """Write a table as a CSV file for each indicator and one Parquet file. Returns None if all are links to those of the previous release."""
    table, digest = source.table, source.digest
    paths = {part: layout.part_path(table.name, part) for part in digest.parts}
    if paths:
        (folder / layout.csv_folder(table.name)).mkdir()
    linked = {part for part, path in paths.items() if reuse.link(folder, [path], key("csv", digest.parts[part]))}
    parquet_path = layout.parquet_path(table.name)
    if linked == set(paths) and reuse.link(folder, [parquet_path], whole_key) and reuse.before(table.name):
        return None
    reuse.record([parquet_path], whole_key)
    prepared = source.prepared(reuse.kept_rows(table.name, digest, linked))
    files = {part: folder / path for part, path in paths.items() if part not in linked}
    _write(prepared, _PartitionedCsv(table, files), source.about, folder / parquet_path)
    return TableNote(digest, prepared.guarded)


def _content(source: _Source, folder: Path) -> dict[str, FileFacts]:
    """Return what size and checksum of the files of a table would be if its transient columns had no values; nothing if they have none."""
    table, connection, mart = source.table, source.connection, source.mart
    names = [identifier(column.name) for column in table.columns if column.name in TRANSIENT.get(table.name, ())]
    if not names:
        return {}
    (counts,) = connection.execute(f"select {', '.join(f'count({name})' for name in names)} from {mart}").fetchall()
    if not any(counts):
        return {}
    empty = ", ".join(f"null::varchar as {name}" for name in names)
    connection.execute(f"create or replace temp view lasting as select * replace ({empty}) from {mart}")
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        files = {layout.csv_path(table.name): Path(scratch) / "csv", layout.parquet_path(table.name): Path(scratch) / "parquet"}
        csv_path, parquet_path = files.values()
        _write(replace(source, mart="lasting").prepared(), _WholeCsv(table, csv_path, None, None), source.about, parquet_path)
        return {path: checksums.facts(file) for path, file in files.items()}


def _write(prepared: PreparedTable, csv_file: _CsvFile, about: Mapping[str, str], parquet_path: Path) -> None:
    """Write the rows of a table as CSV and as Parquet."""
    with (
        closing(csv_file),
        parquet.open_writer(parquet_path, prepared.table, prepared.schema, prepared.coded, about) as writer,
    ):
        row_groups = parquet.RowGroups(writer)
        for segment in prepared.segments():
            if segment.kept is not None:
                csv_file.keep(segment.kept)
            for rows in segment.rows:
                row_groups.write(rows)
                if segment.kept is None:
                    csv_file.append(prepare_table.frame(rows))
        row_groups.close()


class _WholeCsv:
    """One file with all rows. `ranges` says where the rows of each part are, if the table is divided `by` a column."""

    def __init__(self, table: Table, path: Path, by: str | None, kept: KeptRows | None) -> None:
        self.ranges: Ranges = {}
        self._by = by
        self._kept = kept
        self._file = path.open("wb")
        csv.append_header([column.name for column in table.columns], self._file)

    def append(self, rows: pl.DataFrame) -> None:
        csv.append_parts(rows, self._by, self._file, self.ranges)

    def keep(self, part: str) -> None:
        assert self._kept is not None
        assert self._kept.csv is not None
        self.ranges[part] = csv.copy(self._kept.csv, self._kept.ranges[part], self._file)

    def close(self) -> None:
        self._file.close()


class _PartitionedCsv:
    """A file for each indicator. `files` are those to write: the others are links already and must not be touched."""

    def __init__(self, table: Table, files: Mapping[str, Path]) -> None:
        self._columns = [column.name for column in table.columns]
        self._files = files
        self._part: str | None = None
        self._file: IO[bytes] | None = None

    def append(self, rows: pl.DataFrame) -> None:
        for part, part_rows in csv.parts(rows, layout.PART):
            if part not in self._files:
                continue
            if part != self._part or self._file is None:
                self.close()
                self._part, self._file = part, self._files[part].open("wb")
                csv.append_header(self._columns, self._file)
            csv.append(part_rows, self._file, header=False)

    def keep(self, part: str) -> None:
        """The file of the part is a link."""

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


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
