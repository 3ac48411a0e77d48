"""Verify the boundaries of areas: their files against each other, against the current areas, and as polygons. Yields faults as lines."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from exports.formats import boundaries, topojson
from exports.formats.boundaries import Area
from exports.model import layout


def faults(folder: Path, files: Collection[str]) -> Iterator[str]:
    """Check the files that the list of boundaries names, and that there are no others. `files` are the paths of all files for maps.

    * Every level has the boundaries of all its current areas, but for those listed as missing. Each is a valid polygon.
    * The simplified files of a level and of its parts have the same areas, and each area lies where its full boundary does.
    * The areas whose point is far from their boundary are those that the list names, each with a point inside.
    """
    of_boundaries = {path for path in files if layout.is_of_boundaries(path)} - {layout.BOUNDARIES}
    document: dict[str, Any] = {"levels": []}
    if layout.BOUNDARIES in files:
        document = json.loads((folder / layout.BOUNDARIES).read_bytes())
    named = set(boundaries.described(document))
    yield from (f"{path}: missing" for path in sorted(named - set(files)))
    yield from (f"{path}: {layout.BOUNDARIES} does not name it" for path in sorted(of_boundaries - named))
    if not named or named - set(files):
        return
    areas = boundaries.current_areas(folder / "parquet")
    for level in document["levels"]:
        yield from _level_faults(folder, level, {ref: area for ref, area in areas.items() if area.level == level["level"]})


def _level_faults(folder: Path, level: Mapping[str, Any], areas: Mapping[str, Area]) -> Iterator[str]:
    import shapely

    path = level["parquet"]
    rows = pl.read_parquet(folder / path, columns=["ref_area", "geometry", "bbox"])
    refs = rows["ref_area"].to_list()
    shapes = dict(zip(refs, shapely.from_wkb(rows["geometry"].to_list()), strict=True))
    if refs != [ref for ref in areas if ref not in set(level["missing"])] or len(refs) != level["boundaries"]:
        yield f"{path}: its areas are not the current ones of the level {level['level']} without those listed as missing"
        return
    yield from (f"{path}: the boundary of {ref} is not a valid polygon" for ref in _invalid(shapes))
    boxes = rows["bbox"].struct.unnest().select("xmin", "ymin", "xmax", "ymax").to_numpy()
    if not np.array_equal(boxes, shapely.bounds(np.array(list(shapes.values()), dtype=object))):
        yield f"{path}: bbox differs from the geometry"
    if boundaries.points_outside(areas, shapes) != level["points_outside"]:
        yield f"{layout.BOUNDARIES}: the areas of {level['level']} whose point is outside differ from {path}"
    points = level.get("points")  # releases of earlier versions do not move points
    if points is not None and (
        list(points) != level["points_outside"] or not all(shapes[ref].covers(shapely.Point(point)) for ref, point in points.items())
    ):
        yield f"{layout.BOUNDARIES}: the points in place of those outside are not in their areas of {level['level']}"
    yield from _simplified_faults(folder, level["topojson"], refs, shapes)
    for part in level.get("parts", ()):
        inside = [ref for ref in refs if areas[ref].above.get(level["divided_by"]) == part["ref_area"]]
        yield from _simplified_faults(folder, part["topojson"], inside, shapes)


def _simplified_faults(folder: Path, path: str, refs: list[str], shapes: Mapping[str, Any]) -> Iterator[str]:
    import shapely

    simple = topojson.decode(json.loads((folder / path).read_bytes()))
    if list(simple) != refs:
        yield f"{path}: its areas differ from those with a boundary"
        return
    yield from (f"{path}: the boundary of {ref} is not a valid polygon" for ref in _invalid(simple))
    full = np.array([shapes[ref] for ref in refs], dtype=object)
    meets = shapely.intersects(full, np.array(list(simple.values()), dtype=object))
    yield from (f"{path}: {ref} lies elsewhere than its full boundary" for ref, is_met in zip(refs, meets, strict=True) if not is_met)


def _invalid(shapes: Mapping[str, Any]) -> list[str]:
    import shapely

    return [
        ref
        for ref, shape in shapes.items()
        if shape.geom_type not in ("Polygon", "MultiPolygon") or shape.is_empty or not shapely.is_valid(shape)
    ]
