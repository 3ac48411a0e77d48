"""A preview of one source: what the reader gives, what the contract refuses, and what the map makes. Writes nothing to the workspace.

The pack may be unfinished: only `fetch` and `read` must be there. Areas come from the sources of areas that work already.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from pipelines import readers
from pipelines.core import frames
from pipelines.core.checksums import DamagedFile
from pipelines.core.errors import Zpo2Error
from pipelines.extract.fetcher import fetch_all
from pipelines.extract.http.request import Request, address
from pipelines.extract.snapshots import Archive, Snapshot
from pipelines.extract.source_state import SourceStates, parts_of
from pipelines.lake.ingest import lookups, reading, rows, text_rows
from pipelines.lake.ingest.context import Context
from pipelines.lake.ingest.report import SourceReport
from pipelines.lake.ingest.shape import no_column
from pipelines.lake.mapping import ValidatedRows
from pipelines.lake.quarantine import by_reason
from pipelines.packs import Part
from pipelines.packs.drafts import Draft
from pipelines.packs.expressions import ExpressionError
from pipelines.packs.schema import FetchedSource
from pipelines.packs.workspace import Workspace
from quality import contracts

SAMPLE_ROWS = 10
_EXAMINED = 5_000  # cells of a column by which its type is guessed
_TYPES = (
    ("whole number", r"^[+-]?(?:0|[1-9][0-9]*)$"),
    ("digits with leading zeros (a code)", r"^[0-9]+$"),
    ("number with the decimal mark .", r"^[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$"),
    ("number with the decimal mark ,", r"^[+-]?[0-9]+(?:,[0-9]+)?$"),
    ("number with blanks between thousands", "^[+-]?[0-9]{1,3}(?:[ \u00a0\u202f][0-9]{3})*(?:[.,][0-9]+)?$"),
    ("number with dots between thousands", r"^[+-]?[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]+)?$"),
    ("date (ISO)", r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
    ("date and time (ISO)", r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}.*$"),
    ("date (day, month, year)", r"^[0-9]{1,2}[./] ?[0-9]{1,2}[./] ?[0-9]{4}$"),
)  # fmt: skip


class PreviewError(Zpo2Error):
    """The source cannot be shown; the message says at which step it failed."""


@dataclass(frozen=True)
class ColumnSketch:
    """A column of the file: what its cells look like. `declared` says under which name and type the contract reads it."""

    name: str
    looks_like: str
    empty: int
    example: str
    declared: str = ""


@dataclass
class Preview:
    """What a part of a source gives. Steps that were not reached leave their fields empty, and `stopped` says why."""

    source: str
    part: str
    url: str
    bytes: int
    faults: list[str] = field(default_factory=list)
    stopped: str = ""
    rows_read: int = 0
    rows_ignored: int = 0
    columns: list[ColumnSketch] = field(default_factory=list)
    sample: list[dict[str, str | None]] = field(default_factory=list)
    missing_columns: list[str] = field(default_factory=list)
    accepted: int = 0
    repeats: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)
    rows_refused: int = 0
    lookups: dict[str, dict[str, Any]] = field(default_factory=dict)
    cells_refused: int = 0
    areas: int = 0
    made: str = ""
    rows_made: int = 0
    measures: dict[str, dict[str, Any]] = field(default_factory=dict)
    not_selected: int = 0
    made_sample: list[dict[str, Any]] = field(default_factory=list)


def preview(workspace: Workspace, draft: Draft, part_name: str | None = None) -> Preview:
    """Read, validate and map one part of the source of `draft`. Raises PreviewError where its bytes cannot be had."""
    with tempfile.TemporaryDirectory(prefix="zpo2-preview-") as folder:
        temporary = Workspace.of(draft.pack, Path(folder), workspace.settings)
        snapshot, part = _snapshot(workspace, temporary, draft.source, part_name)
        result = Preview(draft.source.id, part.name, snapshot.url, snapshot.bytes, list(draft.faults))
        context = Context(temporary)
        try:
            _read_and_map(workspace, context, draft, snapshot, part, result)
        except (readers.UnreadableSnapshot, ExpressionError) as error:
            columns = [sketch.name for sketch in result.columns]
            result.stopped = error.message(columns) if isinstance(error, text_rows.MissingColumn) else str(error)
        return result


def _snapshot(workspace: Workspace, temporary: Workspace, source: FetchedSource, part_name: str | None) -> tuple[Snapshot, Part]:
    """Return the snapshot to show, archived in `temporary`: fetched now, or the last one of a source that is pushed or dropped."""
    states = SourceStates(workspace.fetch_state)
    parts = {part.name: part for part in parts_of(workspace.pack if source.fetch.brings_records else temporary.pack, source, states)}
    if not parts:
        raise PreviewError(f"{source.id}: no pushed record has been archived yet")
    part = next(iter(parts.values())) if part_name is None else parts.get(part_name)
    if part is None:
        raise PreviewError(f"--part {part_name}: no such part; the source has {', '.join(list(parts)[:20])}")
    if source.fetch.url:
        return _fetched(temporary, source, part), part
    snapshot = _archived(workspace, temporary, source, part, states)
    if snapshot is None:
        raise PreviewError(
            f"{source.id}: nothing has been archived yet; drop a file into inbox/{source.id}/ and run, or give the source a url"
        )
    return snapshot, part


def _fetched(temporary: Workspace, source: FetchedSource, part: Part) -> Snapshot:
    [result] = fetch_all(
        temporary.pack, [Request(source, part, address(source, part))], Archive(temporary.archive), temporary.settings
    )  # fmt: skip
    if result.snapshot is None:
        raise PreviewError(f"{source.id} {part.name}".strip() + f": {result.error}")
    return result.snapshot


def _archived(workspace: Workspace, temporary: Workspace, source: FetchedSource, part: Part, states: SourceStates) -> Snapshot | None:
    """Return the last snapshot of a part in the workspace, copied to the archive of `temporary`; None where there is none."""
    state = states.get(source.id, part.name)
    archive = Archive(workspace.archive)
    snapshot = archive.find(source.id, part.name, state.good or state.sha256) if state.good or state.sha256 else None
    if snapshot is None:
        return None
    try:
        with archive.opened(snapshot.sha256) as path:
            return Archive(temporary.archive).add(path, snapshot)
    except DamagedFile as error:
        raise PreviewError(f"{source.id}: {error}") from None


def _read_and_map(workspace: Workspace, context: Context, draft: Draft, snapshot: Snapshot, part: Part, result: Preview) -> None:
    source = draft.source
    frame, _ = reading.read_text(context, source, snapshot.sha256, reading.read_options(context, source, part.name), everything=True)
    result.rows_read = frame.height
    result.columns = _sketches(frame, source)
    result.sample = _masked(frame, source).head(SAMPLE_ROWS).to_dicts()
    frame, _ = text_rows.apply_corrections(context, source, reading.with_variables(context, source, part.name, frame))
    [kept] = text_rows.without_ignored(context, source, [frame])
    result.rows_ignored = frame.height - kept.height
    if not draft.is_complete:
        result.stopped = "the contract and the map are not finished: " + "; ".join(draft.faults)
        return
    if source.into not in ("areas",):
        _load_areas(workspace, context, result)
    context.parts_used |= {name: _PartsOnDemand(workspace, context, name) for name in context.pack.looked_up(source)}
    validation = rows.validate_rows(context, source, kept)
    accepted = validation.result.accepted
    result.lookups = {
        match.lookup: {"source": match.source, "rows": accepted.height, "matched": accepted[match.origin].drop_nulls().len()}
        for match in lookups.matches(source)
    }
    names = [sketch.name for sketch in result.columns]
    declared = source.columns
    result.missing_columns = [
        no_column((declared[name].from_ if name in declared else None) or name, names) for name in validation.result.missing_columns
    ]
    mapped = rows.map_rows(context, source, ValidatedRows(validation.rows, {part.name: snapshot.sha256}))
    quarantine = rows.quarantine_of(validation, mapped)
    result.refused = by_reason(quarantine.rename({"__row": "row_number"})).to_dicts()
    result.cells_refused = quarantine.filter(pl.col("column").is_not_null()).height
    result.rows_refused = validation.result.bad_rows.height + mapped.rejected.height
    result.repeats = validation.result.repeats.height
    result.not_selected = mapped.unselected.height
    result.accepted = accepted.height - mapped.rejected.height - mapped.unselected.height
    _describe(source, mapped.rows, result)


def _sketches(frame: pl.DataFrame, source: FetchedSource) -> list[ColumnSketch]:
    declared = {spec.from_ or name: f"{name}: {spec.type}" for name, spec in source.columns.items()}
    personal = {spec.from_ or name for name, spec in source.columns.items() if spec.personal}
    sketches = []
    for name in (c for c in frame.columns if not c.startswith("__")):
        cells = frames.cells(frame, name).drop_nulls()
        example = "" if not cells.len() else contracts.MASK if name in personal else str(cells[0])
        sketches.append(ColumnSketch(name, looks_like(cells), frame.height - cells.len(), example, declared.get(name, "")))
    return sketches


def looks_like(cells: pl.Series) -> str:
    """Return in words what the non-empty text cells of a column look like."""
    if not cells.len():
        return "empty"
    head = cells.head(_EXAMINED)
    return next((words for words, pattern in _TYPES if head.str.contains(pattern).all()), "text")


def _masked(frame: pl.DataFrame, source: FetchedSource) -> pl.DataFrame:
    """Return the cells of the file, with those of personal columns masked."""
    personal = {spec.from_ or name for name, spec in source.columns.items() if spec.personal}
    masked = [pl.when(frames.column(c).is_not_null()).then(pl.lit(contracts.MASK)).alias(c) for c in frame.columns if c in personal]
    shown = [frames.column(c) for c in frame.columns if not c.startswith("__")]
    return frame.with_columns(masked).select(pl.col("__row").alias("row"), *shown)


def _load_areas(workspace: Workspace, context: Context, result: Preview) -> None:
    """Build the territory from the sources of areas, with their last good snapshots or new ones. What fails is a fault of the preview."""
    for kind, table in (("areas", "area_rows"), ("area_changes", "area_changes")):
        files = []
        for source in context.pack.sources.values():
            if source.enabled and source.into == kind and source.id != result.source:
                report = _processed(workspace, context, source)
                result.faults += [f"{source.id}: {text}" for text in sorted(set(report.errors.values()))]
                files += report.files(table)
        if kind == "areas":
            context.load_areas(files)
        elif files:
            context.load_area_changes(files)
    result.areas = context.territory.areas.height
    if not result.areas:
        result.faults.append("no source of areas gives an area, so no row can be placed")


@dataclass(frozen=True)
class _LookedUpPart:
    """A snapshot that a lookup reads. Nothing was processed, so it has no receipt."""

    snapshot: str
    key: str = ""


class _PartsOnDemand(Mapping[str, _LookedUpPart]):
    """The parts of a source that is looked up; only those that a lookup reads are fetched. Raises PreviewError where one cannot be had."""

    def __init__(self, workspace: Workspace, context: Context, source: str) -> None:
        self._workspace, self._context, self._source = workspace, context, context.pack.sources[source]
        self._parts = {part.name: part for part in context.pack.parts(self._source)}
        self._fetched: dict[str, _LookedUpPart] = {}

    def __getitem__(self, name: str) -> _LookedUpPart:
        if name not in self._fetched:
            part, states = self._parts[name], SourceStates(self._workspace.fetch_state)
            snapshot = _archived(self._workspace, self._context.workspace, self._source, part, states)
            if snapshot is None and self._source.fetch.url:
                snapshot = _fetched(self._context.workspace, self._source, part)
            if snapshot is None:
                raise KeyError(name)
            self._fetched[name] = _LookedUpPart(snapshot.sha256)
        return self._fetched[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)


def _processed(workspace: Workspace, context: Context, source: FetchedSource) -> SourceReport:
    report = SourceReport(source.id, source.into)
    states = SourceStates(workspace.fetch_state)
    snapshots: dict[str, Snapshot] = {}
    for part in parts_of(context.pack, source, states):
        try:
            snapshot = _archived(workspace, context.workspace, source, part, states)
            if snapshot is None and source.fetch.url:
                snapshot = _fetched(context.workspace, source, part)
        except PreviewError as error:
            report.errors[part.name] = str(error)
            continue
        if snapshot is not None:
            snapshots[part.name] = snapshot
    rows.process_snapshots(context, source, report, snapshots, rows.Shapes({}, ()), lambda _: None)
    return report


def _describe(source: FetchedSource, made: pl.DataFrame, result: Preview) -> None:
    """Say what the map made: rows of a kind, and the values by measure."""
    result.made = {"areas": "areas", "area_changes": "changes of areas", "register": "entries of registers", "boundaries": "polygons"}.get(
        source.into, source.into
    )
    if source.into == "observations":
        values = made.filter(pl.col("measure").is_not_null() & pl.col("ref_area").is_not_null())
        summary = values.group_by("measure", maintain_order=True).agg(
            pl.col("obs_value").is_not_null().sum().alias("values"), pl.col("ref_area").n_unique().alias("areas"),
            pl.col("time_period").min().alias("first_period"), pl.col("time_period").max().alias("last_period"),
            pl.col("obs_value").min().alias("smallest"), pl.col("obs_value").max().alias("largest"), pl.col("obs_value").sum().alias("sum"),
        )  # fmt: skip
        result.measures = {row.pop("measure"): row for row in summary.to_dicts()}
        columns = ["measure", "ref_area", "time_period", "sex", "age", "obs_value", "obs_status", "row_number"]
        result.rows_made, result.made_sample = values.height, _plain(values, columns)
        return
    shown = [name for name in made.columns if name not in ("source", "part", "snapshot", "geometry")]
    result.rows_made, result.made_sample = made.height, _plain(made, shown)


def _plain(frame: pl.DataFrame, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Return the first rows with values that JSON can hold; nested values as text."""
    return [
        {name: value if isinstance(value, str | int | float | bool | None) else _text(value) for name, value in row.items()}
        for row in frame.select(columns).head(SAMPLE_ROWS).to_dicts()
    ]


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(":".join(str(v) for v in item.values()) if isinstance(item, dict) else str(item) for item in value)
    return str(value)
