"""A pack together with the folder its runs write to and the settings of this process."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pipelines.core.settings import Settings
from pipelines.core.workspace import WorkspaceFolder
from pipelines.packs.loading import load
from pipelines.packs.pack import Pack


@dataclass(frozen=True)
class Workspace(WorkspaceFolder):
    """What every step of a run works with: the pack, its folder, and the settings."""

    pack: Pack = field(kw_only=True, repr=False)

    @classmethod
    def of(cls, pack: Pack, root: Path, settings: Settings) -> Workspace:
        return cls(root, settings, pack=pack)

    @classmethod
    def load(cls, settings: Settings) -> Workspace:
        """Load the pack that `settings` name and return its workspace. Raises PackError, WorkspaceError."""
        pack = load(settings.pack.absolute())
        workspace = cls(settings.home_of(pack.id), settings, pack=pack)
        workspace.owned_by(pack.id)
        return workspace

    def open(self) -> None:
        """Create the folder, or make sure that it belongs to the pack. Raises WorkspaceError."""
        self.claim(self.pack.id)
