"""What was perhaps meant by a question that has no answer."""

from __future__ import annotations

import pytest

from pipelines.explain.cell_key import near, nearest_periods, told

AREAS = {"CZ_529303": "Benešov, lau", "CZ_581330": "Benešov, lau", "CZ0201": "Benešov, okres", "CZ_530883": "Vlašim, lau"}


@pytest.mark.parametrize(
    ("text", "first"),
    [("benešov", "CZ_529303"), ("529303", "CZ_529303"), ("CZ_530888", "CZ_530883"), ("Vlasim", "CZ_530883")],
)
def test_an_area_is_found_by_its_name_a_part_of_its_identifier_or_a_slip(text: str, first: str) -> None:
    assert near(text, AREAS)[0] == f"{first} ({AREAS[first]})"


def test_nothing_is_near_to_nonsense() -> None:
    assert near("????", AREAS) == []
    assert told([]) == "nothing is near to it"


def test_an_identifier_without_further_words_stands_alone() -> None:
    assert near("populatio", {"population": "", "turnout": ""}) == ["population"]


def test_the_nearest_periods_come_in_their_order() -> None:
    assert nearest_periods("2031", [str(y) for y in range(2013, 2024)]) == ["2020", "2021", "2022", "2023"]
    assert nearest_periods("2021", ["2020-Q1", "2021-Q1", "2021-Q2", "2022-Q1"])[1:3] == ["2021-Q1", "2021-Q2"]
    assert nearest_periods("x", ["2020", "2021"]) == ["2020", "2021"]
