"""The hash of a value: the same for equal values, whatever the order of their keys. And small integers that stand for names."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable
from typing import Any


def digest(value: Any) -> str:
    """Return the SHA-256 of `value` as canonical JSON, in hexadecimal. What JSON cannot express is taken as its text."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def of_arrays(facts: Any, arrays: Iterable[Any]) -> str:
    """Return the SHA-256 of `facts`, which JSON can express, and of the numbers in arrays of numpy, in hexadecimal."""
    whole = hashlib.sha256(digest(facts).encode())
    for array in arrays:
        whole.update(f"{array.dtype.str} {array.shape}".encode() + array.tobytes())
    return whole.hexdigest()


def integer_keys(names: Iterable[str]) -> dict[str, int]:
    """Return a positive 31-bit integer for each name. A name keeps its integer when names are added or removed, unless two of them collide."""
    keys: dict[str, int] = {}
    taken: set[int] = {0}
    for name in sorted(set(names)):
        key = zlib.crc32(name.encode()) & 0x7FFFFFFF
        while key in taken:
            key = (key + 1) & 0x7FFFFFFF
        taken.add(key)
        keys[name] = key
    return keys
