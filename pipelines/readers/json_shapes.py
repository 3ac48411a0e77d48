"""Finds the records in a JSON document: in a list, in an object by key, in rows below a header, in lists inside of other objects."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pipelines.core import json_pointer
from pipelines.readers import cells, content_kind
from pipelines.readers.json_values import Faulty, Number, dumps, faulty, flat
from pipelines.readers.options import ReadOptions
from pipelines.readers.unreadable import UnreadableSnapshot

PAGES = "/\0pages"
"""The first step of a pointer into a list of pages, as the fetcher writes them. No pack can declare it."""


def find(document: Any, options: ReadOptions, columns: Collection[str] | None = None) -> list[Any]:
    """Return the records at `options.records`, in order.

    A step `*` stands for every item of a list and every value of an object. What else these objects hold, other than lists, belongs to each
    record inside of them. One object in place of a list is one record, if it has one of the needed columns.
    Raises UnreadableSnapshot if there are no records, and says what is there instead; also if the document reports an error.
    """
    pointer = options.records or ""
    if pointer.startswith(PAGES) and isinstance(document, list):
        options = options.model_copy(update={"records": pointer.removeprefix(PAGES)})
        return [record for page in document for record in find(page, options, columns)]
    error = content_kind.error_of(document)
    try:
        records = _below(document, json_pointer.steps(pointer.removeprefix(PAGES)), {}, "", options, columns)
    except UnreadableSnapshot:
        if error is None:
            raise
        records = []
    if error is not None and not records:
        raise UnreadableSnapshot(error)
    return records


def _below(
    value: Any, steps: list[str], inherited: dict[str, Any], place: str, options: ReadOptions, columns: Collection[str] | None
) -> list[Any]:
    """Return the records below `value`, each with the `inherited` values of the objects around it."""
    if not steps:
        return [_with(inherited, record) for record in _records(value, place, options, columns)]
    step, *rest = steps
    if step == "*" and isinstance(value, list | dict):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        records = []
        for key, item in items:
            around = inherited
            if isinstance(item, dict) and rest:
                around = inherited | {k: v for k, v in item.items() if k != rest[0] and not isinstance(v, list)}
            records += _below(item, rest, around, f"{place}/{key}", options, columns)
        return records
    try:
        following = json_pointer.child(value, step)
    except LookupError:
        raise UnreadableSnapshot(f"records: no value at {options.records}: {place or 'the document'} is {description(value)}") from None
    return _below(following, rest, inherited, f"{place}/{step}", options, columns)


def _with(inherited: dict[str, Any], record: Any) -> Any:
    if not inherited or not isinstance(record, dict):
        return record
    merged = inherited | record
    return faulty(merged, record.fault) if isinstance(record, Faulty) else merged


def _records(value: Any, place: str, options: ReadOptions, columns: Collection[str] | None) -> list[Any]:
    """Return the records of the value where the pointer ends."""
    if isinstance(value, dict) and options.keyed_by is not None:
        return [_keyed(options.keyed_by, key, item) for key, item in value.items()]
    if isinstance(value, list):
        is_table = bool(value) and all(isinstance(item, list) for item in value)
        return _table(value, options) if is_table else value
    if isinstance(value, dict) and _has_needed(value, columns):
        return [value]
    raise UnreadableSnapshot(f"records: expected a list, but {place or 'the document'} is {description(value)}")


def _keyed(name: str, key: str, item: Any) -> dict[str, Any]:
    record = item if isinstance(item, dict) else {"value": item}
    if name in record:
        return faulty({**record, name: key}, f"the record has a key {name} of its own")
    return _with({name: key}, record) if record else {name: key}


def _table(rows: list[list[Any]], options: ReadOptions) -> list[dict[str, Any]]:
    """Return the rows of a list of lists as records. The first rows are the header, as in a table of text."""
    first = options.skip_rows + options.header_rows
    if len(rows) < first:
        raise UnreadableSnapshot(f"the list has {len(rows)} rows; skip_rows and header_rows need {first}")
    header = [[_header_text(cell) for cell in row] for row in rows[options.skip_rows : first]]
    width = max((len(row) for row in header or rows), default=0)
    names = options.names or cells.unique(cells.joined(header) if header else [""] * width)
    records = []
    for row in rows[first:]:
        record = dict(zip(names, row, strict=False))
        if len(row) == width or (options.names is not None and len(row) <= max(width, len(names))):
            records.append(record)
        else:
            records.append(faulty(record, f"{len(row)} values, expected {width}"))
    return records


def _header_text(cell: Any) -> str:
    return cell if isinstance(cell, str) else "" if cell is None else dumps(cell)


def _has_needed(value: dict[str, Any], columns: Collection[str] | None) -> bool:
    if not value or columns is None or (isinstance(columns, cells.Columns) and columns.everything):
        return bool(value)
    names = flat(value, 1, cells.number_columns(ReadOptions(format="json"), None))
    is_needed = cells.selector(columns)
    return any(is_needed(name) for name in names)


def description(value: Any) -> str:
    """Return in words what a value is."""
    if isinstance(value, dict):
        keys = ", ".join(list(value)[:20])
        return f"an object with the keys {keys}" if value else "an object without keys"
    return f"a list of {len(value)}" if isinstance(value, list) else kind(value)


def kind(value: Any) -> str:
    """Return the JSON type of a value in words."""
    if isinstance(value, Number):
        return "a number"
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
    return next(name for type_, name in names.items() if isinstance(value, type_))
