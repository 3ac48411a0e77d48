"""The hash of a value: the same for equal values, whatever the order of their keys."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def digest(value: Any) -> str:
    """Return the SHA-256 of `value` as canonical JSON, in hexadecimal. What JSON cannot express is taken as its text."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
