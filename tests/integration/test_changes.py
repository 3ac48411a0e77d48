"""A change in one source cell: exactly the numbers that follow from it are in `changes`, and nothing else is another."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import current_release
from tests.support import five_places
from tests.support.command import zpo2

pytestmark = pytest.mark.slow

# Cedar has 30 women in 2020 instead of 28; Cedar is in South, in East and in the state
PLACES = {"a3": ("28.0", "30.0", "58.0", "60.0"), "R2": ("122.0", "124.0", "242.0", "244.0"),
          "O1": ("62.0", "64.0", "122.0", "124.0"), "S": ("156.0", "158.0", "306.0", "308.0")}  # fmt: skip


def test_a_changed_cell_changes_the_numbers_that_follow_from_it_and_no_others(five_home: Path, tmp_path: Path) -> None:
    shutil.copytree(five_home.parent, tmp_path / "five")
    pack, home = tmp_path / "five" / "pack", tmp_path / "five" / "home"
    first = current_release(home)
    (pack / "data" / "people_2020.csv").write_text(five_places.PEOPLE_2020.replace("a3,F,28", "a3,F,30"))
    done = zpo2("run", "--pack", pack, "--home", home)
    assert done.returncode == 0, done.stdout + done.stderr
    second = current_release(home)
    assert second != first

    with (second / "csv" / "changes.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {r["kind"] for r in rows} == {"source revised"}
    assert {r["from_version"] for r in rows} == {first.name}
    expected: set[tuple[str, ...]] = set()
    for place, (women, now_women, total, now_total) in PLACES.items():
        for column in ("obs_value", "numerator"):
            expected |= {("population", place, "F", column, women, now_women), ("population", place, "_T", column, total, now_total)}
        expected |= {
            ("women_share", place, "_T", "numerator", women, now_women),
            ("women_share", place, "_T", "denominator", total, now_total),
        }
        shares = [f"{100 * float(w) / float(t):.12g}" for w, t in ((women, total), (now_women, now_total))]
        expected.add(("women_share", place, "_T", "obs_value", *(s if "." in s else f"{s}.0" for s in shares)))
    found = set()
    for r in rows:
        if r["table"] == "indicator_values":
            key = json.loads(r["key"])
            assert (key["time_period"], key["age"]) == ("2020", "_T")
            found.add((key["indicator"], key["ref_area"], key["sex"], r["column"], r["old"], r["new"]))
    assert found == expected

    tables = {r["table"] for r in rows}
    assert {"indicator_values", "gender_gaps", "snapshots"} <= tables
    for file_ in sorted((first / "parquet").glob("*.parquet")):
        if file_.stem != "changes":
            names = sorted(
                p.relative_to(first / "csv") for pattern in (".csv", "/*.csv") for p in (first / "csv").glob(file_.stem + pattern)
            )
            same = all((first / "csv" / name).read_bytes() == (second / "csv" / name).read_bytes() for name in names)
            assert same == (file_.stem not in tables), file_.stem
            if same:
                assert file_.read_bytes() == (second / "parquet" / file_.name).read_bytes()
    assert zpo2("verify", second).returncode == 0

    told = zpo2("changes", "--pack", pack, "--home", home, "--since", first.name, "--json", "--out", tmp_path / "all.csv")
    assert told.returncode == 0, told.stderr
    value = json.loads(told.stdout)
    assert (value["version"], value["from_version"]) == (second.name, first.name)
    assert value["tables"]["indicator_values"]["changed_cells"] == {"source revised": len(expected)}
    assert (tmp_path / "all.csv").read_bytes() == (second / "csv" / "changes.csv").read_bytes()
    text = zpo2("changes", "--pack", pack, "--home", home).stdout
    assert text.startswith(f"{second.name} against {first.name}\n")
    unknown = zpo2("changes", "--pack", pack, "--home", home, "--since", "2001.01.1")
    assert (unknown.returncode, unknown.stderr.startswith("2001.01.1: no such release")) == (2, True)
