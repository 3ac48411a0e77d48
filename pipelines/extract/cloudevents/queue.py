"""The queue of pushed events: what was accepted is on the disk, each event once, in segments. SQLite; knows no source and no HTTP.

An event is *waiting* until it is cut into a *segment*, and the segment *open* until its snapshots are in the archive. Nothing is deleted:
what was accepted stays, so that a replay is known as such and the records of a day can be written again.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path

from pipelines.extract.cloudevents.parsing import CloudEvent

SEGMENT_EVENTS = 5_000
SEGMENT_AGE = timedelta(seconds=5)
STAMP = "%Y-%m-%dT%H:%M:%S.%fZ"
UNDATED = "undated"

_SCHEMA = """
create table if not exists events (
    seq integer primary key,
    source text not null, id text not null, type text not null, time text not null, subject text not null, data text,
    digest blob not null, day text not null, received_at text not null, segment integer,
    unique (source, id)
);
create index if not exists waiting on events (seq) where segment is null;
create index if not exists by_segment on events (segment);
create index if not exists by_day on events (type, day);
create index if not exists by_subject on events (source, subject) where subject <> '';
create table if not exists segments (segment integer primary key, cut_at text not null, events integer not null, drained_at text);
"""


class Outcome(Enum):
    """What became of an event that was put."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"  # same source and id as an earlier one, other content


@dataclass(frozen=True)
class Segment:
    """A number of events that are taken up together."""

    number: int
    events: int
    cut_at: str


@dataclass(frozen=True)
class Record:
    """What an event says of its subject: the JSON text of the record, None where it takes it away."""

    source: str
    id: str
    time: str
    subject: str
    data: str | None


class Queue:
    """One connection to the queue in the file `path`. Several processes may have it open; one connection belongs to one thread."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        try:
            # what is committed has been flushed to the disk: the receiver says "accepted" only after that
            self._connection.execute("pragma journal_mode = wal")
            self._connection.execute("pragma synchronous = full")
            self._connection.executescript(_SCHEMA)
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Queue:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._connection.execute("begin immediate")
        try:
            yield self._connection
        except BaseException:
            if self._connection.in_transaction:  # a full disk has rolled back already
                self._connection.execute("rollback")
            raise
        self._connection.execute("commit")

    def put(self, events: Sequence[CloudEvent], now: datetime) -> list[Outcome]:
        """Keep `events`, all or none; when this returns they are on the disk. Raises sqlite3.Error."""
        received = now.strftime(STAMP)
        outcomes = []
        with self._transaction() as connection:
            for event in events:
                digest = _digest(event)
                row = (
                    event.source, event.id, event.type, event.time, event.subject, event.data, digest, event.time[:10] or UNDATED, received,
                )  # fmt: skip
                done = connection.execute(
                    "insert into events (source, id, type, time, subject, data, digest, day, received_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?) "
                    "on conflict do nothing",
                    row,
                )
                if done.rowcount == 1:
                    outcomes.append(Outcome.ACCEPTED)
                    continue
                known = connection.execute("select digest from events where source = ? and id = ?", (event.source, event.id)).fetchone()
                outcomes.append(Outcome.DUPLICATE if known[0] == digest else Outcome.CONFLICT)
        return outcomes

    def waiting(self) -> tuple[int, str]:
        """Return how many events wait to be cut into a segment, and when the first of them came ('' where there is none)."""
        count, first = self._connection.execute("select count(*), min(received_at) from events where segment is null").fetchone()
        return int(count), first or ""

    def cut(self, now: datetime, *, whole: bool = False) -> Segment | None:
        """Make a segment of the first waiting events once there are enough, or the first is old enough, or `whole` asks for it."""
        with self._transaction() as connection:
            rows = connection.execute(
                "select seq, received_at from events where segment is null order by seq limit ?", (SEGMENT_EVENTS,)
            ).fetchall()
            ripe = len(rows) == SEGMENT_EVENTS or whole or (rows and rows[0][1] <= (now - SEGMENT_AGE).strftime(STAMP))
            if not rows or not ripe:
                return None
            number = connection.execute("select coalesce(max(segment), 0) + 1 from segments").fetchone()[0]
            connection.execute("update events set segment = ? where segment is null and seq <= ?", (number, rows[-1][0]))
            connection.execute("insert into segments (segment, cut_at, events) values (?, ?, ?)", (number, now.strftime(STAMP), len(rows)))
        return Segment(number, len(rows), now.strftime(STAMP))

    def open_segments(self) -> list[Segment]:
        """Return the segments that have been cut and not yet drained, in their order."""
        rows = self._connection.execute("select segment, events, cut_at from segments where drained_at is null order by segment").fetchall()
        return [Segment(*row) for row in rows]

    def types(self, segment: int) -> list[str]:
        """Return the types of the events in a segment."""
        return [t for (t,) in self._connection.execute("select distinct type from events where segment = ? order by type", (segment,))]

    def days(self, segment: int, type_: str) -> list[str]:
        """Return the days whose records the events of a segment change: their own, and those of what they take the place of."""
        rows = self._connection.execute(
            "select day from events where segment = :segment and type = :type "
            "union select o.day from events n join events o on o.source = n.source and o.subject = n.subject and o.subject <> '' "
            "where n.segment = :segment and n.type = :type and o.type = :type and o.segment <= :segment order by 1",
            {"segment": segment, "type": type_},
        )
        return [day for (day,) in rows]

    def records(self, type_: str, day: str, up_to: int) -> list[Record]:
        """Return what the events of a day say now, in an order that does not depend on when they came.

        Of one subject the latest time counts, whatever its day; `up_to` is the last segment that is looked at.
        """
        rows = self._connection.execute(
            "select source, id, time, subject, data from events e where type = :type and day = :day and segment <= :segment "
            "and not exists (select 1 from events n where n.source = e.source and n.subject = e.subject and e.subject <> '' "
            "and n.type = e.type and n.segment <= :segment and (n.time, n.id) > (e.time, e.id)) order by source, id",
            {"type": type_, "day": day, "segment": up_to},
        )
        return [Record(*row) for row in rows]

    def drained(self, segment: int, now: datetime) -> None:
        """Write down that the snapshots of a segment are in the archive."""
        with self._transaction() as connection:
            connection.execute("update segments set drained_at = ? where segment = ?", (now.strftime(STAMP), segment))

    def counts(self) -> dict[str, int]:
        """Return how many events were accepted, how many of them wait, and how many segments are open."""
        accepted = self._connection.execute("select count(*) from events").fetchone()[0]
        return {"accepted": accepted, "waiting": self.waiting()[0], "open_segments": len(self.open_segments())}


def _digest(event: CloudEvent) -> bytes:
    parts: Iterable[str | None] = (event.type, event.time, event.subject, event.data)
    return hashlib.sha256("\0".join("" if p is None else f"={p}" for p in parts).encode()).digest()
