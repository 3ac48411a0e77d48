"""What the sensors ask for: runs of the sources concerned, once, and nothing while there is nothing to do."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from exports.release import public_folder
from exports.release.entries import Entry
from exports.release.ledger import Ledger
from pipelines import packs
from pipelines.core.clock import precise_timestamp
from pipelines.core.settings import Settings
from pipelines.core.workspace import WorkspaceFolder
from pipelines.extract import inbox
from pipelines.extract.cloudevents.parsing import CloudEvent, parse
from pipelines.extract.cloudevents.queue import Queue
from pipelines.extract.source_state import SourceStates
from pipelines.lake.ingest import Ingest
from pipelines.notify import alerts, announcements, webhook
from pipelines.orchestration import sensors
from pipelines.orchestration.assets.ingest import IngestConfig, fetch_and_drain, source_key
from pipelines.orchestration.sensors import LAKE, build_sensors
from pipelines.orchestration.session import RunSession
from pipelines.packs.workspace import Workspace
from pipelines.runs.findings import IngestFindings
from pipelines.runs.request import RunRequest
from tests.support import happenings
from tests.support.server import HttpRequest, Reply, serving


class Bench:
    """A pack and home, and its sensors, each with its cursor as the daemon would keep it."""

    def __init__(self, folder: Path) -> None:
        self.pack = packs.load(happenings.write(folder / "pack", cadence="* * * * *"))
        self.home = WorkspaceFolder(folder / "home")
        self.home.claim(self.pack.id)
        self.settings = Settings(allow_hosts="127.0.0.1")
        self.workspace = Workspace(self.home.root, self.settings, pack=self.pack)
        self.sensors = {s.name: s for s in build_sensors(self.workspace)}
        self.cursors: dict[str, str | None] = {}

    def tick(self, name: str) -> tuple[list[dg.RunRequest], str, list[Any]]:
        """Return what one tick of a sensor asks for, or why it asks for nothing, and what it tells of assets."""
        with dg.DagsterInstance.ephemeral() as instance:
            found: Any = self.sensors[name](dg.build_sensor_context(instance=instance, cursor=self.cursors.get(name)))
        if isinstance(found, dg.SkipReason):
            return [], found.skip_message or "", []
        assert isinstance(found, dg.SensorResult)
        if found.cursor is not None:
            self.cursors[name] = found.cursor
        skip = found.skip_reason.skip_message if found.skip_reason else ""
        return list(found.run_requests or []), skip or "", list(found.asset_events)

    def push(self, *events: dict[str, Any]) -> None:
        parsed = [parse({"content-type": "application/cloudevents+json"}, json.dumps(e).encode())[0] for e in events]
        with Queue(self.home.queue) as queue:
            queue.put([e for e in parsed if isinstance(e, CloudEvent)], datetime.now(UTC) - timedelta(minutes=1))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def chosen(request: dg.RunRequest) -> set[str]:
    assert request.asset_selection is not None
    assert set(LAKE) <= set(request.asset_selection)
    return {key.path[-1] for key in request.asset_selection if isinstance(key, dg.AssetKey) and key.path[0] == "source"}


def config(request: dg.RunRequest) -> dict[str, Any]:
    found: dict[str, Any] = request.run_config["ops"]["ingest"]["config"]
    return found


def test_new_content_starts_one_run_that_asks_nobody_again(bench: Bench) -> None:
    (request,), _, _ = bench.tick("poll_sources")
    assert chosen(request) == {"areas", "people"}
    assert config(request)["fetch"] is False


def test_a_source_that_is_as_it_was_is_told_to_be_fresh_and_starts_nothing(bench: Bench) -> None:
    bench.tick("poll_sources")
    states = SourceStates(bench.home.fetch_state)
    for name in ("areas", "people"):
        for part, state in states.parts(name).items():
            states.put(name, part, state.__class__(**{**vars(state), "good": state.sha256}))
    states.save()
    bench.cursors.clear()
    requests, reason, told = bench.tick("poll_sources")
    assert (requests, reason) == ([], "polled 2 sources, nothing new")
    materialized = [event for event in told if isinstance(event, dg.AssetMaterialization)]
    assert {event.asset_key for event in materialized} == {source_key("areas"), source_key("people")}
    assert all("dagster/data_version" in (event.tags or {}) for event in materialized), "nothing downstream is to follow"


def test_a_look_that_finds_nothing_tells_the_checks_of_the_content_again(bench: Bench) -> None:
    bench.tick("poll_sources")
    findings = IngestFindings()
    for report in Ingest(bench.workspace).run().values():
        findings.add(report, bench.pack)
    findings.save(bench.home.last_ingest)
    bench.cursors.clear()
    _, _, told = bench.tick("poll_sources")
    checks = {(e.asset_key.path[-1], e.check_name): e.passed for e in told if isinstance(e, dg.AssetCheckEvaluation)}
    assert checks == {(source, check): True for source in ("areas", "people") for check in ("fresh", "rows", "schema", "snapshot")}
    (people,) = [e for e in told if isinstance(e, dg.AssetMaterialization) and e.asset_key == source_key("people")]
    assert people.metadata["dagster/row_count"].value == 20


def test_a_source_that_fails_is_told_not_to_be_fresh(bench: Bench) -> None:
    (bench.pack.root / "data" / "people_2020.csv").unlink()
    _, _, told = bench.tick("poll_sources")
    checks = {e.asset_key: e for e in told if isinstance(e, dg.AssetCheckEvaluation)}
    assert (checks[source_key("people")].check_name, checks[source_key("people")].passed) == ("fresh", False)
    assert "people" not in json.loads(bench.cursors["poll_sources"] or "")["looked"]


def test_while_a_run_writes_nobody_looks(bench: Bench) -> None:
    with bench.home.lock():
        assert bench.tick("poll_sources")[1] == "a run is writing to the workspace; the next tick polls"
    assert bench.tick("poll_sources")[0]


def test_a_dropped_file_starts_a_run_when_two_looks_agree_and_another_one_when_it_comes_again(bench: Bench) -> None:
    inbox.prepare(Workspace(bench.home.root, pack=bench.pack))
    file = bench.home.inbox / "trees" / "a.csv"
    keys = []
    for time in (1_000_000, 2_000_000):
        file.write_text("code,year,trees\na1,2021,3\n")
        os.utime(file, (time, time))
        assert bench.tick("watch_inbox")[0] == []
        (request,), _, _ = bench.tick("watch_inbox")
        assert (chosen(request), config(request)["fetch"]) == ({"trees"}, False)
        keys.append(request.run_key)
        assert bench.tick("watch_inbox")[0][0].run_key == request.run_key, "the same file again is the same run"
        file.unlink()
        bench.tick("watch_inbox")
    assert len(set(keys)) == 2


def test_a_file_that_grows_between_two_looks_starts_nothing(bench: Bench) -> None:
    inbox.prepare(Workspace(bench.home.root, pack=bench.pack))
    file = bench.home.inbox / "trees" / "a.csv"
    for length in range(1, 4):
        file.write_text("code,year,trees\n" * length)
        os.utime(file, (1_000_000, 1_000_000))
        assert bench.tick("watch_inbox")[0] == []


def test_pushed_records_start_a_run_of_their_source_and_what_counts_it(bench: Bench) -> None:
    assert bench.tick("watch_queue")[1] == "no event has been pushed yet"
    bench.push(happenings.event(1), happenings.event(2))
    (request,), _, _ = bench.tick("watch_queue")
    assert (chosen(request), config(request)["fetch"]) == ({"happenings", "counted"}, False)
    assert request.tags["zpo2/events"] == "2"


def test_an_event_that_says_a_source_changed_has_that_source_asked(bench: Bench) -> None:
    bench.push({"specversion": "1.0", "id": "1", "source": "urn:office", "type": happenings.CHANGED})
    (request,), _, _ = bench.tick("watch_queue")
    assert chosen(request) == {"people"}
    assert (config(request)["fetch"], config(request)["sources"]) == (True, ["people"])


def test_the_next_segment_is_cut_when_the_last_one_was_taken_up(bench: Bench) -> None:
    bench.push(happenings.event(1))
    (first,), _, _ = bench.tick("watch_queue")
    bench.push(happenings.event(2))
    assert bench.tick("watch_queue")[0][0].run_key == first.run_key, "asked for again under the same key, which starts nothing"
    with Queue(bench.home.queue) as queue:
        queue.mark_drained(1, datetime.now(UTC))
    (second,), _, _ = bench.tick("watch_queue")
    assert second.run_key != first.run_key


def test_a_segment_that_stays_open_gets_another_try(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.push(happenings.event(1))
    (first,), _, _ = bench.tick("watch_queue")
    with Queue(bench.home.queue) as queue:
        hour_ago = precise_timestamp(datetime.now(UTC) - timedelta(hours=1))
        queue._connection.execute("update segments set cut_at = ?", (hour_ago,))
    assert bench.tick("watch_queue")[0][0].run_key == f"{first.run_key}+4"


def test_alerts_are_signed_sent_once_and_kept_while_the_webhook_is_away(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[HttpRequest] = []
    statuses = [503, 503, 503, 204]

    def webhook(asked: HttpRequest) -> Reply:
        heard.append(asked)
        return Reply(statuses.pop(0) if statuses else 204)

    with serving() as server:
        server.routes["/hook"] = webhook
        monkeypatch.setenv(alerts.URL, f"{server.url}/hook?key=geheim")
        monkeypatch.setenv(alerts.KEY, "key")
        monkeypatch.setattr(alerts, "_LIMITS", alerts._LIMITS.__class__(retries=2, backoff=0))
        (bench.pack.root / "data" / "people_2020.csv").unlink()
        bench.tick("poll_sources")
        reason = bench.tick("send_alerts")[1]
        assert "0 alerts delivered; new alerts for people; the webhook answered 503" in reason
        assert "geheim" not in reason
        assert "1 alerts delivered" in bench.tick("send_alerts")[1]
        assert "0 alerts delivered" in bench.tick("send_alerts")[1]
    sent = heard[-1]
    assert json.loads(sent.body)["type"] == alerts.SOURCE_STALE
    assert sent.headers["x-signature-256"] == alerts.signature(sent.body, "key")
    assert len({asked.body for asked in heard}) == 1
    assert "geheim" not in bench.home.log.read_text()


def test_what_a_run_could_not_announce_is_announced_by_a_tick_and_not_while_a_run_writes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[HttpRequest] = []
    with serving() as server:
        server.routes["/hook"] = lambda asked: heard.append(asked) or Reply(204)  # type: ignore[func-returns-value]
        monkeypatch.setenv(announcements.URL, f"{server.url}/hook")
        monkeypatch.setenv(announcements.KEY, "key")
        assert "announce" not in bench.tick("send_alerts")[1], "nothing to tell"
        bench.home.public.mkdir()
        bench.home.staging.mkdir()
        known = Ledger().after_publication(Entry("2026.11.1", "2026-11-01T08:00:00Z", "", "", {}))
        public_folder.write_ledger(known, bench.home.public, bench.home.staging)
        with bench.home.lock():
            assert "a run is writing to the workspace" in bench.tick("send_alerts")[1]
        assert heard == []
        assert "1 announcements delivered" in bench.tick("send_alerts")[1]
        assert "announce" not in bench.tick("send_alerts")[1]
    (sent,) = heard
    assert json.loads(sent.body)["id"] == "five/2026.11.1"
    assert sent.headers["x-signature-256"] == webhook.signature(sent.body, "key")


def test_a_webhook_inside_the_operators_network_is_not_reached_without_being_allowed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.settings.allow_hosts = ""
    with serving() as server:
        monkeypatch.setenv(alerts.URL, f"{server.url}/hook")
        alerts.enqueue(WorkspaceFolder(bench.home.root, bench.settings), "five", alerts.RUN_FAILED, "1", {}, "1")
        assert "the webhook could not be reached" in bench.tick("send_alerts")[1]
        assert server.requests == []


def test_parts_are_fetched_again_as_the_configuration_of_a_run_says(bench: Bench) -> None:
    run = RunSession(RunRequest(bench.workspace))
    answers = fetch_and_drain(run, IngestConfig(part="year=2020..2020"), {"people"})
    assert [a.request.part.name for a in answers] == ["year=2020"]
    answers = fetch_and_drain(run, IngestConfig(sources=["people"]), None)
    assert [a.request.part.name for a in answers] == ["year=2020", "year=2021"]
    assert fetch_and_drain(run, IngestConfig(fetch=False), None) == []
    with pytest.raises(ValueError, match="no source has these parts"):
        fetch_and_drain(run, IngestConfig(part="year=1999"), None)


def test_runs_of_long_ago_are_forgotten_and_others_are_kept(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        for status in (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.STARTED):
            instance.add_run(dg.DagsterRun(job_name="publish", status=status))
        context = dg.build_sensor_context(instance=instance)
        assert "0 runs" in str(bench.sensors["delete_old_runs"](context))
        monkeypatch.setattr(sensors, "KEPT_RUNS", timedelta(hours=-1))
        assert "1 runs" in str(bench.sensors["delete_old_runs"](context))
        assert [run.status for run in instance.get_runs()] == [dg.DagsterRunStatus.STARTED]
