"""Map rows to events: what takes place where and when. Keeps titles only where they are not personal; counts nothing."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from pipelines.core.sql import identifier
from pipelines.lake.mapping import BAD_CELLS, MappedRows, ValidatedRows, evaluate, map_or_reject, not_dates, placing
from pipelines.lake.mapping.possible_numbers import COORDINATES, without_impossible
from pipelines.lake.mapping.refused import refused_entries
from pipelines.lake.sandbox import Sandbox
from pipelines.lake.territory import Territory
from pipelines.packs.schema import AreaReference, EventsMap
from quality.contracts.cell_types import local_time

SCHEMA = pl.Schema({  # type: ignore[arg-type]
    "source": pl.String, "part": pl.String, "id": pl.String, "title": pl.String, "start": pl.Datetime("us"), "end": pl.Datetime("us"),
    "ref_area": pl.String, "category": pl.String, "organiser_kind": pl.String, "audience": pl.String, "is_free": pl.Boolean,
    "is_accessible": pl.Boolean, "is_online": pl.Boolean, "status": pl.String, "url": pl.String, "lat": pl.Float64, "lon": pl.Float64,
    "row_number": pl.Int64, "snapshot": pl.String,
})  # fmt: skip
_TYPES = {
    "id": "varchar", "title": "varchar", "start": "timestamp", "end": "timestamp", "category": "varchar", "organiser_kind": "varchar",
    "is_free": "boolean", "is_accessible": "boolean", "is_online": "boolean", "status": "varchar", "url": "varchar", "lat": "double",
    "lon": "double",
}  # fmt: skip
_TIMES = ("start", "end")


def map_rows(
    source: str,
    validated: ValidatedRows,
    spec: EventsMap,
    territory: Territory,
    sandbox: Sandbox,
    personal: frozenset[str] = frozenset(),
    timezone: str | None = None,
) -> MappedRows:
    """Return the events of the accepted rows. A row without a start, or in no known area, is rejected.

    `personal` are the columns that hold personal data; they are mapped only where the declaration says so. Times with an offset from UTC
    become local times in `timezone`.
    """
    accepted = validated.accepted
    area = spec.area
    if area is None and "organiser_ico" in accepted.columns:
        area = AreaReference(scheme="ico", code="organiser_ico")
    columns = _expressions(spec, area, set(accepted.columns), personal)

    def placed(cells: pl.DataFrame) -> pl.DataFrame:
        events = evaluate(cells, columns, sandbox)
        if timezone is not None:
            events = events.with_columns(local_time(pl.col(name), pl.col(f"__{name}"), timezone).alias(name) for name in _TIMES)
        events = events.with_columns(pl.col("start").dt.date().alias("__day"), pl.col("__area").str.strip_chars())
        if area is not None:
            return placing.place_in_areas(events, area, territory)
        return events.with_columns(pl.lit(None, pl.String).alias("ref_area"), pl.lit(None, pl.String).alias("area_fault"))

    rows = placed(accepted)
    # an event without a status takes place, so that `status <> 'cancelled'` selects it
    rows = rows.with_columns(pl.col("status").fill_null("confirmed"))
    no_start = pl.col("start").is_null() & pl.col("failure").is_null()
    times = {name: getattr(spec, name) for name in _TIMES}
    unread = not_dates(rows, accepted, times, "timestamp", sandbox)
    faults = [*unread, pl.when(no_start).then(pl.lit("the event has no start")), pl.col("area_fault")]
    rows, impossible = without_impossible(rows, COORDINATES, "map")
    mapped = map_or_reject(source, rows, spec.where, faults, validated.snapshots, SCHEMA)
    of_others = pl.concat([mapped.rejected.select("__row", "__part"), mapped.unselected.select("__row", "__part")])
    bad_cells = impossible.join(of_others, on=["__row", "__part"], how="anti").select(*BAD_CELLS).cast(BAD_CELLS)
    expressions: dict[str, str | None] = {name: expression for name, _, expression in columns if name in ("start", "category")}
    expressions |= {"where": spec.where, "ref_area": placing.area_key(area) if area is not None else "null"}
    refused = refused_entries(source, mapped, [rows, placed(validated.rejected)], expressions, validated.snapshots)
    return replace(mapped, bad_cells=bad_cells, refused=refused)


def _expressions(spec: EventsMap, area: AreaReference | None, columns: set[str], personal: frozenset[str]) -> list[tuple[str, str, str]]:
    """Return the declared expressions; without one, a column of the same name is used unless it is personal."""
    expressions = [("__where", "boolean", spec.where if spec.where is not None else "true")]
    expressions.append(("__area", "varchar", placing.area_key(area) if area else "null"))
    for name, kind in _TYPES.items():
        expression = getattr(spec, name)
        if expression is None:
            expression = identifier(name) if name in columns and name not in personal else "null"
        expressions.append((name, kind, expression))
        if name in _TIMES:
            expressions.append((f"__{name}", "varchar", f"try((\n{expression}\n))"))
    audience = " || ',' || ".join(f"coalesce(cast((\n{e}\n) as varchar), '')" for e in spec.audience or [])
    expressions.append(("audience", "varchar", audience or (identifier("audience") if "audience" in columns else "null")))
    return expressions
