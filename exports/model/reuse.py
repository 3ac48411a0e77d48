"""Files of the previous release that a build links instead of writing them again, because everything they are made from is the same.

A file has a key: a digest of the rows, the declarations and the versions of everything that writes it. A note in the staging folder
keeps the keys of a release. It is never published; without it, all files are written, with the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from exports.model import checksums, layout
from exports.model.info import FileFacts
from pipelines.core import versions

NOTE = "published.json"
"""The name of the note in the staging folder."""
LIBRARIES = ("duckdb", "numpy", "orjson", "polars", "pyarrow")
"""Libraries that compute the digests or write the files. After an upgrade of one of them, all files are written again."""


@dataclass(frozen=True)
class TableDigest:
    """A digest of the rows of a table, free of their order. `parts` has one for each value of the column `by`; without it, one for ''.

    `counts` has the rows of each part.
    """

    counts: Mapping[str, int]
    parts: Mapping[str, str]
    by: str | None = None

    @property
    def rows(self) -> int:
        return sum(self.counts.values())


PartKeys = Mapping[str, Mapping[str, str]]
"""For each table whose parts have known inputs, and for each of its parts, a digest of the inputs: the rows are the same if it is."""


Ranges = dict[str, tuple[int, int]]
"""Where the rows of each part of a divided table begin and end in its CSV file, in bytes."""


@dataclass(frozen=True)
class TableNote:
    """The digest of a table, the number of its guarded cells, the ranges of its parts, and the keys of the parts (see PartKeys)."""

    digest: TableDigest
    guarded: int = 0
    ranges: Ranges = field(default_factory=dict)
    part_keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Note:
    """What a release was made from: the keys of its files by path, and its tables."""

    keys: dict[str, str] = field(default_factory=dict)
    tables: dict[str, TableNote] = field(default_factory=dict)


@dataclass(frozen=True)
class UnchangedParts:
    """The values of the column `by` of a table whose rows are the same in both releases, and the values whose rows may differ."""

    by: str
    same: Collection[str]
    differing: Collection[str]


@dataclass(frozen=True)
class KeptRows:
    """The undamaged files of a table in the previous release, and the `parts` that have the same rows now.

    `ranges` says where these parts are in the file `csv`. A partitioned table has no such file: the files of its parts are linked already.
    """

    parquet: Path
    parts: Collection[str]
    csv: Path | None = None
    ranges: Ranges = field(default_factory=dict)


def key(*facts: object) -> str:
    """Return a digest of `facts`, which must be JSON values."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


class Reuse:
    """The files of the `previous` release that can be linked, and the record of the release in the making."""

    def __init__(self, previous: Path | None = None, staging: Path | None = None, part_keys: PartKeys | None = None) -> None:
        self.part_keys = part_keys or {}
        self._previous = previous
        self._staging = staging
        self._writer = key(versions.RELEASE, {library: version(library) for library in LIBRARIES})
        self._sums = _sums(previous)
        self._before = self._read_note()
        self._keys: dict[str, str] = {}
        self.tables: dict[str, TableNote] = {}
        self.linked: dict[str, FileFacts] = {}

    def link(self, folder: Path, paths: Iterable[str], key: str) -> bool:
        """Link all of `paths` into `folder` if the previous release has them under the same key and undamaged; else none of them.

        The caller writes them if the result is False. In both cases their key is recorded.
        """
        paths = list(paths)
        self.record(paths, key)
        if self._previous is None or any(self._before.keys.get(path) != key for path in paths):
            return False
        facts = {path: self._intact(path) for path in paths}
        intact = {path: value for path, value in facts.items() if value is not None}
        if len(intact) < len(paths):
            return False
        for path in paths:
            _link(self._previous / path, folder / path)
        self.linked |= intact
        return True

    def record(self, paths: Iterable[str], key: str) -> None:
        """Record the key of files that the caller writes whether or not the previous release has them."""
        self._keys.update(dict.fromkeys(paths, key))

    def before(self, table: str) -> TableNote | None:
        """Return the note on a table of the previous release."""
        return self._before.tables.get(table)

    def kept_rows(self, table: str, digest: TableDigest, linked_parts: Collection[str] | None = None) -> KeptRows | None:
        """Return the rows of a changed table that can be taken from the files of the previous release.

        `linked_parts` are those parts of a partitioned table whose CSV files are linked already.
        """
        before = self.before(table)
        if self._previous is None or before is None or digest.by is None or before.digest.by != digest.by:
            return None
        same = {part for part, d in digest.parts.items() if before.digest.parts.get(part) == d}
        csv, parquet = layout.csv_path(table), layout.parquet_path(table)
        if linked_parts is not None:
            same &= set(linked_parts)
            return KeptRows(self._previous / parquet, same) if same and self._intact(parquet) else None
        ranges = {part: before.ranges[part] for part in same if part in before.ranges}
        if not ranges or not self._intact(csv) or not self._intact(parquet):
            return None
        return KeptRows(self._previous / parquet, set(ranges), self._previous / csv, ranges)

    def unchanged_parts(self) -> dict[str, UnchangedParts]:
        """Return by table which parts have the same rows as in the previous release. Tables that were not divided are left out."""
        unchanged = {}
        for table, note in self.tables.items():
            before, after = self._before.tables[table].digest if table in self._before.tables else None, note.digest
            if before is not None and after.by is not None and before.by == after.by:
                same = {part for part, digest in after.parts.items() if before.parts.get(part) == digest}
                unchanged[table] = UnchangedParts(after.by, same, {*before.parts, *after.parts} - same)
        return unchanged

    def save(self, release: Path, files: Mapping[str, FileFacts]) -> None:
        """Write the note for `release`, whose SHA256SUMS exists. `files` are those that this build wrote or linked.

        A file counts only if the release has the same bytes, because this build may have found that the release is already published.
        The note of the previous release stays until the next build: this one may still be undone.
        """
        assert self._staging is not None
        sums = _sums(release)
        keys = {path: k for path, k in self._keys.items() if path in files and files[path].sha256 == sums.get(path)}
        note = Note(keys, {table: t for table, t in self.tables.items() if layout.parquet_path(table) in keys})
        notes = {}
        if self._previous is not None and self._before.keys:
            notes[_name(self._previous)] = self._before
            if self._previous == release:  # this build wrote only the tables
                note = Note(self._before.keys | note.keys, self._before.tables | note.tables)
        notes[_name(release)] = note
        text = json.dumps({name: {"writer": self._writer, **asdict(n)} for name, n in notes.items()}, ensure_ascii=False) + "\n"
        path = self._staging / NOTE
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")

    def _intact(self, path: str) -> FileFacts | None:
        """Return the facts of a file of the previous release, read now; None if it is missing or damaged."""
        assert self._previous is not None
        try:
            facts = checksums.facts(self._previous / path)
        except OSError:
            return None
        return facts if facts.sha256 == self._sums.get(path) else None

    def _read_note(self) -> Note:
        """Return the note of the previous release. It is empty if there is none, or if other versions wrote the files or the note."""
        if self._previous is None or self._staging is None:
            return Note()
        try:
            value = json.loads((self._staging / NOTE).read_text(encoding="utf-8"))[_name(self._previous)]
            return _note(value) if value["writer"] == self._writer else Note()
        except (OSError, ValueError, KeyError, TypeError):  # also if a killed build left half of it
            return Note()


def _note(value: Mapping[str, Any]) -> Note:
    tables = {}
    for name, table in value["tables"].items():
        digest, ranges = table["digest"], {part: (int(first), int(end)) for part, (first, end) in table["ranges"].items()}
        tables[name] = TableNote(
            TableDigest(dict(digest["counts"]), dict(digest["parts"]), digest["by"]), table["guarded"], ranges, dict(table["part_keys"])
        )
    return Note(dict(value["keys"]), tables)


def _name(release: Path) -> str:
    """Return what identifies the bytes of a release."""
    return checksums.facts(release / checksums.NAME).sha256


def _sums(release: Path | None) -> dict[str, str]:
    try:
        return checksums.read(release) if release else {}
    except (OSError, ValueError):
        return {}


def _link(source: Path, target: Path) -> None:
    """Link a file, or copy it where the file system has no links or no more of them for this file."""
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:
        shutil.copyfile(source, target)
