"""One lake and two warehouses: one that every run changes, as runs do, and one that is built from nothing each time."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import duckdb

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.extract.sources import fetch_sources
from pipelines.lake.ingest import Ingest
from pipelines.packs.workspace import Workspace
from pipelines.warehouse import dbt, scope, statistics, suppression
from tests.support.changing_pack import ChangingPack

MEMORY = 2**30
NO_TESTS = ["--exclude-resource-type", "test"]


class TwoWarehouses:
    """The workspace of a pack, and beside it one with the same lake."""

    def __init__(self, pack: ChangingPack, folder: Path) -> None:
        self.pack = pack
        self.changed, self.rebuilt = folder / "changed", folder / "rebuilt"
        self.rebuilt.mkdir(parents=True)
        for name in ("lake", "manifests"):
            (self.changed / name).mkdir(parents=True)
            (self.rebuilt / name).symlink_to(self.changed / name, target_is_directory=True)
        self._processes = {root: dbt.DbtProcess(self._workspace(root)) for root in (self.changed, self.rebuilt)}

    def ingest(self) -> None:
        """Bring the sources of the pack into the lake."""
        workspace = self._workspace(self.changed)
        fetch_sources(workspace)
        Ingest(workspace).run()

    def change(self) -> None:
        """Bring the changed warehouse up to date, as a run does."""
        self._build(self.changed)

    def build(self) -> list[str]:
        """Change the one warehouse, build the other from nothing, and return the tables in which they differ."""
        self.change()
        (self.rebuilt / "warehouse.duckdb").unlink(missing_ok=True)
        shutil.rmtree(self.rebuilt / "statistics", ignore_errors=True)
        self._build(self.rebuilt)
        return self._differences()

    def kill_during_build(self, seconds: float) -> None:
        """Begin to change the warehouse, and kill dbt so many seconds after it has begun its work."""
        process = self._processes[self.changed]
        process.start()
        scope.begin(self._workspace(self.changed), MEMORY)
        timer = threading.Timer(seconds, process.kill)
        timer.start()
        with contextlib.suppress(dbt.DbtError):
            for _ in process.build(dbt.BEFORE_STATISTICS, [*dbt.BEFORE_STATISTICS.arguments(), *NO_TESTS]):
                pass
        timer.cancel()
        timer.join()

    def build_by_hand(self, *select: str) -> None:
        """Build some models of the changed warehouse by dbt itself, as a developer does."""
        workspace = self._workspace(self.changed)
        variables = {**os.environ, **dbt.environment(workspace)}
        del variables["ZPO2_UNCHANGED"]
        command = [sys.executable, "-W", "ignore", "-m", "dbt.cli.main", "run", "--project-dir", str(dbt.PROJECT_DIR), "--select", *select]
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def begin(self, *, in_part: bool = False) -> None:
        """Begin to change the warehouse, and do nothing more."""
        scope.begin(self._workspace(self.changed), MEMORY, in_part=in_part)

    def in_scope(self) -> set[str]:
        """Return the indicators that the last build of the changed warehouse computed again."""
        with duckdb.connect(str(self.changed / "warehouse.duckdb"), read_only=True) as warehouse:
            rows = warehouse.execute("select indicator from intermediate.int_indicator_scope where in_scope").fetchall()
        return {name for (name,) in rows}

    def close(self) -> None:
        for process in self._processes.values():
            process.close()

    def _workspace(self, root: Path) -> Workspace:
        return Workspace(root, Settings(), pack=packs.load(self.pack.folder))

    def _build(self, root: Path) -> None:
        workspace, process = self._workspace(root), self._processes[root]
        process.start()
        keys = scope.begin(workspace, MEMORY)
        for selection in dbt.selections(suppresses=suppression.is_needed(workspace.pack)):
            for _ in process.build(selection, [*selection.arguments(), *NO_TESTS]):
                pass
            assert dbt.errors(workspace, selection) == []
            if selection is dbt.BEFORE_SUPPRESSION:
                suppression.compute(workspace)
            elif selection is not dbt.AFTER_STATISTICS:
                statistics.compute(workspace)
        scope.finish(workspace, keys)

    def _differences(self) -> list[str]:
        with duckdb.connect() as connection:
            for name in ("changed", "rebuilt"):
                connection.execute(f"attach '{getattr(self, name)}/warehouse.duckdb' as {name} (read_only)")
            tables = _tables(connection, "changed")
            assert tables == _tables(connection, "rebuilt")
            return [table for table in tables if not table.endswith("_scope") and _differs(connection, table)]


def _tables(connection: duckdb.DuckDBPyConnection, database: str) -> list[str]:
    """Return the tables that dbt has built."""
    rows = connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables() where database_name = ? and schema_name <> 'main' order by all",
        [database],
    ).fetchall()
    return [table for (table,) in rows]


def _differs(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether one of the two warehouses has a row that the other one lacks."""
    return any(
        connection.execute(f"(select * from {one}.{table} except all select * from {other}.{table}) limit 1").fetchall()
        for one, other in (("changed", "rebuilt"), ("rebuilt", "changed"))
    )
