"""The gate refuses sums that one undefined number has spoiled: an observation that is no finite number, and values that are all 0."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.one_model import DBT, asked, expanded

OBSERVED = "measure_key int, area_key int, period_key int, breakdown_key int, obs_value double"


def observed(*values: Any) -> tuple[str, list[dict[str, Any]]]:
    return OBSERVED, [
        {"measure_key": 1, "area_key": n, "period_key": 20200000, "breakdown_key": 0, "obs_value": v} for n, v in enumerate(values)
    ]


def refused(test: str, **tables: tuple[str, list[dict[str, Any]]]) -> int:
    """Return the number of rows that a test of the warehouse complains about."""
    return len(asked(expanded((DBT / "tests" / f"{test}.sql").read_text(encoding="utf-8")), tables))


@pytest.mark.parametrize("spoiled", ["nan", "inf"])
def test_an_observation_is_a_finite_number(spoiled: str) -> None:
    assert refused("observations_are_finite", int_observations=observed(1.0, spoiled, 2.0)) == 1
    assert refused("observations_are_finite", int_observations=observed(1.0, 1e308, -2.0)) == 0


@pytest.mark.parametrize(
    ("values", "observations", "is_change", "complaints"),
    [([0.0, 0.0], [3.0, 4.0], False, 1), ([0.0, 0.1], [3.0, 4.0], False, 0), ([0.0, 0.0], [0.0, 0.0], False, 0), ([0.0, 0.0], [3.0, 3.0], True, 0)],
)  # fmt: skip
def test_values_of_what_is_observed_are_not_all_zero(
    values: list[float], observations: list[float], is_change: bool, complaints: int
) -> None:
    found = refused(
        "values_are_not_all_zero",
        int_indicator_cells=("indicator_key int, obs_value double", [{"indicator_key": 1, "obs_value": v} for v in values]),
        int_terms=(
            "indicator_key int, measure_key int, is_numerator boolean, times_key int, sex_code int, age_code int",
            [{"indicator_key": 1, "measure_key": 1, "is_numerator": True}],
        ),
        stg_indicators=(
            "indicator_key int, indicator varchar, is_change boolean, difference_to varchar, is_share boolean",
            [{"indicator_key": 1, "indicator": "i", "is_change": is_change, "is_share": False}],
        ),
        int_observations=observed(*observations),
    )
    assert found == complaints
