"""Reads JSON-stat: one row per cell of a cube. The order of the dimensions is that of `id`, not that of their keys.

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
from pipelines.readers.json_values import Number, parse
from pipelines.readers.options import ReadOptions
from pipelines.readers.unreadable import UnreadableSnapshot

MAX_CELLS = 50_000_000
_START = re.compile(r'(?<!\\)"value"\s*:\s*([\[{])')
_PLAIN = re.compile(r'[\s0-9.eE+\-,nul":]*')  # the characters of numbers, nulls and positions
_NUMBER = r"(?:null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)"
_ITEM = rf"^\s*{_NUMBER}\s*$"
_PAIR = rf'^\s*"[0-9]{{1,18}}"\s*:\s*{_NUMBER}\s*$'
LONG = 1_000  # characters; shorter lists are parsed as JSON


def read(path: Path, options: ReadOptions, columns: Collection[str] | None = None) -> pl.DataFrame:
    """Return a column of codes and `<id>_label` for each dimension, `value` and `status`. `__row` is the position of a cell, from 1.

    A dense cube has a row for every cell, a sparse one for cells with a value or a status. `records` selects a data set of a bundle or
    among the embedded items of a collection, by key or position. The rows of a list of data sets (slices) are concatenated.
    """
    text, cut = _without_values(json_records.text_of(path, options))
    document = parse(text)
    if not isinstance(document, list):
        return _rows(_dataset(document, options.records or ""), cut, options, columns)
    if not document:
        raise UnreadableSnapshot("expected a JSON-stat object")
    slices = [_rows(_dataset(part, options.records or ""), cut, options, columns) for part in document]
    whole = pl.concat(slices, how="diagonal")
    return whole.with_columns(pl.int_range(1, whole.height + 1, dtype=pl.Int64).alias("__row"))


@dataclass(frozen=True)
class _Values:
    """The texts of many numbers and their positions in the cube (None: all positions, in order)."""

    texts: pl.Series
    positions: NDArray[np.int64] | None


def _without_values(text: str) -> tuple[str, dict[str, _Values]]:
    """Return the document with a mark in place of each long list or object of numbers, and those numbers by mark.

    Splitting the text of millions of numbers is many times faster than parsing them one by one, and keeps them as they are written.
    """
    values_by_mark: dict[str, _Values] = {}
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
        values_by_mark[mark] = values
        pieces += [text[at : start.start(1)], f'"{mark}"']
        at = end + 1
    return "".join([*pieces, text[at:]]), values_by_mark


def _split(body: str, dense: bool) -> _Values | None:
    """Return the numbers between two brackets; None if there is anything else between them."""
    texts, positions = pl.Series([body]).str.split(",").explode(), None
    if texts.null_count() or not texts.str.contains(_ITEM if dense else _PAIR).all():
        return None
    if not dense:
        pairs = texts.str.splitn(":", 2).struct.unnest()
        positions = pairs.to_series(0).str.strip_chars(' \t\r\n"').cast(pl.Int64).to_numpy()
        texts = pairs.to_series(1)
    texts = texts.str.strip_chars()
    if positions is not None and (np.diff(positions) <= 0).any():  # of a repeated key the last value counts, as in JSON
        frame = pl.DataFrame({"at": positions, "text": texts}).unique("at", keep="last").sort("at")
        positions, texts = frame["at"].to_numpy(), frame["text"]
    return _Values(pl.select(pl.when(texts != "null").then(texts)).to_series(), positions)


def _rows(dataset: dict[str, Any], cut: dict[str, _Values], options: ReadOptions, columns: Collection[str] | None) -> pl.DataFrame:
    dimensions, ids, sizes = _shape(dataset)
    total = math.prod(sizes)
    if total > MAX_CELLS:
        raise UnreadableSnapshot(f"{total} cells, more than the limit of {MAX_CELLS}")
    value, status = dataset.get("value"), dataset.get("status")
    if isinstance(value, str):
        value = cut.get(value, value)
    positions = _positions(value, status, total)
    needed = cells.selector(columns)
    number_column = cells.number_columns(options, columns)
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
        whole = _cells(column, given, positions, total, number_column(column))
        if whole.null_count() < whole.len() and not (isinstance(given, _Values) and options.na == [""]):  # those are clean already
            whole = pl.select(cells.cleaned(pl.lit(whole), options)).to_series()
        series.append(whole.alias(column))
    names = cells.unique([s.name for s in series])
    row = pl.Series("__row", positions + 1, dtype=pl.Int64)
    return pl.DataFrame([*(s.alias(n) for s, n in zip(series, names, strict=True)), row]).with_columns(
        pl.lit(None, pl.String).alias("__fault")
    )


def _dataset(document: Any, pointer: str) -> dict[str, Any]:
    """Return the data set at `pointer`. Raises UnreadableSnapshot if there is none, or several without a pointer."""
    if not isinstance(document, dict):
        raise UnreadableSnapshot("expected a JSON-stat object")
    key = pointer.strip("/")
    kind = document.get("class")
    if kind == "collection":
        link = document.get("link")
        items = link.get("item") if isinstance(link, dict) else None
        if not isinstance(items, list):
            raise UnreadableSnapshot("records: a collection must have a list of items at /link/item")
        dataset = _picked({str(i): item for i, item in enumerate(items)}, key)
    elif kind == "dataset" or "value" in document:
        dataset = document
    else:  # 1.x: data sets by name
        dataset = _picked({k: v for k, v in document.items() if isinstance(v, dict)}, key)
    if isinstance(dataset, dict) and dataset.get("class") not in (None, "dataset"):
        raise UnreadableSnapshot(f"{pointer or 'the document'} is a {dataset['class']}, not a data set")
    if not isinstance(dataset, dict) or "value" not in dataset or "dimension" not in dataset:
        raise UnreadableSnapshot(f"{pointer or 'the document'} has only metadata and no values: fetch the data set to which it links")
    return dataset


def _picked(items: dict[str, Any], key: str) -> Any:
    if not key and len(items) == 1:
        return next(iter(items.values()))
    if key in items:
        return items[key]
    if key.isdecimal() and int(key) < len(items):
        return list(items.values())[int(key)]
    choices = ", ".join(f"/{k}" for k in list(items)[:20]) or "none"
    raise UnreadableSnapshot(f"records: {f'no data set /{key}' if key else 'several data sets'}; choose one of {choices}")


def _shape(dataset: dict[str, Any]) -> tuple[dict[str, Any], list[str], list[int]]:
    dimensions = dataset["dimension"]
    ids = dataset.get("id", dimensions.get("id") if isinstance(dimensions, dict) else None)  # 1.x keeps them inside
    sizes = dataset.get("size", dimensions.get("size") if isinstance(dimensions, dict) else None)
    if not isinstance(dimensions, dict) or not isinstance(ids, list) or not isinstance(sizes, list) or len(ids) != len(sizes):
        raise UnreadableSnapshot("expected id and size with one entry per dimension")
    try:
        numbers = [int(size) for size in sizes]
    except (TypeError, ValueError):
        raise UnreadableSnapshot(f"size: {sizes} are not whole numbers") from None
    for name, size in zip(ids, numbers, strict=True):
        if ids.count(name) > 1:
            raise UnreadableSnapshot(f"dimension {name} is twice in id")
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
    if index is None:  # may be left out if there is one category
        codes = list(label)
    elif isinstance(index, list):
        codes = [str(code) for code in index]
    else:
        try:
            placed = sorted((int(at), str(code)) for code, at in index.items())
        except (TypeError, ValueError, AttributeError):
            raise UnreadableSnapshot(f"dimension {name}: the positions of its categories are not numbers") from None
        if [at for at, _ in placed] != list(range(len(placed))):
            raise UnreadableSnapshot(f"dimension {name}: some position has two categories or none")
        codes = [code for _, code in placed]
    if len(codes) != size:
        raise UnreadableSnapshot(f"dimension {name} has {len(codes)} categories, expected {size}")
    return codes, [label.get(code) for code in codes] if isinstance(label, dict) else [None] * size


def _positions(value: Any, status: Any, total: int) -> NDArray[np.int64]:
    """Return the positions of the cells with a value or a status, in order; those of all cells of a dense cube."""
    dense = value.positions is None if isinstance(value, _Values) else isinstance(value, list)
    if dense:
        given = len(value.texts if isinstance(value, _Values) else value)
        if given != total:
            raise UnreadableSnapshot(f"{given} values, expected {total}")
        return np.arange(total, dtype=np.int64)
    if not isinstance(value, dict | _Values):
        raise UnreadableSnapshot("value: expected a list or an object")
    keys = set(status) if isinstance(status, dict) else set()
    try:
        if isinstance(value, _Values):
            assert value.positions is not None
            positions = value.positions
            if keys:
                positions = np.union1d(positions, np.array([int(key) for key in keys], dtype=np.int64))
        else:
            positions = np.array(sorted(int(key) for key in keys | set(value)), dtype=np.int64)
    except (ValueError, OverflowError):
        raise UnreadableSnapshot("value: its keys must be positions of cells") from None
    if positions.size and (positions[0] < 0 or positions[-1] >= total):
        raise UnreadableSnapshot(f"value: cell {positions[-1]} does not exist, there are {total}")
    return positions


def _cells(name: str, given: Any, positions: NDArray[np.int64], total: int, numbers: cells.NumberColumn) -> pl.Series:
    """Return the texts of `value` or `status`, which may be a list, an object by position, or one text for all."""
    if isinstance(given, _Values):
        given_texts = cells.number_texts(given.texts, numbers)
        if given.positions is None or len(given.positions) == len(positions):
            return given_texts.alias(name)
        everywhere = pl.DataFrame({"at": positions})
        return everywhere.join(pl.DataFrame({"at": given.positions, "text": given_texts}), on="at", how="left", maintain_order="left")[
            "text"
        ]
    if isinstance(given, dict):
        texts = [_text(given.get(str(p)), numbers) for p in positions]
    elif isinstance(given, list):
        if len(given) not in (total, 1):
            raise UnreadableSnapshot(f"{name}: {len(given)} entries, expected {total}")
        texts = [_text(v, numbers) for v in given] if len(given) == total else [_text(given[0], numbers)] * len(positions)
        if len(texts) != len(positions):
            texts = [texts[p] for p in positions]
    else:
        return pl.repeat(_text(given, numbers), len(positions), dtype=pl.String, eager=True).alias(name)
    return pl.Series(name, texts, dtype=pl.String)


def _text(value: Any, numbers: cells.NumberColumn) -> str | None:
    if isinstance(value, Number):
        return cells.number_text(str(value), numbers)
    return None if value is None else str(value)
