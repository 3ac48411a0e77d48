"""The side of the sandbox that runs the expressions, in a process of its own. The database cannot open files or sockets, and its settings are
locked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

import duckdb
import polars as pl

from pipelines.core.printable import shortened
from pipelines.core.sql import identifier
from pipelines.lake import isolated
from pipelines.lake.isolated import Frames, Refused

MEMORY = "1GB"
ROWS = 500_000
"""Rows that are evaluated at a time."""
ROWS_WITH_OWN_REASON = 50
"""How many failing rows are evaluated one by one for their own reason; later ones of these rows get the last reason."""
_REASON = 1_000
"""Characters of a reason; DuckDB repeats the cell in it."""
FAILURES = pl.Schema({"__n": pl.Int64, "column": pl.String, "reason": pl.String})


def query(request: dict[str, Any]) -> dict[str, Any]:
    """Answer `Sandbox.query`."""
    return isolated.answer(request, lambda tables, sql: [{"result": _query(sql, tables)}])


def evaluate(request: dict[str, Any]) -> dict[str, Any]:
    """Answer `Sandbox.evaluate`."""
    return isolated.answer(request, lambda tables, columns: _evaluate(tables["input"], columns))


@lru_cache(maxsize=1)
def _connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        config={"enable_external_access": "false", "threads": "1", "memory_limit": MEMORY, "autoload_known_extensions": "false"}
    )
    connection.execute("set python_enable_replacements = false")
    connection.execute("set lock_configuration = true")
    return connection


def _query(sql: str, tables: Frames) -> pl.DataFrame:
    """Run `sql` over the frames. Raises Refused with DuckDB's message."""
    connection = _connection()
    try:
        for name, frame in tables.items():
            connection.register(name, frame.to_arrow())
        return pl.DataFrame(pl.from_arrow(connection.execute(sql).to_arrow_table()))
    except duckdb.Error as error:
        if isinstance(error, (duckdb.InternalException, duckdb.FatalException)):
            _connection.cache_clear()  # the database refuses everything after such an error
        raise Refused(shortened(str(error).splitlines()[0], _REASON)) from None
    finally:
        with suppress(duckdb.Error):
            for name in tables:
                connection.unregister(name)


def _evaluate(frame: pl.DataFrame, columns: Sequence[tuple[str, str, str]]) -> Iterator[Frames]:
    ordered = frame if frame["__n"].is_sorted() else frame.sort("__n")
    for piece in ordered.iter_slices(ROWS) if frame.height else [ordered]:
        yield _evaluate_piece(piece, columns)


def _evaluate_piece(frame: pl.DataFrame, columns: Sequence[tuple[str, str, str]]) -> Frames:
    selected = ", ".join(f"cast((\n{e}\n) as {t}) as {identifier(n)}" for n, t, e in columns)
    try:
        values = _query(f"select __n, {selected} from input order by __n", {"input": frame})
        return {"values": values, "failures": pl.DataFrame(schema=FAILURES)}
    except Refused:
        pass  # some row fails: find out which one, expression by expression
    return _one_by_one(frame, columns)


def _one_by_one(frame: pl.DataFrame, columns: Sequence[tuple[str, str, str]]) -> Frames:
    result = frame.select("__n").sort("__n")
    failures = [pl.DataFrame(schema=FAILURES)]
    for name, kind, expression in columns:
        one = f"cast((\n{expression}\n) as {kind})"
        guarded = _query(f"select __n, try({one}) as {identifier(name)} from input", {"input": frame})
        # null where it fails, 1 where the result is null, 2 where it is a value; this needs a separate query, because the optimiser
        # moves an expression that occurs twice out of its try()
        state = _query(f"select __n, try(case when {one} is null then 1 else 2 end) as __state from input", {"input": frame})
        failed = frame.join(state.filter(pl.col("__state").is_null()).select("__n"), on="__n", how="semi").sort("__n")
        reasons: list[str] = []
        for row in failed.head(ROWS_WITH_OWN_REASON).iter_slices(1):
            try:
                _query(f"select {one} from input", {"input": row})
                reasons.append(reasons[-1] if reasons else "")
            except Refused as error:
                reasons.append(str(error))
        reasons += reasons[-1:] * (failed.height - len(reasons))
        failures.append(failed.select("__n", pl.lit(name).alias("column"), pl.Series("reason", reasons, dtype=pl.String)))
        result = result.join(guarded, on="__n", how="left", maintain_order="left")
    return {"values": result, "failures": pl.concat(failures).cast(FAILURES)}
