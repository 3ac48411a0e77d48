"""The queue: each event once, on disk once accepted, in segments; and records that do not depend on the order of delivery."""

from __future__ import annotations

import itertools
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.core.clock import precise_timestamp
from pipelines.extract.cloudevents.parsing import CloudEvent
from pipelines.extract.cloudevents.queue import Outcome, Queue, Segment

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(seconds=5)


def event(identifier: str, time: str = "2024-05-01T10:00:00.000000Z", subject: str = "", data: str | None = "{}") -> CloudEvent:
    return CloudEvent("urn:town", identifier, "fair", time, subject, data)


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    return Queue(tmp_path / "events.db")


class TestPut:
    def test_stores_an_event_once(self, queue: Queue) -> None:
        assert queue.put([event("1"), event("2"), event("1")], NOW) == [Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.DUPLICATE]
        assert queue.put([event("2"), event("1", data='{"a":1}')], NOW) == [Outcome.DUPLICATE, Outcome.CONFLICT]
        assert queue.accepted() == 2

    def test_flushes_to_disk(self, queue: Queue) -> None:
        assert queue._connection.execute("pragma journal_mode").fetchone() == ("wal",)
        assert queue._connection.execute("pragma synchronous").fetchone() == (2,)

    def test_stores_nothing_of_a_batch_on_a_full_disk(self, queue: Queue) -> None:
        pages = queue._connection.execute("pragma page_count").fetchone()[0]
        queue._connection.execute(f"pragma max_page_count = {pages + 4}")
        with pytest.raises(sqlite3.OperationalError, match="full"):
            queue.put([event(str(i), data=f'"{"x" * 4000}"') for i in range(50)], NOW)
        assert queue.accepted() == 0
        queue._connection.execute("pragma max_page_count = 1000000")
        assert queue.put([event("1")], NOW) == [Outcome.ACCEPTED]


class TestSeal:
    def test_takes_all_waiting_events(self, queue: Queue) -> None:
        assert queue.seal(NOW) is None
        queue.put([event(str(i)) for i in range(12_000)], NOW)
        assert queue.waiting() == (12_000, 1)
        assert queue.waiting_types() == {"fair"}
        segment = queue.seal(LATER)
        assert segment is not None
        assert (segment.number, segment.events) == (1, 12_000)
        assert queue.waiting() == (0, 0)
        assert queue.waiting_types() == set()
        assert queue.types() == ["fair"]
        assert queue.seal(LATER) is None
        assert queue.newest_segment("fair") == 1
        assert queue.newest_segment("market") == 0

    def test_leaves_later_events_to_the_next_segment(self, queue: Queue) -> None:
        queue.put([event("1")], NOW)
        queue.seal(NOW)
        queue.put([event("2"), event("3")], NOW)
        assert queue.waiting() == (2, 2)
        assert queue.seal(NOW) == Segment(2, 2, precise_timestamp(NOW))
        queue.put([event("4")], NOW)
        assert queue.counts_after("fair", 1) == {2: 2, None: 1}


class TestRecords:
    def test_keep_the_latest_event_of_a_subject(self, tmp_path: Path) -> None:
        deliveries = [
            event("a", "2024-05-01T10:00:00.000000Z", "s", '{"v":1}'),
            event("b", "2024-05-02T10:00:00.000000Z", "s", '{"v":2}'),
            event("c", "2024-05-01T23:00:00.000000Z", "s", '{"v":3}'),
            event("d", "2024-05-01T11:00:00.000000Z", "gone", '{"v":4}'),
            event("e", "2024-05-03T11:00:00.000000Z", "gone", None),
        ]
        for n, order in enumerate(itertools.permutations(deliveries)):
            if n % 7:
                continue
            with Queue(tmp_path / f"{n}.db") as queue:
                for i, delivered in enumerate(order):
                    queue.put([delivered, order[0]], NOW + timedelta(seconds=i))
                    queue.seal(NOW)
                days = {day: [r.data for r in queue.records("fair", day, 99)] for day in ("2024-05-01", "2024-05-02", "2024-05-03")}
                assert days == {"2024-05-01": [], "2024-05-02": ['{"v":2}'], "2024-05-03": [None]}

    def test_days_include_those_of_replaced_records(self, queue: Queue) -> None:
        queue.put([event("a", "2024-05-01T10:00:00.000000Z", "s")], NOW)
        queue.seal(NOW)
        queue.put([event("b", "2024-05-02T10:00:00.000000Z", "s"), event("c", "")], NOW)
        queue.seal(NOW)
        assert queue.days("fair", 0, 1) == ["2024-05-01"]
        assert queue.days("fair", 1, 2) == ["2024-05-01", "2024-05-02", "undated"]

    @pytest.mark.parametrize("subject", ["", "fair/{}"])
    def test_are_found_with_work_in_proportion_to_the_events(self, tmp_path: Path, subject: str) -> None:
        def steps(events: int) -> int:
            """Return how many steps of its virtual machine SQLite needs, in thousands."""
            count = 0

            def step() -> None:
                nonlocal count
                count += 1

            with Queue(tmp_path / f"{events}.db") as queue:
                queue.put([event(str(i), subject=subject.format(i)) for i in range(events)], NOW)
                queue.seal(NOW)
                queue.put([event(f"new{i}", subject=subject.format(i)) for i in range(10)], NOW)
                queue.seal(NOW)
                queue._connection.set_progress_handler(step, 1000)
                assert queue.days("fair", 1, 2) == ["2024-05-01"]
                assert len(queue.records("fair", "2024-05-01", 2)) == events + (0 if subject else 10)
                queue.forget_replaced("fair", 2, LATER)
            return count

        assert steps(2000) < 6 * steps(500)
