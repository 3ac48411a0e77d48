"""Map rows to register entries: who is in a list from when to when. Counts nothing."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from pipelines.lake.mapping import MappedRows, ValidatedRows, evaluate, map_or_reject, named_values, not_dates, placing, unread_fault
from pipelines.lake.mapping.refused import refused_entries
from pipelines.lake.sandbox import Sandbox
from pipelines.lake.territory import Territory
from pipelines.packs.schema import RegisterMap

SCHEMA = pl.Schema({  # type: ignore[arg-type]
    "source": pl.String, "part": pl.String, "register": pl.String, "id": pl.String, "ref_area": pl.String, "valid_from": pl.Date,
    "valid_to": pl.Date, "status": pl.String, "amount": pl.Float64, "currency": pl.String,
    "attributes": pl.List(pl.Struct({"attribute": pl.String, "value": pl.String})), "row_number": pl.Int64, "snapshot": pl.String,
})  # fmt: skip
_DATES = ("valid_from", "valid_to")


def map_rows(source: str, validated: ValidatedRows, spec: RegisterMap, territory: Territory, sandbox: Sandbox) -> MappedRows:
    """Return the entries of the accepted rows. A row without register, identifier or known area is rejected.

    So is a row whose `where` or dates use a cell that cannot be read: the entry would count in wrong years, or vanish.
    """
    rows = _entries(validated.accepted, spec, territory, sandbox)
    attributes = {name: pl.col(f"attribute:{name}") for name in spec.attributes}
    rows = rows.with_columns(named_values(attributes, "attribute", "value").alias("attributes"))
    faults = [
        pl.when(pl.col("register").is_null()).then(pl.lit("the entry names no register")),
        pl.when(pl.col("id").is_null()).then(pl.lit("the entry has no identifier")),
        pl.when(pl.col("valid_to") <= pl.col("valid_from")).then(pl.lit("valid_to is not after valid_from")),
        pl.col("area_fault"),
        *(unread_fault(name, getattr(spec, name)) for name in _DATES),
        *not_dates(rows, validated.accepted, {name: getattr(spec, name) for name in _DATES}, "date", sandbox),
    ]
    mapped = map_or_reject(source, rows, spec.where, faults, validated.snapshots, SCHEMA)
    in_order = pl.col("valid_to") > pl.col("valid_from")  # of dates that contradict each other, neither is known
    accepted = rows.with_columns(pl.when(in_order.fill_null(True)).then(pl.col(name)).alias(name) for name in _DATES)
    of_contract = _entries(validated.rejected, spec, territory, sandbox)
    expressions = {
        "where": spec.where, "register": spec.register_, "ref_area": placing.area_key(spec.area), "valid_from": spec.valid_from,
        "valid_to": spec.valid_to,
    }  # fmt: skip
    refused = refused_entries(source, mapped, [accepted, of_contract], expressions, validated.snapshots)
    return replace(mapped, refused=refused)


def _entries(rows: pl.DataFrame, spec: RegisterMap, territory: Territory, sandbox: Sandbox) -> pl.DataFrame:
    """Return what the expressions give for each of `rows`, with its area."""
    entries = evaluate(rows, _expressions(spec), sandbox)
    entries = entries.with_columns(pl.col("valid_from").alias("__day"), pl.col("__area").str.strip_chars())
    return placing.place_in_areas(entries, spec.area, territory)


def _expressions(spec: RegisterMap) -> list[tuple[str, str, str]]:
    columns = (
        ("__where", "boolean", spec.where if spec.where is not None else "true"),
        ("__area", "varchar", placing.area_key(spec.area)),
        ("register", "varchar", spec.register_),
        ("id", "varchar", spec.id),
        ("valid_from", "date", spec.valid_from),
        ("valid_to", "date", spec.valid_to),
        ("status", "varchar", spec.status),
        ("amount", "double", spec.amount),
        ("currency", "varchar", spec.currency),
        *((f"attribute:{name}", "varchar", expression) for name, expression in spec.attributes.items()),
    )
    return [(name, kind, expression if expression is not None else "null") for name, kind, expression in columns]
