"""What is wrong with the polygons of areas: in a process of its own, because a hostile polygon can end it or keep it busy without end."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from pipelines.lake import isolated

MAX_POINTS = 1_000_000
"""Points of one polygon; the most detailed borders of a large state have fewer."""
SLIVER = 1e-3
"""Share of its surface that a polygon may gain or lose where it crosses itself: borders on a grid do at narrow places."""
OVERLAP = 0.05
"""Share of the smaller one of two areas that the other one may cover: borders of different sources never fit exactly."""


def judge(request: dict[str, Any]) -> dict[str, Any]:
    """Answer `isolated.call` with a row of `geometry` and the faults `polygon_fault`, `repeated` and `overlap` for each row of `wkt`, `selected`,
    `ref_area` and `level`. `geometry` is well-known binary.
    """
    return isolated.answer(request, lambda given, _: [{"judged": _judged(given["given"])}])


def _judged(rows: pl.DataFrame) -> pl.DataFrame:
    polygons, faults = _polygons(rows["wkt"].to_list(), rows["selected"].to_list())
    rows = rows.with_columns(
        pl.Series("geometry", _well_known(polygons), dtype=pl.Binary), pl.Series("polygon_fault", faults, dtype=pl.String)
    )
    is_usable = pl.col("selected") & pl.col("geometry").is_not_null() & pl.col("ref_area").is_not_null()
    several = pl.col("ref_area").is_duplicated() & is_usable
    rows = rows.with_columns(pl.when(several).then(pl.format("area {}: has several polygons", "ref_area")).alias("repeated"))
    overlaps = _overlaps(rows.with_row_index("__i").filter(is_usable & pl.col("repeated").is_null()), polygons)
    overlap = pl.Series("overlap", [overlaps.get(i) for i in range(rows.height)], dtype=pl.String)
    return rows.select("geometry", "polygon_fault", "repeated", overlap)


def _polygons(texts: list[str | None], selected: list[bool]) -> tuple[list[Any], list[str | None]]:
    """Return the polygon of each text, and why there is none. Only those of rows that are `selected` are read."""
    import shapely

    shapes: list[Any] = []
    faults: list[str | None] = []
    for text, is_selected in zip(texts, selected, strict=True):
        shape: Any = None
        fault: str | None = None
        if is_selected:
            shape = shapely.from_wkt(text, on_invalid="ignore") if text else None
            fault = _fault(shape) if shape is not None else "there is no polygon" if not text else "the polygon cannot be read"
            if fault is None and not shape.is_valid:
                shape, fault = _repaired(shape)
        shapes.append(shape if fault is None else None)
        faults.append(fault)
    return shapes, faults


def _fault(shape: Any) -> str | None:
    import shapely

    if shape.geom_type not in ("Polygon", "MultiPolygon"):
        return f"expected a polygon, not a {shape.geom_type}"
    if shape.is_empty:
        return "the polygon is empty"
    points = shapely.get_num_coordinates(shape)
    if points > MAX_POINTS:
        return f"the polygon has {points} points, more than {MAX_POINTS}"
    positions = shapely.get_coordinates(shape)
    if not np.isfinite(positions).all():
        return "the polygon has a position that is not a number"
    if (np.abs(positions) > (180, 90)).any():
        return "the polygon leaves the earth: expected degrees, longitude from -180 to 180 and latitude from -90 to 90"
    return None


def _repaired(shape: Any) -> tuple[Any, str | None]:
    """Return a polygon without the slivers that arise where it crosses itself, or a fault if it would become another one."""
    import shapely

    reason = shapely.is_valid_reason(shape)
    valid = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    parts = [part for part in shapely.get_parts(valid) if part.geom_type == "Polygon" and part.area > SLIVER * shape.area]
    repaired = shapely.multipolygons(parts) if len(parts) > 1 else parts[0] if parts else None
    if repaired is None or not repaired.is_valid or abs(repaired.area - shape.area) > SLIVER * shape.area:
        return None, f"the polygon is not valid: {reason}"
    return repaired, None


def _well_known(shapes: list[Any]) -> list[bytes | None]:
    import shapely

    return [None if shape is None else shapely.to_wkb(shape, byte_order=1, output_dimension=2) for shape in shapes]


def _overlaps(rows: pl.DataFrame, polygons: list[Any]) -> dict[int, str]:
    """Return by position the polygons that cover too much of others of the same level. Of several, those that overlap most of them."""
    import shapely

    found: dict[int, str] = {}
    for (_,), group in rows.group_by("level", maintain_order=True):
        positions, areas = group["__i"].to_list(), group["ref_area"].to_list()
        shapes = np.array([polygons[i] for i in positions], dtype=object)
        first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
        pairs = first < second
        first, second = first[pairs], second[pairs]
        common = shapely.area(shapely.intersection(shapes[first], shapes[second]))
        smaller = np.minimum(shapely.area(shapes[first]), shapely.area(shapes[second]))
        is_overlap = common > OVERLAP * smaller
        partners: dict[int, set[int]] = {}
        for one, other in zip(first[is_overlap].tolist(), second[is_overlap].tolist(), strict=True):
            partners.setdefault(one, set()).add(other)
            partners.setdefault(other, set()).add(one)
        found |= {positions[i]: f"the polygon overlaps that of {areas[other]}" for i, other in _to_leave_out(partners)}
    return found


def _to_leave_out(partners: Mapping[int, set[int]]) -> list[tuple[int, int]]:
    """Return which items to leave out, each with one of its partners, so that no two partners stay. Of two that have only each other, both go."""
    left = {item: set(others) for item, others in partners.items()}
    out: list[tuple[int, int]] = []
    while any(left.values()):
        most = max(len(others) for others in left.values())
        going = (
            [item for item, others in left.items() if len(others) == most] if most == 1 else [max(left, key=lambda i: (len(left[i]), -i))]
        )
        out += [(item, min(left[item])) for item in going]
        for item, other in itertools.product(going, list(left)):
            left[other].discard(item)
        for item in going:
            left[item] = set()
    return sorted(out)
