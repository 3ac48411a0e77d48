"""Splits lines of delimited text into records, with quotes and with fields of several lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipelines.readers.decoding import to_text
from pipelines.readers.unreadable import UnreadableSnapshot


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its first line, its number of lines, its fields, and what is wrong with its quotes."""

    line: int
    lines: int
    fields: list[str]
    fault: str | None


def blank(text: str) -> bool:
    """Return whether `text` has only blanks."""
    return not text or text.isspace()


def lines_of(data: bytes, offset: int) -> Iterator[str]:
    """Yield the lines of `data` from `offset` on, without their newlines."""
    while offset < len(data):
        end = data.find(b"\n", offset)
        end = end if end >= 0 else len(data)
        yield to_text(data[offset:end])
        offset = end + 1


def records(lines: Iterable[str], first: int, delimiter: str, quote: str, escape: str = "") -> Iterator[Record]:
    """Yield the records in `lines`, whose first line has the number `first`. Blank lines are skipped.

    Blanks around a quoted field do not belong to it; a quote inside an unquoted field is an ordinary character. A quote, delimiter or line
    break behind `escape` is an ordinary character, too.
    Raises UnreadableSnapshot if a quoted field does not end.
    """
    numbered = enumerate(lines, first)
    for number, text in numbered:
        if blank(text) and delimiter not in text:
            continue
        if escape and (escape in text or (quote and quote in text)):
            yield _escaped(number, text, numbered, delimiter, quote, escape)
        elif not quote or quote not in text:
            yield Record(number, 1, text.split(delimiter), None)
        else:
            yield _quoted(number, text, numbered, delimiter, quote)


def _escaped(first: int, text: str, more: Iterator[tuple[int, str]], delimiter: str, quote: str, escape: str) -> Record:
    """Read a record character by character. A quoted field begins with a quote, and text behind its closing quote is a fault."""
    number, position, fault = first, 0, None
    fields: list[str] = []
    pieces: list[str] = []
    state, continues = "start", False  # of a field: start, plain, quoted, closed; whether its line break is escaped
    while True:
        if position >= len(text):
            if state != "quoted" and not continues:
                fields.append("".join(pieces))
                return Record(first, number - first + 1, fields, fault)
            pieces.append("\n")
            number, text = next(more, (0, ""))
            position, continues = 0, False
            if not number:
                raise UnreadableSnapshot(f"line {first}: a quoted field never ends, or the file ends with an escape")
            continue
        character = text[position]
        position += 1
        if character == escape:
            following = text[position : position + 1]
            position += 1
            continues = not following
            pieces.append(following if following in {quote, delimiter, escape, ""} else escape + following)
            state = "plain" if state == "start" else state
        elif state == "quoted" and character != quote:
            pieces.append(character)
        elif state == "quoted" and text[position : position + 1] == quote:
            pieces.append(quote)
            position += 1
        elif state == "quoted":
            state = "closed"
        elif character == delimiter:
            fields.append("".join(pieces))
            pieces, state = [], "start"
        elif state == "start" and quote and character == quote:
            pieces, state = [], "quoted"
        elif state != "closed" or not blank(character):
            fault = fault or ("text after a closing quote" if state == "closed" else None)
            pieces.append(character)
            state = state if blank(character) or state == "closed" else "plain"


def _quoted(first: int, text: str, more: Iterator[tuple[int, str]], delimiter: str, quote: str) -> Record:
    number, position, fault = first, 0, None
    fields: list[str] = []
    while position >= 0:
        start = position
        while start < len(text) and text[start] in " \t\xa0" and text[start] != delimiter:
            start += 1
        if text[start : start + 1] != quote:
            end = text.find(delimiter, position)
            fields.append(text[position:] if end < 0 else text[position:end])
            position = end + 1 if end >= 0 else -1
            continue
        opened, pieces, begin = number, [], start + 1
        while True:
            close = text.find(quote, begin)
            if close < 0:
                pieces.append(text[begin:] + "\n")
                number, text = next(more, (0, ""))
                if not number:
                    raise UnreadableSnapshot(f"line {opened}: a quoted field never ends")
                begin = 0
            elif text.startswith(quote, close + 1):
                pieces.append(text[begin : close + 1])
                begin = close + 2
            else:
                pieces.append(text[begin:close])
                break
        end = text.find(delimiter, close + 1)
        rest = text[close + 1 :] if end < 0 else text[close + 1 : end]
        if not blank(rest):
            if number != opened:
                raise UnreadableSnapshot(f"line {opened}: a quoted field begins, and in line {number} text follows its closing quote")
            fault = "text after a closing quote"
            pieces.append(quote + rest)
        fields.append("".join(pieces))
        position = end + 1 if end >= 0 else -1
    return Record(first, number - first + 1, fields, fault)
