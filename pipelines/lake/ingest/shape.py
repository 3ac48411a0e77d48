"""The shape of a snapshot: its columns, which of them hold numbers, and how this differs from the last good snapshot. Rejects nothing."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import polars as pl

from pipelines.core import frames
from pipelines.core.printable import listed, printable, shortened

SAMPLE = 2_000  # rows that are examined
_NUMBER = r"^[-+\u2212]?[0-9][0-9\u00a0\u202f ]*([.,][0-9]+)*([eE][-+]?[0-9]+)?[-%]?$"
MOSTLY, RARELY = 0.95, 0.5
_LISTED = 40  # names of columns in a message
_NAME_SHOWN = 60  # characters of each
OFTEN = 0.5


def shape_of(columns: Sequence[str], rows: pl.DataFrame) -> dict[str, Any]:
    """Return the shape of a file with these `columns`.

    It has the columns, and by column the share of cells that are not empty (`filled`) and the share of these that are `numbers`. The shares
    cover the columns that `rows` (text) holds, and the first rows.
    """
    numbers, filled = {}, {}
    head = rows.head(SAMPLE)
    for name in (n for n in head.columns if not n.startswith("__")):
        cells = frames.cells(head, name).drop_nulls()
        filled[name] = round(cells.len() / max(head.height, 1), 3)
        if cells.len():
            numbers[name] = round(float(cells.str.contains(_NUMBER).mean() or 0.0), 3)  # type: ignore[arg-type]
    return {"columns": list(columns), "numbers": numbers, "filled": filled}


def lost_columns(before: Mapping[str, Any], after: Mapping[str, Any], used: Collection[str], *, has_header: bool) -> list[str]:
    """Return the `used` columns that `before` has and `after` lacks.

    In a format without a header (records with keys), a key that was mostly absent may be absent from all records.
    """
    filled = before.get("filled", {})
    lost = [name for name in before.get("columns", []) if name in used and name not in after["columns"]]
    return [name for name in lost if has_header or filled.get(name, 1.0) >= OFTEN]


def drift(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return in words how `after` differs from `before`, or an empty text. A new name in the same position is a renamed column."""
    old, new = list(before.get("columns", [])), list(after["columns"])
    if not old:
        return ""
    removed = [name for name in old if name not in new]
    added = [name for name in new if name not in old]
    renamed = []
    if len(old) == len(new):
        renamed = [(a, b) for a, b in zip(old, new, strict=True) if a in removed and b in added]
        removed = [name for name in removed if name not in {a for a, _ in renamed}]
        added = [name for name in added if name not in {b for _, b in renamed}]
    words = [f"column {a} is now {b}" for a, b in renamed]
    words += [f"column {name} is gone" for name in removed]
    words += [f"column {name} is new" for name in added]
    for name, share in before.get("numbers", {}).items():
        now = after.get("numbers", {}).get(name)
        if now is None:
            continue
        if share >= MOSTLY and now < RARELY:
            words.append(f"column {name} held numbers and now holds text")
        elif share < RARELY and now >= MOSTLY:
            words.append(f"column {name} held text and now holds numbers")
    return "; ".join(words)


def no_column(name: str, columns: Sequence[str]) -> str:
    """Return the message for a column that a file does not have: with the nearest name, and all names that the file has."""
    if not columns:
        return f"the file has no column {name}; it has no columns at all"
    by_letters = {_letters(column): column for column in reversed(columns)}
    near = difflib.get_close_matches(_letters(name), list(by_letters), n=1, cutoff=0.5)
    nearest = f"; the nearest is {printable(by_letters[near[0]])}" if near else ""
    names = [shortened(printable(column), _NAME_SHOWN) for column in columns]
    return f"the file has no column {name}{nearest}; its columns are {listed(names, _LISTED)}"


def _letters(name: str) -> str:
    """Return a name without case, accents and punctuation: what most mistyped names have in common with the right ones."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in plain if c.isalnum()) or name
