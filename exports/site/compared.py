"""How many areas of a level differ from the country by more than chance, from the comparisons of `api/v1`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

SAME = ("similar", "too_few")
DIFFERENT = ("better", "worse", "higher", "lower")


def counts(level: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return how many areas are higher, lower, similar or too small to compare, and the value of the country; None without comparisons.

    `level` is one of an indicator in `api/v1`, its total the first breakdown. Areas of several countries have no common `reference`: None.
    """
    country = level.get("comparisons", {}).get("country")
    if country is None:
        return None
    counts_by_outcome = Counter({"higher": 0, "lower": 0, "similar": 0, "too_few": 0})
    for value, reference, outcome in zip(level["breakdowns"][0]["value"], country["reference"], country["outcome"], strict=True):
        if outcome in SAME:
            counts_by_outcome[outcome] += 1
        elif outcome in DIFFERENT:
            counts_by_outcome["higher" if value > reference else "lower"] += 1
    references = {reference for reference in country["reference"] if reference is not None}
    return {"reference": references.pop() if len(references) == 1 else None, **counts_by_outcome}
