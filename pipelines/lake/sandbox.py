"""Run the SQL expressions of a pack over frames: in a process of its own, whose memory and CPU time are limited.

DuckDB can neither interrupt a function on one long text nor count what that needs (`sandbox_database` is the other side).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.lake import isolated
from pipelines.packs.expressions import ExpressionError

SECONDS = 60.0
"""CPU time of one query, or of the expressions of one source on all rows."""
_SIDE = "pipelines.lake.sandbox_database"


class Sandbox:
    """A database for the expressions of packs: no files, no network, limited time and memory.

    `folder` says where files may be that exist only while an expression runs; without it, the system's folder is used.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder

    def query(self, sql: str, **tables: pl.DataFrame) -> pl.DataFrame:
        """Run `sql` over the frames given by name. Raises ExpressionError with DuckDB's message, or when a limit is exceeded."""
        return self._call("query", tables, sql)["result"]

    def evaluate(self, frame: pl.DataFrame, columns: Sequence[tuple[str, str, str]]) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Evaluate expressions on every row of `frame`, which has a unique `__n`.

        `columns` are (name, SQL type, expression). Returns the results (`__n` and one column per expression, null where it failed) and
        the failures (`__n`, column, reason). A row on which an expression fails does not stop the others. Raises ExpressionError.
        """
        results = self._call("evaluate", {"input": _told_apart(frame)}, columns)
        return results["values"], results["failures"]

    def _call(self, task: str, tables: dict[str, pl.DataFrame], options: Any) -> isolated.Frames:
        try:
            return isolated.call("the expressions", f"{_SIDE}:{task}", tables, options, SECONDS, self.folder)
        except isolated.Refused as refused:
            raise ExpressionError(str(refused)) from None
        except isolated.Unfinished as unfinished:
            raise ExpressionError(str(unfinished)) from None


def _told_apart(frame: pl.DataFrame) -> pl.DataFrame:
    """Return `frame` without the columns whose names differ only in case.

    No expression may use them, and DuckDB would give the second of `A` and `a` the name `a_1`, which may be that of another column.
    """
    counts = Counter(name.lower() for name in frame.columns)
    return frame[[name for name in frame.columns if counts[name.lower()] == 1]]
