"""A workspace that version 0.1.0 made, before its state files had models, goes on working.

`data/workspace-0.1.0.tar.xz` is the workspace of a run of the five-places pack, without what Dagster and dbt can make again.
"""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import polars as pl
import pytest

from tests.conftest import current_release
from tests.support import five_places
from tests.support.command import EPOCH, zpo2

ARCHIVE = Path(__file__).parent / "data" / "workspace-0.1.0.tar.xz"
pytestmark = pytest.mark.slow


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = tmp_path / "home"
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(root, filter="tar")
    five_places.write(tmp_path / "pack")
    return root


def command(workspace: Path, *arguments: str) -> str:
    done = zpo2(*arguments, "--pack", workspace.parent / "pack", "--home", workspace, SOURCE_DATE_EPOCH=EPOCH)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class TestWorkspaceOfVersion010:
    def test_status_reads_its_state_files(self, workspace: Path) -> None:
        status = json.loads(command(workspace, "status", "--json"))
        assert [(s["source"], s["rows_accepted"], s["stale_since"]) for s in status["sources"]] == [
            ("areas", 10, None),
            ("people", 20, None),
        ]
        assert [(r["version"], r["current"]) for r in status["releases"]] == [("2024.06.1", True)]
        assert status["gate"]["passed"]

    def test_releases_can_be_verified_and_pinned(self, workspace: Path) -> None:
        command(workspace, "verify")
        assert "2024.06.1" in command(workspace, "pin", "2024.06.1")

    def test_run_keeps_history_and_numbers(self, workspace: Path) -> None:
        before = current_release(workspace)
        history = json.loads((workspace / "fetches.json").read_text(encoding="utf-8"))["people"]
        old = pl.read_csv(before / "csv" / "indicator_values.csv", infer_schema=False)
        old = old.filter(pl.col("time_period") != "")  # indicators without any data are published no more
        ran = command(workspace, "run")
        assert "table:indicator_values: expect_table_row_count_to_be_between (min_value 81): found 80; another version" in ran
        after = current_release(workspace)
        new = pl.concat(pl.read_csv(path, infer_schema=False) for path in sorted((after / "csv" / "indicator_values").glob("*.csv")))
        assert new.columns[: len(old.columns)] == old.columns, "new columns come after the old ones"
        assert new.select(old.columns).equals(old)
        states = json.loads((workspace / "fetches.json").read_text(encoding="utf-8"))["people"]
        assert {part: s["history"] for part, s in states.items()} == {part: s["history"] for part, s in history.items()}
        versions = [r["version"] for r in json.loads(command(workspace, "status", "--json"))["releases"]]
        assert versions[0] == "2024.06.1"
