"""What is done to the text rows of files before their contract: corrections are applied, and the rows that `read.ignore` names are left out."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from pipelines import readers
from pipelines.core import frames
from pipelines.lake.ingest.context import Context
from pipelines.lake.ingest.shape import no_column
from pipelines.packs import expressions
from pipelines.packs.expressions import ExpressionError
from pipelines.packs.schema import FetchedSource

_IGNORE = "read.ignore"


class MissingColumn(readers.UnreadableSnapshot):
    """A place in a declaration names a column that the file does not have."""

    def __init__(self, place: str, name: str) -> None:
        super().__init__(f"{place}: the file has no column {name}")
        self.place = place
        self.name = name

    def message(self, columns: Sequence[str]) -> str:
        """Return the message with the columns that the file has."""
        return f"{self.place}: {no_column(self.name, columns)}"


def apply_corrections(context: Context, source: FetchedSource, frame: pl.DataFrame) -> tuple[pl.DataFrame, list[int]]:
    """Return the corrected rows, and how many rows each correction changed. Raises UnreadableSnapshot."""
    changed = []
    for correction in source.corrections:
        mask = rows_matching(context, correction.where, frame, "corrections.where")
        for column in (*correction.expect, *correction.set):
            if column not in frame.columns:
                raise MissingColumn("corrections", column)
        for column, text in correction.expect.items():
            other = frame.filter(mask & (frames.cells(frame, column).fill_null("") != text))
            if other.height:
                raise readers.UnreadableSnapshot(
                    f"correction ({correction.reason}): expected {text!r} in column {column} of row {other['__row'][0]}, found {other[column][0]!r}"
                )
        changed.append(int(mask.sum()))
        frame = frame.with_columns(pl.when(mask).then(pl.lit(v)).otherwise(frames.column(c)).alias(c) for c, v in correction.set.items())
    return frame, changed


def rows_matching(context: Context, expression: str, frame: pl.DataFrame, place: str) -> pl.Series:
    """Return for each row of text cells whether `expression` is true for it. `place` is the expression's place in the declaration.

    Raises UnreadableSnapshot where the rows lack a column, and ExpressionError where the expression fails on a row.
    """
    matches, reasons = _evaluated(context, expression, _cells(expression, frame, place), place)
    if reasons.null_count() < reasons.len():
        raise ExpressionError(reasons.drop_nulls()[0])
    return matches


def check_ignore(source: FetchedSource, frame: pl.DataFrame) -> None:
    """Raise UnreadableSnapshot where the rows of a file lack a column that `read.ignore` uses."""
    if source.read.ignore is not None and frame.height:
        _cells(source.read.ignore, frame, _IGNORE)


def without_ignored(context: Context, source: FetchedSource, texts: Sequence[pl.DataFrame]) -> list[pl.DataFrame]:
    """Return for each file the rows that neither the reader nor `read.ignore` leaves out. `ignore` is evaluated on all files at once.

    A row on which `ignore` fails is kept, with the reason as its fault. Raises UnreadableSnapshot and ExpressionError.
    """
    texts = [t.filter(pl.col("__ignored").is_null()).drop("__ignored") if "__ignored" in t.columns else t for t in texts]
    ignore = source.read.ignore
    if ignore is None or not any(text.height for text in texts):
        return texts
    cells = pl.concat(_cells(ignore, text, _IGNORE) for text in texts if text.height)
    matches, reasons = _evaluated(context, ignore, cells, _IGNORE)
    kept, start = [], 0
    for text in texts:
        faults = pl.coalesce("__fault", reasons.slice(start, text.height))
        kept.append(text.with_columns(faults.alias("__fault")).filter(~matches.slice(start, text.height)))
        start += text.height
    return kept


def count_ignored(rows: pl.DataFrame, kept: pl.DataFrame) -> dict[str, int]:
    """Return how many of the `rows` of a file are not among those that were `kept`, by reason."""
    counts = {}
    if "__ignored" in rows.columns:
        counts = dict(rows["__ignored"].drop_nulls().value_counts(sort=True).iter_rows())
    rest = rows.height - kept.height - sum(counts.values())
    return counts | ({"ignore": rest} if rest else {})


def _cells(expression: str, frame: pl.DataFrame, place: str) -> pl.DataFrame:
    """Return `__n` and the columns of a file that `expression` uses, by the names that it gives them. Raises UnreadableSnapshot."""
    used: dict[str, tuple[str, str]] = {}
    for name in sorted(expressions.parse(expression).columns):
        column = _column_named(name, frame.columns, place)
        _, other = used.setdefault(column.lower(), (name, column))
        if other != column:
            raise readers.UnreadableSnapshot(f"{place} uses the columns {other} and {column}, which differ only in case")
    return pl.DataFrame([_numbers(frame.height), *(frame[column].alias(name) for name, column in used.values())])


def _numbers(height: int) -> pl.Series:
    """Return the unique `__n` of that many rows, as the sandbox needs it."""
    return pl.int_range(height, dtype=pl.Int64, eager=True).alias("__n")


def _column_named(name: str, columns: Sequence[str], place: str) -> str:
    """Return the column of a file that an expression names: the one with exactly this name, or else the only one that differs in case."""
    if name in columns:
        return name
    similar = [column for column in columns if column.lower() == name.lower()]
    if not similar:
        raise MissingColumn(place, name)
    if len(similar) > 1:
        raise readers.UnreadableSnapshot(
            f"{place} names the column {name}; the file has {' and '.join(similar)}, which differ only in case"
        )
    return similar[0]


def _evaluated(context: Context, expression: str, cells: pl.DataFrame, place: str) -> tuple[pl.Series, pl.Series]:
    """Return for each row whether `expression` is true for it, and why it fails on it, or null."""
    values, failures = context.sandbox.evaluate(cells.with_columns(_numbers(cells.height)), [("matches", "boolean", expression)])
    reasons = failures.select("__n", pl.format("{}: {}", pl.lit(place), "reason").alias("reason"))
    return values["matches"].fill_null(False), values.join(reasons, on="__n", how="left", maintain_order="left")["reason"]
