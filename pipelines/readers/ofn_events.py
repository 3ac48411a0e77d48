"""Reads events in the Czech open standard (OFN "Události", JSON-LD): one row per event. Contacts are left out."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.readers import json_records, json_shapes, json_values
from pipelines.readers.event_fields import Row, frame, in_first_language, listed, string
from pipelines.readers.ofn_notices import moment
from pipelines.readers.options import ReadOptions
from pipelines.readers.unreadable import UnreadableSnapshot

# the standard is of one country, so swapped longitude and latitude can be recognised
_LONGITUDES, _LATITUDES = (12.0, 19.0), (48.0, 51.5)


def read(path: Path, options: ReadOptions, columns: Collection[str] | None = None) -> pl.DataFrame:
    """Return the events of a document, which is one event or a list of events, with all event columns. `__row` counts events, from 1."""
    document = json_records.load(path, options)
    items = json_shapes.find(document, options) if options.records else listed(document)
    rows: list[Row] = [_event(item) if isinstance(item, dict) else {"__fault": "the event is not an object"} for item in items]
    if rows and all("__fault" in row for row in rows):
        raise UnreadableSnapshot("the document has no event")
    return frame(rows, options)


def _event(event: dict[str, Any]) -> Row:
    if "Událost" not in listed(event.get("typ")):
        return {"__fault": f"typ is {event.get('typ')!r}, not Událost"}
    language, title = in_first_language(event.get("název"))
    start, end = _interval(event)
    lon, lat = _point(event)
    return {
        "id": string(event.get("iri")) or string(event.get("id")),
        "title": title,
        "start": start,
        "end": end,
        "category": next((string(kind) for kind in listed(event.get("typ_události"))), None),
        "categories": ", ".join(kind for kind in listed(event.get("typ_události")) if isinstance(kind, str)) or None,
        "is_free": _is_free(event.get("vstupné")),
        "url": string(event.get("url")),
        "lon": lon,
        "lat": lat,
        "language": language,
        "description": in_first_language(event.get("popis"))[1],
        "location": next((in_first_language(p.get("název"))[1] for p in _places(event)), None),
    }


def _interval(event: dict[str, Any]) -> tuple[str | None, str | None]:
    """Return start and end of the first time of the event, which is an interval or its two parts."""
    for time in listed(event.get("doba_trvání")):
        if isinstance(time, dict):
            interval = time.get("časový_interval")
            interval = interval if isinstance(interval, dict) else time
            start = moment(interval.get("začátek"))
            if start:
                return start, moment(interval.get("konec"))
    return None, None


def _places(event: dict[str, Any]) -> list[dict[str, Any]]:
    return [place for place in listed(event.get("umístění")) if isinstance(place, dict)]


def _point(event: dict[str, Any]) -> tuple[str | None, str | None]:
    for place in _places(event):
        geometry = place.get("geometrie")
        numbers = geometry.get("coordinates") if isinstance(geometry, dict) else None
        if isinstance(numbers, list) and len(numbers) >= 2 and all(isinstance(n, json_values.Number) for n in numbers[:2]):
            lon, lat = numbers[0], numbers[1]
            turned = _within(lat, _LONGITUDES) and _within(lon, _LATITUDES)
            return (str(lat), str(lon)) if turned else (str(lon), str(lat))
    return None, None


def _within(number: str, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= float(number) <= bounds[1]


def _is_free(prices: Any) -> str | None:
    """Return whether admission is free, if every price is stated."""
    given = [price.get("částka") if isinstance(price, dict) else None for price in listed(prices)]
    amounts = [float(amount) for amount in given if isinstance(amount, json_values.Number)]
    if not amounts or len(amounts) < len(given):
        return None
    return "false" if any(amounts) else "true"
