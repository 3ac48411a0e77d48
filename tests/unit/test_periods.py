"""Months that become a year, and rows whose mean is the value of a cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines import packs
from pipelines.core.errors import Zpo2Error
from pipelines.lake.quarantine import quarantine_frame
from tests.support import small_pack, small_warehouse
from tests.support.small_pack import indicator
from tests.support.small_warehouse import SmallWarehouse

AREAS = {"N": ("full", "short", "bad"), "S": ("quarters",), "E": ("gaps", "women", "totals", "empty")}
MONTHS = [f"2021-{month:02}" for month in range(1, 13)]
ROWS = [
    *(f"{month},full,M,{i},,,," for i, month in enumerate(MONTHS)),
    *(f"{month},full,F,{2 * i},,,," for i, month in enumerate(MONTHS)),
    *(f"{month},short,_T,5,,,," for month in MONTHS[1:]),
    *(f"{month},bad,_T,{'x' if month == '2021-03' else 5},,,," for month in MONTHS),
    "2021,short,_T,7,,,,",  # a year is no month
    *(f"2021-Q{i},quarters,_T,,{i},,," for i in range(1, 5)),
    *(f"{month},quarters,_T,,,{i},," for i, month in enumerate(MONTHS[:4])),
    *(f"2021,{town},_T,,,,100," for town in ("full", "short", "bad", "quarters")),
    *(f"2021,full,{sex},,,,,{value}" for sex, value in (("M", 1), ("M", 2), ("F", 6))),
    *(f"2021,short,{sex},,,,,{value}" for sex, value in (("M", 1), ("_T", 4), ("_T", 8))),
    # ten months are enough for `vacancies`
    *(f"{month},gaps,_T,,,,,,{'' if i < 2 else 12}" for i, month in enumerate(MONTHS)),
    *(f"{month},empty,_T,,,,,," for month in MONTHS),
    *(f"{month},women,M,,,,,,4" for month in MONTHS),
    *(f"{month},women,F,,,,,,6" for month in MONTHS[:11]),
    *(f"{month},totals,_T,,,,,,9" for month in MONTHS[:10]),
    *(f"{month},totals,{sex},,,,,,{value}" for sex, value, months in (("M", 4, 12), ("F", 5, 3)) for month in MONTHS[:months]),
]
FIGURES = (
    "period,code,sex,seekers,summed,quarterly,people,scores,vacancies\n"
    + "\n".join(row + "," * (8 - row.count(",")) for row in ROWS)
    + "\n"
)


def _measure(name: str, **more: Any) -> dict[str, Any]:
    return {"value": name, "where": f"{name} is not null", **more}


MEASURES = {
    "seekers": {
        "value": "seekers", "where": "code in ('full', 'short', 'bad') and people is null and scores is null", "aggregate": "mean",
        "periods": {"from": "month", "to": "year", "need": 12},
    },
    "summed": _measure("summed", aggregate="sum", periods={"from": "quarter", "to": "year"}),
    "quarterly": _measure("quarterly", aggregate="max", periods={"from": "month", "to": "quarter", "need": 1}),
    "people": _measure("people"),
    "scores": _measure("scores", aggregate="mean", additive=False),
    "vacancies": {
        "value": "vacancies", "where": "code in ('gaps', 'women', 'totals', 'empty')", "aggregate": "mean",
        "periods": {"from": "month", "to": "year", "need": 10},
    },
}  # fmt: skip
INDICATORS = [
    *(
        indicator(name, {"numerator": [{"measure": name}]}, by=["sex"])
        for name in ("seekers", "summed", "quarterly", "scores", "vacancies")
    ),
    indicator("rate", {"numerator": [{"measure": "seekers"}], "denominator": [{"measure": "people"}]}),
]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> SmallWarehouse:
    root = tmp_path_factory.mktemp("periods")
    pack = small_pack.write(root / "pack", AREAS, FIGURES, INDICATORS, MEASURES, source={"max_quarantined": 1})
    return small_warehouse.build(pack, root / "home")


@pytest.mark.slow
class TestPeriods:
    def test_mean_of_months_is_the_value_of_the_year(self, warehouse: SmallWarehouse) -> None:
        assert warehouse.values("seekers", "2021")["full"] == (16.5, "A")
        assert [warehouse.values("seekers", "2021", sex)["full"] for sex in ("M", "F")] == [(5.5, "A"), (11, "A")]
        assert warehouse.values("rate", "2021")["full"] == (0.165, "A")

    def test_an_empty_month_counts_as_one_without_a_row(self, warehouse: SmallWarehouse) -> None:
        values = warehouse.values("vacancies", "2021")
        assert values["gaps"] == (12, "A")
        assert values["empty"] == (None, "M")

    def test_months_are_counted_by_sex(self, warehouse: SmallWarehouse) -> None:
        """A month in which only men have a row says nothing about women, nor about all."""
        by_sex = {sex: warehouse.values("vacancies", "2021", sex) for sex in ("_T", "M", "F")}
        assert [by_sex[sex]["women"] for sex in ("M", "F", "_T")] == [(4, "A"), (6, "A"), (10, "A")]
        assert by_sex["M"]["totals"] == (4, "A")
        assert by_sex["F"]["totals"] == (None, "L")
        assert by_sex["_T"]["totals"] == (9, "A")

    def test_year_with_fewer_months_than_needed_is_withheld(self, warehouse: SmallWarehouse) -> None:
        assert warehouse.values("rate", "2021")["N"] == (None, "L")
        explained = warehouse.explained("seekers", "bad", "2021").outcome
        assert (explained.value, explained.status) == (None, "Q")

    def test_period_of_another_kind_is_refused(self, warehouse: SmallWarehouse) -> None:
        assert warehouse.values("seekers", "2021")["short"] == (None, "Q")
        refused = quarantine_frame(warehouse.workspace, "figures").filter(column="seekers")
        assert [r for r in refused["reason"] if "month" in r] == ["period 2021: expected a month"]

    def test_quarters_and_months_make_other_periods(self, warehouse: SmallWarehouse) -> None:
        assert warehouse.values("summed", "2021")["quarters"] == (10, "A")
        assert warehouse.values("quarterly", "2021-Q1")["quarters"] == (2, "A")
        assert warehouse.values("quarterly", "2021-Q2")["quarters"] == (3, "A")

    def test_no_month_is_a_period_of_its_own(self, warehouse: SmallWarehouse) -> None:
        query = "select distinct time_period from marts.indicator_values where indicator = 'seekers'"
        assert warehouse.connection.execute(query).fetchall() == [("2021",)]

    def test_mean_of_rows(self, warehouse: SmallWarehouse) -> None:
        values = {sex: warehouse.values("scores", "2021", sex) for sex in ("M", "F", "_T")}
        assert [values[sex]["full"][0] for sex in ("M", "F", "_T")] == [1.5, 6, 3]
        assert values["_T"]["short"] == (6, "A")  # the source's own total

    def test_is_explained(self, warehouse: SmallWarehouse) -> None:
        assert warehouse.differences(*(i["id"] for i in INDICATORS), most=200) == []


@pytest.mark.slow
def test_year_with_too_few_months_says_how_many(tmp_path: Path) -> None:
    rows = FIGURES.replace("2021,short,_T,7,,,,,\n", "")
    warehouse = small_warehouse.build(
        small_pack.write(tmp_path / "pack", AREAS, rows, INDICATORS, MEASURES, source={"max_quarantined": 1}), tmp_path / "home"
    )
    assert warehouse.values("seekers", "2021")["short"] == (None, "L")
    assert warehouse.differences("seekers") == []


@pytest.mark.parametrize(
    ("measure", "message"),
    [
        ({"value": "seekers", "periods": {"from": "month", "to": "year"}}, "periods: needs aggregate"),
        ({"value": "seekers", "aggregate": "sum", "periods": {"from": "quarter", "to": "quarter"}}, "give a longer period as `to`"),
        (
            {"value": "seekers", "aggregate": "sum", "periods": {"from": "quarter", "to": "year", "need": 5}},
            "need 5 is more than the 4 quarters",
        ),
    ],
)
def test_check_refuses_impossible_periods(tmp_path: Path, measure: dict[str, Any], message: str) -> None:
    pack = small_pack.write(tmp_path, AREAS, FIGURES, INDICATORS, {**MEASURES, "seekers": measure})
    with pytest.raises(Zpo2Error, match=message):
        packs.load(pack)
