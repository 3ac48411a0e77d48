"""`zpo2 init` writes a pack that runs at once; the home and the pack that a command takes when none is given."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.conftest import current_release
from tests.support.command import EPOCH, PROJECT, environment, zpo2


def in_folder(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `zpo2` in a working folder."""
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *arguments],
        cwd=folder, env=environment(**variables), capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_init_writes_a_pack_without_a_fault(tmp_path: Path) -> None:
    done = in_folder(tmp_path, "init", "mine")
    assert done.returncode == 0, done.stderr
    assert "zpo2 run --pack mine" in done.stdout
    checked = in_folder(tmp_path, "check", "--pack", "mine")
    assert (checked.returncode, checked.stdout) == (0, "starter: 2 sources, 3 indicators, 1 indices: no fault\n")
    assert {p.name for p in tmp_path.iterdir()} == {"mine"}


def test_init_takes_an_empty_folder_that_is_there(tmp_path: Path) -> None:
    assert in_folder(tmp_path, "init", ".").returncode == 0
    assert (tmp_path / "pack.yml").is_file()


@pytest.mark.parametrize("occupied", ["folder", "file"])
def test_init_refuses_a_folder_that_is_not_empty(occupied: str, tmp_path: Path) -> None:
    there = tmp_path / "mine" / "notes.txt" if occupied == "folder" else tmp_path / "mine"
    there.parent.mkdir(exist_ok=True)
    there.write_text("mine", encoding="utf-8")
    done = in_folder(tmp_path, "init", "mine")
    assert (done.returncode, done.stderr) == (2, "mine: is not an empty folder; give a new one\n")
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [there]


@pytest.mark.slow
def test_the_starter_pack_publishes_what_its_files_say(tmp_path: Path) -> None:
    assert in_folder(tmp_path, "init", "mine").returncode == 0
    done = in_folder(tmp_path, "run", "--pack", "mine", SOURCE_DATE_EPOCH=EPOCH)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "look at it  zpo2 serve --pack mine, then http://127.0.0.1:8000/"
    home = tmp_path / "data" / "starter"
    rows = duckdb.execute(
        f"select indicator, sex, obs_value, obs_status from '{current_release(home)}/parquet/indicator_values.parquet' "
        "where ref_area = 'C' and time_period = '2024' and age = '_T' order by all"
    ).fetchall()
    women, men = 312 + 531 + 203 + 1024, 293 + 489 + 192 + 1001
    values = {(indicator, sex): value for indicator, sex, value, status in rows if status == "A"}
    assert len(values) == len(rows) == 7
    assert (values["population", "F"], values["population", "M"], values["population", "_T"]) == (women, men, women + men)
    assert values["volunteers_rate", "_T"] == pytest.approx(1000 * (24 + 15 + 44 + 33 + 13 + 11 + 41 + 40) / (women + men))
    inputs = duckdb.execute(
        f"""select ref_area, indicator from '{current_release(home)}/parquet/index_components.parquet' where "index" = 'togetherness'"""
    ).fetchall()
    assert set(inputs) == {(f"t{n}", name) for n in (1, 2, 3, 4) for name in ("jobseekers_share", "volunteers_rate")}
    verified = in_folder(tmp_path, "verify", "--pack", "mine")
    assert (verified.returncode, verified.stdout) == (0, f"{current_release(home)}: no fault\n"), "without a folder: the current release"


# ---- what is taken when nothing is given


def test_the_default_pack_is_the_one_of_the_working_folder(tmp_path: Path) -> None:
    assert in_folder(tmp_path, "init", "packs/demo").returncode == 0
    assert in_folder(tmp_path, "check").stdout.startswith("starter: ")


def test_without_a_pack_in_the_working_folder_the_demo_pack_is_taken(tmp_path: Path) -> None:
    (tmp_path / "packs" / "demo").mkdir(parents=True)  # a folder, but no pack
    assert in_folder(tmp_path, "check").stdout.startswith("demo: ")


def test_the_variable_goes_before_the_working_folder(tmp_path: Path) -> None:
    assert in_folder(tmp_path, "init", "packs/demo").returncode == 0
    assert in_folder(tmp_path, "check", ZPO2_PACK=str(PROJECT / "packs" / "demo")).stdout.startswith("demo: ")


@pytest.mark.slow
def test_the_default_home_lies_in_the_working_folder(five_home: Path, tmp_path: Path) -> None:
    shutil.copytree(five_home, tmp_path / "data" / "five")
    done = in_folder(tmp_path, "status", "--json", "--pack", str(five_home.parent / "pack"))
    latest = json.loads((five_home / "public" / "latest.json").read_text(encoding="utf-8"))["version"]
    assert done.returncode == 0, done.stderr
    assert latest in done.stdout


@pytest.mark.slow
def test_check_refuses_a_home_of_another_pack(five_home: Path) -> None:
    assert zpo2("check", "--pack", five_home.parent / "pack", "--home", five_home).returncode == 0
    done = zpo2("check", "--home", five_home)
    assert done.returncode == 2
    assert "belongs to the pack five, not to demo" in done.stderr


@pytest.mark.slow
def test_verify_needs_a_release_or_a_home_with_one(five_home: Path, tmp_path: Path) -> None:
    done = zpo2("verify", "--pack", five_home.parent / "pack", "--home", five_home)
    assert (done.returncode, done.stdout) == (0, f"{current_release(five_home)}: no fault\n")
    empty = zpo2("verify", "--pack", five_home.parent / "pack", "--home", tmp_path / "none")
    assert empty.returncode == 2
    assert "nothing has been published yet" in empty.stderr
