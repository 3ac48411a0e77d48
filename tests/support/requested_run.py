"""As a script, the process of a run that a sensor requested: it does what the daemon's launcher of runs does."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import dagster as dg

from pipelines.core.settings import Settings
from pipelines.orchestration.definitions import build_definitions
from pipelines.orchestration.jobs import JOB
from pipelines.orchestration.session import RunSession
from pipelines.packs.workspace import Workspace
from pipelines.runs.request import RunRequest


def as_text(request: dg.RunRequest) -> str:
    """Return what a process needs to know of a request."""
    keys = [key.path if isinstance(key, dg.AssetKey) else None for key in request.asset_selection or []]
    return json.dumps({"assets": keys, "config": request.run_config, "tags": dict(request.tags)})


def main(pack: Path, home: Path, text: str) -> int:
    request = json.loads(text)
    session = RunSession(RunRequest(Workspace.load(Settings(pack=pack, home=home))))
    job = build_definitions(session).resolve_job_def(JOB)
    with dg.DagsterInstance.from_config(str(session.workspace.dagster)) as instance:
        result = job.execute_in_process(
            instance=instance, asset_selection=[dg.AssetKey(path) for path in request["assets"]], run_config=request["config"],
            tags=request["tags"], raise_on_error=False,
        )  # fmt: skip
    return 0 if result.success else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
