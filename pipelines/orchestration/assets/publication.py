"""The gate and the release as Dagster assets. What is checked and how a release is written is the business of quality and exports."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC
from importlib.metadata import version
from typing import Any

import dagster as dg
import duckdb

from pipelines.core import versions
from pipelines.core.memory import budget, parse_size
from pipelines.core.vocabulary import FORMATS
from pipelines.lake.ingest import UNKNOWN_PARENTS, UNKNOWN_REFERENCES, WITHOUT_PARENT
from pipelines.lake.manifest import Manifest
from pipelines.notify import announcements
from pipelines.orchestration.assets.ingest import areas_check, rows_check, schema_check, snapshot_check
from pipelines.orchestration.keys import gate_check_key, gate_key, owners_of, release_key, tags_of
from pipelines.orchestration.session import RunSession
from pipelines.packs import site, topics
from pipelines.packs.objectives import OBJECTIVES
from pipelines.packs.workspace import Workspace
from pipelines.runs import disclosed, provenance
from pipelines.runs.findings import IngestFindings
from pipelines.runs.outcome import ReleaseOutcome, inputs_key, is_of_these_stages, release_path, release_rows
from pipelines.warehouse import condition, dbt, marts, scope, suppression_audit
from quality import completeness, expectations, gate
from quality.gate import CheckResult

PACKAGE = "zpo2-warehouse"
REPORT = "report"
VERDICT = "verdict"
AREA_FAULTS = (UNKNOWN_PARENTS, WITHOUT_PARENT, UNKNOWN_REFERENCES)


def build_publication(session: RunSession, mart_keys: list[dg.AssetKey]) -> list[dg.AssetsDefinition]:
    """Return the gate and the release, downstream of the marts."""
    manifest = session.dbt.manifest()
    return [_build_gate(session, mart_keys, manifest), _build_release(session, manifest)]


def _build_gate(session: RunSession, mart_keys: list[dg.AssetKey], manifest: dict[str, Any]) -> dg.AssetsDefinition:
    workspace = session.workspace
    pack = workspace.pack
    gate_of_pack = gate_key(pack)
    tables = sorted(n["alias"] for n in manifest["nodes"].values() if n["resource_type"] == "model" and n["schema"] == "marts")

    @dg.asset(
        key=gate_of_pack,
        deps=mart_keys,
        group_name="publication",
        kinds={"great_expectations"},
        owners=owners_of(pack),
        tags=tags_of(pack),
        description="Every expected check ran and passed, or was accepted by name with a reason.",
        check_specs=[
            dg.AssetCheckSpec(VERDICT, asset=gate_of_pack, description="The verdict over all expected checks; the release reads it."),
            *(dg.AssetCheckSpec(f"table_{t}", asset=gate_of_pack, description=f"What a consumer may rely on in {t}.") for t in tables),
        ],
    )
    def gate_asset(context: dg.AssetExecutionContext) -> Iterator[Any]:
        session.hold()
        session.run_id = context.run_id
        _assert_warehouse(session)
        findings = session.last_findings()
        session.report("gate", "gate", "checking the published tables")
        with session.timed("gate"):
            results = source_results(workspace, findings) + dbt.results(workspace, manifest)
            of_values, of_tables = _check_tables(session, tables)
        results += [*of_tables, *of_values]
        suppression = _check_suppression(session)
        results += suppression.results
        expected = (
            dbt.expected_checks(manifest)
            | suppression.expected
            | {expectations.check_name(t) for t in tables}
            | completeness.NAMES
            | expected_of_sources(workspace)
        )
        gate_result = gate.evaluate_gate(expected, results, session.request.accepted)
        session.gate = {**gate_result.report(), **suppression.report}
        yield dg.MaterializeResult(
            asset_key=gate_of_pack,
            metadata={
                "passed": gate_result.passed,
                "checks": gate_result.passed_checks,
                "warnings": [w.name for w in gate_result.warnings],
            },
        )
        yield dg.AssetCheckResult(
            check_name=VERDICT, asset_key=gate_of_pack, passed=gate_result.passed, metadata={REPORT: dg.MetadataValue.json(session.gate)}
        )
        for table, result in zip(tables, of_tables, strict=True):
            yield dg.AssetCheckResult(
                check_name=f"table_{table}",
                asset_key=gate_of_pack,
                passed=result.passed,
                metadata={"found": result.description or "as expected"},
            )
        if not gate_result.passed:
            session.reasons += gate_result.reasons()
            session.finish()
            raise dg.Failure(description="the gate failed: " + "; ".join(gate_result.reasons()), allow_retries=False)

    return gate_asset


def _assert_warehouse(session: RunSession) -> None:
    """Fail if the warehouse is not that of the current lake and declarations."""
    try:
        condition.assert_current(session.workspace)
    except condition.WarehouseError as error:
        session.reasons.append(str(error))
        raise dg.Failure(description=str(error), allow_retries=False) from None


def _check_tables(session: RunSession, tables: list[str]) -> tuple[list[CheckResult], list[CheckResult]]:
    """Compare the values with those of the last release, and check each of `tables`. Return the results of both."""
    workspace, memory = session.workspace, budget(session.workspace.settings.memory)
    last_release = release_path(workspace.public)
    session.values = completeness.count_values(workspace.warehouse, last_release, memory.engine)
    fewer_values = completeness.check_fewer_values(session.values)
    empty_indicators = completeness.check_empty_indicators(workspace.warehouse, session.values, memory.engine)
    rows_before = release_rows(workspace.public)
    if not fewer_values.passed:  # missing values are a warning, and so are the rows that depend on them
        rows_before = {t: n for t, n in rows_before.items() if t not in expectations.ROWS_FOLLOW_VALUES}
    is_comparable = last_release is None or is_of_these_stages(last_release)
    of_tables = expectations.validate_tables(workspace.warehouse, tables, rows_before, memory.engine, is_comparable=is_comparable)
    return [fewer_values, empty_indicators], of_tables


@dataclass(frozen=True)
class _Suppression:
    """What the gate says of suppressed cells; nothing if there are none."""

    results: list[CheckResult] = field(default_factory=list)
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def expected(self) -> set[str]:
        return {suppression_audit.NAME} if self.results else set()


def _check_suppression(session: RunSession) -> _Suppression:
    """Try to derive what is suppressed, and find the earlier releases that show it."""
    workspace = session.workspace
    with duckdb.connect(str(workspace.warehouse), read_only=True) as warehouse, session.timed(suppression_audit.NAME):
        audit = suppression_audit.audit(warehouse, workspace.pack)
        if audit is None:
            return _Suppression()
        showing = disclosed.releases_showing(warehouse, workspace.public)
    report = {"suppression": {**audit.report(), "releases_to_withdraw": showing}}
    return _Suppression([suppression_audit.check(audit), *disclosed.check(showing)], report)


def _build_release(session: RunSession, manifest: dict[str, Any]) -> dg.AssetsDefinition:
    workspace = session.workspace
    pack = workspace.pack
    release_of_pack = release_key(pack)

    @dg.asset(
        key=release_of_pack,
        deps=[gate_key(pack)],
        group_name="publication",
        kinds={"csv", "parquet", "duckdb"},
        owners=owners_of(pack),
        tags=tags_of(pack),
        description="The open-data release: built in a staging folder, checked there, then current at once.",
        check_specs=[
            dg.AssetCheckSpec("verify", asset=release_of_pack, description="Checksums, counts, CSV equals Parquet, descriptors match."),
        ],
    )
    def release_asset(context: dg.AssetExecutionContext) -> Iterator[Any]:
        import exports

        report = _gate_report(context, gate_check_key(pack))
        session.run_id = context.run_id
        announcements.prepare(workspace)
        with session.timed("release"):
            release = exports.build(
                workspace.warehouse,
                marts.published_tables(manifest, workspace.warehouse),
                release_info(workspace),
                workspace.public,
                workspace.staging,
                {"gate": report},
                lambda text: session.report("release", "release", text),
                memory=budget(workspace.settings.memory).total,
                spill_bytes=parse_size(workspace.settings.spill) if workspace.settings.spill else None,
                part_keys=scope.keys_of_parts(workspace, manifest),
            )
        session.release = ReleaseOutcome(
            version=release.version, path=str(release.path), changed=release.changed, tables=release.tables, set_aside=release.superseded,
            over_budget=list(release.over_budget),
        )  # fmt: skip
        session.save_outcome()
        session.finish()
        if not session.request.by_command:  # else the command does, also after a run that published nothing
            announcements.deliver(workspace)
        yield dg.MaterializeResult(
            asset_key=release_of_pack,
            metadata={
                "version": release.version,
                "changed": release.changed,
                "path": dg.MetadataValue.path(str(release.path)),
                "dagster/row_count": sum(release.tables.values()),
                "tables": dg.MetadataValue.md(
                    "\n".join(["| table | rows |", "| --- | --- |", *(f"| {t} | {n} |" for t, n in release.tables.items())])
                ),
            },
        )
        yield dg.AssetCheckResult(check_name="verify", asset_key=release_of_pack, passed=True)

    return release_asset


def _gate_report(context: dg.AssetExecutionContext, verdict: dg.AssetCheckKey) -> dict[str, Any]:
    """Return the report of this run's gate from its asset check. Raises Failure where the gate did not pass in this run."""
    records = context.instance.event_log_storage.get_latest_asset_check_execution_by_key([verdict])
    record = records.get(verdict)
    event = record.event.dagster_event if record is not None and record.run_id == context.run_id and record.event else None
    if event is None or not event.asset_check_evaluation_data.passed:
        raise dg.Failure(description="nothing is published without the gate: select it together with the release", allow_retries=False)
    report = event.asset_check_evaluation_data.metadata[REPORT].value
    assert isinstance(report, dict)
    return report


def expected_of_sources(workspace: Workspace) -> set[str]:
    enabled = [s.id for s in workspace.pack.sources.values() if s.enabled]
    return {areas_check(kind) for kind in AREA_FAULTS} | {
        name for s in enabled for name in (snapshot_check(s), schema_check(s), rows_check(s))
    }


def source_results(workspace: Workspace, findings: IngestFindings) -> list[CheckResult]:
    """Return the checks of snapshots, schemas, rows and areas.

    A required source without any good snapshot fails the gate, and so does a count that fails; the rest of snapshots, schemas and rows are
    warnings. A fault in the links between areas fails it, unless a source of areas that is down may give the other end.
    """
    results = []
    for name, source in workspace.pack.sources.items():
        if not source.enabled or name not in findings.counts:
            continue
        counts = findings.counts[name]
        text = "; ".join(findings.errors_of(name))
        results.append(CheckResult(snapshot_check(name), not text, "error" if name in findings.never else "warn", text))
        results.append(CheckResult(schema_check(name), not counts.drift, "warn", "; ".join(counts.drift)))
        messages = [f"{counts.rows_quarantined} rows and {counts.cells_quarantined} cells in quarantine"] if counts.has_refused else []
        messages += counts.warnings
        results.append(CheckResult(rows_check(name), not messages, "warn", "; ".join(messages)))
    for name in workspace.pack.counted:
        if text := "; ".join(findings.errors_of(name)):
            results.append(CheckResult(snapshot_check(name), False, "error", text))
    for kind in AREA_FAULTS:
        faults = [fault for fault in findings.area_faults if fault.kind == kind]
        severity = "warn" if all(fault.is_explained for fault in faults) else "error"
        results.append(CheckResult(areas_check(kind), not faults, severity, "; ".join(fault.text for fault in faults)))
    if findings.area_warnings:
        results.append(CheckResult("areas", False, "warn", "; ".join(findings.area_warnings)))
    return results


def release_info(workspace: Workspace) -> Any:
    """Return the facts about the pack and its sources for the metadata of a release."""
    import exports

    pack = workspace.pack
    first = pack.file.languages[0]
    origins = provenance.of_run(workspace)
    return exports.ReleaseInfo(
        pack=pack.id,
        title={lang or first: text for lang, text in pack.file.title.items()},
        publisher=pack.file.publisher.model_dump(exclude_none=True) if pack.file.publisher else {},
        licence=pack.file.licence,
        base_uri=pack.file.base_uri or "",
        country=pack.file.country,
        languages=list(pack.file.languages),
        sources=[
            {
                "id": s.id, "title": {lang or first: text for lang, text in s.title.items()}, "publisher": s.publisher, "licence": s.licence,
                "homepage": s.homepage or "", "citation": s.citation or "", "licence_url": s.licence_url or "", "rights": s.rights or {},
                "carrier": s.carrier.model_dump(exclude_none=True) if s.carrier else {},
            }
            for s in pack.sources.values()
            if s.enabled
        ],
        released=workspace.settings.now().astimezone(UTC),
        inputs_key=inputs_key(workspace),
        provenance=origins,
        catalogues=pack.file.national_catalogues(),
        high_value=pack.file.high_value,
        formats=tuple(name for name in FORMATS if name in pack.file.formats),
        code=versions.STAGES,
        software=f"{PACKAGE} {version(PACKAGE)}",
        objectives=OBJECTIVES,
        boundaries=_boundaries(workspace),
        measures={measure: {lang or first: text for lang, text in title.items()} for measure, title in pack.file.measures.items()},
        peers_by=tuple(dict.fromkeys(pack.file.peers.by)) if pack.file.peers else (),
        site=site.choices(pack),
        levels={level.id: {lang or first: text for lang, text in (level.title or {}).items()} for level in pack.file.levels},
        topics=topics.of_pack(pack),
        sources_of=topics.sources_of(pack, {name: facts.sources for name, facts in origins.indicators.items()}),
    )  # fmt: skip


def _boundaries(workspace: Workspace) -> Any:
    """Return the file of the lake with the polygons of areas, or None if the pack has none."""
    import exports

    files = Manifest.current(workspace).files.get("area_boundaries", [])
    sources = tuple(source.id for source in workspace.pack.sources.values() if source.enabled and source.into == "boundaries")
    return next((exports.BoundaryFile(workspace.lake / file.path, file.sha256, sources) for file in files if file.rows), None)
