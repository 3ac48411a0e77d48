"""Map rows to changes of areas: which area passes what share of itself to which other one, on which day. Restates no series."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import groupby

import polars as pl

from pipelines.lake.mapping import MappedRows, ValidatedRows, evaluate, map_or_reject
from pipelines.lake.sandbox import Sandbox
from pipelines.lake.territory import CHANGE, Territory
from pipelines.packs.schema import AreaChangesMap
from pipelines.readers import UnreadableSnapshot

MAX_WAYS = 1_000_000
"""Ways from an area along later changes to another one: those of a whole country's history are some thousands."""


def map_rows(source: str, validated: ValidatedRows, spec: AreaChangesMap, territory: Territory, sandbox: Sandbox) -> MappedRows:
    """Return the changes of the accepted rows. A row without a day, with a share outside 0 to 1, or to an unknown area is rejected.

    An area that only changes name is known if a later change leads from it to a known one. Raises UnreadableSnapshot where the changes lead on
    in more than MAX_WAYS.
    """
    rows = evaluate(validated.accepted, _expressions(spec), sandbox).with_columns(pl.col("from_area", "to_area").str.strip_chars())
    areas = territory.areas["ref_area"].implode()
    changes = _by_day(rows.filter(pl.col("__where").fill_null(False)))
    _assert_few_ways(changes)
    days = _last_days(changes, set(territory.areas["ref_area"]))
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


def assert_few(changes: pl.DataFrame) -> None:
    """Raise UnreadableSnapshot where changes of all sources together (rows of CHANGE) lead on in more than MAX_WAYS."""
    _assert_few_ways(_by_day(changes))


def _by_day(rows: pl.DataFrame) -> list[tuple[date, list[tuple[str, str]]]]:
    """Return the changes that the rows declare as pairs of areas, those of the last day first. Raises UnreadableSnapshot."""
    changes = rows.select("changed_on", "from_area", "to_area").drop_nulls()
    if changes.height > MAX_WAYS:
        raise UnreadableSnapshot(f"the rows give {changes.height} changes, more than {MAX_WAYS}")
    ordered = changes.sort("changed_on", descending=True, maintain_order=True).rows()
    return [(day, [(origin, target) for _, origin, target in group]) for day, group in groupby(ordered, lambda change: change[0])]


def _last_days(days: Sequence[tuple[date, Sequence[tuple[str, str]]]], areas: set[str]) -> dict[str, date]:
    """Return the last day on which each area that only changes name passes on something that ends in one of `areas`."""
    last: dict[str, date] = {}
    for day, changes in days:
        passed_on = [origin for origin, target in changes if origin not in areas and (target in areas or target in last)]
        for origin in passed_on:
            last.setdefault(origin, day)
    return last


def _assert_few_ways(days: Sequence[tuple[date, Sequence[tuple[str, str]]]]) -> None:
    """Refuse changes that lead from area to area, from each to the next change of what it became, in more ways than a run can follow."""
    after: dict[str, int] = {}  # in how many ways the changes of an area on its next day of change lead on
    total = 0
    for _, changes in days:
        ways: dict[str, int] = {}
        for origin, target in changes:
            ways[origin] = ways.get(origin, 0) + 1 + after.get(target, 0)
        after |= ways
        total += sum(ways.values())
        if total > MAX_WAYS:
            raise UnreadableSnapshot(f"the changes lead from area to area in more than {MAX_WAYS} ways")


def _expressions(spec: AreaChangesMap) -> list[tuple[str, str, str]]:
    columns = (
        ("__where", "boolean", spec.where if spec.where is not None else "true"),
        ("from_area", "varchar", spec.from_),
        ("to_area", "varchar", spec.to),
        ("changed_on", "date", spec.on),
        ("share", "double", spec.share),
    )
    return [(name, kind, expression if expression is not None else "null") for name, kind, expression in columns]
