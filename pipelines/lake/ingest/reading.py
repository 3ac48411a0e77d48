"""The text rows of a snapshot: how the file of a part is read, which of its columns are needed, and the variables of the part."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from polars import selectors

from pipelines import readers
from pipelines.core import checksums
from pipelines.core.frames import column as exact_column
from pipelines.extract.fetcher import is_paged
from pipelines.lake.ingest import pushed
from pipelines.lake.ingest.context import Context
from pipelines.lake.ingest.shape import shape_of
from pipelines.lake.ingest.shared_table import Need, Table
from pipelines.packs import expressions
from pipelines.packs.pack import Part
from pipelines.packs.schema import FetchedSource
from pipelines.readers import isolated
from pipelines.readers.cells import Columns, NumberColumn
from pipelines.readers.json_shapes import PAGES
from pipelines.readers.options import EVENT_FORMATS, VARIABLE_OPTIONS, ReadOptions


class DamagedSnapshot(readers.UnreadableSnapshot):
    """The archive lacks the bytes of a snapshot, or has others under its checksum."""


class Reading(NamedTuple):
    """The bytes to read, and how."""

    sha256: str
    options: ReadOptions

    def __hash__(self) -> int:
        return hash((self.sha256, self.options.member, self.options.sheet, self.options.records))


def read_options(context: Context, source: FetchedSource, part: str) -> ReadOptions:
    """Return how a part is read: its variables are filled in, and the records of paged JSON are looked for in every page."""
    variables = _variables(context, source, part)
    given = {key: text for key in VARIABLE_OPTIONS if isinstance(text := getattr(source.read, key), str)}
    filled = {key: Part(part, variables).filled(text) for key, text in given.items()}
    if source.read.format == "json" and is_paged(source.fetch):
        filled["records"] = f"{PAGES}{filled.get('records', '')}"
    return source.read.model_copy(update=filled)


def _variables(context: Context, source: FetchedSource, part: str) -> dict[str, str]:
    return next((p.variables for p in context.pack.parts(source) if p.name == part), {})


def read_text(
    context: Context, source: FetchedSource, sha256: str, options: ReadOptions, *, everything: bool = False
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Return the text rows of a snapshot and the shape of the whole file. Columns that nothing needs may be left out, unless `everything`.

    Raises UnreadableSnapshot, and DamagedSnapshot where the archive does not have its bytes.
    """

    def parse(need: Need) -> Table:
        columns = Columns(need.columns, need.numbers)

        rows = (
            pushed.read_records(lambda file: _read_here(file, options, columns), path)
            if source.fetch.brings_records  # the receiver has bounded them, and events must be quick
            else isolated.read(path, options, columns, isolated.Limits.of(context.settings), context.scratch)
        )
        return Table(rows, list(columns.found))

    need = Need(None, _number_columns(source)) if everything else needed_of(source)
    with _opened(context, sha256) as path:
        table = context.shared.table(sha256, options, need, parse) if context.shared is not None and not everything else parse(need)
    rows = table.rows
    if source.fetch.brings_records:
        absent = {name for name in _columns_used(source) if name.lower() not in {c.lower() for c in rows.columns}}
        rows = rows.with_columns(pl.lit(None, pl.String).alias(name) for name in sorted(absent))  # no record of the day has them
    shape = shape_of(table.found or [c for c in rows.columns if not c.startswith("__")], rows)
    return rows if "__cell" in rows.columns else rows.with_columns(pl.lit(None, pl.String).alias("__cell")), shape


def _read_here(file: Path, options: ReadOptions, columns: Columns) -> pl.DataFrame:
    """Read a file in this process. A bug in a reader (a panic of polars is no Exception) must not stop the other sources."""
    try:
        return readers.read(file, options, columns)
    except (readers.UnreadableSnapshot, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        raise readers.UnreadableSnapshot(f"the {options.format} reader failed: {type(error).__name__}: {error}") from error


def needed_of(source: FetchedSource) -> Need:
    """Return what a source needs of its files. With a key, rows are compared in all cells of the file."""
    everything = source.key or source.read.format in EVENT_FORMATS
    return Need(None if everything else _columns_used(source), _number_columns(source))


def _columns_used(source: FetchedSource) -> set[str]:
    """Return the names in the file of all columns that the declaration of a source uses."""
    used = {spec.from_ or name for name, spec in source.columns.items()}
    for text in (source.read.ignore, *(c.where for c in source.corrections)):
        if text is not None:
            used |= expressions.parse(text).columns
    used |= {name for c in source.corrections for name in (*c.set, *c.expect)}
    used |= set(source.read.fill_down)
    return used | set(source.fetch.parts or {})  # to refuse a column that has the name of a variable


def _number_columns(source: FetchedSource) -> dict[str, NumberColumn]:
    """Return the declared columns of numbers by their names in the file."""
    return {
        spec.from_ or name: NumberColumn(spec.decimal or source.read.decimal, spec.type == "integer")
        for name, spec in source.columns.items()
        if spec.type in ("integer", "number")
    }


def with_variables(context: Context, source: FetchedSource, part: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a part with its variables as columns, and with `__part`.

    Raises UnreadableSnapshot if the file has a column with the name of a variable and another text in it.
    """
    variables = _variables(context, source, part)
    for name, value in variables.items():
        # a column whose name differs in case is another one, unless the source declares a column of the variable's name
        for column in (c for c in frame.columns if c == name or (name in source.columns and c.lower() == name.lower())):
            other = frame.filter(pl.col("__fault").is_null() & (exact_column(column) != value))
            if other.height:
                raise readers.UnreadableSnapshot(
                    f"the file has a column {column} with {other[column][0]!r} in row {other['__row'][0]}, but {name} is a variable of parts, "
                    f"here {value!r}: give the variable another name"
                )
            frame = frame.drop(selectors.by_name(column))
    return frame.with_columns(*(pl.lit(value).alias(name) for name, value in variables.items()), pl.lit(part).alias("__part"))


@contextmanager
def _opened(context: Context, sha256: str) -> Iterator[Path]:
    """Yield a file with the bytes of a snapshot. Raises DamagedSnapshot."""
    with ExitStack() as stack:
        try:
            path = stack.enter_context(context.archive.opened(sha256))
        except checksums.DamagedFile:
            raise DamagedSnapshot(f"the bytes in the archive do not have the checksum {sha256[:12]}… of the snapshot") from None
        yield path
