"""Reads delimited text (CSV, TSV).

The regular part of a file goes through polars; records that are not regular are read one by one. What is regular is measured
first, because polars fills a short last record, reads a blank line as a row and loses its way after a stray quote, without a word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from pipelines.readers import cells, decoding, member
from pipelines.readers.options import ReadOptions
from pipelines.readers.records import Record, blank, lines_of, records
from pipelines.readers.unreadable import UnreadableSnapshot

_MOSTLY_REGULAR = 0.2  # with a larger share of irregular records, all are read one by one


def read(path: Path, options: ReadOptions, columns: Collection[str] | None = None) -> pl.DataFrame:
    """Return the records of a delimited file. `__row` is the first line of a record."""
    raw = member.content(path, options.member)
    if options.member is None:
        member.not_packed(raw, path)
    data, clean, encoding = decoding.as_utf8(raw, options.encoding)
    if not data.strip():
        raise UnreadableSnapshot("the file is empty")
    if b"\n" not in data and b"\r" in data:
        data = data.replace(b"\r", b"\n")
    header, offset, line = _header(data, options, encoding)
    body = data[offset:] if offset else data
    table = _fast(body, line, options, header, clean, encoding) or _read_one_by_one(body, line, options, header, encoding)
    return _named(table, header, options, columns)


@dataclass(frozen=True)
class _Table:
    """Columns by position (with the names '0', '1', ...), `__row` and `__fault`."""

    frame: pl.DataFrame
    width: int


def _header(data: bytes, options: ReadOptions, encoding: str) -> tuple[list[list[str]], int, int]:
    """Return the records of the header, and the offset and the number of the line after them."""
    offset = 0
    for done in range(options.skip_rows):
        end = data.find(b"\n", offset)
        if end < 0:
            raise UnreadableSnapshot(f"skip_rows is {options.skip_rows}, but the file has {done + 1} lines")
        offset = end + 1
    line = options.skip_rows + 1
    if options.header_rows == 0:
        return [], offset, line
    header = []
    for record in records(lines_of(data, offset), line, options.delimiter, options.quote, options.escape or ""):
        fault = record.fault or decoding.invalid("".join(record.fields), encoding)
        if fault:
            raise UnreadableSnapshot(f"line {record.line}: the header cannot be read: {fault}")
        header.append(record.fields)
        line = record.line + record.lines
        if len(header) == options.header_rows:
            break
    else:
        raise UnreadableSnapshot(f"expected {options.header_rows} header rows below line {options.skip_rows}, but the file ends")
    for _ in range(line - 1 - options.skip_rows):
        end = data.find(b"\n", offset)
        offset = end + 1 if end >= 0 else len(data)
    return header, offset, line


def _expected_width(header: list[list[str]], options: ReadOptions, widths: dict[int, int]) -> int:
    """Return how many fields a record must have: as many as the header, or as most records if there is no header.

    With `names`, a record may have fewer, and it may have as many as there are names, whatever most records have.
    """
    if header and options.names is None:
        return max(len(row) for row in header)
    if not widths:
        return max((len(row) for row in header), default=len(options.names or []))
    usual = max(widths, key=lambda width: (widths[width], width))
    return usual if options.names is None else max(usual, min(len(options.names), max(widths)))


def _named(table: _Table, header: list[list[str]], options: ReadOptions, columns: Collection[str] | None) -> pl.DataFrame:
    needed = cells.selector(columns)
    if options.names is not None:
        names = options.names[: table.width]
    else:
        texts = cells.joined(header) if header else []
        names = cells.unique([*texts, *[""] * (table.width - len(texts))])[: table.width]
    kept = [(str(i), name) for i, name in enumerate(names) if needed(name)]
    frame = table.frame.select(*(pl.col(i).alias(name) for i, name in kept), "__row", "__fault")
    return cells.finish(frame, options, [n for n in (options.names or [])[table.width :] if needed(n)])


# ------------------------------------------------------------------------------------------------------------- regular files


@dataclass(frozen=True)
class _Shape:
    starts: np.ndarray  # offset of each record
    ends: np.ndarray  # offset behind it
    widths: np.ndarray  # fields
    lines: np.ndarray  # line on which it begins
    folded: np.ndarray | None = None  # whether its quotes hold line breaks and delimiters


def _shape(body: bytes, line: int, delimiter: str, quote: str) -> _Shape | None:
    """Measure every record. Return None if some quotes are not at the edges of fields."""
    octets = np.frombuffer(body, np.uint8)
    breaks = octets == 10
    marks = octets == ord(delimiter)
    inner = folded = None  # the line breaks, if some are inside quotes
    if quote and quote.encode() in body:
        quotes = octets == ord(quote)
        inside = np.bitwise_xor.accumulate(quotes.view(np.uint8)).view(bool)
        if inside[-1]:
            return None
        before = np.empty_like(quotes)
        before[0], before[1:] = True, (breaks | marks | quotes)[:-1]
        after = np.empty_like(quotes)
        after[-1], after[:-1] = True, (breaks | marks | quotes | (octets == 13))[1:]
        if (quotes & ~np.where(inside, before, after)).any():
            return None
        if (breaks & inside).any():
            inner = np.flatnonzero(breaks)
            folded = (breaks & inside, marks & inside)
            breaks &= ~inside
        marks &= ~inside
    ends = np.flatnonzero(breaks) + 1
    if not len(ends) or ends[-1] != len(body):
        ends = np.append(ends, len(body))
    starts = np.concatenate(([0], ends[:-1]))
    widths = np.add.reduceat(marks, starts, dtype=np.int32) + 1
    lines = np.arange(line, line + len(ends)) if inner is None else np.searchsorted(inner, starts) + line
    if folded is None:
        return _Shape(starts, ends, widths, lines)
    return _Shape(starts, ends, widths, lines, np.logical_and(*(np.logical_or.reduceat(place, starts) for place in folded)))


def _fast(body: bytes, line: int, options: ReadOptions, header: list[list[str]], clean: bool, encoding: str) -> _Table | None:
    """Read regular records with polars. Return None if the whole file must be read record by record."""
    if len(options.delimiter.encode()) > 1 or len(options.quote.encode()) > 1 or not body:
        return None
    if options.escape and options.escape.encode() in body:
        return None
    shape = _shape(body, line, options.delimiter, options.quote)
    if shape is None:
        return None
    single = np.flatnonzero(shape.widths == 1)
    if _too_many(single, shape):
        return None
    odd = np.zeros(len(shape.starts), bool)  # blank lines are irregular too: polars would read them as rows
    odd[[i for i in single.tolist() if blank(decoding.to_text(body[shape.starts[i] : shape.ends[i]]))]] = True
    blanks = np.count_nonzero(odd)
    values, counts = np.unique(shape.widths[~odd], return_counts=True)
    expected = _expected_width(header, options, dict(zip(values.tolist(), counts.tolist(), strict=True)))
    width = expected + 1 if values.tolist() == [expected + 1] else expected
    if width < 2:
        return None  # a blank line could also be an empty field
    odd |= shape.widths != width
    if shape.folded is not None and not options.multiline:
        odd |= shape.folded
    octets = np.frombuffer(body, np.uint8)
    if not clean or b"\0" in body:
        bad = octets == 0
        bad[:-1] |= (octets[:-1] == 0xED) & (octets[1:] >= 0xA0)  # a mark of `decoding`
        odd[np.searchsorted(shape.starts, np.flatnonzero(bad), side="right") - 1] = True
    picked = np.flatnonzero(odd)
    if _too_many(picked, shape) or (width != expected and len(picked) > blanks):
        return None
    frame = _polars(_without(body, shape, odd) if len(picked) else body, width, options)
    if frame is None or frame.height != len(odd) - len(picked):
        return None
    if width != expected:
        if not (frame[str(expected)].str.strip_chars() == "").all():
            return None
        frame = frame.drop(str(expected))  # every record ends with one more delimiter than the header: harmless
    good = frame.with_columns(pl.Series("__row", shape.lines[~odd]).cast(pl.Int64), pl.lit(None, pl.String).alias("__fault"))
    if len(picked):
        parsed = []
        for i in picked.tolist():
            text = decoding.to_text(body[shape.starts[i] : shape.ends[i]]).removesuffix("\n")
            parsed += _read_lines(text.split("\n"), int(shape.lines[i]), options, expected)
        good = pl.concat([good, _of_records(parsed, expected, options, encoding)]).sort("__row")
    return _Table(good, expected)


def _without(body: bytes, shape: _Shape, odd: np.ndarray) -> bytes:
    """Return the records of `body` that are not `odd` (irregular)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([True], odd, [True])).astype(np.int8)))
    runs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return b"".join(body[shape.starts[first] : shape.ends[last - 1]] for first, last in runs)


def _polars(body: bytes, width: int, options: ReadOptions) -> pl.DataFrame | None:
    names = [str(i) for i in range(width)]
    quote = options.quote if options.quote and options.quote.encode() in body else None
    try:
        return pl.read_csv(
            body, has_header=False, separator=options.delimiter, quote_char=quote, schema=dict.fromkeys(names, pl.String),
            empty_string_is_null=False, raise_if_empty=False,
        )  # fmt: skip
    except pl.exceptions.PolarsError:
        return None


def _too_many(picked: np.ndarray, shape: _Shape) -> bool:
    return len(picked) > max(10, _MOSTLY_REGULAR * len(shape.starts))


# ----------------------------------------------------------------------------------------------------------- irregular files


def _read_one_by_one(body: bytes, line: int, options: ReadOptions, header: list[list[str]], encoding: str) -> _Table:
    """Read all records one by one."""
    text = decoding.to_text(body)
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    parsed = list(records(lines, line, options.delimiter, options.quote, options.escape or ""))
    expected = _expected_width(header, options, Counter(len(record.fields) for record in parsed))
    if parsed and all(len(r.fields) == expected + 1 and blank(r.fields[-1]) for r in parsed):
        parsed = [Record(r.line, r.lines, r.fields[:-1], r.fault) for r in parsed]
    _assert_nothing_swallowed(parsed, expected, lines, line, options)
    return _Table(_of_records(parsed, expected, options, encoding), expected)


def _read_lines(lines: list[str], line: int, options: ReadOptions, expected: int) -> list[Record]:
    parsed = list(records(lines, line, options.delimiter, options.quote, options.escape or ""))
    _assert_nothing_swallowed(parsed, expected, lines, line, options)
    return parsed


def _assert_nothing_swallowed(parsed: list[Record], expected: int, lines: list[str], line: int, options: ReadOptions) -> None:
    """Refuse a record with whole rows in a quoted field: its opening quote is an ordinary character, or its closing quote is missing.

    Line breaks and delimiters in one field are such rows, unless the source declares that its fields have them (`multiline`).
    """
    for record in parsed:
        if record.lines == 1:
            continue
        below = record.line + 1
        for number, text in enumerate(lines[below - line : below - line + record.lines - 1], below):
            if len(record.fields) != expected and text.count(options.delimiter) == expected - 1:
                raise UnreadableSnapshot(f"line {record.line}: a quoted field includes line {number}, which looks like a separate row")
        if not options.multiline and any("\n" in f and options.delimiter in f for f in record.fields):
            raise UnreadableSnapshot(
                f"line {record.line}: a quoted field goes on to line {record.line + record.lines - 1} and has delimiters in it, as if a quote "
                "were missing; if that is right, set read.multiline"
            )


def _of_records(parsed: list[Record], expected: int, options: ReadOptions, encoding: str) -> pl.DataFrame:
    rows: list[list[str]] = []
    faults: list[str | None] = []
    for record in parsed:
        fields = record.fields
        reasons = [record.fault] if record.fault else []
        if len(fields) != expected:
            if options.names is None or len(fields) > expected:
                reasons.append(f"{len(fields)} fields, expected {expected}")
            fields = [*fields[:expected], *[""] * (expected - len(fields))]
        wrong = decoding.invalid("".join(record.fields), encoding)
        if wrong:
            reasons.append(wrong)
            fields = [decoding.without_marks(field) for field in fields]
        rows.append(fields)
        faults.append("; ".join(reasons) or None)
    frame = pl.DataFrame({str(i): pl.Series([row[i] for row in rows], dtype=pl.String) for i in range(expected)})
    return frame.with_columns(pl.Series("__row", [r.line for r in parsed], dtype=pl.Int64), pl.Series("__fault", faults, dtype=pl.String))
