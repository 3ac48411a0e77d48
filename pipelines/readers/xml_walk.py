"""Walks an XML document from outside. A document that declares a type or entities is refused: entities can grow without bound."""

from __future__ import annotations

from typing import Protocol
from xml.parsers import expat

from pipelines.readers.unreadable import UnreadableSnapshot

_UNKNOWN_ENCODING = expat.errors.codes[expat.errors.XML_ERROR_UNKNOWN_ENCODING]


class Visitor(Protocol):
    """What is called on the way. Names have their namespace and a space before them."""

    def start(self, name: str, attributes: dict[str, str], /) -> None: ...

    def text(self, data: str, /) -> None: ...

    def end(self, name: str, /) -> None: ...


def walk(content: bytes, visitor: Visitor, encoding: str | None = None) -> None:
    """Call `visitor` for each element and text of a document. Raises UnreadableSnapshot with the line where it is not XML.

    `encoding` stands for the one that the document names: some programs convert a document and leave its first line as it was.
    """
    parser = expat.ParserCreate(encoding, namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.StartElementHandler = visitor.start
    parser.EndElementHandler = visitor.end
    parser.CharacterDataHandler = visitor.text
    try:
        parser.Parse(content, True)
    except (ValueError, LookupError):  # Python's codec of the encoding that the document names
        if parser.ErrorCode != _UNKNOWN_ENCODING:
            raise
        raise UnreadableSnapshot("line 1: not XML: an encoding that no XML reader knows") from None
    except expat.ExpatError as error:
        raise UnreadableSnapshot(f"line {error.lineno}: not XML: {expat.ErrorString(error.code)}") from None


def local_name(name: str) -> str:
    """Return the name of an element or attribute without its namespace."""
    return name.rsplit(" ", 1)[-1]


def _refuse(*_arguments: object) -> None:
    raise UnreadableSnapshot("a document type or entity declaration is not allowed")
