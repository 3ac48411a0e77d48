"""The published table `changes` and its view `revisions`: columns and descriptions. Holds no data and reads no files."""

from __future__ import annotations

from exports.model.provenance import BOUNDARY, CORRECTED, EXTENDED, METHOD, REVISED
from exports.model.tables import Column, Table, View

NEW, WITHDRAWN = "new", "withdrawn"
KINDS = {METHOD: "method", BOUNDARY: "boundary", REVISED: "source revised", CORRECTED: "corrected", EXTENDED: "source revised"}
ALL_KINDS = ("source revised", "corrected", "method", "boundary", NEW, WITHDRAWN)
REVISED_TABLE = "indicator_values"
WHOLE = ""
"""In `column`: the whole row, or with the key `{}` the whole table."""
WHOLE_KEY = "{}"

_COLUMN = "The changed column. Empty if the whole row is new or withdrawn or, with the key {}, if the table has too many changes to list"
_KIND = (
    "source revised: the file of a source changed; corrected: declared corrections changed; method: the declaration or the software changed; "
    "boundary: the extent of the area changed; new or withdrawn: the whole row. The most specific reason is given"
)
_TEXT = "value as in the CSV file; null if it is missing. For a whole row: its other columns as JSON. A negative number has an apostrophe before it"
_OLD, _NEW = f"The old {_TEXT}", f"The new {_TEXT}"
_FROM = "The version of the release compared with, which is the previous one"

TABLE = Table(
    "changes",
    "Every difference from the previous release. One row per changed cell, per new row and per withdrawn row. Does not cover the views "
    "latest_values and revisions. Empty in a first release.",
    (
        Column("table", "VARCHAR", "The table"),
        Column("key", "VARCHAR", "Key of the row: its key columns in their order, as a JSON object without spaces"),
        Column("column", "VARCHAR", _COLUMN),
        Column("kind", "VARCHAR", _KIND),
        Column("old", "VARCHAR", _OLD),
        Column("new", "VARCHAR", _NEW),
        Column("from_version", "VARCHAR", _FROM),
    ),
    ("table", "key", "column"),
)

REVISIONS = View(
    "revisions",
    f"The rows of changes about {REVISED_TABLE}, with their keys also as columns. Only in the DuckDB file.",
    TABLE.name,
    {column: f'"{column.name}"' for column in TABLE.columns}
    | {
        Column("indicator", "VARCHAR", "The indicator"): "key ->> '$.indicator'",
        Column("ref_area", "VARCHAR", "The area"): "key ->> '$.ref_area'",
        Column("time_period", "VARCHAR", "The period"): "key ->> '$.time_period'",
        Column("sex", "VARCHAR", "M men, F women, _T total"): "key ->> '$.sex'",
        Column("age", "VARCHAR", "Age group; _T total"): "key ->> '$.age'",
        Column("old_number", "DOUBLE", "The old value as a number, if it is one"): "try_cast(ltrim(old, '''') as double)",
        Column("new_number", "DOUBLE", "The new value as a number, if it is one"): "try_cast(ltrim(new, '''') as double)",
    },
    f"\"table\" = '{REVISED_TABLE}'",
)
VIEWS = (REVISIONS,)
