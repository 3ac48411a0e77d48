"""Findings on whole rows: a shape that the reader could not trust, repeated rows, and different rows with one key.

Findings are frames with the columns `__n` (index of the row) and `reason`.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from pipelines.core import frames
from quality.contracts.rules import ColumnRule

MAX_LISTED = 5  # rows of one key that a reason lists


def find_shape_faults(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with a `__fault`, which is the reader's reason."""
    if "__fault" not in frame.columns:
        return pl.DataFrame(schema={"__n": pl.UInt32, "reason": pl.String})
    return frame.select(pl.col("__fault").alias("reason")).with_row_index("__n").filter(pl.col("reason").is_not_null())


def find_repeats_and_conflicts(
    frame: pl.DataFrame, typed: pl.DataFrame, rules: Sequence[ColumnRule], key: Sequence[str]
) -> tuple[pl.Series, pl.DataFrame]:
    """Return the indices of rows that repeat an equal row, and findings on different rows that share a key.

    Only rows of one part are compared. A row of wrong shape has no key.
    """
    part = ["__part"] if "__part" in frame.columns else []
    keys = typed[list(key)].with_columns(frame[name] for name in part)
    is_shared = keys.is_duplicated() if keys.width > 1 else keys.to_series().alias("").is_duplicated()
    if "__fault" in frame.columns:
        is_shared &= frame["__fault"].is_null()
    rows = is_shared.arg_true().cast(pl.UInt32)
    cells = [name for name in frame.columns if name not in ("__row", "__cell", "__fault")]
    is_first = frame[cells][rows].select(pl.struct(frames.column(name) for name in cells).is_first_distinct()).to_series()
    repeats = rows.filter(~is_first).alias("__n")
    return repeats, _conflicts(frame, typed, rules, keys, rows.filter(is_first))


def _conflicts(frame: pl.DataFrame, typed: pl.DataFrame, rules: Sequence[ColumnRule], keys: pl.DataFrame, rows: pl.Series) -> pl.DataFrame:
    """Return findings on those of the different `rows` that share a key. `keys` has the key columns of all rows, and perhaps `__part`."""
    source = {rule.name: rule.source for rule in rules}
    key = [name for name in keys.columns if name != "__part"]
    has_key = pl.Series([True] * rows.len(), dtype=pl.Boolean)
    for name in key:  # a bad cell is no key, and its row is refused anyway
        has_key &= frames.cells(typed, name).gather(rows).is_not_null() | frames.cells(frame, source[name]).gather(rows).is_null()
    rows = rows.filter(has_key)
    candidates = keys[rows].with_columns(rows.alias("__n"), frame["__row"].gather(rows))
    groups = (
        candidates.group_by([frames.column(name) for name in keys.columns], maintain_order=True)
        .agg("__n", "__row")
        .filter(pl.col("__n").list.len() > 1)
    )
    listed = pl.col("__row").list.head(MAX_LISTED).cast(pl.List(pl.String)).list.join(", ")
    more = pl.when(pl.col("__row").list.len() > MAX_LISTED).then(pl.lit(", ...")).otherwise(pl.lit(""))
    reason = pl.format("{} different rows have the key ({}): rows {}{}", pl.col("__n").list.len(), pl.lit(", ".join(key)), listed, more)
    return groups.select("__n", reason.alias("reason")).explode("__n")
