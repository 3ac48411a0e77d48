"""Refused rows of registers and events: where and when each would count, as far as its cells can be read. Keeps nothing else of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import polars as pl

from pipelines.lake.mapping import MappedRows, canonical_rows, unread_fault

SCHEMA = pl.Schema({  # type: ignore[arg-type]
    "source": pl.String, "part": pl.String, "row_number": pl.Int64, "snapshot": pl.String, "register": pl.String, "category": pl.String,
    "ref_area": pl.String, "start": pl.Datetime("us"), "valid_from": pl.Date, "valid_to": pl.Date,
})  # fmt: skip
"""A null is unknown: the entry may be of any register, category, area or time."""
_ORIGIN = ("source", "part", "row_number", "snapshot")
_PLACE = ["__row", "__cell", "__part"]


def refused_entries(
    source: str,
    mapped: MappedRows,
    evaluated: Collection[pl.DataFrame],
    expressions: Mapping[str, str | None],
    snapshots: Mapping[str, str],
) -> pl.DataFrame:
    """Return the rows of a source that are in quarantine and may be entries.

    `evaluated` are the accepted rows, of which those that the map rejects are taken, and the rows that the contract rejects. `expressions`
    are those of `where` and of the columns: a value for which a cell cannot be read is unknown.
    """
    accepted, refused = evaluated
    rejected = accepted.join(mapped.rejected.select(_PLACE), on=_PLACE, how="semi", nulls_equal=True, maintain_order="left")
    rows = pl.concat([rejected, refused], how="diagonal")
    in_doubt = unread_fault("where", expressions["where"]).is_not_null() | pl.col("failure").is_not_null()
    rows = rows.filter(pl.when(pl.col("__where").is_null()).then(in_doubt).otherwise("__where"))
    unknown = [pl.lit(None, kind).alias(name) for name, kind in SCHEMA.items() if name not in (*rows.columns, *_ORIGIN)]
    read = [
        pl.when(unread_fault(name, expression).is_null()).then(pl.col(name)).alias(name)
        for name, expression in expressions.items()
        if name != "where"
    ]
    return canonical_rows(source, rows.with_columns(*unknown).with_columns(*read), snapshots, SCHEMA)
