"""How large Dagster's history is after 1,000 ticks of the sensor that polls, with and without pruning. Prints sizes in kB.

Every tick polls all sources of packs/demo and finds nothing new, which is the most that a tick can add without a run.
"""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.scheduler.instigation import InstigatorType, TickData, TickStatus

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from pipelines.core.settings import Settings  # noqa: E402
from pipelines.extract.sources import fetch_sources  # noqa: E402
from pipelines.lake.ingest import Ingest  # noqa: E402
from pipelines.orchestration.pruning import prune  # noqa: E402
from pipelines.orchestration.sensors import build_sensors  # noqa: E402
from pipelines.packs import load  # noqa: E402
from pipelines.packs.workspace import Workspace  # noqa: E402

TICKS = 1000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.of(load(PROJECT / "packs" / "demo"), Path(folder) / "home", Settings())
        workspace.open()
        fetch_sources(workspace)
        Ingest(workspace).run()
        history = Path(folder) / "history"
        history.mkdir()
        with dg.DagsterInstance.local_temp(str(history)) as instance:
            empty = _kilobytes(history)
            sensor = next(s for s in build_sensors(workspace, []) if s.name == "poll_sources")
            for _ in range(TICKS):
                result = sensor(dg.build_sensor_context(instance=instance, cursor=None))
                assert isinstance(result, dg.SensorResult)
                for event in result.asset_events:
                    instance.report_runless_asset_event(event)
                tick = TickData("origin", sensor.name, InstigatorType.SENSOR, TickStatus.SKIPPED, time.time(), selector_id="selector")
                instance.create_tick(tick)
            full = _kilobytes(history)
            deleted = prune(instance, datetime.now(UTC) + timedelta(minutes=1))
            for database in history.rglob("*.db"):
                _vacuum(database)
            print(f"empty {empty} kB; after {TICKS} ticks {full} kB; {deleted} events deleted, then {_kilobytes(history)} kB")


def _kilobytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) // 1024


def _vacuum(database: Path) -> None:
    import sqlite3

    with sqlite3.connect(database) as connection:
        connection.execute("vacuum")


if __name__ == "__main__":
    main()
