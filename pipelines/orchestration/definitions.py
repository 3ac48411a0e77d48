"""The Dagster code location: the only place where the parts are put together. Nothing is computed here."""

from __future__ import annotations

import dagster as dg

from pipelines.core.settings import Settings
from pipelines.orchestration.assets.ingest import build_ingest
from pipelines.orchestration.assets.publication import build_publication
from pipelines.orchestration.assets.warehouse import build_warehouse
from pipelines.orchestration.jobs import build_jobs
from pipelines.orchestration.sensors import build_sensors
from pipelines.orchestration.session import RunSession
from pipelines.packs.workspace import Workspace
from pipelines.runs.request import RunRequest


def build_definitions(session: RunSession) -> dg.Definitions:
    """Return the definitions of one workspace. Tests and the command pass a session of their own; the daemon gets one from the environment."""
    ingest = build_ingest(session)
    warehouse = build_warehouse(session)
    marts = [spec.key for assets in warehouse for spec in assets.specs if (spec.group_name or "").startswith("marts")]
    publication = build_publication(session, marts)
    return dg.Definitions(
        assets=[*ingest, *warehouse, *publication],
        jobs=build_jobs(session.workspace),
        sensors=build_sensors(session.workspace, [key for assets in (*warehouse, *publication) for key in assets.keys]),
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions of the pack and the workspace that the environment names."""
    workspace = Workspace.load(Settings())
    workspace.open()
    session = RunSession(RunRequest(workspace))
    try:
        return build_definitions(session)
    finally:
        session.dbt.close()  # a run starts it again
