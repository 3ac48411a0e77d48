"""Commands that only look must start at once: they import none of the libraries that take seconds."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import five_places
from tests.support.command import environment

pytestmark = pytest.mark.slow

HEAVY = ("dagster", "dagster_dbt", "dbt", "great_expectations", "mcp", "pandas", "pandera", "requests", "pyarrow")
# runs a command as `zpo2` does, then names what was imported on the way
PROBE = """\
import sys
sys.argv = ["zpo2", *sys.argv[1:]]
from pipelines.cli.app import main
try:
    main()
except SystemExit as stop:
    code = stop.code or 0
else:
    code = 0
roots = sorted({name.partition(".")[0] for name in sys.modules})
print("imported:", *roots, file=sys.stderr)
raise SystemExit(code)
"""


def imported_by(*arguments: str | Path, **variables: str) -> tuple[int, set[str], str]:
    """Return the exit code of `zpo2` with `arguments`, the top-level packages it imported, and what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *map(str, arguments)],
        env=environment(**variables),
        input="",
        capture_output=True,
        text=True,
        check=False,
    )
    last = done.stderr.splitlines()[-1]
    assert last.startswith("imported:"), done.stderr
    return done.returncode, set(last.split()[1:]), done.stdout


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return five_places.write(tmp_path_factory.mktemp("budget") / "pack")


def test_the_probe_sees_what_is_imported(pack: Path) -> None:
    code, imported, _ = imported_by("check", "--pack", pack)
    assert code == 0
    assert {"pipelines", "typer", "duckdb", "yaml", "pydantic"} <= imported


def test_help_imports_none_of_the_slow_libraries() -> None:
    code, imported, text = imported_by("--help")
    assert code == 0
    assert "Fetch, check, transform, gate and publish." in text
    assert imported & set(HEAVY) == set()


def test_status_of_a_home_without_runs_imports_none_of_the_slow_libraries(pack: Path, tmp_path: Path) -> None:
    code, imported, text = imported_by("status", "--pack", pack, "--home", tmp_path / "home")
    assert code == 0
    assert "no release yet" in text
    assert imported & set(HEAVY) == set()


def test_check_imports_none_of_the_slow_libraries(pack: Path) -> None:
    code, imported, text = imported_by("check", "--pack", pack)
    assert code == 0
    assert "no fault" in text
    assert imported & set(HEAVY) == set()


@pytest.mark.slow
def test_status_after_a_run_imports_none_of_the_slow_libraries(five_home: Path) -> None:
    code, imported, text = imported_by("status", "--pack", five_home.parent / "pack", "--home", five_home)
    assert code == 0
    assert "(current)" in text
    assert imported & set(HEAVY) == set()


@pytest.mark.slow
def test_explaining_a_number_imports_no_more_than_its_contract_needs(five_home: Path) -> None:
    code, imported, text = imported_by("explain", "population", "S", "2021", "--pack", five_home.parent / "pack", "--home", five_home)
    assert code == 0
    assert "309 persons" in text
    assert imported & {"dagster", "dagster_dbt", "dbt", "great_expectations", "pandas", "requests"} == set()


@pytest.mark.slow
def test_serving_a_release_to_programs_imports_only_the_protocol_and_duckdb(five_home: Path) -> None:
    code, imported, _ = imported_by("mcp", "--home", five_home)  # its input ends at once
    assert code == 0
    assert {"mcp", "duckdb"} <= imported
    assert imported & {*HEAVY, "boto3", "numpy", "polars"} == {"mcp"}


@pytest.mark.slow
def test_an_unchanged_run_imports_neither_dagster_nor_dbt_nor_great_expectations(five_home: Path, tmp_path: Path) -> None:
    home = shutil.copytree(five_home, tmp_path / "home")
    code, imported, text = imported_by("run", "--pack", five_home.parent / "pack", "--home", home)
    assert code == 0
    assert "(unchanged)" in text
    assert imported & {"dagster", "dagster_dbt", "dbt", "great_expectations", "pandas", "pandera"} == set()
