"""A mart as it is published: the declared columns, guarded texts, rounded numbers, in the order of its key. Writes no file."""

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
"""A spreadsheet takes a cell that begins so for a formula and runs it."""
DISTINCT_LIMIT = 65_000
"""Text columns with at most so many different texts are held, and written, as codes into a sorted list."""
_TYPES = {
    "VARCHAR": ("VARCHAR",),
    "DOUBLE": ("DOUBLE",),
    "BIGINT": ("BIGINT", "INTEGER", "SMALLINT", "TINYINT", "UINTEGER", "USMALLINT", "UTINYINT", "HUGEINT"),
}


@dataclass(frozen=True)
class Published:
    """The rows of a table, and how many text cells of it were guarded."""

    table: Table
    frame: pl.DataFrame
    guarded: int


def publish(connection: duckdb.DuckDBPyConnection, catalog: str, table: Table) -> Published:
    """Return `table` from schema `marts` of `catalog`. Raises `ReleaseError` where it is not as declared or not fit to print."""
    frame = _read(connection, catalog, table)
    columns, guarded = [], 0
    for column in table.columns:
        series = frame.drop_in_place(column.name)
        if column.type == "DOUBLE":
            series = _rounded(series, f"{table.name}.{column.name}")
        elif column.type == "VARCHAR":
            series, cells = _texts(series)
            guarded += cells
        if column.name in table.key and series.null_count():
            raise ReleaseError(f"{table.name}: key column {column.name} is null in {series.null_count()} rows")
        columns.append(series)
    return Published(table, _sorted(pl.DataFrame(columns), table), guarded)


def _read(connection: duckdb.DuckDBPyConnection, catalog: str, table: Table) -> pl.DataFrame:
    there: Mapping[str, str] = dict(
        connection.execute(
            "select column_name, data_type from duckdb_columns() "
            f"where database_name = {literal(catalog)} and schema_name = {literal(SCHEMA)} and table_name = {literal(table.name)}"
        ).fetchall()
    )
    if not there:
        raise ReleaseError(f"{SCHEMA}.{table.name} is declared but not in the warehouse")
    undeclared = sorted(set(there) - {column.name for column in table.columns})
    if undeclared:
        raise ReleaseError(f"{SCHEMA}.{table.name} has columns that nobody declared: {', '.join(undeclared)}")
    for column in table.columns:
        found = there.get(column.name)
        if found not in _TYPES[column.type]:
            raise ReleaseError(
                f"{SCHEMA}.{table.name}.{column.name} is declared as {column.type} but is {found or 'not there'} in the warehouse"
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
        raise ReleaseError(f"{name} is {error} in {count} rows; publish a null and the reason instead") from None  # a run tells the cause
    if not series.null_count():
        return rounded
    return pl.select(pl.when(series.is_not_null()).then(rounded).alias(series.name)).to_series()


def _texts(series: pl.Series) -> tuple[pl.Series, int]:
    """Return texts in Unicode's composed form (NFC), guarded, and how many cells were guarded.

    Where there are not too many different texts they come as codes into the sorted list of them: smaller, and the codes
    sort as the texts do.
    """
    different = series.unique().drop_nulls()
    composed = different.str.normalize("NFC")
    if not composed.equals(different):
        series, different = series.str.normalize("NFC"), composed
    formulas = different.filter(different.str.contains(FORMULA_START))
    cells = 0
    if len(formulas):
        hit = series.is_in(formulas.implode())
        cells = int(hit.sum())
        series = pl.select(pl.when(hit).then(GUARD + series).otherwise(series).alias(series.name)).to_series()
        different = series.unique().drop_nulls()
    return (series.cast(pl.Enum(different.sort())) if 0 < len(different) <= DISTINCT_LIMIT else series), cells


def _sorted(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    frame = frame.sort(table.key)
    same = frame.select(pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in table.key)).to_series()
    if same.any():
        at = same.arg_true()[0]
        key = ", ".join(f"{name}={frame[name][at]!r}" for name in table.key)
        raise ReleaseError(f"{table.name}: {same.sum()} rows repeat the key of another, the first is {key}")
    return frame
