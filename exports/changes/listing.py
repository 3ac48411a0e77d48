"""Turn the rows of a table that differ into rows of `changes`, in batches. Writes no file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import duckdb
import polars as pl

from exports.changes import reasons
from exports.changes.pairs import DIFFERING, Pair, row_json
from exports.changes.published import NEW, TABLE, WHOLE, WHOLE_KEY, WITHDRAWN
from exports.formats.prepare_table import FORMULA_START, GUARD
from pipelines.core.sql import literal

BATCH_ROWS = 20_480
COLUMNS = [column.name for column in TABLE.columns]
_TEXTS = ("old", "new")


def count(connection: duckdb.DuckDBPyConnection, pair: Pair, fallback: int) -> dict[str, int]:
    """Return the number of changed cells by kind, without rows that are new or withdrawn."""
    if not pair.comparable:
        return {}
    kind, joins = reasons.kind(connection, pair, fallback)
    by_kind: dict[str, list[str]] = {}
    for i, name in enumerate(pair.values):
        always = reasons.fixed(pair, name)
        by_kind.setdefault(literal(always) if always else kind, []).append(f"({_differs(pair, name, i)})::integer")
    parts = [
        f"select {k} as kind, {' + '.join(cells)} as n from {DIFFERING} as d {joins} where whole is null" for k, cells in by_kind.items()
    ]
    query = f"select kind, sum(n)::bigint from ({' union all '.join(parts)}) where n > 0 group by kind order by kind"
    return dict(connection.execute(query).fetchall()) if parts else {}


def batches(connection: duckdb.DuckDBPyConnection, pair: Pair, fallback: int, version: str) -> Iterator[pl.DataFrame]:
    """Yield the rows of `changes` for `pair`, sorted by key and column.

    Whole rows are sorted first and then split into cells batch by batch: sorting cells would need many times the memory.
    """
    kind, joins = reasons.kind(connection, pair, fallback) if pair.comparable else ("null::varchar", "")
    withdrawn = f"case when whole = '{WITHDRAWN}' then {row_json(pair, 'o')} end" if pair.old else "null::varchar"
    new = f"case when whole = '{NEW}' then {row_json(pair, 'n')} end" if pair.new else "null::varchar"
    marks = [f"{_differs(pair, name, i)} as c{i}" for i, name in enumerate(pair.values)]
    values = [f"d.{own}{i}" for i in range(len(pair.values)) for own in ("o", "n")]
    reader = connection.execute(f"""
        select d.key, whole, {withdrawn} as whole_old, {new} as whole_new, {kind} as kind, {", ".join([*values, *marks])}
        from {DIFFERING} as d {joins}
        order by d.key""").fetch_record_batch(BATCH_ROWS)
    for batch in reader:
        frame = pl.from_arrow(batch)
        assert isinstance(frame, pl.DataFrame)
        yield _cells(frame, pair).select(pl.lit(pair.name).alias("table"), *COLUMNS[1:-1], pl.lit(version).alias("from_version"))


def _cells(rows: pl.DataFrame, pair: Pair) -> pl.DataFrame:
    """Split rows that differ: one row for each new or withdrawn row, and one for each changed cell of the others."""
    wholes = rows.filter(pl.col("whole").is_not_null())
    parts = [wholes.select("key", pl.lit(WHOLE).alias("column"), pl.col("whole").alias("kind"), old="whole_old", new="whole_new")]
    rest = rows.filter(pl.col("whole").is_null())
    for i, name in enumerate(pair.values):
        kind = reasons.fixed(pair, name)
        parts.append(
            rest.filter(pl.col(f"c{i}")).select(
                "key",
                pl.lit(name).alias("column"),
                pl.col("kind") if kind is None else pl.lit(kind).alias("kind"),
                pl.col(f"o{i}").cast(pl.String).alias("old"),  # a double as in the CSV file
                pl.col(f"n{i}").cast(pl.String).alias("new"),
            )
        )
    return pl.concat(parts).sort("key", "column")


def summary_row(pair: Pair, kinds: Mapping[str, int], added: int, removed: int, version: str) -> pl.DataFrame:
    """Return the single row for a table with too many changes to list. Its kind is the most frequent one."""
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
    """Return `frame` with an apostrophe before each text that a spreadsheet would run as a formula, and the number of such texts."""
    hits = {side: frame[side].str.contains(FORMULA_START).fill_null(False) for side in _TEXTS}
    guarded = [pl.when(hit).then(GUARD + pl.col(side)).otherwise(pl.col(side)).alias(side) for side, hit in hits.items()]
    return frame.with_columns(guarded), sum(int(hit.sum()) for hit in hits.values())


def _differs(pair: Pair, name: str, i: int) -> str:
    kinds = {side.types[name] == "VARCHAR" for side in (pair.old, pair.new) if side is not None and name in side.types}
    as_text = "::varchar" if len(kinds) > 1 else ""  # a number became a text, or a text a number
    return f"d.o{i}{as_text} is distinct from d.n{i}{as_text}"
