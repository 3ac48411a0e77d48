"""What every step of the ingest works with: the pack, where bytes and tables lie, and the territory once it is known."""

from __future__ import annotations

from pipelines.core import versions
from pipelines.core.fingerprint import digest
from pipelines.extract.snapshots import Archive, Snapshot
from pipelines.lake.sandbox import Sandbox
from pipelines.lake.store import File, Lake
from pipelines.lake.territory import resolve
from pipelines.packs.schema import FetchedSource
from pipelines.packs.workspace import Workspace


class Context:
    """One run's tools. The territory is empty until the sources of areas are read and `resolve` is called."""

    def __init__(self, workspace: Workspace) -> None:
        self.pack = workspace.pack
        self.workspace = workspace
        self.settings = workspace.settings
        self.archive = Archive(workspace.archive)
        self.lake = Lake(workspace.lake)
        self.sandbox = Sandbox()
        self.territory = resolve([], workspace.pack.file.country)
        self.territory_digest = ""

    def resolve(self, files: list[File]) -> None:
        self.territory_digest = digest([[f.sha256 for f in files], self.pack.file.country, versions.LAKE])
        self.territory = resolve([self.lake.read(f) for f in files], self.pack.file.country)

    def change_areas(self, files: list[File]) -> None:
        """Take the changes of areas into the territory; without any it stays as it is."""
        changes = self.lake.read_all(files, "area_changes")
        if changes.height:
            self.territory_digest = digest([self.territory_digest, [f.sha256 for f in files]])
            self.territory = self.territory.changed_by(changes)

    def key(self, source: FetchedSource, snapshot: Snapshot) -> str:
        """Return what decides whether a snapshot was processed before: its bytes, the declaration, the territory and the code."""
        what = source.model_dump(mode="json", exclude={"title", "publisher", "licence", "homepage", "citation", "fetch", "breaks"})
        territory = "" if source.into == "areas" else self.territory_digest
        levels = [level.id for level in self.pack.file.levels]
        return digest([what, snapshot.sha256, snapshot.part, territory, levels, versions.LAKE])
