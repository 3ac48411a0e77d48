"""Reads a sheet of a workbook (xlsx, legacy xls, ods, and the XML of Excel 2003)."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Collection, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import python_calamine as calamine

from pipelines.readers import cells, member, spreadsheetml, workbook_errors
from pipelines.readers.options import ReadOptions
from pipelines.readers.unreadable import UnreadableSnapshot

_FAR = re.compile(rb'<c r="(?:[A-Z]{3}[0-9]|[A-Z]{1,3}[0-9]{6})')
_PLACE = re.compile(rb'<c r="([A-Z]{1,3})([0-9]{1,7})"')


def read(path: Path, options: ReadOptions, columns: Collection[str] | None = None) -> pl.DataFrame:
    """Return the rows of one sheet that have a value. `__row` is the number of a row in the sheet."""
    rows = _rows(member.content(path, options.member), options)
    names, first = _names(rows, options)
    needed = cells.selector(columns)
    number_column = cells.number_columns(options, columns)
    body = rows[first:]
    used = [i for i, row in enumerate(body) if any(cell != "" for cell in row)]
    if len(used) < len(body):
        body = [body[i] for i in used]
    by_position: Sequence[Sequence[Any]] = list(zip(*body, strict=True)) if body else [[]] * len(names)
    width = min(len(by_position), len(names))
    series = [_column(name, by_position[i], number_column(name).decimal) for i, name in enumerate(names[:width]) if needed(name)]
    frame = pl.DataFrame([*series, pl.Series("__row", [first + 1 + i for i in used], dtype=pl.Int64)])
    return cells.finish(frame, options, [name for name in names[width:] if needed(name)])


def _rows(content: bytes, options: ReadOptions) -> list[list[Any]]:
    """Return all rows of the sheet from A1 on, including blank ones."""
    if spreadsheetml.is_spreadsheetml(content):
        sheets = spreadsheetml.sheets(content)
        return sheets[_sheet_name(list(sheets), options)]
    _assert_no_far_cell(content)
    try:
        book = calamine.CalamineWorkbook.from_filelike(BytesIO(content))
    except Exception as error:  # the library has one error class per inner format, and documents no common one
        raise UnreadableSnapshot(f"not a workbook: {error}") from None
    name = _sheet_name(book.sheet_names, options)
    try:
        rows: list[list[Any]] = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except Exception as error:
        raise UnreadableSnapshot(f"sheet {name} cannot be read: {error}") from None
    return workbook_errors.with_errors(rows, content, name)


def _sheet_name(names: Sequence[str], options: ReadOptions) -> str:
    listed = ", ".join(f"{i} {name}" for i, name in enumerate(names))
    if isinstance(options.sheet, int):
        if options.sheet >= len(names):
            raise UnreadableSnapshot(f"the workbook has no sheet {options.sheet}; it has {listed}")
        return names[options.sheet]
    if options.sheet not in names:
        raise UnreadableSnapshot(f"the workbook has no sheet named {options.sheet}; it has {listed}")
    return options.sheet


def _assert_no_far_cell(content: bytes) -> None:
    """Refuse a sheet of a few cells that span millions, and a ZIP bomb.

    The library allocates all spanned cells, and ends the process if they do not fit into memory. Rows and columns are counted exactly
    only if some cell is far down or far to the right.
    """
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            for info in archive.infolist():
                if not info.filename.startswith("xl/worksheets/") or not info.filename.endswith(".xml"):
                    continue
                cells_, right, down, tail, far = 0, 0, 0, b"", False
                for part in member.chunks(archive, info):
                    text = tail + part
                    cells_ += part.count(b"<c ")
                    if far or _FAR.search(text):
                        far = True
                        for place in _PLACE.finditer(text):
                            right, down = max(right, cells.column_number(place[1])), max(down, int(place[2]))
                    tail = text[-32:]  # a cell may begin in one chunk and end in the next
                if right * down > spreadsheetml.MAX_SPANNED and right * down > 100 * cells_:
                    raise UnreadableSnapshot(f"{info.filename}: {cells_} cells that span {right * down} cells; one of them is far away")
    except (OSError, *member.OF_DAMAGED_ARCHIVES):
        return  # not xlsx, or broken: the library reports it


def _names(rows: list[list[Any]], options: ReadOptions) -> tuple[list[str], int]:
    """Return the names of the columns and the position of the first row below the header."""
    first = options.skip_rows
    if len(rows) < first + options.header_rows:
        raise UnreadableSnapshot(f"the sheet has {len(rows)} rows; skip_rows and header_rows need {first + options.header_rows}")
    if options.names is not None:
        return options.names, first + options.header_rows
    width = len(rows[0]) if rows else 0
    if options.header_rows == 0:
        return cells.unique([""] * width), first
    header = [[cells.text(cell) for cell in row] for row in rows[first : first + options.header_rows]]
    while not any(cell.strip() for row in header for cell in row):  # blank rows above the header
        first += 1
        if len(rows) < first + options.header_rows:
            raise UnreadableSnapshot(f"the sheet has no header below row {options.skip_rows}")
        header = [[cells.text(cell) for cell in row] for row in rows[first : first + options.header_rows]]
    return cells.unique(cells.joined(header)), first + options.header_rows


def _column(name: str, values: Sequence[Any], mark: str) -> pl.Series:
    kinds = set(map(type, values))
    if kinds <= {str}:
        return pl.Series(name, values, dtype=pl.String)
    return pl.Series(name, [v if type(v) is str else cells.text(v, mark) for v in values], dtype=pl.String)
