"""The archive of raw bytes: content-addressed; a run never changes or deletes a snapshot. Does not look at the content."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote

from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass

from pipelines.core import atomic, checksums
from pipelines.core.state import StateError, load_state

MAX_ASIDE = 64 * 1024**2  # bytes
MAX_SLUG = 120  # characters


@dataclass(frozen=True, config=ConfigDict(extra="ignore"))
class Snapshot:
    """The exact bytes of one part of a source, and where they came from."""

    source: str
    part: str
    url: str
    sha256: str
    bytes: int
    fetched_at: str
    final_url: str = ""
    media_type: str = ""
    licence: str = ""
    publisher: str = ""


_SIDECAR = TypeAdapter(Snapshot)


class Archive:
    """Snapshots below one folder: `blobs/ab/<sha256>`, and a sidecar file per source, part and content."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, sha256: str) -> Path:
        return self.root / "blobs" / sha256[:2] / sha256

    def _sidecar(self, source: str, part: str, sha256: str) -> Path:
        return self.root / "snapshots" / source / slug(part) / f"{sha256}.json"

    def find(self, source: str, part: str, sha256: str) -> Snapshot | None:
        """Return the snapshot of a part with this content, None where there is none."""
        snapshot = _described(self._sidecar(source, part, sha256))
        return snapshot if snapshot is not None and self.path(sha256).is_file() else None

    def sidecars(self) -> Iterator[Snapshot]:
        """Yield every snapshot whose bytes are there, except those whose sidecar is damaged."""
        for path in sorted((self.root / "snapshots").glob("*/*/*.json")):
            snapshot = _described(path)
            if snapshot is not None and self.path(snapshot.sha256).is_file():
                yield snapshot

    def restore(self, snapshot: Snapshot) -> None:
        """Write the sidecar of a snapshot again."""
        atomic.write_json(self._sidecar(snapshot.source, snapshot.part, snapshot.sha256), asdict(snapshot))

    def add(self, content: Path, snapshot: Snapshot) -> Snapshot:
        """Archive the bytes in `content`. The same bytes added twice are one snapshot, with the time of the first.

        Bytes that the archive has already, but that were damaged on the disk since, are replaced.
        """
        target = self.path(snapshot.sha256)
        if target.is_file() and not self.is_intact(snapshot.sha256):
            self.set_damaged_aside(snapshot.sha256)
        archived = self.find(snapshot.source, snapshot.part, snapshot.sha256)
        if archived:
            return archived
        if not target.is_file():
            with atomic.atomic_write(target) as path:
                shutil.copyfile(content, path)
                if checksums.sha256_of(path) != snapshot.sha256:
                    raise OSError(f"{content}: changed while it was archived")
        atomic.write_json(self._sidecar(snapshot.source, snapshot.part, snapshot.sha256), asdict(snapshot))
        return snapshot

    def is_intact(self, sha256: str) -> bool:
        """Whether the archive has exactly the bytes of this checksum. Ask this before reading them."""
        return checksums.is_intact(self.path(sha256), sha256)

    def set_damaged_aside(self, sha256: str) -> None:
        """Rename a file whose bytes do not have its checksum. The archive then lacks these bytes, and they are fetched again."""
        if self.path(sha256).is_file():
            checksums.set_aside_with_log(self.path(sha256))

    def set_aside(self, content: Path, source: str, part: str) -> None:
        """Keep the last rejected bytes of a part for inspection, unless they are larger than MAX_ASIDE."""
        if content.stat().st_size <= MAX_ASIDE:
            with atomic.atomic_write(self.root / "refused" / source / slug(part)) as path:
                shutil.copyfile(content, path)


def _described(sidecar: Path) -> Snapshot | None:
    """Return what a sidecar describes, None where there is none or where it is damaged: then `runs.repair` writes it again."""
    try:
        return load_state(sidecar, _SIDECAR)
    except StateError:
        return None


def slug(part: str) -> str:
    """Return a file name for the name of a part; '_' where a source has no parts."""
    name = quote(part, safe="=,") or "_"
    return name if len(name) <= MAX_SLUG else hashlib.sha256(part.encode()).hexdigest()
