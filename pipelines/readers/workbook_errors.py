"""Finds the cells of an xlsx sheet that hold an error such as #DIV/0!. The library that reads workbooks gives them as empty cells."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from xml.parsers import expat

from pipelines.readers import cells, member

_MAIN_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STRICT_RELATION = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_MARKS = (b't="e"', b"t='e'")
_CELL = re.compile(rb"<(?:\w+:)?c\s([^>]*[^/>])>(.*?)</(?:\w+:)?c>", re.DOTALL)
_ERROR_TYPE = re.compile(rb"\bt=[\"']e[\"']")
_PLACE = re.compile(rb"\br=[\"']([A-Z]{1,3})([0-9]{1,7})[\"']")
_VALUE = re.compile(rb"<(?:\w+:)?v>([^<]{1,40})</")


def with_errors(rows: list[list[Any]], content: bytes, sheet: str) -> list[list[Any]]:
    """Return `rows` of a sheet with the text of the error in each cell that has one."""
    for row, column, text in _errors(content, sheet):
        if row < len(rows) and column < len(rows[row]) and rows[row][column] == "":
            rows[row][column] = text
    return rows


def _errors(content: bytes, sheet: str) -> Iterator[tuple[int, int, str]]:
    """Yield row and column, from 0, and text of the errors in a sheet; none where the file is no xlsx."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            part = _part_of_sheet(archive, sheet)
            if part is None:
                return
            rest = b""
            for chunk in member.chunks(archive, archive.getinfo(part)):
                text = rest + chunk
                end = max(text.rfind(b"</c>"), text.rfind(b":c>")) + 4  # a cell may begin in one chunk and end in the next
                if any(mark in text[:end] for mark in _MARKS):
                    yield from _errors_in(text[:end])
                rest = text[end if end > 3 else 0 :][-member.CHUNK :]
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, RuntimeError, OSError, expat.ExpatError):
        return


def _errors_in(text: bytes) -> Iterator[tuple[int, int, str]]:
    for cell in _CELL.finditer(text):
        if not _ERROR_TYPE.search(cell[1]):
            continue
        place, value = _PLACE.search(cell[1]), _VALUE.search(cell[2])
        if place and value:
            yield int(place[2]) - 1, cells.column_number(place[1]) - 1, value[1].decode("utf-8", "replace")


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
    parser.StartElementHandler = lambda name, attributes: elements.append((name.rsplit(" ", 1)[-1], attributes))
    for chunk in member.chunks(archive, archive.getinfo(part)):
        parser.Parse(chunk)
    parser.Parse(b"", True)
    return elements
