"""The tables that Spark has written, as views of the warehouse: every later step reads one DuckDB file, whichever engine was at work."""

from __future__ import annotations

import shutil
from typing import Any

import duckdb

from pipelines.core.sql import literal
from pipelines.core.workspace import WorkspaceFolder


def remove(workspace: WorkspaceFolder) -> None:
    """Remove all tables that Spark has written."""
    if workspace.spark.exists():
        shutil.rmtree(workspace.spark)


def show(workspace: WorkspaceFolder, manifest: dict[str, Any]) -> None:
    """Give the warehouse a view of each model that Spark has built so far."""
    models = (node for node in manifest["nodes"].values() if node["resource_type"] == "model")
    with duckdb.connect(str(workspace.warehouse)) as connection:
        for schema, table in sorted((node["schema"], node["alias"]) for node in models):
            files = sorted(map(str, (workspace.spark / "tables" / f"{schema}.db" / table).glob("*.parquet")))
            if files:
                connection.execute(f"create schema if not exists {schema}")
                connection.execute(f"create or replace view {schema}.{table} as from read_parquet([{', '.join(map(literal, files))}])")
