"""From bytes to text: byte order marks, encodings, and bytes that are not valid in them. No byte is dropped."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MARKS = re.compile("[\ud800-\udfff]")
_SHOWN = 5


def _mark(error: UnicodeError) -> tuple[str, int]:
    """Replace each invalid byte by a lone surrogate. Decoders never produce one, so the rows with invalid bytes can be recognised."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error("zpo2.mark", _mark)


def as_utf8(data: bytes, encoding: str) -> tuple[bytes, bool, str]:
    """Return the text in UTF-8 without byte order mark, whether all of it was valid, and its original encoding.

    An invalid byte becomes a mark, three bytes that valid UTF-8 never contains: see `to_text` and `invalid`.
    """
    name = codecs.lookup(encoding).name
    for bom, marked in _BOMS:
        if data.startswith(bom):
            name, data = marked, data[len(bom) :]
            break
    try:
        decoded = data.decode(name)
    except UnicodeDecodeError:
        return data.decode(name, "zpo2.mark").encode("utf-8", "surrogatepass"), False, name
    if name == "utf-8":
        return data, True, name
    return decoded.encode("utf-8", "surrogatepass"), True, name


def to_text(data: bytes) -> str:
    """Return the bytes that `as_utf8` has returned as text, including marks."""
    return data.decode("utf-8", "surrogatepass")


def invalid(text: str, encoding: str) -> str | None:
    """Return what is wrong with the characters of `text`, or None."""
    marks = _MARKS.findall(text)
    if marks:
        shown = " ".join(f"0x{ord(mark) & 0xFF:02x}" for mark in marks[:_SHOWN])
        more = " ..." if len(marks) > _SHOWN else ""
        return f"bytes not valid in {encoding}: {shown}{more}"
    return "a NUL character" if "\0" in text else None


def without_marks(text: str) -> str:
    """Return `text` with the replacement character instead of each mark."""
    return _MARKS.sub("\ufffd", text)


def unwritable(texts: Iterable[str | None]) -> str | None:
    """Return why one of `texts` cannot be written to a file, or None: escapes in JSON can produce what is no character."""
    for text in texts:
        if text is not None and not text.isprintable():
            if "\0" in text:
                return "a NUL character"
            if _MARKS.search(text):
                return "half of a surrogate pair, which is no character"
    return None
