"""The newest values of the areas of a bundle, as the page that compares places reads them."""

from __future__ import annotations

from typing import Any

from exports.site import newest


def entry(**changes: Any) -> dict[str, Any]:
    """Return the values of an indicator in two areas and three periods; the second area has none in the newest of them."""
    total = {
        "sex": "_T",
        "age": "_T",
        "value": [[1.5, 2.5, None], [3.5, None, None]],
        "status": ["AB.", "AM."],
        "lower": [[1, 2, None], [3, None, None]],
        "upper": [[2, 3, None], [4, None, None]],
        "notes": [{"note": "old", "period": 0, "areas": [0]}, {"note": "late", "period": 1, "areas": [1]}],
    }
    country = {"area": 9, "status": "A", "value": 2, "lower": 1.9, "upper": 2.1}
    whole: dict[str, Any] = {
        "indicator": "share",
        "newest": "2021",
        "periods": ["2020", "2021", "2022"],
        "breakdowns": [total, {**total, "sex": "F", "value": [[9, 9, 9], [9, 9, 9]]}],
        "numerator": [25, None],
        "denominator": [10, None],
        "positions": {},
        "above": {"parent": None, "country": country},
    }
    return {**whole, **changes}


def document(*indicators: dict[str, Any]) -> dict[str, Any]:
    return newest.document({"bundle": "lau-1", "level": "lau", "areas": [5, 7], "codes": ["a", "b"], "indicators": list(indicators)}, 1)


def test_values_are_those_of_the_newest_period_and_the_total() -> None:
    found = document(entry())
    assert {name: found[name] for name in ("bundle", "level", "areas")} == {"bundle": "lau-1", "level": "lau", "areas": [5, 7]}
    assert found["indicators"] == [
        {
            "indicator": "share",
            "newest": "2021",
            "value": [2.5, None],
            "status": "BM",
            "lower": [2, None],
            "upper": [3, None],
            "numerator": [25, None],
            "denominator": [10, None],
            "last": {"1": "2020"},
            "notes": [{"note": "late", "areas": [1]}],
            "country": {"status": "A", "value": 2, "lower": 1.9, "upper": 2.1},
        }
    ]


def test_a_part_has_the_areas_of_its_numbers() -> None:
    three = {
        "sex": "_T",
        "age": "_T",
        "value": [[1], [2], [None]],
        "status": ["A", "B", "M"],
        "notes": [{"note": "x", "period": 0, "areas": [0, 2]}],
    }
    own = entry(newest="2020", periods=["2020"], breakdowns=[three], numerator=[1, 2, None], denominator=[1, 1, None], above={})
    bundle: dict[str, Any] = {"bundle": "lau-1", "level": "lau", "areas": [5, 6, 7], "indicators": [own]}
    first, second = (newest.document(bundle, part) for part in (0, 1))
    assert (first["areas"], second["areas"]) == ([6], [5, 7])
    assert first["indicators"] == [
        {"indicator": "share", "newest": "2020", "value": [2], "status": "B", "numerator": [2], "denominator": [1]}
    ]
    assert second["indicators"][0]["value"] == [1, None]
    assert second["indicators"][0]["status"] == "AM"
    assert second["indicators"][0]["numerator"] == [1, None]
    assert second["indicators"][0]["notes"] == [{"note": "x", "areas": [0, 1]}]


def test_parts_follow_from_the_numbers_of_areas() -> None:
    areas: dict[str, Any] = {"bundles": ["a", "b"], "areas": {"bundle": [0, 0, 1, 0, 1]}}
    assert newest.parts(areas) == [("a", 0), ("a", 1), ("b", 0)]


def test_what_no_area_has_is_left_out() -> None:
    total = {"sex": "_T", "age": "_T", "value": [[1], [2]], "status": ["A", "A"], "lower": [[None], [None]], "upper": [[None], [None]]}
    own = entry(newest="2020", periods=["2020"], breakdowns=[total], denominator=[None, None], above={})
    assert set(document(own)["indicators"][0]) == {"indicator", "newest", "value", "status", "numerator"}


def test_an_indicator_without_any_value_is_left_out() -> None:
    assert document(entry(newest=None))["indicators"] == []
