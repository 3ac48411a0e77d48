"""Prepare a mart for publication: declared columns only, guarded texts, rounded numbers, sorted by key. Writes no file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import polars as pl

from exports.formats.rounding import round_significant
from exports.model.errors import ReleaseError
from exports.model.tables import Table
from pipelines.core.sql import identifier, literal

SCHEMA = "marts"
BATCH_ROWS = 122_880
GUARD = "'"
FORMULA_START = r"^[=+\-@\t\r]"
"""A spreadsheet runs a cell that starts like this as a formula."""
DISTINCT_LIMIT = 65_000
"""Text columns with at most this many distinct texts are kept and written as codes into a sorted list."""
_TYPES = {
    "VARCHAR": ("VARCHAR",),
    "DOUBLE": ("DOUBLE",),
    "BIGINT": ("BIGINT", "INTEGER", "SMALLINT", "TINYINT", "UINTEGER", "USMALLINT", "UTINYINT", "HUGEINT"),
}


@dataclass(frozen=True)
class PreparedTable:
    """The rows of a table, and the number of text cells that were guarded."""

    table: Table
    frame: pl.DataFrame
    guarded: int


def prepare(connection: duckdb.DuckDBPyConnection, catalog: str, table: Table) -> PreparedTable:
    """Return `table` from the schema `marts` of `catalog`. Raises ReleaseError if it is not as declared or cannot be published."""
    frame = _read(connection, catalog, table)
    columns, guarded = [], 0
    for column in table.columns:
        series = frame.drop_in_place(column.name)
        if column.type == "DOUBLE":
            series = _rounded(series, f"{table.name}.{column.name}")
        elif column.type == "VARCHAR":
            series, cells = _guarded_texts(series)
            guarded += cells
        if column.name in table.key and series.null_count():
            raise ReleaseError(f"{table.name}: key column {column.name} is null in {series.null_count()} rows")
        columns.append(series)
    return PreparedTable(table, _sorted(pl.DataFrame(columns), table), guarded)


def _read(connection: duckdb.DuckDBPyConnection, catalog: str, table: Table) -> pl.DataFrame:
    types: Mapping[str, str] = dict(
        connection.execute(
            "select column_name, data_type from duckdb_columns() "
            f"where database_name = {literal(catalog)} and schema_name = {literal(SCHEMA)} and table_name = {literal(table.name)}"
        ).fetchall()
    )
    if not types:
        raise ReleaseError(f"{SCHEMA}.{table.name} is declared, but missing in the warehouse")
    undeclared = sorted(set(types) - {column.name for column in table.columns})
    if undeclared:
        raise ReleaseError(f"{SCHEMA}.{table.name} has undeclared columns: {', '.join(undeclared)}")
    for column in table.columns:
        actual = types.get(column.name)
        if actual not in _TYPES[column.type]:
            raise ReleaseError(
                f"{SCHEMA}.{table.name}.{column.name} is declared as {column.type}, but is {actual or 'missing'} in the warehouse"
            )
    names = ", ".join(f"{identifier(column.name)}::{column.type} as {identifier(column.name)}" for column in table.columns)
    arrow = connection.execute(f"select {names} from {identifier(catalog)}.{SCHEMA}.{identifier(table.name)}").to_arrow_table(BATCH_ROWS)
    frame = pl.from_arrow(arrow)
    assert isinstance(frame, pl.DataFrame)
    return frame


def _rounded(series: pl.Series, name: str) -> pl.Series:
    values = series.fill_null(0.0).to_numpy()
    try:
        rounded = pl.Series(series.name, round_significant(values))
    except ValueError as error:
        count = series.len() - series.is_finite().sum() - series.null_count()
        raise ReleaseError(f"{name} is {error} in {count} rows; publish a null and the reason instead") from None
    if not series.null_count():
        return rounded
    return pl.select(pl.when(series.is_not_null()).then(rounded).alias(series.name)).to_series()


def _guarded_texts(series: pl.Series) -> tuple[pl.Series, int]:
    """Return texts in Unicode's composed form (NFC) and guarded, and the number of guarded cells.

    If there are few distinct texts, they are returned as codes into the sorted list of texts: the codes are smaller and sort like the
    texts.
    """
    distinct = series.unique().drop_nulls()
    composed = distinct.str.normalize("NFC")
    if not composed.equals(distinct):
        series, distinct = series.str.normalize("NFC"), composed
    formulas = distinct.filter(distinct.str.contains(FORMULA_START))
    cells = 0
    if len(formulas):
        is_formula = series.is_in(formulas.implode())
        cells = int(is_formula.sum())
        series = pl.select(pl.when(is_formula).then(GUARD + series).otherwise(series).alias(series.name)).to_series()
        distinct = series.unique().drop_nulls()
    return (series.cast(pl.Enum(distinct.sort())) if 0 < len(distinct) <= DISTINCT_LIMIT else series), cells


def _sorted(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    frame = frame.sort(table.key)
    repeated = frame.select(pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in table.key)).to_series()
    if repeated.any():
        first = repeated.arg_true()[0]
        key = ", ".join(f"{name}={frame[name][first]!r}" for name in table.key)
        raise ReleaseError(f"{table.name}: {repeated.sum()} rows repeat the key of another row, the first is {key}")
    return frame
