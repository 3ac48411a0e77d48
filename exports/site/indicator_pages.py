"""`indicators/<id>.json`: what the page of an indicator shows before a map of the finest level is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from exports.api import positions
from exports.api.encode import NO_ROW, Floats, numbers, rounded
from exports.site import compared, distribution
from exports.site.source import Source
from pipelines.core.vocabulary import STATUSES, TOTAL

LARGEST_LEVEL = 400
"""A level with more areas is loaded only when its map or ranking is asked for."""
SEXES = (TOTAL, "F", "M")
OF_SERIES = ("sex", "age", "value", "status", "lower", "upper", "notes")


def document(source: Source, indicator: str) -> dict[str, Any]:
    """Return the file of an indicator with values."""
    newest, series = source.newest(indicator), source.series(indicator)
    about = newest["about"]
    over_time = {level["level"]: level for level in series["levels"]}
    small = [level for level in newest["levels"] if level["count"] <= LARGEST_LEVEL]
    large = [level for level in newest["levels"] if level["count"] > LARGEST_LEVEL]
    sources = {described["source"]: described for described in source.described["sources"]}
    notes = source.described["notes"]
    used = {note["note"] for level in series["levels"] for breakdown in level["breakdowns"] for note in breakdown["notes"]}
    return {
        "about": about,
        "sources": {name: sources[name] for name in about["sources"] if name in sources},
        "notes": {name: notes[name]["text"] for name in sorted(used) if name in notes},
        "levels": [_level(level, over_time[level["level"]]) for level in small],
        "distribution": _distribution(source, newest["levels"], over_time, about["decimals"]),
        "fine": _fine(large[0], about["decimals"]) if large else None,
    }


def _level(level: Mapping[str, Any], series: Mapping[str, Any]) -> dict[str, Any]:
    entry = {name: level[name] for name in ("level", "first", "count", "period")}
    entry["breakdowns"] = list(_whole(level["breakdowns"]))
    if country := level.get("comparisons", {}).get("country"):
        entry["comparisons"] = {"country": country}
    entry["series"] = {
        "periods": series["periods"],
        "breakdowns": [{name: part[name] for name in OF_SERIES if name in part} for part in _whole(series["breakdowns"])],
    }
    return entry


def _whole(breakdowns: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    """Yield total, women and men of all ages."""
    return (breakdown for breakdown in breakdowns if breakdown["age"] == TOTAL and breakdown["sex"] in SEXES)


def _distribution(
    source: Source, levels: list[Mapping[str, Any]], over_time: Mapping[str, Mapping[str, Any]], decimals: int | None
) -> dict[str, Any] | None:
    """Return the distribution on the finest level with values, if that is not the last one of the release; of the areas with a row."""
    if not levels or levels[0]["level"] == source.areas["levels"][-1]["level"]:
        return None
    level = levels[0]
    of_level = slice(level["first"], level["first"] + level["count"])
    total = level["breakdowns"][0]
    has_row = np.array([code != NO_ROW for code in total["status"]])
    people = np.where(has_row, _floats(source.areas["areas"]["population"][of_level]), np.nan)
    spread = distribution.document(_floats(total["value"]), people, decimals)
    if spread is None:
        return None
    top = over_time.get(source.areas["levels"][-1]["level"])
    return {"level": level["level"], "period": level["period"], "country": _at_top(top, level["period"]), **spread}


def _at_top(series: Mapping[str, Any] | None, period: str) -> Any:
    """Return the value of the only area of the last level in a period; None if there are more, or if it has no value."""
    if series is None or series["count"] != 1 or period not in series["periods"]:
        return None
    total = series["breakdowns"][0]
    return total["value"][series["periods"].index(period)][0] if total["sex"] == total["age"] == TOTAL else None


def _fine(level: Mapping[str, Any], decimals: int | None) -> dict[str, Any]:
    """Return how many areas of a large level have a value, its quantiles, and the reasons for those without."""
    total = level["breakdowns"][0]
    values = _floats(total["value"])
    missing, spread = Counter(total["status"]), level["spread"]
    return {
        "level": level["level"],
        "period": level["period"],
        "quantiles": spread[0]["quantiles"] if len(spread) == 1 else numbers(rounded(positions.quantiles(values), decimals)),
        "areas": int(np.isfinite(values).sum()),
        "missing": {code: missing[code] for code in sorted(missing) if code in STATUSES and not STATUSES[code].has_value},
        "compared": compared.counts(level),
    }


def _floats(values: Iterable[Any]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
