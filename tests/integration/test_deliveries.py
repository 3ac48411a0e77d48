"""Whatever the order of deliveries, duplicates, segments, ticks and crashes: the lake ends as if each event came once, in order."""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.core.workspace import WorkspaceFolder
from pipelines.extract import backlog
from pipelines.extract.cloudevents import queue as queues
from pipelines.extract.cloudevents.parsing import CloudEvent, parse
from pipelines.extract.cloudevents.queue import Queue
from pipelines.extract.cloudevents.segments import forget_archived
from pipelines.extract.snapshots import Archive
from pipelines.extract.source_state import SourceStates
from pipelines.extract.sources import fetch_sources
from pipelines.lake.ingest import Ingest
from pipelines.packs.workspace import Workspace
from tests.support import happenings

pytestmark = pytest.mark.slow
NOW = datetime(2024, 6, 1, tzinfo=UTC)


class Crash(BaseException):
    """The process ends here."""


def parsed(number: int, version: int, subject: bool, gone: bool) -> CloudEvent:
    value = happenings.event(number, version=version, subject=subject, gone=gone)
    if not gone:
        value["data"]["note"] = f"{number} " * 200  # so that the difference between two states of a day is smaller than the day
    (event,) = parse({"content-type": "application/cloudevents+json"}, json.dumps(value).encode())
    assert isinstance(event, CloudEvent)
    return event


EVENTS = [parsed(n, v, subject=n % 2 == 0, gone=n == 4 and v == 2) for n in range(6) for v in range(3 if n % 2 == 0 else 1)]


class Deliveries(RuleBasedStateMachine):
    """Events arrive in any order and any number of times; segments are sealed and drained; the process may end at any step."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        root = Path(self.folder.name)
        self.pack = packs.load(happenings.write(root / "pack"))
        self.home = WorkspaceFolder(root / "home")
        self.home.claim(self.pack.id)
        self.accepted: set[str] = set()
        self.clock = NOW
        self.queue = Queue(self.home.queue)

    def teardown(self) -> None:
        self.source_is_switched(enabled=True)
        self.drain(seal=True)
        self.queue.close()
        self.check_the_lake()
        self.folder.cleanup()

    @rule(events=st.lists(st.sampled_from(EVENTS), min_size=1, max_size=6))
    def deliver(self, events: list[CloudEvent]) -> None:
        for event, outcome in zip(events, self.queue.put(events, self.clock), strict=True):
            is_duplicate = event.id in self.accepted
            assert outcome is (queues.Outcome.DUPLICATE if is_duplicate else queues.Outcome.ACCEPTED)
            self.accepted.add(event.id)

    @rule(events=st.lists(st.sampled_from(EVENTS), min_size=1, max_size=3))
    def deliver_and_die_before_the_commit(self, events: list[CloudEvent]) -> None:
        with suppress(Crash), self.queue._transaction():
            self.queue._connection.execute(
                "insert or ignore into events (source, id, type, time, subject, digest, day, received_at) values (?, ?, 'x', '', '', x'', '', '')",
                (events[0].source, events[0].id),
            )
            raise Crash

    @rule(seconds=st.sampled_from([5, 20, -7200]))
    def time_passes(self, seconds: int) -> None:
        """Time passes, or the clock of the machine is set back by two hours."""
        self.clock += timedelta(seconds=seconds)

    @rule()
    def receiver_is_killed_and_started(self) -> None:
        self.queue._connection.close()
        self.queue = Queue(self.home.queue)

    @rule()
    def tick(self) -> None:
        self.queue.seal(self.clock)

    @rule(enabled=st.booleans())
    def source_is_switched(self, enabled: bool) -> None:
        self.pack.sources["happenings"] = self.pack.sources["happenings"].model_copy(update={"enabled": enabled})

    @rule(seal=st.booleans())
    def drain(self, seal: bool) -> None:
        if seal:
            self.queue.seal(self.clock)
        backlog.drain(self.workspace)

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.home.root, Settings(SOURCE_DATE_EPOCH=int(self.clock.timestamp())), pack=self.pack)

    @rule()
    def data_of_events_in_the_archive_are_removed(self) -> None:
        states = SourceStates(self.home.fetch_state)
        for part, state in states.parts("happenings").items():
            states.put("happenings", part, replace(state, good=state.sha256))  # as an ingest does
        states.save()
        forget_archived(self.workspace, self.queue, self.clock + timedelta(days=1))

    @rule(step=st.sampled_from(["archive", "record", "save"]), number=st.integers(1, 3))
    def drain_and_die(self, step: str, number: int) -> None:
        """A run is killed at the n-th snapshot, or before or after the states are saved."""
        target: Any = {"archive": Archive, "record": SourceStates, "save": SourceStates}[step]
        name = {"archive": "add_successor", "record": "record_result", "save": "save"}[step]
        original, count = getattr(target, name), 0

        def dying(*arguments: Any) -> Any:
            nonlocal count
            count += 1
            if count == number:
                raise Crash
            return original(*arguments)

        setattr(target, name, dying)
        try:
            self.drain(seal=True)
        except Crash:
            pass
        finally:
            setattr(target, name, original)

    @invariant()
    def nothing_accepted_is_lost(self) -> None:
        assert self.queue.accepted() == len(self.accepted)

    def check_the_lake(self) -> None:
        latest: dict[str, CloudEvent] = {}
        for event in EVENTS:
            if event.id in self.accepted:
                name = event.subject or event.id
                if name not in latest or (event.time, event.id) > (latest[name].time, latest[name].id):
                    latest[name] = event
        expected = sorted((json.loads(e.data)["id"], json.loads(e.data)["title"]) for e in latest.values() if e.data)
        fetch_sources(self.workspace)
        report = Ingest(self.workspace).run()["happenings"]
        rows = [pl.read_parquet(self.home.lake / f.path) for f in report.files("events")]
        actual = sorted((r["id"], r["title"]) for frame in rows for r in frame.iter_rows(named=True))
        assert actual == expected
        assert report.rows_read == len(expected)


Deliveries.TestCase.settings = settings(
    max_examples=25, stateful_step_count=12, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # fmt: skip
TestDeliveries = Deliveries.TestCase


class TestArchiveSegment:
    def test_gives_the_same_bytes_in_any_order(self, tmp_path: Path) -> None:
        import random

        contents = []
        for seed in range(4):
            pack, home = packs.load(happenings.write(tmp_path / "pack")), WorkspaceFolder(tmp_path / f"home{seed}")
            home.claim(pack.id)
            order = [*EVENTS, *EVENTS[: 5 * seed]]
            random.Random(seed).shuffle(order)
            with Queue(home.queue) as queue:
                for i in range(0, len(order), 1 + 3 * seed):
                    queue.put(order[i : i + 1 + 3 * seed], NOW)
                    if i % 2 == 0:
                        queue.seal(NOW)
                        backlog.drain(Workspace(home.root, Settings(SOURCE_DATE_EPOCH=1717200000), pack=pack))
                queue.seal(NOW)
            backlog.drain(Workspace(home.root, Settings(SOURCE_DATE_EPOCH=1717200000), pack=pack))
            states = SourceStates(home.fetch_state).parts("happenings")
            contents.append({part: state.sha256 for part, state in states.items()})
        assert all(one == contents[0] for one in contents)
        assert len(contents[0]) == 7
