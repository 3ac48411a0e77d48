"""The rows of a source: read, corrected, judged by the contract, mapped, and every one of them accounted for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import polars as pl

from pipelines import readers
from pipelines.extract.fetcher import is_paged
from pipelines.extract.snapshots import Snapshot, slug
from pipelines.lake import store as lake_rooms
from pipelines.lake.ingest import shape as shape_of_snapshot
from pipelines.lake.ingest.context import Context
from pipelines.lake.ingest.report import SourceReport
from pipelines.lake.mapping import Checked, Mapped, area_changes, areas, events, observations, register
from pipelines.lake.store import Receipt
from pipelines.packs import expressions
from pipelines.packs.expressions import ExpressionError
from pipelines.packs.schema import AreaChangesMap, AreasMap, EventsMap, FetchedSource, ObservationsMap
from pipelines.readers.cells import Columns
from pipelines.readers.options import EVENT_COLUMNS, EVENT_FORMATS
from quality import contracts

Progress = Callable[[str], None]
READERS = 2  # files read at a time: text frames of all parts of a source are in memory until they are mapped


def process(
    context: Context,
    source: FetchedSource,
    report: SourceReport,
    snapshots: dict[str, Snapshot],
    shapes: Mapping[str, Mapping[str, Any]],
    progress: Progress,
) -> None:
    """Fill `report` with a receipt for each snapshot, or with the reason why it cannot be read.

    `shapes` are those of the last good snapshots; another one is told, or, with `on_schema_change: freeze`, refused.
    """
    frames: list[pl.DataFrame] = []
    waiting: dict[str, Receipt] = {}
    todo: dict[str, tuple[Snapshot, str]] = {}
    for part, snapshot in snapshots.items():
        report.snapshots[part] = snapshot
        key = context.key(source, snapshot)
        receipt = context.lake.receipt(source.id, part, key)
        if receipt and _same_shape(source, report, part, shapes.get(part, {}), receipt.shape):
            report.parts[part] = receipt
            report.errors.pop(part, None)
        if receipt:
            continue
        todo[part] = (snapshot, key)
    if not todo:
        return
    progress(f"{source.id}: reading {len(todo)} snapshots")
    with ThreadPoolExecutor(READERS) as pool:
        # parts may share their bytes: those are read once
        texts = {sha: pool.submit(text_of, context, source, sha) for sha in dict.fromkeys(s.sha256 for s, _ in todo.values())}
    for part, (snapshot, key) in todo.items():
        try:
            rows, shape = texts[snapshot.sha256].result()
            if not _same_shape(source, report, part, shapes.get(part, {}), shape):
                continue
            frame, ignored, corrected = _without_ignored(context, source, part, rows)
        except (readers.UnreadableSnapshot, ExpressionError) as error:
            report.errors[part] = f"{snapshot.url}: {error}"
            report.snapshots.pop(part)
            continue
        counts = {"ignore": ignored} if ignored else {}
        waiting[part] = Receipt(
            source.id, part, snapshot.sha256, key, frame.height + ignored, 0, 0, counts, 0, shape=shape, corrected=corrected
        )
        frames.append(frame)
        report.errors.pop(part, None)
    if not waiting:
        return
    try:
        _check_and_map(context, source, report, waiting, pl.concat(frames, how="diagonal"))
    except (readers.UnreadableSnapshot, ExpressionError) as error:
        for part in waiting:
            report.errors[part] = str(error)
            report.snapshots.pop(part, None)


def _same_shape(source: FetchedSource, report: SourceReport, part: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Compare the shape of a snapshot with that of the last good one; False where a difference refuses it."""
    told = source.on_schema_change != "evolve" and not source.fetch.brings_records
    text = shape_of_snapshot.drift(before, after) if told else ""
    if text and source.on_schema_change == "freeze":
        report.errors[part] = f"{report.snapshots.pop(part).url}: the columns are frozen, but {text}"
        return False
    if text:
        report.drift[part] = text
    return True


def check_corrections(source: FetchedSource, report: SourceReport) -> None:
    """Make an error of every part, where a correction changes no row in any of them."""
    for i, correction in enumerate(source.corrections):
        if report.parts and not report.errors and not any(receipt.corrected[i] for receipt in report.parts.values()):
            text = f"correction ({correction.reason}): no row matches {correction.where}"
            report.errors |= {part: f"{snapshot.url}: {text}" for part, snapshot in report.snapshots.items()}


def text_of(context: Context, source: FetchedSource, sha256: str) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Return the text rows of a snapshot, at least in the columns that are needed, and the shape of the whole."""
    wanted = {spec.from_ or name for name, spec in source.columns.items()}
    for text in (source.read.ignore, *(c.where for c in source.corrections)):
        if text is not None:
            wanted |= expressions.parse(text).columns
    # with a key, rows are compared in all cells of the file
    needed = (
        None if source.key or source.read.format in EVENT_FORMATS else wanted | {n for c in source.corrections for n in (*c.set, *c.expect)}
    )
    options = source.read
    if options.format == "json" and is_paged(source.fetch):
        options = options.model_copy(update={"records": f"/*{options.records or ''}"})
    columns = Columns(needed)
    try:
        rows = readers.read(context.archive.path(sha256), options, columns)
    except (readers.UnreadableSnapshot, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a fault of a reader (a panic of polars is no Exception) must not stop the other sources
        raise readers.UnreadableSnapshot(f"the reader of {options.format} failed on it: {type(error).__name__}: {error}") from error
    return rows, shape_of_snapshot.of(list(columns.found) or [c for c in rows.columns if not c.startswith("__")], rows)


def _without_ignored(context: Context, source: FetchedSource, part: str, frame: pl.DataFrame) -> tuple[pl.DataFrame, int, list[int]]:
    """Return the rows of a part, corrected, without the ignored ones; how many those are; and how many each correction changed."""
    frame, corrected = corrected_rows(context, source, with_variables(context, source, part, frame))
    kept = not_ignored(context, source, frame)
    return kept, frame.height - kept.height, corrected


def with_variables(context: Context, source: FetchedSource, part: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Give the rows of a part its variables as columns, and `__part`."""
    variables = next((p.variables for p in context.pack.parts(source) if p.name == part), {})
    return frame.with_columns(*(pl.lit(value).alias(name) for name, value in variables.items()), pl.lit(part).alias("__part"))


def not_ignored(context: Context, source: FetchedSource, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that `read.ignore` does not name."""
    if source.read.ignore is None or not frame.height:
        return frame
    return frame.filter(~selected(context, source.read.ignore, frame, "read.ignore"))


def selected(context: Context, expression: str, frame: pl.DataFrame, what: str) -> pl.Series:
    """Return for each row of text cells whether `expression` is true of it; `what` names the expression in an error."""
    by_name = {c.lower(): c for c in frame.columns}
    used = []
    for name in sorted(expressions.parse(expression).columns):
        if name.lower() not in by_name:
            raise readers.UnreadableSnapshot(f"{what} names the column {name}, which the file does not have")
        used.append(by_name[name.lower()])
    numbered = frame.select(*used).with_row_index("__n").with_columns(pl.col("__n").cast(pl.Int64))
    sql = f"select __n, coalesce(cast((\n{expression}\n) as boolean), false) as hit from input order by __n"
    return context.sandbox.query(sql, input=numbered)["hit"]


def corrected_rows(context: Context, source: FetchedSource, frame: pl.DataFrame) -> tuple[pl.DataFrame, list[int]]:
    """Return the rows with the declared corrections applied, and how many rows each of them changed."""
    changed = []
    for correction in source.corrections:
        mask = selected(context, correction.where, frame, "corrections.where")
        for column in (*correction.expect, *correction.set):
            if column not in frame.columns:
                raise readers.UnreadableSnapshot(f"corrections name the column {column}, which the file does not have")
        for column, text in correction.expect.items():
            other = frame.filter(mask & (frame[column].fill_null("") != text))
            if other.height:
                raise readers.UnreadableSnapshot(
                    f"correction ({correction.reason}): {column} is {other[column][0]!r} in row {other['__row'][0]}, {text!r} was expected"
                )
        changed.append(int(mask.sum()))
        frame = frame.with_columns(pl.when(mask).then(pl.lit(v)).otherwise(pl.col(c)).alias(c) for c, v in correction.set.items())
    return frame, changed


def _rules(context: Context, source: FetchedSource, frame: pl.DataFrame) -> list[contracts.ColumnRule]:
    rules = {
        name: contracts.ColumnRule(
            name=name, source=spec.from_ or name, type=spec.type, required=spec.required, min=spec.min, max=spec.max, pattern=spec.pattern,
            values=tuple(spec.values) if spec.values is not None else None, decimal=spec.decimal or source.read.decimal,
            thousands=spec.thousands or source.read.thousands, personal=spec.personal,
        )
        for name, spec in source.columns.items()
    }  # fmt: skip
    implied = list(source.fetch.parts or {})
    if source.read.format in EVENT_FORMATS:
        implied += [c for c in EVENT_COLUMNS if c in frame.columns]
    for name in implied:
        rules.setdefault(name, contracts.ColumnRule(name=name, source=name, type="string"))
    return list(rules.values())


def judged(
    context: Context, source: FetchedSource, frame: pl.DataFrame
) -> tuple[contracts.Checked, pl.DataFrame, list[contracts.ColumnRule], pl.DataFrame]:
    """Judge rows by the source's contract. Return what it found, the accepted and the rejected rows in one frame, the rules, and `frame`."""
    if source.fetch.brings_records:  # each record is judged by itself: one that lacks a key does not refuse the others
        names = {spec.from_ or name for name, spec in source.columns.items()} - set(frame.columns)
        frame = frame.with_columns(pl.lit(None, pl.String).alias(name) for name in sorted(names))
    rules = _rules(context, source, frame)
    checked = contracts.check(frame, rules, source.key)
    accepted = checked.accepted.with_columns(pl.lit(False).alias("__rejected"))
    rejected = checked.rejected.with_columns(pl.lit(True).alias("__rejected"))
    return checked, pl.concat([accepted, rejected], how="diagonal"), rules, frame


def _check_and_map(context: Context, source: FetchedSource, report: SourceReport, waiting: dict[str, Receipt], frame: pl.DataFrame) -> None:
    checked, rows, rules, frame = judged(context, source, frame)
    for column in checked.missing_columns:
        spec = source.columns.get(column)
        if source.on_schema_change == "freeze" or (spec and spec.required) or column in source.key:
            raise readers.UnreadableSnapshot(f"the file has no column {spec.from_ if spec and spec.from_ else column}")
        for receipt in waiting.values():
            receipt.warnings.append(f"no column {spec.from_ if spec and spec.from_ else column} in the file")
    shas = {part: receipt.snapshot for part, receipt in waiting.items()}
    mapped = _map(context, source, Checked(rows, shas))
    _account(context, source, waiting, frame, checked, mapped, rules)
    kind = "area_rows" if source.into == "areas" else source.into
    for part, receipt in waiting.items():
        name = f"{source.id}/{slug(part)}/{receipt.snapshot[:12]}-{receipt.key[:12]}"
        receipt.files[kind] = context.lake.write(kind, name, mapped.rows.filter(pl.col("part") == part))
        context.lake.keep(receipt)
        report.parts[part] = receipt


def _map(context: Context, source: FetchedSource, checked: Checked) -> Mapped:
    spec = source.map
    if isinstance(spec, ObservationsMap):
        return observations.map_rows(source.id, checked, spec, context.territory, context.sandbox)
    if isinstance(spec, AreasMap):
        return areas.map_rows(source.id, checked, spec, [level.id for level in context.pack.file.levels], context.sandbox)
    if isinstance(spec, AreaChangesMap):
        return area_changes.map_rows(source.id, checked, spec, context.territory, context.sandbox)
    if isinstance(spec, EventsMap):
        personal = frozenset(n for n, c in source.columns.items() if c.personal)
        return events.map_rows(source.id, checked, spec, context.territory, context.sandbox, personal)
    return register.map_rows(source.id, checked, spec, context.territory, context.sandbox)


def _account(
    context: Context,
    source: FetchedSource,
    waiting: dict[str, Receipt],
    frame: pl.DataFrame,
    checked: contracts.Checked,
    mapped: Mapped,
    rules: list[contracts.ColumnRule],
) -> None:
    """Fill the receipts' counts and write what was refused, with row number, values and reasons."""
    rejected = frame.join(mapped.rejected, on=["__part", "__row"], how="inner", maintain_order="left")
    shape = ["__part", "__row", "column", "value", "reason"]
    whole = pl.lit(None, pl.String).alias("column")
    refused = pl.concat(
        [
            checked.bad_rows.select("__part", "__row", whole, pl.col("values").alias("value"), pl.col("reasons").alias("reason")),
            rejected.with_columns(contracts.masked_values(rejected, rules).alias("value")).select(
                "__part", "__row", whole, "value", "reason"
            ),
            checked.bad_cells.select(shape),
            mapped.bad_cells.with_columns(pl.lit(None, pl.String).alias("value")).select(shape),
        ]
    ).sort("__part", "__row", "column", nulls_last=False)
    for part, receipt in waiting.items():
        mine = pl.col("__part") == part
        receipt.quarantined = checked.bad_rows.filter(mine).height + mapped.rejected.filter(mine).height
        repeats = checked.repeats.filter(mine).height
        unselected = mapped.unselected.filter(mine).height
        receipt.ignored |= {k: v for k, v in {"repeat": repeats, "where": unselected}.items() if v}
        receipt.accepted = checked.accepted.filter(mine).height - mapped.rejected.filter(mine).height - unselected
        cells = refused.filter(mine & pl.col("column").is_not_null())
        receipt.cells_quarantined = cells.height
        receipt.assert_nothing_lost()
        bad = refused.filter(mine)
        if bad.height:
            named = bad.rename({"__part": "part", "__row": "row_number"}).with_columns(
                pl.lit(source.id).alias("source"), pl.lit(receipt.snapshot).alias("snapshot")
            )
            name = f"{source.id}/{slug(part)}/{receipt.snapshot[:12]}-{receipt.key[:12]}"
            receipt.files["quarantine"] = context.lake.write(
                "quarantine",
                name,
                named.select(*lake_rooms.QUARANTINE).cast(lake_rooms.QUARANTINE),  # type: ignore[arg-type]
            )
