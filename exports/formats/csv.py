"""Write CSV files: UTF-8, LF, a header, quotes as in RFC 4180, nothing for a null and "" for an empty text. Changes no value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Literal

import polars as pl

from exports.model.reuse import Ranges

CsvQuoteStyle = Literal["necessary", "always"]
CHUNK = 1 << 20


def write(frame: pl.DataFrame, path: Path) -> None:
    """Write a file with a header and the rows of `frame`."""
    with path.open("wb") as file:
        append(frame, file, header=True)


def append(frame: pl.DataFrame, file: IO[bytes], header: bool, quote_style: CsvQuoteStyle = "necessary") -> None:
    """Write `frame` at the current position of `file`. A number is the shortest text that is read back as the same double."""
    frame.write_csv(file, include_header=header, line_terminator="\n", quote_style=quote_style, null_value="", include_bom=False)


def append_header(columns: Sequence[str], file: IO[bytes], quote_style: CsvQuoteStyle = "necessary") -> None:
    append(pl.DataFrame(schema=dict.fromkeys(columns, pl.String)), file, True, quote_style)


def parts(frame: pl.DataFrame, by: str) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield each value of the column `by`, by which `frame` is sorted, with its rows."""
    offset = 0
    for run in frame[by].rle().to_list():
        yield run["value"], frame.slice(offset, run["len"])
        offset += run["len"]


def append_parts(frame: pl.DataFrame, by: str | None, file: IO[bytes], ranges: Ranges) -> None:
    """Append `frame`, which is sorted by the column `by`, and add to `ranges` where the rows of each value of `by` are."""
    if by is None:
        append(frame, file, header=False)
        return
    for part, rows in parts(frame, by):
        first = file.tell()
        append(rows, file, header=False)
        ranges[part] = (ranges.get(part, (first, first))[0], file.tell())


def copy(source: Path, part: tuple[int, int], file: IO[bytes]) -> tuple[int, int]:
    """Append a range of another CSV file, and return the range that it has now."""
    start, (at, end) = file.tell(), part
    with source.open("rb") as other:
        other.seek(at)
        while at < end and (chunk := other.read(min(end - at, CHUNK))):
            file.write(chunk)
            at += len(chunk)
    return start, file.tell()
