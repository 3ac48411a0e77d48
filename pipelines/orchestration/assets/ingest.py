"""Sources and the lake as Dagster assets: one multi-asset fetches and processes all sources, another shows the lake's state by kind."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

import dagster as dg
from pydantic import Field

from pipelines.core import logs, versions
from pipelines.core.clock import parse_timestamp, timestamp
from pipelines.core.fingerprint import digest
from pipelines.core.printable import printable, shortened
from pipelines.extract import backlog, inbox
from pipelines.extract.http.request import FetchResult
from pipelines.extract.restoring import restore_snapshots
from pipelines.extract.source_state import SourceStates, unprocessed_sources
from pipelines.extract.sources import fetch_sources
from pipelines.lake.ingest import Ingest, SourceReport
from pipelines.lake.manifest import Manifest
from pipelines.lake.quarantine import by_reason
from pipelines.lake.store import Lake
from pipelines.orchestration.jobs import DRAINED, WORKSPACE
from pipelines.orchestration.keys import lake_table_key, owners_of, source_key, tags_of
from pipelines.orchestration.session import RunSession
from pipelines.packs import Pack
from pipelines.packs.workspace import Workspace
from pipelines.runs import repair
from pipelines.runs.findings import IngestFindings
from pipelines.warehouse import dbt

LAKE_KINDS = {
    "areas": "Areas of the territory, merged from all sources of areas.",
    "area_gaps": "Times in which an area does not exist, before it separates again.",
    "area_parents": "Direct parents of areas.",
    "area_codes": "Codes of areas.",
    "area_attributes": "Attributes of areas.",
    "area_changes": "Merges, splits and new codes of areas.",
    "boundaries": "Polygons of areas; those of coarser levels are joined from the finest.",
    "observations": "Observations of all sources, counts of events and register entries included.",
    "events": "Events.",
    "event_merges": "Events replaced by the same event of an earlier feed: same title, start and area.",
    "register": "Register entries.",
    "conflicts": "Cells for which a source gives several values.",
    "universe": "The areas that report, where a source declares them.",
    "area_notes": "The areas that notes are about where they have no row.",
    "quarantine": "Refused rows and cells with their reasons.",
    "declarations": "The pack's declarations as tables.",
    "manifest": "The files that make up the current state of the lake.",
}
VERSION_TAG = "dagster/data_version"
REFUSED_SHOWN = 20  # rows of each table of refused rows
CELL_SHOWN = 60  # characters of a value in them, so that the reasons stay readable
REASON_SHOWN = 300
_FEEDS = {
    "areas": "areas",
    "area_gaps": "areas",
    "area_parents": "areas",
    "area_codes": "areas",
    "area_attributes": "areas",
    "area_changes": "area_changes",
    "boundaries": "boundaries",
    "events": "events",
    "event_merges": "events",
    "register": "register",
}


_FILES = {
    "boundaries": ["area_boundaries"],
    "declarations": ["indicators", "terms", "measures", "indices", "index_nodes", "levels"],
    "manifest": [],
}


def rows_check(source: str) -> str:
    return f"rows:{source}"


def snapshot_check(source: str) -> str:
    return f"snapshot:{source}"


def schema_check(source: str) -> str:
    return f"schema:{source}"


def areas_check(kind: str) -> str:
    return f"areas:{kind}"


def _specs(pack: Pack) -> list[dg.AssetSpec]:
    specs = []
    for source in pack.sources.values():
        if not source.enabled:
            continue
        specs.append(
            dg.AssetSpec(
                source_key(pack, source.id),
                group_name=source.theme,
                description=f"{pack.text(source.title)} ({source.publisher}, {source.licence})",
                kinds={source.read.format.replace("-", "_"), "parquet"},
                owners=owners_of(pack, source),
                tags=tags_of(pack, source),
                skippable=True,
                metadata={"url": source.fetch.url, "confidence": source.confidence},
            )
        )
    for counted in pack.counted.values():
        if counted.enabled:
            specs.append(
                dg.AssetSpec(
                    source_key(pack, counted.id),
                    group_name="events",
                    description=f"{pack.text(counted.title) or counted.id}: counted from {counted.from_}",
                    kinds={"parquet"},
                    owners=owners_of(pack, counted),
                    tags=tags_of(pack, counted),
                    skippable=True,
                    deps=[source_key(pack, s.id) for s in pack.sources.values() if s.enabled and s.into == counted.from_],
                )
            )
    return specs


def _checks(pack: Pack) -> list[dg.AssetCheckSpec]:
    checks = []
    for source in pack.sources.values():
        if source.enabled:
            key = source_key(pack, source.id)
            checks.append(
                dg.AssetCheckSpec(
                    "snapshot", asset=key, description="Every part has a good snapshot, fetched by this run or an earlier one."
                )
            )
            checks.append(dg.AssetCheckSpec("fresh", asset=key, description="The content is that of the last scheduled poll."))
            checks.append(
                dg.AssetCheckSpec(
                    "schema",
                    asset=key,
                    description="The columns of the files, and whether they hold numbers, are those of the last good ones.",
                )
            )
            checks.append(
                dg.AssetCheckSpec(
                    "rows", asset=key, description="Rows read = accepted + quarantined + ignored; the contract checked each row."
                )
            )
    return checks


class IngestConfig(dg.Config):
    """What a run of the ingest processes, beside dropped files and pushed events."""

    fetch: bool = Field(default=True, description="Fetch the selected sources; false: only those that events report as changed.")
    sources: list[str] = Field(default=[], description="Fetch only these of the selected sources; empty: all of them.")
    part: str = Field(default="", description="Fetch only parts whose variable lies in a range: year=2013..2016.")


def fetch_and_drain(session: RunSession, config: IngestConfig, selected: set[str] | None) -> list[FetchResult]:
    """Fetch what the run was asked to (None: all sources) and what events report as changed, then drain the whole backlog."""
    workspace = session.workspace
    logs.open_log(workspace)
    inbox.wait_until_settled(workspace)  # else a file that came with the events of a burst would need a run of its own
    backlog.seal_waiting_events(workspace)
    results: list[FetchResult] = []
    if config.fetch:
        requested = set(config.sources) if config.sources else None
        part = workspace.pack.part_range(config.part) if config.part else session.request.part
        results += fetch_sources(workspace, selected if requested is None else requested & (selected or requested), part)
    if reported := backlog.reported_sources(workspace) - {result.request.source.id for result in results}:
        results += fetch_sources(workspace, reported)
    return results + backlog.drain(workspace)


def affected_assets(pack: Pack, sources: Collection[str]) -> list[dg.AssetKey]:
    """Return the assets of `sources`, and of what is counted from them."""
    kinds = {source.into for name, source in pack.sources.items() if name in sources}
    counted = {c.id for c in pack.counted.values() if c.enabled and c.from_ in kinds}
    return [source_key(pack, name) for name in sorted({*sources, *counted})]


def build_ingest(session: RunSession) -> list[dg.AssetsDefinition]:
    """Return the assets of the sources and of the lake for one workspace."""
    return [_sources(session), _lake(session)]


def _sources(session: RunSession) -> dg.AssetsDefinition:
    workspace, request = session.workspace, session.request
    specs = _specs(workspace.pack)

    @dg.multi_asset(name="ingest", specs=specs, check_specs=_checks(workspace.pack), can_subset=True)
    def ingest(context: dg.AssetExecutionContext, config: IngestConfig) -> Iterator[Any]:
        """Fetch, archive, read, check and map the selected sources, and all others with new content."""
        session.hold()
        if not request.by_command:
            repair.repair(workspace)
        session.dbt.start()  # it imports what it needs while the sources are read
        selected = {key.path[-1] for key in context.selected_asset_keys}
        results = request.fetched
        if results is None:
            with session.timed("fetch"):
                results = tuple(fetch_and_drain(session, config, None if len(selected) == len(specs) else selected))
            # what arrives from now on waits for another run, which the sensor requests
            tags = {DRAINED: timestamp(workspace.settings.now()), WORKSPACE: str(workspace.root)}
            context.instance.add_run_tags(context.run_id, tags)
        only = None
        if request.only is not None:  # a segment that was still open may have brought records for other sources
            only = set(request.only) | {result.request.source.id for result in results if result.delivered}
        with session.timed("ingest"):
            new = affected_assets(workspace.pack, unprocessed_sources(workspace.pack, SourceStates(workspace.fetch_state)))
            step, reports = _process(session, only, context.log.info, len(specs))
            yield from _results_of_run(context, workspace, step, reports, selected, new)
        if not request.by_command:
            session.save_metrics()

    return ingest


def _process(
    session: RunSession, only: set[str] | None, log: Callable[[str], None], sources: int
) -> tuple[Ingest, dict[str, SourceReport]]:
    """Process the snapshots, once more where some had to be restored, and store the findings of the run."""
    workspace = session.workspace
    reports: dict[str, SourceReport] = {}

    def done(report: SourceReport) -> None:
        reports[report.source] = report
        session.report("source", report.source, _sentence(report), len(reports), sources)
        log(f"source {report.source}: {printable(_sentence(report))}")

    def run() -> Ingest:
        reports.clear()
        step = Ingest(workspace, lambda text: session.report("read", "ingest", text))
        step.run(only, done)
        return step

    step = run()
    repaired = [f"{path} was damaged on the disk, and was made again from the archive" for path in step.rebuilt_files]
    if step.damaged and not session.request.is_vintage:
        repaired += restore_snapshots(workspace, step.damaged)
        step = run()
    session.findings = findings = IngestFindings(area_warnings=list(step.area_warnings), area_faults=step.area_faults(), repaired=repaired)
    session.bytes = sum(s.bytes for r in reports.values() for s in r.snapshots.values())
    for report in reports.values():
        findings.add(report, workspace.pack)
    findings.save(workspace.last_ingest)
    return step, reports


def _results_of_run(
    context: dg.AssetExecutionContext,
    workspace: Workspace,
    step: Ingest,
    reports: Mapping[str, SourceReport],
    selected: Collection[str],
    new: Collection[dg.AssetKey],
) -> Iterator[Any]:
    """Yield the results of the selected sources, and report those of others whose content is `new` to Dagster."""
    pack, lake = workspace.pack, Lake(workspace.lake)
    for name, report in reports.items():
        key = source_key(pack, name)
        version = version_of((part, receipt.snapshot, receipt.key) for part, receipt in report.parts.items())
        checks = list(_results(pack, report)) if name in pack.sources else []
        if name in selected:
            # also for a source that is down: without its output Dagster would skip every later step without a word
            yield dg.MaterializeResult(asset_key=key, metadata=_metadata(report, lake, step.states), data_version=dg.DataVersion(version))
            yield from (r for r in checks if dg.AssetCheckKey(key, r.check_name or "") in context.selected_asset_check_keys)
        elif key in new:  # its content came after the run was requested
            context.instance.report_runless_asset_event(
                dg.AssetMaterialization(key, metadata=_metadata(report, lake, step.states), tags={VERSION_TAG: version})
            )
            for r in checks:
                evaluation = dg.AssetCheckEvaluation(key, r.check_name or "", passed=r.passed, severity=r.severity, metadata=r.metadata)
                context.instance.report_runless_asset_event(evaluation)


def _lake(session: RunSession) -> dg.AssetsDefinition:
    workspace = session.workspace
    pack = workspace.pack
    specs = [
        dg.AssetSpec(
            lake_table_key(pack, kind),
            group_name="lake",
            description=text,
            kinds={"parquet"},
            owners=owners_of(pack),
            tags=tags_of(pack),
            deps=_feeding(pack, kind) if kind != "manifest" else [lake_table_key(pack, other) for other in LAKE_KINDS if other != kind],
        )
        for kind, text in LAKE_KINDS.items()
    ]

    @dg.multi_asset(name="lake", specs=specs)
    def lake_state(context: dg.AssetExecutionContext) -> Iterator[Any]:
        """Show the state of the lake, which the ingest step has written."""
        manifest = Manifest.current(workspace)
        for kind in LAKE_KINDS:
            names = _FILES.get(kind, [kind])
            entries = [e for name in names for e in manifest.files.get(name, [])]
            yield dg.MaterializeResult(
                asset_key=lake_table_key(pack, kind),
                metadata={
                    "dagster/row_count": sum(e.rows for e in entries),
                    "files": len(entries),
                    "manifest": manifest.digest,
                },
                data_version=dg.DataVersion(
                    digest([manifest.digest, versions.STAGES, dbt.project_digest()])
                    if kind == "manifest"
                    else digest([[e.path, e.sha256] for e in entries])
                ),
            )

    return lake_state


def _feeding(pack: Pack, kind: str) -> list[dg.AssetKey]:
    """Return the sources of one kind of lake table."""
    if kind == "declarations":
        return []
    into = _FEEDS.get(kind)
    keys = [source_key(pack, s.id) for s in pack.sources.values() if s.enabled and (into or "observations") == s.into]
    if into is None:
        keys += [source_key(pack, c.id) for c in pack.counted.values() if c.enabled]
    return keys


def version_of(parts: Iterable[tuple[str, str, str]]) -> str:
    """Return the data version of a source from (part, snapshot, key) of each part. New content, or a new way of reading it, is a new version."""
    return digest(sorted(parts))


def _sentence(report: SourceReport) -> str:
    ignored = sum(report.ignored.values())
    text = f"{report.rows_read} rows read = {report.accepted} accepted + {report.quarantined} quarantined + {ignored} ignored"
    if report.stale_since:
        text += f"; stale since {report.stale_since}"
    return text + ("; " + "; ".join(sorted(set(report.errors.values()))) if report.errors else "")


def _metadata(report: SourceReport, lake: Lake, states: SourceStates) -> dict[str, Any]:
    snapshots = list(report.snapshots.values())
    metadata: dict[str, Any] = {
        "dagster/row_count": report.accepted,
        "rows_read": report.rows_read,
        "rows_quarantined": report.quarantined,
        "rows_ignored": sum(report.ignored.values()),
        "cells_quarantined": report.cells_quarantined,
        "parts": len(report.parts),
        "bytes": sum(s.bytes for s in snapshots),
        "sha256": snapshots[0].sha256 if len(snapshots) == 1 else f"{len(snapshots)} snapshots",
    }
    if report.stale_since:
        metadata["stale_since"] = report.stale_since
    metadata |= times(states, report.source) | _refused(report, lake)
    kinds = [k for k in next(iter(report.parts.values())).files if k != "quarantine"] if report.parts else []
    files = report.files(kinds[0]) if kinds else []
    if files:
        metadata["preview"] = dg.MetadataValue.md(_preview(lake.read(files[0]).head(5)))
    return metadata


def times(states: SourceStates, source: str) -> dict[str, Any]:
    """Return when a source was last polled, and when its content last changed."""
    parts = states.parts(source).values()
    stamps = {
        "looked_at": max((part.checked_at for part in parts), default=""),
        "content_last_changed": max((part.changed_at for part in parts), default=""),
    }
    return {name: dg.MetadataValue.timestamp(parse_timestamp(stamp)) for name, stamp in stamps.items() if stamp}


def _refused(report: SourceReport, lake: Lake) -> dict[str, Any]:
    """Return the refused rows and cells of a source as tables: by reason, and a sample. Personal data were masked when they were refused."""
    files = [*report.files("quarantine"), *report.quarantine]
    entries = lake.read_all(files, "quarantine")
    if not entries.height:
        return {}
    reasons = by_reason(entries).head(REFUSED_SHOWN)
    columns = ["part", "row_number", "column", "reason", "value"]
    return {
        "refused_by_reason": _table(reasons, ["count", "column", "reason", "first_row", "first_value"]),
        "refused_rows": _table(entries.head(REFUSED_SHOWN), columns if entries["part"].str.len_chars().max() else columns[1:]),
    }


def _table(frame: Any, columns: list[str]) -> dg.TableMetadataValue:
    numbers = {"count", "first_row", "row_number"}
    schema = dg.TableSchema([dg.TableColumn(name, "int" if name in numbers else "string") for name in columns])
    records = [
        dg.TableRecord(
            {
                name: value if name in numbers else _shown(value, REASON_SHOWN if name == "reason" else CELL_SHOWN)
                for name, value in row.items()
            }
        )
        for row in frame.select(columns).iter_rows(named=True)
    ]
    return dg.MetadataValue.table(records, schema)


def _shown(text: str | None, width: int) -> str:
    return shortened(printable(text or ""), width)


def _preview(frame: Any) -> str:
    columns = [c for c in frame.columns if c not in ("source", "part", "snapshot", "attributes", "codes", "parents", "geometry")]
    lines = [" | ".join(columns), " | ".join("---" for _ in columns)]
    lines += [" | ".join("" if v is None else str(v) for v in row) for row in frame.select(columns).iter_rows()]
    return "\n".join(f"| {line} |" for line in lines)


def _results(pack: Pack, report: SourceReport) -> Iterator[dg.AssetCheckResult]:
    key = source_key(pack, report.source)
    errors = "; ".join(sorted(set(report.errors.values())))
    yield dg.AssetCheckResult(
        check_name="snapshot",
        asset_key=key,
        passed=not report.errors,
        severity=dg.AssetCheckSeverity.ERROR if report.down else dg.AssetCheckSeverity.WARN,
        metadata={"errors": errors or "none", **({"stale_since": report.stale_since} if report.stale_since else {})},
    )
    yield dg.AssetCheckResult(
        check_name="fresh",
        asset_key=key,
        passed=report.stale_since is None and not report.down,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"stale_since": report.stale_since or "not stale"},
    )
    yield dg.AssetCheckResult(
        check_name="schema",
        asset_key=key,
        passed=not report.drift,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"changed": "; ".join(report.drift_messages) or "nothing"},
    )
    yield dg.AssetCheckResult(
        check_name="rows",
        asset_key=key,
        passed=report.quarantined == 0 and report.cells_quarantined == 0 and not report.warnings,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "rows_read": report.rows_read, "rows_accepted": report.accepted, "rows_quarantined": report.quarantined,
            "cells_quarantined": report.cells_quarantined, **{f"ignored_{k}": v for k, v in report.ignored.items()},
            "warnings": "; ".join(report.warnings) or "none",
        },
    )  # fmt: skip
