"""Releases are announced to a webhook: signed, in their order, once they are current, and again until somebody has taken them."""

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
from tests.support.server import Asked, Reply, Server, serving

SECRET = "geheim-0123456789"
PATH = f"/hook-{SECRET}"


@dataclass
class Portal:
    """A receiver that answers as told, and remembers each request with the version that was current when it came."""

    server: Server
    public: Path
    statuses: list[int] = field(default_factory=list)
    after: float = 0
    heard: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    current: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server.routes[PATH] = self.answer

    def answer(self, asked: Asked) -> Reply:
        signature = "sha256=" + hmac.new(SECRET.encode(), asked.body, hashlib.sha256).hexdigest()
        assert asked.headers["x-signature-256"] == signature
        assert asked.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
        event = from_structured(HTTPMessage(headers=asked.headers, body=asked.body), JSONFormat())
        assert event.get_attributes()["specversion"] == "1.0"
        self.bodies.append(asked.body)
        self.heard.append(json.loads(asked.body))
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

    def told(self) -> list[tuple[str, str]]:
        return [(e["type"].removeprefix("org.zpo2.release."), e["subject"]) for e in self.heard]


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    with serving() as server:
        yield Portal(server, tmp_path / "home" / "public")


ABOUT = PackInfo("five", {"en": "Five places"}, ["en"], "https://data.example.org/zpo2/", {}, "https://data.example.org/zpo2/feed.atom")


class Small:
    """A home that has no more than a ledger, and its deliveries in this process."""

    def __init__(self, root: Path, portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home, self.known, self.portal = WorkspaceFolder(root), Ledger(pack=ABOUT), portal
        self.home.claim("five")
        self.settings = Settings(allow_hosts="127.0.0.1")
        for name, value in portal.variables.items():
            monkeypatch.setenv(name, value)
        (self.home.public / "releases").mkdir(parents=True)
        self.home.staging.mkdir()
        logs.open_log(self.home)
        announcements.prepare(WorkspaceFolder(self.home.root, self.settings))

    def put(self, known: Ledger) -> None:
        self.known = known
        public_folder.write_ledger(known, self.home.public, self.home.staging)

    def publish(self, number: int) -> None:
        changes = ChangeCounts(f"2026.11.{number - 1}", tables={"areas": TableCounts(1, 0, {})})
        self.put(
            self.known.after_publication(
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


def test_what_happened_is_told_once_in_its_order(small: Small) -> None:
    small.publish(1)
    assert small.deliver() == (1, [])
    small.publish(2)
    small.put(small.known.after_change(LatestChange("rollback", "2026.11.2", "2026.11.1", "2026-11-20T08:00:00Z", "old boundaries")))
    small.publish(3)
    small.put(small.known.after_change(LatestChange("withdrawal", "2026.11.3", "2026.11.1", "2026-11-20T08:00:00Z", "personal data")))
    assert announcements.waiting(small.home) == 4
    assert small.deliver() == (4, [])
    assert small.deliver() == (0, [])
    assert small.portal.told() == [
        ("published", "2026.11.1"), ("published", "2026.11.2"), ("rolledback", "2026.11.1"), ("published", "2026.11.3"),
        ("withdrawn", "2026.11.3"),
    ]  # fmt: skip
    ids = [event["id"] for event in small.portal.heard]
    assert ids == ["five/2026.11.1", "five/2026.11.2", "five/2026.11.1-rollback-3", "five/2026.11.3", "five/2026.11.3-withdrawn"]


def test_an_event_says_what_a_portal_has_to_know(small: Small) -> None:
    small.publish(1)
    small.publish(2)
    small.put(small.known.after_change(LatestChange("withdrawal", "2026.11.2", "2026.11.1", "2026-11-20T08:00:00Z", "personal data")))
    small.deliver()
    _, published, withdrawn = small.portal.heard
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


def test_a_pack_without_an_address_is_named_by_a_urn(small: Small) -> None:
    small.put(replace(small.known, pack=replace(ABOUT, base_uri="")))
    small.publish(1)
    small.deliver()
    (event,) = small.portal.heard
    assert event["source"] == "urn:zpo2:five"
    assert "url" not in event["data"]


@pytest.mark.parametrize("status", [500, 503, 404, 301])
def test_what_was_not_taken_is_sent_again_with_the_same_bytes_and_nothing_overtakes_it(small: Small, status: int) -> None:
    small.portal.statuses = [status, status]
    small.publish(1)
    small.publish(2)
    for _ in range(2):
        assert small.deliver() == (0, [f"the webhook answered {status}"])
    assert announcements.waiting(small.home) == 2
    assert small.deliver() == (2, [])
    assert [e["id"] for e in small.portal.heard] == ["five/2026.11.1"] * 3 + ["five/2026.11.2"]
    assert len(set(small.portal.bodies)) == 2
    assert len(small.portal.server.asked) == 4, "no redirect was followed"


def test_what_was_taken_before_a_fault_is_not_sent_again(small: Small) -> None:
    small.portal.statuses = [204, 500]
    small.publish(1)
    small.publish(2)
    assert small.deliver() == (1, ["the webhook answered 500"])
    assert small.deliver() == (1, [])
    assert [e["id"] for e in small.portal.heard] == ["five/2026.11.1", "five/2026.11.2", "five/2026.11.2"]


def test_who_is_killed_after_the_answer_and_before_it_is_noted_sends_the_same_again(small: Small) -> None:
    small.publish(1)
    before = small.home.announced.read_bytes()
    small.deliver()
    small.home.announced.write_bytes(before)
    small.deliver()
    assert len(small.portal.bodies) == 2
    assert len(set(small.portal.bodies)) == 1


def test_a_version_that_was_given_again_after_a_restore_is_announced(small: Small) -> None:
    small.publish(1)
    empty = replace(small.known, releases=(), events=())
    small.deliver()
    small.put(empty)
    small.put(small.known.after_publication(Entry("2026.11.1", "2026-11-09T08:00:00Z", "", "other", {})))
    assert small.deliver() == (1, [])


def test_where_nobody_ever_knew_an_address_what_happens_counts_as_told(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZPO2_SECRET_RELEASE_URL")
    small.home.announced.unlink()
    small.publish(1)
    assert small.deliver() == (0, [])
    monkeypatch.setenv("ZPO2_SECRET_RELEASE_URL", small.portal.variables["ZPO2_SECRET_RELEASE_URL"])
    small.publish(2)
    assert small.deliver() == (1, [])
    assert small.portal.told() == [("published", "2026.11.2")]


def test_who_does_not_know_the_address_leaves_the_announcement_to_those_who_do(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon has its secrets from a file of root's; the operator who withdraws a release on the command line has not."""
    with monkeypatch.context() as patch:
        patch.delenv("ZPO2_SECRET_RELEASE_URL")
        small.publish(1)
        assert small.deliver() == (0, [])
        assert not announcements.is_due(WorkspaceFolder(small.home.root, small.settings))
        assert announcements.waiting(small.home) == 1
    assert announcements.is_due(WorkspaceFolder(small.home.root, small.settings))
    assert small.deliver() == (1, [])


def test_a_home_of_an_earlier_version_does_not_announce_its_past(small: Small) -> None:
    small.publish(1)
    small.home.announced.unlink()
    announcements.prepare(WorkspaceFolder(small.home.root, small.settings))
    small.publish(2)
    assert small.deliver() == (1, [])
    assert small.portal.told() == [("published", "2026.11.2")]


def test_without_a_key_nothing_is_signed(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZPO2_SECRET_RELEASE_KEY")
    seen: list[Asked] = []
    small.portal.server.routes[PATH] = lambda asked: seen.append(asked) or Reply(204)  # type: ignore[func-returns-value]
    small.publish(1)
    assert small.deliver() == (1, [])
    assert "x-signature-256" not in seen[0].headers


def silent() -> tuple[socket.socket, str]:
    """Return a listener that takes connections and says nothing."""
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


@pytest.mark.parametrize("fault", FAULTS)
def test_a_webhook_that_misbehaves_delays_nobody_and_its_address_stays_a_secret(
    small: Small, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], fault: str
) -> None:
    monkeypatch.setattr(announcements, "PATIENCE", 4.0)
    what = FAULTS[fault](small.portal.server.url)
    if isinstance(what, Reply):
        small.portal.server.routes[PATH] = lambda _asked: what
    else:
        monkeypatch.setenv("ZPO2_SECRET_RELEASE_URL", what)
    small.publish(1)
    began = time.monotonic()
    _, faults = small.deliver()
    assert time.monotonic() - began < 6
    assert faults or isinstance(what, Reply), "who answers 200 has taken it, whatever comes after that"
    said = capfd.readouterr()
    assert SECRET not in said.out + said.err + " ".join(faults) + small.home.log.read_text()


def test_a_webhook_that_says_nothing_is_left_after_a_bounded_time(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcements, "PATIENCE", 1.0)
    listener, url = silent()
    with listener:
        monkeypatch.setenv("ZPO2_SECRET_RELEASE_URL", url)
        small.publish(1)
        began = time.monotonic()
        assert small.deliver() == (0, ["the webhook has not answered within 1 s"])
        assert 0.9 < time.monotonic() - began < 3
    assert announcements.waiting(small.home) == 1


def test_a_header_that_never_ends_is_left_too() -> None:
    """Silence is bounded for each packet; a receiver that sends a byte of a header now and then is never silent."""
    listener, url = silent()

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
            webhook.send({}, url, None, {"127.0.0.1"}, Limits(connect=1, silence=1, retries=0), 1.0)
        assert time.monotonic() - began < 2


def test_retries_of_a_connection_do_not_print_the_address(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(webhook.DeliveryError, match="was not reached"):
        webhook.send({}, f"http://127.0.0.1:9/{SECRET}", None, {"127.0.0.1"}, Limits(connect=1, retries=2, backoff=0), 20)
    said = capfd.readouterr()
    assert SECRET not in said.out + said.err


def test_an_address_inside_the_operators_network_has_to_be_allowed(small: Small) -> None:
    small.settings.allow_hosts = ""
    small.publish(1)
    assert small.deliver() == (0, ["AddressRefusedError: the webhook was not reached"])
    assert small.portal.heard == []


def test_a_disk_that_is_full_or_a_ledger_that_is_damaged_is_told_and_raises_nothing(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    small.publish(1)
    with monkeypatch.context() as patch:
        patch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        count, faults = small.deliver()
        assert count == 0
        assert "No space left on device" in faults[0]
    assert small.deliver() == (1, []), "told a second time"
    (small.home.public / "releases.json").write_text("eaten")
    assert "cannot be read" in small.deliver()[1][0]


@pytest.mark.slow
def test_commands_announce_what_they_did_and_no_failure_changes_their_exit_code(five_home: Path, tmp_path: Path, portal: Portal) -> None:
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
    assert portal.told() == [("published", "2025.10.2")] * 2
    done = zpo2("run", *words, SOURCE_DATE_EPOCH=EPOCH, **portal.variables)
    assert (done.returncode, "unchanged" in done.stdout) == (0, True), done.stdout + done.stderr
    assert portal.told()[2:] == [("published", "2025.10.2"), ("rolledback", "2025.10.1")], "by a run that had nothing else to do"
    assert portal.current == ["2025.10.2", *["2025.10.1"] * 3]
    done = zpo2("withdraw", "2025.10.2", "--reason", "personal data", *words, SOURCE_DATE_EPOCH=EPOCH)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 announcements" in zpo2("status", *words).stdout, "it waits for who knows the address"
    assert zpo2("run", *words, SOURCE_DATE_EPOCH=EPOCH, **portal.variables).returncode == 0
    assert portal.told()[-1] == ("withdrawn", "2025.10.2")
    assert portal.heard[-1]["data"]["reason"] == "personal data"
    written = [p for p in home.rglob("*") if p.is_file() and SECRET.encode() in p.read_bytes()]
    assert written == []


@pytest.mark.slow
def test_a_run_killed_between_publication_and_delivery_is_announced_by_the_next_one(tmp_path: Path, portal: Portal) -> None:
    pack, home = five_places.write(tmp_path / "pack"), tmp_path / "home"
    words = ("--pack", pack, "--home", home)
    variables = {"SOURCE_DATE_EPOCH": EPOCH, **portal.variables}
    portal.after = 30  # the portal hears of it, and has not answered yet
    run = start("run", *words, **variables)
    while run.poll() is None and not portal.heard:
        time.sleep(0.01)
    assert run.poll() is None, run.stdout.read() if run.stdout else ""
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert portal.current == ["2025.10.1"], "never before the release is current"
    portal.after = 0
    done = zpo2("run", *words, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert portal.told() == [("published", "2025.10.1")] * 2
    assert len(set(portal.bodies)) == 1, "the same event, to be known by its id"
    assert zpo2("run", *words, **variables).returncode == 0
    assert len(portal.bodies) == 2, "2xx ends it"


@pytest.mark.slow
def test_a_first_run_killed_as_soon_as_its_release_is_current_is_announced_by_the_next_one(tmp_path: Path, portal: Portal) -> None:
    pack, home = five_places.write(tmp_path / "pack"), tmp_path / "home"
    words = ("--pack", pack, "--home", home)
    variables = {"SOURCE_DATE_EPOCH": EPOCH, **portal.variables}
    run = start("run", *words, **variables)
    while run.poll() is None and not (home / "public" / "latest.json").exists():
        time.sleep(0.001)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert portal.heard == [], "killed before it could tell"
    done = zpo2("run", *words, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert portal.told() == [("published", "2025.10.1")]
