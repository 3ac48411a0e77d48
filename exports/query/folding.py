"""Names as people type them: without diacritics, capitals and signs."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[0-9a-z]+")
_LETTERS = str.maketrans({"ł": "l", "đ": "d", "ø": "o", "ß": "ss", "æ": "ae", "œ": "oe"})


def fold(name: str) -> str:
    """Return a name in small letters without diacritics, its words separated by one space."""
    plain = unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS))
    return " ".join(_WORD.findall("".join(sign for sign in plain if not unicodedata.combining(sign))))
