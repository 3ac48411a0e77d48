"""`newest/<bundle>.json`: the newest values of the areas of a bundle, without earlier periods, positions and other breakdowns than the total."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from exports.api.encode import NO_ROW

COUNTED = ("numerator", "denominator")
BOUNDS = ("lower", "upper")


def document(bundle: Mapping[str, Any]) -> dict[str, Any]:
    """Return the file for a file `areas/<bundle>.json` of the API. Values are lists with an element per area, `status` has a letter per area."""
    return {
        "bundle": bundle["bundle"],
        "level": bundle["level"],
        "areas": bundle["areas"],
        "indicators": [_values(entry) for entry in bundle["indicators"] if entry["newest"] is not None and entry["breakdowns"]],
    }


def _values(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the newest values of an indicator. `last` has the last period with a value of the areas that have none in the newest one."""
    total, newest = entry["breakdowns"][0], entry["periods"].index(entry["newest"])
    value = _at(total["value"], newest)
    found = {
        "indicator": entry["indicator"],
        "newest": entry["newest"],
        "value": value,
        "status": "".join(_at(total["status"], newest)),
        **{name: own for name in BOUNDS if name in total and _has_any(own := _at(total[name], newest))},
        **{name: entry[name] for name in COUNTED if _has_any(entry.get(name, ()))},
        "last": {
            str(area): last for area, own in enumerate(value) if own is None and (last := _last(entry["periods"], total["value"][area]))
        },
        "notes": [{"note": note["note"], "areas": note["areas"]} for note in total.get("notes", ()) if note["period"] == newest],
        "country": entry.get("above", {}).get("country"),
    }
    return {name: own for name, own in found.items() if own not in ([], {}, None)}


def _at(rows: Sequence[Any], period: int) -> list[Any]:
    return [row[period] if period < len(row) else (NO_ROW if isinstance(row, str) else None) for row in rows]


def _has_any(values: Sequence[Any]) -> bool:
    return any(value is not None for value in values)


def _last(periods: Sequence[str], values: Sequence[float | None]) -> str | None:
    return next((period for period, value in zip(reversed(periods), reversed(values), strict=True) if value is not None), None)
