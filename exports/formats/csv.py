"""Write CSV files: UTF-8, LF, a header, quotes as in RFC 4180, nothing for a null and "" for an empty text. Changes no value."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import polars as pl

from exports.model.reuse import Ranges

CHUNK = 1 << 20


def write(frame: pl.DataFrame, path: Path) -> None:
    """Write a file with a header and the rows of `frame`."""
    with path.open("wb") as file:
        append(frame, file, header=True)


def append(frame: pl.DataFrame, file: IO[bytes], header: bool) -> None:
    """Write `frame` at the current position of `file`. A number is the shortest text that is read back as the same double."""
    frame.write_csv(file, include_header=header, line_terminator="\n", quote_style="necessary", null_value="", include_bom=False)


def append_parts(frame: pl.DataFrame, by: str | None, file: IO[bytes], ranges: Ranges) -> None:
    """Append `frame`, which is sorted by the column `by`, and add to `ranges` where the rows of each value of `by` are."""
    if by is None:
        append(frame, file, header=False)
        return
    offset = 0
    for run in frame[by].rle().to_list():
        first = file.tell()
        append(frame.slice(offset, run["len"]), file, header=False)
        offset += run["len"]
        ranges[run["value"]] = (ranges.get(run["value"], (first, first))[0], file.tell())


def copy(source: Path, part: tuple[int, int], file: IO[bytes]) -> tuple[int, int]:
    """Append a range of another CSV file, and return the range that it has now."""
    start = file.tell()
    with source.open("rb") as other:
        _copy(other, part, file)
    return start, file.tell()


def write_part(source: Path, part: tuple[int, int], path: Path) -> None:
    """Write a file with the header and a range of another CSV file."""
    with source.open("rb") as whole, path.open("wb") as file:
        file.write(whole.readline())
        _copy(whole, part, file)


def _copy(source: IO[bytes], part: tuple[int, int], file: IO[bytes]) -> None:
    at, end = part
    source.seek(at)
    while at < end and (chunk := source.read(min(end - at, CHUNK))):
        file.write(chunk)
        at += len(chunk)
