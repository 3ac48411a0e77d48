"""The quarantine of a workspace: which rows and cells the present state of the lake rejects, and why. Only reads."""

from __future__ import annotations

import polars as pl

from pipelines.core.workspace import WorkspaceFolder
from pipelines.lake.manifest import Manifest
from pipelines.lake.store import Lake


def quarantine_frame(workspace: WorkspaceFolder, source: str | None = None) -> pl.DataFrame:
    """Return the rejected rows and cells of the lake's present state."""
    frame = Lake(workspace.lake).read_all(Manifest.current(workspace).files.get("quarantine", []), "quarantine")
    return frame.filter(pl.col("source") == source) if source else frame
