"""The lake: canonical Parquet files, and a receipt for each processed snapshot. Does not interpret rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
from pydantic import Field

from pipelines.core import atomic, checksums
from pipelines.core.state import StateFile
from pipelines.extract.snapshots import slug
from pipelines.lake import boundaries as area_boundaries
from pipelines.lake import territory
from pipelines.lake.mapping import boundaries, events, observations, refused, register

QUARANTINE = pl.Schema({
    "source": pl.String, "part": pl.String, "snapshot": pl.String, "row_number": pl.Int64, "column": pl.String,
    "value": pl.String, "reason": pl.String, "cell": pl.String,
})  # fmt: skip
"""Where `column` is null, the whole row is rejected, and `value` holds its declared cells as JSON. Personal cells are masked.

`cell` says which row of a line it is, where a line of the file gives several rows (a column of a wide table)."""
CONFLICTS = {c: observations.SCHEMA[c] for c in ("source", "measure", "ref_area", "time_period", "sex", "age")}
UNIVERSE = {"source": pl.String, "ref_area": pl.String}
AREA_NOTES = {"source": pl.String, "measure": pl.String, "note": pl.String, "ref_area": pl.String}
EVENT_MERGES = {
    f"{prefix}{name}": kind
    for prefix in ("", "winner_")
    for name, kind in (("source", pl.String), ("part", pl.String), ("row_number", pl.Int64), ("id", pl.String))
}
"""Events that are left out of counts because an earlier feed has the same event, the winner."""
KINDS: dict[str, Mapping[str, Any]] = {
    "observations": observations.SCHEMA,
    "events": events.SCHEMA,
    "register": register.SCHEMA,
    "refused_entries": refused.SCHEMA,
    "area_rows": territory.ROW_SCHEMA,
    "area_changes": territory.CHANGE,
    "boundaries": boundaries.SCHEMA,
    "area_boundaries": area_boundaries.AREA_BOUNDARY,
    "areas": territory.AREA_COLUMNS,
    "area_gaps": territory.GAP,
    "area_parents": territory.LINK,
    "area_codes": territory.CODE,
    "area_attributes": territory.ATTRIBUTE,
    "quarantine": QUARANTINE,
    "conflicts": CONFLICTS,
    "universe": UNIVERSE,
    "area_notes": AREA_NOTES,
    "event_merges": EVENT_MERGES,
}


@dataclass(frozen=True)
class File:
    """One Parquet file of the lake, with its number of rows and its checksum."""

    path: str
    rows: int
    sha256: str


class Receipt(StateFile):
    """What became of one snapshot under one declaration and one version of the code."""

    CURE: ClassVar[str] = "the snapshot is read again"

    source: str
    part: str
    snapshot: str
    key: str
    rows_read: int = 0
    accepted: int = 0
    quarantined: int = 0
    ignored: dict[str, int] = Field(default_factory=dict)
    cells_quarantined: int = 0
    files: dict[str, File] = Field(default_factory=dict)
    shape: dict[str, Any] = Field(default_factory=dict)
    warnings: list[str] = Field(default_factory=list)
    corrected: list[int] = Field(default_factory=list)
    """How many rows each declared correction changed."""
    measures: dict[str, tuple[int, int]] = Field(default_factory=dict)
    """By measure, how many accepted rows carry it, and in how many of them its value is refused."""
    values: dict[str, int] | None = None
    """By measure, how many accepted rows have a value; None in receipts of earlier versions."""
    entries: dict[str, int] = Field(default_factory=dict)
    """By count and condition (`counted.condition_key`), how many accepted entries meet the condition."""

    def assert_rows_add_up(self) -> None:
        """Raise AssertionError where a row is neither accepted, nor in quarantine, nor ignored."""
        total = self.accepted + self.quarantined + sum(self.ignored.values())
        if total != self.rows_read:
            raise AssertionError(
                f"{self.source} {self.part}: {self.rows_read} rows read, but {self.accepted} accepted + {self.quarantined} quarantined "
                f"+ {sum(self.ignored.values())} ignored = {total}"
            )


class Lake:
    """Files below one folder. Every write goes to a temporary file, which is flushed and then renamed.

    Files are read only with the bytes that they were written with. `set_aside` lists those that were not, and are made again.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.set_aside: list[str] = []

    def write(self, kind: str, relative: str, frame: pl.DataFrame) -> File:
        """Write `frame` as `<kind>/<relative>.parquet` and return its entry for a manifest."""
        target = self.root / kind / f"{relative}.parquet"
        with atomic.atomic_write(target) as path:
            frame.write_parquet(path, compression="zstd", compression_level=1)
            digest = checksums.sha256_of(path)
        return File(str(target.relative_to(self.root)), frame.height, digest)

    def read(self, file: File) -> pl.DataFrame:
        """Return the rows of a file. Raises DamagedFile."""
        path = self.root / file.path
        if not checksums.is_intact(path, file.sha256):
            raise checksums.DamagedFile(f"{path}: missing or damaged on the disk; remove it, and the next `zpo2 run` makes it again")
        return pl.read_parquet(self.root / file.path, use_statistics=False)

    def read_all(self, files: list[File], kind: str) -> pl.DataFrame:
        """Return the rows of all files; without any, an empty frame with the columns of `kind`."""
        frames = [self.read(f) for f in files if f.rows]
        return pl.concat(frames) if frames else pl.DataFrame(schema=KINDS[kind])

    def empty_file(self, kind: str) -> File:
        """Return a file without rows, so that every kind has its columns in every state."""
        target = self.root / kind / "none.parquet"
        content = BytesIO()
        pl.DataFrame(schema=KINDS[kind]).write_parquet(content, compression="zstd", compression_level=1)
        sha256 = hashlib.sha256(content.getvalue()).hexdigest()
        if not checksums.is_intact(target, sha256):
            return self.write(kind, "none", pl.DataFrame(schema=KINDS[kind]))
        return File(str(target.relative_to(self.root)), 0, sha256)

    def load_receipt(self, source: str, part: str, key: str) -> Receipt | None:
        """Return the receipt of an earlier run; None where there is none, or it or one of its files is missing or damaged.

        Damaged files are set aside: the caller makes them again.
        """
        receipt = Receipt.load_if_whole(self._receipt_path(source, part, key))
        if receipt is None or receipt.key != key:
            return None
        lost = [f.path for f in receipt.files.values() if not checksums.is_intact(self.root / f.path, f.sha256)]
        for damaged in lost:
            if (self.root / damaged).is_file():
                checksums.set_aside_with_log(self.root / damaged)
                self.set_aside.append(damaged)
        return None if lost else receipt

    def save_receipt(self, receipt: Receipt) -> None:
        """Keep the receipt for later runs. Its rows must add up."""
        receipt.assert_rows_add_up()
        receipt.save(self._receipt_path(receipt.source, receipt.part, receipt.key))

    def _receipt_path(self, source: str, part: str, key: str) -> Path:
        return self.root / "receipts" / source / f"{slug(part)}-{key[:24]}.json"
