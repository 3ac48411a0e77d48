"""Reads JSON: the records of a list, with nested keys as `a/b` and numbers as they are written."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.core import json_pointer
from pipelines.readers import cells, content_kind, decoding, member
from pipelines.readers.options import ReadOptions
from pipelines.readers.unreadable import UnreadableSnapshot

MAX_COLUMNS = 5_000  # records with data as keys would give a column for each key
MAX_DEPTH = 32


class Number(str):
    """The text of a number as it is written, with all digits and the exponent."""

    __slots__ = ()


class Ambiguous(dict[str, Any]):
    """An object with a repeated key, so that its value is ambiguous."""

    repeated = ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) == len(pairs):
        return values
    ambiguous = Ambiguous(values)
    keys: set[str] = set()
    ambiguous.repeated = next(key for key, _ in pairs if key in keys or keys.add(key))  # type: ignore[func-returns-value]
    return ambiguous


def read(path: Path, options: ReadOptions, columns: Collection[str] | None = None) -> pl.DataFrame:
    """Return the records of a JSON document. `__row` is the number of a record in its list, from 1."""
    records = find(load(path, options), options.records or "")
    needed = cells.selector(columns)
    number_column = cells.number_columns(options, columns)
    table: dict[str, list[str | None]] = {}
    faults: list[str | None] = []
    for number, record in enumerate(records):
        if not isinstance(record, dict):
            faults.append(f"expected an object, not {_kind(record)}")
            continue
        row = flat(record, number + 1, number_column)
        wrong = decoding.unwritable((*row, *row.values()))
        repeated = record.repeated if isinstance(record, Ambiguous) else None
        faults.append(f"repeated key {repeated}" if repeated is not None else wrong)
        if wrong:
            row = {decoding.without_marks(k): v if v is None else decoding.without_marks(v) for k, v in row.items()}
        for name, value in row.items():
            column = table.get(name)
            if column is None:
                if len(table) >= MAX_COLUMNS:
                    raise UnreadableSnapshot(f"record {number + 1}: more than {MAX_COLUMNS} different keys")
                column = table[name] = []
            column.extend([None] * (number - len(column)))
            column.append(value)
    for column in table.values():
        column.extend([None] * (len(records) - len(column)))
    named = zip(cells.unique(list(table)), table.values(), strict=True)
    series = [pl.Series(name, values, dtype=pl.String) for name, values in named if needed(name)]
    series += [pl.Series("__row", range(1, len(records) + 1), dtype=pl.Int64), pl.Series("__fault", faults, dtype=pl.String)]
    return cells.finish(pl.DataFrame(series), options)


def load(path: Path, options: ReadOptions) -> Any:
    """Return the document, with numbers as text. Raises UnreadableSnapshot with the line where it is not JSON."""
    return parse(text_of(path, options))


def text_of(path: Path, options: ReadOptions) -> str:
    """Return the text of a file. Raises UnreadableSnapshot with the line that has invalid bytes."""
    raw = member.content(path, options.member)
    if options.member is None:
        member.not_packed(raw, path)
    data, clean, encoding = decoding.as_utf8(raw, options.encoding)
    text = decoding.to_text(data)
    if not clean:
        line = next(i for i, part in enumerate(text.split("\n"), 1) if decoding.invalid(part, encoding))
        raise UnreadableSnapshot(f"line {line}: bytes that are not valid in {encoding}")
    return text


def parse(text: str) -> Any:
    """Return the document in `text`, with numbers as text. Raises UnreadableSnapshot with the line where it is not JSON."""
    try:
        return json.loads(text, parse_float=Number, parse_int=Number, parse_constant=Number, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise UnreadableSnapshot(f"line {error.lineno}: not JSON: {error.msg}") from None
    except RecursionError:
        raise UnreadableSnapshot("nested too deeply") from None


def find(document: Any, pointer: str) -> list[Any]:
    """Return the list of records at a JSON pointer; with a first step `*`, the records of every element of the document, in order.

    Raises UnreadableSnapshot if there is no list, and says what is there instead; also if the document reports an error and has no records.
    """
    error = content_kind.error_of(document)
    try:
        records = _records_at(document, pointer)
    except UnreadableSnapshot:
        if error is None:
            raise
        records = []
    if error is not None and not records:
        raise UnreadableSnapshot(error)
    return records


def _records_at(document: Any, pointer: str) -> list[Any]:
    first, _, rest = pointer.removeprefix("/").partition("/")
    if first == "*" and isinstance(document, list):
        return [record for page in document for record in find(page, f"/{rest}" if rest else "")]
    value, place = document, ""
    for step in json_pointer.steps(pointer):
        try:
            value = json_pointer.child(value, step)
        except LookupError:
            raise UnreadableSnapshot(f"records: no value at {pointer}: {place or 'the document'} is {_description(value)}") from None
        place = f"{place}/{step}"
    if not isinstance(value, list):
        raise UnreadableSnapshot(f"records: expected a list, but {place or 'the document'} is {_description(value)}")
    return value


def _description(value: Any) -> str:
    if isinstance(value, dict):
        keys = ", ".join(list(value)[:20])
        return f"an object with the keys {keys}" if value else "an object without keys"
    return f"a list of {len(value)}" if isinstance(value, list) else _kind(value)


def _kind(value: Any) -> str:
    names: dict[type, str] = {
        dict: "an object",
        list: "a list",
        Number: "a number",
        str: "a string",
        bool: "a boolean",
        type(None): "null",
    }
    return names[type(value)]


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
