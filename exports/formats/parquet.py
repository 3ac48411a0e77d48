"""Write Parquet files: sorted, with a page index and statistics, and described in key-value metadata. Changes no value."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from exports.model.tables import Column, Table

ROW_GROUP = 122_880
"""The size of a row group of DuckDB, which can then copy group by group; its own file is half as large."""
LEVEL = 9
"""Of Zstandard: a tenth smaller than its default, and a second slower for a million rows. Higher levels take minutes."""
ARROW_SCHEMA = "ARROW:schema"
"""The key under which Arrow keeps its schema in the metadata of a Parquet file."""
ARROW_TYPES = {"VARCHAR": pa.string(), "DOUBLE": pa.float64(), "BIGINT": pa.int64()}


@contextmanager
def open_writer(
    path: Path, table: Table, schema: pa.Schema, coded: Sequence[str], about: Mapping[str, str] | None = None
) -> Iterator[pq.ParquetWriter]:
    """Open the file of a table that is written in batches; each batch becomes its own row groups. `coded` are columns with few texts.

    Rows are sorted by the key of the table. Without rows there is no row group. `about` goes into the key-value metadata. The Arrow schema
    of the batches is not stored: it would show readers how the columns were kept in memory (as codes). The declared one is stored instead,
    with description and unit in the metadata of each field.
    """
    with pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        compression_level=LEVEL,
        use_dictionary=list(coded),
        write_statistics=True,
        write_page_index=True,
        sorting_columns=[pq.SortingColumn(schema.names.index(name)) for name in table.key],
        store_schema=False,
    ) as writer:
        writer.add_key_value_metadata(metadata(table) | dict(about or {}) | {ARROW_SCHEMA: _serialised(schema_of(table))})
        yield writer


class RowGroups:
    """Collects rows and writes them in row groups of `ROW_GROUP` rows, whatever the size of the batches."""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self._writer = writer
        self._pending: list[pa.Table] = []
        self._count = 0

    def write(self, rows: pa.Table) -> None:
        self._pending.append(rows)
        self._count += rows.num_rows
        while self._count >= ROW_GROUP:
            pending = pa.concat_tables(self._pending)
            self._write(pending.slice(0, ROW_GROUP))
            self._pending, self._count = [pending.slice(ROW_GROUP)], self._count - ROW_GROUP

    def close(self) -> None:
        """Write the rest. Without rows there is no row group."""
        if self._count:
            self._write(pa.concat_tables(self._pending))

    def _write(self, rows: pa.Table) -> None:
        self._writer.write_table(rows.combine_chunks(), row_group_size=ROW_GROUP)


def schema_of(table: Table, coded: Collection[str] = ()) -> pa.Schema:
    """Return the declared Arrow schema of `table`, with the columns `coded` as dictionaries. Key columns are never null."""
    codes = pa.dictionary(pa.int32(), pa.string())
    return pa.schema(
        [
            pa.field(c.name, codes if c.name in coded else ARROW_TYPES[c.type], nullable=c.name not in table.key, metadata=_of_column(c))
            for c in table.columns
        ]
    )


def _serialised(schema: pa.Schema) -> str:
    """Return a schema as readers of Arrow look for it in the metadata of a Parquet file."""
    return base64.b64encode(schema.serialize().to_pybytes()).decode()


def _of_column(column: Column) -> dict[str, str]:
    units = (
        {"unit": column.unit, **{f"unit_{language}": text for language, text in column.unit_translations.items()}} if column.unit else {}
    )
    return {"description": column.description, **_translations(column), **units}


def _translations(described: Table | Column) -> dict[str, str]:
    """Return the descriptions in other languages than English."""
    return {f"description_{language}": text for language, text in described.translations.items()}


def metadata(table: Table) -> dict[str, str]:
    columns = {column.name: _of_column(column) for column in table.columns}
    return {
        "table": table.name,
        "description": table.description,
        **_translations(table),
        "primary_key": json.dumps(list(table.key), ensure_ascii=False),
        "columns": json.dumps(columns, ensure_ascii=False),
    } | ({"view_of": table.view_of} if table.view_of else {})
