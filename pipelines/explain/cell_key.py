"""What is asked: one published cell. Says what is wrong with a question, and what was perhaps meant; answers nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from pipelines.core.errors import UsageError
from pipelines.explain.facts import Question

if TYPE_CHECKING:
    from pipelines.explain.warehouse import Warehouse
    from pipelines.packs import Pack

NEAR = 4
NO_PERIOD = ("", "-")
"""How the row of an indicator that was never collected is asked for; any other period leads there, too."""


class QuestionError(UsageError):
    """There is no such number."""


def settled(asked: Question, pack: Pack, warehouse: Warehouse) -> Question:
    """Return the question in terms of the warehouse. Raises QuestionError with a line that says what there is instead."""
    _indicator(asked.indicator, pack, warehouse)
    _area(asked, warehouse)
    periods = warehouse.periods(asked.indicator)
    if not periods:
        if (asked.sex, asked.age) != ("_T", "_T"):
            raise QuestionError(f"{asked.indicator}: was never collected, and has rows of sex _T and age _T only")
        return Question(asked.indicator, asked.ref_area, "")
    if asked.time_period not in periods:
        raise QuestionError(
            f"{asked.time_period or '(empty)'}: {asked.indicator} has no such period; " + told(nearest_periods(asked.time_period, periods))
        )
    if not warehouse.is_valid(asked.ref_area, asked.time_period):
        raise QuestionError(f"{asked.ref_area}: is not an area on the first day of {asked.time_period}")
    splits = warehouse.splits(asked.indicator, asked.time_period)
    if (asked.sex, asked.age) not in splits:
        there = ", ".join(f"sex {sex} age {age}" for sex, age in splits)
        raise QuestionError(
            f"sex {asked.sex}, age {asked.age}: {asked.indicator} is not published so in {asked.time_period}, but by {there}"
        )
    return asked


def _indicator(name: str, pack: Pack, warehouse: Warehouse) -> None:
    if name in warehouse.indicators:
        return
    if name in pack.indices:
        table = "sustainability" if pack.indices[name].objective == "ZPO2-3" else "community"
        raise QuestionError(
            f"{name}: is an index, not an indicator; its scores are in the table {table}, what they were computed from in index_components"
        )
    if name in pack.indicators:
        raise QuestionError(f"{name}: was declared after the last run; `zpo2 run` computes it")
    raise QuestionError(f"{name}: no such indicator; " + told(near(name, dict.fromkeys(warehouse.indicators, ""))))


def _area(asked: Question, warehouse: Warehouse) -> None:
    if asked.ref_area not in warehouse.areas:
        names = {area: f"{name}, {level}" for area, (name, level) in warehouse.areas.items()}
        raise QuestionError(f"{asked.ref_area}: no such area; " + told(near(asked.ref_area, names)))
    level = warehouse.areas[asked.ref_area][1]
    levels = warehouse.levels(asked.indicator)
    if level not in levels:
        raise QuestionError(f"{asked.ref_area}: is of level {level}, and {asked.indicator} is published at {', '.join(levels)}")


def near(text: str, known: Mapping[str, str]) -> list[str]:
    """Return the identifiers that `text` may have meant; `known` has more words of each, among which a name comes first."""
    wanted = text.casefold()
    by_name: dict[str, list[str]] = {}
    for identifier, words in known.items():
        by_name.setdefault(words.partition(",")[0].casefold(), []).append(identifier)
    by_id = {identifier.casefold(): identifier for identifier in known}
    found = [*by_name.get(wanted, [])] if wanted else []
    found += [identifier for identifier in known if wanted and wanted in identifier.casefold()]
    found += [by_id[match] for match in get_close_matches(wanted, by_id, NEAR, 0.6)]
    found += [identifier for match in get_close_matches(wanted, [n for n in by_name if n], NEAR, 0.75) for identifier in by_name[match]]
    return [identifier + (f" ({known[identifier]})" if known[identifier] else "") for identifier in list(dict.fromkeys(found))[:NEAR]]


def nearest_periods(text: str, periods: Iterable[str]) -> list[str]:
    """Return the periods nearest in time to `text`, in their order."""
    year = int(text[:4]) if text[:4].isdigit() else 9999
    return sorted(sorted(periods, key=lambda p: (not p.startswith(text[:4] or "-"), abs(int(p[:4]) - year), p))[:NEAR])


def told(matches: list[str]) -> str:
    return f"near to it: {', '.join(matches)}" if matches else "nothing is near to it"
