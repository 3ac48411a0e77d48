"""Dagster jobs: one runs the whole pipeline in one process, and one for each source in parts fetches chosen parts."""

import dagster as dg

from pipelines.core import logs
from pipelines.extract.sources import fetch_sources
from pipelines.orchestration.session import DAEMON_WAIT_SECONDS
from pipelines.packs.schema import FetchedSource
from pipelines.packs.workspace import Workspace

JOB = "publish"
FETCH_PREFIX = "fetch_"
WORKSPACE = "zpo2/workspace"
"""The tag that names the workspace of a run."""
DRAINED = "zpo2/drained"
"""The tag of a run that processes nothing more of what arrives. Its value says when the run drained the queue and the inbox."""
_NOT_IN_A_PARTITION = ("...", "\a", "\b", "\f", "\n", "\r", "\t", "\v", "\0")
"""Dagster accepts no partition whose name has one of these."""


def build_jobs(workspace: Workspace) -> "list[dg.JobDefinition | dg.UnresolvedAssetJobDefinition]":
    """Return the jobs of one workspace."""
    publish = dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.all(),
        executor_def=dg.in_process_executor,
        description="Fetch, check, transform, gate and publish.",
    )
    return [publish, *(_build_fetch(workspace, source) for source in workspace.pack.sources.values() if _has_partitions(workspace, source))]


def _has_partitions(workspace: Workspace, source: FetchedSource) -> bool:
    """Return whether the parts of a source can be chosen in the UI."""
    if not source.enabled or not source.fetch.url or not source.fetch.parts:
        return False
    return not any(mark in part.name for part in workspace.pack.parts(source) for mark in _NOT_IN_A_PARTITION)


def _build_fetch(workspace: Workspace, source: FetchedSource) -> dg.JobDefinition:
    """Return the job that fetches one part of `source`. Its partitions are the parts, so the UI can start it for many as a backfill.

    The sensor `publish_changes` makes one run, from the ingest to the release, of all that the runs of a backfill bring.
    """
    title = workspace.pack.text(source.title)

    @dg.op(name=f"{FETCH_PREFIX}{source.id}_part", description=f"Fetch one part of {title}.", tags={"source": source.id})
    def fetch(context: dg.OpExecutionContext) -> None:
        logs.open_log(workspace)
        with workspace.lock(DAEMON_WAIT_SECONDS, context.log.info, holder="a run of the daemon"):
            results = fetch_sources(workspace, [source.id], names=[context.partition_key])
        for result in results:
            if result.error:
                raise dg.Failure(description=f"{source.id} {context.partition_key}: {result.error}")
            assert result.snapshot is not None
            context.add_output_metadata(
                {
                    "url": result.snapshot.url, "bytes": result.snapshot.bytes, "sha256": result.snapshot.sha256,
                    "content": "new" if result.snapshot.sha256 != result.request.last.sha256 else "as before",
                }
            )  # fmt: skip

    @dg.job(
        name=f"{FETCH_PREFIX}{source.id}",
        partitions_def=dg.StaticPartitionsDefinition([part.name for part in workspace.pack.parts(source)]),
        executor_def=dg.in_process_executor,
        description=f"Fetch chosen parts of {title} ({source.id}). The sensor publish_changes makes a release of what is new.",
        tags={WORKSPACE: str(workspace.root), DRAINED: "fetches only"},
    )
    def fetch_parts() -> None:
        fetch()

    return fetch_parts
