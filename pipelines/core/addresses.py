"""Addresses that packs and servers name: taken apart, not checked against what may be reached."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit


def split_address(text: str) -> SplitResult:
    """Return the parts of an address. Raises ValueError where it is none, a port that is no number included."""
    parts = urlsplit(text)
    _ = parts.port  # is parsed only when it is asked for
    return parts
