"""Whether the warehouse is the one that a whole run built from the present lake. Opens no database, so that a command can ask it at once."""

from __future__ import annotations

from pathlib import Path

from pipelines.core.errors import Zpo2Error
from pipelines.core.state import StateError, StateFile
from pipelines.core.workspace import WorkspaceFolder
from pipelines.lake.manifest import Manifest

CURE = "materialize all assets together, or run `zpo2 run`"


class WarehouseError(Zpo2Error):
    """The warehouse is missing, or not the one of the lake."""


class WarehouseNote(StateFile):
    """Which state of the lake a whole run built the warehouse from, and what its file was like after that."""

    manifest: str
    size: int
    changed_ns: int

    @classmethod
    def path(cls, workspace: WorkspaceFolder) -> Path:
        return workspace.dbt / "warehouse.json"


def note_built(workspace: WorkspaceFolder) -> None:
    """Note that a run has built the whole warehouse from the present lake."""
    status = workspace.warehouse.stat()
    note = WarehouseNote(manifest=Manifest.current(workspace).digest, size=status.st_size, changed_ns=status.st_mtime_ns)
    note.save(WarehouseNote.path(workspace))


def forget_built(workspace: WorkspaceFolder) -> None:
    """Forget it, before the warehouse changes."""
    WarehouseNote.path(workspace).unlink(missing_ok=True)


def is_current(workspace: WorkspaceFolder) -> bool:
    """Whether a whole run built the warehouse from the present lake, and nothing has changed its file or removed a file of the lake since."""
    try:
        note = WarehouseNote.load(WarehouseNote.path(workspace))
        status = workspace.warehouse.stat()
    except (StateError, OSError):
        return False
    manifest = Manifest.current(workspace)
    return note == WarehouseNote(manifest=manifest.digest, size=status.st_size, changed_ns=status.st_mtime_ns) and not lost_files(
        workspace, manifest
    )


def assert_current(workspace: WorkspaceFolder) -> None:
    """Raise WarehouseError where `is_current` is false."""
    if not workspace.warehouse.is_file():
        raise WarehouseError(f"{workspace.warehouse}: there is no warehouse yet; {CURE}")
    if not is_current(workspace):
        raise WarehouseError(f"{workspace.warehouse}: it is not the whole warehouse of the present lake, or it was changed in part; {CURE}")


def lost_files(workspace: WorkspaceFolder, manifest: Manifest) -> list[str]:
    """Return the files of the lake that the manifest names and that do not exist, for example because they were damaged and set aside."""
    return [file.path for files in manifest.files.values() for file in files if not (workspace.lake / file.path).is_file()]
