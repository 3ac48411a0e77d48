"""Reads JSON: the records of a list, with nested keys as `a/b` and numbers as they are written."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.readers import cells, decoding, json_shapes, member
from pipelines.readers.json_values import Faulty, faulty, flat, parse
from pipelines.readers.options import ReadOptions
from pipelines.readers.unreadable import UnreadableSnapshot

MAX_COLUMNS = 5_000  # records with data as keys would give a column for each key


def read(path: Path, options: ReadOptions, columns: Collection[str] | None = None) -> pl.DataFrame:
    """Return the records of a JSON document. `__row` is the number of a record in its list, from 1."""
    records = json_shapes.find(_documents(text_of(path, options)), options, columns)
    needed = cells.selector(columns)
    number_column = cells.number_columns(options, columns)
    table: dict[str, list[str | None]] = {}
    faults: list[str | None] = []
    for number, record in enumerate(records):
        if not isinstance(record, dict):
            faults.append(f"expected an object, not {json_shapes.kind(record)}")
            continue
        row = flat(record, number + 1, number_column)
        wrong = decoding.unwritable((*row, *row.values()))
        faults.append(record.fault if isinstance(record, Faulty) else wrong)
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


def _documents(text: str) -> Any:
    """Return the document in `text`, or the list of documents if there is one in each line (NDJSON). A line that is not JSON gets a fault."""
    try:
        return parse(text)
    except UnreadableSnapshot:
        lines = [line for line in text.split("\n") if line.strip()]
        try:
            several = len(lines) > 1 and isinstance(parse(lines[0]), dict)
        except UnreadableSnapshot:
            several = False
        if not several:
            raise
    documents = []
    for line in lines:
        try:
            documents.append(parse(line))
        except UnreadableSnapshot as error:
            documents.append(faulty({}, str(error).removeprefix("line 1: ")))
    return documents
