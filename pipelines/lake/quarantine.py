"""The quarantine of a home: what was refused in the present state of the lake, and why. Only reads."""

from __future__ import annotations

import json

import polars as pl

from pipelines.core.workspace import WorkspaceFolder
from pipelines.lake.store import File, Lake


def quarantine_frame(workspace: WorkspaceFolder, source: str | None = None) -> pl.DataFrame:
    """Return the rejected rows and cells of the lake's present state."""
    manifest = json.loads(workspace.manifest.read_text(encoding="utf-8")) if workspace.manifest.is_file() else {"files": {}}
    files = [File(**f) for f in manifest["files"].get("quarantine", [])]
    frame = Lake(workspace.lake).read_all(files, "quarantine")
    return frame.filter(pl.col("source") == source) if source else frame
