"""What every step of the ingest works with: the pack, the archive, the lake, and the territory once it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import polars as pl

from pipelines.core import versions
from pipelines.core.fingerprint import digest
from pipelines.extract.snapshots import Archive, Snapshot
from pipelines.lake.ingest.shared_table import SharedTable
from pipelines.lake.sandbox import Sandbox
from pipelines.lake.store import File, Lake
from pipelines.lake.territory import merge_areas
from pipelines.packs.schema import FetchedSource, ObservationsMap
from pipelines.packs.workspace import Workspace

_NOT_OF_ROWS = {
    "title", "publisher", "licence", "licence_url", "rights", "carrier", "homepage", "citation", "fetch", "breaks", "snapshot",
    "max_quarantined", "owners", "tags",
}  # fmt: skip
"""The keys of a source that decide nothing about its rows."""


class UsedPart(Protocol):
    """A part of a source in this state of the lake: the snapshot that was processed, and the key of its receipt."""

    @property
    def snapshot(self) -> str: ...

    @property
    def key(self) -> str: ...


class Context:
    """The tools of one run. The territory is empty until the sources of areas are read and `load_areas` is called.

    `scratch` is the folder for what exists only while a file is read or an expression runs; without it, the system's is used, so that nothing
    is written to the workspace.
    """

    def __init__(self, workspace: Workspace, scratch: Path | None = None) -> None:
        self.pack = workspace.pack
        self.workspace = workspace
        self.scratch = scratch
        self.settings = workspace.settings
        self.archive = Archive(workspace.archive)
        self.lake = Lake(workspace.lake)
        self.sandbox = Sandbox(scratch)
        self.territory = merge_areas([], workspace.pack.file.country)
        self.territory_digest = ""
        self.parts_used: dict[str, Mapping[str, UsedPart]] = {}
        """By source, the parts that lookups into it may read."""
        self.lookup_tables: dict[tuple[str, str], pl.DataFrame] | None = None
        """The tables of lookups, to use again; None: they are made for each use, so that a run does not hold them."""
        self.shared: SharedTable | None = None
        """The table that the sources being processed share, if there is one."""
        self.damaged: set[tuple[str, str]] = set()
        """The sources and parts whose bytes in the archive were damaged."""

    def load_areas(self, files: list[File]) -> None:
        """Build the territory from the area rows of all sources."""
        self.territory_digest = digest([[f.sha256 for f in files], self.pack.file.country, versions.LAKE])
        self.territory = merge_areas([self.lake.read(f) for f in files], self.pack.file.country)

    def load_area_changes(self, files: list[File]) -> None:
        """Apply the changes of areas to the territory."""
        changes = self.lake.read_all(files, "area_changes")
        if changes.height:
            self.territory_digest = digest([self.territory_digest, [f.sha256 for f in files]])
            self.territory = self.territory.with_changes(changes)

    def receipt_key(self, source: FetchedSource, snapshot: Snapshot) -> str:
        """Return the key that decides whether a snapshot was processed before: its bytes, the declaration, the territory and the code.

        So do the receipts of the sources that it looks up.
        """
        declaration = source.model_dump(mode="json", exclude=_NOT_OF_ROWS if source.lookups else {*_NOT_OF_ROWS, "lookups"})
        territory = "" if source.into == "areas" else self.territory_digest
        levels = [level.id for level in self.pack.file.levels]
        weights = sorted(self.pack.weights & set(source.map.measures)) if isinstance(source.map, ObservationsMap) else []
        looked_up = {
            lookup.source: {part: used.key for part, used in sorted(self.parts_used.get(lookup.source, {}).items())}
            for lookup in source.lookups.values()
        }
        content = [declaration, snapshot.sha256, snapshot.part, territory, levels, weights, self.pack.file.declared_timezone, versions.LAKE]
        return digest([*content, looked_up] if looked_up else content)
