"""Readers: one module per format, all with the same signature. A reader turns a file into rows of text.

polars and the readers are imported when something is read, so that loading a pack stays quick.
"""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.readers.options import ReadOptions
from pipelines.readers.unreadable import UnreadableSnapshot

if TYPE_CHECKING:
    import polars as pl

__all__ = ["ReadOptions", "UnreadableSnapshot", "read"]

MODULES = {
    "csv": "delimited",
    "eurostat-tsv": "eurostat_tsv",
    "geojson": "geojson",
    "ics": "icalendar_events",
    "json": "json_records",
    "jsonstat": "jsonstat",
    "ods": "workbook",
    "ofn-events": "ofn_events",
    "ofn-notices": "ofn_notices",
    "parquet": "parquet",
    "rdata": "rdata_table",
    "schema-org-events": "schema_org_events",
    "sdmx-csv": "delimited",
    "topojson": "topojson",
    "xls": "workbook",
    "xlsx": "workbook",
    "xml": "xml_records",
}

_PANIC = "PanicException"
"""The error of a library written in Rust that met what it thought to be impossible. Each has its own class of this name, no Exception."""


def read(path: Path, options: ReadOptions, columns: Collection[str] | None = None) -> pl.DataFrame:
    """Return every row of the file at `path` as text, unchanged but for what `options.fill_down` and `options.unpivot` declare.

    The columns are those of the file, as pl.String: blanks around values are stripped, and values in `options.na` become null. Then come
    `__row` (Int64: the line, sheet row or record number, from 1) and `__fault` (null, or why the shape of the row cannot be trusted:
    such a row belongs in quarantine). Where a line gives several rows, `__cell` says which of them a row is. `columns` are the names that
    are needed, in upper or lower case; others may be left out.
    Raises UnreadableSnapshot if the file as a whole cannot be read.
    """
    from pipelines.readers import reshaping

    reader = import_module(f"pipelines.readers.{MODULES[options.format]}")
    try:
        rows: pl.DataFrame = reader.read(path, options, reshaping.columns_to_read(options, columns))
    except RecursionError:
        raise UnreadableSnapshot("nested too deeply") from None
    except BaseException as error:
        if type(error).__name__ != _PANIC:
            raise
        raise UnreadableSnapshot(f"the file is damaged: the library that reads {options.format} gave up: {error}") from None
    return reshaping.reshaped(rows, options)
