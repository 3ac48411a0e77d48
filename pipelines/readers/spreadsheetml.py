"""Reads the sheets of a workbook that Excel 2003 saved as XML (SpreadsheetML), which is often named .xls."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

from pipelines.readers.unreadable import UnreadableSnapshot
from pipelines.readers.xml_walk import local_name, walk

NAMESPACE = "urn:schemas-microsoft-com:office:spreadsheet"
HEAD_BYTES = 4096
MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384
MAX_SPANNED = 20_000_000
"""Cells that a sheet of any kind of workbook may span if most of them are blank."""


def is_spreadsheetml(content: bytes) -> bool:
    """Return whether the bytes are such a workbook, judged by their beginning."""
    head = content[:HEAD_BYTES]
    return NAMESPACE.encode() in head and b"Workbook" in head and head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def sheets(content: bytes) -> dict[str, list[list[Any]]]:
    """Return the rows of each sheet from A1 on, blank ones and cells included, all of one width. Raises UnreadableSnapshot."""
    book = _Book()
    walk(content, book)
    return {name: _rectangle(name, cells) for name, cells in book.sheets.items()}


class _Book:
    """Collects the cells of each sheet by row and column, from 0, while the parser walks the document."""

    def __init__(self) -> None:
        self.sheets: dict[str, dict[tuple[int, int], Any]] = {}
        self._cells: dict[tuple[int, int], Any] = {}
        self._row = self._next_row = self._column = self._next_column = 0
        self._type: str | None = None
        self._text: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        own = {local_name(key): value for key, value in attributes.items() if key.startswith(NAMESPACE)}
        match local_name(name):
            case "Worksheet":
                self._cells = self.sheets.setdefault(own.get("Name", f"{len(self.sheets)}"), {})
                self._next_row = 0
            case "Row":
                self._row = _position(own, "Index", self._next_row + 1, MAX_ROWS) - 1
                self._next_row = self._row + 1 + _position(own, "Span", 0, MAX_ROWS)
                self._next_column = 0
            case "Cell":
                self._column = _position(own, "Index", self._next_column + 1, MAX_COLUMNS) - 1
                self._next_column = self._column + 1 + _position(own, "MergeAcross", 0, MAX_COLUMNS)
            case "Data":
                self._type, self._text = own.get("Type", "String"), []

    def text(self, data: str) -> None:
        if self._type is not None:
            self._text.append(data)

    def end(self, name: str) -> None:
        if name == f"{NAMESPACE} Data" and self._type is not None:
            self._cells[self._row, self._column] = _typed("".join(self._text), self._type)
            self._type = None


def _position(attributes: dict[str, str], name: str, default: int, most: int) -> int:
    text = attributes.get(name)
    if text is None:
        return default
    if not text.isdecimal() or len(text) > 7 or int(text) > most:
        raise UnreadableSnapshot(f"ss:{name}: {text[:20]} is not a position in a sheet")
    return int(text)


def _typed(text: str, kind: str) -> Any:
    """Return the value of a cell; its text where it does not have the type that the file states."""
    try:
        if kind == "Number":
            number = float(text)
            return number if math.isfinite(number) else text
        if kind == "DateTime":
            return dt.datetime.fromisoformat(text)
    except ValueError:
        return text
    return text.strip() == "1" if kind == "Boolean" else text


def _rectangle(name: str, cells: dict[tuple[int, int], Any]) -> list[list[Any]]:
    if not cells:
        return []
    height, width = max(row for row, _ in cells) + 1, max(column for _, column in cells) + 1
    if height * width > MAX_SPANNED and height * width > 100 * len(cells):
        raise UnreadableSnapshot(f"sheet {name}: {len(cells)} cells that span {height * width} cells; one of them is far away")
    rows: list[list[Any]] = [[""] * width for _ in range(height)]
    for (row, column), value in cells.items():
        rows[row][column] = value
    return rows
