"""Write the boundaries of areas: by level as TopoJSON for maps, simplified, and as GeoParquet in full detail, with a list of what there is.

A level of many areas also has a TopoJSON file for each area of a coarser level, with more detail than the file of the whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from exports.formats import parquet, simplified, topojson
from exports.model import layout
from exports.model.info import Context, ReleaseInfo
from exports.model.made_from import OF_AREAS

MAX_WHOLE, MAX_PART = 350_000, 60_000
"""Bytes of the packed files of a level and of a part of a level: what readers of a map should have to wait for."""
MIN_WHOLE, PER_AREA = 12_000, 160
"""A level of few areas needs less: so many bytes, or so many for each of its areas."""
DIVIDED_FROM, MAX_IN_PART = 500, 1_500
"""A level of so many areas is divided by the coarsest level none of whose areas has more of them."""
DECIMALS = 7
"""Of the degrees of a point that is made here: about a centimetre."""
NEAR = 0.01
"""Degrees, about 1 km: a point that is farther from the boundary of its area is listed."""


@dataclass(frozen=True)
class Area:
    """A current area: its name, its point, and the areas above it by level."""

    ref_area: str
    level: str
    name: str | None
    point: tuple[float, float] | None
    above: Mapping[str, str]


@dataclass(frozen=True)
class Level:
    """The boundaries of a level, in the order of their areas. `parts` has the areas of a part by path."""

    level: str
    areas: Mapping[str, Area]
    shapes: Mapping[str, Any]
    rows: Mapping[str, Mapping[str, Any]]
    divided_by: str | None = None
    parts: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def paths(self) -> list[str]:
        return [layout.boundaries_path(self.level), layout.boundaries_parquet_path(self.level), *self.parts]


def read(folder: Path, info: ReleaseInfo) -> list[Level]:
    """Return the boundaries of each level that has any, in the order of the levels. They belong to current areas of the release."""
    if info.boundaries is None:
        return []
    rows = {row["ref_area"]: row for row in pl.read_parquet(info.boundaries.path).to_dicts()}
    areas = current_areas(folder / "parquet")
    levels = []
    for name in dict.fromkeys([*info.levels, *(area.level for area in areas.values())]):
        of_level = {area.ref_area: area for area in areas.values() if area.level == name}
        given = [ref for ref in of_level if ref in rows and rows[ref]["level"] == name]
        if given:
            shapes = dict(zip(given, shapely.from_wkb([rows[ref]["geometry"] for ref in given]), strict=True))
            levels.append(_divided(Level(name, of_level, shapes, {ref: rows[ref] for ref in given})))
    return levels


def current_areas(parquet_folder: Path) -> dict[str, Area]:
    """Return the current areas of a release in the order of their identifiers."""
    frame = pl.read_parquet(parquet_folder / "areas.parquet").filter(pl.col("valid_to").is_null()).sort("ref_area")
    level_of = dict(frame.select("ref_area", "level").iter_rows())
    links: dict[str, list[str]] = {}
    if (parquet_folder / "area_parents.parquet").is_file():
        parents = pl.read_parquet(parquet_folder / "area_parents.parquet").filter(pl.col("valid_to").is_null())
        for child, parent in parents.select("ref_area", "parent").unique().sort("ref_area", "parent").iter_rows():
            links.setdefault(child, []).append(parent)
    return {
        row["ref_area"]: Area(
            row["ref_area"], row["level"], row["name"],
            (row["lon"], row["lat"]) if row["lon"] is not None and row["lat"] is not None else None,
            _above(row["ref_area"], links, level_of),
        )
        for row in frame.select("ref_area", "level", "name", "lon", "lat").to_dicts()
    }  # fmt: skip


def _above(area: str, links: Mapping[str, Sequence[str]], level_of: Mapping[str, str]) -> dict[str, str]:
    above: dict[str, str] = {}
    waiting, seen = list(links.get(area, ())), {area}
    while waiting:
        parent = waiting.pop(0)
        if parent not in seen and parent in level_of:
            seen.add(parent)
            above.setdefault(level_of[parent], parent)
            waiting += links.get(parent, ())
    return above


def _divided(level: Level) -> Level:
    """Return a level with its parts, if it has many areas and a coarser level divides them."""
    if len(level.shapes) < DIVIDED_FROM:
        return level
    best: tuple[int, str, dict[str, list[str]]] | None = None
    for above in sorted({name for ref in level.shapes for name in level.areas[ref].above}):
        groups: dict[str, list[str]] = {}
        for ref in level.shapes:
            if (parent := level.areas[ref].above.get(above)) is not None:
                groups.setdefault(parent, []).append(ref)
        fits = len(groups) > 1 and max(map(len, groups.values())) <= MAX_IN_PART
        if fits and (best is None or len(groups) < best[0]):
            best = (len(groups), above, groups)
    if best is None:
        return level
    paths = {layout.boundaries_part_path(level.level, parent): refs for parent, refs in sorted(best[2].items())}
    parts = {path: refs for path, refs in paths.items() if path is not None}
    return Level(level.level, level.areas, level.shapes, level.rows, best[1], parts)


def paths(levels: Sequence[Level]) -> list[str]:
    """Return the paths of all files of boundaries."""
    return [path for level in levels for path in level.paths] + [layout.BOUNDARIES]


def write(folder: Path, levels: Sequence[Level], context: Context) -> None:
    """Write all files of boundaries into `folder`."""
    listed = []
    for level in levels:
        tolerances, files = _topojson(level, context.info)
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        _write_parquet(level, context, folder / layout.boundaries_parquet_path(level.level))
        listed.append(_listed(level, tolerances, context.info))
    text = json.dumps({"near_degrees": NEAR, "levels": listed}, ensure_ascii=False, indent=1) + "\n"
    (folder / layout.BOUNDARIES).write_text(text, encoding="utf-8")


def _topojson(level: Level, info: ReleaseInfo) -> tuple[dict[str, float], simplified.Files]:
    """Return the simplified boundaries of a level and of each of its parts by path, with the tolerance of each file.

    A divided level has too many areas for their names: readers take them from the table `areas`.
    """
    about = {"attribution": attribution(level, info)}

    def encoded(path: str, shapes: Mapping[str, Any]) -> simplified.Files:
        names = {ref: {} if level.parts else {"name": level.areas[ref].name} for ref in shapes}
        return {path: topojson.encode(level.level, shapes, names, about)}

    limit = min(MAX_WHOLE, max(MIN_WHOLE, PER_AREA * len(level.shapes)))
    wanted = {layout.boundaries_path(level.level): (list(level.shapes), limit), **{p: (refs, MAX_PART) for p, refs in level.parts.items()}}
    tolerances: dict[str, float] = {}
    files: simplified.Files = {}
    for path, (refs, most) in wanted.items():
        tolerances[path], made = simplified.fitting({ref: level.shapes[ref] for ref in refs}, partial(encoded, path), most)
        files |= made
    return tolerances, files


def attribution(level: Level, info: ReleaseInfo) -> list[dict[str, str]]:
    """Return who the boundaries of a level come from, under which licence, and as of which days."""
    ids = sorted({source for row in level.rows.values() for source in row["sources"]})
    days = sorted({str(row["date"]) for row in level.rows.values() if row["date"] is not None})
    result = []
    for source in info.sources:
        if source["id"] in ids:
            entry = {
                key: info.text(source[key])
                for key in ("id", "title", "publisher", "licence", "licence_url", "rights", "homepage", "citation")
                if source.get(key)
            }
            result.append(entry | ({"as_of": days[-1]} if days else {}))
    return result


def points_outside(areas: Mapping[str, Area], shapes: Mapping[str, Any]) -> list[str]:
    """Return the areas whose point is farther than NEAR from their boundary."""
    refs = [ref for ref in shapes if areas[ref].point is not None]
    points = shapely.points([areas[ref].point for ref in refs]) if refs else []
    far = shapely.distance(np.array([shapes[ref] for ref in refs], dtype=object), points) > NEAR if refs else []
    return [ref for ref, is_far in zip(refs, far, strict=True) if is_far]


def points_inside(levels: Sequence[Level]) -> dict[str, tuple[float, float]]:
    """Return a point inside the boundary of each area whose own point is far outside, as longitude and latitude of 7 decimals."""
    inside = {}
    for level in levels:
        for ref in points_outside(level.areas, level.shapes):
            point = shapely.point_on_surface(level.shapes[ref])
            inside[ref] = (round(point.x, DECIMALS), round(point.y, DECIMALS))
    return inside


def _listed(level: Level, tolerances: Mapping[str, float], info: ReleaseInfo) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "level": level.level,
        "title": dict(info.levels.get(level.level, {})),
        "areas": len(level.areas),
        "boundaries": len(level.shapes),
        "missing": [ref for ref in level.areas if ref not in level.shapes],
        "areas_missing": {ref: row["areas_missing"] for ref, row in level.rows.items() if row["areas_missing"]},
        "points_outside": points_outside(level.areas, level.shapes),
        "points": {ref: list(point) for ref, point in points_inside([level]).items()},
        "topojson": layout.boundaries_path(level.level),
        "tolerance_degrees": tolerances[layout.boundaries_path(level.level)],
        "parquet": layout.boundaries_parquet_path(level.level),
        "attribution": attribution(level, info),
    }
    if level.parts:
        entry["divided_by"] = level.divided_by
        entry["parts"] = [
            {"ref_area": layout.boundaries_part(path), "areas": len(refs), "topojson": path, "tolerance_degrees": tolerances[path]}
            for path, refs in level.parts.items()
        ]
    return entry


SCHEMA = pa.schema([
    pa.field("ref_area", pa.string(), nullable=False, metadata={"description": "identifier of the area"}),
    pa.field("name", pa.string(), metadata={"description": "name of the area"}),
    pa.field("level", pa.string(), nullable=False, metadata={"description": "level of the area"}),
    pa.field("as_of", pa.date32(), metadata={"description": "day as of which the boundary is drawn; null where the source does not say"}),
    pa.field("sources", pa.string(), nullable=False, metadata={"description": "sources of the boundary, separated by blanks"}),
    pa.field("joined", pa.bool_(), nullable=False, metadata={"description": "whether it is that of the areas below, joined"}),
    pa.field("areas_missing", pa.int64(), nullable=False, metadata={"description": "areas below that have no boundary: holes in this one"}),
    pa.field("geometry", pa.binary(), nullable=False, metadata={"description": "Polygon or MultiPolygon, degrees of WGS 84, longitude first"}),
])  # fmt: skip


def _write_parquet(level: Level, context: Context, path: Path) -> None:
    """Write a level as GeoParquet 1.1, with the boundaries in full detail. Outer rings are counterclockwise."""
    shapes = shapely.orient_polygons(np.array(list(level.shapes.values()), dtype=object))
    boxes = shapely.bounds(shapes)
    rows = list(level.rows.values())
    box = pa.StructArray.from_arrays(
        [pa.array(boxes[:, i]) for i in range(4)],
        fields=[pa.field(name, pa.float64(), nullable=False) for name in ("xmin", "ymin", "xmax", "ymax")],
    )
    columns = [
        pa.array(list(level.shapes), pa.string()), pa.array([level.areas[ref].name for ref in level.shapes], pa.string()),
        pa.array([level.level] * len(rows), pa.string()), pa.array([row["date"] for row in rows], pa.date32()),
        pa.array([" ".join(row["sources"]) for row in rows], pa.string()), pa.array([row["joined"] for row in rows], pa.bool_()),
        pa.array([row["areas_missing"] for row in rows], pa.int64()),
        pa.array([bytes(b) for b in shapely.to_wkb(shapes, byte_order=1)], pa.binary()),
    ]  # fmt: skip
    table = pa.Table.from_arrays(columns, schema=SCHEMA).append_column(pa.field("bbox", box.type, nullable=False), box)
    column = {
        "encoding": "WKB",
        "geometry_types": sorted({shape.geom_type for shape in shapes}),
        "orientation": "counterclockwise",
        "bbox": shapely.total_bounds(shapes).tolist(),
        "covering": {"bbox": {name: ["bbox", name] for name in ("xmin", "ymin", "xmax", "ymax")}},
    }
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
    credits = json.dumps(attribution(level, context.info), ensure_ascii=False)
    sorting = [pq.SortingColumn(0)]
    with pq.ParquetWriter(
        path, table.schema, compression="zstd", write_page_index=True, sorting_columns=sorting, store_schema=False
    ) as writer:
        writer.add_key_value_metadata({"geo": json.dumps(geo), "attribution": credits, **about(context.info)})
        writer.write_table(table, row_group_size=parquet.ROW_GROUP)


def about(info: ReleaseInfo) -> dict[str, str]:
    """Return the metadata inside the files of boundaries: they are made from the sources of areas and of the polygons."""
    areas, polygons = info.sources_of.get(OF_AREAS), info.boundaries.sources if info.boundaries else ()
    return info.about(None if areas is None else {*areas, *polygons})


def described(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the paths of all files that the list of boundaries names."""
    for level in document["levels"]:
        yield level["topojson"]
        yield level["parquet"]
        yield from (part["topojson"] for part in level.get("parts", ()))
