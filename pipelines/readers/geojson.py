"""Reads GeoJSON (RFC 7946): the properties of each feature, its point, and its geometry as WKT."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.readers import cells, decoding
from pipelines.readers.json_records import load
from pipelines.readers.json_values import flat
from pipelines.readers.options import ReadOptions
from pipelines.readers.unreadable import UnreadableSnapshot

Position = tuple[float, float]
_KINDS = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon")


class NoFeature(str):
    """Why something could not be made into a feature."""

    __slots__ = ()


def read(path: Path, options: ReadOptions, columns: Collection[str] | None = None) -> pl.DataFrame:
    """Return the properties of each feature, `lon`, `lat` and `geometry`. `__row` is the number of the feature.

    The point of a line is the centroid of its vertices, that of an area the centroid of its surface. Degrees are those of the file.
    """
    return table_of(_features(load(path, options)), options, columns)


def table_of(features: list[Any], options: ReadOptions, columns: Collection[str] | None) -> pl.DataFrame:
    """Return a row for each feature. A NoFeature in place of one is the fault of its row."""
    number_column = cells.number_columns(options, columns)
    table: dict[str, list[str | None]] = {}
    faults: list[str | None] = []
    for number, feature in enumerate(features):
        row: dict[str, str | None] = {}
        fault = None
        if isinstance(feature, dict) and feature.get("type") == "Feature":
            row = flat(feature.get("properties") or {}, number + 1, number_column)
            try:
                row |= _placed(feature.get("geometry"), number_column)
            except (TypeError, ValueError, ArithmeticError, LookupError, RecursionError):
                fault = "the geometry is not valid"
        else:
            fault = str(feature) if isinstance(feature, NoFeature) else "expected a feature"
        wrong = decoding.unwritable((*row, *row.values()))
        if wrong:
            fault = fault or wrong
            row = {decoding.without_marks(k): v if v is None else decoding.without_marks(v) for k, v in row.items()}
        faults.append(fault)
        for name, value in row.items():
            column = table.setdefault(name, [])
            column.extend([None] * (number - len(column)))
            column.append(value)
    for column in table.values():
        column.extend([None] * (len(features) - len(column)))
    needed = cells.selector(columns)
    series = [pl.Series(n, v, dtype=pl.String) for n, v in zip(cells.unique(list(table)), table.values(), strict=True) if needed(n)]
    series += [pl.Series("__row", range(1, len(features) + 1), dtype=pl.Int64), pl.Series("__fault", faults, dtype=pl.String)]
    return cells.finish(pl.DataFrame(series), options)


def _features(document: Any) -> list[Any]:
    all_features = []
    for page in document if isinstance(document, list) else [document]:
        features = page.get("features") if isinstance(page, dict) else None
        if not isinstance(features, list):
            raise UnreadableSnapshot("expected a FeatureCollection")
        all_features += features
    return all_features


def _placed(geometry: Any, number_column: Callable[[str], cells.NumberColumn]) -> dict[str, str | None]:
    if geometry is None:
        return {"lon": None, "lat": None, "geometry": None}
    kind, parts = geometry["type"], geometry["coordinates"]
    if kind not in _KINDS:
        raise ValueError(kind)
    lon, lat = _centroid(kind, parts)
    if not (math.isfinite(lon) and math.isfinite(lat)):
        raise ValueError("no place on earth")
    degrees = {name: cells.number_text(repr(value), number_column(name)) for name, value in (("lon", lon), ("lat", lat))}
    return {**degrees, "geometry": f"{kind.upper()} {_wkt(parts)}"}


def _wkt(parts: Any) -> str:
    if not isinstance(parts[0], list):
        return f"({_pair(parts)})"
    if not isinstance(parts[0][0], list):
        return "(" + ", ".join(_pair(p) for p in parts) + ")"
    return "(" + ", ".join(_wkt(part) for part in parts) + ")"


def _pair(position: Any) -> str:
    float(position[0]), float(position[1])  # raises an error for anything but numbers
    return f"{position[0]} {position[1]}"


def _centroid(kind: str, parts: Any) -> Position:
    if kind == "Point":
        return float(parts[0]), float(parts[1])
    if kind in ("MultiPoint", "LineString"):
        return _mean([_position(p) for p in parts])
    if kind == "MultiLineString":
        return _mean([_position(p) for line in parts for p in line])
    rings = [parts[0]] if kind == "Polygon" else [polygon[0] for polygon in parts]
    total, x, y = 0.0, 0.0, 0.0
    for ring in rings:
        points = [_position(p) for p in ring]
        for (x0, y0), (x1, y1) in itertools.pairwise(points):
            cross = x0 * y1 - x1 * y0
            total, x, y = total + cross, x + (x0 + x1) * cross, y + (y0 + y1) * cross
    if total == 0:
        return _mean([_position(p) for ring in rings for p in ring])
    return x / (3 * total), y / (3 * total)


def _position(position: Any) -> Position:
    return float(position[0]), float(position[1])


def _mean(points: list[Position]) -> Position:
    return sum(p[0] for p in points) / len(points), sum(p[1] for p in points) / len(points)
