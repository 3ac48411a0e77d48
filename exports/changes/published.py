"""The table `changes` and its view `revisions`, as they are published. Holds no data and reads no files."""

from __future__ import annotations

from exports.model.provenance import BOUNDARY, CORRECTED, EXTENDED, METHOD, REVISED
from exports.model.tables import Column, Table, View

NEW, WITHDRAWN = "new", "withdrawn"
KINDS = {METHOD: "method", BOUNDARY: "boundary", REVISED: "source revised", CORRECTED: "corrected", EXTENDED: "source revised"}
ALL_KINDS = ("source revised", "corrected", "method", "boundary", NEW, WITHDRAWN)
REVISED_TABLE = "indicator_values"
WHOLE = ""
"""In `column`: the row as a whole, or with the key `{}` the table as a whole."""
WHOLE_KEY = "{}"

_COLUMN = (
    "The changed column; empty: the whole row is new or withdrawn, or, with the key {}, the table changed in too many places to be listed"
)
_KIND = (
    "source revised: other bytes of a contributing source; corrected: its declared corrections; method: the declaration or the software; "
    "boundary: the extent of the area; new or withdrawn: the whole row. The nearest reason stands"
)
_TEXT = (
    "as in the CSV file, null where missing; of a whole row its other columns as JSON. As every text, a negative number has an apostrophe"
)
_OLD, _NEW = f"What it was, {_TEXT}", f"What it is, {_TEXT}"
_FROM = "The release compared with: the one that was current before"

TABLE = Table(
    "changes",
    "Every difference of the tables from the release that was current before. One row a changed cell, a new row or a withdrawn one. "
    "Without the views latest_values and revisions, and without rows in a first release.",
    (
        Column("table", "VARCHAR", "The table"),
        Column("key", "VARCHAR", "Key of the row: its key columns in their order, as a JSON object without blanks"),
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
    f"The rows of changes about {REVISED_TABLE}, with their keys as columns too. In the DuckDB file only.",
    TABLE.name,
    {column: f'"{column.name}"' for column in TABLE.columns}
    | {
        Column("indicator", "VARCHAR", "The indicator"): "key ->> '$.indicator'",
        Column("ref_area", "VARCHAR", "The area"): "key ->> '$.ref_area'",
        Column("time_period", "VARCHAR", "The period"): "key ->> '$.time_period'",
        Column("sex", "VARCHAR", "M men, F women, _T total"): "key ->> '$.sex'",
        Column("age", "VARCHAR", "Age group; _T total"): "key ->> '$.age'",
        Column("old_number", "DOUBLE", "What it was, as a number where it is one"): "try_cast(ltrim(old, '''') as double)",
        Column("new_number", "DOUBLE", "What it is, as a number where it is one"): "try_cast(ltrim(new, '''') as double)",
    },
    f"\"table\" = '{REVISED_TABLE}'",
)
VIEWS = (REVISIONS,)
