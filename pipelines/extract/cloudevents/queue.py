"""The queue of pushed events: each accepted event is on disk, once, in segments. Uses SQLite; knows neither sources nor HTTP.

An event is *waiting* until it is sealed into a *segment*. Which segments are in the archive is kept with the snapshots, per source (see
`segments`): a source that is declared, enabled or changed later still takes all of them. No event is deleted, so that replays are recognised.
The data of an event stay until an operator removes them (`forget`), which needs a snapshot in the archive that has them.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from pipelines.core.clock import precise_timestamp
from pipelines.core.state import damaged
from pipelines.extract.cloudevents.parsing import CloudEvent

UNDATED = "undated"

_SCHEMA = """
create table if not exists events (
    seq integer primary key,
    source text not null, id text not null, type text not null, time text not null, subject text not null, data text,
    digest blob not null, day text not null, received_at text not null, segment integer, snapshot text, line integer,
    unique (source, id)
);
create index if not exists waiting on events (seq) where segment is null;
create index if not exists by_type on events (type, segment);
create index if not exists by_day on events (type, day);
create index if not exists by_subject on events (source, subject) where subject <> '';
create table if not exists segments (segment integer primary key, cut_at text not null, events integer not null);
"""


_LATER_COLUMNS = {"snapshot": "text", "line": "integer"}
"""Columns that databases of earlier versions lack: the snapshot in the archive that has the data, and on which line.

The snapshot is empty where the data were removed because a later event replaces the record."""


class Outcome(Enum):
    """The outcome of putting an event into the queue."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"  # an earlier event has the same source and id, but other content


@dataclass(frozen=True)
class Segment:
    """A number of events that one run processes together."""

    number: int
    events: int
    sealed_at: str


class Record(NamedTuple):
    """The record that an event carries for its subject, as JSON text; None where the event deletes it.

    `snapshot` and `line` say where the archive has the data, if they were removed from the queue.
    """

    source: str
    id: str
    type: str
    time: str
    subject: str
    data: str | None
    digest: bytes
    snapshot: str | None = None
    line: int | None = None

    def has(self, data: str) -> bool:
        """Whether these are the data of the event."""
        return _digest(self.type, self.time, self.subject, data) == self.digest


class Queue:
    """One connection to the queue in the file `path`. Several processes may open it; each connection belongs to one thread."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        try:
            # a commit flushes to the disk; the receiver reports "accepted" only after that
            self._connection.execute("pragma journal_mode = wal")
            self._connection.execute("pragma synchronous = full")
            self._connection.executescript(_SCHEMA)
            self._add_later_columns()
        except BaseException as error:
            self._connection.close()
            if type(error) is sqlite3.DatabaseError:  # not locked, not full: its bytes are not those of a database
                raise damaged(path, str(error), f"restore it from a backup: cp backup/{path.name} {path}") from None
            raise

    def _add_later_columns(self) -> None:
        def missing() -> list[str]:
            present = {name for _, name, *_ in self._connection.execute("pragma table_info(events)")}
            return [name for name in _LATER_COLUMNS if name not in present]

        if missing():
            with self._transaction() as connection:
                for name in missing():
                    connection.execute(f"alter table events add column {name} {_LATER_COLUMNS[name]}")

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
            if self._connection.in_transaction:  # a full disk causes a rollback by itself
                self._connection.execute("rollback")
            raise
        self._connection.execute("commit")

    def put(self, events: Sequence[CloudEvent], now: datetime) -> list[Outcome]:
        """Store `events`, all or none; when this returns they are on disk. Raises sqlite3.Error."""
        received = precise_timestamp(now)
        outcomes = []
        with self._transaction() as connection:
            for event in events:
                digest = _digest(event.type, event.time, event.subject, event.data)
                row = (
                    event.source, event.id, event.type, event.time, event.subject, event.data, digest, event.time[:10] or UNDATED, received,
                )  # fmt: skip
                inserted = connection.execute(
                    "insert into events (source, id, type, time, subject, data, digest, day, received_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?) "
                    "on conflict do nothing",
                    row,
                )
                if inserted.rowcount == 1:
                    outcomes.append(Outcome.ACCEPTED)
                    continue
                stored = connection.execute("select digest from events where source = ? and id = ?", (event.source, event.id)).fetchone()
                outcomes.append(Outcome.DUPLICATE if stored[0] == digest else Outcome.CONFLICT)
        return outcomes

    def waiting(self) -> tuple[int, int]:
        """Return how many events wait to be sealed, and the number of the first of them (0 where there is none)."""
        count, first = self._connection.execute("select count(*), min(seq) from events where segment is null").fetchone()
        return int(count), int(first or 0)

    def seal(self, now: datetime, after: int = 0) -> Segment | None:
        """Make a segment of all waiting events; return None where there is none. Its number is larger than `after`."""
        sealed_at = precise_timestamp(now)
        with self._transaction() as connection:
            number = max(after, connection.execute("select coalesce(max(segment), 0) from segments").fetchone()[0]) + 1
            events = connection.execute("update events set segment = ? where segment is null", (number,)).rowcount
            if not events:
                return None
            connection.execute("insert into segments (segment, cut_at, events) values (?, ?, ?)", (number, sealed_at, events))
        return Segment(number, events, sealed_at)

    def newest_segment(self, type_: str | None = None) -> int:
        """Return the number of the newest segment, or of the newest with events of a type; 0 where there is none."""
        if type_ is None:
            row = self._connection.execute("select max(segment) from segments").fetchone()
        else:
            row = self._connection.execute("select max(segment) from events where type = ?", (type_,)).fetchone()
        return int(row[0] or 0)

    def types(self) -> list[str]:
        """Return the types of all accepted events."""
        return [type_ for (type_,) in self._connection.execute("select distinct type from events order by type")]

    def waiting_types(self) -> set[str]:
        """Return the types of the events that wait to be sealed."""
        return {type_ for (type_,) in self._connection.execute("select distinct type from events where segment is null")}

    def counts_after(self, type_: str, segment: int) -> dict[int | None, int]:
        """Return how many events of a type each segment after `segment` has; None counts those that wait to be sealed."""
        rows = self._connection.execute(
            "select segment, count(*) from events where type = ? and (segment is null or segment > ?) group by segment", (type_, segment)
        )
        return dict(rows.fetchall())

    def days(self, type_: str, after: int, up_to: int) -> list[str]:
        """Return the days whose records the segments after `after` change: the days of their events, and those of the records they replace.

        `up_to` is the last segment to consider.
        """
        rows = self._connection.execute(
            "select day from events where segment > :after and segment <= :up_to and type = :type "
            "union select o.day from events n join events o indexed by by_subject "
            "on o.source = n.source and o.subject = n.subject and o.subject <> '' "
            "where n.subject <> '' and n.segment > :after and n.segment <= :up_to and n.type = :type and o.type = :type "
            "and o.segment <= :up_to order by 1",
            {"after": after, "up_to": up_to, "type": type_},
        )
        return [day for (day,) in rows]

    def records(self, type_: str, day: str, up_to: int) -> list[Record]:
        """Return the current records of a day, in an order that does not depend on when the events arrived.

        For each subject the event with the latest time counts, whatever its day. `up_to` is the last segment to consider.
        """
        rows = self._connection.execute(
            "select source, id, type, time, subject, data, digest, snapshot, line from events e indexed by by_day "
            "where type = :type and day = :day and segment <= :segment and not exists (select 1 from events n indexed by by_subject "
            "where n.source = e.source and n.subject = e.subject and n.subject <> '' and n.type = e.type and n.segment <= :segment "
            "and (n.time, n.id) > (e.time, e.id)) order by source, id",
            {"type": type_, "day": day, "segment": up_to},
        )
        return [Record(*row) for row in rows]

    def days_with_data(self, received_before: datetime) -> set[str]:
        """Return the days of the events received before a time whose data are still here."""
        rows = self._connection.execute(
            "select distinct day from events where data is not null and received_at < ?", (precise_timestamp(received_before),)
        )
        return {day for (day,) in rows}

    def forget(self, lines: Iterable[tuple[Record, int]], snapshot: str, received_before: datetime) -> int:
        """Remove the data of records that a snapshot has on these lines, if they were received before a time. Return how many these were."""
        before = precise_timestamp(received_before)
        with self._transaction() as connection:
            return connection.executemany(
                "update events set data = null, snapshot = ?, line = ? where source = ? and id = ? and data is not null and received_at < ?",
                [(snapshot, line, record.source, record.id, before) for record, line in lines],
            ).rowcount

    def forget_replaced(self, type_: str, up_to: int, received_before: datetime) -> int:
        """Remove the data of records that a later event up to the segment `up_to` replaces. Return how many these were."""
        with self._transaction() as connection:
            return connection.execute(
                "update events as e set data = null, snapshot = '' where type = :type and segment <= :segment and data is not null "
                "and received_at < :before and subject <> '' and exists (select 1 from events n indexed by by_subject "
                "where n.source = e.source and n.subject = e.subject and n.subject <> '' and n.type = e.type and n.segment <= :segment "
                "and (n.time, n.id) > (e.time, e.id))",
                {"type": type_, "segment": up_to, "before": precise_timestamp(received_before)},
            ).rowcount

    def shrink(self) -> None:
        """Give the space of removed data back to the disk."""
        self._connection.execute("vacuum")
        self._connection.execute("pragma wal_checkpoint(truncate)")

    def accepted(self) -> int:
        """Return how many events were accepted so far."""
        return int(self._connection.execute("select count(*) from events").fetchone()[0])


def _digest(*parts: str | None) -> bytes:
    """Return the digest of type, time, subject and data of an event."""
    return hashlib.sha256("\0".join("" if p is None else f"={p}" for p in parts).encode()).digest()
