"""What a run promises: exit codes, quarantine, stale sources, one writer, and a last release that stands whatever happens."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import duckdb
import pytest

from tests.conftest import current_release
from tests.support import five_places
from tests.support.command import start, zpo2
from tests.support.reader import Reader

pytestmark = pytest.mark.slow


@pytest.fixture
def copied(five_home: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A pack and its home after a good run, to do with as a test likes."""
    shutil.copytree(five_home.parent, tmp_path / "five")
    return tmp_path / "five" / "pack", tmp_path / "five" / "home"


def value(release: Path, where: str) -> tuple[object, ...]:
    table = release / "parquet" / "indicator_values.parquet"
    return duckdb.execute(f"select obs_value, obs_status from '{table}' where {where}").fetchall()[0]


def test_a_pack_made_by_somebody_else_gives_the_number(five_release: Path) -> None:
    assert value(five_release, "indicator = 'women_share' and ref_area = 'R1' and time_period = '2020'") == (53.125, "A")
    path = five_release / "parquet"
    where = "where indicator = 'unknown_yet'"
    counts = [duckdb.execute(f"select count(*) from '{path}/{t}.parquet' {where}").fetchall()[0][0] for t in ("indicators", "coverage")]
    assert counts == [1, 1]
    assert duckdb.execute(f"select count(*) from '{path}/indicator_values.parquet' {where}").fetchall() == [(0,)], "it has no data"


def test_every_row_is_accounted_for(five_release: Path) -> None:
    rows = duckdb.execute(
        f"select rows_read, rows_accepted, rows_quarantined, rows_ignored from '{five_release}/parquet/sources.parquet' where source = 'people'"
    ).fetchall()
    assert rows == [(22, 20, 0, 2)]


def test_an_unchanged_run_makes_no_new_version_and_says_so(copied: tuple[Path, Path]) -> None:
    pack, home = copied
    before = (home / "public" / "latest.json").read_bytes()
    done = zpo2("run", "--pack", pack, "--home", home)
    assert done.returncode == 0, done.stderr
    assert "(unchanged)" in done.stdout
    assert "look at it" not in done.stdout, "nothing new was published"
    assert (home / "public" / "latest.json").read_bytes() == before


def test_a_bad_row_and_an_unreadable_part_stop_nothing_else(copied: tuple[Path, Path]) -> None:
    pack, home = copied
    first, second = (pack / "data" / f"people_{year}.csv" for year in (2020, 2021))
    first.write_text(first.read_text().replace("a2,F,22", "a2,F,-22").replace("a5,M,50", "zz,M,50"))
    second.write_text('code,sex,persons\na1,"M,10\n')
    done = zpo2("run", "--pack", pack, "--home", home)
    assert done.returncode == 3, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("stale       people (since ")
    assert "people_2021.csv" in done.stdout

    # the bad row and the bad cell are in quarantine, with file, row and reason, and missing in the release
    rows = json.loads(zpo2("quarantine", "--pack", pack, "--home", home, "--json").stdout)
    by_row = {(r["row_number"], r["column"]): r for r in rows}
    assert set(by_row) == {(5, "persons"), (10, None)}
    assert by_row[10, None]["reason"] == "code zz of scheme lau: unknown"
    release = current_release(home)
    where = "indicator = 'population' and time_period = '{}' and sex = '_T' and ref_area = '{}'"
    assert value(release, where.format(2020, "a2")) == (None, "Q")
    assert value(release, where.format(2020, "a5")) == (None, "M")
    assert value(release, where.format(2020, "a1")) == (22.0, "A")

    # of the unreadable part the last good snapshot stands
    assert value(release, where.format(2021, "a1")) == (25.0, "A")
    status = json.loads(zpo2("status", "--pack", pack, "--home", home, "--json").stdout)
    assert {s["source"]: bool(s["stale_since"]) for s in status["sources"]} == {"areas": False, "people": True}


def test_a_table_that_lost_data_fails_the_gate_and_the_last_release_stands(copied: tuple[Path, Path]) -> None:
    pack, home = copied
    before = (home / "public" / "latest.json").read_bytes()
    people = pack / "sources" / "people.yml"
    people.write_text(people.read_text().replace("[2020, 2021]", "[2021]"))
    accept = ("--accept", "table:indicator_values", "--reason", "2020 is no longer published")
    done = zpo2("run", "--pack", pack, "--home", home, *accept)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "failed      table:gender_gaps" in done.stdout
    assert "failed      table:indicator_values" not in done.stdout  # let through by name; the others still close the gate
    assert (home / "public" / "latest.json").read_bytes() == before


def test_a_source_that_never_had_a_good_snapshot_keeps_the_release_back(tmp_path: Path) -> None:
    pack = five_places.write(tmp_path / "pack")
    (pack / "data" / "people_2021.csv").unlink()
    done = zpo2("run", "--pack", pack, "--home", tmp_path / "home")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "failed      snapshot:people: data/people_2021.csv: no such file" in done.stdout
    assert not (tmp_path / "home" / "public" / "latest.json").exists()


def test_one_run_writes_while_another_waits_and_readers_read_on(copied: tuple[Path, Path]) -> None:
    pack, home = copied
    before = current_release(home).name
    (pack / "data" / "people_2021.csv").write_text(five_places.PEOPLE_2021.replace("a3,M,30", "a3,M,31").replace("309", "310"))
    with Reader(home / "public") as reader:
        first = start("run", "--pack", pack, "--home", home)
        assert first.stdout is not None
        line = first.stdout.readline()  # it holds the home when it says that it starts
        assert line.startswith("starting"), line
        second = start("run", "--pack", pack, "--home", home)
        reads = 0
        while first.poll() is None:
            with duckdb.connect(str(current_release(home) / "indicators.duckdb"), read_only=True) as connection:
                assert connection.execute("select count(*) from indicator_values").fetchall()[0][0] > 0
            reads += 1
            time.sleep(0.2)
        assert first.returncode == 0, first.stdout.read()
        assert reads > 3
        said, _ = second.communicate(timeout=200)
    assert "is writing to" in said
    assert second.returncode in (0, 1), said  # it waits for a minute
    assert ("(unchanged)" in said) == (second.returncode == 0)
    assert reader.faults == []
    assert reader.seen == [before, current_release(home).name]


def test_the_home_of_another_pack_is_refused(five_home: Path, tmp_path: Path) -> None:
    other = five_places.write(tmp_path, pack_yml=five_places.PACK.replace("id: five", "id: six"))
    done = zpo2("run", "--pack", other, "--home", five_home)
    assert done.returncode == 2
    assert "belongs to the pack five, not to six" in done.stderr


def test_a_fault_in_the_pack_is_exit_2_with_one_line_each(tmp_path: Path) -> None:
    pack = five_places.write(tmp_path, pack_yml=five_places.PACK + "surprise: 1\nother: 2\n")
    for command in ("run", "check"):
        done = zpo2(command, "--pack", pack, *(["--home", str(tmp_path / "home")] if command == "run" else []))
        assert done.returncode == 2
        assert done.stderr.splitlines() == ["pack.yml:13: surprise: unknown key", "pack.yml:14: other: unknown key"]
    assert not (tmp_path / "home").exists()
