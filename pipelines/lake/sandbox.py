"""Run the SQL expressions of a pack over frames. The database cannot open files or sockets, its settings are locked, its time is limited."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import duckdb
import polars as pl

from pipelines.core.sql import identifier
from pipelines.packs.expressions import ExpressionError

SECONDS = 60.0
MEMORY = "1GB"
ROWS_WITH_OWN_REASON = 50
"""How many failing rows are evaluated one by one for their own reason; later ones get the last reason."""
FAILURES = pl.Schema({"__n": pl.Int64, "column": pl.String, "reason": pl.String})


class TimeLimitExceeded(ExpressionError):
    """The expression ran longer than any legitimate one needs."""


class Sandbox:
    """An in-memory database for the expressions of packs: no files, no network, limited time and memory."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(
            config={"enable_external_access": "false", "threads": "1", "memory_limit": MEMORY, "autoload_known_extensions": "false"}
        )
        self._connection.execute("set python_enable_replacements = false")
        self._connection.execute("set lock_configuration = true")

    def query(self, sql: str, **tables: pl.DataFrame) -> pl.DataFrame:
        """Run `sql` over the frames given by name. Raises ExpressionError with DuckDB's message, or when the time limit is exceeded."""
        names = list(tables)
        try:
            for name, frame in tables.items():
                self._connection.register(name, frame.to_arrow())
            with self._time_limit():
                return pl.DataFrame(pl.from_arrow(self._connection.execute(sql).to_arrow_table()))
        except duckdb.InterruptException:
            raise TimeLimitExceeded(f"stopped after {SECONDS:.0f} seconds") from None
        except duckdb.Error as error:
            raise ExpressionError(str(error).splitlines()[0]) from None
        finally:
            for name in names:
                self._connection.unregister(name)

    @contextmanager
    def _time_limit(self) -> Iterator[None]:
        timer = threading.Timer(SECONDS, self._connection.interrupt)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def evaluate(self, frame: pl.DataFrame, columns: Sequence[tuple[str, str, str]]) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Evaluate expressions on every row of `frame`, which has a unique `__n`.

        `columns` are (name, SQL type, expression). Returns the results (`__n` and one column per expression, null where it failed) and
        the failures (`__n`, column, reason). A row on which an expression fails does not stop the others.
        """
        frame = _told_apart(frame)
        selected = ", ".join(f"cast((\n{e}\n) as {t}) as {identifier(n)}" for n, t, e in columns)
        try:
            return self.query(f"select __n, {selected} from input order by __n", input=frame), pl.DataFrame(schema=FAILURES)
        except TimeLimitExceeded:
            raise  # evaluating row by row would take far longer
        except ExpressionError:
            pass  # some row fails: find out which one, expression by expression
        return self._evaluate_one_by_one(frame, columns)

    def _evaluate_one_by_one(self, frame: pl.DataFrame, columns: Sequence[tuple[str, str, str]]) -> tuple[pl.DataFrame, pl.DataFrame]:
        result = frame.select("__n").sort("__n")
        failures = []
        for name, kind, expression in columns:
            one = f"cast((\n{expression}\n) as {kind})"
            guarded = self.query(f"select __n, try({one}) as {identifier(name)} from input", input=frame)
            # null where it fails, 1 where the result is null, 2 where it is a value; this needs a separate query, because the optimiser
            # moves an expression that occurs twice out of its try()
            state = self.query(f"select __n, try(case when {one} is null then 1 else 2 end) as __state from input", input=frame)
            failed = frame.join(state.filter(pl.col("__state").is_null()).select("__n"), on="__n", how="semi").sort("__n")
            reason = ""
            for i, row in enumerate(failed.iter_slices(1)):
                if i < ROWS_WITH_OWN_REASON:
                    try:
                        self.query(f"select {one} from input", input=row)
                    except ExpressionError as error:
                        reason = str(error)
                failures.append((row["__n"][0], name, reason))
            result = result.join(guarded, on="__n", how="left", maintain_order="left")
        return result, pl.DataFrame(failures, schema=FAILURES, orient="row")


def _told_apart(frame: pl.DataFrame) -> pl.DataFrame:
    """Return `frame` without the columns whose names differ only in case.

    No expression may use them, and DuckDB would give the second of `A` and `a` the name `a_1`, which may be that of another column.
    """
    counts = Counter(name.lower() for name in frame.columns)
    return frame[[name for name in frame.columns if counts[name.lower()] == 1]]
