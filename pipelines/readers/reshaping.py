"""Changes the shape of a table that was read: fills cells down, and turns columns into rows. Knows no format."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl
from polars import selectors

from pipelines.core.frames import column
from pipelines.core.printable import listed
from pipelines.readers.cells import Columns, NumberColumn
from pipelines.readers.options import ReadOptions, Unpivot
from pipelines.readers.unreadable import UnreadableSnapshot

LISTED = 20


def columns_to_read(options: ReadOptions, columns: Collection[str] | None) -> Collection[str] | None:
    """Return the columns of the file that are needed for `columns` of the table in its new shape."""
    unpivot = options.unpivot
    if unpivot is None or columns is None:
        return columns
    read = columns if isinstance(columns, Columns) else Columns(columns)
    read.also = lambda name: unpivot.groups(name) is not None
    read.number_of_others = read.numbers.get(unpivot.value, NumberColumn(".", is_integer=False))
    return read


def reshaped(frame: pl.DataFrame, options: ReadOptions) -> pl.DataFrame:
    """Return `frame` with `fill_down` and `unpivot` applied. Raises UnreadableSnapshot if the file lacks a column for them."""
    for name in options.fill_down:
        if name not in frame.columns:
            raise UnreadableSnapshot(f"fill_down: the file has no column {name}; it has {_listed(frame)}")
    frame = frame.with_columns(column(name).forward_fill() for name in options.fill_down)
    return frame if options.unpivot is None else _unpivoted(frame, options.unpivot)


def _unpivoted(frame: pl.DataFrame, unpivot: Unpivot) -> pl.DataFrame:
    """Return a row for each row of `frame` and each column that `unpivot` selects; `__cell` is the name of that column."""
    names = [name for name in frame.columns if not name.startswith("__")]
    groups = {name: parts for name in names if (parts := unpivot.groups(name)) is not None}
    absent = [name for name in unpivot.columns or [] if name not in groups]
    if absent:
        raise UnreadableSnapshot(f"unpivot: the file has no column {absent[0]}; it has {_listed(frame)}")
    if not groups:
        raise UnreadableSnapshot(f"unpivot: no column of the file matches {unpivot.pattern}; it has {_listed(frame)}")
    others = [name for name in frame.columns if name not in groups and name != "__cell"]
    taken = [name for name in unpivot.new_columns if name in others]
    if taken:
        raise UnreadableSnapshot(f"unpivot: the file has a column {taken[0]}; give the new column another name")
    long = frame.with_row_index("__n").unpivot(
        selectors.by_name(*groups), index=selectors.by_name("__n", *others), variable_name=unpivot.name, value_name=unpivot.value
    )
    order = {name: i for i, name in enumerate(groups)}
    long = long.with_columns(column(unpivot.name).replace_strict(order, return_dtype=pl.Int64).alias("__order"))
    long = long.sort("__n", "__order").with_columns(
        column(unpivot.name).alias("__cell"),
        *(
            column(unpivot.name).replace_strict({name: parts[group] for name, parts in groups.items()}, return_dtype=pl.String).alias(group)
            for group in next(iter(groups.values()))
        ),
    )
    kept = [name for name in others if not name.startswith("__")]
    internal = [name for name in others if name.startswith("__")]
    return long[[*kept, *unpivot.new_columns, *internal, "__cell"]]


def _listed(frame: pl.DataFrame) -> str:
    names = [name for name in frame.columns if not name.startswith("__")]
    return listed(names, LISTED)
