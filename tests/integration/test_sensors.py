"""What the sensors request: one run for everything that waits, and nothing while nothing waits."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from exports.release import public_folder
from exports.release.entries import Entry
from exports.release.ledger import Ledger
from pipelines import packs
from pipelines.core import versions
from pipelines.core.settings import Settings
from pipelines.core.workspace import WorkspaceFolder
from pipelines.extract import inbox
from pipelines.extract.cloudevents.parsing import CloudEvent, parse
from pipelines.extract.cloudevents.queue import Queue
from pipelines.extract.cloudevents.segments import Backlog, backlog_of
from pipelines.extract.source_state import SourceStates
from pipelines.lake.ingest import Ingest
from pipelines.notify import alerts, announcements, incidents, webhook
from pipelines.orchestration import sensors
from pipelines.orchestration.assets.ingest import LAKE_KINDS, IngestConfig, fetch_and_drain
from pipelines.orchestration.jobs import DRAINED
from pipelines.orchestration.keys import source_key
from pipelines.orchestration.sensors import build_sensors
from pipelines.orchestration.session import RunSession
from pipelines.packs.workspace import Workspace
from pipelines.runs.findings import IngestFindings
from pipelines.runs.request import RunRequest
from tests.support import happenings
from tests.support.server import HttpRequest, Reply, serving

DOWNSTREAM = [dg.AssetKey(["five", "gate"]), dg.AssetKey(["five", "release"])]


class Bench:
    """A pack and home, and its sensors, each with its cursor as the daemon would keep it, and the runs that it would keep."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance) -> None:
        self.pack = packs.load(happenings.write(folder / "pack", cadence="* * * * *"))
        self.home = WorkspaceFolder(folder / "home")
        self.home.claim(self.pack.id)
        self.settings = Settings(allow_hosts="127.0.0.1")
        self.workspace = Workspace(self.home.root, self.settings, pack=self.pack)
        self.sensors = {s.name: s for s in build_sensors(self.workspace, DOWNSTREAM)}
        self.cursors: dict[str, str | None] = {}
        self.instance = instance

    def tick(self, name: str) -> tuple[list[dg.RunRequest], str, list[Any]]:
        """Return what one tick of a sensor requests, or why it requests nothing, and what it reports of assets."""
        result: Any = self.sensors[name](dg.build_sensor_context(instance=self.instance, cursor=self.cursors.get(name)))
        if isinstance(result, dg.SkipReason):
            return [], result.skip_message or "", []
        assert isinstance(result, dg.SensorResult)
        if result.cursor is not None:
            self.cursors[name] = result.cursor
        skip = result.skip_reason.skip_message if result.skip_reason else ""
        return list(result.run_requests or []), skip or "", list(result.asset_events)

    def request(self) -> dg.RunRequest:
        """Return the one run that a tick requests."""
        requests, reason, _ = self.tick("publish_changes")
        assert len(requests) == 1, reason
        return requests[0]

    def skipped(self) -> str:
        """Return why a tick requests no run."""
        requests, reason, _ = self.tick("publish_changes")
        assert requests == []
        return reason

    def add_run(self, request: dg.RunRequest, status: dg.DagsterRunStatus = dg.DagsterRunStatus.NOT_STARTED) -> str:
        """Add the run of a request to Dagster's storage, and return its id."""
        run = dg.DagsterRun(job_name="publish", status=status, tags=request.tags)
        self.instance.add_run(run)
        return run.run_id

    def end_run(self, run_id: str, *, success: bool) -> None:
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        if success:
            self.instance.report_dagster_event(dg.DagsterEvent("PIPELINE_SUCCESS", run.job_name), run_id)
        else:
            self.instance.report_run_failed(run)

    def drain(self, run_id: str) -> None:
        """Do what the ingest of a run does first."""
        fetch_and_drain(RunSession(RunRequest(self.workspace)), IngestConfig(fetch=False), None)
        self.instance.add_run_tags(run_id, {DRAINED: "now"})

    def ingest(self) -> None:
        """Process what was drained and polled."""
        findings = IngestFindings()
        for report in Ingest(self.workspace).run().values():
            findings.add(report, self.pack)
        findings.save(self.home.last_ingest)

    def publish(self) -> None:
        """Keep the outcome of a run that the gate stopped."""
        RunSession(RunRequest(self.workspace), gate={"passed": False}).save_outcome()

    def process(self) -> None:
        """Poll the sources, and do what a run does."""
        self.tick("poll_sources")
        self.ingest()
        self.publish()

    def change_people(self) -> None:
        """Change the content of a source, and make it due."""
        path = self.pack.root / "data" / "people_2020.csv"
        path.write_text(path.read_text() + "\n")
        self.cursors.pop("poll_sources")

    def drop(self, name: str = "a.csv", trees: int = 3) -> Path:
        """Drop a file that was complete for a while."""
        inbox.prepare(self.workspace)
        file = self.home.inbox / "trees" / name
        file.write_text(f"code,year,trees\na1,2021,{trees}\n")
        os.utime(file, (1_000_000 + trees, 1_000_000 + trees))
        return file

    def push(self, *events: dict[str, Any]) -> None:
        parsed = [parse({"content-type": "application/cloudevents+json"}, json.dumps(e).encode())[0] for e in events]
        with Queue(self.home.queue) as queue:
            queue.put([e for e in parsed if isinstance(e, CloudEvent)], datetime.now(UTC) - timedelta(minutes=1))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Bench(tmp_path, instance)


def selected(request: dg.RunRequest) -> set[str]:
    assert request.asset_selection is not None
    assert {*(dg.AssetKey(["five", "lake", kind]) for kind in LAKE_KINDS), *DOWNSTREAM} <= set(request.asset_selection)
    return {key.path[-1] for key in request.asset_selection if isinstance(key, dg.AssetKey) and key.path[1] == "source"}


def test_polled_content_starts_one_run_that_fetches_nothing(bench: Bench) -> None:
    bench.process()
    bench.change_people()
    requests, reason, _ = bench.tick("poll_sources")
    assert (requests, reason) == ([], "polled 2 sources, new content of people")
    request = bench.request()
    assert selected(request) == {"people"}
    assert request.run_config["ops"] == {"ingest": {"config": {"fetch": False}}}


def test_the_first_run_processes_every_source(bench: Bench) -> None:
    assert "nothing waits" in bench.skipped()
    bench.tick("poll_sources")
    request = bench.request()
    assert selected(request) == {"areas", "people", "trees", "happenings", "counted"}
    assert request.tags["zpo2/reason"] == "new content of areas; new content of people; the first run of the workspace"


def test_a_source_that_is_as_it_was_is_told_to_be_fresh_and_starts_nothing(bench: Bench) -> None:
    bench.tick("poll_sources")
    bench.ingest()
    bench.cursors.clear()
    requests, reason, told = bench.tick("poll_sources")
    assert (requests, reason) == ([], "polled 2 sources, nothing new")
    assert not [event for event in told if isinstance(event, dg.AssetMaterialization)], "the content is that of the last run"
    observed = {event.asset_key: event.metadata for event in told if isinstance(event, dg.AssetObservation)}
    assert set(observed) == {source_key(bench.pack, "areas"), source_key(bench.pack, "people")}
    people = observed[source_key(bench.pack, "people")]
    assert set(people) == {"poll", "looked_at", "content_last_changed"}
    looked, changed = people["looked_at"].value, people["content_last_changed"].value
    assert isinstance(looked, float)
    assert isinstance(changed, float)
    assert looked >= changed


def test_a_poll_tells_the_check_only_where_its_result_changes(bench: Bench) -> None:
    file = bench.pack.root / "data" / "people_2020.csv"
    text = file.read_text()
    key = source_key(bench.pack, "people")

    def fresh() -> list[bool]:
        bench.cursors.clear()
        told = bench.tick("poll_sources")[2]
        results = [e for e in told if isinstance(e, dg.AssetCheckEvaluation) and e.asset_key == key]
        for result in results:
            bench.instance.report_runless_asset_event(result)
        return [result.passed for result in results]

    bench.tick("poll_sources")
    bench.ingest()
    assert fresh() == [True]
    assert fresh() == []
    file.unlink()
    assert fresh() == [False]
    assert fresh() == []
    file.write_text(text)
    bench.cursors.clear()
    bench.tick("poll_sources")
    bench.ingest()
    assert fresh() == [True]


def test_a_source_that_fails_is_told_not_to_be_fresh(bench: Bench) -> None:
    (bench.pack.root / "data" / "people_2020.csv").unlink()
    _, _, told = bench.tick("poll_sources")
    checks = {e.asset_key: e for e in told if isinstance(e, dg.AssetCheckEvaluation)}
    assert (checks[source_key(bench.pack, "people")].check_name, checks[source_key(bench.pack, "people")].passed) == ("fresh", False)
    assert "people" not in json.loads(bench.cursors["poll_sources"] or "")["looked"]


def test_while_a_run_writes_nobody_polls(bench: Bench) -> None:
    with bench.home.lock():
        assert bench.tick("poll_sources")[1] == "a run is writing to the workspace; the next tick polls"
    assert "new content of areas" in bench.tick("poll_sources")[1]


class TestFiles:
    def test_start_a_run_when_two_ticks_see_the_same(self, bench: Bench) -> None:
        for trees in (1, 2):
            file = bench.drop(trees=trees)
            assert bench.skipped().endswith("complete files in the inbox: 1")
            request = bench.request()
            assert selected(request) == {"trees"}
            assert request.tags["zpo2/reason"] == "file trees/a.csv"
            file.unlink()
            bench.skipped()

    def test_start_nothing_while_they_grow(self, bench: Bench) -> None:
        for trees in (1, 22, 333):
            bench.drop(trees=trees)
            bench.skipped()


class TestEvents:
    def test_start_a_run_of_their_source_and_what_counts_it(self, bench: Bench) -> None:
        assert bench.skipped() == "nothing waits for a run; complete files in the inbox: 0"
        bench.push(happenings.event(1), happenings.event(2))
        request = bench.request()
        assert selected(request) == {"happenings", "counted"}
        assert request.tags["zpo2/reason"] == "pushed events: 2"

    def test_that_report_a_source_as_changed_have_it_fetched_before_they_are_drained(self, bench: Bench) -> None:
        bench.push({"specversion": "1.0", "id": "1", "source": "urn:office", "type": happenings.CHANGED})
        assert selected(bench.request()) == {"people"}
        results = fetch_and_drain(RunSession(RunRequest(bench.workspace)), IngestConfig(fetch=False), {"trees"})
        assert {r.request.source.id for r in results} == {"people"}
        with Queue(bench.home.queue) as queue:
            assert backlog_of(bench.pack, SourceStates(bench.home.fetch_state), queue) == Backlog(accepted=1)

    def test_of_a_disabled_source_start_nothing(self, bench: Bench) -> None:
        bench.push(happenings.event(1))
        happening = bench.pack.sources["happenings"]
        bench.pack.sources["happenings"] = happening.model_copy(update={"enabled": False})
        assert "nothing waits" in bench.skipped()


class TestBurst:
    """What arrives together is one run; what arrives later joins it until its ingest begins."""

    def test_over_several_sources_is_one_run(self, bench: Bench) -> None:
        bench.process()
        bench.change_people()
        bench.tick("poll_sources")
        bench.drop()
        bench.tick("publish_changes")  # a tick that sees the file for the first time
        bench.push(*[happenings.event(n) for n in range(20)])
        request = bench.request()
        assert selected(request) == {"people", "trees", "happenings", "counted"}
        assert request.tags["zpo2/reason"] == "pushed events: 20; file trees/a.csv; new content of people"
        assert request.tags["zpo2/sources"] == "happenings, people, trees"

    @pytest.mark.parametrize("status", [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED])
    def test_waits_for_a_run_that_has_not_begun_its_ingest(self, bench: Bench, status: dg.DagsterRunStatus) -> None:
        bench.push(happenings.event(1))
        run_id = bench.add_run(bench.request(), status)
        bench.push(happenings.event(2))
        bench.drop()
        for _ in range(3):
            assert bench.skipped() == f"the run {run_id[:8]} will process everything that arrives before its ingest"

    def test_during_a_run_is_exactly_one_more_run(self, bench: Bench) -> None:
        bench.process()
        bench.push(happenings.event(1))
        first = bench.add_run(bench.request(), dg.DagsterRunStatus.STARTED)
        with bench.home.lock():
            bench.drain(first)
            assert "nothing waits" in bench.skipped()
            bench.push(happenings.event(2))
            second = bench.request()
            assert second.tags["zpo2/reason"] == "pushed events: 1"
            second_id = bench.add_run(second)
            bench.push(happenings.event(3))
            bench.drop()
            assert second_id[:8] in bench.skipped()
            bench.ingest()
            bench.publish()
        bench.end_run(first, success=True)
        assert second_id[:8] in bench.skipped()
        bench.drain(second_id)
        bench.ingest()
        bench.publish()
        bench.end_run(second_id, success=True)
        assert bench.skipped() == "nothing waits for a run; complete files in the inbox: 0"

    def test_that_a_run_picks_up_beside_its_own_sources_is_drained_too(self, bench: Bench) -> None:
        bench.process()
        bench.push(happenings.event(1))
        run_id = bench.add_run(bench.request(), dg.DagsterRunStatus.STARTED)
        bench.drop()
        bench.drain(run_id)
        bench.ingest()
        assert IngestFindings.last(bench.workspace).counts["trees"].rows_accepted == 1
        assert IngestFindings.last(bench.workspace).counts["happenings"].rows_accepted == 1

    def test_waits_while_a_command_writes_to_the_workspace(self, bench: Bench) -> None:
        bench.push(happenings.event(1))
        with bench.home.lock():
            assert bench.skipped() == "the workspace is being written to; the next tick looks again"
        bench.request()


class TestFailedRun:
    def test_before_its_ingest_is_repeated_at_the_next_tick_and_then_after_a_pause(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bench.push(happenings.event(1))
        for _ in range(2):
            bench.end_run(bench.add_run(bench.request(), dg.DagsterRunStatus.STARTED), success=False)
        assert bench.skipped().startswith("runs for this that failed: 2; the next one not before ")
        monkeypatch.setattr(sensors, "FIRST_PAUSE", timedelta(0))
        assert selected(bench.request()) == {"happenings", "counted"}

    def test_after_the_drain_loses_nothing(self, bench: Bench) -> None:
        bench.process()
        bench.push(happenings.event(1))
        bench.drop()
        bench.tick("publish_changes")
        first = bench.add_run(bench.request(), dg.DagsterRunStatus.STARTED)
        bench.drain(first)
        bench.end_run(first, success=False)
        request = bench.request()
        assert selected(request) == {"happenings", "counted", "trees"}
        assert request.tags["zpo2/reason"] == "new content of happenings; new content of trees"
        bench.ingest()
        assert IngestFindings.last(bench.workspace).counts["happenings"].rows_accepted == 1

    def test_after_its_ingest_is_followed_by_a_run_of_what_is_left(self, bench: Bench) -> None:
        bench.process()
        bench.push(happenings.event(1))
        first = bench.add_run(bench.request(), dg.DagsterRunStatus.STARTED)
        bench.drain(first)
        bench.ingest()
        bench.end_run(first, success=False)
        request = bench.request()
        assert selected(request) == set()
        assert "ops" not in request.run_config
        assert request.tags["zpo2/reason"] == "no run has published the present lake"
        bench.add_run(request, dg.DagsterRunStatus.STARTED)
        bench.push(happenings.event(2))
        assert selected(bench.request()) == {"happenings", "counted"}, "a run without an ingest drains nothing"

    def test_of_the_command_before_its_gate_is_followed_by_a_run_of_what_is_left(self, bench: Bench) -> None:
        bench.process()
        RunSession(RunRequest(bench.workspace), reasons=["dbt: the disk is full"]).save_outcome()
        assert bench.request().tags["zpo2/reason"] == "no run has published the present lake"

    def test_of_the_gate_is_not_repeated(self, bench: Bench) -> None:
        bench.process()
        bench.push(happenings.event(1))
        first = bench.add_run(bench.request(), dg.DagsterRunStatus.STARTED)
        bench.drain(first)
        bench.ingest()
        bench.publish()  # another run would end in the same way
        bench.end_run(first, success=False)
        assert "nothing waits" in bench.skipped()

    def test_that_the_operator_cancelled_is_not_repeated_at_once(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        bench.push(happenings.event(1))
        run_id = bench.add_run(bench.request(), dg.DagsterRunStatus.CANCELED)
        bench.drain(run_id)
        assert bench.skipped().startswith("the last run was cancelled; the next one not before ")
        monkeypatch.setattr(sensors, "FIRST_PAUSE", timedelta(0))
        bench.request()

    def test_whose_process_ended_with_the_daemon_keeps_no_other_run_waiting(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        bench.push(happenings.event(1))
        run_id = bench.add_run(bench.request())
        bench.instance.report_dagster_event(dg.DagsterEvent("PIPELINE_START", "publish"), run_id)
        assert run_id[:8] in bench.skipped()
        monkeypatch.setattr(sensors, "PROCESS_ENDED", timedelta(0))
        with bench.home.lock():
            assert run_id[:8] in bench.skipped()
        bench.request()
        run = bench.instance.get_run_by_id(run_id)
        assert run is not None
        assert run.status == dg.DagsterRunStatus.FAILURE


class TestUnreadableContent:
    def test_starts_one_run(self, bench: Bench) -> None:
        bench.process()
        (bench.pack.root / "data" / "people_2020.csv").write_text("nothing,that,is,expected\n1,2,3,4\n")
        bench.cursors.pop("poll_sources")
        bench.tick("poll_sources")
        assert selected(bench.request()) == {"people"}
        bench.ingest()
        bench.publish()
        state = SourceStates(bench.home.fetch_state).get("people", "year=2020")
        assert state.sha256 != state.good
        assert "nothing waits" in bench.skipped()


class TestNewDeclarations:
    def test_have_everything_processed_again(self, bench: Bench) -> None:
        bench.process()
        assert "nothing waits" in bench.skipped()
        self.change(bench.pack.root)
        assert "nothing waits" in bench.skipped(), "this process still has the old declarations"
        restarted = Workspace(bench.home.root, bench.settings, pack=packs.load(bench.pack.root))
        bench.sensors = {s.name: s for s in build_sensors(restarted, DOWNSTREAM)}
        request = bench.request()
        assert selected(request) == {"areas", "people", "trees", "happenings", "counted"}
        assert request.tags["zpo2/reason"] == "the pack or the software has changed"
        Ingest(restarted).run()
        RunSession(RunRequest(restarted), gate={"passed": False}).save_outcome()
        assert "nothing waits" in bench.skipped()

    def test_that_a_run_has_processed_are_no_change_for_a_process_with_the_old_ones(self, bench: Bench) -> None:
        bench.process()
        self.change(bench.pack.root)
        restarted = Workspace(bench.home.root, bench.settings, pack=packs.load(bench.pack.root))
        Ingest(restarted).run()
        RunSession(RunRequest(restarted), gate={"passed": False}).save_outcome()
        assert "nothing waits" in bench.skipped()

    @pytest.mark.parametrize("stage", ["LAKE", "STAGES"])
    def test_of_the_software_are_a_change(self, bench: Bench, stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
        bench.process()
        monkeypatch.setattr(versions, stage, 99 if stage == "LAKE" else "lake 1, warehouse 99, release 1")
        assert selected(bench.request()) == ({"areas", "people", "trees", "happenings", "counted"} if stage == "LAKE" else set())

    @staticmethod
    def change(pack: Path) -> None:
        path = pack / "indicators" / "more.yml"
        path.write_text(path.read_text().replace("title: Trees", "title: All trees"))


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
    assert json.loads(sent.body)["type"] == incidents.SOURCE_STALE
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
        alerts.enqueue(WorkspaceFolder(bench.home.root, bench.settings), "five", incidents.RUN_FAILED, "1", {}, "1")
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


def test_runs_of_long_ago_are_deleted_and_others_are_kept(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for status in (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.STARTED):
        bench.instance.add_run(dg.DagsterRun(job_name="publish", status=status))
    assert "0 runs" in bench.tick("delete_old_runs")[1]
    monkeypatch.setattr(sensors, "KEPT_RUNS", timedelta(hours=-1))
    assert "1 runs" in bench.tick("delete_old_runs")[1]
    assert [run.status for run in bench.instance.get_runs()] == [dg.DagsterRunStatus.STARTED]
