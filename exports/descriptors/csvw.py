"""CSV on the Web: beside each CSV file a `<file name>-metadata.json` with its columns, types and key."""

from __future__ import annotations

import re
from typing import Any

from exports.descriptors.text import licence_url, to_json
from exports.info import Context
from exports.tables import Column, Table

SUFFIX = "-metadata.json"
DATATYPES = {"VARCHAR": "string", "DOUBLE": "double", "BIGINT": "long"}


def descriptor(context: Context) -> dict[str, bytes]:
    return {f"csv/{table.name}.csv{SUFFIX}": describe(context, table) for table in context.tables}


def describe(context: Context, table: Table) -> bytes:
    """Return the metadata of the CSV file `<table>.csv` in the same folder."""
    info = context.info
    value: dict[str, Any] = {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": info.languages[0]}],
        "url": f"{table.name}.csv",
        "dc:title": table.name,
        "dc:description": table.description,
    }
    if url := licence_url(info.licence):
        value["dc:license"] = {"@id": url}
    if info.publisher.get("name"):
        value["dc:publisher"] = info.publisher["name"]
    value["tableSchema"] = {
        "columns": [_column(table, column) for column in table.columns],
        "primaryKey": [column_name(name) for name in table.key],
    }
    return to_json(value)


def _column(table: Table, column: Column) -> dict[str, Any]:
    value: dict[str, Any] = {
        "name": column_name(column.name),
        "titles": column.name,
        "dc:description": column.description,
        "datatype": DATATYPES[column.type],
    }
    if column.unit:
        value["schema:unitText"] = column.unit
    if column.name in table.key:
        value["required"] = True
        if column.type == "VARCHAR":
            value["null"] = []  # an empty key is an empty text, not a missing one
    return value


def column_name(name: str) -> str:
    """Return `name` as CSVW allows it: other signs than letters, digits, _ and . as percent-encoded bytes."""
    return re.sub(r"[^A-Za-z0-9_.]", lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), name)
