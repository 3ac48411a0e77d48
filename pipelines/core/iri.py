"""Escape texts so that they can be used as IRIs (RFC 3987)."""

from __future__ import annotations

import re

_FORBIDDEN = re.compile(
    r'[\x00-\x20<>"{}|\\^`\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]|%(?![0-9A-Fa-f]{2})'
)


def escape_iri(value: object) -> str:
    """Return `value` as an IRI: characters that an IRI cannot contain, and stray percent signs, become percent-encoded bytes."""
    return _FORBIDDEN.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "replace")), str(value))
