"""From cells to the frame that every reader returns: names of columns, blanks, missing values."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipelines.readers.options import ReadOptions


@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers: the decimal mark of its texts, and whether its numbers are whole."""

    decimal: str
    is_integer: bool


_PLAIN = NumberColumn(".", is_integer=False)


class Columns(list[str]):
    """The names of the needed columns. Once a file is read, `found` has the names of all its columns.

    With `everything` all columns are needed, whatever their names. `numbers` are the declared columns of numbers: a cell that is a number
    in the file is written with the marks of its column, so that it stays that number.
    """

    def __init__(self, needed: Collection[str] | None, numbers: Mapping[str, NumberColumn] | None = None) -> None:
        super().__init__(needed or ())
        self.everything = needed is None
        self.numbers = dict(numbers or {})
        self.also: Callable[[str], bool] = lambda _: False
        """Says of a column that is not named whether it is needed."""
        self.number_of_others = _PLAIN
        """How the typed numbers of these columns are written."""
        self.found: dict[str, None] = {}


def selector(columns: Collection[str] | None) -> Callable[[str], bool]:
    """Return the function that says whether a column is needed. Like SQL, it ignores case."""
    needed = {name.lower() for name in columns or ()}
    everything = columns is None or (isinstance(columns, Columns) and columns.everything)

    def is_needed(name: str) -> bool:
        if isinstance(columns, Columns):
            columns.found[name] = None
        return everything or name.lower() in needed or (isinstance(columns, Columns) and columns.also(name))

    return is_needed


def joined(header: Sequence[Sequence[str]]) -> list[str]:
    """Return one name per column: the cells of its header rows, joined with ` / `.

    A merged cell has its text at its left end only, so a blank cell above the last row takes the text to its left, unless a row above
    it has new text there.
    """
    width = max((len(row) for row in header), default=0)
    rows = [[*(cell.strip() for cell in row), *[""] * (width - len(row))] for row in header]
    begins = [False] * width
    for row in rows[:-1]:
        begins = [new or cell != "" for new, cell in zip(begins, row, strict=True)]
        for i in range(1, width):
            if not row[i] and not begins[i]:
                row[i] = row[i - 1]
    return [" / ".join(filter(None, parts)) for parts in zip(*rows, strict=True)]


def unique(names: Sequence[str]) -> list[str]:
    """Return unique names: `column_N` for an empty one, `name.2` for a repeated one. No name begins with `__`."""
    taken: set[str] = set()
    counts: dict[str, int] = {}
    result = []
    for position, text in enumerate(names, 1):
        name = text.strip()
        while name.startswith("__"):
            name = name[1:]
        base = name or f"column_{position}"
        name, count = base, counts.get(base, 1)
        while name in taken:
            count += 1
            name = f"{base}.{count}"
        counts[base] = count
        taken.add(name)
        result.append(name)
    return result


def text(value: Any, decimal: str = ".") -> str:
    """Return the text of a typed cell: whole numbers without `.0`, dates in ISO 8601, booleans as true and false."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if value.is_integer():
            return str(int(value))
        return repr(value) if decimal == "." else repr(value).replace(".", decimal)
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        seconds = value.total_seconds()
        return f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02}:{seconds % 60:02.0f}"
    return str(value)


_ZERO_FRACTION = r"^([+-]?[0-9]+)\.0+$"
_zero_fraction = re.compile(_ZERO_FRACTION)


def number_columns(options: ReadOptions, columns: Collection[str] | None) -> Callable[[str], NumberColumn]:
    """Return the function that says how the typed numbers of a column are written.

    In a column that is not declared as numbers, they keep their dot. Without declared columns, all have the decimal mark of the file, if the
    dot separates thousands there.
    """
    if isinstance(columns, Columns):
        return lambda name: columns.numbers.get(name) or (columns.number_of_others if columns.also(name) else _PLAIN)
    column = NumberColumn(options.decimal if options.thousands == "." else ".", is_integer=False)
    return lambda _: column


def number_text(text: str, column: NumberColumn) -> str:
    """Return the text of a typed number as its column writes it."""
    if column.is_integer and (whole := _zero_fraction.match(text)):
        return whole[1]
    return text if column.decimal == "." else text.replace(".", column.decimal)


def number_texts(texts: pl.Series, column: NumberColumn) -> pl.Series:
    """Return the texts of typed numbers as their column writes them."""
    if column.is_integer:
        texts = texts.str.replace(_ZERO_FRACTION, "${1}")
    return texts if column.decimal == "." else texts.str.replace(".", column.decimal, literal=True)


def cleaned(column: pl.Expr, options: ReadOptions) -> pl.Expr:
    """Return a text column with blanks stripped and null for missing values."""
    missing = sorted({value.strip() for value in options.na})
    cell = column.str.strip_chars()
    if missing == [""]:
        return pl.when(cell != "").then(cell)
    return pl.when(~cell.is_in(missing)).then(cell) if missing else cell


def finish(frame: pl.DataFrame, options: ReadOptions, absent: Sequence[str] = ()) -> pl.DataFrame:
    """Return `frame` with blanks stripped and null for missing values. Columns in `absent` are added, with null in all rows.

    `frame` has `__row` and may have `__fault` and `__cell`; its other columns are text.
    """
    expressions = [  # by position, because polars takes names such as `*` and `^a$` for patterns
        cleaned(pl.nth(position), options).alias(name)
        for position, name in enumerate(frame.columns)
        if name not in ("__row", "__cell", "__fault")
    ]
    nothing = [pl.lit(None, pl.String).alias(name) for name in absent]
    fault = pl.col("__fault") if "__fault" in frame.columns else pl.lit(None, pl.String).alias("__fault")
    cell = ["__cell"] if "__cell" in frame.columns else []
    return frame.select(*expressions, *nothing, pl.col("__row").cast(pl.Int64), *cell, fault.cast(pl.String))


def column_number(letters: bytes) -> int:
    """Return the number of a sheet's column: A is 1, AA is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
