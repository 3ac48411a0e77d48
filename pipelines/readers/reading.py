"""The side of `pipelines.readers.isolated` that reads a file, in a process of its own. The rows go through an Arrow file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from pipelines import readers
from pipelines.readers.cells import Columns, NumberColumn

ROW, CELL, TEXT = 300, 16, 3
"""Bytes for each row, for each cell, and for each byte of text."""


def read(request: dict[str, Any]) -> dict[str, Any]:
    """Write the rows of `request["path"]` to `request["output"]`, and return the names of all columns that the file has (`found`).

    Where the file is refused, return the reason (`unreadable`).
    """
    try:
        numbers = {name: NumberColumn(decimal, is_integer) for name, (decimal, is_integer) in request["numbers"].items()}
        columns = Columns(request["columns"], numbers)
        rows = readers.read(Path(request["path"]), readers.ReadOptions.model_validate(request["options"]), columns)
        _assert_bounded(rows, request["rows"], request["bytes"])
    except readers.UnreadableSnapshot as error:
        return {"unreadable": str(error)}
    rows.write_ipc(request["output"], compression="uncompressed")
    return {"found": list(columns.found)}


def _assert_bounded(rows: pl.DataFrame, most_rows: int, most_bytes: int) -> None:
    """Refuse rows that are small in the file and in memory, but not for the steps that come after."""
    if rows.height > most_rows:
        raise readers.UnreadableSnapshot(f"the file has {rows.height} rows, more than {most_rows} (ZPO2_READ_ROWS)")
    size = size_of(rows)
    if size > most_bytes:
        raise readers.UnreadableSnapshot(
            f"the rows of the file need some {size // 10**6} MB, more than {most_bytes // 10**6} MB (ZPO2_READ_MEMORY)"
        )


def size_of(rows: pl.DataFrame) -> int:
    """Return about how many bytes rows need in the steps after reading, where each cell has its own text: one that many cells share counts for
    each of them. The steps hold several copies of a row, and the quarantine has its cells as JSON.
    """
    return rows.height * (ROW + CELL * rows.width) + TEXT * text_of(rows)


def text_of(rows: pl.DataFrame) -> int:
    """Return the bytes of the texts in all cells."""
    texts = (column.alias("text") for column in rows.iter_columns() if column.dtype == pl.String)  # polars takes some names for patterns
    return sum(int(text.str.len_bytes().cast(pl.Int64).sum()) for text in texts)
