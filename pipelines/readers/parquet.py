"""Reads Parquet as text."""

from __future__ import annotations

import json
from collections.abc import Collection
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.readers import cells, member
from pipelines.readers.options import ReadOptions
from pipelines.readers.unreadable import UnreadableSnapshot


def read(path: Path, options: ReadOptions, columns: Collection[str] | None = None) -> pl.DataFrame:
    """Return the rows of a Parquet file. `__row` is the number of the record."""
    source: Path | BytesIO = path if options.member is None else BytesIO(member.content(path, options.member))
    needed = cells.selector(columns)
    try:
        schema = pl.read_parquet_schema(source)
        if isinstance(source, BytesIO):
            source.seek(0)
        names = cells.unique(list(schema))
        picked = [(old, new) for old, new in zip(schema, names, strict=True) if needed(new)]
        if picked:
            frame = pl.read_parquet(source, columns=[old for old, _ in picked])
            height = frame.height
        else:
            frame = pl.DataFrame()
            height = pl.scan_parquet(source).select(pl.len()).collect().item()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UnreadableSnapshot(f"not a Parquet file: {str(error).splitlines()[0]}") from None
    number_column = cells.number_columns(options, columns)
    series = [_as_text(frame[old], number_column(new)).alias(new) for old, new in picked]
    return cells.finish(pl.DataFrame([*series, pl.Series("__row", range(1, height + 1), dtype=pl.Int64)]), options)


def _as_text(values: pl.Series, column: cells.NumberColumn) -> pl.Series:
    kind = values.dtype
    if kind == pl.String:
        return values
    if kind.is_float():
        return _numbers(values, column.decimal)
    if isinstance(kind, pl.Datetime):
        whole = (values.dt.nanosecond() == 0).all()
        zone = "%:z" if kind.time_zone else ""
        return values.dt.strftime(("%Y-%m-%dT%H:%M:%S" if whole else "%Y-%m-%dT%H:%M:%S%.f") + zone)
    if kind == pl.Binary:
        return values.bin.encode("hex")
    if kind.is_nested():
        return pl.Series([None if v is None else json.dumps(_plain(v), ensure_ascii=False) for v in values.to_list()], dtype=pl.String)
    if isinstance(kind, pl.Decimal):
        return cells.number_texts(values.cast(pl.String), column)
    return values.cast(pl.String)


def _numbers(values: pl.Series, mark: str) -> pl.Series:
    """Return the texts of numbers, whole ones without `.0`, so that codes in a float column stay codes."""
    whole = values.cast(pl.Int64, strict=False)
    written = values.cast(pl.String)
    if mark != ".":
        written = written.str.replace(".", mark, literal=True)
    frame = pl.DataFrame({"v": values, "w": whole, "t": written})
    is_whole = (pl.col("w").cast(pl.Float64) == pl.col("v").cast(pl.Float64)) & (pl.col("v").abs() < 1e15)
    return frame.select(pl.when(is_whole).then(pl.col("w").cast(pl.String)).otherwise(pl.col("t"))).to_series()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | pl.Series):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return value.hex() if isinstance(value, bytes) else cells.text(value)
