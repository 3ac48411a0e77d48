"""Reads XML: the elements at a path are records, child elements and attributes are columns.

A document with a document type declaration is refused: it allows entity bombs and external files, and data do not need it.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import polars as pl

from pipelines.readers import cells, member
from pipelines.readers.options import ReadOptions
from pipelines.readers.sdmx_attributes import SdmxAttributes
from pipelines.readers.unreadable import UnreadableSnapshot
from pipelines.readers.xml_walk import local_name, walk

MAX_DEPTH = 64
MAX_COLUMNS = 5_000
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance "


def read(path: Path, options: ReadOptions, columns: Collection[str] | None = None) -> pl.DataFrame:
    """Return the records at `options.records` (such as /list/item; default: the children of the root). `__row` is their number, from 1.

    There is a column for each child element. Nested ones are `a/b`, repeated ones `a.2`, attributes `@name` and `a/@name`; the text of a
    record without children is `text`. Names have no namespace. Attributes of the elements around a record, such as an SDMX series, are columns
    of the record, unless it has one of that name. So are the values of an SDMX group, and the pairs of id and value of generic SDMX data.
    In any case, `../@name` is the attribute of the element around the record, `../../@name` of the one around that.
    """
    raw = member.content(path, options.member)
    if options.member is None:
        member.not_packed(raw, path)
    records = _Records([step for step in (options.records or "").split("/") if step])
    walk(raw, records, options.encoding if "encoding" in options.model_fields_set else None)
    if not records.rows and records.path:
        raise UnreadableSnapshot(f"records: no element at /{'/'.join(records.path)}; the root is {records.root}")
    needed = cells.selector(columns)
    of_records = list(dict.fromkeys(name for row in records.rows for name in row))
    of_ancestors = list(dict.fromkeys(name for row in records.ancestors for name in row))
    names = of_records + of_ancestors
    if len(names) > MAX_COLUMNS:
        raise UnreadableSnapshot(f"more than {MAX_COLUMNS} different elements and attributes")
    holders = [records.rows] * len(of_records) + [records.ancestors] * len(of_ancestors)
    columns_found = zip(holders, names, cells.unique(names), strict=True)
    picked = [(holder, name, unique) for holder, name, unique in columns_found if needed(unique)]
    series = [pl.Series(unique, [row.get(name) for row in holder], dtype=pl.String) for holder, name, unique in picked]
    rows = pl.Series("__row", range(1, len(records.rows) + 1), dtype=pl.Int64)
    return cells.finish(pl.DataFrame([*series, rows]), options)


class _Records:
    """Collects records while the parser walks the document."""

    def __init__(self, path: list[str]) -> None:
        self.path = path
        self.root = ""
        self.rows: list[dict[str, str]] = []
        self.ancestors: list[dict[str, str]] = []
        """For each row, the attributes of the elements around it by their paths; one object for all rows of an element."""
        self._open: list[str] = []  # names from the root to the open element
        self._around: list[dict[str, str]] = []  # attributes of these elements
        self._paths: dict[str, str] | None = None  # the same by their paths, made for the first record among the present elements
        self._sdmx = SdmxAttributes(self.rows)
        self._record: dict[str, str] | None = None
        self._inside: list[str] = []  # names of columns from the record to the open element
        self._leaf = False
        self._text: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = local_name(name)
        self._sdmx.start(name, attributes)
        self.root = self.root or local
        self._open.append(local)
        if len(self._open) > MAX_DEPTH:
            raise UnreadableSnapshot(f"nested more than {MAX_DEPTH} deep")
        self._text, self._leaf = [], True
        if self._record is None:
            if self._open == self.path if self.path else len(self._open) == 2:
                self._record, self._inside = {}, []
                self._keep_attributes("", attributes)
            else:
                self._around.append({f"@{local_name(key)}": value for key, value in attributes.items() if not key.startswith(_INSTANCE)})
                self._paths = None
            return
        column = self._unused("/".join([*self._inside[-1:], local]))
        self._inside.append(column)
        self._keep_attributes(f"{column}/", attributes)

    def text(self, data: str) -> None:
        if self._record is not None:
            self._text.append(data)

    def end(self, _name: str) -> None:
        self._open.pop()
        if self._record is None:
            self._around.pop()
            self._paths = None
        else:
            self._end_in_record()
        self._sdmx.end()

    def _end_in_record(self) -> None:
        assert self._record is not None
        if self._inside:
            column = self._inside.pop()
            if self._leaf:
                self._record[column] = "".join(self._text)
        else:
            if self._leaf and "".join(self._text).strip():
                self._record["text"] = "".join(self._text)
            around = {name: value for attributes in (*self._around, self._sdmx.values()) for name, value in attributes.items()}
            self.rows.append(self._record | {name: value for name, value in around.items() if name not in self._record})
            if self._paths is None:
                nearest_first = enumerate(reversed(self._around), 1)
                self._paths = {f"{'../' * steps}{name}": value for steps, attributes in nearest_first for name, value in attributes.items()}
            self.ancestors.append(self._paths)
            self._record = None
        self._leaf = False

    def _keep_attributes(self, prefix: str, attributes: dict[str, str]) -> None:
        assert self._record is not None
        for name, value in attributes.items():
            self._record[f"{prefix}@{local_name(name)}"] = value

    def _unused(self, column: str) -> str:
        """Return the name of a column, with a number if the record already has such an element."""
        assert self._record is not None
        base, count = column, 1
        while any(name == column or name.startswith(f"{column}/") for name in self._record):
            count += 1
            column = f"{base}.{count}"
        return column
