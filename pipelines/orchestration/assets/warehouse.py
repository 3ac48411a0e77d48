"""The warehouse as Dagster assets: dbt's models in two selections, and between them the statistics that Python computes.

If a pack may have confidential cells, there are three selections: Python chooses the cells to suppress before the published ones are built.
One process of dbt builds all selections. Its tests become asset checks, which the gate evaluates.
"""

import json
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dagster as dg

from pipelines.core.memory import budget
from pipelines.orchestration.dbt_events import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCoreCliEventMessage,
    get_subset_selection_for_context,
)
from pipelines.orchestration.keys import lake_table_key, owners_of, statistics_key, suppression_key, tags_of
from pipelines.orchestration.session import RunSession
from pipelines.packs import Pack
from pipelines.warehouse import dbt, marts, scope, spark_tables, statistics, suppression
from pipelines.warehouse.condition import WarehouseError
from quality import expectations


class Translator(DagsterDbtTranslator):
    """Begins keys with the pack, groups models by layer and names owners; everything else is the default of dagster-dbt."""

    def __init__(self, pack: Pack) -> None:
        self.pack = pack
        super().__init__(DagsterDbtTranslatorSettings(enable_asset_checks=True, enable_duplicate_source_asset_keys=True))

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        return super().get_asset_key(dbt_resource_props).with_prefix(self.pack.id)

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: Any) -> dg.AssetSpec:
        spec = super().get_asset_spec(manifest, unique_id, project)
        node = manifest["nodes"].get(unique_id)
        if node is None:
            return spec
        layer = node["fqn"][1]
        group = f"{layer}_{node['fqn'][2]}" if layer == "marts" else layer
        deps = (
            [*spec.deps, lake_table_key(self.pack, "manifest")] if layer == "staging" else spec.deps
        )  # staging reads the files that the manifest names
        tags = {**spec.tags, **tags_of(self.pack)}
        return spec.replace_attributes(group_name=group, owners=owners_of(self.pack), tags=tags, deps=deps)


def build_warehouse(session: RunSession) -> list[dg.AssetsDefinition]:
    """Return dbt's models before and after the statistics, and the statistics; if cells may be suppressed, the choice of these, too."""
    manifest = session.dbt.manifest()
    translator = Translator(session.workspace.pack)
    suppresses = suppression.is_needed(session.workspace.pack)
    *before, last = (_build_models(session, selection, manifest, translator) for selection in dbt.selections(suppresses=suppresses))
    chosen = [_build_suppression(session, manifest, translator)] if suppresses else []
    return [*before, *chosen, _build_statistics(session, manifest, translator), last]


def _build_models(session: RunSession, selection: dbt.Selection, manifest: dict[str, Any], translator: Translator) -> dg.AssetsDefinition:
    workspace = session.workspace
    nodes = selection.nodes(manifest)
    specs = {i: translator.get_asset_spec(manifest, i, None) for i in sorted(nodes) if manifest["nodes"][i]["resource_type"] == "model"}
    checks = [
        check
        for model, spec in specs.items()
        for test in manifest["child_map"][model]
        if test in nodes and (check := translator.get_asset_check_spec(spec, manifest, test, None)) is not None
    ]

    @dg.multi_asset(
        name=f"models_{selection.name}", specs=list(specs.values()), check_specs=checks, can_subset=True, allow_arbitrary_check_specs=True
    )
    def models(context: dg.AssetExecutionContext) -> Iterator[Any]:
        session.hold()
        if selection.after is None:
            with _as_failures(session):
                keys = scope.begin(workspace, budget(workspace.settings.memory).engine, in_part=context.is_subset)
            dbt.forget_results(workspace)
        elif session.keys is None:  # no part of this run: what the models read was built earlier
            with _as_failures(session):
                scope.check_built(workspace)
                if selection is dbt.AFTER_STATISTICS:
                    statistics.check_files(workspace)
        session.dbt.start()
        # Great Expectations takes seconds to import: do so while dbt works in its own process
        threading.Thread(target=expectations.warm_up, daemon=True).start()
        built: list[Any] = []
        began = time.monotonic()
        for event in _events(session, selection, context, manifest, translator):
            if isinstance(event, dg.Output):
                built.append(event)  # yielded with its contents once dbt has closed the warehouse
                session.report("model", "warehouse", f"{len(built)} models", len(built), len(context.selected_asset_keys))
            else:
                yield event
        session.seconds["dbt"] = round(session.seconds.get("dbt", 0.0) + time.monotonic() - began, 3)
        if selection is dbt.AFTER_STATISTICS:
            session.dbt.close()
        if workspace.settings.engine == "spark":
            spark_tables.show(workspace, manifest)
        names = [str(event.metadata["unique_id"].value).rsplit(".", 1)[-1].removeprefix("mart_") for event in built]
        contents = marts.contents(workspace, names)
        for event, name in zip(built, names, strict=True):
            yield dg.Output(event.value, event.output_name, metadata={**event.metadata, **_shown(contents.get(name))})
        messages = dbt.errors(workspace, selection)
        if messages:
            session.reasons += messages
            raise dg.Failure(description="dbt: " + "; ".join(messages))
        if selection.after is None:
            session.keys = None if context.is_subset else keys
        elif selection is dbt.AFTER_STATISTICS and session.keys and not context.is_subset:
            scope.finish(workspace, session.keys)

    return models


def _events(
    session: RunSession, selection: dbt.Selection, context: dg.AssetExecutionContext, manifest: dict[str, Any], translator: Translator
) -> Iterator[Any]:
    """Build a selection and yield Dagster's events of what dbt prints. Raises Failure where dbt could not do its work."""
    arguments, indirect = get_subset_selection_for_context(context, manifest, None, None, None, translator, None)
    if indirect:
        arguments = [*arguments, "--indirect-selection", indirect]
    with _as_failures(session):
        for line in session.dbt.build(selection, arguments):  # no arguments: the whole selection
            try:
                content = json.loads(line)
            except ValueError:
                content = None
            if not isinstance(content, dict) or "info" not in content:
                print(line)  # not an event of dbt
                continue
            message = DbtCoreCliEventMessage(raw_event=content, event_history_metadata={})
            print(message)
            yield from message.to_default_asset_events(manifest, translator, context, session.workspace.dbt / "target")


@contextmanager
def _as_failures(session: RunSession) -> Iterator[None]:
    """Let a step fail with the sentence of an error of dbt or of the warehouse, and keep the sentence as a reason of the run."""
    try:
        yield
    except (dbt.DbtError, WarehouseError) as error:
        session.reasons.append(str(error))
        raise dg.Failure(description=str(error)) from None


def _keys_of_models(manifest: dict[str, Any], translator: Translator, names: Iterable[str]) -> list[dg.AssetKey]:
    ids = {node["name"]: i for i, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    return [translator.get_asset_spec(manifest, ids[name], None).key for name in names]


def _check_built(session: RunSession) -> None:
    """Let a step fail that reads models which no part of this run has built, unless they were built earlier."""
    if session.keys is None:
        with _as_failures(session):
            scope.check_built(session.workspace)


def _build_suppression(session: RunSession, manifest: dict[str, Any], translator: Translator) -> dg.AssetsDefinition:
    pack = session.workspace.pack

    @dg.asset(
        key=suppression_key(pack, suppression.TABLE),
        deps=_keys_of_models(manifest, translator, suppression.MODELS),
        group_name="suppression",
        kinds={"python", "polars", "parquet"},
        owners=owners_of(pack),
        tags=tags_of(pack),
        description="The cells to publish without numbers: the confidential ones, and those from which they could be derived.",
    )
    def suppressed_cells(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        session.hold()
        _check_built(session)
        session.report("suppression", "warehouse", "choosing the cells to suppress")
        with session.timed("suppression"):
            rows = suppression.compute(session.workspace)
        return dg.MaterializeResult(metadata={"dagster/row_count": rows})

    return suppressed_cells


def _build_statistics(session: RunSession, manifest: dict[str, Any], translator: Translator) -> dg.AssetsDefinition:
    pack = session.workspace.pack
    specs = [
        dg.AssetSpec(
            statistics_key(pack, name),
            deps=_keys_of_models(manifest, translator, table.models),
            group_name="statistics",
            kinds={"python", "polars", "parquet"},
            owners=owners_of(pack),
            tags=tags_of(pack),
            description=table.description,
        )
        for name, table in statistics.TABLES.items()
    ]

    @dg.multi_asset(name="statistics", specs=specs)
    def statistics_asset(context: dg.AssetExecutionContext) -> Iterator[Any]:
        """Compute what SQL cannot express, one index or level at a time."""
        session.hold()
        _check_built(session)
        session.report("statistics", "warehouse", "computing statistics")
        with session.timed("statistics"):
            rows = statistics.compute(session.workspace)
        for name, count in rows.items():
            yield dg.MaterializeResult(asset_key=statistics_key(pack, name), metadata={"dagster/row_count": count})

    return statistics_asset


def _shown(content: marts.Content | None) -> dict[str, Any]:
    """Return the metadata of a relation: the number of rows, and a preview of a published one."""
    if content is None:
        return {}
    shown: dict[str, Any] = {"dagster/row_count": content.rows}
    if content.preview:
        shown["preview"] = dg.MetadataValue.md(content.preview)
    return shown
