"""Verify that the three formats of a table are equal: CSV and Parquet value by value, DuckDB and Parquet by counts and hashes.

Where possible, the files are read with a different library than they were written with. They are read in batches, so that a table is
never completely in memory. The functions yield faults as lines and raise if a file cannot be read.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from exports.changes.published import VIEWS
from exports.formats import duckdb as duckdb_file
from exports.formats import query_macros
from exports.model import layout
from exports.model.connection import Limits
from exports.model.info import ForeignKey
from pipelines.core.sql import identifier, literal

ARROW = {"VARCHAR": pa.string(), "DOUBLE": pa.float64(), "BIGINT": pa.int64()}
BLOCK_BYTES = 16 << 20
BATCH_ROWS = 122_880
MOST_TEXTS = 1_000_000
"""So many texts of a column are collected before repeated ones are dropped."""


@dataclass(frozen=True)
class DescribedTable:
    """A table as datapackage.json describes it: the types of its columns in their order, its key and its references.

    `csv_files` are its CSV files in the order of its rows. A table that is `partitioned` has one for each indicator, which may be none.
    """

    name: str
    types: Mapping[str, str]
    key: tuple[str, ...]
    foreign_keys: tuple[ForeignKey, ...]
    csv_files: tuple[str, ...]
    partitioned: bool = False

    @property
    def referring(self) -> list[str]:
        """The columns that refer to another table or that other tables may refer to."""
        return sorted({key.column for key in self.foreign_keys} | ({self.key[0]} if len(self.key) == 1 else set()))

    @property
    def csv(self) -> str:
        """The CSV file, or the folder of the CSV files."""
        return layout.csv_folder(self.name) if self.partitioned else layout.csv_path(self.name)

    @property
    def parquet(self) -> str:
        return layout.parquet_path(self.name)


def schema_faults(folder: Path, table: DescribedTable) -> Iterator[str]:
    """Check the header, columns, order and types of both files. A table without rows has no row group."""
    for path in table.csv_files:
        with (folder / path).open(encoding="utf-8", newline="") as file:
            header = next(csv.reader(file), [])
        if header != list(table.types):
            yield f"{path}: the header differs from the columns in datapackage.json"
    with pq.ParquetFile(folder / table.parquet) as file:
        schema, metadata = file.schema_arrow, file.metadata
    if schema.names != list(table.types):
        yield f"{table.parquet}: the columns differ from datapackage.json"
    else:
        for name, kind in table.types.items():
            if schema.field(name).type != ARROW[kind]:
                yield f"{table.parquet}: {name} is {schema.field(name).type}, described as {kind}"
    if metadata.num_rows == 0 and metadata.num_row_groups:
        yield f"{table.parquet}: has a row group without rows"


def value_faults(folder: Path, table: DescribedTable, rows: dict[str, int], distinct: dict[tuple[str, str], Any]) -> Iterator[str]:
    """Check that both files have the same rows in the order of the key, and that no key occurs twice.

    Adds the number of rows to `rows`, and the distinct texts of columns that may be part of a reference to `distinct`.
    """
    texts = {name: _Distinct(ARROW[table.types[name]]) for name in table.referring}
    strange: list[str] = []
    left, right = _Rows(_csv_batches(folder, table, strange)), _Rows(_parquet_batches(folder, table))
    differs, last, wrong_order = "", None, ""
    while count := min(left.ahead(), right.ahead()):
        at = right.taken
        a, b = left.take(count), right.take(count)
        differs = differs or _difference(table, a, b, at)
        for name, column in texts.items():
            column.add(b.column(name))
        keys = [b.column(name) for name in table.key]
        wrong_order = wrong_order or _order_fault(table, keys, last, at)
        last = [key.slice(count - 1) for key in keys]
    left_rows, right_rows = left.drain(), right.drain()
    rows[table.name] = right_rows
    distinct.update({(table.name, name): column.values() for name, column in texts.items()})
    if left_rows != right_rows:
        yield f"{table.csv}: {left_rows} rows, but {right_rows} in {table.parquet}"
    yield from filter(None, (differs, wrong_order))
    yield from strange


def read_references(folder: Path, table: DescribedTable, rows: dict[str, int], distinct: dict[tuple[str, str], Any]) -> Iterator[str]:
    """Add to `rows` and `distinct` as `value_faults` does, for a table whose files were already found to be equal. Yields no fault."""
    texts = {name: _Distinct(ARROW[table.types[name]]) for name in table.referring}
    with pq.ParquetFile(folder / table.parquet) as file:
        rows[table.name] = file.metadata.num_rows
        for name, column in texts.items():
            for batch in file.iter_batches(BATCH_ROWS, columns=[name]):
                column.add(batch.column(0))
    distinct.update({(table.name, name): column.values() for name, column in texts.items()})
    yield from ()


def reference_faults(key: ForeignKey, distinct: Mapping[tuple[str, str], Any]) -> Iterator[str]:
    """Check that every text of the referring column is in the other table. Columns that could not be read are skipped."""
    referring, referred = distinct.get((key.table, key.column)), distinct.get((key.to_table, key.to_column))
    if referring is None or referred is None:
        return
    referring = pc.drop_null(referring)
    missing = pc.filter(referring, pc.invert(pc.is_in(referring, value_set=referred)))
    if len(missing):
        yield (
            f"datapackage.json: {key.table}.{key.column} refers to {key.to_table}.{key.to_column}, "
            f"which lacks {len(missing)} of its values, the first is {missing[0].as_py()!r}"
        )


def duckdb_faults(folder: Path, name: str, tables: Sequence[DescribedTable], limits: Limits) -> Iterator[str]:
    """Check that the DuckDB file has the tables, columns, types and rows of the Parquet files, and comments.

    Everything has a comment but the columns of a table with very many.
    """
    with limits.connect() as connection:
        connection.execute(f"attach {literal(folder / name)} as release (read_only)")
        types: dict[str, dict[str, str]] = {}
        for table, column, kind, is_described in connection.execute(
            "select table_name, column_name, data_type, "
            f"coalesce(comment, '') <> '' or count(*) over (partition by table_name) > {duckdb_file.MOST_COMMENTED} "
            "from duckdb_columns() where database_name = 'release' and not internal order by table_name, column_index"
        ).fetchall():
            types.setdefault(table, {})[column] = kind
            if not is_described:
                yield f"{name}: no comment on column {table}.{column}"
        for (table,) in connection.execute(
            "select table_name from duckdb_tables() where database_name = 'release' and coalesce(comment, '') = ''"
        ).fetchall():
            yield f"{name}: no comment on table {table}"
        yield from _duckdb_views(connection, name, {table.name for table in tables})
        for surplus in sorted(set(types) - {table.name for table in tables} - {view.name for view in VIEWS} - set(query_macros.VIEWS)):
            yield f"{name}: table {surplus} is not in datapackage.json"
        for described in tables:
            if described.name not in types:
                yield f"{name}: table {described.name} is missing"
            elif list(types[described.name].items()) != list(described.types.items()):
                yield f"{name}: columns or types of {described.name} differ from datapackage.json"
            elif (folder / described.parquet).is_file():
                yield from _duckdb_rows(connection, folder, name, described)


def _duckdb_views(connection: duckdb.DuckDBPyConnection, name: str, tables: set[str]) -> Iterator[str]:
    """Check that the views exist, with a comment and the expected number of rows."""
    query = "select view_name, comment from duckdb_views() where database_name = 'release' and not internal"
    comments = dict(connection.execute(query).fetchall())
    for view in VIEWS:
        if view.of not in tables:
            continue
        if view.name not in comments:
            yield f"{name}: view {view.name} is missing"
            continue
        if not comments[view.name]:
            yield f"{name}: no comment on view {view.name}"
        connection.execute("use release")
        rows = connection.execute(f"select count(*) from {identifier(view.name)}").fetchall()[0][0]
        expected = connection.execute(f"select count(*) from {identifier(view.of)} where {view.where}").fetchall()[0][0]
        connection.execute("use memory")
        if rows != expected:
            yield f"{name}: {rows} rows in view {view.name}, but {expected} in {view.of}"
    for surplus in sorted(set(comments) - {view.name for view in VIEWS} - set(query_macros.VIEWS)):
        yield f"{name}: view {surplus} does not belong to a release"


def _duckdb_rows(connection: duckdb.DuckDBPyConnection, folder: Path, name: str, table: DescribedTable) -> Iterator[str]:
    columns = ", ".join(identifier(column) for column in table.types)
    query = f"select count(*), bit_xor(hash({columns})) from "
    in_duckdb = connection.execute(f"{query} release.{identifier(table.name)}").fetchall()[0]
    in_parquet = connection.execute(f"{query} read_parquet({literal(folder / table.parquet)})").fetchall()[0]
    if in_duckdb[0] != in_parquet[0]:
        yield f"{name}: {in_duckdb[0]} rows in {table.name}, but {in_parquet[0]} in {table.parquet}"
    elif in_duckdb != in_parquet:
        yield f"{name}: the rows of {table.name} differ from {table.parquet}"


class _Distinct:
    """The distinct values of a column that is read in batches."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind
        self._chunks: list[Any] = []
        self._added = 0

    def add(self, cells: Any) -> None:
        self._chunks.append(pc.unique(cells))
        self._added += len(self._chunks[-1])
        if self._added > MOST_TEXTS:
            self._chunks = [self.values()]
            self._added = 0

    def values(self) -> Any:
        return pc.unique(pa.chunked_array(self._chunks, type=self._kind))


class _Rows:
    """Batches of rows that can be taken in portions of any size."""

    def __init__(self, batches: Iterator[Any]) -> None:
        self._batches = batches
        self._batch: Any = None
        self.taken = 0

    def ahead(self) -> int:
        """Return the number of rows that can be taken at once; 0 at the end."""
        while self._batch is None or self._batch.num_rows == 0:
            self._batch = next(self._batches, None)
            if self._batch is None:
                return 0
        return int(self._batch.num_rows)

    def take(self, count: int) -> Any:
        portion, self._batch = self._batch.slice(0, count), self._batch.slice(count)
        self.taken += count
        return portion

    def drain(self) -> int:
        """Take all remaining rows and return the total number of rows."""
        while count := self.ahead():
            self.take(count)
        return self.taken


def _csv_batches(folder: Path, table: DescribedTable, strange: list[str]) -> Iterator[Any]:
    """Yield the rows of all CSV files of a table. A file that has no rows, or rows of another part than its own, is added to `strange`."""
    options = pa_csv.ConvertOptions(
        column_types={name: ARROW[kind] for name, kind in table.types.items()},
        include_columns=list(table.types),
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    for path in table.csv_files:
        rows, is_strange = 0, False
        with pa_csv.open_csv(
            folder / path,
            read_options=pa_csv.ReadOptions(block_size=BLOCK_BYTES),
            parse_options=pa_csv.ParseOptions(newlines_in_values=True),
            convert_options=options,
        ) as reader:
            for batch in reader:
                rows += batch.num_rows
                if table.partitioned and batch.num_rows and pc.unique(batch.column(0)).to_pylist() != [layout.part_of(path)]:
                    is_strange = True
                yield batch
        if is_strange:
            strange.append(f"{path}: has rows of another {layout.PART}")
        elif table.partitioned and not rows:
            strange.append(f"{path}: has no rows")


def _parquet_batches(folder: Path, table: DescribedTable) -> Iterator[Any]:
    with pq.ParquetFile(folder / table.parquet) as file:
        yield from file.iter_batches(BATCH_ROWS, columns=list(table.types))


def _difference(table: DescribedTable, a: Any, b: Any, at: int) -> str:
    for name in table.types:
        left, right = a.column(name), b.column(name)
        if left.equals(right):
            continue
        same = pc.equal(left, right)
        different = pc.if_else(pc.is_valid(same), pc.invert(same), pc.xor(pc.is_null(left), pc.is_null(right)))
        row = pc.index(different, True).as_py()
        if row < 0:
            continue
        return f"{table.csv}: row {at + row + 1}, {name}: {left[row].as_py()!r}, but {right[row].as_py()!r} in {table.parquet}"
    return ""


def _order_fault(table: DescribedTable, keys: list[Any], last: list[Any] | None, at: int) -> str:
    """Return the first place where a key is null, is repeated, or is smaller than the one above it."""
    for name, key in zip(table.key, keys, strict=True):
        if key.null_count:
            return f"{table.parquet}: key column {name} is null in {key.null_count} rows"
    if last is not None:
        keys = [pa.concat_arrays([before, key]) for before, key in zip(last, keys, strict=True)]
        at -= 1
    count = len(keys[0]) - 1
    rising, equal = pa.nulls(0), pa.nulls(0)
    for position, key in enumerate(keys):
        above, here = key.slice(0, count), key.slice(1)
        greater, same = pc.greater(here, above), pc.equal(here, above)
        rising = pc.or_(rising, pc.and_(equal, greater)) if position else greater
        equal = pc.and_(equal, same) if position else same
    if pc.all(rising, min_count=0).as_py():  # checked before pc.index, which would make Arrow import pandas
        return ""
    row = pc.index(rising, False).as_py()
    text = ", ".join(f"{name}={key[row + 1].as_py()!r}" for name, key in zip(table.key, keys, strict=True))
    fault = "repeats the key of the row above" if equal[row].as_py() else "is not in the order of the key"
    return f"{table.parquet}: row {at + row + 2} {fault} ({text})"
