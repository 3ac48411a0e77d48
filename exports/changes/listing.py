"""The rows of `changes` about one table, from the rows that differ, to whoever takes them in batches. Writes no file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import duckdb
import polars as pl

from exports.changes import reasons
from exports.changes.pairs import DIFFERING, Pair, row_json
from exports.changes.published import NEW, TABLE, WHOLE, WHOLE_KEY, WITHDRAWN
from exports.frame import BATCH_ROWS, FORMULA_START, GUARD
from exports.sql import literal

COLUMNS = [column.name for column in TABLE.columns]
_TEXTS = ("old", "new")


def cells(connection: duckdb.DuckDBPyConnection, pair: Pair, elsewhere: int) -> str:
    """Return the query of the changed cells of `pair`, without whole rows: key, column, kind and both values as text or number."""
    kind, joins = reasons.kind(connection, pair, elsewhere)
    parts = [
        f'select d.key, {literal(name)} as "column", {reasons.fixed(pair, name) or kind} as kind, {_value(pair, name, i)} '
        f"from {DIFFERING} as d {joins} where d.whole is null and {_differs(pair, name, i)}"
        for i, name in enumerate(pair.values)
    ]
    return " union all ".join(parts)


def count(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, int]:
    """Return the number of changed cells by kind."""
    return dict(connection.execute(f"select kind, count(*) from ({query}) group by kind order by kind").fetchall())


def batches(connection: duckdb.DuckDBPyConnection, pair: Pair, query: str, version: str) -> Iterator[pl.DataFrame]:
    """Yield the rows of `changes` about `pair`, sorted by key."""
    columns = 'key, "column", kind, old_text, old_number, new_text, new_number'
    whole = f"""
        select key, '{WHOLE}' as "column", whole as kind,
            case when whole = '{WITHDRAWN}' then {row_json(pair, "o") if pair.old else "null"} end as old_text, null::double as old_number,
            case when whole = '{NEW}' then {row_json(pair, "n") if pair.new else "null"} end as new_text, null::double as new_number
        from {DIFFERING} where whole is not null"""
    everything = f"{whole} union all {query}" if query else whole
    reader = connection.execute(f'select {columns} from ({everything}) order by key, "column"').fetch_record_batch(BATCH_ROWS)
    for batch in reader:
        frame = pl.from_arrow(batch)
        assert isinstance(frame, pl.DataFrame)
        yield frame.select(
            pl.lit(pair.name).alias("table"), "key", "column", "kind",
            *(pl.coalesce(f"{side}_text", pl.col(f"{side}_number").cast(pl.String)).alias(side) for side in _TEXTS),
            pl.lit(version).alias("from_version"),
        )  # fmt: skip


def folded(pair: Pair, kinds: Mapping[str, int], added: int, removed: int, version: str) -> pl.DataFrame:
    """Return the one row that stands for a table with too many changes to be listed; its kind is that of most changed cells."""
    before, after = (side.rows if side else 0 for side in (pair.old, pair.new))
    by_kind = {**kinds, **({NEW: added} if added else {}), **({WITHDRAWN: removed} if removed else {})}
    row = {
        "table": pair.name, "key": WHOLE_KEY, "column": WHOLE,
        "kind": min(by_kind, key=lambda kind: (-by_kind[kind], kind)),
        "old": json.dumps({"rows": before}, separators=(",", ":")),
        "new": json.dumps(
            {"rows": after, "added": added, "removed": removed, "changed_cells": sum(kinds.values())}, separators=(",", ":")
        ),
        "from_version": version,
    }  # fmt: skip
    return pl.DataFrame([row], schema=dict.fromkeys(COLUMNS, pl.String))


def guard(frame: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Return `frame` with an apostrophe before each text that a spreadsheet would run, and how many there were."""
    hits = {side: frame[side].str.contains(FORMULA_START).fill_null(False) for side in _TEXTS}
    guarded = [pl.when(hit).then(GUARD + pl.col(side)).otherwise(pl.col(side)).alias(side) for side, hit in hits.items()]
    return frame.with_columns(guarded), sum(int(hit.sum()) for hit in hits.values())


def _value(pair: Pair, name: str, i: int) -> str:
    parts = []
    for own, side in (("o", pair.old), ("n", pair.new)):
        number = side is not None and side.types.get(name) == "DOUBLE"
        word = "old" if own == "o" else "new"
        parts.append(f"{'null' if number else f'd.{own}{i}'}::varchar as {word}_text")
        parts.append(f"{f'd.{own}{i}' if number else 'null'}::double as {word}_number")
    return ", ".join(parts)


def _differs(pair: Pair, name: str, i: int) -> str:
    kinds = {side.types[name] == "VARCHAR" for side in (pair.old, pair.new) if side is not None and name in side.types}
    as_text = "::varchar" if len(kinds) > 1 else ""  # a number that became a text, or the other way round
    return f"d.o{i}{as_text} is distinct from d.n{i}{as_text}"
