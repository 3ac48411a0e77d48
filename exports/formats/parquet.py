"""Write Parquet files: sorted, with a page index and statistics, and described in key-value metadata. Changes no value."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from exports.model.tables import Table

ROW_GROUP = 122_880
"""The size of a row group of DuckDB, which can then copy group by group; its own file is half as large."""
ARROW_TYPES = {"VARCHAR": pa.string(), "DOUBLE": pa.float64(), "BIGINT": pa.int64()}


def write(frame: pl.DataFrame, table: Table, path: Path, about: Mapping[str, str] | None = None) -> None:
    """Write `frame`, which is sorted by the key of `table`, with `about` in the key-value metadata. Without rows there is no row group.

    The Arrow schema is not stored: it would show readers how the columns were kept in memory (as codes) instead of what they are.
    """
    arrow = frame.to_arrow()
    coded = [f.name for f in arrow.schema if pa.types.is_dictionary(f.type)]
    columns = [pa.field(f.name, f.type, nullable=f.name not in table.key) for f in arrow.schema]
    arrow = pa.Table.from_arrays(arrow.columns, schema=pa.schema(columns))
    with open_writer(path, table, arrow.schema, coded, about) as writer:
        if len(arrow):
            writer.write_table(arrow, row_group_size=ROW_GROUP)


@contextmanager
def open_writer(
    path: Path, table: Table, schema: pa.Schema, coded: list[str], about: Mapping[str, str] | None = None
) -> Iterator[pq.ParquetWriter]:
    """Open the file of a table that is written in batches; each batch becomes its own row groups. `coded` are columns with few texts."""
    with pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        use_dictionary=coded,
        write_statistics=True,
        write_page_index=True,
        sorting_columns=[pq.SortingColumn(schema.names.index(name)) for name in table.key],
        store_schema=False,
    ) as writer:
        writer.add_key_value_metadata(metadata(table) | dict(about or {}))
        yield writer


def schema_of(table: Table) -> pa.Schema:
    """Return the declared Arrow schema of `table`. Key columns are never null."""
    return pa.schema([pa.field(c.name, ARROW_TYPES[c.type], nullable=c.name not in table.key) for c in table.columns])


def metadata(table: Table) -> dict[str, str]:
    columns = {
        column.name: {"description": column.description} | ({"unit": column.unit} if column.unit else {}) for column in table.columns
    }
    return {
        "table": table.name,
        "description": table.description,
        "primary_key": json.dumps(list(table.key), ensure_ascii=False),
        "columns": json.dumps(columns, ensure_ascii=False),
    } | ({"view_of": table.view_of} if table.view_of else {})
