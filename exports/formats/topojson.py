"""Polygons as TopoJSON: the borders that areas share are written once, as whole numbers on a grid, each as the difference to the one before.

The outer ring of a polygon is clockwise and its holes are counterclockwise, as d3-geo expects it.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import shapely

GRIDS = (1e-4, 5e-5, 2e-5, 1e-5, 1e-6, 1e-7)
"""Steps of the grid in degrees, the coarsest first (about 11 m to 1 cm)."""
Point = tuple[int, int]
Rings = list[list[list[Point]]]
"""The polygons of an area; of each one its rings, the outer one first. A ring begins and ends with different points."""


def encode(name: str, areas: Mapping[str, Any], properties: Mapping[str, Mapping[str, Any]], about: Mapping[str, Any]) -> bytes:
    """Return a topology whose object `name` has the valid polygons `areas` by identifier, in their order, on the coarsest grid that keeps them.

    `properties` are those of each area, and `about` are further members of the document.
    """
    grid, rings = _on_grid(areas)
    corner = _corner(rings.values())
    arcs = _Arcs(rings.values())
    geometries = [_geometry(area, [[arcs.of(r) for r in p] for p in polygons], properties[area]) for area, polygons in rings.items()]
    document = {
        "type": "Topology",
        **about,
        "bbox": _bbox(areas),
        "transform": {"scale": [grid, grid], "translate": [_degrees(corner[0], grid), _degrees(corner[1], grid)]},
        "objects": {name: {"type": "GeometryCollection", "geometries": geometries}},
        "arcs": [_differences(arc, corner) for arc in arcs.written],
    }
    return (json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def decode(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the polygons of a topology with one object, by identifier. Raises ValueError where one is there twice, or IndexError for a lost arc."""
    scale, translate = (np.array(document["transform"][key], dtype=float) for key in ("scale", "translate"))
    arcs = [np.cumsum(np.array(arc, dtype=np.int64), axis=0) * scale + translate for arc in document["arcs"]]
    (collection,) = document["objects"].values()
    areas: dict[str, Any] = {}
    for geometry in collection["geometries"]:
        if geometry["id"] in areas:
            raise ValueError(f"{geometry['id']}: is there twice")
        nested = [geometry["arcs"]] if geometry["type"] == "Polygon" else geometry["arcs"]
        polygons = [[_joined(arcs, ring) for ring in polygon] for polygon in nested]
        parts = [shapely.Polygon(outer, holes) for outer, *holes in polygons]
        areas[geometry["id"]] = parts[0] if geometry["type"] == "Polygon" else shapely.MultiPolygon(parts)
    return areas


def _joined(arcs: Sequence[np.ndarray[Any, Any]], ring: Iterable[int]) -> np.ndarray[Any, Any]:
    pieces = [arcs[i] if i >= 0 else arcs[~i][::-1] for i in ring]
    return np.concatenate([pieces[0], *(piece[1:] for piece in pieces[1:])])


def _on_grid(areas: Mapping[str, Any]) -> tuple[float, dict[str, Rings]]:
    """Return the coarsest grid on which every polygon keeps its rings and stays valid, or else the finest one, and the rings on it."""
    shapes = np.array(list(areas.values()), dtype=object)
    for grid in GRIDS:
        snapped = shapely.transform(shapes, partial(_snapped, grid=grid))
        if grid == GRIDS[-1] or shapely.is_valid(snapped).all():
            break
    return grid, {area: [_rings(part) for part in shapely.get_parts(shape)] for area, shape in zip(areas, snapped, strict=True)}


def _snapped(positions: np.ndarray[Any, Any], grid: float) -> np.ndarray[Any, Any]:
    return np.rint(positions / grid)


def _rings(polygon: Any) -> list[list[Point]]:
    rings = [polygon.exterior, *polygon.interiors]
    return [_ring(shapely.get_coordinates(ring), clockwise=i == 0) for i, ring in enumerate(rings)]


def _ring(positions: np.ndarray[Any, Any], *, clockwise: bool) -> list[Point]:
    numbers = positions.astype(np.int64)
    twice = np.sum(numbers[:-1, 0] * numbers[1:, 1] - numbers[1:, 0] * numbers[:-1, 1])
    if (twice > 0) == clockwise:
        numbers = numbers[::-1]
    points: list[Point] = [tuple(p) for p in numbers.tolist()]
    return [b for a, b in itertools.pairwise(points) if a != b]


def _corner(areas: Iterable[Rings]) -> Point:
    points = [point for polygons in areas for outer, *_ in polygons for point in outer]
    return min((x for x, _ in points), default=0), min((y for _, y in points), default=0)


def _bbox(areas: Mapping[str, Any]) -> list[float]:
    return [round(side, 7) for side in shapely.total_bounds(list(areas.values())).tolist()] if areas else []


def _degrees(number: int, grid: float) -> float:
    return round(number * grid, 7)


def _differences(arc: Sequence[Point], corner: Point) -> list[list[int]]:
    x, y = corner
    result = []
    for nx, ny in arc:
        result.append([nx - x, ny - y])
        x, y = nx, ny
    return result


def _geometry(area: str, polygons: list[list[list[int]]], properties: Mapping[str, Any]) -> dict[str, Any]:
    kind = "Polygon" if len(polygons) == 1 else "MultiPolygon"
    return {"type": kind, "id": area, "properties": dict(properties), "arcs": polygons[0] if len(polygons) == 1 else polygons}


class _Arcs:
    """The borders between junctions. A junction is a point where a ring goes on to another neighbour than a second ring does."""

    def __init__(self, areas: Iterable[Rings]) -> None:
        self.written: list[tuple[Point, ...]] = []
        self._numbers: dict[tuple[Point, ...], int] = {}
        self._junctions: set[Point] = set()
        sides: dict[Point, tuple[Point, Point]] = {}
        for ring in (ring for polygons in areas for polygon in polygons for ring in polygon):
            for i, point in enumerate(ring):
                before, after = ring[i - 1], ring[(i + 1) % len(ring)]
                pair = (before, after) if before < after else (after, before)
                if sides.setdefault(point, pair) != pair:
                    self._junctions.add(point)

    def of(self, ring: list[Point]) -> list[int]:
        """Return the numbers of the arcs of a ring; `~n` is arc n from its end to its beginning."""
        return [self._number(arc) for arc in self._cut(ring)]

    def _cut(self, ring: list[Point]) -> Iterator[tuple[Point, ...]]:
        places = [i for i, point in enumerate(ring) if point in self._junctions]
        first = places[0] if places else ring.index(min(ring))
        turned = [*ring[first:], *ring[: first + 1]]
        ends = [i - first for i in places[1:]] + [len(ring)]
        for start, end in itertools.pairwise([0, *ends]):
            yield tuple(turned[start : end + 1])

    def _number(self, arc: tuple[Point, ...]) -> int:
        if arc in self._numbers:
            return self._numbers[arc]
        if arc[::-1] in self._numbers:
            return ~self._numbers[arc[::-1]]
        self._numbers[arc] = len(self.written)
        self.written.append(arc)
        return self._numbers[arc]
