"""`within/<group>.json`: the headline values of all areas with the same area above, which are the ticks of strips.

`within_more/<group>.json` has the values of the other indicators, which the page of a place loads when they are opened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from exports.api.territory import NOWHERE, Bundle
from exports.site.source import Source


def name_of(bundle: str) -> str:
    """Return the name of the file that has the areas of a bundle: that of the bundle without its number."""
    return bundle.rpartition("-")[0]


def groups(source: Source) -> Mapping[str, Sequence[Bundle]]:
    """Return the bundles with the same level and area above by the name of their file, in the order of the areas."""
    bundles_by_file: dict[str, list[Bundle]] = {}
    for bundle in source.bundles:
        bundles_by_file.setdefault(name_of(bundle.id), []).append(bundle)
    return bundles_by_file


def document(source: Source, bundles: Sequence[Bundle]) -> dict[str, Any]:
    """Return the file for the areas of some bundles, with rising numbers."""
    areas = sorted(area for bundle in bundles for area in bundle.areas.tolist())
    above, columns = bundles[0].parent, source.areas["areas"]
    return {
        "parent": None if above == NOWHERE else above,
        "level": bundles[0].level.id,
        "areas": areas,
        "points": [_point(columns["lon"][area], columns["lat"][area]) for area in areas],
        "area_km2": [columns["area_km2"][area] for area in areas],
        "ended": {str(area): end for area in areas if (end := columns["valid_to"][area]) is not None},
        "indicators": values_of(source.headline_values, areas),
    }


def more(source: Source, bundles: Sequence[Bundle]) -> dict[str, Any]:
    """Return the values of the indicators that are no headlines, in the order of the areas of `document`."""
    areas = sorted(area for bundle in bundles for area in bundle.areas.tolist())
    return {"areas": areas, "indicators": values_of(source.other_values, areas)}


def _point(lon: float | None, lat: float | None) -> list[float] | None:
    """Return the point of an area, exact to about 500 metres, which is enough for a small map."""
    return None if lon is None or lat is None else [round(lon, 2), round(lat, 2)]


def values_of(columns: Mapping[str, Sequence[Any]], areas: Sequence[int]) -> dict[str, list[Any]]:
    """Return the values of some areas by indicator, without indicators that have none of them."""
    values = {name: [column[area] for area in areas] for name, column in columns.items()}
    return {name: column for name, column in values.items() if any(value is not None for value in column)}
