"""Damaged state files: what other files hold is made again and reported; of the rest, the error names what restores it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from exports.release import public_folder
from exports.release.entries import Entry
from exports.release.ledger import Ledger, latest_version
from pipelines import packs
from pipelines.core import logs
from pipelines.core.settings import Settings
from pipelines.core.state import StateError
from pipelines.extract import backlog
from pipelines.extract.cloudevents.queue import Queue
from pipelines.extract.snapshots import Archive
from pipelines.extract.source_state import SourceStates
from pipelines.extract.sources import fetch_sources
from pipelines.lake.ingest import Ingest
from pipelines.lake.manifest import Manifest
from pipelines.notify import alerts, announcements, incidents
from pipelines.packs.workspace import Workspace
from pipelines.runs import repair
from pipelines.runs.findings import IngestFindings
from pipelines.runs.outcome import RunOutcome, release_rows
from tests.support import five_places, happenings

DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "half": lambda content: content[: len(content) // 2],
    "binary": lambda _: bytes(range(256)),
    "another shape": lambda _: b'[{"sources": 1}]',
    "deep": lambda _: b"[" * 100_000,
}


def damage(path: Path, kind: str) -> None:
    path.write_bytes(DAMAGES[kind](path.read_bytes()))


@pytest.fixture(scope="module")
def processed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a pack and of a workspace whose people have had three contents: A, B and A again."""
    folder = tmp_path_factory.mktemp("processed")
    pack = five_places.write(folder / "pack")
    people = pack / "data" / "people_2020.csv"
    first = people.read_text()
    for number, content in enumerate((first, first + "\n", first)):
        people.write_text(content)
        workspace = Workspace(folder / "home", Settings(SOURCE_DATE_EPOCH=1_700_000_000 + number), pack=packs.load(pack))
        workspace.open()
        fetch_sources(workspace)
        Ingest(workspace).run()
    RunOutcome().save(workspace.last_run)
    IngestFindings().save(workspace.last_ingest)
    return folder


@pytest.fixture
def workspace(processed: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(processed, tmp_path, dirs_exist_ok=True)
    return Workspace(tmp_path / "home", Settings(SOURCE_DATE_EPOCH=1_800_000_000), pack=packs.load(tmp_path / "pack"))


@pytest.mark.parametrize("kind", DAMAGES)
class TestRepair:
    @pytest.mark.slow
    def test_states_come_from_the_archive_and_the_manifests(
        self, workspace: Workspace, kind: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        before = SourceStates(workspace.fetch_state)
        damage(workspace.fetch_state, kind)
        with pytest.raises(StateError, match=r"fetches\.json: damaged \(.+\); the next run makes it again: zpo2 run"):
            SourceStates(workspace.fetch_state)
        assert repair.is_needed(workspace)
        repair.repair(workspace)
        assert not repair.is_needed(workspace)
        assert "fetches.json: damaged" in caplog.text
        after = SourceStates(workspace.fetch_state)
        for source in before.sources():
            for part, state in before.parts(source).items():
                restored = after.get(source, part)
                assert (restored.sha256, restored.good, restored.bytes) == (state.sha256, state.good, state.bytes)
                assert [sha256 for _, sha256 in restored.history] == [sha256 for _, sha256 in state.history]
        assert len(before.get("people", "year=2020").history) == 3

    def test_other_files_are_made_again(self, workspace: Workspace, kind: str, caplog: pytest.LogCaptureFixture) -> None:
        manifest = Manifest.current(workspace)
        damaged = (workspace.manifest, workspace.last_run, workspace.last_ingest)
        for file in damaged:
            damage(file, kind)
        repair.repair(workspace)
        assert not repair.is_needed(workspace)
        for file in damaged:
            assert f"{file}: damaged" in caplog.text
        assert Manifest.current(workspace) == manifest
        assert not workspace.last_run.exists(), "so that the next run does not take itself for unchanged"
        caplog.clear()
        repair.repair(workspace)
        assert caplog.text == ""

    @pytest.mark.slow
    def test_sidecars_and_receipts_are_made_again(self, workspace: Workspace, kind: str, caplog: pytest.LogCaptureFixture) -> None:
        archive, states = Archive(workspace.archive), SourceStates(workspace.fetch_state)
        sha256 = states.get("people", "year=2020").sha256
        before = archive.find("people", "year=2020", sha256)
        for file in workspace.archive.glob("snapshots/people/*/*.json"):
            damage(file, kind)
        for file in workspace.lake.glob("receipts/people/*.json"):
            damage(file, kind)
        repair.repair(workspace)
        after = archive.find("people", "year=2020", sha256)
        assert before is not None
        assert after is not None
        assert replace(after, fetched_at="") == replace(before, fetched_at="", final_url="", media_type="")
        manifest = Manifest.current(workspace)
        Ingest(workspace).run()
        assert Manifest.current(workspace).sources == manifest.sources
        assert "the snapshot is read again" in caplog.text

    def test_histories_of_dagster_are_set_aside(self, workspace: Workspace, kind: str) -> None:
        if kind == "empty":
            pytest.skip("SQLite takes an empty file for a new database")
        for name in ("history/runs.db", "schedules/schedules.db"):
            path = workspace.dagster / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with sqlite3.connect(path) as connection:
                connection.execute("create table t as select randomblob(100000) as b")
            connection.close()
        repair.repair(workspace)
        assert (workspace.dagster / "history").is_dir()
        damage(workspace.dagster / "history" / "runs.db", kind)
        repair.repair(workspace)
        assert not (workspace.dagster / "history").exists()
        assert (workspace.dagster / "history.damaged" / "runs.db").is_file()
        assert (workspace.dagster / "schedules").is_dir()

    def test_the_newest_release_comes_from_the_ledger(self, workspace: Workspace, kind: str) -> None:
        entry = Entry(version="2024.05.1", released="2024-05-01T00:00:00Z", inputs_key="", content="c", rows={})
        work = workspace.staging / "work"
        work.mkdir(parents=True)
        folder = workspace.staging / "new"
        folder.mkdir()
        public_folder.publish(folder, entry, Ledger(), workspace.public, work)
        latest = workspace.public / "latest.json"
        before = latest.read_bytes()
        damage(latest, kind)
        repair.repair(workspace)
        assert latest.read_bytes() == before
        latest.unlink()
        repair.repair(workspace)
        assert latest_version(workspace.public) == "2024.05.1"

    def test_what_cannot_be_made_again_names_what_restores_it(
        self, workspace: Workspace, kind: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        announcements.prepare(workspace)
        damage(workspace.announced, kind)
        assert announcements.deliver(workspace)[0] == 0
        assert "announced.json: damaged" in caplog.text
        assert "restore it from a backup, or remove it" in caplog.text
        workspace.queue.write_bytes(b"no database, and longer than its head would be" * 100)
        with pytest.raises(
            StateError, match=r"events\.db: damaged \(file is not a database\); restore it from a backup: cp backup/events.db"
        ):
            Queue(workspace.queue)

    def test_a_damaged_alert_does_not_hold_back_the_others(self, workspace: Workspace, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        alerts.enqueue(workspace, "five", incidents.RUN_FAILED, "run", {}, "1")
        alerts.enqueue(workspace, "five", incidents.RUN_FAILED, "run", {}, "2")
        first, second = alerts.waiting(workspace)
        damage(first, kind)
        sent: list[dict[str, str]] = []
        monkeypatch.setattr(alerts, "send", lambda event, *_: sent.append(event))
        monkeypatch.setenv(alerts.URL, "https://example.org/hook")
        count, faults = alerts.deliver(workspace)
        assert (count, [event["id"] for event in sent]) == (1, [second.stem])
        assert faults == [f"{first}: damaged; kept as {first.name}.damaged"]

    def test_what_was_alerted_is_alerted_once_more(self, workspace: Workspace, kind: str, caplog: pytest.LogCaptureFixture) -> None:
        incidents.enqueue(workspace)
        known = workspace.alerts / alerts.KNOWN
        before = known.read_bytes()
        damage(known, kind)
        incidents.enqueue(workspace)
        assert known.read_bytes() == before
        assert "known.json: damaged" in caplog.text

    def test_the_metrics_of_other_runs_are_read(self, workspace: Workspace, kind: str) -> None:
        logs.add_metrics(workspace, {"ended_at": "", "seconds": {}, "rows": {"read": 1}, "bytes": 1})
        with workspace.metrics.open("ab") as file:
            file.write(DAMAGES[kind](b'{"ended_at": ""}') + b"\n")
        assert len(logs.last_metrics(workspace)) == 1


def test_events_after_an_older_backup_of_the_queue_are_taken_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pack = happenings.write(tmp_path / "pack")
    workspace = Workspace(tmp_path / "home", Settings(), pack=packs.load(pack))
    workspace.open()
    for number in (1, 2, 3):
        happenings.push(workspace.queue, [happenings.event(number)])
        backlog.seal_waiting_events(workspace)
        backlog.drain(workspace)
    for path in workspace.root.glob("events.db*"):
        path.unlink()
    repair.repair(workspace)
    assert "events.db: lacks events that were processed" in caplog.text
    happenings.push(workspace.queue, [happenings.event(4)])
    backlog.seal_waiting_events(workspace)
    [result] = backlog.drain(workspace)
    assert result.snapshot is not None
    assert '"id":"4"' in Archive(workspace.archive).path(result.snapshot.sha256).read_text()


def test_a_damaged_report_of_a_release_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "quality").mkdir()
    (tmp_path / "quality" / "report.json").write_text("[")
    monkeypatch.setattr("pipelines.runs.outcome.release_path", lambda _: tmp_path)
    assert release_rows(tmp_path) == {}
    (tmp_path / "quality" / "report.json").write_text(json.dumps({"rows": {"a": 1}, "other": 2}))
    assert release_rows(tmp_path) == {"a": 1}
