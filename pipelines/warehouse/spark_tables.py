"""The tables that Spark has written, as views of the warehouse: every later step reads one DuckDB file, whichever engine was at work.

Parquet tables refuse to delete rows. So a run sets the tables of the last one aside, and an incremental model writes its table anew: the rows
that it keeps, from the table set aside, and those in scope (dbt_project/materializations/spark.sql).
"""

from __future__ import annotations

import shutil
from typing import Any

import duckdb

from pipelines.core.sql import literal
from pipelines.core.workspace import WorkspaceFolder

TABLES, KEPT = "tables", "kept"
"""The folder of the tables, and that of the tables of the last run while another run writes them anew."""
COMPLETE = "complete"
"""A file beside tables that a run has written to the end. It has a text, because Spark does not see empty files."""


def remove(workspace: WorkspaceFolder) -> None:
    """Remove all tables that Spark has written."""
    if workspace.spark.exists():
        shutil.rmtree(workspace.spark)


def are_valid(workspace: WorkspaceFolder) -> bool:
    """Whether the keys in the warehouse are those of the tables. They are not if dbt without `zpo2 run` has written them."""
    return any((workspace.spark / folder / COMPLETE).is_file() for folder in (TABLES, KEPT))


def set_aside(workspace: WorkspaceFolder) -> None:
    """Move the tables to where the models read the rows that they keep. What a killed run wrote in place of them is removed."""
    tables, kept = workspace.spark / TABLES, workspace.spark / KEPT
    if (kept / COMPLETE).is_file():
        shutil.rmtree(tables, ignore_errors=True)
    else:
        tables.rename(kept)


def finish(workspace: WorkspaceFolder) -> None:
    """Remove what was set aside: the tables are complete."""
    (workspace.spark / KEPT / COMPLETE).unlink(missing_ok=True)
    shutil.rmtree(workspace.spark / KEPT, ignore_errors=True)
    (workspace.spark / TABLES / COMPLETE).write_text("All tables are written.\n", encoding="utf-8")


def show(workspace: WorkspaceFolder, manifest: dict[str, Any]) -> None:
    """Give the warehouse a view of each model that Spark has built so far."""
    models = (node for node in manifest["nodes"].values() if node["resource_type"] == "model")
    with duckdb.connect(str(workspace.warehouse)) as connection:
        for schema, table in sorted((node["schema"], node["alias"]) for node in models):
            files = sorted(map(str, (workspace.spark / TABLES / f"{schema}.db" / table).glob("*.parquet")))
            if files:
                connection.execute(f"create schema if not exists {schema}")
                connection.execute(f"create or replace view {schema}.{table} as from read_parquet([{', '.join(map(literal, files))}])")
