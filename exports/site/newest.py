"""`newest/<bundle>.<part>.json`: the newest values of half of the areas of a bundle, without earlier periods and other breakdowns than the total.

A page that compares six places reads six of them. The part of an area is its number modulo `PARTS`, as in `site/src/core/data.ts`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

PARTS = 2
COUNTED = ("numerator", "denominator")
BOUNDS = ("lower", "upper")


def parts(areas: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Return the bundles of `areas.json` with each of their parts that has areas, in order."""
    parts_of_bundles = {(bundle, number % PARTS) for number, bundle in enumerate(areas["areas"]["bundle"])}
    return [(areas["bundles"][bundle], part) for bundle, part in sorted(parts_of_bundles)]


def document(bundle: Mapping[str, Any], part: int) -> dict[str, Any]:
    """Return a part of a file `areas/<bundle>.json` of the API. Values are lists with an element per area, `status` has a letter per area."""
    places = [place for place, area in enumerate(bundle["areas"]) if area % PARTS == part]
    return {
        "bundle": bundle["bundle"],
        "level": bundle["level"],
        "areas": [bundle["areas"][place] for place in places],
        "indicators": [_values(entry, places) for entry in bundle["indicators"] if entry["newest"] is not None and entry["breakdowns"]],
    }


def _values(entry: Mapping[str, Any], places: Sequence[int]) -> dict[str, Any]:
    """Return the newest values of an indicator. `last` has the last period with a value of the areas that have none in the newest one."""
    total, newest = entry["breakdowns"][0], entry["periods"].index(entry["newest"])

    def at(name: str) -> list[Any]:
        return [total[name][place][newest] for place in places]

    value = at("value")
    values = {
        "indicator": entry["indicator"],
        "newest": entry["newest"],
        "value": value,
        "status": "".join(at("status")),
        **{name: column for name in BOUNDS if name in total and _has_any(column := at(name))},
        **{name: column for name in COUNTED if name in entry and _has_any(column := [entry[name][place] for place in places])},
        "last": {
            str(number): last
            for number, place in enumerate(places)
            if value[number] is None and (last := _last(entry["periods"], total["value"][place]))
        },
        "notes": [
            {"note": note["note"], "areas": positions}
            for note in total.get("notes", ())
            if note["period"] == newest and (positions := [number for number, place in enumerate(places) if place in note["areas"]])
        ],
        "country": _without_missing(entry.get("above", {}).get("country")),
    }
    return {name: member for name, member in values.items() if member not in ([], {}, None)}


def _without_missing(country: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the value of the country without its number and without bounds that it does not have."""
    return {name: member for name, member in (country or {}).items() if name != "area" and (member is not None or name not in BOUNDS)}


def _has_any(values: Sequence[Any]) -> bool:
    return any(value is not None for value in values)


def _last(periods: Sequence[str], values: Sequence[float | None]) -> str | None:
    return next((period for period, value in zip(reversed(periods), reversed(values), strict=True) if value is not None), None)
