"""Prepare a mart for publication: declared columns only, guarded texts, rounded numbers, sorted by key. Writes no file.

DuckDB reads, composes, guards and sorts, with temporary files where the rows need more than its memory. Python gets one batch at a
time. Parts of a table that did not change come from the previous release, where they are rounded and sorted already.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

from exports.formats.parquet import ROW_GROUP, schema_of
from exports.formats.rounding import round_significant
from exports.model.errors import ReleaseError
from exports.model.layout import PART, is_divided
from exports.model.reuse import KeptRows, TableDigest, TableNote, key
from exports.model.tables import Column, Table
from pipelines.core.sql import identifier, literal

SCHEMA = "marts"
GUARD = "'"
FORMULA_START = r"^[=+\-@\t\r]"
"""A spreadsheet runs a cell that starts like this as a formula."""
DISTINCT_LIMIT = 65_000
"""Text columns with at most this many distinct texts are sorted and written as codes into a sorted list."""
_TYPES = {
    "VARCHAR": ("VARCHAR",),
    "DOUBLE": ("DOUBLE",),
    "BIGINT": ("BIGINT", "INTEGER", "SMALLINT", "TINYINT", "UINTEGER", "USMALLINT", "UTINYINT", "HUGEINT"),
}


def relation(connection: duckdb.DuckDBPyConnection, catalog: str, table: Table) -> str:
    """Return the SQL name of the mart for `table`. Raises ReleaseError if it does not have the declared columns."""
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
    return f"{identifier(catalog)}.{SCHEMA}.{identifier(table.name)}"


def digest(
    connection: duckdb.DuckDBPyConnection, mart: str, table: Table, before: TableNote | None, part_keys: Mapping[str, str]
) -> TableDigest:
    """Return the digest of the rows of `mart`, whose order does not matter: counts and exact sums of hashes.

    It covers names and types of the columns and the key. DuckDB may compute other hashes in another version. The rows of a part are not read
    if its key is the same as `before`.
    """
    divided = is_divided(table)
    shape = [[[column.name, column.type] for column in table.columns], list(table.key)]
    same = [part for part, key_ in part_keys.items() if before is not None and before.part_keys.get(part) == key_] if divided else []
    where = f"where {identifier(PART)} is null or {identifier(PART)} not in ({', '.join(map(literal, same))})" if same else ""
    cells = ", ".join(f"{identifier(column.name)}::{column.type}" for column in table.columns)
    rows = connection.execute(f"""
        select part, count(*), sum(row_hash)::varchar, bit_xor(hash(row_hash))::varchar
        from (select {_composed(identifier(PART)) if divided else "''"} as part, hash({cells}) as row_hash from {mart} {where})
        group by part
        order by part""").fetchall()
    for part, count, *_ in rows:
        if part is None:
            raise ReleaseError(f"{table.name}: key column {PART} is null in {count} rows")
    parts = {str(part): key(shape, count, total, mixed) for part, count, total, mixed in rows}
    counts = {str(part): count for part, count, *_ in rows}
    for part in same:
        assert before is not None
        if part in before.digest.parts:
            parts[part], counts[part] = before.digest.parts[part], before.digest.counts[part]
    return TableDigest(counts, parts, PART if divided else None)


@dataclass(frozen=True)
class _Text:
    """How a text column is prepared: its SQL expression, the type of its codes if it has few texts, and the number of guarded cells."""

    expression: str
    enum: str
    guarded: int


@dataclass(frozen=True)
class Segment:
    """Consecutive rows of a table. `kept` is the part that they are, if they come from the previous release."""

    rows: Iterator[pa.Table]
    kept: str | None = None


class PreparedTable:
    """The rows of a mart as they are published, except that those of the parts in `kept` are read from the previous release.

    `guarded` is the number of text cells with a guard, `coded` are the columns with few distinct texts.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, mart: str, table: Table, digest: TableDigest, kept: KeptRows | None = None
    ) -> None:
        self.table = table
        self.by = digest.by
        self._connection = connection
        self._mart = mart
        self._digest = digest
        self._kept = kept
        self._texts = self._prepare_texts()
        self.guarded = sum(text.guarded for text in self._texts.values())
        self.coded = [name for name, text in self._texts.items() if text.enum]
        self.schema = schema_of(table, self.coded)

    def segments(self) -> Iterator[Segment]:
        """Yield the rows in the order of the key, in batches; coded columns are dictionaries.

        Raises ReleaseError if the rows cannot be published, at the latest after the last segment.
        """
        keys = _RepeatedKeys(self.table)
        if self._kept is None or self.by is None:
            yield Segment(keys.checked(self._rows_of_mart()))
        else:
            for is_kept, run in groupby(sorted(self._digest.parts), self._kept.parts.__contains__):
                parts = list(run)
                if is_kept:
                    for part in parts:
                        yield Segment(self._kept_rows(part, self._kept), part)  # their keys were checked when they were published
                else:
                    yield Segment(keys.checked(self._rows_of_mart(parts)))
        keys.close()

    def _rows_of_mart(self, parts: Sequence[str] | None = None) -> Iterator[pa.Table]:
        columns = ", ".join(f"{self._expression(column)} as {identifier(column.name)}" for column in self.table.columns)
        order = ", ".join(identifier(name) for name in self.table.key)
        where = ""
        if parts is not None and self.by is not None:
            where = f"where {self._texts[self.by].expression} in ({', '.join(map(literal, parts))})"
        query = f"select * from (select {columns} from {self._mart} {where}) order by {order}"
        for batch in self._connection.execute(query).to_arrow_reader(ROW_GROUP):
            yield self._checked(pa.Table.from_batches([batch]))

    def _kept_rows(self, part: str, kept: KeptRows) -> Iterator[pa.Table]:
        """Yield the rows of one part in the order of the file. DuckDB keeps it with a comparison, and loses it with a list of values."""
        assert self.by is not None
        columns = ", ".join(self._cast(column, identifier(column.name)) for column in self.table.columns)
        query = f"select {columns} from read_parquet({literal(kept.parquet)}) where {identifier(self.by)} = {literal(part)}"
        for batch in self._connection.execute(query).to_arrow_reader(ROW_GROUP):
            yield pa.Table.from_arrays([self._coded(cells) for cells in batch.columns], schema=self.schema)

    def _prepare_texts(self) -> dict[str, _Text]:
        """Find the distinct texts of each text column, and create a DuckDB type for the columns that have few of them."""
        names = [column.name for column in self.table.columns if column.type == "VARCHAR"]
        if not names:
            return {}
        few = self._columns_of_few_texts(names)
        distinct = " union all ".join(
            f"(select {i} as i, raw from (select distinct {identifier(name)} as raw from {self._mart}) limit {DISTINCT_LIMIT + 2})"
            if name in few
            else f"(select {i} as i, null as raw)"
            for i, name in enumerate(names)
        )
        self._connection.execute(f"create or replace temp table texts as select i, raw, {_composed('raw')} as text from ({distinct})")
        facts_by_place = {
            i: facts
            for i, *facts in self._connection.execute(
                "select i, count(distinct text), coalesce(bool_or(text <> raw), false) from texts group by i order by i"
            ).fetchall()
        }
        many = (DISTINCT_LIMIT + 1, True)
        return {
            name: self._prepare_text(i, name, *(facts_by_place.get(i, (0, False)) if name in few else many)) for i, name in enumerate(names)
        }

    def _columns_of_few_texts(self, names: Sequence[str]) -> Collection[str]:
        """Return the columns whose distinct texts are worth counting: in the others there are certainly too many for the memory."""
        if self._digest.rows <= DISTINCT_LIMIT:
            return names
        counts = ", ".join(f"approx_count_distinct({identifier(name)})" for name in names)
        (estimates,) = self._connection.execute(f"select {counts} from {self._mart}").fetchall()
        return [name for name, estimate in zip(names, estimates, strict=True) if estimate <= 1.2 * DISTINCT_LIMIT]

    def _prepare_text(self, i: int, name: str, texts: int, differs: bool) -> _Text:
        coded = 0 < texts <= DISTINCT_LIMIT
        expression, guarded = identifier(name), 0
        if differs or texts > DISTINCT_LIMIT:
            expression = _composed(expression)
            composed = f"nfc_normalize({identifier(name)})"
            query = f"select count(*) from {self._mart} where regexp_matches({composed}, {literal(FORMULA_START)})"
            guarded = int(self._connection.execute(query).fetchall()[0][0])
        if coded:
            self._connection.execute(f"drop type if exists {_type(i)}")
            self._connection.execute(
                f"create type {_type(i)} as enum (select distinct text from texts where i = {i} and text is not null order by text)"
            )
        return _Text(expression, _type(i) if coded else "", guarded)

    def _expression(self, column: Column) -> str:
        text = self._texts.get(column.name)
        return self._cast(column, text.expression if text else identifier(column.name))

    def _cast(self, column: Column, expression: str) -> str:
        text = self._texts.get(column.name)
        return f"({expression})::{(text.enum if text else '') or column.type}"

    @staticmethod
    def _coded(cells: pa.Array) -> pa.Array:
        """Return codes as the type that the schema has for them."""
        if not pa.types.is_dictionary(cells.type):
            return cells
        return pa.DictionaryArray.from_arrays(cells.indices.cast(pa.int32()), cells.dictionary)

    def _checked(self, rows: pa.Table) -> pa.Table:
        """Return `rows` with rounded numbers. Raises ReleaseError for a null in the key and for a number that is not finite."""
        columns = []
        for column in self.table.columns:
            cells = rows.column(column.name).combine_chunks()
            if column.name in self.table.key and cells.null_count:
                raise ReleaseError(
                    f"{self.table.name}: key column {column.name} is null in {self._count(f'{identifier(column.name)} is null')} rows"
                )
            columns.append(self._rounded(cells, column) if column.type == "DOUBLE" else self._coded(cells))
        return pa.Table.from_arrays(columns, schema=self.schema)

    def _rounded(self, cells: pa.Array, column: Column) -> pa.Array:
        values = cells.fill_null(0.0).to_numpy(zero_copy_only=False)
        try:
            rounded = round_significant(values)
        except ValueError as error:
            count = self._count(f"not isfinite({identifier(column.name)})")
            raise ReleaseError(
                f"{self.table.name}.{column.name} is {error} in {count} rows; publish a null and the reason instead"
            ) from None
        return pa.array(rounded, mask=np.asarray(cells.is_null()) if cells.null_count else None)

    def _count(self, condition: str) -> int:
        return int(self._connection.execute(f"select count(*) from {self._mart} where {condition}").fetchall()[0][0])


class _RepeatedKeys:
    """Counts rows with the key of the row above, across row groups."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._last: pl.DataFrame | None = None
        self._count = 0
        self._first = ""

    def checked(self, batches: Iterator[pa.Table]) -> Iterator[pa.Table]:
        """Yield `batches`, which have the rows in the order of the key, and count."""
        for rows in batches:
            self._count_repeated(rows)
            yield rows

    def _count_repeated(self, rows: pa.Table) -> None:
        keys = frame(rows.select(list(self._table.key)))
        above = keys if self._last is None else pl.concat([self._last, keys])
        repeated = above.select(pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in self._table.key)).to_series()
        if repeated.any():
            first = repeated.arg_true()[0]
            self._first = self._first or ", ".join(f"{name}={above[name][first]!r}" for name in self._table.key)
            self._count += int(repeated.sum())
        self._last = keys.tail(1)

    def close(self) -> None:
        """Raise ReleaseError if a key was repeated."""
        if self._count:
            raise ReleaseError(f"{self._table.name}: {self._count} rows repeat the key of another row, the first is {self._first}")


def frame(rows: pa.Table) -> pl.DataFrame:
    """Return rows with texts instead of codes."""
    plain = pa.schema([f.with_type(f.type.value_type) if pa.types.is_dictionary(f.type) else f for f in rows.schema])
    converted = pl.from_arrow(rows.cast(plain))
    assert isinstance(converted, pl.DataFrame)
    return converted


def _composed(expression: str) -> str:
    """Return the SQL expression for a text in Unicode's composed form (NFC), with a guard if a spreadsheet would run it."""
    composed = f"nfc_normalize({expression})"
    return f"case when regexp_matches({composed}, {literal(FORMULA_START)}) then {literal(GUARD)} || {composed} else {composed} end"


def _type(i: int) -> str:
    return f"texts_{i}"
