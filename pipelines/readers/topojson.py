"""Reads TopoJSON: the properties of each polygon of an object, its point, and its geometry as WKT, as the reader of GeoJSON does."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.core.printable import listed
from pipelines.readers import geojson
from pipelines.readers.geojson import NoFeature
from pipelines.readers.json_records import load
from pipelines.readers.options import ReadOptions
from pipelines.readers.unreadable import UnreadableSnapshot

KINDS = ("Polygon", "MultiPolygon")
MAX_POINTS = 10_000_000
"""Points of all polygons of a file: a few arcs that are named again and again would fill the memory."""


def read(path: Path, options: ReadOptions, columns: Collection[str] | None = None) -> pl.DataFrame:
    """Return the properties of each polygon, its `id` if no property has this name, `lon`, `lat` and `geometry`.

    `__row` is the number of the geometry in the object that `options.records` names, or else in the only one.
    """
    document = load(path, options)
    topology = _Topology(document)
    features = [topology.feature(geometry) for geometry in _geometries(document, options.records)]
    return geojson.table_of(features, options, columns)


def _geometries(document: Any, name: str | None) -> list[Any]:
    objects = document.get("objects") if isinstance(document, dict) and document.get("type") == "Topology" else None
    if not isinstance(objects, dict) or not objects:
        raise UnreadableSnapshot("expected a Topology with objects")
    if name is None and len(objects) > 1:
        raise UnreadableSnapshot(f"set read.records to one of the objects: {listed([f'/{key}' for key in objects], 20)}")
    key = next(iter(objects)) if name is None else name.removeprefix("/")
    if key not in objects:
        raise UnreadableSnapshot(f"there is no object {key}, only {listed(list(objects), 20)}")
    collection = objects[key]
    if not isinstance(collection, dict) or not isinstance(collection.get("geometries"), list):
        raise UnreadableSnapshot(f"expected the object {key} to be a GeometryCollection")
    geometries: list[Any] = collection["geometries"]
    return geometries


class _NoArc(ValueError):
    """A ring names an arc that the file does not have."""


class _Topology:
    """The arcs of a file, as positions in degrees."""

    def __init__(self, document: Any) -> None:
        arcs = document.get("arcs") if isinstance(document, dict) else None
        if not isinstance(arcs, list):
            raise UnreadableSnapshot("expected a Topology with arcs")
        self._arcs = arcs
        self._positions: dict[int, list[list[float]]] = {}
        self._points = 0
        transform = document.get("transform")
        try:
            self._scale = [float(n) for n in transform["scale"]] if transform else None
            self._translate = [float(n) for n in transform["translate"]] if transform else [0.0, 0.0]
            if not all(map(math.isfinite, (*(self._scale or ()), *self._translate))) or len(self._translate) != 2:
                raise ValueError
        except (TypeError, ValueError, OverflowError, LookupError):
            raise UnreadableSnapshot("transform: expected scale and translate with two numbers each") from None

    def feature(self, geometry: Any) -> Any:
        """Return a geometry as a feature of GeoJSON, or what is wrong with it."""
        if not isinstance(geometry, dict):
            return NoFeature("expected a geometry")
        properties = geometry.get("properties") or {}
        if not isinstance(properties, dict):
            return NoFeature("the properties are not an object")
        if geometry.get("id") is not None:
            properties = {"id": geometry["id"], **properties}
        kind: Any = geometry.get("type")
        arcs: Any = geometry.get("arcs")
        if kind is None:
            return {"type": "Feature", "properties": properties, "geometry": None}
        if kind not in KINDS:
            return NoFeature(f"expected a Polygon or a MultiPolygon, not {str(kind)[:40]}")
        try:
            polygons = [arcs] if kind == "Polygon" else list(arcs)
            coordinates = [[self._ring(ring) for ring in polygon] for polygon in polygons]
        except _NoArc as error:
            return NoFeature(error)
        except (TypeError, ValueError, OverflowError, LookupError):
            return NoFeature("the arcs of the geometry are not valid")
        shape = {"type": kind, "coordinates": coordinates[0] if kind == "Polygon" else coordinates}
        return {"type": "Feature", "properties": properties, "geometry": shape}

    def _ring(self, numbers: Any) -> list[list[float]]:
        if not isinstance(numbers, list):
            raise TypeError(numbers)
        arcs = [int(number) for number in numbers]
        self._points += sum(len(self._arc(number if number >= 0 else ~number)) for number in arcs)
        if self._points > MAX_POINTS:
            raise UnreadableSnapshot(f"the polygons have more than {MAX_POINTS} points")
        positions: list[list[float]] = []
        for number in arcs:
            arc = self._arc(number if number >= 0 else ~number)
            positions += (arc if number >= 0 else arc[::-1])[1 if positions else 0 :]
        return positions

    def _arc(self, number: int) -> list[list[float]]:
        if number not in self._positions:
            if number >= len(self._arcs):
                raise _NoArc(f"there is no arc {number}, only {len(self._arcs)}")
            self._positions[number] = list(self._absolute(self._arcs[number]))
        return self._positions[number]

    def _absolute(self, arc: Any) -> Iterator[list[float]]:
        if self._scale is None:
            return ([float(position[0]), float(position[1])] for position in arc)
        xs = itertools.accumulate(int(position[0]) for position in arc)
        ys = itertools.accumulate(int(position[1]) for position in arc)
        scale, translate = self._scale, self._translate
        return ([x * scale[0] + translate[0], y * scale[1] + translate[1]] for x, y in zip(xs, ys, strict=True))
