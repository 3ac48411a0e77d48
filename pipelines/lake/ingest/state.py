"""One state of the lake: the manifest with its files, and what the warehouse must know of the run."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import polars as pl

from pipelines.core import versions
from pipelines.core.clock import timestamp
from pipelines.core.fingerprint import digest
from pipelines.lake import store as lake_rooms
from pipelines.lake.ingest.context import Context
from pipelines.lake.ingest.counted import universe_of
from pipelines.lake.ingest.report import SourceReport
from pipelines.lake.mapping import placing
from pipelines.lake.sandbox import Sandbox
from pipelines.lake.store import File
from pipelines.packs import Pack, expressions
from pipelines.packs import compile as declarations
from pipelines.packs.schema import FetchedSource, ObservationsMap

_FROM_SOURCES = ("observations", "events", "register", "area_changes", "quarantine", "conflicts")


def manifest(context: Context, reports: dict[str, SourceReport], merges: File) -> dict[str, Any]:
    """Describe this state of the lake: which files of which snapshots. Its digest does not depend on time."""
    lake = context.lake
    files: dict[str, list[File]] = {kind: [lake.empty(kind)] for kind in _FROM_SOURCES}
    for report in reports.values():
        for kind in files:
            files[kind] += [f for f in report.files(kind) if f.rows]
        files["conflicts"] += [report.conflicts] if report.conflicts else []
        files["quarantine"] += report.quarantine
    files["event_merges"] = [merges]
    resolved = digest([context.territory_digest, "resolved"])[:24]
    for kind, frame in (
        ("areas", context.territory.areas), ("area_parents", context.territory.parents), ("area_codes", context.territory.codes),
        ("area_attributes", context.territory.attributes),
    ):  # fmt: skip
        files[kind] = [lake.write(kind, resolved, frame)]
    everywhere = {**context.pack.sources, **context.pack.counted}
    universes = [
        found.with_columns(pl.lit(name).alias("source")).select("source", "ref_area")
        for name, source in everywhere.items()
        if source.enabled and (found := universe_of(context, source.universe)) is not None
    ]
    universe = pl.concat(universes) if universes else pl.DataFrame(schema=lake_rooms.UNIVERSE)
    files["universe"] = [lake.write("universe", digest([context.territory_digest, context.pack.digest])[:24], universe)]
    for kind, frame in {**declarations.compile_pack(context.pack), **_run_tables(context.pack, reports)}.items():
        files[kind] = [lake.write(f"declared/{kind}", digest([kind, frame.write_json()])[:24], frame)]
    content = {
        "pack": context.pack.id,
        "pack_digest": context.pack.digest,
        "code_version": versions.LAKE,
        "files": {kind: [asdict(f) for f in entries] for kind, entries in sorted(files.items())},
        "sources": {
            name: {
                "kind": r.kind,
                "parts": {
                    p: {
                        "snapshot": receipt.snapshot,
                        "key": receipt.key,
                        **({"url": r.snapshots[p].url, "fetched_at": r.snapshots[p].fetched_at} if p in r.snapshots else {}),
                    }
                    for p, receipt in r.parts.items()
                },
            }
            for name, r in reports.items()
        },
    }
    created = timestamp(context.settings.now())
    return {"format": 1, "created_at": created, "digest": digest(content), **content}


def _run_tables(pack: Pack, reports: dict[str, SourceReport]) -> dict[str, pl.DataFrame]:
    """Return what the warehouse must know of this run: counts by source, snapshots, and which sources are down for which period."""
    counts, snapshots, down = [], [], []
    for name, report in sorted(reports.items()):
        counts.append(
            {
                "source": name,
                **{k: v for k, v in report.counts().items() if k not in ("ignored", "warnings")},
                "stale_since": min(filter(None, (report.stale_since, report.down_since)), default=None),
            }
        )
        for part, snapshot in sorted(report.snapshots.items()):
            if part not in report.parts:
                continue
            receipt = report.parts[part]
            snapshots.append(
                {
                    "source": name, "part": part, "url": snapshot.url, "sha256": snapshot.sha256, "bytes": snapshot.bytes,
                    "fetched_at": snapshot.fetched_at, "rows_read": receipt.rows_read, "rows_accepted": receipt.accepted,
                    "rows_quarantined": receipt.quarantined, "rows_ignored": sum(receipt.ignored.values()),
                }
            )  # fmt: skip
        source = pack.sources.get(name)
        if report.down and source is not None:
            for part_of in pack.parts(source):
                if part_of.name not in report.parts:
                    down.append({"source": name, "time_period": _period_of(source, part_of.variables)})
        counted = pack.counted.get(name)
        if counted is not None and any(r.down for r in reports.values() if r.kind == counted.from_):
            down.append({"source": name, "time_period": None})
    s, i = pl.String, pl.Int64
    return {
        "source_counts": pl.DataFrame(
            counts,
            schema={
                "source": s, "rows_read": i, "rows_accepted": i, "rows_quarantined": i, "rows_ignored": i, "cells_quarantined": i,
                "stale_since": s,
            },
        ),
        "snapshots": pl.DataFrame(
            snapshots,
            schema={"source": s, "part": s, "url": s, "sha256": s, "bytes": i, "fetched_at": s, "rows_read": i, "rows_accepted": i,
                    "rows_quarantined": i, "rows_ignored": i},
        ),
        "down": pl.DataFrame(down, schema={"source": s, "time_period": s}),
    }  # fmt: skip


def _period_of(source: FetchedSource, variables: dict[str, str]) -> str | None:
    """Return the period of a part that could not be fetched, where its variables alone say it."""
    if not isinstance(source.map, ObservationsMap):
        return None
    used = {c.lower() for c in expressions.parse(source.map.period).columns}
    if not used <= {v.lower() for v in variables}:
        return None
    row = pl.DataFrame({"__n": [0], **{name: [value] for name, value in variables.items()}}, schema_overrides={"__n": pl.Int64})
    values, _ = Sandbox().evaluate(row, [("period", "varchar", source.map.period)])
    period: str | None = values.select(placing.periods(pl.col("period")))["period"][0]
    return period
