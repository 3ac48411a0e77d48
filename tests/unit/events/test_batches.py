"""Many batches of one day: the archive writes what is new, keeps every state of the day, and survives kills and damaged files."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from pipelines import packs
from pipelines.cli.app import app
from pipelines.core.checksums import DamagedFile
from pipelines.core.settings import Settings
from pipelines.extract import backlog, deltas
from pipelines.extract.cloudevents.parsing import CloudEvent
from pipelines.extract.cloudevents.queue import Outcome, Queue
from pipelines.extract.cloudevents.segments import forget_archived
from pipelines.extract.restoring import restore_snapshots
from pipelines.extract.snapshots import Archive, Snapshot
from pipelines.extract.source_state import SourceState, SourceStates
from pipelines.extract.sources import fetch_sources
from pipelines.lake.ingest import Ingest
from pipelines.packs.workspace import Workspace
from tests.support import happenings

PART = "day=2024-05-01"


class Crash(BaseException):
    """The process ends here."""


def snapshot_of(content: bytes) -> Snapshot:
    return Snapshot("happenings", PART, "push:x", hashlib.sha256(content).hexdigest(), len(content), "2024-05-01T00:00:00Z")


def record(number: int, version: int = 0) -> str:
    value = happenings.event(5 * number, version=version)["data"]
    return json.dumps(value | {"note": hashlib.sha512(f"{number} {version}".encode()).hexdigest() * 3})


class Town:
    """A workspace of the pack, into which batches of events of one day are pushed."""

    def __init__(self, folder: Path) -> None:
        self.workspace = Workspace(folder / "home", Settings(), pack=packs.load(happenings.write(folder / "pack")))
        self.workspace.open()
        self.archive = Archive(self.workspace.archive)

    def push(self, *numbers: int, version: int = 0, days_ago: int = 0) -> list[Outcome]:
        """Push records of the day. A later `version` replaces the record, as an event about the same subject does."""
        events = [
            CloudEvent(
                "urn:town", f"{n:03}-{version}", happenings.TYPE, f"2024-05-01T00:00:{version:02}.000000Z", f"fair/{n}", record(n, version)
            )
            for n in numbers
        ]
        with Queue(self.workspace.queue) as queue:
            return queue.put(events, datetime.now(UTC) - timedelta(days=days_ago))

    def forget(self, days: int = -1) -> int:
        """Remove the data of the events received more than `days` days ago; by default, of all."""
        with Queue(self.workspace.queue) as queue:
            return forget_archived(self.workspace, queue, datetime.now(UTC) - timedelta(days=days))

    def data_in_queue(self) -> list[str]:
        """Return the identifiers of the events whose data are in the queue."""
        with Queue(self.workspace.queue) as queue:
            rows = queue._connection.execute("select id from events where data is not null order by id").fetchall()
        return [identifier for (identifier,) in rows]

    def drain(self) -> str:
        """Do what a run does with pushed events, and return the checksum of the day."""
        backlog.seal_waiting_events(self.workspace)
        backlog.drain(self.workspace)
        return self.state.sha256

    @property
    def state(self) -> SourceState:
        return SourceStates(self.workspace.fetch_state).get("happenings", PART)

    @property
    def deltas(self) -> list[Path]:
        return sorted((self.workspace.archive / "blobs").rglob("*.delta"))

    def ingest(self) -> Ingest:
        fetch_sources(self.workspace)
        ingest = Ingest(self.workspace)
        self.report = ingest.run()["happenings"]
        return ingest

    def rows_in_lake(self) -> pl.DataFrame:
        return pl.concat([pl.read_parquet(self.workspace.lake / file.path) for file in self.report.files("events")])


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


class TestArchive:
    def test_keeps_every_state_and_writes_only_what_is_new(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(deltas, "SPAN", 4)  # states 4, 16 and 64 build on earlier ones than the last
        archive, before, states = Archive(tmp_path), "", []
        for batch in range(70):
            versions = {n: int(batch - n // 3 > 9 and n % 7 == 0) for n in range(3 * batch + 3)}  # some records are replaced later
            content = ("[\n" + ",\n".join(record(n, version) for n, version in versions.items()) + "\n]\n").encode()
            before = archive.add_successor(content, snapshot_of(content), before).sha256
            states.append((before, content))
        for sha256, content in states:
            assert archive.read(sha256) == content
            assert archive.size(sha256) == len(content)
        files = [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
        assert len(files) == len(states)
        newest, size = states[-1][1], sum(path.stat().st_size for path in files)
        assert size < 5 * len(newest), "all states in full would be 35 times as much"
        assert size - (tmp_path / "blobs" / before[:2]).stat().st_size < sum(len(content) for _, content in states) / 7

    def test_writes_content_in_full_that_has_little_in_common_with_the_last(self, tmp_path: Path) -> None:
        archive = Archive(tmp_path)
        first, other = b"a\nb\n", b"c\nd\n"
        archive.add_successor(first, snapshot_of(first), "")
        archive.add_successor(other, snapshot_of(other), snapshot_of(first).sha256)
        assert archive.path(snapshot_of(other).sha256).read_bytes() == other

    @pytest.mark.parametrize(
        ("base", "content"),
        [("", "a"), ("a", ""), ("a\na\nb", "b\na\na\na"), ("=0 1\n+x", "+x\n=0 1\n\n"), ("a\nb\nc\n", "c\na\nb\n"), ("é\r\n", "\r\né")],
    )
    def test_a_difference_gives_the_content_again(self, base: str, content: str) -> None:
        lines, new = base.encode().split(b"\n"), content.encode().split(b"\n")
        assert deltas.Delta("", 1, 0, deltas.difference(lines, new)).applied_to(lines) == new


class TestBatches:
    @pytest.mark.slow
    def test_end_in_the_same_bytes_as_one_batch(self, town: Town, tmp_path: Path) -> None:
        for number in (4, 2, 9, 1, 7, 3):
            town.push(number)
            town.drain()
        town.push(2, 9, version=1)
        many = town.drain()
        assert len(town.deltas) > 3
        other = Town(tmp_path / "other")
        other.push(1, 2, 3, 4, 7, 9)
        other.push(2, 9, version=1)
        assert other.drain() == many
        assert other.deltas == []
        assert town.archive.read(many) == other.archive.read(many)
        town.ingest()
        other.ingest()
        assert [f.sha256 for f in town.report.files("events")] == [f.sha256 for f in other.report.files("events")]
        assert sorted(town.rows_in_lake()["title"]) == ["v0"] * 4 + ["v1"] * 2

    def test_build_on_a_snapshot_that_an_earlier_version_kept_in_full(self, town: Town) -> None:
        town.push(*range(10))
        before = town.drain()
        assert town.archive.path(before).is_file()
        town.push(10)
        after = town.drain()
        assert [path.name for path in town.deltas] == [f"{after}.delta"]
        assert town.archive.read(after).count(b'"organiser"') == 11

    @pytest.mark.parametrize("is_written", [False, True])
    @pytest.mark.parametrize("write", range(3))
    def test_a_kill_at_any_write_changes_nothing(
        self, town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: int, is_written: bool
    ) -> None:
        """The writes of a drain are the difference, its sidecar, and the states."""
        town.push(*range(5))
        town.drain()
        town.push(5)
        replace, written = os.replace, list[Path]()

        def dying(source: Path, target: Path) -> None:
            if len(written) == write and not is_written:
                raise Crash
            replace(source, target)
            written.append(target)
            if len(written) > write:
                raise Crash

        monkeypatch.setattr(os, "replace", dying)
        with pytest.raises(Crash):
            town.drain()
        monkeypatch.undo()
        assert [path.suffix for path in map(Path, written)] == [".delta", ".json", ".json"][: write + is_written]
        town.push(6)  # comes before the next run
        one = Town(tmp_path / "one")
        one.push(*range(7))
        assert town.drain() == one.drain()
        assert town.archive.read(town.state.sha256) == one.archive.read(town.state.sha256)
        with Queue(town.workspace.queue) as queue:
            assert queue.counts_after(happenings.TYPE, town.state.holds[happenings.TYPE]) == {}


@pytest.mark.slow
class TestDamage:
    def test_a_flipped_byte_in_one_batch_is_set_aside_and_the_day_made_again(self, town: Town, caplog: pytest.LogCaptureFixture) -> None:
        for number in range(5):
            town.push(2 * number, 2 * number + 1)
            newest = town.drain()
        before = town.archive.read(newest)
        damaged = town.archive.file_of(town.state.history[2][1])
        assert damaged is not None
        assert damaged.suffix == ".delta"
        flip(damaged)
        with pytest.raises(DamagedFile):
            town.archive.read(newest)
        ingest = town.ingest()
        assert ingest.damaged == {("happenings", PART)}
        assert damaged.with_name(f"{damaged.name}.damaged").is_file()
        assert "a file was damaged on the disk and was set aside" in caplog.text
        [line] = restore_snapshots(town.workspace, ingest.damaged)
        assert line == f"the snapshot of happenings {PART} was damaged on the disk, and was made again from the pushed events"
        assert town.archive.path(newest).read_bytes() == before
        assert not town.ingest().damaged
        assert town.rows_in_lake().height == 10

    @pytest.mark.parametrize("which", [0, 1, 2])
    def test_the_next_batch_does_not_build_on_a_damaged_one(self, town: Town, tmp_path: Path, which: int) -> None:
        for number in range(3):
            town.push(2 * number, 2 * number + 1)
            town.drain()
        damaged = town.archive.file_of(town.state.history[which][1])
        assert damaged is not None
        flip(damaged)
        town.push(6)
        newest = town.drain()
        assert damaged.with_name(f"{damaged.name}.damaged").is_file()
        assert town.archive.read(newest).count(b'"organiser"') == 7
        assert not town.ingest().damaged

    def test_a_missing_base_is_no_snapshot(self, town: Town) -> None:
        for number in range(3):
            town.push(2 * number, 2 * number + 1)
            newest = town.drain()
        town.archive.path(town.state.history[0][1]).unlink()
        assert not town.archive.is_intact(newest)
        ingest = town.ingest()
        assert ingest.damaged == {("happenings", PART)}
        restore_snapshots(town.workspace, ingest.damaged)
        assert town.archive.is_intact(newest)


class TestRetention:
    def test_keeps_what_the_archive_lacks_and_what_is_recent(self, town: Town) -> None:
        town.push(1, 2)
        assert town.forget() == 0, "not drained"
        town.drain()
        assert town.forget() == 0, "no ingest has read the snapshot"
        town.ingest()
        assert town.forget(days=1) == 0, "received today"
        town.push(3)
        assert town.forget() == 2
        assert town.data_in_queue() == ["003-0"]
        assert town.forget() == 0

    def test_replays_and_conflicts_are_recognised(self, town: Town) -> None:
        town.push(1, 2)
        town.drain()
        town.ingest()
        town.forget()
        assert town.push(1, 2, 3) == [Outcome.DUPLICATE, Outcome.DUPLICATE, Outcome.ACCEPTED]
        with Queue(town.workspace.queue) as queue:
            other = CloudEvent("urn:town", "001-0", happenings.TYPE, "2024-05-01T00:00:00.000000Z", "fair/1", None)
            assert queue.put([other], datetime.now(UTC)) == [Outcome.CONFLICT]

    @pytest.mark.slow
    def test_later_events_of_the_day_end_in_the_same_bytes(self, town: Town, tmp_path: Path) -> None:
        """Also when the data of one day are removed several times, and lie in several snapshots."""
        for numbers, version in (((1, 2, 3), 0), ((5, 0), 0), ((2,), 1), ((4, 3), 2)):
            town.push(*numbers, version=version)
            town.drain()
            town.ingest()
            town.forget()
            assert town.data_in_queue() == []
        town.push(1, version=3)
        newest = town.drain()
        other = Town(tmp_path / "other")
        other.push(0, 1, 2, 3, 5)
        other.push(2, version=1)
        other.push(3, 4, version=2)
        other.push(1, version=3)
        assert other.drain() == newest
        assert town.archive.read(newest) == other.archive.read(newest)

    @pytest.mark.slow
    def test_a_source_that_is_declared_later_takes_all_records(self, town: Town) -> None:
        town.push(1, 2)
        town.drain()
        town.ingest()
        town.forget()
        pack = town.workspace.pack
        pack.sources["fairs"] = pack.sources["happenings"].model_copy(update={"id": "fairs"})
        town.drain()
        states = SourceStates(town.workspace.fetch_state)
        assert states.get("fairs", PART).sha256 == town.state.sha256

    @pytest.mark.slow
    def test_all_days_are_made_again_when_the_states_of_the_sources_are_lost(self, town: Town) -> None:
        town.push(*range(5))
        town.drain()
        town.push(5, 6)
        newest = town.drain()
        town.ingest()
        town.forget()
        town.workspace.fetch_state.unlink()
        assert town.drain() == newest
        town.push(7)
        assert town.archive.read(town.drain()).count(b'"organiser"') == 8

    @pytest.mark.slow
    def test_data_that_the_archive_has_lost_leave_the_source_stale_and_the_events_waiting(self, town: Town) -> None:
        town.push(1, 2)
        good = town.drain()
        town.ingest()
        town.forget()
        path = town.archive.path(good)
        content = path.read_bytes()
        flip(path)
        town.push(3)
        town.drain()
        assert town.state.sha256 == good
        assert town.state.error is not None
        assert "restore the archive from a backup" in town.state.error
        with Queue(town.workspace.queue) as queue:
            assert sum(queue.counts_after(happenings.TYPE, town.state.holds[happenings.TYPE]).values()) == 1
        assert restore_snapshots(town.workspace, {("happenings", PART)}) == [
            f"the snapshot of happenings {PART} was damaged on the disk, and cannot be made again, because the queue lacks its events: "
            "restore the archive from a backup"
        ]
        path.write_bytes(content)
        assert town.archive.read(town.drain()).count(b'"organiser"') == 3
        assert town.state.error is None

    def test_a_damaged_snapshot_keeps_the_data_in_the_queue(self, town: Town) -> None:
        town.push(1, 2)
        flip(town.archive.path(town.drain()))
        states = SourceStates(town.workspace.fetch_state)
        states.put("happenings", PART, replace(town.state, good=town.state.sha256))
        states.save()
        assert town.forget() == 0
        assert town.data_in_queue() == ["001-0", "002-0"]

    @pytest.mark.slow
    def test_a_database_of_an_earlier_version_gets_its_columns(self, town: Town) -> None:
        town.push(1)
        with sqlite3.connect(town.workspace.queue) as connection:
            for column in ("snapshot", "line"):
                connection.execute(f"alter table events drop column {column}")
        connection.close()
        town.push(2)
        town.drain()
        town.ingest()
        assert town.forget() == 2

    @pytest.mark.slow
    def test_the_command_shrinks_the_database(self, town: Town) -> None:
        town.push(*range(400), days_ago=8)
        town.push(400, days_ago=6)
        town.drain()
        town.ingest()
        before = town.workspace.queue.stat().st_size
        options = ["--pack", str(town.workspace.pack.root), "--home", str(town.workspace.root)]
        done = CliRunner().invoke(app, ["prune", "--events", "7", *options])  # there is no release yet, but the data are removed before
        assert "the data of 400 pushed events removed from events.db; the archive has them" in done.output
        assert town.workspace.queue.stat().st_size < 0.7 * before
