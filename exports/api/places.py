"""The files of places: all values of the areas of a bundle, each with its position among the areas that it is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson

from exports.api import positions
from exports.api.cells import Breakdown, IndicatorCells, LevelCells
from exports.api.comparisons import Compared
from exports.api.encode import Floats, Ints, number, numbers, rounded, statuses
from exports.api.indicator_files import EXACT, SHOWN
from exports.api.territory import NOWHERE, Bundle, Territory


def of_indicator(cells: IndicatorCells, decimals: int | None, territory: Territory, compared: Compared) -> dict[str, dict[str, Any]]:
    """Return what the file of each bundle says about an indicator, by bundle. Bundles of areas without a row are left out."""
    entries = {}
    for level in cells.levels:
        ranked = {}
        if level.newest is not None:
            values = level.breakdowns[0].values[level.newest]
            ranked = dict(positions.of_level(values, level.level.first, territory))
        spread: dict[int, Any] = {}
        for bundle in territory.bundles:
            if bundle.level.id != level.level.id:
                continue
            columns = bundle.areas - level.level.first
            if not any(breakdown.status[:, columns].any() for breakdown in level.breakdowns):
                continue
            entry = _series(cells.id, level, columns, decimals)
            if level.newest is not None:
                country = int(territory.country[bundle.areas[0]])
                if country not in spread:
                    own = territory.country[level.level.first : level.level.stop] == country
                    spread[country] = numbers(rounded(positions.quantiles(level.breakdowns[0].values[level.newest][own]), decimals))
                entry |= _newest(level, columns, ranked)
                entry["quantiles"] = spread[country]
                entry["above"] = _above(cells, bundle, level.periods[level.newest], decimals, territory)
                if comparison := compared.columns(bundle.areas, decimals):
                    entry["comparisons"] = comparison
                if trends := compared.trends(bundle.areas):
                    entry["trends"] = trends
            entries[bundle.id] = entry
    return entries


def _series(indicator: str, level: LevelCells, columns: Ints, decimals: int | None) -> dict[str, Any]:
    newest = None if level.newest is None else level.periods[level.newest]
    own = [b for b in level.breakdowns if b.status[:, columns].any()]
    return {
        "indicator": indicator, "newest": newest, "periods": level.periods, "breakdowns": [_by_area(b, columns, decimals) for b in own],
    }  # fmt: skip


def _by_area(breakdown: Breakdown, columns: Ints, decimals: int | None) -> dict[str, Any]:
    """Return the series of each area: a list per area with an element per period."""
    by_area: dict[str, Any] = {"sex": breakdown.sex, "age": breakdown.age}
    for name, column in SHOWN.items():
        values: Floats = breakdown.numbers[column][:, columns].T
        if name == "value" or np.isfinite(values).any():
            by_area[name] = numbers(rounded(values, decimals))
    by_area["status"] = statuses(breakdown.status[:, columns].T)
    if listed := breakdown.listed_notes(columns):
        by_area["notes"] = listed
    return by_area


def _newest(level: LevelCells, columns: Ints, ranked: Mapping[str, positions.Position]) -> dict[str, Any]:
    """Return numerators, denominators and positions of the newest values."""
    assert level.newest is not None
    total = level.breakdowns[0]
    entry: dict[str, Any] = {name: numbers(total.numbers[name][level.newest, columns]) for name in EXACT}
    entry["positions"] = {group: _position(position.of(columns), group) for group, position in ranked.items()}
    return entry


def _position(position: positions.Position, group: str) -> dict[str, Any]:
    """Return a position. All areas of a bundle have the same area above and the same country, but each has peers of its own."""
    shown = {name: _counts(getattr(position, name)) for name in ("below", "equal")}
    others = _counts(position.others) if group == "peers" else max(0, int(position.others.max()))
    return {**shown, "others": others}


def _counts(counts: Ints) -> orjson.Fragment:
    """Return counts as a JSON list; -1 stands for none."""
    return orjson.Fragment(orjson.dumps(np.ascontiguousarray(counts), option=orjson.OPT_SERIALIZE_NUMPY).replace(b"-1", b"null"))


def _above(cells: IndicatorCells, bundle: Bundle, period: str, decimals: int | None, territory: Territory) -> dict[str, Any]:
    """Return the values of the area above a bundle and of the area at the top in a period, by `parent` and `country`."""
    above = {}
    for group, area in (("parent", bundle.parent), ("country", territory.top(int(bundle.areas[0])))):
        if area == NOWHERE:
            continue
        for level in cells.levels:
            if level.level.first <= area < level.level.stop and period in level.periods and level.breakdowns[0].is_total:
                at = (level.periods.index(period), area - level.level.first)
                total = level.breakdowns[0]
                if total.status[at]:
                    shown = {name: number(total.numbers[column][at], decimals) for name, column in SHOWN.items()}
                    above[group] = {"area": area, "status": chr(total.status[at]), **shown}
    return above
