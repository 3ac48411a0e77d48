"""A workspace that nobody looks after: a clock that is moved, scripted faults, and the sensors in place of the daemon. Nothing waits.

Every step moves the clock, does something good or bad, and ticks. A tick calls the sensors as the daemon does and runs what they request in a
process of its own. After each tick the release that stands is compared with what the good deliveries so far give.
"""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg

import exports
from pipelines.core.clock import timestamp
from pipelines.core.settings import Settings
from pipelines.extract import inbox
from pipelines.extract.cloudevents.parsing import STRUCTURED, CloudEvent, parse
from pipelines.extract.cloudevents.queue import Queue
from pipelines.orchestration.definitions import build_definitions
from pipelines.orchestration.jobs import WORKSPACE
from pipelines.orchestration.sensors import STARTED
from pipelines.orchestration.session import RunSession
from pipelines.packs.workspace import Workspace
from pipelines.runs.request import RunRequest
from tests.support import happenings, requested_run
from tests.support.command import environment
from tests.support.server import HttpRequest, Reply, Server

START = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
CODES = ("a1", "a2", "a3", "a4", "a5")
PEOPLE = """\
id: people
title: People
publisher: Office
licence: CC0-1.0
theme: census
fetch: {{url: "{url}/people.csv", cadence: "*/10 * * * *"}}
read: {{format: csv}}
columns: {{year: {{type: integer, required: true}}, code: {{required: true}}, sex: {{values: [M, F]}}, persons: {{type: integer, min: 0}}}}
into: observations
map: {{area: {{scheme: lau, code: code}}, period: year, sex: sex, measures: {{population: persons}}}}
"""
JUNK = ("~$trees.xlsx", "Thumbs.db", ".DS_Store", "trees.csv.part", ".~lock.trees.csv#")


class Operation:
    """A pack, its sources on `server`, its workspace, and the numbers that its release has to show."""

    def __init__(self, folder: Path, server: Server, seed: int = 1) -> None:
        self.pack, self.home, self.server = happenings.write(folder / "pack", cadence="0 5 * * *"), folder / "home", server
        (self.pack / "sources" / "people.yml").write_text(PEOPLE.format(url=server.url))
        self.random = random.Random(seed)
        self.now = START
        self.persons = {(year, code, sex): 100 for year in (2020, 2021) for code in CODES for sex in "MF"}
        self.delivered = dict(self.persons)
        self.events = self.trees = 0
        self.cursors: dict[str, str | None] = {}
        self.alerts: list[dict[str, Any]] = []
        self.log: list[str] = []
        self._shown: dict[str, float] | None = None
        server.routes["/alerts"] = self._hear
        os.environ["ZPO2_SECRET_ALERT_URL"] = f"{server.url}/alerts"
        os.environ["ZPO2_ALLOW_HOSTS"] = "127.0.0.1"
        self.serve()

    # ------------------------------------------------------------------------------------------------------ what a source does

    def serve(self) -> None:
        """Answer with the good content."""

        def deliver(_request: HttpRequest) -> Reply:
            self.delivered = dict(self.persons)
            return Reply(200, self._people(), {"Content-Type": "text/csv"})

        self.server.routes["/people.csv"] = deliver

    def answer(self, reply: Callable[[HttpRequest], Reply]) -> None:
        """Answer with something else."""
        self.server.routes["/people.csv"] = reply

    def change(self) -> None:
        """Change a number of the newest year."""
        self.persons[2021, self.random.choice(CODES), self.random.choice("MF")] += self.random.randrange(1, 50)

    def outage(self) -> None:
        self.answer(lambda _: Reply(503, b"away"))

    def truncate(self) -> None:
        self.answer(lambda _: Reply(200, self._people()[:-20], {"Content-Type": "text/csv"}, promised=len(self._people())))

    def web_page(self) -> None:
        self.answer(lambda _: Reply(200, b"<!doctype html><title>Sign in</title>", {"Content-Type": "text/html"}))

    def rename_column(self) -> None:
        body = self._people().replace(b"persons", b"inhabitants")
        self.answer(lambda _: Reply(200, body, {"Content-Type": "text/csv"}))

    def lose_rows(self) -> None:
        body = b"".join(self._people().splitlines(keepends=True)[:7])
        self.answer(lambda _: Reply(200, body, {"Content-Type": "text/csv"}))

    def spoil_numbers(self) -> None:
        body = self._people().replace(b",1", b",?")
        self.answer(lambda _: Reply(200, body, {"Content-Type": "text/csv"}))

    def push(self) -> None:
        """Accept an event, as the receiver does."""
        event = happenings.event(self.events)
        parsed = parse({"content-type": STRUCTURED}, json.dumps(event).encode())[0]
        assert isinstance(parsed, CloudEvent)
        self.home.mkdir(exist_ok=True)
        with Queue(self.home / "events.db") as queue:
            queue.put([parsed], datetime.now(UTC) - timedelta(minutes=1))
        self.events += 1

    def drop(self) -> None:
        """Drop a file of trees, which was complete for a while."""
        self.trees += self.random.randrange(1, 9)
        rows = [f"{code},2021,{self.trees if code == CODES[0] else 0}" for code in CODES]
        self._dropped("trees.csv", "\n".join(["code,year,trees", *rows, ""]))

    def drop_junk(self) -> None:
        for name in JUNK:
            self._dropped(name, "junk")

    # --------------------------------------------------------------------------------------------------------------- the daemon

    def tick(self, minutes: int = 10, *, kill_after: float | None = None, while_busy: bool = False) -> None:
        """Move the clock, call the sensors, and run what they request. The run is killed after some seconds, or another process writes."""
        self.now += timedelta(minutes=minutes)
        workspace = self._workspace()
        workspace.open()
        with ExitStack() as stack, dg.DagsterInstance.from_config(str(workspace.dagster)) as instance:
            if while_busy:
                stack.enter_context(workspace.lock(wait=0))
            self._end_killed_runs(instance)
            sensors = _sensors(workspace)
            self._call(sensors["poll_sources"], instance)
            self._call(sensors["publish_changes"], instance)  # the first tick sees how large the dropped files are
            for request in self._call(sensors["publish_changes"], instance):
                self._run(request, kill_after)
            self._call(sensors["send_alerts"], instance)
        self.check(settled=kill_after is None and not while_busy)

    def _call(self, sensor: dg.SensorDefinition, instance: dg.DagsterInstance) -> list[dg.RunRequest]:
        result: Any = sensor(dg.build_sensor_context(instance=instance, cursor=self.cursors.get(sensor.name)))
        if isinstance(result, dg.SensorResult):
            self.cursors[sensor.name] = result.cursor or self.cursors.get(sensor.name)
            reason = result.skip_reason.skip_message if result.skip_reason else f"{len(result.run_requests or [])} runs requested"
        else:
            reason = result.skip_message
        self.log.append(f"{timestamp(self.now)} {sensor.name}: {reason}")
        return list(result.run_requests or []) if isinstance(result, dg.SensorResult) else []

    def _run(self, request: dg.RunRequest, kill_after: float | None) -> None:
        variables = {"SOURCE_DATE_EPOCH": str(int(self.now.timestamp())), "ZPO2_ALLOW_HOSTS": "127.0.0.1"}
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.requested_run", str(self.pack), str(self.home), requested_run.as_text(request)],
            env=environment(**variables), start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        if kill_after is not None:
            time.sleep(kill_after)
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait(timeout=900)
        self.log.append(f"{timestamp(self.now)} run of {request.tags['zpo2/sources'] or 'no source'}: exit code {code}")

    def _end_killed_runs(self, instance: dg.DagsterInstance) -> None:
        """Record the failure of runs that were killed, as the daemon's monitor of runs does."""
        for run in instance.get_runs(dg.RunsFilter(statuses=STARTED, tags={WORKSPACE: str(self.home)})):
            instance.report_run_failed(run, "its process was killed")

    # ------------------------------------------------------------------------------------------------------------ what must hold

    def check(self, *, settled: bool) -> None:
        """Compare the release that stands with the good deliveries. Before a run was able to follow, it may still be the one before."""
        release = self.release()
        if release is None:
            assert not settled, self.log
            return
        assert exports.verify(release) == [], self.log
        shown = self.values(release)
        assert shown == self.expected() or (not settled and shown == self._shown), (shown, self.expected(), self.log[-12:])
        self._shown = shown

    def expected(self) -> dict[str, float]:
        people = sum(count for (year, _, _), count in self.delivered.items() if year == 2021)
        return {
            "population": people,
            **({"happenings": self.events} if self.events else {}),
            **({"trees": self.trees} if self.trees else {}),
        }

    def release(self) -> Path | None:
        latest = self.home / "public" / "latest.json"
        return self.home / "public" / json.loads(latest.read_text())["path"] if latest.is_file() else None

    def values(self, release: Path) -> dict[str, float]:
        """Return the newest values of the state."""
        values: dict[str, float] = {}
        for path in (release / "csv" / "indicator_values").glob("*.csv"):
            with path.open(encoding="utf-8") as file:
                rows = [
                    row for row in csv.DictReader(file) if row["ref_area"] == "S" and row["sex"] == "_T" and row["time_period"] == "2021"
                ]
            values |= {
                row["indicator"]: float(row["obs_value"]) for row in rows if row["obs_value"] and row["indicator"] in self._counted()
            }
        return values

    def versions(self) -> int:
        """Return the number of releases."""
        return len(json.loads((self.home / "public" / "releases.json").read_text())["releases"])

    def kinds_of_alerts(self) -> list[str]:
        return [alert["type"].removeprefix("zpo2.") for alert in self.alerts]

    def _counted(self) -> set[str]:
        return {"population", "happenings", "trees"}

    def _people(self) -> bytes:
        lines = [f"{year},{code},{sex},{persons}" for (year, code, sex), persons in self.persons.items()]
        return "\n".join(["year,code,sex,persons", *lines, ""]).encode()

    def _dropped(self, name: str, text: str) -> None:
        workspace = self._workspace()
        inbox.prepare(workspace)
        file = self.home / "inbox" / "trees" / name
        file.write_text(text)
        os.utime(file, (self.now.timestamp() - 3600, self.now.timestamp() - 3600))

    def _hear(self, request: HttpRequest) -> Reply:
        self.alerts.append(json.loads(request.body))
        return Reply(204)

    def _workspace(self) -> Workspace:
        settings = Settings(pack=self.pack, home=self.home, allow_hosts="127.0.0.1", SOURCE_DATE_EPOCH=int(self.now.timestamp()))
        return Workspace.load(settings)


def _sensors(workspace: Workspace) -> dict[str, dg.SensorDefinition]:
    session = RunSession(RunRequest(workspace))
    try:
        definitions = build_definitions(session)
    finally:
        session.dbt.close()
    return {sensor.name: sensor for sensor in definitions.sensors or []}
