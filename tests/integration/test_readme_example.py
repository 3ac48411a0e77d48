"""The README's worked example is a whole pack: its files are taken out of the page, run, and the number it states is looked up."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from tests.conftest import current_release
from tests.support.command import EPOCH, PROJECT, zpo2

pytestmark = pytest.mark.slow

README = (PROJECT / "README.md").read_text(encoding="utf-8")
FILE = re.compile(r"^`(?P<name>[\w./-]+\.(?:yml|csv))`\n\n```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
STATED = re.compile(r"`(?P<indicator>\w+)` of county `(?P<area>\w+)` in (?P<period>\d{4}) is \*\*(?P<value>[\d.]+)\*\*")
SQL = re.compile(r"^```sql\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release of the README's pack."""
    root = tmp_path_factory.mktemp("readme")
    found = {match["name"]: match["text"] for match in FILE.finditer(README)}
    assert {"pack.yml", "data/places.csv"} < set(found), "the README's files stand in fenced blocks below their names"
    for name, text in found.items():
        path = root / "greenery" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    checked = zpo2("check", "--pack", root / "greenery")
    assert checked.returncode == 0, checked.stderr
    done = zpo2("run", "--pack", root / "greenery", "--home", root / "home", SOURCE_DATE_EPOCH=EPOCH)
    assert done.returncode == 0, done.stdout + done.stderr
    return current_release(root / "home")


def test_the_example_of_the_readme_gives_the_number_it_states(release: Path) -> None:
    stated = STATED.search(README)
    assert stated is not None, "the README states the number"
    rows = duckdb.execute(
        f"select obs_value, obs_status, coverage from '{release}/parquet/indicator_values.parquet' "
        f"where indicator = '{stated['indicator']}' and ref_area = '{stated['area']}' and time_period = '{stated['period']}'"
    ).fetchall()
    assert rows == [(float(stated["value"]), "A", 1.0)]


def test_the_total_row_of_the_example_is_ignored_by_declaration(release: Path) -> None:
    counts = "rows_read, rows_accepted, rows_quarantined, rows_ignored"
    rows = duckdb.execute(f"select {counts} from '{release}/parquet/sources.parquet' where source = 'green_areas'").fetchall()
    assert rows == [(4, 3, 0, 1)]


def test_the_explanation_of_the_readme_is_what_the_command_says(release: Path) -> None:
    asked = re.search(
        r"`zpo2 explain (?P<key>\w+ \w+ \d+) --pack greenery`.*?^```console\n(?P<shown>.*?)^```$", README, re.MULTILINE | re.DOTALL
    )
    assert asked is not None
    root = release.parents[3]
    done = zpo2("explain", *asked["key"].split(), "--pack", root / "greenery", "--home", root / "home")
    assert done.returncode == 0, done.stderr
    assert asked["shown"] in done.stdout


def test_the_queries_of_the_readme_run_on_the_released_file(release: Path) -> None:
    queries = SQL.findall(README)
    assert len(queries) >= 2
    with duckdb.connect(str(release / "indicators.duckdb"), read_only=True) as connection:
        answers = [connection.execute(query).fetchall() for query in queries]
    assert answers[0][0] == ("Wood County", "2024", 2000.0, "persons")


def test_the_spreadsheets_table_has_a_column_for_each_indicator(release: Path) -> None:
    header = (release / "csv" / "latest_values.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header.replace('"', "").split(",") == ["ref_area", "name", "level", "greenery_per_inhabitant", "population"]
