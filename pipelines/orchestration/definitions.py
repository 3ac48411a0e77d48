"""The Dagster code location: the only place where the parts are put together. Nothing is computed here."""

from __future__ import annotations

import dagster as dg

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.core.workspace import Home
from pipelines.orchestration.assets.ingest import build_ingest
from pipelines.orchestration.assets.publication import build_publication
from pipelines.orchestration.assets.warehouse import build_warehouse
from pipelines.orchestration.jobs import build_jobs
from pipelines.orchestration.sensors import build_sensors, what_changed
from pipelines.runs.run import Run
from pipelines.warehouse.dbt import Parsing


def build_definitions(run: Run, parsing: Parsing | None = None) -> dg.Definitions:
    """Return the definitions for one pack and home. Tests and the command pass a Run of their own; the daemon gets one from the environment."""
    automation = what_changed()
    ingest = build_ingest(run, automation)
    warehouse, resources = build_warehouse(run, parsing or Parsing(run.home), automation)
    marts = [spec.key for spec in warehouse.specs if (spec.group_name or "").startswith("marts")]
    publication = build_publication(run, marts, automation)
    return dg.Definitions(
        assets=[*ingest, warehouse, *publication],
        jobs=build_jobs(),
        sensors=build_sensors(run),
        resources=resources,
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions of the pack and home that the environment names."""
    settings = Settings()
    pack = packs.load(settings.pack)
    home = Home(settings.home_of(pack.id))
    home.open(pack.id)
    return build_definitions(Run(pack, home, settings))
