"""The dbt project as Dagster assets. dbt runs as the one child process of a run; its tests become asset checks, which the gate evaluates."""

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliResource, dbt_assets
from packaging.version import Version

from pipelines.orchestration.assets.ingest import MANIFEST, OWNERS
from pipelines.orchestration.session import RunSession
from pipelines.warehouse import dbt, marts
from quality import expectations


class Translator(DagsterDbtTranslator):
    """Groups models by layer and names an owner; everything else is the default of dagster-dbt."""

    def __init__(self, automation: dg.AutomationCondition[Any] | None) -> None:
        self.automation = automation
        super().__init__(DagsterDbtTranslatorSettings(enable_asset_checks=True, enable_duplicate_source_asset_keys=True))

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: Any) -> dg.AssetSpec:
        spec = super().get_asset_spec(manifest, unique_id, project)
        node = manifest["nodes"].get(unique_id)
        if node is None:
            return spec
        layer = node["fqn"][1]
        group = f"{layer}_{node['fqn'][2]}" if layer == "marts" else layer
        deps = [*spec.deps, MANIFEST] if layer == "staging" else spec.deps  # staging reads the files that the manifest names
        return spec.replace_attributes(group_name=group, owners=OWNERS, automation_condition=self.automation, deps=deps)


class Dbt(DbtCliResource):
    """dagster-dbt's resource without two detours of each call: a `dbt --version` process, and a second adapter in this process.

    Both take longer than dbt takes for the models. The version is that of the installed package; the adapter would serve
    only column metadata, which this project does not request.
    """

    @property
    def _cli_version(self) -> Version:
        return Version(version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> Any:
        return None


def build_warehouse(
    session: RunSession, parsing: dbt.Parsing, automation: dg.AutomationCondition[Any] | None = None
) -> tuple[dg.AssetsDefinition, dict[str, Any]]:
    """Return the dbt assets of the project, and the resources they need."""
    workspace = session.workspace
    manifest = parsing.manifest()
    os.environ.update(dbt.environment(workspace))  # dagster-dbt finds dbt on PATH and passes this environment on

    @dbt_assets(manifest=manifest, dagster_dbt_translator=Translator(automation), exclude="resource_type:unit_test", name="warehouse")
    def warehouse(context: dg.AssetExecutionContext, dbt_cli: Dbt) -> Iterator[Any]:
        session.hold()
        (workspace.dbt / "target" / "run_results.json").unlink(missing_ok=True)
        workspace.warehouse.unlink(missing_ok=True)  # rebuilt every time: the remains of a killed run are no input
        Path(f"{workspace.warehouse}.wal").unlink(missing_ok=True)
        call = dbt_cli.cli(dbt.build_arguments(), context=context, target_path=workspace.dbt / "target", raise_on_error=False)
        # Great Expectations takes seconds to import: do so while dbt works in its own process
        threading.Thread(target=expectations.warm_up, daemon=True).start()
        built: list[Any] = []
        for event in call.stream():
            if isinstance(event, dg.Output):
                built.append(event)  # yielded with its contents once dbt has closed the warehouse
                session.report("model", "warehouse", f"{len(built)} models", len(built), len(context.selected_asset_keys))
            else:
                yield event
        contents = marts.contents(workspace)
        for event in built:
            name = str(event.metadata["unique_id"].value).rsplit(".", 1)[-1].removeprefix("mart_")
            yield dg.Output(event.value, event.output_name, metadata={**event.metadata, **_shown(contents.get(name))})
        if call.process.returncode != 0:
            messages = dbt.errors(workspace)
            session.reasons += messages
            raise dg.Failure(description="dbt: " + "; ".join(messages or ["failed without a result"]))

    return warehouse, {"dbt_cli": Dbt(project_dir=str(dbt.PROJECT_DIR), profiles_dir=str(dbt.PROJECT_DIR))}


def _shown(content: marts.Content | None) -> dict[str, Any]:
    """Return the metadata of a relation: the number of rows, and a preview of a published one."""
    if content is None:
        return {}
    shown: dict[str, Any] = {"dagster/row_count": content.rows}
    if content.preview:
        shown["preview"] = dg.MetadataValue.md(content.preview)
    return shown
