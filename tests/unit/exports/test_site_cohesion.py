"""The inner differences of territories, as the page that shows them reads them."""

from __future__ import annotations

from typing import Any

from exports.site import cohesion


def dispersion(**changes: Any) -> dict[str, Any]:
    statistics = {"sd": [1, 2, 3], "gini": [0.1, 0.2, None], "cv": [None, None, None], "gini_weighted": [0.3, 0.3, 0.3]}
    group = {
        "within": 5,
        "of_level": "lau",
        "by_level": None,
        "sex": "_T",
        "statistics": statistics,
        "n": [3, 3, 2],
        "coverage": [1, 1, 0.7],
    }
    return {**group, "status": "AAL", "status_of": {"gini": "AAZ", "cv": "ZZZ", "gini_weighted": "EEE"}, **changes}


def test_only_what_is_shown_is_kept() -> None:
    span = {
        "within": 5, "of_level": "lau", "sex": "_T", "first_period": "2020", "last_period": "2022", "n": 3,
        "statistics": {"beta": -0.1, "sigma_first": 0.2, "sigma_last": 0.1}, "status": {"beta": "A", "sigma_first": "A", "sigma_last": "B"},
    }  # fmt: skip
    file = {
        "indicator": "share",
        "periods": ["2020", "2021", "2022"],
        "dispersion": [dispersion(), dispersion(sex="F"), dispersion(by_level="okres")],
        "convergence": [span, {**span, "sex": "M"}],
    }
    found = cohesion.document(file)
    (group,) = found["dispersion"]
    assert group["statistics"] == {"sd": [1, 2, 3], "gini": [None, 0.2, None]}
    assert group["status_of"] == {"gini": "AAZ"}
    assert {name: group[name] for name in ("within", "of_level", "n", "status")} == {
        "within": 5, "of_level": "lau", "n": [3, 3, 2], "status": "AAL",
    }  # fmt: skip
    (kept,) = found["convergence"]
    assert (kept["statistics"], kept["status"]) == ({"sigma_first": 0.2, "sigma_last": 0.1}, {"sigma_first": "A", "sigma_last": "B"})
    assert (kept["n"], kept["last_period"]) == (3, "2022")


def test_a_territory_without_any_statistic_stays_with_its_reason() -> None:
    lone = dispersion(statistics={"sd": [None, None, None]}, n=[1, 1, 1], status="LLL", status_of={})
    (group,) = cohesion.document({"indicator": "share", "periods": ["2020", "2021", "2022"], "dispersion": [lone], "convergence": []})[
        "dispersion"
    ]
    assert (group["statistics"], group["n"], group["status"]) == ({}, [1, 1, 1], "LLL")
