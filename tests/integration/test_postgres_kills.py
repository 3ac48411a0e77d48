"""Two packs in one Dagster on PostgreSQL, as the units start it: code locations, daemon, receiver. Processes are killed; no event is lost.

By default the receiver and the daemon are killed once. `ZPO2_TEST_KILLS` gives another number, and then code locations are killed as well,
with the run that they are doing.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
import requests

from pipelines.extract.cloudevents.parsing import BATCH
from tests.integration.test_postgres import EXAMPLE, Server, server
from tests.support import happenings
from tests.support.command import environment
from tests.unit.test_command_help import free_port

__all__ = ["server"]
pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("ZPO2_TEST_KILLS", "2"))
SECONDS = 600 + 400 * max(0, KILLS - 2)
"""A run whose process was killed is recorded as failed after five minutes."""
BATCHES = 5


class Installation:
    """The processes of an installation with two packs, each of which can be killed and started again."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.running = folder, dict[str, subprocess.Popen[bytes]]()
        self.ports = {name: free_port() for name in ("fairs", "five", "events")}
        self.variables = {"DAGSTER_HOME": str(folder / "dagster"), "DAGSTER_POSTGRES_URL": url, "ZPO2_SECRET_EVENTS": happenings.SECRET}
        (folder / "dagster").mkdir()
        shutil.copy(EXAMPLE, folder / "dagster" / "dagster.yaml")
        locations = [{"grpc_server": {"host": "127.0.0.1", "port": self.ports[n], "location_name": n}} for n in ("fairs", "five")]
        (folder / "workspace.yaml").write_text(json.dumps({"load_from": locations}))  # JSON is YAML
        scripts = Path(sys.executable).parent
        grpc = [str(scripts / "dagster"), "api", "grpc", "-m", "pipelines.orchestration.definitions", "-h", "127.0.0.1", "-p"]
        receiver = [sys.executable, "-m", "pipelines.cli", "serve-events", "--port", str(self.ports["events"])]
        self.commands = {
            "fairs": [*grpc, str(self.ports["fairs"])],
            "five": [*grpc, str(self.ports["five"])],
            "daemon": [str(scripts / "dagster-daemon"), "run", "-w", str(folder / "workspace.yaml")],
            "events": receiver,
        }

    def start(self, name: str) -> None:
        pack = "five" if name == "five" else "fairs"
        variables = {"ZPO2_PACK": str(self.folder / pack / "pack"), "ZPO2_HOME": str(self.folder / pack / "home"), **self.variables}
        log = (self.folder / f"{name}.log").open("ab")
        self.running[name] = subprocess.Popen(
            self.commands[name], cwd=self.folder, env=environment(**variables), stdout=log, stderr=log, start_new_session=True
        )

    def kill(self, name: str) -> None:
        """Kill a process with all that it has started, as systemd does."""
        process = self.running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def wait(self, condition: Callable[[], bool], deadline: float) -> None:
        while not condition():
            ended = {name: process.poll() for name, process in self.running.items() if process.poll() is not None}
            assert not ended, "".join((self.folder / f"{name}.log").read_text()[-3000:] for name in ended)
            assert time.monotonic() < deadline, "\n".join(path.read_text()[-3000:] for path in self.folder.glob("*.log"))
            time.sleep(0.5)

    def push(self, numbers: range) -> bool:
        headers = {"Content-Type": BATCH, "Authorization": f"Bearer {happenings.SECRET}"}
        content = happenings.body([happenings.event(number) for number in numbers])
        try:
            response = requests.post(f"http://127.0.0.1:{self.ports['events']}/events", data=content, headers=headers, timeout=30)
        except requests.RequestException:
            return False
        assert response.status_code == 202, response.text
        return True

    def published(self) -> float:
        """Return how many events the current release counts."""
        public = self.folder / "fairs" / "home" / "public"
        latest = json.loads((public / "latest.json").read_text())
        values = pl.read_parquet(public / latest["path"] / "parquet" / "indicator_values.parquet")
        is_total = (pl.col("indicator") == "happenings") & (pl.col("ref_area") == "S") & (pl.col("time_period") == "2021")
        return float(values.filter(is_total)["obs_value"].sum() or 0)


@pytest.fixture
def installation(five_home: Path, tmp_path: Path, server: Server) -> Iterator[Installation]:
    for name in ("fairs", "five"):
        shutil.copytree(five_home, tmp_path / name / "home", ignore=shutil.ignore_patterns("history", "schedules"))
    shutil.copytree(five_home.parent / "pack", tmp_path / "five" / "pack")
    pack_yml = happenings.write(tmp_path / "fairs" / "pack") / "pack.yml"
    pack_yml.write_text(pack_yml.read_text().replace("id: five", "id: fairs"))
    description = tmp_path / "fairs" / "home" / "home.json"
    description.write_text(description.read_text().replace('"five"', '"fairs"'))
    this = Installation(tmp_path, server.url)
    try:
        yield this
    finally:
        for name in list(this.running):
            this.kill(name)


def test_each_event_ends_in_a_release_once_however_often_processes_are_killed(installation: Installation) -> None:
    for name in installation.commands:
        installation.start(name)
    chance, deadline = random.Random(16), time.monotonic() + SECONDS
    names = ["events", "daemon"] if KILLS <= 2 else ["events", "daemon", "fairs"]
    for number in range(max(KILLS, 1)):
        numbers = range(number * BATCHES, (number + 1) * BATCHES)
        installation.wait(lambda numbers=numbers: installation.push(numbers), deadline)  # type: ignore[misc]
        if KILLS > 2:
            time.sleep(chance.uniform(0, 40))
        if number < KILLS:
            name = names[number % len(names)]
            installation.kill(name)
            installation.start(name)
    installation.wait(lambda: installation.published() == max(KILLS, 1) * BATCHES, deadline)
    ledger = json.loads((installation.folder / "five" / "home" / "public" / "releases.json").read_text())
    assert [release["version"] for release in ledger["releases"]] == ["2025.10.1"], "nothing has changed there"
