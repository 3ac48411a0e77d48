"""What the event formats share: values that may be in lists, texts by language, and the frame of their rows."""

from __future__ import annotations

from typing import Any

import polars as pl

from pipelines.readers import cells, decoding
from pipelines.readers.options import EVENT_COLUMNS, ReadOptions

Row = dict[str, str | None]


def frame(rows: list[Row], options: ReadOptions) -> pl.DataFrame:
    """Return the rows with all of EVENT_COLUMNS. `__fault` says why a row is no event; `__row` counts from 1.

    `__ignored`, which is there if a row has it, says why the row is to be ignored.
    """
    for row in rows:
        wrong = decoding.unwritable(row.values())
        if wrong:
            row.update({name: decoding.without_marks(text) for name, text in row.items() if text is not None})
            row.setdefault("__fault", wrong)
    series = [pl.Series(name, [row.get(name) for row in rows], dtype=pl.String) for name in (*EVENT_COLUMNS, "__fault")]
    table = cells.finish(pl.DataFrame([*series, pl.Series("__row", range(1, len(rows) + 1), dtype=pl.Int64)]), options)
    if not any("__ignored" in row for row in rows):
        return table
    return table.with_columns(pl.Series("__ignored", [row.get("__ignored") for row in rows], dtype=pl.String))


def listed(value: Any) -> list[Any]:
    """Return a value that may be a list or a single item as a list; None is the empty list."""
    return value if isinstance(value, list) else [] if value is None else [value]


def string(value: Any) -> str | None:
    """Return `value` if it is text, else None."""
    return str(value) if isinstance(value, str) else None


def in_first_language(value: Any) -> tuple[str | None, str | None]:
    """Return the language and the text of a value that may have texts by language: the first of them, or (None, text)."""
    if isinstance(value, dict):
        for language, text in value.items():
            if isinstance(text, str):
                return language, text
    return None, string(value)
