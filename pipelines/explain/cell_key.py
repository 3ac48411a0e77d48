"""Look up one published cell by its key. The errors say what is wrong with a key and which similar keys exist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from pipelines.core.errors import UsageError
from pipelines.explain.facts import CellKey

if TYPE_CHECKING:
    from pipelines.explain.warehouse import Warehouse
    from pipelines.packs import Pack

MOST_SUGGESTIONS = 4
NO_PERIOD = ("", "-")
"""The period with which one asks for the row of an indicator that was never collected; any other period leads there, too."""


class CellKeyError(UsageError):
    """There is no such cell."""


def resolve_cell_key(requested: CellKey, pack: Pack, warehouse: Warehouse) -> CellKey:
    """Return the key as the warehouse has it. Raises CellKeyError with a line that says which keys exist."""
    _check_indicator(requested.indicator, pack, warehouse)
    _check_area(requested, warehouse)
    indicator, period = requested.indicator, requested.time_period
    periods = warehouse.periods(indicator)
    if not periods:
        if (requested.sex, requested.age) != ("_T", "_T"):
            raise CellKeyError(f"{indicator}: was never collected, so it has rows of sex _T and age _T only")
        return CellKey(indicator, requested.ref_area, "")
    if period not in periods:
        raise CellKeyError(f"{period or '(empty)'}: {indicator} has no such period; {suggestion(nearest_periods(period, periods))}")
    if not warehouse.is_valid(requested.ref_area, period):
        raise CellKeyError(f"{requested.ref_area}: is not a valid area on the first day of {period}")
    splits = warehouse.splits(indicator, period)
    if (requested.sex, requested.age) not in splits:
        published = ", ".join(f"sex {sex} age {age}" for sex, age in splits)
        raise CellKeyError(
            f"sex {requested.sex}, age {requested.age}: not published for {indicator} in {period}; published are {published}"
        )
    return requested


def _check_indicator(name: str, pack: Pack, warehouse: Warehouse) -> None:
    if name in warehouse.indicators:
        return
    if name in pack.indices:
        table = "sustainability" if pack.indices[name].objective == "ZPO2-3" else "community"
        raise CellKeyError(
            f"{name}: is an index, not an indicator; its scores are in the table {table}, and their inputs in index_components"
        )
    if name in pack.indicators:
        raise CellKeyError(f"{name}: was declared after the last run; `zpo2 run` computes it")
    raise CellKeyError(f"{name}: no such indicator; " + suggestion(closest_identifiers(name, dict.fromkeys(warehouse.indicators, ""))))


def _check_area(requested: CellKey, warehouse: Warehouse) -> None:
    if requested.ref_area not in warehouse.areas:
        names = {area: f"{name}, {level}" for area, (name, level) in warehouse.areas.items()}
        raise CellKeyError(f"{requested.ref_area}: no such area; " + suggestion(closest_identifiers(requested.ref_area, names)))
    level = warehouse.areas[requested.ref_area][1]
    levels = warehouse.levels(requested.indicator)
    if level not in levels:
        raise CellKeyError(
            f"{requested.ref_area}: is an area of level {level}, but {requested.indicator} is published at {', '.join(levels)}"
        )


def closest_identifiers(text: str, descriptions: Mapping[str, str]) -> list[str]:
    """Return the identifiers that `text` may mean. `descriptions` are by identifier; a name comes first in each, before a comma."""
    text = text.casefold()
    by_name: dict[str, list[str]] = {}
    for identifier, description in descriptions.items():
        by_name.setdefault(description.partition(",")[0].casefold(), []).append(identifier)
    by_identifier = {identifier.casefold(): identifier for identifier in descriptions}
    names = [name for name in by_name if name]
    matches = [*by_name.get(text, [])] if text else []
    matches += [identifier for identifier in descriptions if text and text in identifier.casefold()]
    matches += [by_identifier[match] for match in get_close_matches(text, by_identifier, MOST_SUGGESTIONS, 0.6)]
    matches += [identifier for name in get_close_matches(text, names, MOST_SUGGESTIONS, 0.75) for identifier in by_name[name]]
    closest = list(dict.fromkeys(matches))[:MOST_SUGGESTIONS]
    return [identifier + (f" ({descriptions[identifier]})" if descriptions[identifier] else "") for identifier in closest]


def nearest_periods(text: str, periods: Iterable[str]) -> list[str]:
    """Return the periods nearest in time to `text`, in their order."""
    year = int(text[:4]) if text[:4].isdigit() else 9999
    by_distance = sorted(periods, key=lambda p: (not p.startswith(text[:4] or "-"), abs(int(p[:4]) - year), p))
    return sorted(by_distance[:MOST_SUGGESTIONS])


def suggestion(matches: list[str]) -> str:
    return f"did you mean {', '.join(matches)}?" if matches else "nothing has a similar name"
