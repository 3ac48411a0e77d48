"""Verify that the table `changes` fits the other tables of a release, and the previous release if it is in the same folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from exports.changes.published import ALL_KINDS, NEW, TABLE, WHOLE, WHOLE_KEY, WITHDRAWN
from exports.model import provenance
from exports.model.connection import Limits
from pipelines.core.sql import identifier, literal

if TYPE_CHECKING:
    from exports.verify.formats import DescribedTable

PORTION = 250_000


def faults(folder: Path, tables: list[DescribedTable], limits: Limits) -> Iterator[str]:
    """Yield faults: unknown kinds and versions, keys or values that are not in the tables, counts of rows that do not add up."""
    described = {table.name: table for table in tables}
    if TABLE.name not in described:
        return
    path = described[TABLE.name].parquet
    with limits.connect() as connection:
        connection.execute(f"create view changes as select * from read_parquet({literal(folder / path)})")
        previous = provenance.compared_with(folder)
        yield from _labels(connection, path, previous)
        listed = connection.execute(f'select distinct "table" from changes where key <> {literal(WHOLE_KEY)} order by 1').fetchall()
        for (name,) in listed:
            if name in described and (folder / described[name].parquet).is_file():
                yield from _cells(connection, folder, described[name], path)
        before = folder.parent / previous if previous else None
        if before is not None and before.is_dir() and before.name != folder.name:
            yield from _counts(connection, folder, before, described)


def _labels(connection: duckdb.DuckDBPyConnection, path: str, previous: str | None) -> Iterator[str]:
    kinds = ", ".join(literal(kind) for kind in ALL_KINDS)
    wrong = connection.execute(f"select kind, count(*) from changes where kind is null or kind not in ({kinds}) group by kind").fetchall()
    for kind, count in wrong:
        yield f"{path}: {count} rows have the unknown kind {kind!r}"
    for (version,) in connection.execute("select distinct from_version from changes order by 1").fetchall():
        if version != previous:
            yield f"{path}: compares with {version}, but {provenance.PATH} says {previous}"


def _cells(connection: duckdb.DuckDBPyConnection, folder: Path, table: DescribedTable, path: str) -> Iterator[str]:
    """Check that withdrawn rows are not in the table, that all other rows are, and that changed cells have the listed values."""
    key = ", ".join(f"{literal(name)}, {identifier(name)}" for name in table.key)
    mine = f'select "column", kind, key, new from changes where "table" = {literal(table.name)} and key <> {literal(WHOLE_KEY)}'
    theirs = f"select json_object({key})::varchar as __key, * from read_parquet({literal(folder / table.parquet)})"
    portions = 1 + int(connection.execute(f"select count(*) from ({mine})").fetchall()[0][0]) // PORTION
    counts = [
        f"count(*) filter (where kind <> '{WITHDRAWN}' and __key is null)",
        f"count(*) filter (where kind = '{WITHDRAWN}' and __key is not null)",
        *(
            f"""count(*) filter (where "column" = {literal(name)} and kind not in ('{NEW}', '{WITHDRAWN}')
                and __key is not null and t.{identifier(name)} is distinct from {_typed(kind)})"""
            for name, kind in table.types.items()
        ),
    ]
    total = [0] * len(counts)
    for portion in range(portions):  # verification writes no temporary files, so that a portion must fit into memory
        own = f"hash({{}}) % {portions} = {portion}"
        connection.execute(f"create or replace temp table mine as {mine} and {own.format('key')}")
        connection.execute(f"""
            create or replace temp table theirs as
            select * from ({theirs}) where {own.format("__key")} and __key in (select key from mine)""")
        row = connection.execute(f"select {', '.join(counts)} from mine as c left join theirs as t on t.__key = c.key").fetchall()[0]
        total = [sum(pair) for pair in zip(total, row, strict=True)]
    if total[0]:
        yield f"{path}: {total[0]} rows have a key that is not in {table.parquet}"
    if total[1]:
        yield f"{path}: {total[1]} rows are marked as withdrawn, but their key is in {table.parquet}"
    for name, count in zip(table.types, total[2:], strict=True):
        if count:
            yield f"{path}: {count} cells of {table.name}.{name} have a different value in {table.parquet}"


def _typed(kind: str) -> str:
    return "c.new" if kind == "VARCHAR" else f"try_cast(ltrim(c.new, '''') as {kind})"


def _counts(connection: duckdb.DuckDBPyConnection, folder: Path, before: Path, described: Mapping[str, DescribedTable]) -> Iterator[str]:
    """Check for every table but views and `changes` itself: previous rows + new rows - withdrawn rows = rows now."""
    changed_rows = {
        name: (added, removed)
        for name, added, removed in connection.execute(f"""
            select "table",
                sum(case when key = '{WHOLE_KEY}' then (new ->> '$.added')::bigint else (kind = '{NEW}')::bigint end)::bigint,
                sum(case when key = '{WHOLE_KEY}' then (new ->> '$.removed')::bigint else (kind = '{WITHDRAWN}')::bigint end)::bigint
            from changes where "column" = {literal(WHOLE)} group by "table" """).fetchall()
    }
    for name in sorted({*described, *(p.stem for p in (before / "parquet").glob("*.parquet"))} - {TABLE.name}):
        sides = [folder_ / "parquet" / f"{name}.parquet" for folder_ in (before, folder)]
        if any(_is_view(connection, side) for side in sides):
            continue
        rows = [_rows(connection, side) for side in sides]
        added, removed = changed_rows.get(name, (0, 0))
        if rows[0] + added - removed != rows[1]:
            yield f"{name}: {rows[0]} rows in {before.name} + {added} new - {removed} withdrawn is not the {rows[1]} rows now"


def _rows(connection: duckdb.DuckDBPyConnection, file: Path) -> int:
    if not file.is_file():
        return 0
    return int(connection.execute(f"select num_rows from parquet_file_metadata({literal(file)})").fetchall()[0][0])


def _is_view(connection: duckdb.DuckDBPyConnection, file: Path) -> bool:
    if not file.is_file():
        return False
    query = f"select count(*) from parquet_kv_metadata({literal(file)}) where decode(key) = 'view_of'"
    return bool(connection.execute(query).fetchall()[0][0])
