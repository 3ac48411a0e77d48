"""Suggestions for keys that do not exist."""

from __future__ import annotations

import pytest

from pipelines.explain.cell_key import closest_identifiers, nearest_periods, suggestion

AREAS = {"CZ_529303": "Benešov, lau", "CZ_581330": "Benešov, lau", "CZ0201": "Benešov, okres", "CZ_530883": "Vlašim, lau"}


class TestClosestIdentifiers:
    @pytest.mark.parametrize(
        ("text", "first"),
        [("benešov", "CZ_529303"), ("529303", "CZ_529303"), ("CZ_530888", "CZ_530883"), ("Vlasim", "CZ_530883")],
    )
    def test_matches_names_parts_and_misspellings(self, text: str, first: str) -> None:
        assert closest_identifiers(text, AREAS)[0] == f"{first} ({AREAS[first]})"

    def test_finds_nothing_for_nonsense(self) -> None:
        assert closest_identifiers("????", AREAS) == []
        assert suggestion([]) == "nothing has a similar name"

    def test_omits_empty_description(self) -> None:
        assert closest_identifiers("populatio", {"population": "", "turnout": ""}) == ["population"]


class TestNearestPeriods:
    def test_come_in_their_order(self) -> None:
        assert nearest_periods("2031", [str(y) for y in range(2013, 2024)]) == ["2020", "2021", "2022", "2023"]
        assert nearest_periods("2021", ["2020-Q1", "2021-Q1", "2021-Q2", "2022-Q1"])[1:3] == ["2021-Q1", "2021-Q2"]
        assert nearest_periods("x", ["2020", "2021"]) == ["2020", "2021"]
