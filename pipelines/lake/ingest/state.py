"""One state of the lake: the manifest with its files, and what the warehouse needs to know about the run."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from pipelines.core import versions
from pipelines.core.clock import timestamp
from pipelines.core.fingerprint import digest
from pipelines.lake import boundaries
from pipelines.lake.ingest.context import Context
from pipelines.lake.ingest.counted import areas_of
from pipelines.lake.ingest.report import SourceReport
from pipelines.lake.isolated import Unfinished
from pipelines.lake.manifest import Manifest, ManifestPart, ManifestSource
from pipelines.lake.mapping import placing
from pipelines.lake.sandbox import Sandbox
from pipelines.lake.store import AREA_NOTES, UNIVERSE, File, Receipt
from pipelines.packs import Pack, expressions
from pipelines.packs.compile import compile_pack
from pipelines.packs.schema import CountedSource, FetchedSource, ObservationsMap

_log = logging.getLogger("zpo2.ingest")
_FROM_SOURCES = ("observations", "events", "register", "area_changes", "quarantine", "conflicts", "refused_entries")
_SOURCE_COUNTS = pl.Schema({
    "source": pl.String, "rows_read": pl.Int64, "rows_accepted": pl.Int64, "rows_quarantined": pl.Int64, "rows_ignored": pl.Int64,
    "cells_quarantined": pl.Int64, "stale_since": pl.String,
})  # fmt: skip
_SNAPSHOTS = pl.Schema({
    "source": pl.String, "part": pl.String, "url": pl.String, "sha256": pl.String, "bytes": pl.Int64, "fetched_at": pl.String,
    "rows_read": pl.Int64, "rows_accepted": pl.Int64, "rows_quarantined": pl.Int64, "rows_ignored": pl.Int64,
})  # fmt: skip


def build_manifest(context: Context, reports: Mapping[str, SourceReport], merges: File) -> Manifest:
    """Describe this state of the lake, and write the files that belong to no single source."""
    manifest = Manifest(
        created_at=timestamp(context.settings.now()),
        pack=context.pack.id,
        pack_digest=context.pack.digest,
        code_version=versions.LAKE,
        files={**_source_files(context, reports), "event_merges": [merges], **_pack_files(context, reports)},
        sources={name: _manifest_source(report) for name, report in reports.items()},
    )
    manifest.digest = manifest.content_digest()
    return manifest


def _source_files(context: Context, reports: Mapping[str, SourceReport]) -> dict[str, list[File]]:
    """Return the files that the reports name, by kind."""
    files: dict[str, list[File]] = {kind: [context.lake.empty_file(kind)] for kind in _FROM_SOURCES}
    for report in reports.values():
        for kind in files:
            files[kind] += [f for f in report.files(kind) if f.rows]
        files["conflicts"] += [report.conflicts] if report.conflicts else []
        files["quarantine"] += report.quarantine
    return files


def _pack_files(context: Context, reports: Mapping[str, SourceReport]) -> dict[str, list[File]]:
    """Write the territory, the universes, the declarations and the tables about this run; return their files by kind."""
    territory = context.territory
    frames = {
        "areas": territory.areas, "area_gaps": territory.gaps, "area_parents": territory.parents, "area_codes": territory.codes,
        "area_attributes": territory.attributes,
    }  # fmt: skip
    name = digest([context.territory_digest, "resolved"])[:24]
    files = {kind: [context.lake.write(kind, name, frame)] for kind, frame in frames.items()}
    name = digest([context.territory_digest, context.pack.digest, sorted(name for name, report in reports.items() if report.parts)])[:24]
    files["universe"] = [context.lake.write("universe", name, _universes(context, reports))]
    files |= _boundaries(context, reports)
    files["area_notes"] = [context.lake.write("area_notes", name, _area_notes(context, reports))]
    for kind, frame in {**compile_pack(context.pack), **_run_tables(context.pack, reports)}.items():
        files[kind] = [context.lake.write(f"declared/{kind}", digest([kind, frame.write_json()])[:24], frame)]
    return files


def _boundaries(context: Context, reports: Mapping[str, SourceReport]) -> dict[str, list[File]]:
    """Write the polygons of all areas; return nothing where no source of boundaries is declared."""
    given = [file for report in reports.values() for file in report.files("boundaries") if file.rows]
    if not any(report.kind == "boundaries" for report in reports.values()):
        return {}
    levels = {level.id: level.parents for level in context.pack.file.levels}
    key = digest([context.territory_digest, [file.sha256 for file in given], levels, versions.LAKE])[:24]
    receipt = context.lake.load_receipt("area_boundaries", "", key)
    if receipt is None:
        try:
            frame = boundaries.resolve([context.lake.read(file) for file in given], context.territory, levels, context.scratch)
        except Unfinished as error:  # the next run tries again
            _log.error("the areas have no boundaries", extra={"reason": str(error)})
            return {"area_boundaries": [context.lake.empty_file("area_boundaries")]}
        file = context.lake.write("area_boundaries", key, frame)
        receipt = Receipt(source="area_boundaries", part="", snapshot="", key=key, files={"area_boundaries": file})
        context.lake.save_receipt(receipt)
    return {"area_boundaries": [receipt.files["area_boundaries"]]}


def _universes(context: Context, reports: Mapping[str, SourceReport]) -> pl.DataFrame:
    """Return the areas that each source declares to report on."""
    reporting: dict[str, FetchedSource | CountedSource] = {
        **{name: source for name, source in context.pack.sources.items() if isinstance(source.map, ObservationsMap)},
        **context.pack.counted,
    }
    universes = [
        areas.with_columns(pl.lit(name).alias("source")).select("source", "ref_area")
        for name, source in reporting.items()
        # a source without any part may be one whose universe cannot be evaluated
        if name in reports and reports[name].parts and (areas := areas_of(context, source.universe)) is not None
    ]
    return pl.concat(universes) if universes else pl.DataFrame(schema=UNIVERSE)


def _area_notes(context: Context, reports: Mapping[str, SourceReport]) -> pl.DataFrame:
    """Return the areas that each note on areas is about, for each of its measures."""
    frames = [pl.DataFrame(schema=AREA_NOTES)]
    for name, source in context.pack.sources.items():
        for i, note in enumerate(source.notes if name in reports and reports[name].parts else ()):
            areas = areas_of(context, note.areas)
            if areas is not None:
                names = {"source": name, "note": source.note_id(i)}
                measures = pl.DataFrame({"measure": list(dict.fromkeys(note.measures))})
                frames.append(
                    areas.join(measures, how="cross").with_columns(**{k: pl.lit(v) for k, v in names.items()}).select(*AREA_NOTES)
                )
    return pl.concat(frames)


def _manifest_source(report: SourceReport) -> ManifestSource:
    parts = {}
    for name, receipt in report.parts.items():
        snapshot = report.snapshots.get(name)
        parts[name] = ManifestPart(
            snapshot=receipt.snapshot, key=receipt.key, url=snapshot.url if snapshot else None,
            fetched_at=snapshot.fetched_at if snapshot else None,
        )  # fmt: skip
    return ManifestSource(kind=report.kind, parts=parts)


def _run_tables(pack: Pack, reports: Mapping[str, SourceReport]) -> dict[str, pl.DataFrame]:
    """Return what the warehouse needs to know about this run: counts per source, snapshots, and which sources are down in which period."""
    counts, snapshots, down = [], [], []
    for name, report in sorted(reports.items()):
        stale_since = min(filter(None, (report.stale_since, report.down_since)), default=None)
        counts.append({**report.counts(), "source": name, "stale_since": stale_since})
        snapshots += _snapshot_rows(report)
        down += [{"source": name, "time_period": period} for period in _periods_down(pack, report, reports)]
    return {
        "source_counts": pl.DataFrame([{c: row[c] for c in _SOURCE_COUNTS} for row in counts], schema=_SOURCE_COUNTS),
        "snapshots": pl.DataFrame(snapshots, schema=_SNAPSHOTS),
        "down": pl.DataFrame(down, schema={"source": pl.String, "time_period": pl.String}),
    }


def _snapshot_rows(report: SourceReport) -> list[dict[str, Any]]:
    return [
        {
            "source": report.source, "part": part, "url": snapshot.url, "sha256": snapshot.sha256, "bytes": snapshot.bytes,
            "fetched_at": snapshot.fetched_at, "rows_read": receipt.rows_read, "rows_accepted": receipt.accepted,
            "rows_quarantined": receipt.quarantined, "rows_ignored": sum(receipt.ignored.values()),
        }
        for part, snapshot in sorted(report.snapshots.items())
        if (receipt := report.parts.get(part)) is not None
    ]  # fmt: skip


def _periods_down(pack: Pack, report: SourceReport, reports: Mapping[str, SourceReport]) -> Iterator[str | None]:
    """Yield the periods for which a source has no good snapshot; None stands for any period."""
    source = pack.sources.get(report.source)
    if report.down and source is not None:
        yield from (_period_of(source, part.variables) for part in pack.parts(source) if part.name not in report.parts)
    counted = pack.counted.get(report.source)
    if counted is not None and any(r.down for r in reports.values() if r.kind == counted.from_):
        yield None


def _period_of(source: FetchedSource, variables: dict[str, str]) -> str | None:
    """Return the period of a part that could not be fetched, or None where its variables do not determine it."""
    if not isinstance(source.map, ObservationsMap):
        return None
    used = {c.lower() for c in expressions.parse(source.map.period).columns}
    if not used <= {v.lower() for v in variables}:
        return None
    row = pl.DataFrame({"__n": [0], **{name: [value] for name, value in variables.items()}}, schema_overrides={"__n": pl.Int64})
    values, _ = Sandbox().evaluate(row, [("period", "varchar", source.map.period)])
    period: str | None = values.select(placing.canonical_period(pl.col("period")))["period"][0]
    return period
