"""One module for each format, all with the same signature: bytes in, rows of text out. Knows nothing of sources, areas or indicators.

polars and the readers are imported when something is read: whoever only looks at a pack's options does not pay for them.
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
    "xls": "workbook",
    "xlsx": "workbook",
    "xml": "xml_records",
}


def read(path: Path, options: ReadOptions, columns: Collection[str] | None = None) -> pl.DataFrame:
    """Return every row of the file at `path` as text, exactly as it stands there.

    Columns are the file's, as pl.String: stripped of blanks around the value, null where it is one of `options.na`; then
    `__row` (Int64: the line, sheet row or record number, from 1) and `__fault` (null, or why the row's shape cannot be trusted:
    such a row belongs in quarantine). `columns` are the names that will be needed, in any case; others may be left out.
    Raises UnreadableSnapshot where the shape of the whole breaks.
    """
    reader = import_module(f"pipelines.readers.{MODULES[options.format]}")
    frame: pl.DataFrame = reader.read(path, options, columns)
    return frame
