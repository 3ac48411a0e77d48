"""The manifest: which Parquet files of the lake, from which snapshots, make up one state. dbt reads the same file with DuckDB (macro `lake`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from pipelines.core import atomic
from pipelines.core.fingerprint import digest
from pipelines.core.state import NEXT_RUN, StateFile
from pipelines.core.workspace import WorkspaceFolder
from pipelines.lake.store import File


class ManifestPart(BaseModel):
    """A part of a source: the snapshot that was processed, and the key of its receipt. Counted sources have no `url` and no `fetched_at`."""

    snapshot: str
    key: str
    url: str | None = None
    fetched_at: str | None = None


class ManifestSource(BaseModel):
    """The parts of one source that are in the lake."""

    kind: str = ""
    parts: dict[str, ManifestPart] = Field(default_factory=dict)


class Manifest(StateFile):
    """One state of the lake. `files` are by kind; `digest` covers everything but `format` and `created_at`."""

    CURE: ClassVar[str] = NEXT_RUN

    format: int = 1
    created_at: str = ""
    digest: str = ""
    pack: str = ""
    pack_digest: str | None = None
    code_version: int | str | None = None
    """The version of the lake stage. Workspaces of earlier versions hold a text here."""
    files: dict[str, list[File]] = Field(default_factory=dict)
    sources: dict[str, ManifestSource] = Field(default_factory=dict)

    @classmethod
    def current(cls, workspace: WorkspaceFolder) -> Manifest:
        """Return the manifest of the newest state of the lake, an empty one before the first run. Raises StateError."""
        return cls.load(workspace.manifest) or cls()

    def make_current(self, workspace: WorkspaceFolder) -> None:
        """Keep this manifest under its own digest, and make it the current one."""
        own = workspace.manifests / f"{self.created_at.replace(':', '')}-{self.digest[:16]}.json"
        if not own.is_file():
            self.save(own)
        self.save(workspace.manifest)

    def save(self, path: Path) -> None:
        """Replace `path` with the content of the manifest; keys without a value are left out."""
        atomic.write_json(path, self._content())

    def content_digest(self) -> str:
        """Return the digest of the content. It does not depend on the time at which the manifest is written."""
        return digest({name: value for name, value in self._content().items() if name not in ("format", "created_at", "digest")})

    def _content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.model_dump_json(exclude_none=True))
        return content
