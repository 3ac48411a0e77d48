"""The files for programs of packs/demo: every number equals the tables, every file has its schema, and the examples of the page work."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support import api_files
from tests.support.api_files import read
from tests.support.command import PROJECT

pytestmark = pytest.mark.acceptance

COLUMNS = ("obs_value", "obs_status", "lower_95", "upper_95", "numerator", "denominator")
Key = tuple[str, str, str, str, str]


@pytest.fixture(scope="module")
def table(demo_release: Path) -> dict[Key, dict[str, Any]]:
    """The rows of indicators with a value, by indicator, area, period, sex and age."""
    path = demo_release / "parquet/indicator_values.parquet"
    rows = duckdb.sql(
        f"select indicator, ref_area, time_period, sex, age, {', '.join(COLUMNS)} from '{path}' as v "
        f"where exists (select 1 from '{path}' as o where o.indicator = v.indicator and o.obs_value is not null)"
    ).fetchall()
    return {row[:5]: dict(zip(COLUMNS, row[5:], strict=True)) for row in rows}


@pytest.fixture(scope="module")
def decimals(demo_release: Path) -> dict[str, int | None]:
    return {about["indicator"]: about["decimals"] for about in read(demo_release, "indicators.json")["indicators"]}


def shown(value: float | None, decimals: int | None) -> float | None:
    return value if value is None or decimals is None else round(value, decimals)


def check(cell: dict[str, Any], row: dict[str, Any], decimals: int | None, exact: bool) -> None:
    assert cell["status"] == row["obs_status"]
    for name, column in (("value", "obs_value"), ("lower", "lower_95"), ("upper", "upper_95")):
        assert cell[name] == shown(row[column], decimals)
    for name in ("numerator", "denominator") if exact else ():
        assert cell[name] == row[name]


def cells_of(breakdown: dict[str, Any], *at: int) -> dict[str, Any]:
    """Return a cell of columns or matrices; a member that was left out is missing."""
    cell = {}
    for name in ("value", "status", "lower", "upper", "numerator", "denominator"):
        found = breakdown.get(name)
        for place in at:
            found = found[place] if found is not None else None
        cell[name] = found
    return cell


def series(release: Path, codes: list[str]) -> Iterator[tuple[Key, dict[str, Any]]]:
    for path in sorted((release / api_files.ROOT / "indicators").glob("*/series.json")):
        document = read(release, f"indicators/{path.parent.name}/series.json")
        for level in document["levels"]:
            for own in level["breakdowns"]:
                for p, period in enumerate(level["periods"]):
                    for a in range(level["count"]):
                        if own["status"][p][a] != ".":
                            key = (document["indicator"], codes[level["first"] + a], period, own["sex"], own["age"])
                            yield key, cells_of(own, p, a)


def places(release: Path) -> Iterator[tuple[Key, dict[str, Any]]]:
    for path in sorted((release / api_files.ROOT / "areas").glob("*.json")):
        bundle = read(release, f"areas/{path.name}")
        for entry in bundle["indicators"]:
            for own in entry["breakdowns"]:
                for a, code in enumerate(bundle["codes"]):
                    for p, period in enumerate(entry["periods"]):
                        if own["status"][a][p] != ".":
                            yield (entry["indicator"], code, period, own["sex"], own["age"]), cells_of(own, a, p)


def test_series_are_the_table(demo_release: Path, table: dict[Key, dict[str, Any]], decimals: dict[str, int | None]) -> None:
    found = dict(series(demo_release, read(demo_release, "areas.json")["areas"]["code"]))
    assert found.keys() == table.keys()
    for key, cell in found.items():
        check(cell, table[key], decimals[key[0]], exact=True)


def test_places_are_the_table(demo_release: Path, table: dict[Key, dict[str, Any]], decimals: dict[str, int | None]) -> None:
    found = dict(places(demo_release))
    assert found.keys() == table.keys()
    for key, cell in found.items():
        check(cell, table[key], decimals[key[0]], exact=False)


def test_newest_values_are_the_table(demo_release: Path, table: dict[Key, dict[str, Any]], decimals: dict[str, int | None]) -> None:
    codes = read(demo_release, "areas.json")["areas"]["code"]
    compared = 0
    for name in read(demo_release, "index.json")["indicators"]:
        for level in read(demo_release, f"indicators/{name}.json")["levels"]:
            for own in level["breakdowns"]:
                for a in range(level["count"]):
                    row = table.get((name, codes[level["first"] + a], level["period"], own["sex"], own["age"]))
                    assert (own["status"][a] == ".") == (row is None)
                    if row is not None:
                        check(cells_of(own, a), row, decimals[name], exact=True)
                        compared += 1
    assert compared > 5000


def test_positions_count_the_others(demo_release: Path, table: dict[Key, dict[str, Any]]) -> None:
    areas = read(demo_release, "areas.json")["areas"]
    codes, parents = areas["code"], areas["parent"]
    level_of = {
        code: level["level"] for level in read(demo_release, "areas.json")["levels"] for code in codes[level["first"] :][: level["count"]]
    }
    compared = 0
    for path in sorted((demo_release / api_files.ROOT / "areas").glob("*.json")):
        bundle = read(demo_release, f"areas/{path.name}")
        for entry in bundle["indicators"]:
            name, period = entry["indicator"], entry["newest"]
            if period is None:
                continue
            values = {
                code: row["obs_value"]
                for code in codes
                if level_of[code] == bundle["level"]
                and (row := table.get((name, code, period, "_T", "_T"))) is not None
                and row["obs_value"] is not None
            }
            for a, code in enumerate(bundle["codes"]):
                groups = {
                    "country": [other for other in values if other != code],
                    "parent": [other for other in values if other != code and parents[codes.index(other)] == bundle["parent"]],
                    "peers": [codes[peer] for peer in bundle["peers"][a] if codes[peer] in values],
                }
                for group, others in groups.items():
                    position = entry["positions"][group]
                    if (
                        code not in values
                        or (group == "peers" and not bundle["peers"][a])
                        or (group == "parent" and bundle["parent"] is None)
                    ):
                        assert position["below"][a] is None
                        continue
                    assert position["below"][a] == sum(values[other] < values[code] for other in others)
                    assert position["equal"][a] == sum(values[other] == values[code] for other in others)
                    assert (position["others"][a] if group == "peers" else position["others"]) == len(others)
                    compared += 1
    assert compared > 10_000


def test_rule_of_groups_gives_every_value(demo_release: Path, table: dict[Key, dict[str, Any]]) -> None:
    """The rule of an indicator, which says how a group is computed, gives each of its newest values."""
    compared = 0
    for about in read(demo_release, "indicators.json")["indicators"]:
        if about["group"] is None:
            continue
        for level in about["levels"]:
            rows = {
                key: row
                for key, row in table.items()
                if key[0] == about["indicator"] and key[2] == level["newest"] and key[3:] == ("_T", "_T")
            }
            for row in rows.values():
                if row["obs_value"] is not None:
                    low = row["denominator"] if about["group"]["kind"] == "ratio" else 1
                    assert about["group"]["multiplier"] * row["numerator"] / low == pytest.approx(row["obs_value"], rel=1e-9, abs=1e-9)
                    compared += 1
    assert compared > 3000


def test_every_file_has_its_schema(demo_release: Path) -> None:
    assert list(api_files.undescribed(demo_release)) == []


def test_examples_of_the_page_work(demo_release: Path) -> None:
    page = (PROJECT / "docs" / "api.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    done = subprocess.run([sys.executable, "-c", code], cwd=demo_release, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) > 50
    assert 50 < float(lines[-1]) < 53  # women among the inhabitants of two districts
