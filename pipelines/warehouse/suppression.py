"""The file of the cells to suppress, which Python writes before dbt builds the published cells. Which cells these are is decided in `steps`."""

from __future__ import annotations

import duckdb

from pipelines.core import atomic
from pipelines.core.workspace import WorkspaceFolder
from pipelines.packs import Pack, confidentiality
from pipelines.packs.workspace import Workspace
from pipelines.warehouse.steps.suppression import suppressed_cells

TABLE = "suppressed_cells"
MODELS = (
    "int_indicator_scope", "int_computed_cells", "int_direct_values", "int_formula_values", "int_observations", "int_terms", "int_area_tree",
)  # fmt: skip
"""The models that the choice reads."""


def is_needed(pack: Pack) -> bool:
    """Whether anything of a pack can be confidential. Otherwise a run builds the published cells with everything else."""
    return bool(confidentiality.groups(pack))


def forget(workspace: WorkspaceFolder) -> None:
    """Remove the file of an earlier run: its rows are in the warehouse."""
    (workspace.suppression / f"{TABLE}.parquet").unlink(missing_ok=True)


def compute(workspace: Workspace) -> int:
    """Write the cells to suppress of the indicators in scope, and return their number."""
    with duckdb.connect(str(workspace.warehouse), read_only=True) as warehouse:
        rows = suppressed_cells(warehouse, workspace.pack)
    workspace.suppression.mkdir(exist_ok=True)
    with atomic.atomic_write(workspace.suppression / f"{TABLE}.parquet") as path:
        rows.write_parquet(path)
    return rows.height
