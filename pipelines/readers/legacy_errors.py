"""Finds the cells of a sheet of a legacy workbook (xls) that hold an error: the records BOOLERR and FORMULA of its stream.

Formats: MS-CFB for the container, MS-XLS for the records.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_TEXTS = {0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A"}
_FORMULA, _EOF, _SHEET, _BOOLERR, _BOF = 0x0006, 0x000A, 0x0085, 0x0205, 0x0809
_IN_HEADER = 109  # sectors of the allocation table that the header lists
_SMALLEST = 4096  # a shorter stream is kept elsewhere; no workbook is that short
_LAST = 0xFFFFFFFA  # numbers from here on are no sectors


def errors(content: bytes, sheet: str) -> Iterator[tuple[int, int, str]]:
    """Yield row and column, from 0, and text of the errors in a sheet. Raises struct.error or IndexError where the file is damaged."""
    stream = _workbook_stream(content)
    for kind, start, size in _records(stream, 0):
        if kind == _SHEET and _name(stream[start + 6 : start + size]) == sheet:
            yield from _errors_from(stream, struct.unpack_from("<I", stream, start)[0])
            return


def _errors_from(stream: bytes, at: int) -> Iterator[tuple[int, int, str]]:
    depth = 0
    for kind, start, _ in _records(stream, at):
        depth += (kind == _BOF) - (kind == _EOF)
        if depth == 0:
            return
        code = None
        if kind == _BOOLERR and stream[start + 7 : start + 8] == b"\x01":
            code = stream[start + 6]
        elif kind == _FORMULA and stream[start + 6 : start + 7] == b"\x02" and stream[start + 12 : start + 14] == b"\xff\xff":
            code = stream[start + 8]
        if depth == 1 and code in _TEXTS:  # deeper ones are those of charts
            row, column = struct.unpack_from("<HH", stream, start)
            yield row, column, _TEXTS[code]


def _records(stream: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Yield kind, start and size of the records from a position on."""
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        yield kind, at + 4, size
        at += 4 + size


def _name(text: bytes) -> str:
    """Return the name of a sheet: a length, a mark of wide characters, and the characters."""
    length, is_wide = text[0], text[1] & 1
    return text[2 : 2 + 2 * length].decode("utf-16-le", "replace") if is_wide else text[2 : 2 + length].decode("latin-1")


def _workbook_stream(content: bytes) -> bytes:
    """Return the stream of the workbook in the container; an empty one where there is none."""
    (shift,) = struct.unpack_from("<H", content, 30)
    (directory,) = struct.unpack_from("<I", content, 48)
    further, count = struct.unpack_from("<II", content, 68)
    if shift not in (9, 12):
        return b""
    size = 1 << shift
    numbers = size // 4

    def sector(number: int) -> bytes:
        return content[(number + 1) * size : (number + 2) * size]

    tables = list(struct.unpack_from(f"<{_IN_HEADER}I", content, 76))
    for _ in range(min(count, len(content) // size)):
        listed = struct.unpack(f"<{numbers}I", sector(further))
        tables += listed[:-1]
        further = listed[-1]
    following: list[int] = []
    for table in [number for number in tables if number < _LAST][: len(content) // size // numbers + 1]:
        following += struct.unpack(f"<{numbers}I", sector(table))

    def chain(number: int) -> bytes:
        parts: list[bytes] = []
        while number < len(following) and len(parts) <= len(following):
            parts.append(sector(number))
            number = following[number]
        return b"".join(parts)

    entries = chain(directory)
    for at in range(0, len(entries) - 127, 128):
        name = entries[at : at + 64].decode("utf-16-le", "replace").split("\0")[0]
        (start, length) = struct.unpack_from("<II", entries, at + 116)
        if name in ("Workbook", "Book") and length >= _SMALLEST:
            return chain(start)[:length]
    return b""
