"""The rows of a source: read, correct, validate and map them, and account for every one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from pipelines import readers
from pipelines.extract.snapshots import Snapshot, slug
from pipelines.lake.ingest import lookups
from pipelines.lake.ingest.context import Context
from pipelines.lake.ingest.faults import reason_of
from pipelines.lake.ingest.reading import DamagedSnapshot, Reading, read_options, read_text, with_variables
from pipelines.lake.ingest.report import SourceReport
from pipelines.lake.ingest.shape import drift, lost_columns, no_column
from pipelines.lake.ingest.text_rows import MissingColumn, apply_corrections, check_ignore, count_ignored, without_ignored
from pipelines.lake.mapping import MappedRows, ValidatedRows, area_changes, areas, boundaries, events, observations, register
from pipelines.lake.store import QUARANTINE, Receipt
from pipelines.packs.expressions import ExpressionError
from pipelines.packs.references.sources import columns_of_map
from pipelines.packs.schema import AreaChangesMap, AreasMap, BoundariesMap, EventsMap, FetchedSource, ObservationsMap
from pipelines.readers import isolated
from pipelines.readers.options import EVENT_COLUMNS, EVENT_FORMATS, WITH_HEADER
from pipelines.readers.reading import size_of
from quality import contracts

Progress = Callable[[str], None]
_PLACE = ["__part", "__row", "__cell"]  # where a row stands in the files of a source
MOST_STOPPED = 3
"""Snapshots of a source on which `read.ignore` may end its process or exceed its limits."""
MOST_REASON = 1_000
"""Characters of a reason in the quarantine."""
READERS = 2  # files read at a time; the text frames of all parts of a source are in memory until they are mapped
MAX_COLUMNS = 20_000
"""Different columns of all parts of a source: each part gets those of the others, so they cost more than they hold."""


@dataclass(frozen=True)
class Shapes:
    """What the shapes of new snapshots are compared with: those of the last good ones, and the parts that an operator accepted as they are."""

    last_good: Mapping[str, Mapping[str, Any]]
    accepted: Collection[str]

    def before(self, part: str) -> Mapping[str, Any]:
        """Return the shape of the last good snapshot of a part; of a new part, the columns that all other parts have."""
        shape = self.last_good.get(part, {})
        others = [other for other in self.last_good.values() if other.get("columns")]
        if shape or not others:
            return shape
        return {
            "columns": [c for c in others[0]["columns"] if all(c in other["columns"] for other in others)],
            "filled": others[0].get("filled", {}),
        }


@dataclass(frozen=True)
class _Pending:
    """A snapshot that has no receipt yet."""

    snapshot: Snapshot
    key: str


@dataclass(frozen=True)
class _Text:
    """The corrected text rows of a snapshot, the shape of its file, and how many rows each correction changed."""

    rows: pl.DataFrame
    shape: dict[str, Any]
    corrected: list[int]


def process_snapshots(
    context: Context,
    source: FetchedSource,
    report: SourceReport,
    snapshots: Mapping[str, Snapshot],
    shapes: Shapes,
    progress: Progress,
) -> None:
    """Add a receipt for each snapshot to `report`, or the reason why the snapshot cannot be processed.

    A shape that differs from that of the last good snapshot is reported, or refused (`on_schema_change`).
    """
    pending = _without_receipt(context, source, report, snapshots, shapes)
    if not pending:
        return
    progress(f"{source.id}: reading {len(pending)} snapshots")
    texts = _read_snapshots(context, source, report, pending, shapes)
    if not texts:
        return
    try:
        kept = _not_ignored(context, source, report, texts)
        receipts = {part: _receipt(source, pending[part], texts[part], rows) for part, rows in kept.items()}
        if receipts:
            _validate_and_map(context, source, report, receipts, pl.concat(kept.values(), how="diagonal"), shapes)
    except BaseException as error:
        reason = reason_of(error, source.id)
        for part in texts:
            report.refuse(part, reason)


def _not_ignored(context: Context, source: FetchedSource, report: SourceReport, texts: Mapping[str, _Text]) -> dict[str, pl.DataFrame]:
    """Return the rows of each snapshot that are not ignored. Where `ignore` cannot be evaluated on all snapshots, those that stop it are refused.

    After MOST_STOPPED of them the others are refused, too: each may have used up the time of the evaluation.
    """
    try:
        return dict(zip(texts, without_ignored(context, source, [text.rows for text in texts.values()]), strict=True))
    except ExpressionError:
        kept: dict[str, pl.DataFrame] = {}
    stopped, reason = 0, ""
    for part, text in texts.items():
        try:
            if stopped < MOST_STOPPED:
                [kept[part]] = without_ignored(context, source, [text.rows])
                continue
        except ExpressionError as error:
            stopped, reason = stopped + 1, reason_of(error, source.id)
        report.refuse(part, f"{report.snapshots[part].url}: {reason}")
    return kept


def _without_receipt(
    context: Context,
    source: FetchedSource,
    report: SourceReport,
    snapshots: Mapping[str, Snapshot],
    shapes: Shapes,
) -> dict[str, _Pending]:
    """Add the receipts of earlier runs to the report, and return the snapshots that have none."""
    pending = {}
    for part, snapshot in snapshots.items():
        report.snapshots[part] = snapshot
        key = context.receipt_key(source, snapshot)
        receipt = context.lake.load_receipt(source.id, part, key)
        if receipt is None:
            pending[part] = _Pending(snapshot, key)
        elif _accepts_shape(source, report, part, shapes, receipt.shape):
            report.parts[part] = receipt
            report.errors.pop(part, None)
    return pending


def _read_snapshots(
    context: Context,
    source: FetchedSource,
    report: SourceReport,
    pending: Mapping[str, _Pending],
    shapes: Shapes,
) -> dict[str, _Text]:
    """Return the text rows of the snapshots that could be read, by part."""
    read: dict[str, _Text] = {}
    left = most = isolated.Limits.of(context.settings).bytes
    names: set[str] = set()
    with ThreadPoolExecutor(READERS) as pool:
        # several parts may have the same bytes; what they read in the same way is read once
        readings = {part: Reading(waiting.snapshot.sha256, read_options(context, source, part)) for part, waiting in pending.items()}
        texts = {reading: pool.submit(read_text, context, source, *reading) for reading in dict.fromkeys(readings.values())}
    for part, waiting in pending.items():
        snapshot = waiting.snapshot
        try:
            rows, shape = texts[readings[part]].result()
            size = size_of(rows)
            if size > left:
                raise readers.UnreadableSnapshot(f"with it, the rows of the source need more than {most // 10**6} MB (ZPO2_READ_MEMORY)")
            if len(names.union(rows.columns)) > MAX_COLUMNS:
                raise readers.UnreadableSnapshot(f"with it, the source has more than {MAX_COLUMNS} different columns")
            left -= size
            names.update(rows.columns)
            if not _accepts_shape(source, report, part, shapes, shape):
                continue
            rows, corrected = apply_corrections(context, source, with_variables(context, source, part, rows))
            check_ignore(source, rows)
        except MissingColumn as error:
            report.refuse(part, f"{snapshot.url}: {error.message(shape['columns'])}")
            continue
        except BaseException as error:
            if isinstance(error, DamagedSnapshot):
                context.archive.set_damaged_aside(snapshot.sha256)
                context.damaged.add((source.id, part))
            report.refuse(part, f"{snapshot.url}: {reason_of(error, source.id)}")
            continue
        read[part] = _Text(rows, shape, corrected)
        report.errors.pop(part, None)
    return read


def _receipt(source: FetchedSource, waiting: _Pending, text: _Text, kept: pl.DataFrame) -> Receipt:
    """Return the receipt of a snapshot before its contract: `kept` are those of its rows that are not ignored."""
    return Receipt(
        source=source.id, part=waiting.snapshot.part, snapshot=waiting.snapshot.sha256, key=waiting.key, rows_read=text.rows.height,
        ignored=count_ignored(text.rows, kept), shape=text.shape, corrected=text.corrected,
    )  # fmt: skip


def _accepts_shape(source: FetchedSource, report: SourceReport, part: str, shapes: Shapes, after: Mapping[str, Any]) -> bool:
    """Compare the shape of a snapshot with that of the last good one. Return False where the difference rejects the snapshot."""
    is_compared = source.on_schema_change != "evolve" and not source.fetch.brings_records
    text = drift(shapes.last_good.get(part, {}), after) if is_compared else ""
    if is_compared and part not in shapes.accepted:
        reason = ""
        if text and source.on_schema_change == "freeze":
            reason = f"the columns are frozen, but {text}"
        elif source.on_schema_change is None:
            lost = lost_columns(shapes.before(part), after, _columns_in_use(source), has_header=_has_header(source))
            if lost:
                reason = f"the map uses {', '.join(lost)}, but {text or 'the file has no such column'}"
        if reason:
            report.refuse(part, f"{report.snapshots[part].url}: {reason}", acceptable=True)
            return False
    if text:
        report.drift[part] = text
    return True


def _columns_in_use(source: FetchedSource) -> set[str]:
    """Return the names in the file of the declared columns that the map uses."""
    of_map = columns_of_map(source)
    return {spec.from_ or name for name, spec in source.columns.items() if name.lower() in of_map}


def _has_header(source: FetchedSource) -> bool:
    return source.read.format in WITH_HEADER


def check_corrections(source: FetchedSource, report: SourceReport) -> None:
    """Report an error for every part, where a correction changes no row in any of them."""
    for i, correction in enumerate(source.corrections):
        if report.parts and not report.errors and not any(receipt.corrected[i] for receipt in report.parts.values()):
            text = f"correction ({correction.reason}): no row matches {correction.where}"
            report.errors |= {part: f"{snapshot.url}: {text}" for part, snapshot in report.snapshots.items()}


def _rules(context: Context, source: FetchedSource, frame: pl.DataFrame) -> list[contracts.ColumnRule]:
    rules = {
        name: contracts.ColumnRule(
            name=name, source=spec.from_ or name, type=spec.type, required=spec.required, min=spec.min, max=spec.max, pattern=spec.pattern,
            values=tuple(spec.values) if spec.values is not None else None, decimal=spec.decimal or source.read.decimal,
            thousands=spec.thousands or source.read.thousands, timezone=context.pack.file.declared_timezone, personal=spec.personal,
        )
        for name, spec in source.columns.items()
    }  # fmt: skip
    implied = list(source.fetch.parts or {})
    if source.read.format in EVENT_FORMATS:
        implied += [c for c in EVENT_COLUMNS if c in frame.columns]
    for name in implied:
        rules.setdefault(name, contracts.ColumnRule(name=name, source=name, type="string"))
    return list(rules.values())


@dataclass(frozen=True)
class Validation:
    """What the contract of a source says about its rows.

    `rows` are the accepted and the rejected ones in one frame (`__rejected`), `frame` the rows before validation.
    """

    result: contracts.Checked
    rows: pl.DataFrame
    rules: list[contracts.ColumnRule]
    frame: pl.DataFrame


def validate_rows(context: Context, source: FetchedSource, frame: pl.DataFrame) -> Validation:
    """Validate rows against the contract of the source."""
    if source.fetch.brings_records:  # each record is validated by itself: one that lacks a key does not reject the others
        names = {spec.from_ or name for name, spec in source.columns.items()} - set(frame.columns)
        frame = frame.with_columns(pl.lit(None, pl.String).alias(name) for name in sorted(names))
    rules = _rules(context, source, frame)
    result = contracts.check(frame, rules, source.key)
    if source.lookups:
        result = _with_lookups(context, source, result, rules, frame)
    accepted = result.accepted.with_columns(pl.lit(False).alias("__rejected"))
    rejected = result.rejected.with_columns(pl.lit(True).alias("__rejected"))
    return Validation(result, pl.concat([accepted, rejected], how="diagonal"), rules, frame)


def _with_lookups(
    context: Context, source: FetchedSource, result: contracts.Checked, rules: Sequence[contracts.ColumnRule], frame: pl.DataFrame
) -> contracts.Checked:
    """Return what the contract says about the rows, with the columns of the lookups. Rows with a fault of a lookup are bad."""

    def accepted_rows(other: FetchedSource, snapshots: Mapping[str, str]) -> pl.DataFrame:
        return _accepted_rows(context, other, snapshots)

    looked_up = lookups.add_columns(context, source, result.accepted, accepted_rows)
    is_bad = pl.col(lookups.FAULT).is_not_null()
    faults = looked_up.filter(is_bad).select(*_PLACE, pl.col(lookups.FAULT).alias("reasons"))
    bad = frame.join(faults, on=_PLACE, how="inner", nulls_equal=True, maintain_order="left")
    bad = bad.with_columns(contracts.masked_values(bad, rules).alias("values"))
    return replace(
        result, accepted=looked_up.filter(~is_bad).drop(lookups.FAULT),
        bad_rows=pl.concat([result.bad_rows, bad.select(result.bad_rows.columns)]),
        bad_cells=result.bad_cells.join(faults, on=_PLACE, how="anti", nulls_equal=True, maintain_order="left"),
        rejected=pl.concat([result.rejected, looked_up.filter(is_bad).drop(lookups.FAULT)], how="diagonal"),
    )  # fmt: skip


def _accepted_rows(context: Context, source: FetchedSource, snapshots: Mapping[str, str]) -> pl.DataFrame:
    """Return the rows of some parts that the source accepts: neither ignored nor in quarantine. Raises UnreadableSnapshot."""
    corrected_rows = []
    for part, sha256 in snapshots.items():
        texts, _ = read_text(context, source, sha256, read_options(context, source, part))
        corrected, _ = apply_corrections(context, source, with_variables(context, source, part, texts))
        corrected_rows.append(corrected)
    kept_rows = without_ignored(context, source, corrected_rows)
    if not kept_rows:
        names = [*source.columns, *(source.fetch.parts or {}), *(c for lookup in source.lookups.values() for c in lookup.take)]
        return pl.DataFrame(schema={**dict.fromkeys(names, pl.String), "__part": pl.String, "__row": pl.Int64, "__cell": pl.String,
                                    "__bad": pl.List(pl.String)})  # fmt: skip
    validation = validate_rows(context, source, pl.concat(kept_rows, how="diagonal"))
    if validation.result.missing_columns:
        raise readers.UnreadableSnapshot(
            f"{source.id}, which is looked up: " + no_column(validation.result.missing_columns[0], kept_rows[0].columns)
        )
    spec = source.map
    if isinstance(spec, ObservationsMap):  # its measures do not decide which rows are accepted
        source = source.model_copy(update={"map": spec.model_copy(update={"measures": {}})})
    mapped = map_rows(context, source, ValidatedRows(validation.rows, {}))
    left_out = pl.concat([mapped.rejected.select(_PLACE), mapped.unselected.select(_PLACE)])
    return validation.result.accepted.join(left_out, on=_PLACE, how="anti", nulls_equal=True, maintain_order="left")


def _validate_and_map(
    context: Context,
    source: FetchedSource,
    report: SourceReport,
    receipts: Mapping[str, Receipt],
    frame: pl.DataFrame,
    shapes: Shapes,
) -> None:
    """Write the canonical rows and the quarantine of each part, and add the receipts to the report. Raises UnreadableSnapshot."""
    validation = validate_rows(context, source, frame)
    for column in validation.result.missing_columns:
        spec = source.columns.get(column)
        name = spec.from_ if spec and spec.from_ else column
        message = no_column(name, next((list(receipt.shape["columns"]) for receipt in receipts.values()), []))
        if source.on_schema_change == "freeze" or (spec and spec.required) or column in source.key:
            raise readers.UnreadableSnapshot(message)
        is_used = source.on_schema_change is None and _has_header(source) and name in _columns_in_use(source)
        if is_used and not set(receipts) <= set(shapes.accepted):
            raise readers.UnreadableSnapshot(f"{message}; the map uses it (on_schema_change: warn accepts that)")
        for receipt in receipts.values():
            receipt.warnings.append(message)
    snapshots = {part: receipt.snapshot for part, receipt in receipts.items()}
    mapped = map_rows(context, source, ValidatedRows(validation.rows, snapshots))
    quarantine = quarantine_of(validation, mapped)
    kind = "area_rows" if source.into == "areas" else source.into
    for part, receipt in receipts.items():
        entries = quarantine.filter(pl.col("__part") == part)
        _count_rows(receipt, validation.result, mapped, entries)
        name = f"{source.id}/{slug(part)}/{receipt.snapshot[:12]}-{receipt.key[:12]}"
        if entries.height:
            receipt.files["quarantine"] = context.lake.write("quarantine", name, _named(entries, receipt))
        receipt.files[kind] = context.lake.write(kind, name, mapped.rows.filter(pl.col("part") == part))
        if mapped.refused is not None:
            receipt.files["refused_entries"] = context.lake.write("refused_entries", name, mapped.refused.filter(pl.col("part") == part))
        context.lake.save_receipt(receipt)
        report.parts[part] = receipt


def map_rows(context: Context, source: FetchedSource, validated: ValidatedRows) -> MappedRows:
    """Return what the map of the source makes of validated rows."""
    spec = source.map
    if isinstance(spec, ObservationsMap):
        territory, sandbox = context.territory, context.sandbox
        return observations.map_rows(
            source.id, validated, spec, territory, sandbox, weights=context.pack.weights, eurostat_flags=has_eurostat_flags(source),
            notes={source.note_id(i): note for i, note in enumerate(source.notes)},
        )  # fmt: skip
    if isinstance(spec, AreasMap):
        return areas.map_rows(source.id, validated, spec, [level.id for level in context.pack.file.levels], context.sandbox)
    if isinstance(spec, AreaChangesMap):
        return area_changes.map_rows(source.id, validated, spec, context.territory, context.sandbox)
    if isinstance(spec, BoundariesMap):
        return boundaries.map_rows(source.id, validated, spec, context.territory, context.sandbox)
    if isinstance(spec, EventsMap):
        personal = frozenset(context.pack.personal_columns(source))
        timezone = context.pack.file.declared_timezone
        return events.map_rows(source.id, validated, spec, context.territory, context.sandbox, personal, timezone)
    return register.map_rows(source.id, validated, spec, context.territory, context.sandbox)


def has_eurostat_flags(source: FetchedSource) -> bool:
    """Return whether the statuses of a source are Eurostat's flags: its file format or its protocol says so."""
    return source.read.format == "eurostat-tsv" or source.fetch.protocol == "eurostat"


def quarantine_of(validation: Validation, mapped: MappedRows) -> pl.DataFrame:
    """Return the rejected rows and cells of the contract and of the mapping, with row number, values and reasons."""
    result = validation.result
    rejected = validation.frame.join(mapped.rejected, on=_PLACE, how="inner", nulls_equal=True, maintain_order="left")
    columns = [*_PLACE, "column", "value", "reason"]
    whole_row = pl.lit(None, pl.String).alias("column")
    return (
        pl.concat(
            [
                result.bad_rows.select(*_PLACE, whole_row, pl.col("values").alias("value"), pl.col("reasons").alias("reason")),
                rejected.with_columns(whole_row, contracts.masked_values(rejected, validation.rules).alias("value")).select(columns),
                result.bad_cells.select(columns),
                mapped.bad_cells.with_columns(pl.lit(None, pl.String).alias("value")).select(columns),
            ]
        )
        .sort(*_PLACE, "column", nulls_last=False, maintain_order=True)
        .with_columns(_shortened(pl.col("reason")))
    )


def _shortened(reason: pl.Expr) -> pl.Expr:
    """Return reasons of at most MOST_REASON characters: they repeat cells, which may be long, and `value` has the cells."""
    return pl.when(reason.str.len_chars() > MOST_REASON).then(reason.str.slice(0, MOST_REASON) + "…").otherwise(reason)


def _count_rows(receipt: Receipt, result: contracts.Checked, mapped: MappedRows, quarantine: pl.DataFrame) -> None:
    """Fill the counts of a receipt. `quarantine` are the entries of its part."""
    is_of_part = pl.col("__part") == receipt.part
    rejected = mapped.rejected.filter(is_of_part).height
    unselected = mapped.unselected.filter(is_of_part).height
    ignored = {"repeat": result.repeats.filter(is_of_part).height, "where": unselected}
    receipt.ignored |= {reason: count for reason, count in ignored.items() if count}
    receipt.quarantined = result.bad_rows.filter(is_of_part).height + rejected
    receipt.accepted = result.accepted.filter(is_of_part).height - rejected - unselected
    receipt.cells_quarantined = quarantine.filter(pl.col("column").is_not_null()).height
    cells = mapped.measure_cells.filter(is_of_part)
    receipt.measures = {measure: (n, refused) for measure, n, refused in cells.select("measure", "cells", "refused").iter_rows()}
    receipt.values = dict(cells.select("measure", "filled").iter_rows())
    receipt.assert_rows_add_up()


def _named(entries: pl.DataFrame, receipt: Receipt) -> pl.DataFrame:
    """Return entries of the quarantine in the columns of the lake."""
    named = entries.rename({"__part": "part", "__row": "row_number", "__cell": "cell"}).with_columns(
        pl.lit(receipt.source).alias("source"), pl.lit(receipt.snapshot).alias("snapshot")
    )
    return named.select(*QUARANTINE).cast(QUARANTINE)
