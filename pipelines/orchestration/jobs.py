"""Dagster jobs. One job runs the whole pipeline in one process."""

from __future__ import annotations

import dagster as dg

JOB = "publish"
WORKSPACE = "zpo2/workspace"
"""The tag that names the workspace of a run."""


def build_jobs() -> list[dg.UnresolvedAssetJobDefinition]:
    return [
        dg.define_asset_job(
            JOB,
            selection=dg.AssetSelection.all(),
            executor_def=dg.in_process_executor,
            description="Fetch, check, transform, gate and publish.",
        )
    ]
