"""One file that several sources read in the same way: its table is parsed once, with the columns that any of them needs.

Only one such table is in memory at a time, while the sources that read it are processed one after another.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pipelines.core.fingerprint import digest
from pipelines.extract.http.request import request_digest
from pipelines.packs import Pack
from pipelines.packs.schema import FetchedSource
from pipelines.readers import UnreadableSnapshot
from pipelines.readers.cells import Columns, NumberColumn, selector
from pipelines.readers.options import EVENT_FORMATS, ReadOptions

_NOT_SHARED = EVENT_FORMATS | {"rdata"}
"""Formats whose rows depend on the columns that are needed, or that always give all of them."""
_TEXT_FORMATS = {"csv", "sdmx-csv", "eurostat-tsv", "xml"}
"""Formats without typed numbers."""


@dataclass(frozen=True)
class Need:
    """What a source needs of a file: the columns by name (None for all of them), and which of them are numbers."""

    columns: Collection[str] | None
    numbers: Mapping[str, NumberColumn]


@dataclass(frozen=True)
class Table:
    """The rows of a file, and the names of all columns that the file has."""

    rows: pl.DataFrame
    found: Sequence[str]


Parse = Callable[[Need], Table]


def groups(pack: Pack, sources: Iterable[FetchedSource]) -> list[list[FetchedSource]]:
    """Return the sources in their order, those that read one file in the same way together.

    Sources of several parts, and those that look up others and so must come after them, stay alone.
    """
    result: dict[str, list[FetchedSource]] = {}
    for source in sources:
        result.setdefault(_file_of(pack, source), []).append(source)
    return list(result.values())


def _file_of(pack: Pack, source: FetchedSource) -> str:
    """Return the same text for sources whose tables can be shared."""
    parts = pack.parts(source)
    if len(parts) != 1 or not source.fetch.url or source.read.format in _NOT_SHARED or source.lookups:
        return f"source {source.id}"
    return digest([request_digest(source, parts[0]), source.read.model_dump(mode="json", exclude={"ignore"}), source.fetch.parts])


class SharedTable:
    """The table of a file that the sources with these needs read."""

    def __init__(self, needs: Sequence[Need]) -> None:
        everything = any(need.columns is None for need in needs)
        columns = None if everything else {name for need in needs for name in need.columns or ()}
        self._need = Need(columns, {name: number for need in reversed(needs) for name, number in need.numbers.items()})
        self._key: tuple[str, ReadOptions] | None = None
        self._table: Table | None = None

    def table(self, sha256: str, options: ReadOptions, need: Need, parse: Parse) -> Table:
        """Return the table of a file as `parse` would give it for `need` alone."""
        key = (sha256, options.model_copy(update={"ignore": None}))
        if self._key is None:
            self._key = key
            try:
                self._table = parse(self._need)
            except UnreadableSnapshot:
                self._table = None  # each source then says itself what is wrong for it
        if self._table is None or self._key != key:
            return parse(need)
        is_needed = selector(Columns(need.columns))
        new_columns = options.unpivot.new_columns if options.unpivot else []
        names = [c for c in self._table.rows.columns if c.startswith("__") or c in new_columns or is_needed(c)]
        is_text = options.format in _TEXT_FORMATS
        if not is_text and any(self._need.numbers.get(name) != need.numbers.get(name) for name in names):
            return parse(need)  # the sources write the typed numbers of a column with different marks
        return Table(self._table.rows[names], self._table.found)
