"""The transaction: a release is built aside, verified there, and then appears at once or not at all.

What is in the files is the business of `table_files`, `writers` and `descriptors`; how one current release follows
another, of `ledger`. The caller sees to it that only one build runs on a `public` folder at a time.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import Any

from exports import metadata
from exports.formats import query_macros
from exports.metadata import datapackage, report
from exports.metadata.text import is_web
from exports.model import checksums, schema_version
from exports.model.errors import ReleaseError
from exports.model.info import Context, Previous, ReleaseInfo
from exports.model.tables import Table
from exports.release import ledger
from exports.release.entries import About, Entry, Ledger
from exports.verify.release import verify

DUCKDB = "indicators.duckdb"
WORK = "publication"
OWN = ("changes", "revisions", *query_macros.VIEWS)
"""Tables and views that a release makes itself."""


@dataclass(frozen=True)
class Release:
    """The current release after a build; `changed`: the build made it. `tables`: rows of each."""

    version: str
    path: Path
    changed: bool
    tables: dict[str, int]
    set_aside: str = ""


def build(
    warehouse: Path,
    tables: Sequence[Table],
    info: ReleaseInfo,
    public: Path,
    staging: Path,
    quality_report: Mapping[str, Any],
    on_progress: Callable[[str], None] | None = None,
) -> Release:
    """Publish `tables` of the marts of `warehouse` as the current release of `public`, unless it already says the same.

    `staging` lies on the file system of `public`; its subfolder `publication` belongs to this function. Raises
    `ReleaseError`; the last release then stands. What a killed build left behind is removed first.
    """
    tell = on_progress or (lambda text: None)
    with _told_by_the_disk(), _prepared(warehouse, tables, public, staging) as work:
        known, last = ledger.recover(public, work), ledger.current(public)
        folder, spill = work / "release", work / "spill"
        folder.mkdir()
        from exports.formats import table_files  # Arrow, Polars and DuckDB take their time: only a build pays for them
        from exports.release import facts

        written = table_files.write(warehouse, tables, info, folder, spill, tell)
        place = public / ledger.RELEASES / last.version if last else None
        context = Context(
            info=info,
            version=known.next_version(info.released.astimezone(UTC).strftime("%Y.%m")),
            tables=tables,
            rows=written.rows,
            guarded=written.guarded,
            foreign_keys=written.foreign_keys,
            files=written.files,
            quality_report=quality_report,
            previous=Previous(last.version, last.rows) if last else None,
            facts=facts.gather(tables, folder / "parquet"),
        )
        context = replace(context, schema_version=schema_version.following(place, datapackage.resources(context)))
        content = _content(context)
        about = _about(info, content, known)
        if last and place and last.content == content and _is_sound(place):
            ledger.put(replace(known.with_inputs(last.version, info.inputs_key), about=about), public, work)
            tell(f"unchanged: {last.version} stays the current release")
            return Release(last.version, place, False, dict(last.rows))
        if last and place and (aside := known.set_aside(content, last.version)):
            if known.about is None:
                ledger.put(replace(known, about=about), public, work)
            tell(f"{aside}; {last.version} stays the current release")
            return Release(last.version, place, False, dict(last.rows), str(aside))
        context = _with_changes(folder, context, place, spill, tell)
        _complete(folder, context, spill, tell)
        tell(f"publishing {context.version}")
        entry = Entry(context.version, info.timestamp, info.inputs_key, content, context.rows, _counts(context))
        return Release(context.version, ledger.publish(folder, entry, known, public, work, about), True, dict(context.rows))


def _with_changes(folder: Path, context: Context, last: Path | None, spill: Path, tell: Callable[[str], None]) -> Context:
    """Add the table of what changed against the release in `last`, which is the current one. It is never a reason for a new version."""
    from exports.changes import compare
    from exports.changes.published import TABLE
    from exports.model.change_summary import Summary

    summary = None
    with compare.files(folder, context.info.about()) as sink:
        if last is not None:
            try:
                summary = compare.compare(last, folder, last.name, context.info.provenance, spill, sink)
            except compare.UnusableError as error:
                summary = Summary(last.name, unusable=str(error))
                tell(f"nothing is compared with {last.name}: {error}")
    tell(f"{TABLE.name}: {sink.rows} rows")
    return replace(
        context,
        tables=(*context.tables, TABLE),
        rows={**context.rows, TABLE.name: sink.rows},
        guarded={**context.guarded, TABLE.name: sink.guarded},
        files={**context.files, **compare.facts(folder)},
        changes=summary,
    )


def _complete(folder: Path, context: Context, spill: Path, tell: Callable[[str], None]) -> None:
    """Add to the table files all else that a release holds, verify it, and have it on the disk."""
    from exports.changes.published import VIEWS
    from exports.formats import derived_formats, duckdb_macros
    from exports.formats import duckdb as duckdb_file

    tell(DUCKDB)
    duckdb_file.write(context.tables, folder / "parquet", folder / DUCKDB, spill, VIEWS)
    duckdb_macros.write(context.tables, context.info.languages, folder / DUCKDB)
    tell("files by indicator, for spreadsheets, statistical software and maps")
    context = replace(context, files={**context.files, **derived_formats.write(folder, context, spill)})
    if not (size := report.size(context))["within_budget"]:
        tell(f"the data files have {size['bytes']} bytes, more than the {size['budget_bytes']} that a release should have")
    for path, text in metadata.render(metadata.DESCRIPTORS + metadata.RECORDS, context).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text)
    checksums.write(folder, context.files)
    tell("verifying the release")
    if faults := verify(folder):
        raise ReleaseError("the release does not stand its own check; the last one stands:\n" + "\n".join(faults))
    _settle(folder)


@contextmanager
def _told_by_the_disk() -> Iterator[None]:
    """Turn what the writing libraries raise, such as on a full disk, into an error for the person who must act."""
    import duckdb
    import polars as pl
    import pyarrow as pa

    try:
        yield
    except (OSError, duckdb.Error, pl.exceptions.PolarsError, pa.ArrowException) as error:
        raise ReleaseError(f"the release could not be written: {error}; the last one stands") from error


def _check(warehouse: Path, tables: Sequence[Table], public: Path, staging: Path) -> None:
    if not warehouse.is_file():
        raise ReleaseError(f"{warehouse}: there is no such warehouse")
    names = [table.name.lower() for table in tables] + [own.lower() for own in OWN]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ReleaseError(f"declared more than once: {', '.join(twice)}")
    public.mkdir(parents=True, exist_ok=True)
    staging.mkdir(parents=True, exist_ok=True)
    if public.stat().st_dev != staging.stat().st_dev:
        raise ReleaseError(f"{staging} and {public} must lie on one file system, so that a release can appear at once")


@contextmanager
def _prepared(warehouse: Path, tables: Sequence[Table], public: Path, staging: Path) -> Iterator[Path]:
    """Yield an empty work folder, having checked what the build is given."""
    _check(warehouse, tables, public, staging)
    work = staging / WORK
    if work.exists():
        ledger.discard(work)
    work.mkdir()
    try:
        yield work
    finally:
        ledger.discard(work, anyway=True)


def _content(context: Context) -> str:
    """Return a digest of everything published, version and time apart: the values by way of the CSV files, and the documents."""
    sums = {path: facts.sha256 for path, facts in context.files.items() if path.startswith("csv/")}
    for path, text in metadata.render(metadata.DESCRIPTORS, context.timeless()).items():
        sums[path] = hashlib.sha256(text).hexdigest()
    return hashlib.sha256(json.dumps(sums, sort_keys=True).encode()).hexdigest()


def _about(info: ReleaseInfo, content: str, known: Ledger) -> About:
    """Return what the ledger says of the pack. The feed keeps its first name: readers would take another one for another feed."""
    name = known.about.feed if known.about else ""
    if not name and is_web(info.base_uri):
        name = f"{info.base_uri.rstrip('/')}/{ledger.FEED}"
    publisher = {key: info.text(info.publisher[key]) for key in ("name", "iri") if info.publisher.get(key)}
    name = name or uuid.uuid5(uuid.NAMESPACE_OID, f"zpo2 {info.pack} {info.timestamp} {content}").urn
    return About(info.pack, dict(info.title), list(info.languages), info.base_uri, publisher, name)


def _counts(context: Context) -> dict[str, Any]:
    """Return how much a release changed, for the ledger: by table and kind, unchanged tables left out."""
    if context.previous is None:
        return {"against": None}
    found = context.changes
    if found is None or found.unusable:
        return {"against": context.previous.version, "comparable": False}
    tables = {
        name: {"added": t.added, "removed": t.removed, "changed_cells": dict(t.cells)}
        for name, t in found.tables.items()
        if not t.is_unchanged
    }
    return {"against": found.version, "tables": tables}


def _is_sound(place: Path) -> bool:
    """Whether a release is there with the bytes it was published with; a damaged one is not kept current for being unchanged."""
    return place.is_dir() and not checksums.faults(place)


def _settle(folder: Path) -> None:
    """Have every file and folder on the disk, to be read by the server and written by nobody, whatever the mask of this process.

    The folder itself becomes read-only in its place only: one that may not be written to cannot be renamed.
    """
    for root, _, names in os.walk(folder, topdown=False):
        for name in names:
            path = Path(root, name)
            path.chmod(0o444)
            ledger.sync(path)
        Path(root).chmod(0o755 if Path(root) == folder else 0o555)
        ledger.sync(Path(root))
