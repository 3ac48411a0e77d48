"""The same inputs give the same bytes, whatever the machine around them is set to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.conftest import current_release
from tests.support.changing_pack import ACCEPT, ChangingPack
from tests.support.command import EPOCH, environment, zpo2

pytestmark = pytest.mark.slow

ELSEWHERE = {
    "PYTHONHASHSEED": "4711",
    "LC_ALL": "C",
    "TZ": "Pacific/Kiritimati",
    "POLARS_MAX_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}


def of(release: Path) -> dict[str, bytes]:
    """Return what must be the same bytes: everything but the DuckDB file and its line of SHA256SUMS."""
    files = {p.relative_to(release).as_posix(): p.read_bytes() for p in release.rglob("*") if p.is_file()}
    del files["indicators.duckdb"]
    files["SHA256SUMS"] = b"\n".join(line for line in files["SHA256SUMS"].splitlines() if not line.endswith(b"  indicators.duckdb"))
    return files


def content(release: Path) -> dict[str, Any]:
    """Return all that the DuckDB file holds: tables, row by row, views, macros and every comment."""
    with duckdb.connect(str(release / "indicators.duckdb"), read_only=True) as connection:

        def asked(query: str) -> list[tuple[Any, ...]]:
            return connection.execute(query).fetchall()

        names = [name for (name,) in asked("select table_name from duckdb_tables() order by 1")]
        tables = {name: asked(f'from "{name}"') for name in names}
        described = {
            "columns": asked("select table_name, column_name, data_type, is_nullable, comment from duckdb_columns() where not internal"),
            "tables": asked("select table_name, comment, sql from duckdb_tables()"),
            "views": asked("select view_name, comment, sql from duckdb_views() where not internal"),
            "macros": asked("select function_name, comment, macro_definition from duckdb_functions() where not internal"),
        }
    return {**tables, **{name: sorted(rows, key=repr) for name, rows in described.items()}}


def test_two_builds_in_different_surroundings_are_the_same_bytes(five_home: Path, tmp_path: Path) -> None:
    one_processor = ["taskset", "-c", str(min(os.sched_getaffinity(0)))] if shutil.which("taskset") else []
    pack = Path(shutil.copytree(five_home.parent / "pack", tmp_path / "another folder" / "päck"))
    home = tmp_path / "a home of another name"
    arguments = ["run", "--pack", str(pack), "--home", str(home)]
    done = subprocess.run(
        ["sh", "-c", 'umask 077; exec "$@"', "sh", *one_processor, sys.executable, "-m", "pipelines.cli", *arguments],
        env=environment(SOURCE_DATE_EPOCH=EPOCH, **ELSEWHERE), cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    first, second = current_release(five_home), current_release(home)
    expected, found = of(first), of(second)
    assert sorted(found) == sorted(expected)
    assert [name for name in expected if found[name] != expected[name]] == []
    assert len(expected) > 50
    assert content(second) == content(first)
    modes = [{p.relative_to(release).as_posix(): p.stat().st_mode for p in release.rglob("*")} for release in (first, second)]
    assert modes[0] == modes[1]  # a mask of the process keeps no server from reading


def test_a_run_after_a_change_gives_the_bytes_of_a_run_in_an_empty_home(tmp_path: Path) -> None:
    pack, home = ChangingPack(tmp_path / "pack"), tmp_path / "home"

    def run(folder: Path) -> Path:
        done = zpo2("run", "--pack", pack.folder, "--home", folder, *ACCEPT, SOURCE_DATE_EPOCH=EPOCH)
        assert done.returncode == 3, done.stdout + done.stderr  # a source of the pack never comes
        return current_release(folder)

    edits = [
        ("data/figures.csv", "flow,2021,t1,_T,_T,5,A", "flow,2021,t1,_T,_T,6,A"),
        ("indicators/all.yml", '"id": "per_km2", "title": "per_km2"', '"id": "per_surface", "title": "Pairs by area"'),
    ]
    before = run(home)
    empty = tmp_path / "empty"
    shutil.copytree(home / "public", empty / "public")  # the same release before
    shutil.copy(home / "home.json", empty)
    for name, old, new in edits:
        pack.edit(name, old, new)
    changed, rebuilt = run(home), run(empty)
    assert changed != before
    assert of(changed) == of(rebuilt)
    assert content(changed) == content(rebuilt)
