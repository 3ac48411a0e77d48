"""Map rows to changes of areas: which area passes what share of itself to which other one, on which day. Restates no series."""

from __future__ import annotations

from datetime import date

import polars as pl

from pipelines.lake.mapping import MappedRows, ValidatedRows, evaluate, map_or_reject
from pipelines.lake.sandbox import Sandbox
from pipelines.lake.territory import CHANGE, Territory
from pipelines.packs.schema import AreaChangesMap


def map_rows(source: str, validated: ValidatedRows, spec: AreaChangesMap, territory: Territory, sandbox: Sandbox) -> MappedRows:
    """Return the changes of the accepted rows. A row without a day, with a share outside 0 to 1, or to an unknown area is rejected.

    An area that only changes name is known if a later change leads from it to a known one.
    """
    rows = evaluate(validated.accepted, _expressions(spec), sandbox).with_columns(pl.col("from_area", "to_area").str.strip_chars())
    areas = territory.areas["ref_area"].implode()
    days = _last_days(rows, set(territory.areas["ref_area"]))
    last_day = pl.col("to_area").replace_strict(list(days), list(days.values()), default=None, return_dtype=pl.Date)
    leads_on = (last_day > pl.col("changed_on")).fill_null(False)
    faults = [
        # a share that could not be read is not the same as one that was not given
        pl.when(pl.col("__bad").list.len() > 0).then(pl.format("{} cannot be read", pl.col("__bad").list.join(", "))),
        pl.when(pl.col("from_area").fill_null("") == "").then(pl.lit("the area that changes is not named")),
        pl.when(pl.col("to_area").is_null() | ~(pl.col("to_area").is_in(areas) | leads_on)).then(
            pl.format("area {}: unknown", pl.col("to_area").fill_null("(empty)"))
        ),
        pl.when(pl.col("changed_on").is_null()).then(pl.lit("the change has no day")),
        pl.when(~pl.col("share").is_between(0, 1, closed="right")).then(
            pl.format("share {}: expected a number above 0 and up to 1", "share")
        ),
    ]
    return map_or_reject(source, rows, spec.where, faults, validated.snapshots, CHANGE)


def _last_days(rows: pl.DataFrame, areas: set[str]) -> dict[str, date]:
    """Return the last day on which each area that only changes name passes on something that ends in one of `areas`."""
    changes = rows.filter(pl.col("__where").fill_null(False)).select("from_area", "to_area", "changed_on").drop_nulls().rows()
    days: dict[str, date] = {}
    before: dict[str, date] | None = None
    while days != before:
        before = dict(days)
        for origin, target, day in changes:
            if origin not in areas and (target in areas or days.get(target, day) > day):
                days[origin] = max(day, days.get(origin, day))
    return days


def _expressions(spec: AreaChangesMap) -> list[tuple[str, str, str]]:
    columns = (
        ("__where", "boolean", spec.where if spec.where is not None else "true"),
        ("from_area", "varchar", spec.from_),
        ("to_area", "varchar", spec.to),
        ("changed_on", "date", spec.on),
        ("share", "double", spec.share),
    )
    return [(name, kind, expression if expression is not None else "null") for name, kind, expression in columns]
