"""The polygons of all areas: those that sources give, fitted to their neighbours, and those of coarser levels, joined from the finest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from pipelines.lake import isolated
from pipelines.lake.territory import Territory

AREA_BOUNDARY = pl.Schema({
    "ref_area": pl.String, "level": pl.String, "date": pl.Date, "sources": pl.List(pl.String), "joined": pl.Boolean, "areas_missing": pl.Int64,
    "geometry": pl.Binary,
})  # type: ignore[arg-type]  # fmt: skip
"""`joined`: the polygon is that of the areas below, of which `areas_missing` have none. `date` is the latest of theirs."""
GAP = 1e-4
"""Degrees, about 11 m: gaps between neighbours that are narrower are closed, and points that are nearer become one."""


SECONDS = 300.0
"""CPU time for the polygons of all areas."""


def resolve(
    rows: Sequence[pl.DataFrame], territory: Territory, levels: Mapping[str, Sequence[str]], folder: Path | None = None
) -> pl.DataFrame:
    """Return one polygon for each current area that has one, as rows of AREA_BOUNDARY in the order of `ref_area`.

    `rows` are those of the sources (`mapping.boundaries.SCHEMA`), in order: the first source of an area wins. `levels` has the parents of
    each level. A level of which a source gives a polygon is not joined. It is done in a process of its own, because polygons can end it or
    keep it busy without end. Raises Unfinished.
    """
    given = pl.concat(rows) if rows else pl.DataFrame()
    if not given.height:
        return pl.DataFrame(schema=AREA_BOUNDARY)
    current = territory.areas.filter(pl.col("valid_to").is_null()).select("ref_area", "level")
    links = territory.parents.filter(pl.col("valid_to").is_null()).select("ref_area", "parent").unique(maintain_order=True)
    first = given.unique("ref_area", keep="first", maintain_order=True).join(current, on="ref_area").sort("ref_area")
    work = {"given": first, "current": current, "links": links}
    options = {level: list(parents) for level, parents in levels.items()}
    return isolated.call("the polygons of all areas", "pipelines.lake.boundaries:resolved", work, options, SECONDS, folder)["areas"]


def resolved(request: dict[str, Any]) -> dict[str, Any]:
    """Answer the call of `resolve`."""
    return isolated.answer(request, lambda work, levels: [{"areas": _resolved(work["given"], work["current"], work["links"], levels)}])


def _resolved(given: pl.DataFrame, current: pl.DataFrame, links: pl.DataFrame, levels: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    made = {
        str(level): _fitted(group) for (level,), group in given.group_by("level", maintain_order=True)
    }  # rows of AREA_BOUNDARY by level
    for level in _from_fine_to_coarse(levels):
        below = [child for child, parents in levels.items() if level in parents and child in made]
        candidates = [_joined(level, current, links, child, made[child]) for child in below if level not in made]
        if candidates:
            made[level] = max(candidates, key=lambda frame: frame.height)
    return pl.concat(made.values()).sort("ref_area") if made else pl.DataFrame(schema=AREA_BOUNDARY)


def _from_fine_to_coarse(levels: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the levels so that each comes after those below it."""
    order: list[str] = []
    left = dict.fromkeys(levels)
    while left:
        free = [level for level in left if not any(level in levels[child] for child in left if child != level)]
        for level in free or list(left):
            order.append(level)
            del left[level]
    return order


def _fitted(rows: pl.DataFrame) -> pl.DataFrame:
    """Return given polygons as neighbours that share their borders exactly, without narrow gaps and overlaps."""
    import shapely

    shapes = shapely.from_wkb(rows["geometry"].to_numpy())
    if not shapely.coverage_is_valid(shapes, gap_width=GAP):
        with suppress(shapely.errors.GEOSException):  # then neighbours keep the borders that they have
            fitted = shapely.coverage_clean(shapes, gap_width=GAP, snapping_distance=GAP)
            shapes = np.where(shapely.is_empty(fitted), shapes, fitted)
    return rows.select(
        "ref_area", "level", "date", pl.concat_list("source").alias("sources"), pl.lit(False).alias("joined"),
        pl.lit(0, pl.Int64).alias("areas_missing"), _well_known(shapes),
    ).cast(AREA_BOUNDARY)  # fmt: skip


def _joined(level: str, current: pl.DataFrame, links: pl.DataFrame, child: str, below: pl.DataFrame) -> pl.DataFrame:
    """Return the areas of `level` as the areas of the level `child` joined. Those without any polygon below are left out."""
    import shapely

    parents = links.join(current.filter(pl.col("level") == level).select(pl.col("ref_area").alias("parent")), on="parent")
    children = parents.join(current.filter(pl.col("level") == child).select("ref_area"), on="ref_area")
    whole = children.join(below, on="ref_area", how="left").sort("parent", "ref_area")
    rows, shapes = [], []
    for (parent,), group in whole.group_by("parent", maintain_order=True):
        with_polygon = group.filter(pl.col("geometry").is_not_null())
        if not with_polygon.height:
            continue
        shapes.append(_union(shapely.from_wkb(with_polygon["geometry"].to_numpy())))
        rows.append({
            "ref_area": parent, "level": level, "date": with_polygon["date"].max(),
            "sources": with_polygon["sources"].explode().unique().sort().to_list(), "joined": True,
            "areas_missing": group["areas_missing"].sum() + group.height - with_polygon.height,
        })  # fmt: skip
    frame = pl.DataFrame(rows, schema={name: kind for name, kind in AREA_BOUNDARY.items() if name != "geometry"})
    return frame.with_columns(_well_known(np.array(shapes, dtype=object)))


def _union(shapes: np.ndarray[Any, Any]) -> Any:
    """Return one polygon in place of several: quickly where they share their borders exactly."""
    import shapely

    try:
        union = shapely.coverage_union_all(shapes)
    except shapely.errors.GEOSException:
        union = None
    is_whole = union is not None and union.geom_type in ("Polygon", "MultiPolygon") and union.is_valid
    return union if is_whole else shapely.union_all(shapes)


def _well_known(shapes: np.ndarray[Any, Any]) -> pl.Series:
    import shapely

    normal = shapely.normalize(shapes)
    return pl.Series("geometry", [bytes(b) for b in shapely.to_wkb(normal, byte_order=1, output_dimension=2)], dtype=pl.Binary)
