"""JSON pointers (RFC 6901)."""

from __future__ import annotations

from typing import Any


def at(document: Any, pointer: str | None) -> Any:
    """Return the value at `pointer` in a JSON document, None where there is no such value. An empty pointer is the whole document."""
    for step in (pointer or "").split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict):
            document = document.get(key)
        elif isinstance(document, list) and key.isdecimal() and int(key) < len(document):
            document = document[int(key)]
        else:
            return None
    return document
