"""Map rows to the polygons of areas. Joins and simplifies none of them."""

from __future__ import annotations

import polars as pl

from pipelines.lake import isolated
from pipelines.lake.mapping import MappedRows, ValidatedRows, evaluate, map_or_reject, not_dates, placing, unread_fault
from pipelines.lake.sandbox import Sandbox
from pipelines.lake.territory import Territory
from pipelines.packs.schema import BoundariesMap

SCHEMA = pl.Schema({
    "source": pl.String, "part": pl.String, "ref_area": pl.String, "date": pl.Date, "geometry": pl.Binary, "row_number": pl.Int64,
    "snapshot": pl.String,
})  # fmt: skip
"""`geometry` is a valid Polygon or MultiPolygon as well-known binary, with degrees of WGS 84, longitude first."""
SECONDS = 120.0
"""CPU time for the polygons of a source; 6,000 municipalities with 70,000 points need less than one."""


def map_rows(source: str, validated: ValidatedRows, spec: BoundariesMap, territory: Territory, sandbox: Sandbox) -> MappedRows:
    """Return the polygons of the accepted rows. A row without a known area or a usable polygon is rejected, and so are all rows of one area
    that has several, and a polygon that overlaps others of its level.
    """
    rows = evaluate(validated.accepted, _expressions(spec), sandbox)
    rows = rows.with_columns(pl.lit(None, pl.Date).alias("__day"), pl.col("__area").str.strip_chars())
    rows = placing.place_in_areas(rows, spec.area, territory)
    named = rows.join(territory.areas.select("ref_area", "level"), on="ref_area", how="left", maintain_order="left")
    given = named.select("wkt", pl.col("__where").fill_null(False).alias("selected"), "ref_area", "level")
    found = isolated.call("the polygons", "pipelines.lake.mapping.polygons:judge", {"given": given}, None, SECONDS, sandbox.folder)
    rows = pl.concat([rows, found["judged"]], how="horizontal")
    checks = [
        pl.col("area_fault"),
        pl.col("polygon_fault"),
        pl.col("repeated"),
        pl.col("overlap"),
        unread_fault("geometry", spec.geometry),
        unread_fault("date", spec.date),
        *not_dates(rows, validated.accepted, {"date": spec.date}, "date", sandbox),
    ]
    return map_or_reject(source, rows, spec.where, checks, validated.snapshots, SCHEMA)


def _expressions(spec: BoundariesMap) -> list[tuple[str, str, str]]:
    columns = (
        ("__where", "boolean", spec.where if spec.where is not None else "true"),
        ("__area", "varchar", placing.area_key(spec.area)),
        ("wkt", "varchar", spec.geometry),
        ("date", "date", spec.date),
    )
    return [(name, kind, expression if expression is not None else "null") for name, kind, expression in columns]
