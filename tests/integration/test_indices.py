"""Indices as readers see them: no rank and no normal status from partial data, required components, fifths where ranks do not hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
import python_calamine

from tests.conftest import current_release
from tests.support import five_places
from tests.support.command import EPOCH, zpo2

pytestmark = pytest.mark.slow

FIGURES = """\
id: figures
title: Figures
publisher: Office
licence: CC0-1.0
theme: municipal
fetch: {url: data/figures.csv}
read: {format: csv}
columns: {code: {required: true}, year: {type: integer}, jobs: {type: number}, pay: {type: number}, woods: {type: number}}
into: observations
map:
  area: {scheme: lau, code: code}
  period: year
  measures: {jobs: jobs, pay: pay, woods: woods}
"""
# a4 lacks a figure of the first field, a5 the whole second field; woods run against jobs
FIGURES_CSV = """\
code,year,jobs,pay,woods
a1,2021,10,11,
a2,2021,8,9,
a3,2021,6,7,
a4,2021,4,,
a5,2021,2,3,
a1,2019,,,1
a2,2019,,,5
a3,2019,,,3
a4,2019,,,9
"""
INDICATORS = five_places.INDICATORS + "".join(
    f"""\
- id: {measure}
  title: {measure}
  objective: ZPO2-3
  unit: "1"
  direction: higher_better
  formula: {{numerator: [{{measure: {measure}}}]}}
  levels: [lau]
"""
    for measure in ("jobs", "pay", "woods")
)
INDEX = {"title": {"en": "An index"}, "level": "lau", "max_age": 5, "min_available": 0.5}
FIELDS = [
    {"id": "work", "components": [{"indicator": "jobs"}, {"indicator": "pay"}]},
    {"id": "land", "components": [{"indicator": "woods"}]},
]
INDICES: dict[str, dict[str, Any]] = {
    # two fields that run against each other: the rank depends on their weights
    "opposed": {
        "objective": "ZPO2-3", "require": "all", "components": FIELDS, "uncertainty": {"replicates": 100, "vary": ["weights", "leave_one_out"]},
    },
    "unexamined": {"objective": "ZPO2-2", "note": "Cities against villages.", "require": ["work"], "rank_partial": True, "components": FIELDS},
    "agreed": {
        "objective": "ZPO2-2", "components": [{"indicator": "jobs"}, {"indicator": "pay"}], "uncertainty": {"replicates": 20, "vary": ["weights"]},
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("indices")
    files = {"sources__figures_yml": FIGURES, "data__figures_csv": FIGURES_CSV, "indicators__all_yml": INDICATORS}
    files |= {f"indices__{name}_yml": json.dumps({"id": name, **INDEX, **index}) for name, index in INDICES.items()}
    done = zpo2("run", "--pack", five_places.write(root / "pack", **files), "--home", root / "home", SOURCE_DATE_EPOCH=EPOCH)
    assert done.returncode == 0, done.stdout + done.stderr
    return current_release(root / "home")


@pytest.fixture(scope="module")
def rows(release: Path) -> dict[tuple[str, str, str], dict[str, Any]]:
    """The rows of both tables of scores, by index, component and area."""
    tables = ", ".join(f"'{release}/parquet/{table}.parquet'" for table in ("sustainability", "community"))
    return {(r["index"], r["component"], r["ref_area"]): r for r in duckdb.sql(f"from read_parquet([{tables}])").pl().to_dicts()}


def of_index(rows: dict[tuple[str, str, str], dict[str, Any]], index: str, column: str) -> list[Any]:
    return [rows[index, index, f"a{n}"][column] for n in range(1, 6)]


def test_score_without_a_required_field_is_missing(rows: dict[tuple[str, str, str], dict[str, Any]]) -> None:
    assert of_index(rows, "opposed", "obs_status") == ["A", "A", "A", "E", "M"]
    assert rows["opposed", "opposed", "a5"]["score"] is None
    assert rows["opposed", "work", "a5"]["obs_status"] == "A"  # the field itself is there
    assert of_index(rows, "unexamined", "obs_status") == ["A", "A", "A", "E", "E"]


def test_score_from_partial_data_is_an_estimate_without_a_rank(rows: dict[tuple[str, str, str], dict[str, Any]]) -> None:
    assert of_index(rows, "opposed", "n_available") == [3, 3, 3, 2, 2]
    assert rows["opposed", "opposed", "a4"]["score"] is not None
    assert of_index(rows, "opposed", "rank") == [2, 1, 3, None, None]
    assert of_index(rows, "opposed", "rank_low")[3:] == of_index(rows, "opposed", "fifth")[3:] == [None, None]
    assert all(rank is not None for rank in of_index(rows, "unexamined", "rank"))  # rank_partial


def test_fifths_are_those_of_the_ranked_areas(rows: dict[tuple[str, str, str], dict[str, Any]]) -> None:
    assert of_index(rows, "opposed", "fifth") == [4, 2, 5, None, None]  # of three: 10/3, 5/3 and 15/3, rounded up
    assert of_index(rows, "unexamined", "fifth") == of_index(rows, "unexamined", "rank")
    assert of_index(rows, "agreed", "fifth") == [2, 3, 4, None, 5]


def test_inputs_have_their_periods(rows: dict[tuple[str, str, str], dict[str, Any]]) -> None:
    assert of_index(rows, "opposed", "oldest_input") == ["2019"] * 4 + ["2021"]
    assert of_index(rows, "opposed", "newest_input") == ["2021"] * 5
    assert [rows["opposed", "land", area]["newest_input"] for area in ("a1", "a5")] == ["2019", None]


def test_indices_say_whether_their_ranks_hold(release: Path) -> None:
    table = {row["index"]: row for row in duckdb.sql(f"from '{release}/parquet/indices.parquet'").pl().to_dicts()}
    assert list(table["opposed"]) == [
        "index", "title_en", "objective", "level", "alpha", "rank_interval_share", "rankable", "note_en",
    ]  # fmt: skip
    assert {name: row["rankable"] for name, row in table.items()} == {
        "agreed": "true", "opposed": "false", "unexamined": "false", "wellbeing": "false",
    }  # fmt: skip
    assert table["opposed"]["rank_interval_share"] > 0.25
    assert table["opposed"]["alpha"] < 0.5
    assert table["agreed"]["rank_interval_share"] == 0
    assert table["unexamined"]["rank_interval_share"] is None
    assert "of all ranks, so that a single rank says too much" in table["opposed"]["note_en"]
    assert "does not declare how far its ranks depend" in table["unexamined"]["note_en"]
    assert table["unexamined"]["note_en"].endswith("indicators. Cities against villages.")
    assert not table["opposed"]["note_en"].endswith(" ")
    statistics = f"'{release}/parquet/index_sensitivity.parquet'"
    share = duckdb.sql(f"select \"index\", obs_value from {statistics} where statistic = 'rank_interval_share' order by 1").fetchall()
    assert share == [(name, table[name]["rank_interval_share"]) for name in ("agreed", "opposed")]


def test_readers_see_fifths_where_ranks_do_not_hold(release: Path) -> None:
    readme = (release / "README.md").read_text(encoding="utf-8")
    assert "| `agreed` | An index | lau | rank |" in readme
    assert "| `opposed` | An index | lau | fifth | Shown in fifths: under other weights" in readme
    (path,) = release.glob("*_en.xlsx")
    head, *rows = python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_name("indices").to_python()
    cells = [dict(zip(head, row, strict=True)) for row in rows if row[head.index("Code")] == "a1"]
    ranks = {(row["Rank"], row["Fifth (1 is best)"], row["Name"]) for row in cells}
    assert ("", 4, "Alder") in ranks
    assert (1, 2, "Alder") in ranks
    about = python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_name("readme").to_python()
    assert any(str(text).startswith("Shown in fifths") for _, text, *_ in about)


def test_ranks_stay_in_the_tables_beside_their_intervals(rows: dict[tuple[str, str, str], dict[str, Any]]) -> None:
    assert all(row["rank_low"] <= row["rank"] <= row["rank_high"] for row in rows.values() if row["rank"] and row["index"] == "opposed")


def test_check_refuses_steps_and_required_components_that_do_not_exist(tmp_path: Path) -> None:
    index = {"id": "opposed", **INDEX, **INDICES["opposed"], "require": ["work", "sea"]}
    files = {"sources__figures_yml": FIGURES, "data__figures_csv": FIGURES_CSV, "indicators__all_yml": INDICATORS}
    pack = five_places.write(tmp_path / "pack", indices__opposed_yml=json.dumps(index, indent=1), **files)
    done = zpo2("check", "--pack", pack)
    assert done.returncode == 2
    assert "opposed.yml" in done.stderr + done.stdout
    assert "require.1: sea: is no component of this group" in done.stderr + done.stdout
    (pack / "indices" / "opposed.yml").write_text(json.dumps({**index, "require": "all", "steps": ["treat", "treat"]}, indent=1))
    done = zpo2("check", "--pack", pack)
    assert done.returncode == 2
    assert "name impute and treat, each once" in done.stderr + done.stdout
