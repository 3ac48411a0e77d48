"""The gate and the release as Dagster assets. What is checked and how a release is written is the business of quality and exports."""

from collections.abc import Iterator
from datetime import UTC
from importlib.metadata import version
from typing import Any

import dagster as dg

from pipelines.core import atomic, versions
from pipelines.notify import announcements
from pipelines.orchestration.assets.ingest import OWNERS, rows_check, schema_check, snapshot_check
from pipelines.runs import provenance
from pipelines.runs.run import Event, Run, inputs_key, last_release_path, last_release_rows
from pipelines.warehouse import dbt
from quality import completeness, expectations, gate
from quality.gate import CheckResult

PACKAGE = "zpo2-warehouse"


def build_publication(
    run: Run, marts: list[dg.AssetKey], automation: dg.AutomationCondition[Any] | None = None
) -> list[dg.AssetsDefinition]:
    """Return the gate and the release, downstream of the marts."""
    manifest = dbt.load_manifest(run.home)
    tables = sorted(n["alias"] for n in manifest["nodes"].values() if n["resource_type"] == "model" and n["schema"] == "marts")
    with_its_asset = dg.AutomationCondition.any_deps_match(dg.AutomationCondition.will_be_requested())
    gate_key, release_key = dg.AssetKey("gate"), dg.AssetKey("release")

    @dg.asset(
        key=gate_key,
        deps=marts,
        group_name="publication",
        automation_condition=automation,
        kinds={"great_expectations"},
        owners=OWNERS,
        description="Every expected check ran and passed, or was let through by name with a reason.",
        check_specs=[dg.AssetCheckSpec(f"table_{t}", asset=gate_key, description=f"What a consumer may rely on in {t}.") for t in tables],
    )
    def gate_asset(context: dg.AssetExecutionContext) -> Iterator[Any]:
        run.hold()
        run.recall_ingest()
        run.listen(Event("gate", "gate", "checking the published tables"))
        with run.timed("gate"):
            results = source_results(run) + dbt.results(run.home, manifest)
            of_tables = expectations.validate(run.home.warehouse, tables, last_release_rows(run.home.public))
        results += [*of_tables, completeness.fewer_values(run.home.warehouse, last_release_path(run.home.public))]
        expected = (
            dbt.expected_checks(manifest) | {expectations.check_name(t) for t in tables} | {completeness.NAME} | _expected_of_sources(run)
        )
        verdict = gate.judge(expected, results, run.accepted)
        run.verdict = verdict.report()
        yield dg.MaterializeResult(
            asset_key=gate_key,
            metadata={"passed": verdict.passed, "checks": verdict.passed_checks, "warnings": [w.name for w in verdict.warnings]},
        )
        for table, result in zip(tables, of_tables, strict=True):
            yield dg.AssetCheckResult(
                check_name=f"table_{table}",
                asset_key=gate_key,
                passed=result.passed,
                metadata={"found": result.description or "as promised"},
            )
        if not verdict.passed:
            run.reasons += verdict.reasons()
            run.end_by_itself()
            raise dg.Failure(description="the gate failed: " + "; ".join(verdict.reasons()), allow_retries=False)

    @dg.asset(
        key=release_key,
        deps=[gate_key],
        group_name="publication",
        automation_condition=automation,
        kinds={"csv", "parquet", "duckdb"},
        owners=OWNERS,
        description="The open-data release: built aside, checked there, then current at once.",
        check_specs=[
            dg.AssetCheckSpec(
                "verify",
                asset=release_key,
                description="Checksums, counts, CSV equals Parquet, descriptors match.",
                # where no check has a condition, automation asks only for those that cannot be left out, and not for the tests of dbt
                automation_condition=with_its_asset if automation else None,
            )
        ],
    )
    def release_asset(context: dg.AssetExecutionContext) -> Iterator[Any]:
        import exports

        if not run.verdict:
            raise dg.Failure(description="nothing is published without the gate: select it together with the release", allow_retries=False)
        announcements.prepare(run.home, run.settings)
        with run.timed("release"):
            release = exports.build(
                run.home.warehouse,
                dbt.published_tables(manifest, run.home.warehouse),
                release_info(run),
                run.home.public,
                run.home.staging,
                {"gate": run.verdict},
                lambda text: run.listen(Event("release", "release", text)),
            )
        run.release = {
            "version": release.version, "path": str(release.path), "changed": release.changed, "tables": release.tables,
            "set_aside": release.superseded,
        }  # fmt: skip
        atomic.write_json(run.home.last_run, run.outcome())
        run.end_by_itself()
        if not run.by_command:  # else the command does, also after a run that made nothing
            announcements.deliver(run.home, run.settings)
        yield dg.MaterializeResult(
            asset_key=release_key,
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
        yield dg.AssetCheckResult(check_name="verify", asset_key=release_key, passed=True)

    return [gate_asset, release_asset]


def _expected_of_sources(run: Run) -> set[str]:
    enabled = [s.id for s in run.pack.sources.values() if s.enabled]
    return {name for s in enabled for name in (snapshot_check(s), schema_check(s), rows_check(s))}


def source_results(run: Run) -> list[CheckResult]:
    """Return the checks of snapshots and rows; quarantine, staleness and differences are told, a source without any good snapshot closes the gate."""
    results = []
    for name, source in run.pack.sources.items():
        if not source.enabled or name not in run.counts:
            continue
        counts = run.counts[name]
        text = "; ".join(sorted({t for k, t in run.errors.items() if k.split(" ")[0] == name}))
        results.append(CheckResult(snapshot_check(name), not text, "error" if name in run.never else "warn", text))
        drift = counts.get("drift", [])
        results.append(CheckResult(schema_check(name), not drift, "warn", "; ".join(drift)))
        refused, cells = counts["rows_quarantined"], counts["cells_quarantined"]
        words = [f"{refused} rows and {cells} cells in quarantine"] if refused or cells else []
        words += counts.get("warnings", [])
        results.append(CheckResult(rows_check(name), not words, "warn", "; ".join(words)))
    if run.area_warnings:
        results.append(CheckResult("areas", False, "warn", "; ".join(run.area_warnings)))
    return results


def release_info(run: Run) -> Any:
    """Return what the descriptors of a release say of the pack and its sources."""
    import exports

    pack = run.pack
    first = pack.file.languages[0]
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
                "id": s.id, "title": pack.text(s.title), "publisher": s.publisher, "licence": s.licence,
                "homepage": s.homepage or "", "citation": s.citation or "",
            }
            for s in pack.sources.values()
            if s.enabled
        ],
        released=run.settings.now().astimezone(UTC),
        inputs_key=inputs_key(pack, run.home),
        provenance=provenance.of_run(pack, run.home),
        catalogues=pack.file.national_catalogues(),
        high_value=pack.file.high_value,
        code=versions.STAGES,
        software=f"{PACKAGE} {version(PACKAGE)}",
    )  # fmt: skip
