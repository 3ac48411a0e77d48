"""The daemon for real: a file is dropped, an event pushed, a source breaks, and release and operator hear of it by themselves."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import requests

from pipelines.core.workspace import WorkspaceFolder
from pipelines.extract.cloudevents.parsing import STRUCTURED
from pipelines.notify import alerts, incidents
from pipelines.orchestration.jobs import DRAINED
from tests.support import happenings
from tests.support.command import start
from tests.support.server import HttpRequest, Reply, Server, serving
from tests.unit.test_command_help import free_port

pytestmark = pytest.mark.slow
PATIENCE = 600.0
KEY = "the-key-of-the-webhook"


class Daemon:
    """`zpo2 dev` on a pack, and what can be seen of it from outside."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.pack, self.home = happenings.write(folder / "pack", cadence="* * * * *"), WorkspaceFolder(folder / "home")
        self.ui, self.events = free_port(), free_port()
        self.alerts: list[dict[str, Any]] = []
        self.signatures: list[bool] = []
        self.announced: list[str] = []

        def heard(asked: HttpRequest) -> Reply:
            self.alerts.append(json.loads(asked.body))
            self.signatures.append(asked.headers["x-signature-256"] == alerts.signature(asked.body, KEY))
            return Reply(204)

        def announced(asked: HttpRequest) -> Reply:
            self.announced.append(json.loads(asked.body)["subject"])
            return Reply(204 if len(self.announced) > 1 else 503)

        server.routes["/alerts"] = heard
        server.routes["/releases"] = announced
        self.process = start(
            "dev", "--pack", self.pack, "--home", self.home.root, "--port", str(self.ui), "--events-port", str(self.events),
            ZPO2_SECRET_EVENTS=happenings.SECRET, ZPO2_SECRET_ALERT_URL=f"{server.url}/alerts", ZPO2_SECRET_ALERT_KEY=KEY,
            ZPO2_SECRET_RELEASE_URL=f"{server.url}/releases",
            log=folder / "dev.log", ZPO2_ALLOW_HOSTS="127.0.0.1",
        )  # fmt: skip

    def until(self, what: str, found: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not found():
            assert self.process.poll() is None, f"the daemon ended while waiting for {what}"
            assert time.monotonic() < deadline, f"in vain: {what}\n{self.home.log.read_text() if self.home.log.exists() else ''}"
            time.sleep(0.25)

    def value(self, indicator: str) -> str | None:
        """Return the value of the state in the current release, "" without one; None where there is no release yet."""
        try:
            latest = json.loads((self.home.public / "latest.json").read_text())
        except FileNotFoundError:
            return None
        path = self.home.public / latest["path"] / "csv" / "indicator_values" / f"{indicator}.csv"
        if not path.is_file():  # an indicator without any data has no file
            return ""
        with path.open(encoding="utf-8") as file:
            rows = [r for r in csv.DictReader(file) if r["ref_area"] == "S" and r["sex"] == "_T"]
        return max((r["obs_value"] for r in rows), default="")

    def versions(self) -> int:
        return len(json.loads((self.home.public / "releases.json").read_text())["releases"])

    def runs(self) -> list[dg.DagsterRun]:
        """Return the runs so far, the newest first."""
        with dg.DagsterInstance.from_config(str(self.home.dagster)) as instance:
            return list(instance.get_runs())

    def idle(self) -> bool:
        return all(run.is_finished for run in self.runs())

    def kill(self, run: dg.DagsterRun) -> None:
        """Kill the process of a run."""
        with dg.DagsterInstance.from_config(str(self.home.dagster)) as instance:
            messages = [entry.message for entry in instance.all_logs(run.run_id)]
        (pid,) = {match[1] for message in messages if (match := re.search(r"Started process for run \(pid: (\d+)\)", message))}
        os.kill(int(pid), signal.SIGKILL)

    def stale_assets(self) -> list[str]:
        """Return the assets that the UI shows as not up to date."""
        query = "{ assetNodes { assetKey { path } staleStatus } }"
        nodes = requests.post(f"http://127.0.0.1:{self.ui}/graphql", json={"query": query}, timeout=60).json()["data"]["assetNodes"]
        assert len(nodes) > 50
        return ["/".join(node["assetKey"]["path"]) for node in nodes if node["staleStatus"] != "FRESH"]

    def push(self, event: dict[str, Any]) -> requests.Response:
        headers = {"Content-Type": STRUCTURED, "Authorization": f"Bearer {happenings.SECRET}"}
        return requests.post(f"http://127.0.0.1:{self.events}/events", json=event, headers=headers, timeout=30)

    def end(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=60)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with serving() as server:
        running = Daemon(tmp_path, server)
        try:
            yield running
        finally:
            running.end()


def test_what_happens_changes_the_release_by_itself_and_the_operator_is_told(daemon: Daemon) -> None:
    daemon.until("the first release", lambda: daemon.value("happenings") is not None)
    assert daemon.value("happenings") == ""
    assert daemon.value("trees") == ""
    before = daemon.versions()
    daemon.until("the end of the first run", daemon.idle)
    (first,) = daemon.runs()
    assert first.tags["zpo2/reason"] == "new content of areas; new content of people; the first run of the workspace"

    # at the same time: a file is dropped, an event pushed twice, and a source breaks
    (daemon.home.inbox / "trees" / "first.csv").write_text("code,year,trees\na1,2021,30\na2,2021,12\na3,2021,0\na4,2021,0\na5,2021,0\n")
    for _ in range(2):
        assert daemon.push(happenings.event(1)).status_code == 202
    (daemon.pack / "data" / "people_2020.csv").write_text("<!DOCTYPE html><html>maintenance</html>")
    daemon.until("the dropped file in the release", lambda: daemon.value("trees") == "42.0")
    daemon.until("the pushed event in the release", lambda: daemon.value("happenings") == "1.0")
    assert not any((daemon.home.inbox / "trees").iterdir())
    daemon.until("the end of the run", daemon.idle)
    assert len(daemon.runs()) == 2, "a burst of changes is one run"
    assert daemon.versions() - before == 1
    assert daemon.stale_assets() == []

    daemon.until("the alert", lambda: bool(daemon.alerts))
    (alert,) = daemon.alerts[:1]
    assert (alert["type"], alert["subject"], alert["specversion"]) == (incidents.SOURCE_STALE, "people", "1.0")
    assert "a web page in place of data" in alert["data"]["reasons"][0]
    assert all(daemon.signatures)
    versions = [entry["version"] for entry in json.loads((daemon.home.public / "releases.json").read_text())["releases"]]
    # the first one was sent twice: the portal did not take it at first
    daemon.until("the announcements", lambda: daemon.announced == [versions[0], *versions])


def test_a_run_that_is_killed_after_its_drain_is_followed_by_one_that_publishes_all_of_it(daemon: Daemon) -> None:
    daemon.until("the first release", lambda: daemon.value("happenings") is not None)
    daemon.until("the end of the first run", daemon.idle)
    assert daemon.push(happenings.event(1)).status_code == 202
    daemon.until("the drain", lambda: len(runs := daemon.runs()) == 2 and DRAINED in runs[0].tags)
    drained = daemon.runs()[0]
    assert daemon.push(happenings.event(2)).status_code == 202  # which may be requested as a further run before the kill
    daemon.kill(drained)
    daemon.until("both events in the release", lambda: daemon.value("happenings") == "2.0")
    daemon.until("the end of the last run", daemon.idle)
    statuses = [run.status for run in daemon.runs()]
    assert statuses.count(dg.DagsterRunStatus.FAILURE) == 1
    assert len(statuses) <= 4, "the killed run, and the one that was perhaps requested before it was killed"
    assert daemon.stale_assets() == []
