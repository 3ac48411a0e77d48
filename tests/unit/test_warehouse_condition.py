"""Whether the warehouse is the one that a whole run built from the present lake."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.core.settings import Settings
from pipelines.core.workspace import WorkspaceFolder
from pipelines.lake.manifest import Manifest
from pipelines.lake.store import File
from pipelines.warehouse import condition


@pytest.fixture
def workspace(tmp_path: Path) -> WorkspaceFolder:
    """A workspace with a lake of one file, and a warehouse that was built from it."""
    folder = WorkspaceFolder(tmp_path, Settings())
    (folder.lake / "levels").mkdir(parents=True)
    (folder.lake / "levels" / "a.parquet").write_bytes(b"rows")
    Manifest(digest="1", created_at="2026", files={"levels": [File("levels/a.parquet", 1, "0" * 64)]}).make_current(folder)
    folder.warehouse.write_bytes(b"tables")
    condition.note_built(folder)
    return folder


class TestIsCurrent:
    def test_after_a_whole_run(self, workspace: WorkspaceFolder) -> None:
        assert condition.is_current(workspace)
        condition.assert_current(workspace)

    def test_not_without_a_warehouse(self, workspace: WorkspaceFolder) -> None:
        workspace.warehouse.unlink()
        assert not condition.is_current(workspace)
        with pytest.raises(condition.WarehouseError, match="there is no warehouse yet; materialize all assets together, or run `zpo2 run`"):
            condition.assert_current(workspace)

    def test_not_after_a_change_in_part(self, workspace: WorkspaceFolder) -> None:
        with workspace.warehouse.open("ab") as file:
            file.write(b" and more")
        assert not condition.is_current(workspace)
        with pytest.raises(condition.WarehouseError, match="changed in part"):
            condition.assert_current(workspace)

    def test_not_with_another_lake(self, workspace: WorkspaceFolder) -> None:
        Manifest(digest="2", created_at="2027").make_current(workspace)
        assert not condition.is_current(workspace)

    def test_not_without_a_file_of_the_lake(self, workspace: WorkspaceFolder) -> None:
        (workspace.lake / "levels" / "a.parquet").unlink()
        assert not condition.is_current(workspace)

    def test_not_where_a_run_has_begun_to_change_it(self, workspace: WorkspaceFolder) -> None:
        condition.forget_built(workspace)
        assert not condition.is_current(workspace)

    def test_not_with_an_unreadable_note(self, workspace: WorkspaceFolder) -> None:
        condition.WarehouseNote.path(workspace).write_text("{")
        assert not condition.is_current(workspace)
