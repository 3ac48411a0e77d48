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

from pipelines.core.connections import ConnectionLimits
from pipelines.extract.cloudevents.parsing import BATCH, STRUCTURED
from pipelines.extract.cloudevents.queue import Queue
from pipelines.extract.cloudevents.receiver import Bounds, TokenBucket, application, configuration, signed_content
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
def receiver(path: Path, bounds: Bounds | None = None, connections: ConnectionLimits | None = None) -> Iterator[Running]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        app = application(path, TYPES, [SECRET, "another-secret-of-some-length"], bounds)
        server = uvicorn.Server(configuration(app, connections, log_level="error"))
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


QUICK = ConnectionLimits(head_timeout=0.5, idle_timeout=5, linger_timeout=2, per_client=100, total=150)


def half_open(running: Running, count: int, sent: bytes) -> list[socket.socket]:
    """Open connections that send so much and then nothing more."""
    host, port = running.url.removeprefix("http://").split(":")
    opened = []
    for _ in range(count):
        opened.append(socket.create_connection((host, int(port)), timeout=10))
        opened[-1].sendall(sent)
    return opened


def closed(connections: list[socket.socket], seconds: float) -> int:
    """Return how many of the connections the server closes within so many seconds."""
    ends, count = time.monotonic() + seconds, 0
    for connection in connections:
        connection.settimeout(max(0.01, ends - time.monotonic()))
        try:
            count += not connection.recv(65536).endswith(b"never")
        except ConnectionError:
            count += 1
        except TimeoutError:
            pass
    return count


@pytest.mark.slow
class TestHostileClients:
    @pytest.mark.parametrize(
        "sent",
        [
            b"",
            b"P",
            b"POST /events HTTP/1.1\r\nHost: x\r\n",
            b"POST /events HTTP/1.1\r\nHost: x\r\nX-Signature-256: sha256=" + b"0" * 64 + b"\r\nContent-Length: 9\r\n\r\n{",
            b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n",
        ],
        ids=["nothing", "one_byte", "half_a_head", "half_a_body", "kept_open"],
    )
    def test_that_keep_220_connections_open_block_nobody(self, tmp_path: Path, sent: bytes) -> None:
        with receiver(tmp_path / "events.db", connections=QUICK) as running:
            connections = half_open(running, 220, sent)
            try:
                began = time.monotonic()
                assert running.push(event()).status_code == 202
                assert requests.get(f"{running.url}/health", timeout=10).json()["waiting"] == 1
                assert time.monotonic() - began < 3
            finally:
                for connection in connections:
                    connection.close()

    def test_that_send_no_head_are_closed_at_the_deadline(self, tmp_path: Path) -> None:
        with receiver(tmp_path / "events.db", connections=QUICK) as running:
            connections = half_open(running, 20, b"GET /health HTTP/1.1\r\nX: ")
            ended, began = threading.Event(), time.monotonic()

            def drip() -> None:
                while not ended.wait(0.05):
                    for connection in connections:
                        try:
                            connection.send(b"y")
                        except OSError:
                            return

            thread = threading.Thread(target=drip)
            thread.start()
            assert closed(connections, 5) == 20
            assert time.monotonic() - began < 4
            ended.set()
            thread.join()

    def test_that_send_an_endless_head_are_closed(self, tmp_path: Path) -> None:
        with receiver(tmp_path / "events.db", connections=ConnectionLimits(head_timeout=60)) as running:
            [connection] = half_open(running, 1, b"GET /health HTTP/1.1\r\n")
            with pytest.raises(ConnectionError):  # noqa: PT012 - the connection is reset while it is written to
                for _ in range(100_000):
                    connection.sendall(b"X: " + b"y" * 60_000 + b"\r\n")
            connection.close()

    @pytest.mark.parametrize("token", [SECRET, None])
    def test_that_send_too_much_see_the_status(self, tmp_path: Path, token: str | None) -> None:
        with receiver(tmp_path / "events.db", Bounds(body=100_000)) as running:
            for _ in range(5):
                response = running.push(b" " * 30_000_000, token=token)  # a reset would be an exception
                assert response.status_code == (413 if token else 401)
                assert response.headers["connection"] == "close"

            def blocks() -> Iterator[bytes]:
                yield from (b" " * 65536 for _ in range(300))

            auth = {"Authorization": f"Bearer {token}"} if token else {}
            chunked = requests.post(f"{running.url}/events", data=blocks(), headers={"Content-Type": STRUCTURED, **auth}, timeout=10)
            assert chunked.status_code == (413 if token else 401)

    def test_that_never_end_a_refused_body_are_closed(self, tmp_path: Path) -> None:
        with receiver(tmp_path / "events.db", Bounds(body=1000), QUICK) as running:
            [connection] = half_open(running, 1, f"POST /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SECRET}\r\n".encode())
            connection.sendall(b"Content-Length: 999999999999\r\n\r\n")
            assert b" 413 " in connection.recv(65536)
            began = time.monotonic()
            with pytest.raises(ConnectionError):  # noqa: PT012
                while time.monotonic() - began < 8:
                    connection.sendall(b" " * 1000)
                    time.sleep(0.01)
            assert time.monotonic() - began < 6
            connection.close()

    def test_that_cut_a_body_off_leave_no_trace(self, running: Running, caplog: pytest.LogCaptureFixture) -> None:
        head = f"POST /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SECRET}\r\nContent-Length: 100\r\n\r\n{{"
        for connection in half_open(running, 5, head.encode()):
            connection.close()
        assert running.push(event()).status_code == 202
        assert "Traceback" not in caplog.text
        assert not [record for record in caplog.records if record.exc_info]

    def test_that_send_a_chunk_of_a_wrong_length_leave_no_trace(self, running: Running, caplog: pytest.LogCaptureFixture) -> None:
        for path in ("/events", "/health", "/other"):  # the last two are answered without a look at the body
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SECRET}\r\nTransfer-Encoding: chunked\r\n\r\n"
            [connection] = half_open(running, 1, f"{head}5\r\n{{}}\r\n0\r\n\r\n".encode())
            connection.settimeout(5)
            assert b" 400 " in connection.recv(65536)
            connection.close()
        assert running.push(event()).status_code == 202
        assert "Traceback" not in caplog.text
        assert not [record for record in caplog.records if record.exc_info]

    def test_share_one_limit_of_memory(self, tmp_path: Path) -> None:
        with receiver(tmp_path / "events.db", Bounds(buffered=100_000, body_timeout=5)) as running:
            signed = b"X-Signature-256: sha256=" + b"0" * 64 + b"\r\nContent-Length: 60000\r\n\r\n" + b" " * 50_000
            connections = half_open(running, 3, b"POST /events HTTP/1.1\r\nHost: x\r\n" + signed)
            assert b" 503 " in connections[2].recv(65536)
            for connection in connections:
                connection.close()
