"""Read a table out of an R data file (.rda, .RData, .rds): a data frame as text. Knows R's types; knows nothing of sources or areas."""

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

from pipelines.readers import cells, decoding, member
from pipelines.readers.options import ReadOptions
from pipelines.readers.r_objects import parse
from pipelines.readers.r_vectors import NA_INTEGER, Vector, numbers
from pipelines.readers.unreadable import UnreadableSnapshot

MAX_BYTES = 512 * 1024**2  # unpacked; ten times the largest table here
XZ_MEMORY = 256 * 1024**2  # what one xz stream may ask for: its header names the size of its dictionary
LISTED = 20
ROW_NAMES = "row.names"


def read(path: Path, options: ReadOptions, columns: Collection[str] | None = None) -> pl.DataFrame:
    """Return the rows of a data frame. `__row` is the number of the row; names of rows, where it has any, are a column `row.names`.

    Factors become their labels, dates and times ISO 8601 (UTC), truth values true and false; NA is missing. Columns that hold lists,
    matrices or tables are left out where none of them is asked for.
    """
    data = member.content(path, options.member)
    if options.member is None:
        member.not_packed(data, path)
    found, workspace = parse(_unpacked(data), options.encoding)
    table = _picked(found, options.records, workspace)
    names = cells.unique([decoding.without_marks(name or "") for name in table.texts("names")])
    named = dict(zip(names, table.values, strict=True))
    if table.texts(ROW_NAMES):
        named.setdefault(ROW_NAMES, table.attributes[ROW_NAMES])
    height = _height(named)
    needed = cells.selector(columns)
    by_name = columns is not None and not (isinstance(columns, cells.Columns) and columns.everything)
    mark = cells.decimal_of_numbers(options)
    faults: list[str | None] = [None] * height
    series = []
    for name, vector in named.items():
        if by_name and needed(name) and not _is_plain(vector):
            raise UnreadableSnapshot(f"column {name} of the data frame holds no plain values but lists, a matrix or another table")
        if needed(name) and _is_plain(vector):
            values = _texts(name, vector, mark)
            series.append(pl.Series(name, _checked(name, values, faults, options.encoding), dtype=pl.String))
    series += [pl.Series("__row", range(1, height + 1), dtype=pl.Int64), pl.Series("__fault", faults, dtype=pl.String)]
    return cells.finish(pl.DataFrame(series), options)


def _unpacked(data: bytes) -> bytes:
    """Return what a bzip2, xz or gzip file holds, or `data` where it is none. Never more than MAX_BYTES."""
    found: list[bytes] = []
    size = 0
    while (packed := _decompressor(data)) is not None:
        name, stream = packed
        try:
            part = stream.decompress(data, MAX_BYTES + 1 - size)
        except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error) as error:
            raise UnreadableSnapshot(f"the {name} file cannot be read: {error}") from None
        found.append(part)
        size += len(part)
        if size > MAX_BYTES:
            raise UnreadableSnapshot(f"the {name} file unpacks to more than {MAX_BYTES} bytes")
        if not stream.eof:
            raise UnreadableSnapshot(f"the {name} file is cut off")
        data = stream.unused_data
    data = b"".join(found) if found else data
    if len(data) > MAX_BYTES:
        raise UnreadableSnapshot(f"the R file has more than {MAX_BYTES} bytes, unpacked")
    return data


def _decompressor(data: bytes) -> tuple[str, Any] | None:
    if data[:2] == b"\x1f\x8b":
        return "gzip", zlib.decompressobj(wbits=31)
    if data[:3] == b"BZh":
        return "bzip2", bz2.BZ2Decompressor()
    if data[:6] == b"\xfd7zXZ\0":
        return "xz", lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY)
    return None


def _picked(found: Any, records: str | None, workspace: bool) -> Vector:
    """Return the data frame at `records`, or the only one there is."""
    there = _members(found)
    if records:
        for step in records[1:].split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            if name not in there:
                raise UnreadableSnapshot(f"the R file has nothing at {records}; {name} is none of {_listed(there)}")
            found, there = there[name], _members(there[name])
        if not _is_frame(found):
            raise UnreadableSnapshot(f"what the R file has at {records} is no data frame")
        return _frame(found)
    if not workspace and _is_frame(found):
        return _frame(found)
    frames = [name for name, value in there.items() if _is_frame(value)]
    if not frames:
        raise UnreadableSnapshot(f"the R file holds no data frame; it has {_listed(there) or 'no named object'}")
    if len(frames) > 1:
        raise UnreadableSnapshot(
            f"the R file holds several data frames: say read.records, one of {_listed([f'/{name}' for name in frames])}"
        )
    return _frame(there[frames[0]])


def _members(value: Any) -> dict[str, Any]:
    """Return the named objects of a workspace or of a list."""
    if isinstance(value, dict):
        return value
    if isinstance(value, Vector) and value.kind == "list" and not _is_frame(value):
        return {name: item for name, item in zip(value.texts("names"), value.values, strict=False) if name}
    return {}


def _listed(names: Collection[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(decoding.without_marks(name) for name in list(names)[:LISTED]) + more


def _is_frame(value: Any) -> bool:
    return isinstance(value, Vector) and value.kind == "list" and "data.frame" in value.texts("class")


def _frame(value: Vector) -> Vector:
    if len(value.texts("names")) != len(value.values):
        raise UnreadableSnapshot(f"the data frame has {len(value.values)} columns and {len(value.texts('names'))} names")
    return value


def _height(columns: dict[str, Any]) -> int:
    """Return the number of rows, the same for all columns of plain values. A frame without columns has none."""
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
        found: list[str | None] = column.values
        return found
    if column.kind == "logical":
        return [None if value == NA_INTEGER else "true" if value else "false" for value in column.values.tolist()]
    if "factor" in classes:
        return _labels(name, column)
    if "integer64" in classes and column.kind == "real":  # whole numbers of 64 bits in the place of the doubles
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
        raise UnreadableSnapshot(f"column {name}: {wrong[0]} is none of the {len(labels)} levels of its factor")
    return [None if code == NA_INTEGER else labels[int(code) - 1] for code in codes]


def _moments(column: Vector, *, days: bool) -> list[str | None]:
    """Return dates (days since 1970) or times (seconds since 1970). What no calendar holds stays a number."""
    found = numbers(column)
    for i, value in enumerate(column.values.tolist()):
        if found[i] is None:
            continue
        try:
            if days:
                found[i] = (dt.date(1970, 1, 1) + dt.timedelta(days=math.floor(value))).isoformat()
            else:
                found[i] = (dt.datetime(1970, 1, 1) + dt.timedelta(seconds=value)).isoformat()
        except (OverflowError, ValueError):
            continue
    return found


def _checked(name: str, values: list[str | None], faults: list[str | None], encoding: str) -> list[str | None]:
    """Return `values` without what is no text; the rows it stood in get a fault."""
    wrong = {value: reason for value in set(values) if value is not None and (reason := decoding.invalid(value, encoding))}
    if not wrong:
        return values
    for i, value in enumerate(values):
        if value in wrong:
            faults[i] = f"{name}: {wrong[value]}"
    return [None if value is None else decoding.without_marks(value) if value in wrong else value for value in values]
