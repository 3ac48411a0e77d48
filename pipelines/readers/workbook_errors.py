"""Finds the cells of a sheet that hold an error such as #DIV/0!. The library that reads workbooks gives them as empty cells."""

from __future__ import annotations

import re
import zipfile
from abc import ABC, abstractmethod
from io import BytesIO
from typing import Any
from xml.parsers import expat

from pipelines.readers import cells, legacy_errors, member
from pipelines.readers.xml_walk import local_name

_MAIN_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STRICT_RELATION = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_MARK = re.compile(rb"\b(?:t|value-type)\s*=\s*[\"'](?:e|error)[\"']")
_LONGEST_MARK = 64
_OF_DAMAGED_FILES = (*member.OF_DAMAGED_ARCHIVES, OSError, expat.ExpatError, LookupError)
"""What reading a damaged file, or one in a compression or an encoding that is not supported, may raise."""
_Error = tuple[int, int, int, int, str]  # row and column, from 0, rows, columns, and text
_NUMBER = re.compile(r"[0-9]{1,7}")
_PLACE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")


def with_errors(rows: list[list[Any]], content: bytes, sheet: str) -> list[list[Any]]:
    """Return `rows` of a sheet with the text of the error in each cell that has one."""
    for row, column, height, width, text in _errors(content, sheet):
        for cells_of_row in rows[row : row + height]:
            for position in range(column, min(column + width, len(cells_of_row))):
                cells_of_row[position] = text
    return rows


def _errors(content: bytes, sheet: str) -> list[_Error]:
    """Return the errors in a sheet; none where the file is damaged, or of another format."""
    try:
        if content.startswith(legacy_errors.SIGNATURE):
            return [(row, column, 1, 1, text) for row, column, text in legacy_errors.errors(content, sheet)]
        with zipfile.ZipFile(BytesIO(content)) as archive:
            if "content.xml" in archive.namelist():
                finder: _Finder = _OfOds(sheet)
                part: str | None = "content.xml"
            else:
                finder = _OfXlsx()
                part = _part_of_sheet(archive, sheet)
            if part is None or not _has_mark(archive, part):
                return []
            for chunk in member.chunks(archive, archive.getinfo(part)):
                finder.parser.Parse(chunk)
            finder.parser.Parse(b"", True)
            return finder.errors
    except _OF_DAMAGED_FILES:
        return []


def _has_mark(archive: zipfile.ZipFile, part: str) -> bool:
    """Return whether a part may hold an error. Most hold none, and are not parsed."""
    rest = b""
    for chunk in member.chunks(archive, archive.getinfo(part)):
        if _MARK.search(rest + chunk):
            return True
        rest = chunk[-_LONGEST_MARK:]
    return False


class _Finder(ABC):
    """Follows the elements of a sheet, and collects the text of each error with the cells that it stands in."""

    def __init__(self) -> None:
        self.errors: list[_Error] = []
        self.row, self.column = -1, -1
        self.text: list[str] | None = None  # of the error that is being read
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = lambda name, attributes: self.start(local_name(name), attributes)
        self.parser.EndElementHandler = lambda name: self.end(local_name(name))
        self.parser.CharacterDataHandler = self.characters
        self.is_text = False

    @abstractmethod
    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Begin an element, given by its local name."""

    @abstractmethod
    def end(self, name: str) -> None:
        """End an element, given by its local name."""

    def characters(self, data: str) -> None:
        if self.is_text and self.text is not None:
            self.text.append(data)


class _OfXlsx(_Finder):
    """A cell or row without `r` follows the one before it."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "row":
            self.row = _number(attributes.get("r", ""), self.row + 2) - 1
            self.column = -1
        elif name == "c":
            place = _PLACE.fullmatch(attributes.get("r", ""))
            if place:
                self.row, self.column = int(place[2]) - 1, cells.column_number(place[1].encode()) - 1
            else:
                self.column += 1
            self.text = [] if attributes.get("t") == "e" else None
        elif name == "v":
            self.is_text = True

    def end(self, name: str) -> None:
        if name == "v":
            self.is_text = False
        elif name == "c" and self.text:
            self.errors.append((self.row, self.column, 1, 1, "".join(self.text)))


class _OfOds(_Finder):
    """Rows and cells may be repeated."""

    def __init__(self, sheet: str) -> None:
        super().__init__()
        self.sheet = sheet
        self.is_in_sheet = False
        self.notes = 0  # elements of annotations around the present one
        self.row, self.height, self.column, self.width = 0, 1, 0, 1

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = {local_name(key): value for key, value in attributes.items()}
        if name == "table":
            self.is_in_sheet, self.row = local.get("name") == self.sheet, 0
        elif not self.is_in_sheet:
            return
        elif name == "table-row":
            self.height, self.column = _number(local.get("number-rows-repeated", ""), 1), 0
        elif name in ("table-cell", "covered-table-cell"):
            self.width = _number(local.get("number-columns-repeated", ""), 1)
            is_error = any(key.endswith(" value-type") and value == "error" for key, value in attributes.items())
            self.text = [] if is_error else None
        elif name == "annotation":
            self.notes += 1
        elif name == "p":
            self.is_text = not self.notes

    def end(self, name: str) -> None:
        if not self.is_in_sheet:
            return
        if name == "p":
            self.is_text = False
        elif name == "annotation":
            self.notes -= 1
        elif name in ("table-cell", "covered-table-cell"):
            if self.text:
                self.errors.append((self.row, self.column, self.height, self.width, "".join(self.text)))
            self.text = None
            self.column += self.width
        elif name == "table-row":
            self.row += self.height
        elif name == "table":
            self.is_in_sheet = False


def _number(text: str, default: int) -> int:
    return int(text) if _NUMBER.fullmatch(text) else default


def _part_of_sheet(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """Return the name of the part of an xlsx file that has the sheet."""
    if "xl/workbook.xml" not in archive.namelist():
        return None
    relation = None
    for name, attributes in _elements(archive, "xl/workbook.xml"):
        if name == "sheet" and attributes.get("name") == sheet:
            relation = next((attributes[k] for k in (f"{_MAIN_RELATION} id", f"{_STRICT_RELATION} id") if k in attributes), None)
    for name, attributes in _elements(archive, "xl/_rels/workbook.xml.rels"):
        if name == "Relationship" and attributes.get("Id") == relation:
            target = attributes.get("Target", "")
            return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    return None


def _elements(archive: zipfile.ZipFile, part: str) -> list[tuple[str, dict[str, str]]]:
    """Return the elements of a part: local names and attributes."""
    elements: list[tuple[str, dict[str, str]]] = []
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = lambda name, attributes: elements.append((local_name(name), attributes))
    for chunk in member.chunks(archive, archive.getinfo(part)):
        parser.Parse(chunk)
    parser.Parse(b"", True)
    return elements
