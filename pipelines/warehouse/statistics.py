"""Statistics that SQL cannot express: computed from tables of the warehouse, written as Parquet, which dbt reads as a source.

`pipelines.warehouse.steps` brings the data to the functions of `pipelines.statistics` and back. One index, or one level, is in memory at a
time.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq

from pipelines.core import atomic, checksums, versions
from pipelines.core.fingerprint import digest
from pipelines.core.state import StateError, StateFile
from pipelines.core.workspace import WorkspaceFolder
from pipelines.warehouse.condition import CURE, WarehouseError
from pipelines.warehouse.steps import index_scores, index_uncertainty, interval_quantiles, peers
from pipelines.warehouse.steps.index_inputs import Gathered, gather

LIBRARIES = ("numpy", "polars", "scipy")
"""Libraries that compute the statistics."""
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
    "poisson_limits": Statistic("The exact limits of small counts.", interval_quantiles.POISSON, ("stg_indicators", "int_indicator_cells")),
    "student_quantiles": Statistic(
        "Quantiles for the intervals of means.", interval_quantiles.STUDENT, ("stg_indicators", "int_observations")
    ),
    "peers": Statistic("The areas that are most similar to each area.", peers.SCHEMA, ("int_peer_attributes",)),
}


SUMS = "checksums.json"
_log = logging.getLogger("zpo2.files")


class Sums(StateFile):
    """The checksums of the files in a folder of statistics, by table."""

    files: dict[str, str]


Parts = Iterable[tuple[str, pl.DataFrame]]
"""Rows of statistics in pieces, each with the name of its table."""


def compute(workspace: WorkspaceFolder) -> dict[str, int]:
    """Compute the statistics from the warehouse, replace their files, and return the number of rows of each table.

    What is computed from one index or level is kept under a key of its inputs, so that only what has changed is computed again.
    """
    kept = workspace.statistics / "parts"
    kept.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(workspace.warehouse), read_only=True) as warehouse:
        keys = [_kept(kept, index.key(), partial(_of_index, index)) for index in gather(warehouse)]
        needed = interval_quantiles.Needed.gather(warehouse)
        keys.append(_kept(kept, needed.key(), partial(_of_intervals, needed)))
        for level in peers.levels(warehouse):
            attributes = peers.attributes(warehouse, level)
            keys.append(_kept(kept, peers.key(attributes), partial(_of_level, attributes)))
    rows = {name: _join(kept, keys, name, workspace.statistics / f"{name}.parquet") for name in TABLES}
    _write_sums(workspace.statistics)
    for folder in kept.iterdir():
        if folder.is_dir() and folder.name not in keys:
            shutil.rmtree(folder)
    return rows


def _of_index(index: Gathered) -> Parts:
    scores = index.score()
    yield from (("index_scores", part) for part in index_scores.score_rows(index, scores))
    intervals = index_uncertainty.rank_intervals(index, scores)
    yield "index_rank_intervals", intervals
    yield "index_sensitivity", index_uncertainty.sensitivity_rows(index, scores, intervals)


def _of_intervals(needed: interval_quantiles.Needed) -> Parts:
    yield "poisson_limits", needed.poisson_limits()
    yield "student_quantiles", needed.student_quantiles()


def _of_level(attributes: pl.DataFrame) -> Parts:
    yield "peers", peers.peer_rows(attributes)


def _kept(folder: Path, facts: str, compute_parts: Callable[[], Parts]) -> str:
    """Compute the rows of an index or level unless they are kept already, and return the name of their folder: a digest of the inputs."""
    name = digest([facts, versions.WAREHOUSE, {library: version(library) for library in LIBRARIES}])
    target = folder / name
    if not _is_intact(target):
        if target.is_dir():
            _log.error("kept statistics were incomplete or damaged, and are computed again", extra={"folder": str(target)})
        shutil.rmtree(target, ignore_errors=True)
        with atomic.atomic_folder(target) as path, ExitStack() as stack:
            writers = {table: stack.enter_context(_writer(path / f"{table}.parquet", table)) for table in TABLES}
            for table, part in compute_parts():
                writers[table].write_table(part.to_arrow().cast(writers[table].schema))
            stack.close()  # the files are whole only now
            _write_sums(path)
    return name


def _is_intact(folder: Path) -> bool:
    """Whether the folder has the files of all tables, with the bytes that they were written with."""
    try:
        sums = Sums.load(folder / SUMS)
    except StateError:
        return False
    return sums is not None and all(checksums.is_intact(folder / f"{table}.parquet", sums.files.get(table, "")) for table in TABLES)


def _write_sums(folder: Path) -> None:
    Sums(files={table: checksums.sha256_of(folder / f"{table}.parquet") for table in TABLES}).save(folder / SUMS)


def check_files(workspace: WorkspaceFolder) -> None:
    """Raise WarehouseError unless the files that dbt reads have the bytes that the last computation wrote."""
    if not _is_intact(workspace.statistics):
        raise WarehouseError(f"{workspace.statistics}: statistics are missing or damaged on the disk; {CURE}")


def _join(folder: Path, names: Iterable[str], table: str, target: Path) -> int:
    """Write the rows of a table from all `names` into one file, and return their number."""
    rows = 0
    with atomic.atomic_write(target) as path, _writer(path, table) as writer:
        for name in names:
            with pq.ParquetFile(folder / name / f"{table}.parquet") as part:
                for batch in part.iter_batches():
                    rows += batch.num_rows
                    writer.write_batch(batch)
    return rows


def _writer(path: Path, table: str) -> pq.ParquetWriter:
    return pq.ParquetWriter(path, pl.DataFrame(schema=TABLES[table].schema).to_arrow().schema, compression="zstd")
