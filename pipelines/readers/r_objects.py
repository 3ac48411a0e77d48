"""Reads R's serialization, as save() and saveRDS() write it: from bytes to vectors with attributes. Nothing is evaluated.

The format is described in "R Internals", section "Serialization Formats"; this reads its binary form (XDR), versions 2 and 3.
Functions, environments and promises are skipped. Every length that a file states is compared with the remaining bytes before memory is
allocated.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from pipelines.readers import decoding  # it also registers "zpo2.mark" for bytes that are not valid
from pipelines.readers.r_vectors import MAX_EXPANDED, Vector, compact
from pipelines.readers.unreadable import UnreadableSnapshot

MAX_DEPTH = 64

_NULL, _SYMBOL, _PAIRLIST, _CLOSURE, _ENVIRONMENT, _PROMISE, _CALL = range(7)
_BUILTINS = (7, 8)
_TEXT, _LOGICAL, _INTEGER, _REAL, _COMPLEX, _STRINGS, _DOTS = 9, 10, 13, 14, 15, 16, 17
_LIST, _EXPRESSION, _CODE, _POINTER, _WEAK, _RAW, _S4 = 19, 20, 21, 22, 23, 24, 25
_ALTERNATIVE, _PERSISTENT, _PACKAGE, _NAMESPACE, _REFERENCE = 238, 247, 248, 249, 255
_EMPTY = (241, 242, 250, 251, 252, 253, 254)  # environments and marks without content
_VECTORS = {_LOGICAL: ">i4", _INTEGER: ">i4", _REAL: ">f8", _COMPLEX: ">c16", _RAW: ">u1"}
_HEADERS = (b"RDX2\n", b"RDX3\n")
_LATIN1, _UTF8, _ASCII = 1 << 2, 1 << 3, 1 << 6
_PAIR = struct.Struct(">ii")
_KINDS = {_LOGICAL: "logical", _INTEGER: "integer", _REAL: "real", _COMPLEX: "complex", _RAW: "raw"}


def parse(data: bytes, encoding: str) -> tuple[Any, bool]:
    """Return the object in `data`, and whether it is a workspace (named objects, as save() writes them).

    A pairlist becomes a dict. `encoding` is that of texts without a stated encoding.
    """
    workspace = data[:5] in _HEADERS
    at = 5 if workspace else 0
    if data[at : at + 2] != b"X\n":
        if data[:4] in (b"RDA2", b"RDA3", b"RDB2", b"RDB3") or data[at : at + 2] in (b"A\n", b"B\n"):
            raise UnreadableSnapshot("this R file is in the ASCII or native form; only the default form, binary XDR, can be read")
        raise UnreadableSnapshot("not an R data file: its beginning is neither that of save() nor that of saveRDS()")
    reader = _Reader(data, at + 2, encoding)
    try:
        return reader.whole(), workspace
    except struct.error:
        raise UnreadableSnapshot("the R file is truncated") from None


class _Reader:
    """Reads the bytes from the beginning to the end. `references` are the objects to which later bytes refer."""

    def __init__(self, data: bytes, at: int, encoding: str) -> None:
        self.data = data
        self.at = at
        self.encoding = encoding
        self.references: list[Any] = []
        self.depth = 0
        self.expanded = 0
        self.seen: dict[tuple[int, bytes], str] = {}  # most texts of a table occur many times

    def whole(self) -> Any:
        version = self.integer()
        if version not in (2, 3):
            raise UnreadableSnapshot(f"the R file has format version {version}; only 2 and 3 can be read")
        self.at += 8  # two versions of R: that of the writer, and the oldest that can read the file
        if version == 3:
            native = self.take(self.integer()).decode("ascii", "replace")
            try:
                b"a".decode(native, "zpo2.mark")
                self.encoding = native
            except (LookupError, ValueError):
                pass  # an encoding that only the writer's machine has; nearly all texts state their own
        value = self.item()
        if self.at != len(self.data):
            raise UnreadableSnapshot(f"the R file has {len(self.data) - self.at} bytes after its end")
        return value

    def integer(self) -> int:
        (value,) = struct.unpack_from(">i", self.data, self.at)
        self.at += 4
        return int(value)

    def take(self, size: int) -> bytes:
        if not 0 <= size <= len(self.data) - self.at:
            raise self.broken(f"a length of {size}, but {len(self.data) - self.at} bytes are left")
        self.at += size
        return self.data[self.at - size : self.at]

    def length(self, width: int) -> int:
        """Return the stated number of elements of at least `width` bytes each."""
        size = self.integer()
        if size == -1:  # a long vector: two halves
            size = (self.integer() << 32) | (self.integer() & 0xFFFFFFFF)
        if not 0 <= size * width <= len(self.data) - self.at:
            raise self.broken(f"{size} elements, but {len(self.data) - self.at} bytes are left")
        return size

    def broken(self, what: str) -> UnreadableSnapshot:
        return UnreadableSnapshot(f"the R file cannot be read at byte {self.at}: {what}")

    def item(self) -> Any:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.broken(f"nested more than {MAX_DEPTH} deep")
        flags = self.integer()
        value = self.object(flags & 0xFF, flags)
        self.depth -= 1
        return value

    def object(self, kind: int, flags: int) -> Any:
        has_attributes = bool(flags & 0x200)
        if kind == _NULL or kind in _EMPTY:
            return None
        if kind == _REFERENCE:
            return self.reference(flags >> 8)
        if kind == _SYMBOL:
            name = self.item()
            self.references.append(name)
            return name
        if kind in (_PAIRLIST, _CALL, _CLOSURE, _PROMISE, _DOTS):
            return self.pairs(flags)
        if kind == _TEXT:
            text = self.text(flags)
            if has_attributes:
                self.item()
            return text
        if kind in _VECTORS:
            dtype = np.dtype(_VECTORS[kind])
            size = self.length(dtype.itemsize)
            values = np.frombuffer(self.take(size * dtype.itemsize), dtype).astype(dtype.newbyteorder("="))
            return self.attributed(Vector(_KINDS[kind], values), has_attributes)
        if kind == _STRINGS:
            return self.attributed(Vector("text", self.strings()), has_attributes)
        if kind in (_LIST, _EXPRESSION):
            return self.attributed(Vector("list", [self.item() for _ in range(self.length(4))]), has_attributes)
        if kind == _ALTERNATIVE:
            return self.alternative()
        return self.other(kind, has_attributes)

    def other(self, kind: int, has_attributes: bool) -> Any:
        """Skip an object that has no data."""
        nothing = Vector("other", [])
        if kind == _ENVIRONMENT:
            self.references.append(nothing)
            self.integer()  # locked or not
            for _ in range(4):  # enclosure, frame, hash table, attributes
                self.item()
        elif kind in (_NAMESPACE, _PACKAGE, _PERSISTENT):
            self.integer()
            for _ in range(self.length(8)):
                self.item()
            self.references.append(nothing)
        elif kind in (_POINTER, _WEAK):
            self.references.append(nothing)
            for _ in range(2 if kind == _POINTER else 0):
                self.item()
            return self.attributed(nothing, has_attributes)
        elif kind == _S4:
            return self.attributed(nothing, has_attributes)
        elif kind in _BUILTINS:
            self.take(self.integer())
        elif kind == _CODE:
            raise UnreadableSnapshot("the R file has a compiled function; only data can be read")
        else:
            raise self.broken(f"unknown type {kind}")
        return nothing

    def reference(self, number: int) -> Any:
        number = number or self.integer()
        if not 1 <= number <= len(self.references):
            raise self.broken(f"reference {number} of {len(self.references)}")
        return self.references[number - 1]

    def pairs(self, flags: int) -> dict[str, Any]:
        """Return the values of a pairlist by name. It is read in a loop, so a long one does not count as deep."""
        items: dict[str, Any] = {}
        while True:
            if flags & 0x200:
                self.item()
            tag = self.item() if flags & 0x400 else None
            name = tag if isinstance(tag, str) else f"#{len(items) + 1}"
            items[name] = self.item()
            if flags & 0xFF not in (_PAIRLIST, _CALL, _DOTS):  # a closure or promise: its third part is a body, not the rest of the list
                self.item()
                return items
            flags = self.integer()
            if flags & 0xFF not in (_PAIRLIST, _CALL, _DOTS):
                self.object(flags & 0xFF, flags)
                return items

    def attributed(self, vector: Vector, has_attributes: bool) -> Vector:
        if has_attributes:
            attributes = self.item()
            if not isinstance(attributes, dict):
                raise self.broken("the attributes are not a pairlist")
            vector.attributes = attributes
        return vector

    def text(self, flags: int) -> str | None:
        size = self.integer()
        if size == -1:
            return None
        return self.decoded(flags, self.take(size))

    def decoded(self, flags: int, raw: bytes) -> str:
        marks = flags >> 12
        if marks & _LATIN1:
            encoding = "cp1252"  # what R means by it, because Windows wrote most of these texts
        elif marks & (_UTF8 | _ASCII):
            encoding = "utf-8"
        else:
            encoding = self.encoding
        text = self.seen[flags, raw] = raw.decode(encoding, "zpo2.mark")
        return text

    def strings(self) -> list[str | None]:
        """Return the texts of a character vector. The loop runs once per cell, so it calls no methods."""
        texts: list[str | None] = []
        data, seen, end, unpack = self.data, self.seen, len(self.data), _PAIR.unpack_from
        size, at = self.length(8), self.at
        for _ in range(size):
            flags, length = unpack(data, at)
            at += 8
            if flags & 0x3FF & ~0x100 != _TEXT or length < -1 or length > end - at:
                self.at = at
                raise self.broken("expected a text")
            if length == -1:
                texts.append(None)
                continue
            raw = data[at : at + length]
            at += length
            text = seen.get((flags, raw))
            texts.append(self.decoded(flags, raw) if text is None else text)
        self.at = at
        return texts

    def alternative(self) -> Vector:
        """Return the vector of a compact form (ALTREP)."""
        about, state, attributes = self.item(), self.item(), self.item()
        name = next(iter(about.values()), None) if isinstance(about, dict) else None
        vector = compact(name, state, MAX_EXPANDED - self.expanded)
        if vector is None:
            raise self.broken(f"a compact form that is unknown or too large: {decoding.without_marks(str(name))}")
        if vector.kind in ("integer", "real", "text"):
            self.expanded += len(vector.values)
        return Vector(vector.kind, vector.values, attributes if isinstance(attributes, dict) else {})
