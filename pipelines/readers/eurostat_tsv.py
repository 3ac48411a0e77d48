"""Reads Eurostat's tab-separated files: one row per cell of the wide table, with flags separated from values."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import polars as pl

from pipelines.readers import cells, decoding, member
from pipelines.readers.options import ReadOptions
from pipelines.readers.unreadable import UnreadableSnapshot


def read(path: Path, options: ReadOptions, columns: Collection[str] | None = None) -> pl.DataFrame:
    r"""Return a column for each dimension of the corner cell (`unit,sex,geo\time`), `time_period`, `value` and `flag`.

    `__row` is the line and `__cell` the period, because a line gives several rows. A colon stands for no value; letters after a value, or
    after the colon, are flags, as the file writes them.
    """
    raw = member.content(path, options.member)
    if options.member is None:
        member.not_packed(raw, path)
    data, clean, encoding = decoding.as_utf8(raw, options.encoding)
    lines = decoding.to_text(data).splitlines()
    if not clean:
        raise UnreadableSnapshot(f"bytes that are not valid in {encoding}")
    if not lines or "\\" not in lines[0].split("\t")[0]:
        raise UnreadableSnapshot("line 1: expected a header such as unit,geo\\time")
    corner, *periods = lines[0].split("\t")
    dimensions = [name.strip() for name in corner.rsplit("\\", 1)[0].split(",")]
    periods = [period.strip() for period in periods]
    keys: list[list[str]] = [[] for _ in dimensions]
    texts: list[list[str]] = [[] for _ in periods]
    numbers: list[int] = []
    faults: list[str | None] = []
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        head, *values = line.split("\t")
        parts = head.split(",")
        fault = None
        if len(parts) != len(dimensions) or len(values) != len(periods):
            fault = f"{len(parts)} dimensions and {len(values)} values, expected {len(dimensions)} and {len(periods)}"
            parts = [*parts[: len(dimensions)], *[""] * (len(dimensions) - len(parts))]
            values = [*values[: len(periods)], *[""] * (len(periods) - len(values))]
        numbers.append(number)
        faults.append(fault)
        for column, text in zip(keys, parts, strict=True):
            column.append(text)
        for column, text in zip(texts, values, strict=True):
            column.append(text)
    names = cells.unique([*dimensions, "time_period", "value", "flag"])
    rows, width = len(numbers), len(periods)
    at = pl.Series([i for i in range(rows) for _ in range(width)], dtype=pl.UInt32)
    series = [pl.Series(column, dtype=pl.String).gather(at).alias(name) for name, column in zip(names, keys, strict=False)]
    cell = pl.Series("__text", [texts[j][i] for i in range(rows) for j in range(width)], dtype=pl.String)
    headers = pl.Series(names[-3], periods * rows, dtype=pl.String)
    frame = pl.DataFrame([*series, headers, cell]).with_columns(
        headers.alias("__cell"),
        pl.col("__text").str.strip_chars().str.extract(r"^([^ :]+)", 1).alias(names[-2]),
        pl.col("__text").str.strip_chars().str.extract(r"^(?::|[^ :]+)\s*([A-Za-z@]+)$", 1).alias(names[-1]),
        pl.Series("__row", numbers, dtype=pl.Int64).gather(at),
        pl.Series("__fault", faults, dtype=pl.String).gather(at),
    )
    needed = cells.selector(columns)
    return cells.finish(frame[[*(n for n in names if needed(n)), "__row", "__cell", "__fault"]], options)
