"""The dbt project as Dagster assets. dbt runs as the one child process of a run; its tests become asset checks and are judged by the gate."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliResource, dbt_assets

from pipelines import dbt, durable
from pipelines.assets.ingest import OWNERS
from pipelines.home import Home
from pipelines.runs import Event, Run


class DbtError(Exception):
    """dbt could not parse or build the project."""


def prepare(home: Home) -> Path:
    """Return dbt's manifest of the project, parsed once for each content of it."""
    path = dbt.manifest_path(home)
    if path.is_file():
        return path
    environment = {**os.environ, **dbt.environment(home)}
    command = [sys.executable, "-m", "dbt.cli.main", "--quiet", "parse", "--project-dir", str(dbt.PROJECT_DIR)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DbtError(f"dbt cannot parse the project: {(done.stdout + done.stderr).strip()[-2000:]}")
    with durable.replacing(path) as target:
        target.write_bytes((home.dbt / "target" / "manifest.json").read_bytes())
    return path


class Translator(DagsterDbtTranslator):
    """Groups models by layer and names an owner; everything else is dagster-dbt's."""

    def __init__(self) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_asset_checks=True, enable_duplicate_source_asset_keys=True))

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: Any) -> dg.AssetSpec:
        spec = super().get_asset_spec(manifest, unique_id, project)
        node = manifest["nodes"].get(unique_id)
        if node is None:
            return spec
        layer = node["fqn"][1]
        return spec.replace_attributes(group_name=f"{layer}_{node['fqn'][2]}" if layer == "marts" else layer, owners=OWNERS)


def build_warehouse(run: Run) -> tuple[dg.AssetsDefinition, dict[str, Any]]:
    """Return the dbt assets of the project, and the resources they need."""
    manifest = prepare(run.home)

    @dbt_assets(manifest=manifest, dagster_dbt_translator=Translator(), exclude="resource_type:unit_test", name="warehouse")
    def warehouse(context: dg.AssetExecutionContext, dbt_cli: DbtCliResource) -> Iterator[Any]:
        run.hold()
        os.environ.update(dbt.environment(run.home))
        (run.home.dbt / "target" / "run_results.json").unlink(missing_ok=True)
        run.home.warehouse.unlink(missing_ok=True)  # built anew each time: what a killed run left is nobody's input
        Path(f"{run.home.warehouse}.wal").unlink(missing_ok=True)
        call = dbt_cli.cli(dbt.build_arguments(), context=context, target_path=run.home.dbt / "target", raise_on_error=False)
        models = 0
        for event in call.stream():
            if isinstance(event, dg.Output | dg.MaterializeResult | dg.AssetMaterialization):
                models += 1
                run.listen(Event("model", "warehouse", f"{models} models", models))
            yield event
        if call.process.returncode != 0:
            found = dbt.errors(run.home)
            run.reasons += found
            raise dg.Failure(description="dbt: " + "; ".join(found or ["failed without a result"]))

    return warehouse, {"dbt_cli": DbtCliResource(project_dir=str(dbt.PROJECT_DIR), profiles_dir=str(dbt.PROJECT_DIR))}
