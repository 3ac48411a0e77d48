"""JSON pointers (RFC 6901): `/a/0/b` is the value of `b` in the first item of the list `a`."""

from __future__ import annotations

from typing import Any


def steps(pointer: str) -> list[str]:
    """Return the keys and positions of a pointer, unescaped. The empty pointer, the whole document, has none."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def resolve(document: Any, pointer: str) -> Any:
    """Return the value at `pointer`. Raises LookupError where there is none."""
    for step in steps(pointer):
        document = child(document, step)
    return document


def child(value: Any, step: str) -> Any:
    """Return the value of a key of an object, or the item of a list. Raises LookupError where there is none."""
    if isinstance(value, dict) and step in value:
        return value[step]
    if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
        return value[int(step)]
    raise LookupError(step)


def at(document: Any, pointer: str | None) -> Any:
    """Return the value at `pointer` in a JSON document, None where there is no such value. An empty pointer is the whole document."""
    try:
        return resolve(document, pointer or "")
    except LookupError:
        return None
