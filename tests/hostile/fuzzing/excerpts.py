"""Small files out of large ones, still whole: the first lines of a table, short lists, the first elements of a document."""

from __future__ import annotations

import json
import re
from typing import Any

MOST = 40_000
"""Bytes of an excerpt."""
BINARY = ("xlsx", "xls", "ods", "parquet", "rdata")
_TAG = re.compile(rb"<(/?)([A-Za-z_][\w:.\-]*)[^<>]*?(/?)>")


def excerpt(content: bytes, format_: str) -> bytes | None:
    """Return a small file of the same format; None where one cannot be made."""
    if len(content) <= MOST:
        return content
    if format_ in BINARY or content.startswith(b"PK\x03\x04"):
        return content if len(content) <= 3 * MOST else None
    if format_ == "xml":
        return _closed(content[: content.rindex(b">", 0, MOST) + 1])
    if format_ in ("csv", "sdmx-csv", "eurostat-tsv", "ics"):
        return content[: content.rfind(b"\n", 0, MOST) + 1]
    if len(content) > 20_000_000:
        return None
    try:
        short = json.dumps(_short(json.loads(content)), ensure_ascii=False).encode()
    except ValueError:
        return None
    return short if len(short) <= 3 * MOST else None


def _short(value: Any) -> Any:
    if isinstance(value, list):
        return [_short(item) for item in value[:4]]
    return {key: _short(item) for key, item in list(value.items())[:30]} if isinstance(value, dict) else value


def _closed(content: bytes) -> bytes:
    """Return the beginning of a document with the tags that are still open closed."""
    is_open: list[bytes] = []
    for closing, name, empty in _TAG.findall(content):
        if closing:
            del is_open[-1:]
        elif not empty:
            is_open.append(name)
    return content + b"".join(b"</" + name + b">" for name in reversed(is_open))
