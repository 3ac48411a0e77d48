"""Foreign keys between the published tables: candidates by column name. Reads no file."""

from __future__ import annotations

from collections.abc import Sequence

from exports.model.info import ForeignKey
from exports.model.tables import Table

AREA_COLUMNS = ("parent", "peer", "within")
"""Columns that refer to areas under a different name than the key of the table `areas`."""
AREA_KEY = "ref_area"


def candidates(tables: Sequence[Table]) -> list[ForeignKey]:
    """Return a foreign key for each column that has the name of another table's only key column."""
    targets: dict[str, str] = {}
    for table in tables:
        if len(table.key) == 1 and table.view_of is None:
            targets.setdefault(table.key[0], table.name)
    keys = []
    for table in tables:
        for column in table.columns:
            key = AREA_KEY if column.name in AREA_COLUMNS else column.name
            if targets.get(key, table.name) != table.name and column.type == "VARCHAR":
                keys.append(ForeignKey(table.name, column.name, targets[key], key))
    return keys
