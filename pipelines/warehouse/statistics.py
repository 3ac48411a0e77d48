"""Statistics that SQL cannot express: computed from tables of the warehouse, written as Parquet, which dbt reads as a source.

`pipelines.warehouse.steps` brings the data to the functions of `pipelines.statistics` and back. One index, or one level, is in memory at a
time.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq

from pipelines.core import atomic
from pipelines.core.workspace import WorkspaceFolder
from pipelines.warehouse.steps import index_scores, index_uncertainty, peers
from pipelines.warehouse.steps.index_inputs import gather

INDICES = ("stg_indices", "stg_index_nodes", "stg_indicators", "stg_area_attributes", "int_index_inputs")


@dataclass(frozen=True)
class Statistic:
    """A table of statistics: its columns, and the models that it is computed from."""

    description: str
    schema: pl.Schema
    models: tuple[str, ...]


TABLES = {
    "index_scores": Statistic("The score of every node of an index, by area and period.", index_scores.SCHEMA, INDICES),
    "index_rank_intervals": Statistic("The interval of every rank of an index.", index_uncertainty.INTERVALS, INDICES),
    "index_sensitivity": Statistic("What an index depends on: its components and choices.", index_uncertainty.SENSITIVITY, INDICES),
    "peers": Statistic("The areas that are most similar to each area.", peers.SCHEMA, ("int_peer_attributes",)),
}


class Tables:
    """The files of all statistics while they are written, part by part."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.rows = dict.fromkeys(TABLES, 0)
        self._schemas = {name: pl.DataFrame(schema=table.schema).to_arrow().schema for name, table in TABLES.items()}
        self._writers = {}
        for name, schema in self._schemas.items():
            path = stack.enter_context(atomic.atomic_write(folder / f"{name}.parquet"))
            self._writers[name] = stack.enter_context(pq.ParquetWriter(path, schema, compression="zstd"))

    def add(self, name: str, parts: Iterable[pl.DataFrame]) -> None:
        for part in parts:
            self.rows[name] += part.height
            self._writers[name].write_table(part.to_arrow().cast(self._schemas[name]))


def compute(workspace: WorkspaceFolder) -> dict[str, int]:
    """Compute the statistics from the warehouse, replace their files, and return the number of rows of each table."""
    with duckdb.connect(str(workspace.warehouse), read_only=True) as warehouse, ExitStack() as stack:
        tables = Tables(workspace.statistics, stack)
        for index in gather(warehouse):
            scores = index.score()
            tables.add("index_scores", index_scores.score_rows(index, scores))
            tables.add("index_rank_intervals", index_uncertainty.interval_rows(index, scores))
            tables.add("index_sensitivity", [index_uncertainty.sensitivity_rows(index, scores)])
        tables.add("peers", peers.peer_rows(warehouse))
        return tables.rows
