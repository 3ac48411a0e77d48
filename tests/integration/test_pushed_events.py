"""Many clients push events to a receiver that is killed: each accepted event is in the lake once."""

from __future__ import annotations

import random
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
import requests

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.core.workspace import WorkspaceFolder
from pipelines.extract import backlog
from pipelines.extract.cloudevents.parsing import BATCH
from pipelines.extract.cloudevents.queue import Queue
from pipelines.extract.sources import fetch_sources
from pipelines.lake.ingest import Ingest
from pipelines.packs.workspace import Workspace
from tests.support import happenings
from tests.support.command import start
from tests.unit.test_command_help import free_port

pytestmark = pytest.mark.slow
EVENTS, CLIENTS, DOUBLED = 10_000, 8, 0.2


class Receiver:
    """`zpo2 serve-events`, which can be killed and started again."""

    def __init__(self, pack: Path, home: Path) -> None:
        self.pack, self.home, self.port = pack, home, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self.process = start(
            "serve-events", "--pack", self.pack, "--home", self.home, "--port", str(self.port), "--per-second", "5000",
            ZPO2_SECRET_EVENTS=happenings.SECRET,
        )  # fmt: skip
        while True:
            try:
                requests.get(f"{self.url}/health", timeout=5)
                return
            except requests.ConnectionError:
                assert self.process.poll() is None, self.process.communicate()[0]
                time.sleep(0.05)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def push(self, batch: list[int], stop: Callable[[], bool]) -> int:
        """Push events until they are acknowledged; return how many were new."""
        content = happenings.body([happenings.event(n) for n in batch])
        headers = {"Content-Type": BATCH, "Authorization": f"Bearer {happenings.SECRET}"}
        while not stop():
            try:
                response = requests.post(f"{self.url}/events", data=content, headers=headers, timeout=30)
            except requests.RequestException:
                time.sleep(0.05)  # the receiver was killed, and these may be lost: send them again
                continue
            if response.status_code in (429, 503):
                time.sleep(float(response.headers["retry-after"]) / 10)
                continue
            assert response.status_code == 202, response.text
            assert response.json()["refused"] == []
            return int(response.json()["accepted"])
        raise AssertionError("the deadline of the test has passed")


class TestServeEvents:
    def test_loses_and_repeats_no_accepted_event_when_killed(self, tmp_path: Path) -> None:
        pack, home = happenings.write(tmp_path / "pack"), WorkspaceFolder(tmp_path / "home")
        chance = random.Random(7)
        numbers = [*range(EVENTS), *chance.choices(range(EVENTS), k=int(EVENTS * DOUBLED))]
        chance.shuffle(numbers)
        batches = []
        while numbers:
            size = chance.choice([1, 5, 20, 50])
            batches.append(numbers[:size])
            del numbers[:size]
        receiver = Receiver(pack, home.root)
        receiver.start()
        deadline = time.monotonic() + 300
        done = threading.Event()
        with ThreadPoolExecutor(CLIENTS) as clients:
            responses = [clients.submit(receiver.push, batch, lambda: time.monotonic() > deadline) for batch in batches]
            for share in (0.3, 0.6):
                while sum(a.done() for a in responses) < share * len(responses):
                    time.sleep(0.01)
                receiver.kill()
                receiver.start()
            accepted = sum(a.result() for a in responses)
            done.set()
        receiver.kill()
        assert accepted <= EVENTS, "an event stored without a response is a duplicate the next time"
        loaded = packs.load(pack)
        with Queue(home.queue) as queue:
            assert queue.accepted() == EVENTS
            segment = queue.seal(datetime.now(UTC))
            assert segment is not None
            assert segment.events == EVENTS
        fetch_sources(Workspace(home.root, Settings(), pack=loaded))
        backlog.drain(Workspace(home.root, Settings(), pack=loaded))
        reports = Ingest(Workspace(home.root, Settings(), pack=loaded)).run()
        assert (reports["happenings"].rows_read, reports["happenings"].accepted) == (EVENTS, EVENTS)
        rows = pl.concat([pl.read_parquet(home.lake / f.path) for f in reports["happenings"].files("events")])
        assert sorted(rows["id"].cast(pl.Int64)) == list(range(EVENTS))
