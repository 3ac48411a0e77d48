"""Reads a data frame of an R data file (.rda, .RData, .rds) as text."""

from __future__ import annotations

import bz2
import datetime as dt
import lzma
import math
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.core import json_pointer
from pipelines.core.printable import listed
from pipelines.readers import cells, decoding, member
from pipelines.readers.options import ReadOptions
from pipelines.readers.r_objects import parse
from pipelines.readers.r_vectors import NA_INTEGER, Vector, numbers
from pipelines.readers.unreadable import UnreadableSnapshot

MAX_BYTES = 512 * 1024**2  # unpacked; ten times the largest real table
XZ_MEMORY = 256 * 1024**2  # limit for one xz stream, whose header states how much it needs
LISTED = 20
ROW_NAMES = "row.names"


def read(path: Path, options: ReadOptions, columns: Collection[str] | None = None) -> pl.DataFrame:
    """Return the rows of a data frame. `__row` is the number of a row; names of rows, if there are any, are the column `row.names`.

    Factors become their labels, dates and times ISO 8601 (UTC), booleans true and false; NA is missing. Columns of lists, matrices or
    tables are left out unless they are needed by name.
    """
    data = member.content(path, options.member)
    if options.member is None:
        member.not_packed(data, path)
    content, workspace = parse(_unpacked(data), options.encoding)
    table = _picked(content, options.records, workspace)
    names = cells.unique([decoding.without_marks(name or "") for name in table.texts("names")])
    named = dict(zip(names, table.values, strict=True))
    if table.texts(ROW_NAMES):
        named.setdefault(ROW_NAMES, table.attributes[ROW_NAMES])
    height = _height(named)
    needed = cells.selector(columns)
    by_name = columns is not None and not (isinstance(columns, cells.Columns) and columns.everything)
    number_column = cells.number_columns(options, columns)
    faults: list[str | None] = [None] * height
    series = []
    for name, vector in named.items():
        if by_name and needed(name) and not _is_plain(vector):
            raise UnreadableSnapshot(f"column {name} of the data frame has lists, a matrix or another table instead of plain values")
        if needed(name) and _is_plain(vector):
            values = _texts(name, vector, number_column(name).decimal)
            series.append(pl.Series(name, _checked(name, values, faults, options.encoding), dtype=pl.String))
    series += [pl.Series("__row", range(1, height + 1), dtype=pl.Int64), pl.Series("__fault", faults, dtype=pl.String)]
    return cells.finish(pl.DataFrame(series), options)


def _unpacked(data: bytes) -> bytes:
    """Return the content of a bzip2, xz or gzip file, or `data` if it is none of them. It never has more than MAX_BYTES."""
    parts: list[bytes] = []
    size = 0
    while (packed := _decompressor(data)) is not None:
        name, stream = packed
        try:
            part = stream.decompress(data, MAX_BYTES + 1 - size)
        except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error) as error:
            raise UnreadableSnapshot(f"the {name} file cannot be read: {error}") from None
        parts.append(part)
        size += len(part)
        if size > MAX_BYTES:
            raise UnreadableSnapshot(f"the {name} file unpacks to more than {MAX_BYTES} bytes")
        if not stream.eof:
            raise UnreadableSnapshot(f"the {name} file is truncated")
        data = stream.unused_data
    data = b"".join(parts) if parts else data
    if len(data) > MAX_BYTES:
        raise UnreadableSnapshot(f"the R file unpacks to more than {MAX_BYTES} bytes")
    return data


def _decompressor(data: bytes) -> tuple[str, Any] | None:
    if data[:2] == b"\x1f\x8b":
        return "gzip", zlib.decompressobj(wbits=31)
    if data[:3] == b"BZh":
        return "bzip2", bz2.BZ2Decompressor()
    if data[:6] == b"\xfd7zXZ\0":
        return "xz", lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY)
    return None


def _picked(value: Any, records: str | None, workspace: bool) -> Vector:
    """Return the data frame at `records`, or the only one of the file."""
    members = _members(value)
    if records:
        for name in json_pointer.steps(records):
            if name not in members:
                raise UnreadableSnapshot(f"the R file has no object at {records}; {name} is not one of {_listed(members)}")
            value, members = members[name], _members(members[name])
        if not _is_frame(value):
            raise UnreadableSnapshot(f"the object at {records} of the R file is not a data frame")
        return _frame(value)
    if not workspace and _is_frame(value):
        return _frame(value)
    frames = [name for name, value in members.items() if _is_frame(value)]
    if not frames:
        raise UnreadableSnapshot(f"the R file has no data frame; it has {_listed(members) or 'no named object'}")
    if len(frames) > 1:
        raise UnreadableSnapshot(
            f"the R file has several data frames: set read.records to one of {_listed([f'/{name}' for name in frames])}"
        )
    return _frame(members[frames[0]])


def _members(value: Any) -> dict[str, Any]:
    """Return the named objects of a workspace or of a list."""
    if isinstance(value, dict):
        return value
    if isinstance(value, Vector) and value.kind == "list" and not _is_frame(value):
        return {name: item for name, item in zip(value.texts("names"), value.values, strict=False) if name}
    return {}


def _listed(names: Collection[str]) -> str:
    return listed([decoding.without_marks(name) for name in names], LISTED)


def _is_frame(value: Any) -> bool:
    return isinstance(value, Vector) and value.kind == "list" and "data.frame" in value.texts("class")


def _frame(value: Vector) -> Vector:
    if len(value.texts("names")) != len(value.values):
        raise UnreadableSnapshot(f"the data frame has {len(value.values)} columns and {len(value.texts('names'))} names")
    return value


def _height(columns: dict[str, Any]) -> int:
    """Return the number of rows, which all columns of plain values share. A frame without columns has no rows."""
    heights = {len(column.values): name for name, column in columns.items() if _is_plain(column)}
    if len(heights) > 1:
        shown = ", ".join(f"{name} {height}" for height, name in sorted(heights.items())[:LISTED])
        raise UnreadableSnapshot(f"the columns of the data frame differ in length: {shown}")
    return next(iter(heights), 0)


def _is_plain(column: Any) -> bool:
    return isinstance(column, Vector) and column.kind in ("logical", "integer", "real", "text") and "dim" not in column.attributes


def _texts(name: str, column: Vector, mark: str) -> list[str | None]:
    classes = column.texts("class")
    if column.kind == "text":
        texts: list[str | None] = column.values
        return texts
    if column.kind == "logical":
        return [None if value == NA_INTEGER else "true" if value else "false" for value in column.values.tolist()]
    if "factor" in classes:
        return _labels(name, column)
    if "integer64" in classes and column.kind == "real":  # whole numbers of 64 bits, stored in the bytes of doubles
        whole = column.values.view("i8").tolist()
        return [None if value == -(2**63) else str(value) for value in whole]
    if "Date" in classes or "POSIXct" in classes:
        return _moments(column, days="Date" in classes)
    return numbers(column, decimal=mark)


def _labels(name: str, column: Vector) -> list[str | None]:
    labels = column.texts("levels")
    codes = column.values.tolist()
    wrong = [code for code in codes if code != NA_INTEGER and not 1 <= code <= len(labels)]
    if wrong:
        raise UnreadableSnapshot(f"column {name}: {wrong[0]} is not one of the {len(labels)} levels of its factor")
    return [None if code == NA_INTEGER else labels[int(code) - 1] for code in codes]


def _moments(column: Vector, *, days: bool) -> list[str | None]:
    """Return dates (from days since 1970) or times (from seconds since 1970). A number that is no date stays a number."""
    texts = numbers(column)
    for i, value in enumerate(column.values.tolist()):
        if texts[i] is None:
            continue
        try:
            if days:
                texts[i] = (dt.date(1970, 1, 1) + dt.timedelta(days=math.floor(value))).isoformat()
            else:
                texts[i] = (dt.datetime(1970, 1, 1) + dt.timedelta(seconds=value)).isoformat()
        except (OverflowError, ValueError):
            continue
    return texts


def _checked(name: str, values: list[str | None], faults: list[str | None], encoding: str) -> list[str | None]:
    """Return `values` without invalid bytes; the rows that had them get a fault."""
    wrong = {value: reason for value in set(values) if value is not None and (reason := decoding.invalid(value, encoding))}
    if not wrong:
        return values
    for i, value in enumerate(values):
        if value in wrong:
            faults[i] = f"{name}: {wrong[value]}"
    return [None if value is None else decoding.without_marks(value) if value in wrong else value for value in values]
