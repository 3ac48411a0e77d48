"""The lake: canonical Parquet files, a receipt for each processed snapshot, and manifests of which files make up one state. Interprets no row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.core import atomic
from pipelines.extract.snapshots import sha256_of, slug
from pipelines.lake import territory
from pipelines.lake.mapping import events, observations, register

QUARANTINE = {
    "source": pl.String, "part": pl.String, "snapshot": pl.String, "row_number": pl.Int64, "column": pl.String,
    "value": pl.String, "reason": pl.String,
}  # fmt: skip
"""`column` null: the whole row, its declared cells as JSON in `value`; personal cells are masked."""
CONFLICTS = {c: observations.SCHEMA[c] for c in ("source", "measure", "ref_area", "time_period", "sex", "age")}
UNIVERSE = {"source": pl.String, "ref_area": pl.String}
EVENT_MERGES = {
    f"{prefix}{name}": kind
    for prefix in ("", "winner_")
    for name, kind in (("source", pl.String), ("part", pl.String), ("row_number", pl.Int64), ("id", pl.String))
}
"""Events that an event of an earlier feed, the winner, stands for."""
KINDS: dict[str, Mapping[str, Any]] = {
    "observations": observations.SCHEMA,
    "events": events.SCHEMA,
    "register": register.SCHEMA,
    "area_rows": territory.ROW_SCHEMA,
    "area_changes": territory.CHANGE,
    "areas": territory.AREA_COLUMNS,
    "area_parents": territory.LINK,
    "area_codes": territory.CODE,
    "area_attributes": territory.ATTRIBUTE,
    "quarantine": QUARANTINE,
    "conflicts": CONFLICTS,
    "universe": UNIVERSE,
    "event_merges": EVENT_MERGES,
}


@dataclass(frozen=True)
class File:
    """One Parquet file of the lake; it counts only with its rows and its checksum."""

    path: str
    rows: int
    sha256: str


@dataclass
class Receipt:
    """What became of one snapshot under one declaration and one version of the code."""

    source: str
    part: str
    snapshot: str
    key: str
    rows_read: int
    accepted: int
    quarantined: int
    ignored: dict[str, int]
    cells_quarantined: int
    files: dict[str, File] = field(default_factory=dict)
    shape: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    corrected: list[int] = field(default_factory=list)  # rows that each declared correction changed

    def assert_nothing_lost(self) -> None:
        total = self.accepted + self.quarantined + sum(self.ignored.values())
        if total != self.rows_read:
            raise AssertionError(
                f"{self.source} {self.part}: {self.rows_read} rows read, but {self.accepted} accepted + {self.quarantined} quarantined "
                f"+ {sum(self.ignored.values())} ignored = {total}"
            )


class Lake:
    """Files below one folder. Every write is a temporary file, flushed, then renamed."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, kind: str, relative: str, frame: pl.DataFrame) -> File:
        """Write `frame` as `<kind>/<relative>.parquet` and return its entry for a manifest."""
        target = self.root / kind / f"{relative}.parquet"
        with atomic.atomic_write(target) as path:
            frame.write_parquet(path, compression="zstd", compression_level=1)
            digest = sha256_of(path)
        return File(str(target.relative_to(self.root)), frame.height, digest)

    def read(self, file: File) -> pl.DataFrame:
        return pl.read_parquet(self.root / file.path, use_statistics=False)

    def read_all(self, files: list[File], kind: str) -> pl.DataFrame:
        frames = [self.read(f) for f in files if f.rows]
        return pl.concat(frames) if frames else pl.DataFrame(schema=KINDS[kind])

    def intact(self, file: File) -> bool:
        """Whether the file is there with the size of its receipt's promise: its footer's row count."""
        path = self.root / file.path
        try:
            return path.is_file() and int(pl.scan_parquet(path).select(pl.len()).collect().item()) == file.rows
        except (pl.exceptions.PolarsError, OSError):
            return False

    def empty(self, kind: str) -> File:
        """Return a file without rows, so that every kind has its columns in every state."""
        target = self.root / kind / "none.parquet"
        if not target.is_file():
            return self.write(kind, "none", pl.DataFrame(schema=KINDS[kind]))
        return File(str(target.relative_to(self.root)), 0, sha256_of(target))

    def _receipt_path(self, source: str, part: str, key: str) -> Path:
        return self.root / "receipts" / source / f"{slug(part)}-{key[:24]}.json"

    def receipt(self, source: str, part: str, key: str) -> Receipt | None:
        """Return the receipt of an earlier run, if all its files are still there."""
        stored = atomic.read_json(self._receipt_path(source, part, key), None)
        if stored is None or stored.get("key") != key:
            return None
        stored["files"] = {kind: File(**f) for kind, f in stored["files"].items()}
        receipt = Receipt(**stored)
        return receipt if all((self.root / f.path).is_file() for f in receipt.files.values()) else None

    def keep(self, receipt: Receipt) -> None:
        receipt.assert_nothing_lost()
        atomic.write_json(self._receipt_path(receipt.source, receipt.part, receipt.key), asdict(receipt))


# ------------------------------------------------------------------------------------------------------------------ manifests


def write_manifest(folder: Path, manifest: dict[str, Any]) -> str:
    """Write `manifest` under its own digest and make it the current one; return the digest."""
    digest = manifest["digest"]
    name = f"{manifest['created_at'].replace(':', '')}-{digest[:16]}.json"
    if not (folder / name).is_file():
        atomic.write_json(folder / name, manifest)
    atomic.write_json(folder / "current.json", manifest)
    return str(digest)
