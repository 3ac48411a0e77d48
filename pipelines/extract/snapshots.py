"""The archive of raw bytes: content-addressed; a run never changes or deletes a snapshot. Does not look at the content.

The content of a part that grows in small steps may be kept as its difference from earlier content (see `deltas`).
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote

from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass

from pipelines.core import atomic, checksums
from pipelines.core.checksums import DamagedFile
from pipelines.core.state import StateError, load_state
from pipelines.extract.deltas import Delta, difference, number_of_base

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
    """Snapshots below one folder: `blobs/ab/<sha256>`, and a sidecar file per source, part and content.

    Content that is kept as its difference from other content is in `blobs/ab/<sha256>.delta`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, sha256: str) -> Path:
        """Return where content is kept in full. To read it, use `opened`."""
        return self.root / "blobs" / sha256[:2] / sha256

    def _delta_path(self, sha256: str) -> Path:
        return self.path(sha256).with_name(f"{sha256}.delta")

    def file_of(self, sha256: str) -> Path | None:
        """Return the file that holds content, in full or as a difference; None where there is none."""
        return next((path for path in (self.path(sha256), self._delta_path(sha256)) if path.is_file()), None)

    def size(self, sha256: str) -> int:
        """Return the length of content in bytes. Raises DamagedFile where the archive lacks it."""
        path = self.path(sha256)
        return path.stat().st_size if path.is_file() else Delta.load(self._delta_path(sha256)).size

    def _sidecar(self, source: str, part: str, sha256: str) -> Path:
        return self.root / "snapshots" / source / slug(part) / f"{sha256}.json"

    def find(self, source: str, part: str, sha256: str) -> Snapshot | None:
        """Return the snapshot of a part with this content, None where there is none."""
        snapshot = _described(self._sidecar(source, part, sha256))
        return snapshot if snapshot is not None and self.file_of(sha256) else None

    def sidecars(self) -> Iterator[Snapshot]:
        """Yield every snapshot whose bytes are there, except those whose sidecar is damaged."""
        for path in sorted((self.root / "snapshots").glob("*/*/*.json")):
            snapshot = _described(path)
            if snapshot is not None and self.file_of(snapshot.sha256):
                yield snapshot

    def restore(self, snapshot: Snapshot) -> None:
        """Write the sidecar of a snapshot again."""
        atomic.write_json(self._sidecar(snapshot.source, snapshot.part, snapshot.sha256), asdict(snapshot))

    def add(self, content: Path, snapshot: Snapshot) -> Snapshot:
        """Archive the bytes in `content`. The same bytes added twice are one snapshot, with the time of the first.

        Bytes that the archive has already, but that were damaged on the disk since, are replaced.
        """

        def write() -> None:
            with atomic.atomic_write(self.path(snapshot.sha256)) as path:
                shutil.copyfile(content, path)
                if checksums.sha256_of(path) != snapshot.sha256:
                    raise OSError(f"{content}: changed while it was archived")

        return self._add(snapshot, write)

    def add_successor(self, content: bytes, snapshot: Snapshot, before: str) -> Snapshot:
        """Archive `content`, which follows the content `before` of the same part. What both have in common is not written again.

        It is written in full where there is none before, where that cannot be read, or where both have little in common.
        """

        def write() -> None:
            delta = self._delta(content, before)
            written = content if delta is None else delta.to_bytes()
            with atomic.atomic_write(self.path(snapshot.sha256) if delta is None else self._delta_path(snapshot.sha256)) as path:
                path.write_bytes(written)

        return self._add(snapshot, write)

    def _add(self, snapshot: Snapshot, write: Callable[[], None]) -> Snapshot:
        if self.is_intact(snapshot.sha256):
            archived = self.find(snapshot.source, snapshot.part, snapshot.sha256)
            if archived:
                return archived
        else:
            self.set_damaged_aside(snapshot.sha256)
            write()
        atomic.write_json(self._sidecar(snapshot.source, snapshot.part, snapshot.sha256), asdict(snapshot))
        return snapshot

    def _delta(self, content: bytes, before: str) -> Delta | None:
        """Return how content differs from that on which it builds, None where it is to be kept in full."""
        if not before:
            return None
        try:
            deltas, root = self._chain(before)
            number = deltas[0][1].number + 1 if deltas else 1
            older = [*((sha256, delta.number) for sha256, delta in deltas), (root, 0)]
            base = next(sha256 for sha256, its_number in older if its_number <= number_of_base(number))
            lines = self.read(base).split(b"\n")
        except DamagedFile:
            self.set_damaged_aside(before)
            return None
        delta = Delta(base, number, len(content), difference(lines, content.split(b"\n")))
        return delta if len(delta.to_bytes()) < len(content) else None

    def _chain(self, sha256: str) -> tuple[list[tuple[str, Delta]], str]:
        """Return the differences from which content is composed, the last one first, and the content in full that they begin with.

        Raises DamagedFile.
        """
        deltas: list[tuple[str, Delta]] = []
        while not self.path(sha256).is_file():
            path = self._delta_path(sha256)
            delta = Delta.load(path)
            if deltas and delta.number >= deltas[-1][1].number:
                raise DamagedFile(f"{path}: its number is not smaller than that of the content that builds on it")
            deltas.append((sha256, delta))
            sha256 = delta.base
        return deltas, sha256

    def read(self, sha256: str) -> bytes:
        """Return exactly the bytes of this checksum. Raises DamagedFile where the archive lacks them or has others."""
        deltas, root = self._chain(sha256)
        content = self.path(root).read_bytes()
        if deltas:
            lines = content.split(b"\n")
            for _, delta in reversed(deltas):
                lines = delta.applied_to(lines)
            content = b"\n".join(lines)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise DamagedFile(f"{self.path(root)}: damaged on the disk")
        return content

    @contextmanager
    def opened(self, sha256: str) -> Iterator[Path]:
        """Yield a file with exactly the bytes of this checksum. Raises DamagedFile where the archive lacks them or has others."""
        path = self.path(sha256)
        if path.is_file() and checksums.is_intact(path, sha256):
            yield path
            return
        content = self.read(sha256)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / sha256
            path.write_bytes(content)
            yield path

    def is_intact(self, sha256: str) -> bool:
        """Whether the archive has exactly the bytes of this checksum."""
        if self.path(sha256).is_file():
            return checksums.is_intact(self.path(sha256), sha256)
        try:
            self.read(sha256)
        except (DamagedFile, OSError):
            return False
        return True

    def set_damaged_aside(self, sha256: str) -> None:
        """Rename the damaged file because of which content cannot be read. The archive then lacks these bytes, and they are fetched again."""
        number: int | None = None
        while not self.path(sha256).is_file():
            path = self._delta_path(sha256)
            try:
                delta = Delta.load(path)
            except DamagedFile:
                if path.is_file():
                    checksums.set_aside_with_log(path)
                return
            if number is not None and delta.number >= number:
                return
            number, sha256 = delta.number, delta.base
        if not checksums.is_intact(self.path(sha256), sha256):
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
