"""Read JSON-stat: a cube as one row for each cell. Dimensions are found by `id`, never by the order of their keys; judges no value.

JSON-stat 2.0 data sets and collections, and the bundles of 1.x (https://json-stat.org/full/).
"""

from __future__ import annotations

import math
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.readers import cells, json_records
from pipelines.readers.json_records import Number
from pipelines.readers.options import ReadOptions
from pipelines.readers.unreadable import UnreadableSnapshot

MAX_CELLS = 50_000_000
_START = re.compile(r'(?<!\\)"value"\s*:\s*([\[{])')
_PLAIN = re.compile(r'[\s0-9.eE+\-,nul":]*')  # what numbers, nulls and positions are written with
_NUMBER = r"(?:null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)"
_ITEM = rf"^\s*{_NUMBER}\s*$"
_PAIR = rf'^\s*"[0-9]{{1,18}}"\s*:\s*{_NUMBER}\s*$'
LONG = 1_000  # characters; shorter ones are not worth the detour


def read(path: Path, options: ReadOptions, columns: Collection[str] | None = None) -> pl.DataFrame:
    """Return a column of codes for each dimension, `<id>_label`, `value` and `status`. `__row` is the position of the cell, from 1.

    A dense cube gives all its cells, a sparse one those that have a value or a status. `records` picks a data set of a bundle or of
    a collection's embedded items, by key or position. Of slices, a list of data sets, the rows follow each other.
    """
    text, cut = _without_values(json_records.text_of(path, options))
    document = json_records.parse(text)
    if not isinstance(document, list):
        return _rows(_dataset(document, options.records or ""), cut, options, columns)
    if not document:
        raise UnreadableSnapshot("a JSON-stat object is due")
    slices = [_rows(_dataset(part, options.records or ""), cut, options, columns) for part in document]
    whole = pl.concat(slices, how="diagonal")
    return whole.with_columns(pl.int_range(1, whole.height + 1, dtype=pl.Int64).alias("__row"))


@dataclass(frozen=True)
class _Values:
    """Long values that never became Python objects: texts, at positions (None: all of them, in order)."""

    texts: pl.Series
    positions: NDArray[np.int64] | None


def _without_values(text: str) -> tuple[str, dict[str, _Values]]:
    """Take long values that are plain numbers out of a document; in their place stands a mark, under which they are returned.

    Millions of numbers are split as one text, many times faster than parsed one by one, and keep the text they were written with.
    """
    found: dict[str, _Values] = {}
    pieces, at = [], 0
    for start in _START.finditer(text):
        if start.start() < at:
            continue
        dense = start[1] == "["
        end = text.find("]" if dense else "}", start.end())
        if end - start.end() < LONG or not _PLAIN.fullmatch(text, start.end(), end):
            continue
        values = _split(text[start.end() : end], dense)
        if values is None:
            continue
        mark = f"values-{secrets.token_hex(16)}"
        found[mark] = values
        pieces += [text[at : start.start(1)], f'"{mark}"']
        at = end + 1
    return "".join([*pieces, text[at:]]), found


def _split(body: str, dense: bool) -> _Values | None:
    """Return the numbers between two brackets; None where anything else stands among them."""
    texts, positions = pl.Series([body]).str.split(",").explode(), None
    if texts.null_count() or not texts.str.contains(_ITEM if dense else _PAIR).all():
        return None
    if not dense:
        pairs = texts.str.splitn(":", 2).struct.unnest()
        positions = pairs.to_series(0).str.strip_chars(' \t\r\n"').cast(pl.Int64).to_numpy()
        texts = pairs.to_series(1)
    texts = texts.str.strip_chars()
    if positions is not None and (np.diff(positions) <= 0).any():  # of a key that stands twice the last one counts, as in JSON
        frame = pl.DataFrame({"at": positions, "text": texts}).unique("at", keep="last").sort("at")
        positions, texts = frame["at"].to_numpy(), frame["text"]
    return _Values(pl.select(pl.when(texts != "null").then(texts)).to_series(), positions)


def _rows(dataset: dict[str, Any], cut: dict[str, _Values], options: ReadOptions, columns: Collection[str] | None) -> pl.DataFrame:
    dimensions, ids, sizes = _shape(dataset)
    total = math.prod(sizes)
    if total > MAX_CELLS:
        raise UnreadableSnapshot(f"{total} cells, at most {MAX_CELLS} are read")
    value, status = dataset.get("value"), dataset.get("status")
    if isinstance(value, str):
        value = cut.get(value, value)
    positions = _positions(value, status, total)
    needed = cells.selector(columns)
    mark = cells.decimal_of_numbers(options)
    series = []
    step = total
    for name, size in zip(ids, sizes, strict=True):
        codes, labels = _categories(name, dimensions[name], size)
        step //= size
        at = pl.Series((positions // step) % size)
        for column, texts in ((name, codes), (f"{name}_label", labels)):
            if needed(column):
                categories = pl.select(cells.cleaned(pl.lit(pl.Series(texts, dtype=pl.String)), options)).to_series()
                series.append(categories.gather(at).alias(column))
    for column, given in (("value", value), ("status", status)):
        whole = _cells(column, given, positions, total, mark)
        if whole.null_count() < whole.len() and not (isinstance(given, _Values) and options.na == [""]):  # those are clean already
            whole = pl.select(cells.cleaned(pl.lit(whole), options)).to_series()
        series.append(whole.alias(column))
    names = cells.unique([s.name for s in series])
    row = pl.Series("__row", positions + 1, dtype=pl.Int64)
    return pl.DataFrame([*(s.alias(n) for s, n in zip(series, names, strict=True)), row]).with_columns(
        pl.lit(None, pl.String).alias("__fault")
    )


def _dataset(document: Any, pointer: str) -> dict[str, Any]:
    """Return the data set that `pointer` picks. Raises UnreadableSnapshot where there is none, or several to choose from."""
    if not isinstance(document, dict):
        raise UnreadableSnapshot("a JSON-stat object is due")
    key = pointer.strip("/")
    kind = document.get("class")
    if kind == "collection":
        link = document.get("link")
        items = link.get("item") if isinstance(link, dict) else None
        if not isinstance(items, list):
            raise UnreadableSnapshot("records: a collection has a list of items at /link/item")
        found = _picked({str(i): item for i, item in enumerate(items)}, key)
    elif kind == "dataset" or "value" in document:
        found = document
    else:  # 1.x: data sets under names of their own
        found = _picked({k: v for k, v in document.items() if isinstance(v, dict)}, key)
    if isinstance(found, dict) and found.get("class") not in (None, "dataset"):
        raise UnreadableSnapshot(f"{pointer or 'the document'} is a {found['class']}, not a data set")
    if not isinstance(found, dict) or "value" not in found or "dimension" not in found:
        raise UnreadableSnapshot(f"{pointer or 'the document'} has metadata only, no values: fetch the data set that it points to")
    return found


def _picked(items: dict[str, Any], key: str) -> Any:
    if not key and len(items) == 1:
        return next(iter(items.values()))
    if key in items:
        return items[key]
    if key.isdecimal() and int(key) < len(items):
        return list(items.values())[int(key)]
    known = ", ".join(f"/{k}" for k in list(items)[:20]) or "none"
    raise UnreadableSnapshot(f"records: {f'/{key} is not there' if key else 'several data sets'}; there are {known}")


def _shape(dataset: dict[str, Any]) -> tuple[dict[str, Any], list[str], list[int]]:
    dimensions = dataset["dimension"]
    ids = dataset.get("id", dimensions.get("id") if isinstance(dimensions, dict) else None)  # 1.x keeps them inside
    sizes = dataset.get("size", dimensions.get("size") if isinstance(dimensions, dict) else None)
    if not isinstance(dimensions, dict) or not isinstance(ids, list) or not isinstance(sizes, list) or len(ids) != len(sizes):
        raise UnreadableSnapshot("id and size are due, one entry for each dimension")
    try:
        numbers = [int(size) for size in sizes]
    except (TypeError, ValueError):
        raise UnreadableSnapshot(f"size: {sizes} are no whole numbers") from None
    for name, size in zip(ids, numbers, strict=True):
        if ids.count(name) > 1:
            raise UnreadableSnapshot(f"dimension {name} stands twice in id")
        if not isinstance(name, str) or not isinstance(dimensions.get(name), dict):
            raise UnreadableSnapshot(f"dimension {name} is not described")
        if size < 1:
            raise UnreadableSnapshot(f"dimension {name} has the size {size}")
    return dimensions, ids, numbers


def _categories(name: str, dimension: dict[str, Any], size: int) -> tuple[list[str], list[str | None]]:
    category = dimension.get("category")
    if not isinstance(category, dict):
        raise UnreadableSnapshot(f"dimension {name} has no categories")
    index, label = category.get("index"), category.get("label") or {}
    if index is None:  # may be left out where there is one category
        codes = list(label)
    elif isinstance(index, list):
        codes = [str(code) for code in index]
    else:
        try:
            placed = sorted((int(at), str(code)) for code, at in index.items())
        except (TypeError, ValueError, AttributeError):
            raise UnreadableSnapshot(f"dimension {name}: the positions of its categories are no numbers") from None
        if [at for at, _ in placed] != list(range(len(placed))):
            raise UnreadableSnapshot(f"dimension {name}: two categories at one position, or none at one")
        codes = [code for _, code in placed]
    if len(codes) != size:
        raise UnreadableSnapshot(f"dimension {name} has {len(codes)} categories where {size} are due")
    return codes, [label.get(code) for code in codes] if isinstance(label, dict) else [None] * size


def _positions(value: Any, status: Any, total: int) -> NDArray[np.int64]:
    """Return the positions of the cells that have a value or a status, in order; of a dense cube all."""
    dense = value.positions is None if isinstance(value, _Values) else isinstance(value, list)
    if dense:
        given = len(value.texts if isinstance(value, _Values) else value)
        if given != total:
            raise UnreadableSnapshot(f"{given} values where {total} are due")
        return np.arange(total, dtype=np.int64)
    if not isinstance(value, dict | _Values):
        raise UnreadableSnapshot("value: a list or an object is due")
    keys = set(status) if isinstance(status, dict) else set()
    try:
        if isinstance(value, _Values):
            assert value.positions is not None
            found = value.positions
            if keys:
                found = np.union1d(found, np.array([int(key) for key in keys], dtype=np.int64))
        else:
            found = np.array(sorted(int(key) for key in keys | set(value)), dtype=np.int64)
    except (ValueError, OverflowError):
        raise UnreadableSnapshot("value: its keys are positions of cells") from None
    if found.size and (found[0] < 0 or found[-1] >= total):
        raise UnreadableSnapshot(f"value: cell {found[-1]} is out of the {total} there are")
    return found


def _cells(name: str, given: Any, positions: NDArray[np.int64], total: int, mark: str) -> pl.Series:
    """Return the texts of `value` or `status`, which may be a list, an object by position, or one text for all."""
    if isinstance(given, _Values):
        given_texts = given.texts if mark == "." else given.texts.str.replace(".", mark, literal=True)
        if given.positions is None or len(given.positions) == len(positions):
            return given_texts.alias(name)
        everywhere = pl.DataFrame({"at": positions})
        return everywhere.join(pl.DataFrame({"at": given.positions, "text": given_texts}), on="at", how="left", maintain_order="left")[
            "text"
        ]
    if isinstance(given, dict):
        texts = [_text(given.get(str(p)), mark) for p in positions]
    elif isinstance(given, list):
        if len(given) not in (total, 1):
            raise UnreadableSnapshot(f"{name}: {len(given)} entries where {total} are due")
        texts = [_text(v, mark) for v in given] if len(given) == total else [_text(given[0], mark)] * len(positions)
        if len(texts) != len(positions):
            texts = [texts[p] for p in positions]
    else:
        return pl.repeat(_text(given, mark), len(positions), dtype=pl.String, eager=True).alias(name)
    return pl.Series(name, texts, dtype=pl.String)


def _text(value: Any, mark: str) -> str | None:
    if isinstance(value, Number):
        return str(value) if mark == "." else value.replace(".", mark)
    return None if value is None else str(value)
