"""Which columns refer to another table: candidates by name, kept where the data bear them out. Reads no file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from exports.model.info import ForeignKey
from exports.model.tables import Table

AREA_COLUMNS = ("parent", "peer", "within")
"""Columns that hold areas under another name than the key of the table of areas."""
AREA_KEY = "ref_area"


def candidates(tables: Sequence[Table]) -> list[ForeignKey]:
    """Return a foreign key for each column that is named as the one key column of another table."""
    targets: dict[str, str] = {}
    for table in tables:
        if len(table.key) == 1 and table.view_of is None:
            targets.setdefault(table.key[0], table.name)
    found = []
    for table in tables:
        for column in table.columns:
            key = AREA_KEY if column.name in AREA_COLUMNS else column.name
            if targets.get(key, table.name) != table.name and column.type == "VARCHAR":
                found.append(ForeignKey(table.name, column.name, targets[key], key))
    return found


def held(keys: Iterable[ForeignKey], distinct: Mapping[tuple[str, str], pl.Series]) -> list[ForeignKey]:
    """Return the keys of which every value exists in the other table. `distinct`: different texts by table and column."""
    return [key for key in keys if distinct[key.table, key.column].is_in(distinct[key.to_table, key.to_column].implode()).all()]
