"""Columns of frames by their names: polars takes a name such as `*` or `^a$` for a pattern, and other columns match it."""

from __future__ import annotations

import polars as pl
from polars import selectors


def column(name: str) -> pl.Expr:
    """Return the column that has exactly this name. Use it for names from files and packs in place of `pl.col` or a text."""
    return selectors.by_name(name).as_expr()


def cells(frame: pl.DataFrame, name: str) -> pl.Series:
    """Return the cells of a column as a series without a name, because many methods of a series take its name for a pattern, too."""
    return frame.get_column(name).alias("")
