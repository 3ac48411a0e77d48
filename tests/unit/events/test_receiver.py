"""The receiver over real HTTP: who may push, how much, and that it answers 202 only for events that are in the queue."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import uvicorn

from pipelines.extract.cloudevents.parsing import BATCH, STRUCTURED
from pipelines.extract.cloudevents.queue import Queue
from pipelines.extract.cloudevents.receiver import Bounds, TokenBucket, application, signed_content
from pipelines.readers import json_records, json_values

SECRET = "a-secret-of-some-length"
TYPES = {"town.fair": True, "town.changed": False}


@dataclass
class Running:
    """A running receiver, and the queue it writes to."""

    url: str
    path: Path

    def push(self, value: Any, kind: str = STRUCTURED, token: str | None = SECRET, **headers: str) -> requests.Response:
        auth = {"Authorization": f"Bearer {token}"} if token else {}
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return requests.post(f"{self.url}/events", data=body, headers={"Content-Type": kind, **auth, **headers}, timeout=10)

    def accepted(self) -> int:
        with Queue(self.path) as queue:
            return queue.accepted()


@contextmanager
def receiver(path: Path, bounds: Bounds | None = None) -> Iterator[Running]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(application(path, TYPES, [SECRET, "another-secret-of-some-length"], bounds), log_level="error")
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        try:
            yield Running(f"http://127.0.0.1:{listening.getsockname()[1]}", path)
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with receiver(tmp_path / "events.db") as receiving:
        yield receiving


def event(identifier: str = "1", **changes: Any) -> dict[str, Any]:
    value = {"specversion": "1.0", "id": identifier, "source": "urn:town", "type": "town.fair", "data": {"id": identifier}, **changes}
    return {k: v for k, v in value.items() if v is not None}


def nested(depth: int, *, lists: bool = False) -> Any:
    """Return a value of `depth` nested objects, or lists."""
    value: Any = 1
    for _ in range(depth):
        value = [value] if lists else {"a": value}
    return value


class TestTokenBucket:
    def test_refills_with_time_up_to_its_size(self) -> None:
        now = [0.0]
        bucket = TokenBucket(2, 2, clock=lambda: now[0])
        assert [bucket.take(), bucket.take(), bucket.take()] == [0, 0, 0.5]
        now[0] = 100
        assert [bucket.take(), bucket.take()] == [0, 0]
        assert bucket.take() > 0


class TestEvents:
    def test_accepts_an_event_once(self, running: Running) -> None:
        assert (first := running.push(event())).status_code == 202
        assert first.json() == {"accepted": 1, "duplicates": 0, "refused": []}
        assert running.push(event()).json() == {"accepted": 0, "duplicates": 1, "refused": []}
        assert running.accepted() == 1
        assert requests.get(f"{running.url}/health", timeout=10).json() == {"status": "ok", "waiting": 1}

    def test_answers_409_to_other_content_with_the_same_id(self, running: Running) -> None:
        running.push(event())
        again = running.push(event(data={"id": "other"}))
        assert again.status_code == 409
        assert again.json()["refused"][0]["conflict"] is True
        assert running.accepted() == 1

    def test_accepts_the_valid_events_of_a_batch(self, running: Running) -> None:
        response = running.push([event("1"), event("2", type="unknown"), event("1"), event("3", data=[1]), {}], BATCH)
        assert response.status_code == 202
        assert response.json()["accepted"] == 1
        assert response.json()["duplicates"] == 1
        assert [(r["event"], r["reason"][:12]) for r in response.json()["refused"]] == [
            (1, "type unknown"),
            (3, "data: expect"),
            (4, "specversion:"),
        ]

    def test_refuses_records_that_no_reader_reads(self, running: Running) -> None:
        assert (Bounds.depth, Bounds.keys) == (json_values.MAX_DEPTH, json_records.MAX_COLUMNS)
        events = [event(str(n), data=nested(depth)) for n, depth in enumerate((Bounds.depth, Bounds.depth + 1))]
        events.append(event("lists", data={"id": 1, "list": nested(Bounds.depth, lists=True)}))
        events += [event(str(keys), data={f"k{n}": n for n in range(keys)}) for keys in (Bounds.keys, Bounds.keys + 1)]
        response = running.push(events, BATCH)
        assert response.status_code == 202
        assert [(item["event"], item["reason"]) for item in response.json()["refused"]] == [
            (1, "data: nested more than 32 deep"), (2, "data: nested more than 32 deep"), (4, "data: more than 5000 keys"),
        ]  # fmt: skip
        assert running.push([event("deep", data=nested(900))], BATCH).status_code == 400
        assert running.accepted() == 2

    def test_accepts_a_binary_event(self, running: Running) -> None:
        headers = {"ce-specversion": "1.0", "ce-id": "%C5%BE", "ce-source": "urn:town", "ce-type": "town.changed"}
        assert running.push(b"", "application/json", **headers).status_code == 202

    @pytest.mark.parametrize(
        ("body", "kind", "status"),
        [
            (b"{", STRUCTURED, 400),
            (b"<html>", "text/html", 400),
            (json.dumps(event(data={"x": "y" * 2000})).encode(), STRUCTURED, 400),
            (json.dumps([event(str(i)) for i in range(11)]).encode(), BATCH, 413),
            (b" " * 20_001, STRUCTURED, 413),
        ],
    )
    def test_rejects_malformed_and_large_requests(self, tmp_path: Path, body: bytes, kind: str, status: int) -> None:
        with receiver(tmp_path / "events.db", Bounds(body=20_000, event=1000, batch=10)) as running:
            response = running.push(body, kind)
            assert response.status_code == status, response.text
            assert running.accepted() == 0
            assert running.push(event()).status_code == 202

    def test_rejects_a_compressed_body(self, running: Running) -> None:
        assert running.push(event(), **{"Content-Encoding": "gzip"}).status_code == 415

    def test_answers_408_to_a_slow_body(self, tmp_path: Path) -> None:
        with receiver(tmp_path / "events.db", Bounds(body_timeout=0.2)) as running:
            connection = http.client.HTTPConnection(running.url.removeprefix("http://"), timeout=10)
            connection.putrequest("POST", "/events")
            connection.putheader("Content-Length", "1000")
            connection.putheader("Authorization", f"Bearer {SECRET}")
            connection.endheaders(b"{")
            assert connection.getresponse().status == 408
            connection.close()

    def test_answers_429_with_retry_after(self, tmp_path: Path) -> None:
        with receiver(tmp_path / "events.db", Bounds(per_second=0.5, burst=2)) as running:
            statuses = [running.push(event(str(i))) for i in range(3)]
            assert [s.status_code for s in statuses] == [202, 202, 429]
            assert int(statuses[2].headers["retry-after"]) >= 1

    def test_answers_503_where_too_many_events_wait(self, tmp_path: Path) -> None:
        with receiver(tmp_path / "events.db", Bounds(backlog=1)) as running:
            assert running.push(event("1")).status_code == 202
            full = running.push(event("2"))
            assert full.status_code == 503
            assert full.headers["retry-after"] == "60"

    def test_answers_503_where_the_queue_cannot_be_written(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        original = Queue.__init__

        def small(self: Queue, path: Path) -> None:
            original(self, path)
            pages = self._connection.execute("pragma page_count").fetchone()[0]
            self._connection.execute(f"pragma max_page_count = {pages}")

        monkeypatch.setattr(Queue, "__init__", small)
        with receiver(tmp_path / "events.db") as running:
            response = running.push([event(str(i), data={"x": "y" * 4000}) for i in range(20)], BATCH)
            assert response.status_code == 503
            assert running.accepted() == 0


class TestAuthorisation:
    @pytest.mark.parametrize("token", [None, "", "wrong", SECRET + "x"])
    def test_needs_the_secret(self, running: Running, token: str | None) -> None:
        response = running.push(event(), token=token)
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"
        assert running.accepted() == 0

    def test_accepts_a_signature_of_the_body(self, running: Running) -> None:
        body = json.dumps(event()).encode()
        digest = hmac.new(b"another-secret-of-some-length", body, hashlib.sha256).hexdigest()
        assert running.push(body, token=None, **{"X-Signature-256": f"sha256={digest}"}).status_code == 202
        assert running.push(body + b" ", token=None, **{"X-Signature-256": f"sha256={digest}"}).status_code == 401

    def test_checks_the_attributes_of_a_binary_event(self, running: Running) -> None:
        headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "urn:town", "ce-type": "town.changed"}
        digest = hmac.new(SECRET.encode(), signed_content(list(headers.items()), b"{}"), hashlib.sha256).hexdigest()
        sign = {"X-Signature-256": f"sha256={digest}"}
        assert running.push(b"{}", "application/json", token=None, **{**headers, "ce-id": "2"}, **sign).status_code == 401
        assert running.push(b"{}", "application/json", token=None, **headers, **sign).status_code == 202

    @pytest.mark.parametrize("secrets", [[], ["short"]])
    def test_refuses_a_missing_or_short_secret(self, tmp_path: Path, secrets: list[str]) -> None:
        with pytest.raises(ValueError, match="at least 16 characters"):
            application(tmp_path / "events.db", TYPES, secrets)
