"""The warehouse of a small pack, up to the values of its indicators, in a second or two: the dbt project's SQL run on DuckDB without dbt.

Nothing but the pack and its files goes in, through the real ingest, so a test can compare published values, and explanations with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb
import yaml

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.core.sql import literal
from pipelines.explain.computation import Computation, agree, compute
from pipelines.explain.facts import CellKey
from pipelines.explain.warehouse import Warehouse
from pipelines.extract.sources import fetch_sources
from pipelines.lake.ingest import Ingest
from pipelines.lake.manifest import Manifest
from pipelines.packs.workspace import Workspace
from pipelines.warehouse.steps.suppression import suppressed_cells
from pipelines.warehouse.suppression import MODELS
from tests.support.one_model import DBT, Macros, fill

SCHEMAS = ("staging", "dimensions", "intermediate", "marts")
Value = tuple[float | None, str]


@dataclass(frozen=True)
class SmallWarehouse:
    """The built warehouse, open for queries."""

    workspace: Workspace
    connection: duckdb.DuckDBPyConnection

    def values(self, indicator: str, period: str, sex: str = "_T") -> dict[str, Value]:
        """Return value and status by area."""
        rows = self.connection.execute(
            "select ref_area, obs_value, obs_status from marts.indicator_values where indicator = ? and time_period = ? and sex = ? and age = '_T'",
            [indicator, period, sex],
        ).fetchall()
        return {area: (value, status) for area, value, status in rows}

    def explained(self, indicator: str, area: str, period: str, sex: str = "_T") -> Computation:
        """Return the recomputation of one number."""
        return compute(Warehouse(self.connection, self.workspace), CellKey(indicator, area, period, sex, "_T"))

    def differences(self, *indicators: str, most: int = 100) -> list[str]:
        """Recompute published rows of some indicators, at most so many, and return those for which `explain` finds another result."""
        names = ", ".join(map(literal, indicators))
        rows = self.connection.execute(
            "select indicator, ref_area, time_period, sex, age, obs_value, obs_status, numerator, denominator, coverage "
            f"from marts.indicator_values where indicator in ({names}) order by all"
        ).fetchall()
        assert rows
        rows = rows[:: -(-len(rows) // most)]
        warehouse = Warehouse(self.connection, self.workspace)
        return [f"{row}: {outcome}" for row in rows for outcome in _differing(warehouse, row)]


def _differing(warehouse: Warehouse, row: tuple[Any, ...]) -> Iterator[Any]:
    key, value, status, *sums = CellKey(*row[:5]), row[5], row[6], *row[7:]
    computation = compute(warehouse, key)
    outcome = computation.outcome
    denominator = outcome.denominator if computation.facts.indicator.has_denominator else None
    pairs = zip([value, *sums], [outcome.value, outcome.numerator, denominator, outcome.coverage], strict=True)
    if status != outcome.status or not all(agree(a, b) for a, b in pairs):
        yield outcome


def build(pack: Path, root: Path) -> SmallWarehouse:
    """Read the pack's files into a lake under `root`, and run the models up to `indicator_values`."""
    workspace = Workspace(root, Settings(), pack=packs.load(pack))
    fetch_sources(workspace)
    errors = {name: report.errors for name, report in Ingest(workspace).run().items() if report.errors}
    assert errors == {}
    manifest = Manifest.current(workspace)
    files = {kind: [str(workspace.lake / file.path) for file in of_kind] for kind, of_kind in manifest.files.items()}
    connection = duckdb.connect(config={"threads": 1})
    for schema in SCHEMAS:
        connection.execute(f"create schema {schema}")
    project = _Project(files)
    for name, sql in project.models("mart_indicator_values", "mart_area_parents"):
        if name == "int_suppressed_cells":
            cells = suppressed_cells(connection, workspace.pack)  # noqa: F841 (DuckDB reads it by its name)
            connection.execute("create table main.suppressed_cells as from cells")
        connection.execute(f"create table {_table(name)} as {sql}")
    paths = [{"kind": kind, "path": file.path} for kind, of_kind in manifest.files.items() for file in of_kind]
    fill(connection, {"stg_lake_files": ("kind varchar, path varchar", paths)}, "staging")
    return SmallWarehouse(workspace, connection)


class _Project:
    """The models of the dbt project on the files of a lake."""

    def __init__(self, files: dict[str, list[str]]) -> None:
        self.files = files
        self._read: set[str] = set()
        self._macros = Macros(ref=self._ref, lake=self._lake, statistics=_without_rows, suppression=self._suppression, unchanged=_nothing)

    def models(self, *last: str) -> list[tuple[str, str]]:
        """Return the models `last` and those that they depend on with their SQL, each after those that it reads."""
        reads, queries, left = dict[str, set[str]](), dict[str, str](), [*last]
        while left:
            name = left.pop()
            if name not in reads:
                self._read = reads[name] = set()
                queries[name] = self._macros.environment.from_string(_models()[name].read_text(encoding="utf-8")).render()
                left += reads[name]
        return [(name, queries[name]) for name in TopologicalSorter(reads).static_order()]

    def _ref(self, name: str) -> str:
        self._read.add(name)
        return _table(name)

    def _suppression(self, table: str) -> str:
        self._read |= set(MODELS)  # what the choice reads has to be there
        return f"main.{table}"

    def _lake(self, kind: str) -> str:
        return f"read_parquet([{', '.join(map(literal, self.files[kind]))}])"


@cache
def _models() -> dict[str, Path]:
    return {path.stem: path for path in (DBT / "models").rglob("*.sql")}


def _table(name: str) -> str:
    """Return the qualified name of a model's table."""
    return f"{_models()[name].relative_to(DBT / 'models').parts[0]}.{name.removeprefix('mart_')}"


def _nothing(_: str) -> str:
    """Return the list of unchanged names of the first run of a workspace."""
    return "(select cast(null as varchar) as name where false)"


def _without_rows(table: str) -> str:
    """Return a table without rows in place of one that `zpo2 run` computes in Python."""
    [source] = yaml.safe_load((DBT / "models" / "intermediate" / "statistics.yml").read_text(encoding="utf-8"))["sources"]
    [columns] = [t["columns"] for t in source["tables"] if t["name"] == table]
    return f"(select {', '.join('cast(null as ' + c['data_type'] + ') as ' + c['name'] for c in columns)} where false)"
