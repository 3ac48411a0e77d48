"""The files of one indicator: its newest values in all areas, and its series."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from exports.api import positions
from exports.api.cells import Breakdown, IndicatorCells, LevelCells
from exports.api.comparisons import Compared
from exports.api.encode import Floats, numbers, rounded, statuses
from exports.api.territory import Territory

EXACT = ("numerator", "denominator")
SHOWN = {"value": "obs_value", "lower": "lower_95", "upper": "upper_95"}


def newest(cells: IndicatorCells, about: Mapping[str, Any], territory: Territory, compared: Compared) -> dict[str, Any]:
    """Return `indicators/<id>.json`. `about` is its entry in `indicators.json`."""
    levels = [_newest(level, about.get("decimals"), territory, compared) for level in cells.levels if level.newest is not None]
    return {"about": about, "levels": levels}


def _newest(level: LevelCells, decimals: int | None, territory: Territory, compared: Compared) -> dict[str, Any]:
    assert level.newest is not None
    row = level.newest
    first, count = level.level.first, level.level.count
    total = level.breakdowns[0]
    countries = territory.country[first : first + count]
    spread = [
        {
            "country": territory.countries[country],
            "areas": int(np.isfinite(total.values[row][countries == country]).sum()),
            "quantiles": numbers(rounded(positions.quantiles(total.values[row][countries == country]), decimals)),
        }
        for country in sorted(set(countries.tolist()))
    ]
    value: dict[str, Any] = {"level": level.level.id, "first": first, "count": count, "period": level.periods[row], "spread": spread}
    value["breakdowns"] = [{"sex": b.sex, "age": b.age, **cell_columns(b, row, decimals)} for b in level.breakdowns if b.status[row].any()]
    if comparison := compared.columns(np.arange(first, first + count), decimals):
        value["comparisons"] = comparison
    return value


def cell_columns(breakdown: Breakdown, rows: Any, decimals: int | None, columns: Any = slice(None)) -> dict[str, Any]:
    """Return the columns of some cells. Intervals, numerators, denominators and notes are left out where no cell has one."""

    def part(array: Any) -> Any:
        return array[rows][..., columns]

    cells: dict[str, Any] = {
        "value": numbers(rounded(part(breakdown.values), decimals)),
        "status": statuses(part(breakdown.status)),
    }
    for name, column in SHOWN.items():
        values: Floats = part(breakdown.numbers[column])
        if name != "value" and np.isfinite(values).any():
            cells[name] = numbers(rounded(values, decimals))
    for name in EXACT:
        values = part(breakdown.numbers[name])
        if np.isfinite(values).any():
            cells[name] = numbers(values)
    return cells


def series(cells: IndicatorCells, decimals: int | None) -> dict[str, Any]:
    """Return `indicators/<id>/series.json`: for each level and breakdown, a list per period with an element per area."""
    return {
        "indicator": cells.id,
        "levels": [
            {
                "level": level.level.id,
                "first": level.level.first,
                "count": level.level.count,
                "periods": level.periods,
                "breakdowns": [
                    {"sex": b.sex, "age": b.age, **cell_columns(b, slice(None), decimals), "notes": b.listed_notes()}
                    for b in level.breakdowns
                ],
            }
            for level in cells.levels
        ],
    }
