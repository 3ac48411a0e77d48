"""Find the rows and cells of one table that differ between two releases. DuckDB compares the Parquet files as sets."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from exports.changes.published import NEW, WITHDRAWN
from exports.model.reuse import UnchangedParts
from pipelines.core.sql import identifier, literal

DIFFERING = "differing"


@dataclass(frozen=True)
class Side:
    """A table of one release as its Parquet file describes it: types by column, key, `view_of` as in `Table`, and rows.

    `where` is an SQL condition that leaves out rows which are the same in the other release.
    """

    path: Path
    types: Mapping[str, str]
    key: tuple[str, ...]
    view_of: str | None
    rows: int
    where: str = ""

    @property
    def relation(self) -> str:
        file = f"read_parquet({literal(self.path)})"
        return f"(select * from {file} where {self.where})" if self.where else file


@dataclass(frozen=True)
class Pair:
    """A table in both releases, or in only one of them."""

    name: str
    old: Side | None
    new: Side | None

    @property
    def comparable(self) -> bool:
        """Whether rows of both sides can be matched: the key columns and their types are the same."""
        old, new = self.old, self.new
        return old is not None and new is not None and [(k, old.types[k]) for k in old.key] == [(k, new.types[k]) for k in new.key]

    @property
    def values(self) -> list[str]:
        """The columns of both sides that are not part of the key, those of the new side first."""
        sides = [side for side in (self.new, self.old) if side is not None]
        keys = {k for side in sides for k in side.key} if self.comparable else set()
        return list(dict.fromkeys(c for side in sides for c in side.types if c not in keys))


def side(connection: duckdb.DuckDBPyConnection, path: Path) -> Side:
    """Return the description of a table from its Parquet file."""
    file = literal(path)
    types = {name: kind for name, kind, *_ in connection.execute(f"describe select * from read_parquet({file})").fetchall()}
    metadata = dict(connection.execute(f"select decode(key), decode(value) from parquet_kv_metadata({file})").fetchall())
    rows = connection.execute(f"select num_rows from parquet_file_metadata({file})").fetchall()[0][0]
    return Side(path, types, tuple(json.loads(metadata["primary_key"])), metadata.get("view_of"), int(rows))


def differing_parts(pair: Pair, parts: UnchangedParts | None) -> Pair:
    """Return `pair` without the rows of the parts that are the same in both releases."""
    if parts is None or pair.old is None or pair.new is None:
        return pair
    values = ", ".join(literal(value) for value in sorted(parts.differing))
    where = f"{identifier(parts.by)} in ({values})" if values else "false"
    return replace(pair, old=replace(pair.old, where=where), new=replace(pair.new, where=where))


def find_differences(connection: duckdb.DuckDBPyConnection, pair: Pair) -> None:
    """Create the temporary table `differing` with each row that is not the same on both sides.

    Its columns are `key` as JSON, `whole` (new, withdrawn, or null if only cells changed), and for each of `pair.values` the old and the
    new value: o0, n0, o1, n1, ...
    """
    connection.execute(f"drop table if exists {DIFFERING}")
    if pair.comparable:
        connection.execute(f"create temp table {DIFFERING} as {_joined(pair)}")
        return
    halves = [_one_side(pair, s, whole) for s, whole in ((pair.old, WITHDRAWN), (pair.new, NEW)) if s is not None]
    connection.execute(f"create temp table {DIFFERING} as {' union all by name '.join(halves)}")


def added_removed(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """Return the number of new rows and the number of withdrawn rows."""
    query = f"select count(*) filter (where whole = '{NEW}'), count(*) filter (where whole = '{WITHDRAWN}') from {DIFFERING}"
    added, removed = connection.execute(query).fetchall()[0]
    return int(added), int(removed)


def _joined(pair: Pair) -> str:
    old, new = pair.old, pair.new
    assert old is not None
    assert new is not None
    keys = [identifier(k) for k in new.key]
    cells, differs = [], ["o.__present is null", "n.__present is null"]
    for i, name in enumerate(pair.values):
        missing = f"null::{(new.types if name in new.types else old.types)[name]}"
        left, right = (f"{s}.{identifier(name)}" if name in side.types else missing for s, side in (("o", old), ("n", new)))
        cells += [f"{left} as o{i}", f"{right} as n{i}"]
        differs.append(
            f"{left} is distinct from {right}" if _same_kind(old, new, name) else f"{left}::varchar is distinct from {right}::varchar"
        )
    key = _json([(k, f"coalesce(n.{identifier(k)}, o.{identifier(k)})") for k in new.key])
    return f"""
        select {", ".join([f"{key} as key", *cells])},
            case when o.__present is null then '{NEW}' when n.__present is null then '{WITHDRAWN}' end as whole
        from (select *, true as __present from {old.relation}) as o
        full join (select *, true as __present from {new.relation}) as n on {" and ".join(f"o.{k} = n.{k}" for k in keys)}
        where {" or ".join(differs)}"""


def _same_kind(old: Side, new: Side, name: str) -> bool:
    """Whether both cells are numbers or both are texts, so that they can be compared without a conversion."""
    kinds = {side.types[name] == "VARCHAR" for side in (old, new) if name in side.types}
    return len(kinds) == 1


def _one_side(pair: Pair, side: Side, whole: str) -> str:
    own, other = ("n", "o") if whole == NEW else ("o", "n")
    cells = []
    for i, name in enumerate(pair.values):
        kind = next(s.types[name] for s in (side, pair.new, pair.old) if s is not None and name in s.types)
        cells += [f"{identifier(name) if name in side.types else f'null::{kind}'} as {own}{i}", f"null::{kind} as {other}{i}"]
    key = _json([(k, identifier(k)) for k in side.key])
    return f"select {', '.join([f'{key} as key', *cells])}, '{whole}' as whole from {side.relation}"


def row_json(pair: Pair, own: str) -> str:
    """Return the SQL expression for a row without its key as JSON; `own` is o for the old row and n for the new one."""
    side = pair.new if own == "n" else pair.old
    assert side is not None
    return _json([(name, f"{own}{i}") for i, name in enumerate(pair.values) if name in side.types and name not in side.key])


def _json(members: Sequence[tuple[str, str]]) -> str:
    return f"json_object({', '.join(f'{literal(name)}, {expression}' for name, expression in members)})::varchar"
