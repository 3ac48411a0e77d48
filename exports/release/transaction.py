"""The release transaction: build a release aside, verify it, and publish it in one step or not at all.

`build` reads from top to bottom: start, write and describe the tables, compare them with the current release, complete the files, verify and
publish. The caller makes sure that only one build at a time works on a `public` folder.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exports import metadata
from exports.formats import query_macros
from exports.metadata import datapackage, report
from exports.metadata.catalogue import DUCKDB
from exports.metadata.text import is_web
from exports.model import checksums, layout, schema_version
from exports.model.errors import ReleaseError
from exports.model.info import Context, FileFacts, Previous, ReleaseInfo
from exports.model.reuse import PartKeys, Reuse
from exports.model.tables import Table
from exports.pages import release_page
from exports.release import data_sets, public_folder
from exports.release.entries import RELEASES, ChangeCounts, Entry, PackInfo, TableCounts
from exports.release.ledger import Ledger
from exports.site import built
from exports.verify.release import verify

if TYPE_CHECKING:
    from exports.model.connection import Limits

RESERVED = ("changes", "revisions", *query_macros.VIEWS)
"""Names of the tables and views that every release adds by itself."""

ReportProgress = Callable[[str], None]


@dataclass(frozen=True)
class Release:
    """The current release after a build.

    `changed` is whether this build published it; `tables` has the rows of each table. `superseded` is empty, or says how an operator took
    back the release that this build would have published again. `over_budget` says why the release is larger than it should be.
    """

    version: str
    path: Path
    changed: bool
    tables: dict[str, int]
    superseded: str = ""
    over_budget: Sequence[str] = ()


def build(
    warehouse: Path,
    tables: Sequence[Table],
    info: ReleaseInfo,
    public: Path,
    staging: Path,
    quality_report: Mapping[str, Any],
    report_progress: ReportProgress | None = None,
    *,
    memory: int | None = None,
    spill_bytes: int | None = None,
    part_keys: PartKeys | None = None,
) -> Release:
    """Publish `tables` from the marts of `warehouse` as the current release of `public`, unless that already has the same content.

    `staging` must be on the file system of `public`; this function owns its subfolder `publication` and first removes what a killed build
    left there. It also owns the note that says which files of the current release can be linked (`exports.model.reuse`). `memory` is what
    the build may use, in bytes, and `spill_bytes` what its temporary files may take. `part_keys` says what the rows of single indicators are
    made from, where that is known: under the same key as in the current release they are not read again. Raises ReleaseError, after which
    the current release is unchanged.
    """
    from exports.model.connection import Limits

    limits = Limits(memory, staging / public_folder.WORK / "spill", spill_bytes)
    with _errors_as_release_errors(public, staging, limits), _prepared(warehouse, tables, public, staging) as work:
        started = _start(public, staging, work, limits, part_keys or {}, report_progress or (lambda text: None))
        context, content = _write_tables(started, warehouse, tables, info, quality_report)
        if release := _nothing_to_publish(started, context, content):
            return release
        context = _compare(started, context)
        files, over_budget = _complete(started, context)
        _verify(started, files)
        return _publish(started, replace(context, files={**context.files, **files}), content, over_budget)


# ------------------------------------------------------------------------------------------------------------- prepare


@dataclass(frozen=True)
class _Build:
    """Where a build writes (`folder`, inside `work`), what it starts from, and what it may use. `current_folder` is that of `current`."""

    public: Path
    work: Path
    folder: Path
    ledger: Ledger
    current: Entry | None
    current_folder: Path | None
    limits: Limits
    reuse: Reuse
    report_progress: ReportProgress


def _start(public: Path, staging: Path, work: Path, limits: Limits, part_keys: PartKeys, report_progress: ReportProgress) -> _Build:
    """Finish what a killed build left, and make an empty folder for the release."""
    ledger, current = public_folder.recover(public, work)
    folder = work / "release"
    folder.mkdir()
    current_folder = public / RELEASES / current.version if current else None
    reuse = Reuse(current_folder, staging, part_keys)
    return _Build(public, work, folder, ledger, current, current_folder, limits, reuse, report_progress)


def _check_arguments(warehouse: Path, tables: Sequence[Table], public: Path, staging: Path) -> None:
    if not warehouse.is_file():
        raise ReleaseError(f"{warehouse}: no such warehouse")
    names = [table.name.lower() for table in tables] + [name.lower() for name in RESERVED]
    if duplicates := sorted({name for name in names if names.count(name) > 1}):
        raise ReleaseError(f"declared more than once: {', '.join(duplicates)}")
    public.mkdir(parents=True, exist_ok=True)
    staging.mkdir(parents=True, exist_ok=True)
    if public.stat().st_dev != staging.stat().st_dev:
        raise ReleaseError(f"{staging} and {public} must be on the same file system, so that a release can appear in one step")


@contextmanager
def _prepared(warehouse: Path, tables: Sequence[Table], public: Path, staging: Path) -> Iterator[Path]:
    """Check what `build` was called with, yield an empty work folder, and remove it at the end."""
    _check_arguments(warehouse, tables, public, staging)
    work = staging / public_folder.WORK
    if work.exists():
        public_folder.discard(work)
    work.mkdir()
    try:
        yield work
    finally:
        public_folder.discard(work, ignore_errors=True)


@contextmanager
def _errors_as_release_errors(public: Path, staging: Path, limits: Limits) -> Iterator[None]:
    """Turn errors of the writing libraries, for example on a full disk, into a ReleaseError."""
    import duckdb
    import polars as pl
    import pyarrow as pa

    from exports.model import connection

    try:
        yield
    except (OSError, duckdb.Error, pl.exceptions.PolarsError, pa.ArrowException) as error:
        raise connection.explain(error, limits, staging, public_folder.current_size(public)) from error


# ------------------------------------------------------------------------------------------------- tables and description


def _write_tables(
    build: _Build, warehouse: Path, tables: Sequence[Table], info: ReleaseInfo, quality_report: Mapping[str, Any]
) -> tuple[Context, str]:
    """Write the table files. Return what describes them, and a digest of what is published."""
    from exports.formats import table_files  # Arrow, Polars and DuckDB are slow to import; only a build needs them
    from exports.release import facts

    written = table_files.write(warehouse, tables, info, build.folder, build.limits, build.reuse, build.report_progress)
    context = Context(
        info=info,
        version=build.ledger.next_version(info.released.astimezone(UTC).strftime("%Y.%m")),
        tables=tables,
        rows=written.rows,
        guarded=written.guarded,
        foreign_keys=written.foreign_keys,
        files=written.files,
        quality_report=quality_report,
        previous=Previous(build.current.version, build.current.rows) if build.current else None,
        facts=facts.gather(tables, build.folder / "parquet", build.limits),
    )
    context = replace(context, schema_version=schema_version.following(build.current_folder, datapackage.resources(context)))
    return context, _content_digest(context, written.content)


def _nothing_to_publish(build: _Build, context: Context, content: str) -> Release | None:
    """Return the current release if it has the same content, or if an operator took this content back; None if there is a new release."""
    current, ledger = build.current, build.ledger
    if current is None or build.current_folder is None:
        return None
    pack, superseded = _pack_info(context.info, content, ledger), ledger.superseded(content, current.version)
    if current.content == content and _is_intact(build.current_folder):
        public_folder.write_ledger(
            replace(ledger.with_inputs_key(current.version, context.info.inputs_key), pack=pack), build.public, build.work
        )
        build.reuse.save(build.current_folder, context.files)
        build.report_progress(f"unchanged: {current.version} remains the current release")
        return Release(current.version, build.current_folder, False, dict(current.rows))
    if superseded:
        if ledger.pack is None:
            public_folder.write_ledger(replace(ledger, pack=pack), build.public, build.work)
        build.report_progress(f"{superseded}; {current.version} remains the current release")
        return Release(current.version, build.current_folder, False, dict(current.rows), str(superseded))
    return None


def _content_digest(context: Context, content: Mapping[str, FileFacts]) -> str:
    """Return a digest of everything published except version and time: the values in the CSV files, the formats, and the descriptors.

    `content` has the facts of files without the values of transient columns: since when a source is stale makes no new version.
    """
    context = replace(context, files={**context.files, **content}, facts=replace(context.facts, stale=0))
    sums = {path: facts.sha256 for path, facts in context.files.items() if path.startswith("csv/")}
    if context.info.boundaries is not None and "geo" in context.info.formats:
        sums["boundaries"] = context.info.boundaries.sha256
    sums["formats"] = " ".join(context.info.formats)
    if layout.SITE in context.info.formats:
        sums["site"] = _site_digest(context.info)
    for path, text in metadata.render(metadata.DESCRIPTORS, context.timeless()).items():
        sums[path] = hashlib.sha256(text).hexdigest()
    return hashlib.sha256(json.dumps(sums, sort_keys=True).encode()).hexdigest()


def _site_digest(info: ReleaseInfo) -> str:
    """Return a digest of what a site shows beyond the tables: the built interface, and what the pack chooses."""
    choices = {**vars(info.site), "logo": hashlib.sha256(info.site.logo).hexdigest()}
    return hashlib.sha256(json.dumps([built.digest(), choices], sort_keys=True).encode()).hexdigest()


def _pack_info(info: ReleaseInfo, content: str, ledger: Ledger) -> PackInfo:
    """Return what the ledger says about the pack. The feed keeps its first identifier: a new one would be a new feed for its readers."""
    feed = ledger.pack.feed if ledger.pack else ""
    if not feed and is_web(info.base_uri):
        feed = f"{info.base_uri.rstrip('/')}/{public_folder.FEED}"
    publisher = {key: info.text(info.publisher[key]) for key in ("name", "iri") if info.publisher.get(key)}
    feed = feed or uuid.uuid5(uuid.NAMESPACE_OID, f"zpo2 {info.pack} {info.timestamp} {content}").urn
    return PackInfo(info.pack, dict(info.title), list(info.languages), info.base_uri, publisher, feed)


def _is_intact(folder: Path) -> bool:
    """Whether a release still has the bytes it was published with. A damaged release is replaced even if nothing changed."""
    return folder.is_dir() and not checksums.faults(folder)


# ------------------------------------------------------------------------------------------------------------- compare


def _compare(build: _Build, context: Context) -> Context:
    """Add the table `changes`, compared with the current release. It is never a reason for a new version."""
    from exports.changes import compare
    from exports.changes.published import TABLE
    from exports.model.change_summary import Summary

    summary = None
    with compare.release_files(build.folder, context.info.about()) as sink:
        if build.current_folder is not None:
            version, unchanged = build.current_folder.name, build.reuse.unchanged_parts()
            try:
                summary = compare.compare(
                    build.current_folder, build.folder, version, context.info.provenance, build.limits, sink, unchanged=unchanged
                )
            except compare.NotComparableError as error:
                summary = Summary(version, not_comparable=str(error))
                build.report_progress(f"cannot compare with {version}: {error}")
    build.report_progress(f"{TABLE.name}: {sink.rows} rows")
    return replace(
        context,
        tables=(*context.tables, TABLE),
        rows={**context.rows, TABLE.name: sink.rows},
        guarded={**context.guarded, TABLE.name: sink.guarded},
        files={**context.files, **compare.facts(build.folder)},
        changes=summary,
    )


def _change_counts(context: Context) -> ChangeCounts:
    """Return how much a release changed, for the ledger."""
    if context.previous is None:
        return ChangeCounts(None)
    summary = context.changes
    if summary is None or summary.not_comparable:
        return ChangeCounts(context.previous.version, comparable=False)
    changed = {name: table for name, table in summary.tables.items() if not table.is_unchanged}
    counts = {name: TableCounts(table.added, table.removed, dict(table.cells)) for name, table in changed.items()}
    return ChangeCounts(summary.version, tables=counts)


# ------------------------------------------------------------------------------------------------------------ complete


def _complete(build: _Build, context: Context) -> tuple[Mapping[str, FileFacts], Sequence[str]]:
    """Add everything that a release contains beside the table files: DuckDB file, derived formats, descriptors and checksums.

    Returns the data files, and which budgets of size are exceeded and why.
    """
    from exports.api import write as api
    from exports.changes.published import VIEWS
    from exports.formats import derived_formats, duckdb_macros
    from exports.formats import duckdb as duckdb_file
    from exports.site import write as site

    folder, limits, reuse, report_progress = build.folder, build.limits, build.reuse, build.report_progress
    if "duckdb" in context.info.formats:
        report_progress(DUCKDB)
        duckdb_file.write(context.tables, folder / "parquet", folder / DUCKDB, limits, VIEWS)
        duckdb_macros.write(context.tables, context.info.languages, folder / DUCKDB, limits)
        context = replace(context, duckdb_bytes=(folder / DUCKDB).stat().st_size)
    report_progress("files by indicator, for spreadsheets, statistical software and maps")
    context = replace(context, files={**context.files, **derived_formats.write(folder, context, limits, reuse)})
    if api.FORMAT in context.info.formats:
        report_progress("files for programs")
        context = replace(context, files={**context.files, **api.write(folder, context, reuse)})
    context = replace(context, states=data_sets.states(context, build.current_folder))
    documents = metadata.render(metadata.DESCRIPTORS + metadata.RECORDS, context)
    context = replace(context, whole_csv=_whole_csv(context), document_bytes={path: len(text) for path, text in documents.items()})
    if site.FORMAT in context.info.formats:
        report_progress("web site")
        context = replace(context, files={**context.files, **site.write(folder, context, reuse)})
    documents |= release_page.descriptor(context)
    context = replace(context, document_bytes={path: len(text) for path, text in documents.items()})
    documents |= metadata.render((report.descriptor,), context)
    over_budget = list(report.exceeded(report.size(context)))
    for reason in over_budget:
        report_progress(reason)
    for path, text in documents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text)
    checksums.write(folder, context.files)
    return context.files, over_budget


def _whole_csv(context: Context) -> int:
    """Return the bytes that the tables would take as one CSV file each."""
    from exports.formats import csv

    size = 0
    for table in context.tables:
        paths = layout.csv_paths(table, context.files)
        header = io.BytesIO()
        csv.append_header([column.name for column in table.columns], header)
        size += sum(context.files[path].bytes for path in paths) - (len(paths) - 1) * len(header.getvalue())
    return size


# --------------------------------------------------------------------------------------------------- verify and publish


def _verify(build: _Build, files: Mapping[str, FileFacts]) -> None:
    """Verify the release, make it durable, and note which of its `files` the next one can link. Raises ReleaseError for any fault."""
    build.report_progress("verifying the release")
    if faults := verify(build.folder, replace(build.limits, spill=None), build.reuse.linked):
        raise ReleaseError("the release failed its own verification; the current release is unchanged:\n" + "\n".join(faults))
    _seal(build.folder, build.reuse.linked)
    build.reuse.save(build.folder, files)


def _publish(build: _Build, context: Context, content: str, over_budget: Sequence[str]) -> Release:
    """Make the release the current one."""
    build.report_progress(f"publishing {context.version}")
    entry = Entry(
        context.version,
        context.info.timestamp,
        context.info.inputs_key,
        content,
        context.rows,
        _change_counts(context),
        data_sets.digests(context),
        layout.INDEX,
        context.schema_version,
    )
    pack = _pack_info(context.info, content, build.ledger)
    path = public_folder.publish(build.folder, entry, build.ledger, build.public, build.work, pack)
    return Release(context.version, path, True, dict(context.rows), over_budget=over_budget)


def _seal(folder: Path, linked: Collection[str]) -> None:
    """Make every file and folder durable and read-only, whatever the umask of this process. Files that are `linked` are durable.

    The folder itself becomes read-only only in its final place: a read-only folder cannot be renamed.
    """
    for root, _, names in os.walk(folder, topdown=False):
        for name in names:
            path = Path(root, name)
            path.chmod(0o444)
            if path.relative_to(folder).as_posix() not in linked:
                public_folder.sync(path)
        Path(root).chmod(0o755 if Path(root) == folder else 0o555)
        public_folder.sync(Path(root))
