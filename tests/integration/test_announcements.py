"""Announcements of releases to a webhook: signed, in order, only once a release is current, and repeated until accepted."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured
from cloudevents.core.formats.json import JSONFormat

from exports.release import public_folder
from exports.release.entries import ChangeCounts, Entry, LatestChange, PackInfo, TableCounts
from exports.release.ledger import Ledger
from pipelines.core import logs
from pipelines.core.settings import Settings
from pipelines.core.workspace import WorkspaceFolder
from pipelines.extract.http.limits import Limits
from pipelines.notify import announcements, webhook
from tests.support import five_places
from tests.support.command import EPOCH, start, zpo2
from tests.support.server import HttpRequest, Reply, Server, serving

SECRET = "geheim-0123456789"
PATH = f"/hook-{SECRET}"


@dataclass
class Portal:
    """A receiver with prepared responses, which records each request with the version that was current at the time."""

    server: Server
    public: Path
    statuses: list[int] = field(default_factory=list)
    after: float = 0
    events: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    current: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server.routes[PATH] = self.reply

    def reply(self, request: HttpRequest) -> Reply:
        signature = "sha256=" + hmac.new(SECRET.encode(), request.body, hashlib.sha256).hexdigest()
        assert request.headers["x-signature-256"] == signature
        assert request.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
        event = from_structured(HTTPMessage(headers=request.headers, body=request.body), JSONFormat())
        assert event.get_attributes()["specversion"] == "1.0"
        self.bodies.append(request.body)
        self.events.append(json.loads(request.body))
        latest = self.public / "latest.json"
        self.current.append(json.loads(latest.read_bytes())["version"] if latest.is_file() else "")
        return Reply(self.statuses.pop(0) if self.statuses else 204, after=self.after)

    @property
    def variables(self) -> dict[str, Any]:
        return {
            "ZPO2_SECRET_RELEASE_URL": f"{self.server.url}{PATH}?key={SECRET}",
            "ZPO2_SECRET_RELEASE_KEY": SECRET,
            "ZPO2_ALLOW_HOSTS": "127.0.0.1",
        }

    def announced(self) -> list[tuple[str, str]]:
        return [(e["type"].removeprefix("org.zpo2.release."), e["subject"]) for e in self.events]


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    with serving() as server:
        yield Portal(server, tmp_path / "home" / "public")


ABOUT = PackInfo("five", {"en": "Five places"}, ["en"], "https://data.example.org/zpo2/", {}, "https://data.example.org/zpo2/feed.atom")


class Small:
    """A home with nothing but a ledger, and deliveries in this process."""

    def __init__(self, root: Path, portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home, self.ledger, self.portal = WorkspaceFolder(root), Ledger(pack=ABOUT), portal
        self.home.claim("five")
        self.settings = Settings(allow_hosts="127.0.0.1")
        for name, value in portal.variables.items():
            monkeypatch.setenv(name, value)
        (self.home.public / "releases").mkdir(parents=True)
        self.home.staging.mkdir()
        logs.open_log(self.home)
        announcements.prepare(WorkspaceFolder(self.home.root, self.settings))

    def put(self, releases: Ledger) -> None:
        self.ledger = releases
        public_folder.write_ledger(releases, self.home.public, self.home.staging)

    def publish(self, number: int) -> None:
        changes = ChangeCounts(f"2026.11.{number - 1}", tables={"areas": TableCounts(1, 0, {})})
        self.put(
            self.ledger.after_publication(
                Entry(f"2026.11.{number}", f"2026-11-{number:0>2}T08:00:00Z", "", str(number), {"areas": 1}, changes)
            )
        )

    def deliver(self) -> tuple[int, list[str]]:
        return announcements.deliver(WorkspaceFolder(self.home.root, self.settings))


@pytest.fixture
def small(tmp_path: Path, portal: Portal, monkeypatch: pytest.MonkeyPatch) -> Iterator[Small]:
    yield Small(tmp_path / "home", portal, monkeypatch)
    for handler in list(logging.getLogger("zpo2").handlers):
        logging.getLogger("zpo2").removeHandler(handler)


class TestReleaseEvent:
    def test_describes_the_release(self, small: Small) -> None:
        small.publish(1)
        small.publish(2)
        small.put(small.ledger.after_change(LatestChange("withdrawal", "2026.11.2", "2026.11.1", "2026-11-20T08:00:00Z", "personal data")))
        small.deliver()
        _, published, withdrawn = small.portal.events
        assert published == {
            "specversion": "1.0", "id": "five/2026.11.2", "source": "https://data.example.org/zpo2/", "type": "org.zpo2.release.published",
            "subject": "2026.11.2", "time": "2026-11-02T08:00:00Z", "datacontenttype": "application/json",
            "data": {
                "version": "2026.11.2", "released": "2026-11-02T08:00:00Z", "path": "releases/2026.11.2/",
                "url": "https://data.example.org/zpo2/releases/2026.11.2/", "previous": "2026.11.1", "current": "2026.11.2",
                "changes": {"against": "2026.11.1", "tables": {"areas": {"added": 1, "removed": 0, "changed_cells": {}}}},
            },
        }  # fmt: skip
        assert withdrawn["data"] == {
            "version": "2026.11.2", "released": "2026-11-02T08:00:00Z", "path": "releases/2026.11.2/",
            "url": "https://data.example.org/zpo2/releases/2026.11.2/", "previous": "2026.11.2", "current": "2026.11.1", "reason": "personal data",
        }  # fmt: skip

    def test_uses_a_urn_without_base_uri(self, small: Small) -> None:
        small.put(replace(small.ledger, pack=replace(ABOUT, base_uri="")))
        small.publish(1)
        small.deliver()
        (event,) = small.portal.events
        assert event["source"] == "urn:zpo2:five"
        assert "url" not in event["data"]


def silent_listener() -> tuple[socket.socket, str]:
    """Return a listener that accepts connections and sends nothing."""
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, f"http://127.0.0.1:{listener.getsockname()[1]}/?key={SECRET}"


FAULTS: dict[str, Callable[[str], Reply | str]] = {
    "down": lambda _url: "http://127.0.0.1:9/?key=" + SECRET,
    "a file": lambda _url: "file:///etc/passwd?" + SECRET,
    "ftp": lambda _url: "ftp://127.0.0.1/" + SECRET,
    "no host": lambda _url: "https:///" + SECRET,
    "no address": lambda _url: "http://[" + SECRET,
    "no such host": lambda _url: f"https://{SECRET}.invalid/",
    "cut off": lambda _url: Reply(200, promised=10_000, reset=True),
    "dripping": lambda _url: Reply(200, b"x" * 3000, pause=0.1),
    "endless": lambda _url: Reply(200, b"x", promised=10**12, pause=1),
}


class TestSend:
    def test_gives_up_an_endless_header(self) -> None:
        """The read timeout applies to each packet; a receiver that sends a byte of a header now and then never exceeds it."""
        listener, url = silent_listener()

        def drip() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                for _ in range(100):
                    try:
                        connection.sendall(b"x")
                    except OSError:
                        return
                    time.sleep(0.1)

        import threading

        with listener:
            threading.Thread(target=drip, daemon=True).start()
            began = time.monotonic()
            with pytest.raises(webhook.DeliveryError, match="within 1 s"):
                webhook.send({}, url, None, {"127.0.0.1"}, Limits(connect_timeout=1, read_timeout=1, retries=0), 1.0)
            assert time.monotonic() - began < 2

    def test_does_not_print_the_address_in_retries(self, capfd: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(webhook.DeliveryError, match="could not be reached"):
            webhook.send({}, f"http://127.0.0.1:9/{SECRET}", None, {"127.0.0.1"}, Limits(connect_timeout=1, retries=2, backoff=0), 20)
        output = capfd.readouterr()
        assert SECRET not in output.out + output.err


class TestDeliver:
    def test_sends_each_entry_once_in_order(self, small: Small) -> None:
        small.publish(1)
        assert small.deliver() == (1, [])
        small.publish(2)
        small.put(small.ledger.after_change(LatestChange("rollback", "2026.11.2", "2026.11.1", "2026-11-20T08:00:00Z", "old boundaries")))
        small.publish(3)
        small.put(small.ledger.after_change(LatestChange("withdrawal", "2026.11.3", "2026.11.1", "2026-11-20T08:00:00Z", "personal data")))
        assert announcements.waiting(small.home) == 4
        assert small.deliver() == (4, [])
        assert small.deliver() == (0, [])
        assert small.portal.announced() == [
            ("published", "2026.11.1"), ("published", "2026.11.2"), ("rolledback", "2026.11.1"), ("published", "2026.11.3"),
            ("withdrawn", "2026.11.3"),
        ]  # fmt: skip
        ids = [event["id"] for event in small.portal.events]
        assert ids == ["five/2026.11.1", "five/2026.11.2", "five/2026.11.1-rollback-3", "five/2026.11.3", "five/2026.11.3-withdrawn"]

    @pytest.mark.parametrize("status", [500, 503, 404, 301])
    def test_repeats_a_failed_event_before_later_ones(self, small: Small, status: int) -> None:
        small.portal.statuses = [status, status]
        small.publish(1)
        small.publish(2)
        for _ in range(2):
            assert small.deliver() == (0, [f"the webhook answered {status}"])
        assert announcements.waiting(small.home) == 2
        assert small.deliver() == (2, [])
        assert [e["id"] for e in small.portal.events] == ["five/2026.11.1"] * 3 + ["five/2026.11.2"]
        assert len(set(small.portal.bodies)) == 2
        assert len(small.portal.server.requests) == 4, "no redirect was followed"

    def test_does_not_repeat_accepted_events(self, small: Small) -> None:
        small.portal.statuses = [204, 500]
        small.publish(1)
        small.publish(2)
        assert small.deliver() == (1, ["the webhook answered 500"])
        assert small.deliver() == (1, [])
        assert [e["id"] for e in small.portal.events] == ["five/2026.11.1", "five/2026.11.2", "five/2026.11.2"]

    def test_repeats_an_event_that_was_not_recorded(self, small: Small) -> None:
        small.publish(1)
        before = small.home.announced.read_bytes()
        small.deliver()
        small.home.announced.write_bytes(before)
        small.deliver()
        assert len(small.portal.bodies) == 2
        assert len(set(small.portal.bodies)) == 1

    def test_sends_a_version_that_was_published_again_after_a_restore(self, small: Small) -> None:
        small.publish(1)
        empty = replace(small.ledger, releases=(), events=())
        small.deliver()
        small.put(empty)
        small.put(small.ledger.after_publication(Entry("2026.11.1", "2026-11-09T08:00:00Z", "", "other", {})))
        assert small.deliver() == (1, [])

    def test_counts_entries_as_announced_without_any_address(self, small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("ZPO2_SECRET_RELEASE_URL")
        small.home.announced.unlink()
        small.publish(1)
        assert small.deliver() == (0, [])
        monkeypatch.setenv("ZPO2_SECRET_RELEASE_URL", small.portal.variables["ZPO2_SECRET_RELEASE_URL"])
        small.publish(2)
        assert small.deliver() == (1, [])
        assert small.portal.announced() == [("published", "2026.11.2")]

    def test_leaves_delivery_to_processes_that_know_the_address(self, small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
        """The daemon reads its secrets from a file of root; the operator who withdraws a release on the command line does not have them."""
        with monkeypatch.context() as patch:
            patch.delenv("ZPO2_SECRET_RELEASE_URL")
            small.publish(1)
            assert small.deliver() == (0, [])
            assert not announcements.is_due(WorkspaceFolder(small.home.root, small.settings))
            assert announcements.waiting(small.home) == 1
        assert announcements.is_due(WorkspaceFolder(small.home.root, small.settings))
        assert small.deliver() == (1, [])

    def test_does_not_announce_releases_of_earlier_versions(self, small: Small) -> None:
        small.publish(1)
        small.home.announced.unlink()
        announcements.prepare(WorkspaceFolder(small.home.root, small.settings))
        small.publish(2)
        assert small.deliver() == (1, [])
        assert small.portal.announced() == [("published", "2026.11.2")]

    def test_sends_each_of_two_alike_in_one_second(self, small: Small) -> None:
        small.publish(1)
        small.publish(2)
        second = "2026-11-20T08:00:00Z"
        for left, to in (("2026.11.2", "2026.11.1"), ("2026.11.1", "2026.11.2"), ("2026.11.2", "2026.11.1")):
            small.put(small.ledger.after_change(LatestChange("rollback", left, to, second, "wrong")))
        assert small.deliver() == (5, [])
        assert small.portal.announced()[2:] == [("rolledback", "2026.11.1"), ("rolledback", "2026.11.2"), ("rolledback", "2026.11.1")]
        assert len({event["id"] for event in small.portal.events}) == 5
        assert small.deliver() == (0, [])

    def test_keeps_the_keys_of_earlier_versions(self, small: Small) -> None:
        small.publish(1)
        small.home.announced.write_text('{"announcing": true, "told": ["published 2026.11.1 2026-11-01T08:00:00Z"]}')
        assert small.deliver() == (0, [])
        small.publish(2)
        assert small.deliver() == (1, [])
        assert json.loads(small.home.announced.read_text()) == {
            "announcing": True,
            "told": ["published 2026.11.1 2026-11-01T08:00:00Z", "published 2026.11.2 2026-11-02T08:00:00Z"],
        }

    def test_signs_nothing_without_a_key(self, small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("ZPO2_SECRET_RELEASE_KEY")
        seen: list[HttpRequest] = []
        small.portal.server.routes[PATH] = lambda request: seen.append(request) or Reply(204)  # type: ignore[func-returns-value]
        small.publish(1)
        assert small.deliver() == (1, [])
        assert "x-signature-256" not in seen[0].headers

    def test_refuses_private_addresses(self, small: Small) -> None:
        small.settings.allow_hosts = ""
        small.publish(1)
        assert small.deliver() == (0, ["AddressNotAllowed: the webhook could not be reached"])
        assert small.portal.events == []

    def test_reports_a_full_disk_and_a_damaged_ledger(self, small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
        small.publish(1)
        with monkeypatch.context() as patch:
            patch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
            count, faults = small.deliver()
            assert count == 0
            assert "No space left on device" in faults[0]
        assert small.deliver() == (1, []), "sent a second time"
        (small.home.public / "releases.json").write_text("eaten")
        assert "cannot be read" in small.deliver()[1][0]

    @pytest.mark.parametrize("fault", FAULTS)
    def test_limits_time_and_hides_the_address(
        self, small: Small, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], fault: str
    ) -> None:
        monkeypatch.setattr(announcements, "DELIVERY_DEADLINE", 4.0)
        behaviour = FAULTS[fault](small.portal.server.url)
        if isinstance(behaviour, Reply):
            small.portal.server.routes[PATH] = lambda _request: behaviour
        else:
            monkeypatch.setenv("ZPO2_SECRET_RELEASE_URL", behaviour)
        small.publish(1)
        began = time.monotonic()
        _, faults = small.deliver()
        assert time.monotonic() - began < 6
        assert faults or isinstance(behaviour, Reply), "a status of 200 means accepted, whatever follows"
        output = capfd.readouterr()
        assert SECRET not in output.out + output.err + " ".join(faults) + small.home.log.read_text()

    def test_gives_up_a_silent_webhook(self, small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(announcements, "DELIVERY_DEADLINE", 1.0)
        listener, url = silent_listener()
        with listener:
            monkeypatch.setenv("ZPO2_SECRET_RELEASE_URL", url)
            small.publish(1)
            began = time.monotonic()
            assert small.deliver() == (0, ["the webhook did not answer within 1 s"])
            assert 0.9 < time.monotonic() - began < 3
        assert announcements.waiting(small.home) == 1


class TestCommands:
    @pytest.mark.slow
    def test_announce_and_keep_their_exit_code(self, five_home: Path, tmp_path: Path, portal: Portal) -> None:
        pack = shutil.copytree(five_home.parent / "pack", tmp_path / "pack")
        home = shutil.copytree(five_home, tmp_path / "home")
        words = ("--pack", pack, "--home", home)
        portal.statuses = [500, 500]
        declared = pack / "pack.yml"
        declared.write_text(declared.read_text().replace("title: Five places", "title: Five towns"), encoding="utf-8")
        done = zpo2("run", *words, SOURCE_DATE_EPOCH=EPOCH, **portal.variables)
        assert done.returncode == 0, done.stdout + done.stderr
        done = zpo2("status", *words)
        assert "1 announcements" in done.stdout
        done = zpo2("rollback", "2025.10.1", "--reason", "odd", *words, SOURCE_DATE_EPOCH=EPOCH, **portal.variables)
        assert done.returncode == 0, done.stdout + done.stderr
        assert portal.announced() == [("published", "2025.10.2")] * 2
        done = zpo2("run", *words, SOURCE_DATE_EPOCH=EPOCH, **portal.variables)
        assert (done.returncode, "unchanged" in done.stdout) == (0, True), done.stdout + done.stderr
        assert portal.announced()[2:] == [("published", "2025.10.2"), ("rolledback", "2025.10.1")], "by a run that had nothing else to do"
        assert portal.current == ["2025.10.2", *["2025.10.1"] * 3]
        done = zpo2("withdraw", "2025.10.2", "--reason", "personal data", *words, SOURCE_DATE_EPOCH=EPOCH)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "1 announcements" in zpo2("status", *words).stdout, "it waits for a process that knows the address"
        assert zpo2("run", *words, SOURCE_DATE_EPOCH=EPOCH, **portal.variables).returncode == 0
        assert portal.announced()[-1] == ("withdrawn", "2025.10.2")
        assert portal.events[-1]["data"]["reason"] == "personal data"
        written = [p for p in home.rglob("*") if p.is_file() and SECRET.encode() in p.read_bytes()]
        assert written == []

    @pytest.mark.slow
    def test_run_announces_what_a_killed_run_left(self, tmp_path: Path, portal: Portal) -> None:
        pack, home = five_places.write(tmp_path / "pack", pack_yml=five_places.ONLY_TABLES), tmp_path / "home"
        words = ("--pack", pack, "--home", home)
        variables: dict[str, Any] = {"SOURCE_DATE_EPOCH": EPOCH, **portal.variables}
        portal.after = 30  # the portal receives it, but has not answered yet
        run = start("run", *words, **variables)
        while run.poll() is None and not portal.events:
            time.sleep(0.01)
        assert run.poll() is None, run.stdout.read() if run.stdout else ""
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        assert portal.current == ["2025.10.1"], "never before the release is current"
        portal.after = 0
        done = zpo2("run", *words, **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        assert portal.announced() == [("published", "2025.10.1")] * 2
        assert len(set(portal.bodies)) == 1, "the same event with the same id"
        assert zpo2("run", *words, **variables).returncode == 0
        assert len(portal.bodies) == 2, "a status of 2xx ends it"

    @pytest.mark.slow
    def test_run_announces_what_a_killed_first_run_left(self, tmp_path: Path, portal: Portal) -> None:
        pack, home = five_places.write(tmp_path / "pack", pack_yml=five_places.ONLY_TABLES), tmp_path / "home"
        words = ("--pack", pack, "--home", home)
        variables: dict[str, Any] = {"SOURCE_DATE_EPOCH": EPOCH, **portal.variables}
        run = start("run", *words, **variables)
        while run.poll() is None and not (home / "public" / "latest.json").exists():
            time.sleep(0.001)
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        assert portal.events == [], "killed before it could announce it"
        done = zpo2("run", *words, **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        assert portal.announced() == [("published", "2025.10.1")]
