"""dbt's unit tests: the rules of the evaluator on rows made by hand. They need a built warehouse for the types of its columns."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.core.workspace import WorkspaceFolder
from pipelines.warehouse import dbt
from tests.support.command import environment

pytestmark = pytest.mark.slow


def test_every_rule_holds_on_rows_made_by_hand(five_home: Path, tmp_path: Path) -> None:
    home = WorkspaceFolder(shutil.copytree(five_home, tmp_path / "home"))
    command = [sys.executable, "-W", "ignore", "-m", "dbt.cli.main", "test", "--select", "test_type:unit", "--no-use-colors"]
    environ = {**environment(), **dbt.environment(home)}
    done = subprocess.run([*command, "--project-dir", str(dbt.PROJECT_DIR)], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    results = json.loads((home.dbt / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
    statuses = [r["status"] for r in results if r["unique_id"].startswith("unit_test.")]
    assert len(statuses) >= 18
    assert set(statuses) == {"pass"}
    assert os.fspath(home.root) != os.fspath(five_home)
