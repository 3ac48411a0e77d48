"""The code location as Dagster's own tools see it: it loads, validates, and its job runs outside the `zpo2` command too."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import PROJECT, environment, zpo2

pytestmark = pytest.mark.slow


@pytest.fixture
def variables(five_home: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of a code location on a copy of the five-places home."""
    root = shutil.copytree(five_home.parent, tmp_path / "five")
    home = root / "home"
    return environment(ZPO2_PACK=str(root / "pack"), ZPO2_HOME=str(home), DAGSTER_HOME=str(home / "dagster"))


def tool(name: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / name), *arguments]
    return subprocess.run(command, cwd=PROJECT, env=variables, capture_output=True, text=True, timeout=300, check=False)


def test_the_definitions_validate(variables: dict[str, str]) -> None:
    done = tool("dagster", "definitions", "validate", "-m", "pipelines.orchestration.definitions", **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Validation successful for code location pipelines.orchestration.definitions" in done.stdout + done.stderr


def test_the_project_checks_with_dg(variables: dict[str, str]) -> None:
    done = tool("dg", "check", "defs", **variables)
    assert done.returncode == 0, done.stdout + done.stderr


def test_part_of_a_missing_warehouse_is_refused_and_a_run_builds_it_again(variables: dict[str, str]) -> None:
    warehouse = Path(variables["ZPO2_HOME"]) / "warehouse.duckdb"
    warehouse.unlink()
    arguments = ("asset", "materialize", "-m", "pipelines.orchestration.definitions", "--select", 'key:"five/marts/mart_peers"')
    done = tool("dagster", *arguments, **variables)
    assert done.returncode != 0
    assert "materialize all assets together, or run `zpo2 run`" in done.stdout + done.stderr
    assert not warehouse.exists()
    after = zpo2("run", "--pack", variables["ZPO2_PACK"], "--home", variables["ZPO2_HOME"])
    assert after.returncode == 0, after.stdout + after.stderr
    assert "(unchanged)" in after.stdout
    assert warehouse.is_file()


def test_a_job_started_by_dagster_makes_the_release_and_holds_the_home(variables: dict[str, str]) -> None:
    pack, home = variables["ZPO2_PACK"], Path(variables["ZPO2_HOME"])
    people = Path(pack) / "data" / "people_2021.csv"
    people.write_text(people.read_text().replace("a1,M,13", "a1,M,14").replace("309", "310"))
    before = (home / "public" / "latest.json").read_bytes()
    done = tool("dagster", "job", "execute", "-m", "pipelines.orchestration.definitions", "-j", "publish", **variables)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert (home / "public" / "latest.json").read_bytes() != before
    after = zpo2("run", "--pack", pack, "--home", home)
    assert "(unchanged)" in after.stdout, after.stdout  # what Dagster published is what the command would publish
