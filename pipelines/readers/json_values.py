"""JSON values as the readers use them: numbers as they are written, objects that cannot be trusted, and nested values as cells."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pipelines.readers import cells
from pipelines.readers.unreadable import UnreadableSnapshot

MAX_DEPTH = 32


class Number(str):
    """The text of a number as it is written, with all digits and the exponent."""

    __slots__ = ()


class Faulty(dict[str, Any]):
    """An object that cannot be trusted, for example because a key is in it twice."""

    fault = ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) == len(pairs):
        return values
    keys: set[str] = set()
    repeated = next(key for key, _ in pairs if key in keys or keys.add(key))  # type: ignore[func-returns-value]
    return faulty(values, f"repeated key {repeated}")


def faulty(values: dict[str, Any], fault: str) -> Faulty:
    """Return an object with these values, and what is wrong with it."""
    result = Faulty(values)
    result.fault = fault
    return result


def parse(text: str) -> Any:
    """Return the document in `text`, with numbers as text. Raises UnreadableSnapshot with the line where it is not JSON."""
    try:
        return json.loads(text, parse_float=Number, parse_int=Number, parse_constant=Number, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise UnreadableSnapshot(f"line {error.lineno}: not JSON: {error.msg}") from None
    except RecursionError:
        raise UnreadableSnapshot("nested too deeply") from None


def flat(record: dict[str, Any], number: int, number_column: Callable[[str], cells.NumberColumn]) -> dict[str, str | None]:
    """Return the cells of record `number` by column, with nested keys as `a/b`. Numbers are written as their column writes them."""
    result: dict[str, str | None] = {}
    waiting: list[tuple[str, Any, int]] = [("", record, 0)]
    while waiting:
        prefix, value, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise UnreadableSnapshot(f"record {number}: nested more than {MAX_DEPTH} deep")
        if isinstance(value, dict):
            waiting += [(f"{prefix}/{key}" if prefix else key, item, depth + 1) for key, item in reversed(value.items())]
            continue
        name, count = prefix, 1
        while name in result:  # {"a/b": 1, "a": {"b": 2}}
            count += 1
            name = f"{prefix}.{count}"
        if value is None:
            result[name] = None
        elif isinstance(value, Number):
            result[name] = cells.number_text(str(value), number_column(name))
        elif isinstance(value, str):
            result[name] = value
        elif isinstance(value, bool):
            result[name] = "true" if value else "false"
        else:
            try:
                result[name] = dumps(value)
            except RecursionError:
                raise UnreadableSnapshot(f"record {number}: a list nested too deeply") from None
    return result


def dumps(value: Any) -> str:
    """Return `value` as JSON text, with numbers as they were written."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key, ensure_ascii=False)}: {dumps(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(dumps, value)) + "]"
    return str(value) if isinstance(value, Number) else json.dumps(value, ensure_ascii=False)
