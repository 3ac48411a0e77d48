"""Errors of the engine that mean a full disk become a sentence that says what to do."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipelines.core.workspace import WorkspaceFolder
from pipelines.warehouse.dbt import disk_fault


def test_a_reached_limit_of_the_spilled_files_is_named(tmp_path: Path) -> None:
    workspace = WorkspaceFolder(tmp_path)
    connection = duckdb.connect(config={"memory_limit": "40MB", "threads": 1, "temp_directory": str(tmp_path / "spill")})
    connection.execute("set max_temp_directory_size = '1MB'")
    with pytest.raises(duckdb.Error) as caught:
        connection.execute("create temp table sorted as select hash(i) as h, i from range(5_000_000) as r(i) order by h")
    message = disk_fault(workspace, str(caught.value))
    assert message is not None, caught.value
    assert str(tmp_path / "spill") in message
    assert "ZPO2_SPILL" in message


def test_other_errors_stay_as_they_are(tmp_path: Path) -> None:
    assert disk_fault(WorkspaceFolder(tmp_path), "Binder Error: no such column") is None
    assert "is full" in str(disk_fault(WorkspaceFolder(tmp_path), "IO Error: Could not write file: No space left on device"))
