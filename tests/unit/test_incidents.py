"""What is worth an alert, and what its words say: sources, checks, reasons, counts before and after, the command that shows more."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipelines.core.settings import Settings
from pipelines.extract.source_state import SourceState, SourceStates
from pipelines.notify import alerts, incidents
from pipelines.packs import load
from pipelines.packs.workspace import Workspace
from pipelines.runs.findings import SourceCounts
from pipelines.runs.outcome import ReleaseOutcome, RunOutcome
from tests.support import five_places
from tests.support.command import zpo2
from tests.support.server import HttpRequest, Reply, serving


class Watched:
    """A workspace whose state the tests write, and the alerts that a look queues."""

    def __init__(self, folder: Path) -> None:
        self.workspace = Workspace.of(load(five_places.write(folder / "pack")), folder / "home", Settings())
        self.workspace.open()

    def look(self) -> list[dict[str, Any]]:
        """Return the alerts of a new look, and mark them as sent."""
        incidents.enqueue(self.workspace)
        found = [json.loads(path.read_text(encoding="utf-8")) for path in alerts.waiting(self.workspace)]
        alerts.deliver(self.workspace)
        return found

    def end_run(self, code: int, time: str, accepted: int = 100, refused: int = 0, **more: Any) -> None:
        counts = SourceCounts(rows_read=accepted + refused, rows_accepted=accepted, rows_quarantined=refused)
        release = None if code == 1 else ReleaseOutcome(version="2026.1.1", path="x", changed=True, tables={})
        RunOutcome(ended_at=time, exit_code=code, sources={"people": counts}, release=release, **more).save(self.workspace.last_run)

    def fail_fetch(self, error: str | None) -> None:
        states = SourceStates(self.workspace.fetch_state)
        since = "2026-01-02T03:04:05Z" if error else None
        states.put(
            "people", "year=2021", SourceState(sha256="a", good="a", changed_at="2025-12-01T00:00:00Z", error=error, stale_since=since)
        )
        states.save()


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_a_stale_source_is_alerted_with_its_reason_and_again_when_it_is_fresh(watched: Watched) -> None:
    watched.end_run(0, "2026-01-01T00:00:00Z", accepted=20)
    watched.look()
    watched.fail_fetch("https://example.org/p.csv: answered 500")
    [alert] = watched.look()
    assert (alert["type"], alert["subject"]) == (incidents.SOURCE_STALE, "people")
    data = alert["data"]
    assert "The source people (People) is stale since 2026-01-02T03:04:05Z: https://example.org/p.csv: answered 500." in data["text"]
    assert "last good content is from 2025-12-01T00:00:00Z (20 rows) and stays in use. Parts concerned: year=2021." in data["text"]
    assert data["command"] == f"zpo2 status --pack {watched.workspace.pack.root} --home {watched.workspace.root}"
    assert data["next"].startswith("zpo2 run --only people")
    assert watched.look() == []
    watched.fail_fetch(None)
    [alert] = watched.look()
    assert alert["type"] == incidents.SOURCE_FRESH
    assert "It was stale since 2026-01-02T03:04:05Z" in alert["data"]["text"]


def test_a_failed_run_is_alerted_once_with_checks_and_counts_and_its_recovery_too(watched: Watched) -> None:
    watched.end_run(0, "2026-01-01T00:00:00Z", accepted=100)
    assert watched.look() == []
    gate = {"passed": False, "failed": [{"name": "table:area_parents", "description": "expected 14 rows or more, found 13"}]}
    reasons = ["table:area_parents: expected 14 rows or more, found 13"]
    watched.end_run(1, "2026-01-02T00:00:00Z", accepted=60, gate=gate, reasons=reasons, errors={"people year=2021": "answered 500"})
    [alert] = watched.look()
    data = alert["data"]
    assert alert["type"] == incidents.RUN_FAILED
    assert "found 13" in data["text"]
    assert "people 100 -> 60 accepted, 0 -> 0 refused" in data["text"]
    assert data["checks"] == [{"check": "table:area_parents", "reason": "expected 14 rows or more, found 13"}]
    assert data["changes"]["people"] == {"accepted_before": 100, "accepted_after": 60, "refused_before": 0, "refused_after": 0}
    assert data["sources"] == ["people"]
    watched.end_run(1, "2026-01-03T00:00:00Z", accepted=60, gate=gate, reasons=reasons)
    assert watched.look() == [], "the same failure at the next run is no news"
    watched.end_run(1, "2026-01-04T00:00:00Z", accepted=60, reasons=["dbt: something else"])
    assert [a["type"] for a in watched.look()] == [incidents.RUN_FAILED]
    watched.end_run(3, "2026-01-05T00:00:00Z", accepted=100)
    [alert] = watched.look()
    assert alert["type"] == incidents.RUN_RECOVERED
    assert "release 2026.1.1 is current. Its runs had failed since 2026-01-02T00:00:00Z" in alert["data"]["text"]


def test_a_jump_of_refused_rows_is_alerted_and_its_end(watched: Watched) -> None:
    watched.end_run(0, "2026-01-01T00:00:00Z", 100, 2)
    watched.look()
    watched.end_run(0, "2026-01-02T00:00:00Z", 99, 3)
    assert watched.look() == [], "one more is no jump"
    watched.end_run(0, "2026-01-03T00:00:00Z", 80, 22)
    [alert] = watched.look()
    assert alert["type"] == incidents.REFUSED_MORE
    assert "22 refused rows and cells, 3 before; 80 rows are accepted, 99 before" in alert["data"]["text"]
    assert alert["data"]["command"].startswith("zpo2 quarantine people --group-by reason --pack ")
    watched.end_run(0, "2026-01-04T00:00:00Z", 80, 21)
    assert watched.look() == []
    watched.end_run(0, "2026-01-05T00:00:00Z", 99, 3)
    assert [a["type"] for a in watched.look()] == [incidents.REFUSED_LESS]


def test_a_refused_file_is_alerted_once(watched: Watched) -> None:
    folder = watched.workspace.inbox / ".refused" / "people"
    folder.mkdir(parents=True)
    (folder / "x.csv").write_text("?")
    (folder / "x.csv.reason.txt").write_text("no part of the source has this name\x1b[2J\n")
    [alert] = watched.look()
    assert (alert["type"], alert["subject"]) == (incidents.FILE_REFUSED, "people/x.csv")
    assert "\x1b" not in alert["data"]["text"]
    assert "dropped for the source people, was refused: no part of the source has this name" in alert["data"]["text"]
    assert "The source has no good content yet." in alert["data"]["text"]
    assert watched.look() == []
    watched.fail_fetch(None)  # now it has a good snapshot
    (folder / "y.csv").write_text("?")
    (folder / "y.csv.reason.txt").write_text("empty\n")
    [alert] = watched.look()
    assert "was refused: empty. The last good content stays in use." in alert["data"]["text"]


def test_a_failure_without_an_outcome_names_its_reasons(watched: Watched) -> None:
    assert incidents.enqueue_failure(watched.workspace, ["ingest: disk full"], "run-1")
    assert not incidents.enqueue_failure(watched.workspace, ["ingest: disk full"], "run-1")
    [alert] = watched.look()
    assert alert["data"]["text"] == "A run of the pack five failed: ingest: disk full. Nothing has been published yet."


def test_an_earlier_version_has_alerted_stale_sources_already(watched: Watched) -> None:
    watched.fail_fetch("answered 500")
    (watched.workspace.alerts).mkdir(exist_ok=True)
    (watched.workspace.alerts / "stale.json").write_text('{"people": "2026-01-02T03:04:05Z"}')
    assert watched.look() == []


@pytest.mark.slow
def test_the_command_sends_alerts_at_its_end(five_home: Path, tmp_path: Path) -> None:
    """As cron runs it: without a daemon. The webhook is slow to accept, and the run's exit code stays that of the run."""
    heard: list[dict[str, Any]] = []

    def webhook(request: HttpRequest) -> Reply:
        heard.append(json.loads(request.body))
        return Reply(204)

    shutil.copytree(five_home.parent / "pack", tmp_path / "pack")
    shutil.copytree(five_home, tmp_path / "home")
    dropped = tmp_path / "home" / "inbox" / "people"
    dropped.mkdir(parents=True, exist_ok=True)
    (dropped / "nonsense.csv").write_text("code,sex,persons\n")
    with serving() as server:
        server.routes["/hook"] = webhook
        done = zpo2(
            "run", "--pack", tmp_path / "pack", "--home", tmp_path / "home",
            ZPO2_SECRET_ALERT_URL=f"{server.url}/hook", ZPO2_ALLOW_HOSTS="127.0.0.1",
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert [(a["type"], a["data"]["source"]) for a in heard] == [(incidents.FILE_REFUSED, "people")]
    status = zpo2("status", "--pack", tmp_path / "pack", "--home", tmp_path / "home").stdout
    assert "refused file people/nonsense.csv: nonsense.csv: no part of the source has this name" in status
