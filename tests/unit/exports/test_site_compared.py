"""How many small areas differ from the country, as the site of a release states it."""

from __future__ import annotations

from typing import Any

from exports.site.compared import counts


def level(values: list[float | None], references: list[float | None], outcomes: list[str | None]) -> dict[str, Any]:
    return {"breakdowns": [{"value": values}], "comparisons": {"country": {"reference": references, "outcome": outcomes}}}


def test_sides_follow_the_values_and_not_the_direction_of_the_indicator() -> None:
    """Better is lower where less is better, so the side comes from the value."""
    own = level([2.0, 9.0, 5.0, 4.0, None], [5.0, 5.0, 5.0, 5.0, 5.0], ["better", "worse", "similar", "too_few", "no_value"])
    assert counts(own) == {"reference": 5.0, "higher": 1, "lower": 1, "similar": 1, "too_few": 1}


def test_indicator_without_direction_counts_the_same() -> None:
    own = level([2.0, 9.0, 8.0], [5.0, 5.0, 5.0], ["lower", "higher", "higher"])
    assert counts(own) == {"reference": 5.0, "higher": 2, "lower": 1, "similar": 0, "too_few": 0}


def test_several_countries_have_no_common_reference() -> None:
    own = level([2.0, 9.0], [5.0, 6.0], ["lower", "higher"])
    assert counts(own) == {"reference": None, "higher": 1, "lower": 1, "similar": 0, "too_few": 0}


def test_level_without_comparisons_has_no_counts() -> None:
    assert counts({"breakdowns": [{"value": [1.0]}]}) is None
