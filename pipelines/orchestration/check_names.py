"""The names of all checks of the gate, as `--accept` takes them. Runs no check."""

from __future__ import annotations

import difflib

from pipelines.bundled import DBT_PROJECT
from pipelines.core.errors import UsageError
from pipelines.orchestration.assets.ingest import rows_check, schema_check, snapshot_check
from pipelines.orchestration.assets.publication import expected_of_sources
from pipelines.packs.workspace import Workspace
from quality import completeness, expectations

_MART = "mart_"


def assert_known(workspace: Workspace, names: list[str]) -> None:
    """Raise UsageError for a name that no check has."""
    known = _known(workspace)
    for name in names:
        if name not in known:
            similar = difflib.get_close_matches(name, sorted(known), n=3)
            raise UsageError(f"--accept {name}: no such check" + (f"; similar names: {', '.join(similar)}" if similar else ""))


def _known(workspace: Workspace) -> set[str]:
    """Return the names of the checks of sources, models and tables. Of the models, every file of the dbt project may have one."""
    files = [path.stem for folder in ("models", "tests", "snapshots") for path in (DBT_PROJECT / folder).rglob("*.sql")]
    models = {f"model:{prefix}{name}" for name in files for prefix in ("", "valid_")}
    tables = {expectations.check_name(name.removeprefix(_MART)) for name in files if name.startswith(_MART)}
    sources = {
        check(name) for name in (*workspace.pack.sources, *workspace.pack.counted) for check in (snapshot_check, schema_check, rows_check)
    }
    return models | tables | sources | completeness.NAMES | expected_of_sources(workspace)
