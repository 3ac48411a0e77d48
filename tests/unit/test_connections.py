"""Connections of clients that do not read, and of clients that hang while the server stops, over real sockets."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pipelines.core.connections import ConnectionLimits
from pipelines.extract.cloudevents.receiver import configuration

QUICK = ConnectionLimits(head_timeout=1, idle_timeout=1, linger_timeout=1, read_timeout=1)
SIZE = 30_000_000


@dataclass
class Running:
    """A running server with an answer of SIZE bytes at /large and one that reads the body at /body."""

    server: uvicorn.Server
    port: int
    thread: threading.Thread

    def client(self, sent: bytes, buffer: int | None = None) -> socket.socket:
        made = socket.socket()
        if buffer:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        made.settimeout(20)
        made.connect(("127.0.0.1", self.port))
        made.sendall(sent)
        return made

    def open(self) -> int:
        return len(self.server.server_state.connections)

    def wait_until_open(self, count: int, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while self.open() != count and time.monotonic() < ends:
            time.sleep(0.05)
        assert self.open() == count


@contextmanager
def running(limits: ConnectionLimits = QUICK) -> Iterator[Running]:
    async def body(request: Request) -> Response:
        try:
            return PlainTextResponse(str(len(await request.body())))
        except ClientDisconnect:
            return PlainTextResponse("", 400)

    async def large(_: Request) -> Response:
        return PlainTextResponse(b"x" * SIZE)

    app = Starlette(routes=[Route("/large", large), Route("/body", body, methods=["POST"])])
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(configuration(app, limits, log_level="error", backlog=300))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield Running(server, listening.getsockname()[1], thread)
        finally:
            server.should_exit = True
            thread.join(30)
            assert not thread.is_alive()


def get(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode()


class TestClientsThatDoNotRead:
    @pytest.mark.slow
    @pytest.mark.parametrize("headers", [[], ["Connection: close"]], ids=["kept_open", "closed"])
    def test_are_cut_off(self, headers: list[str]) -> None:
        with running() as server:
            clients = [server.client(get("/large", *headers), 4096) for _ in range(5)]
            server.wait_until_open(5, 5)
            server.wait_until_open(0, 15)
            for client in clients:
                client.close()

    @pytest.mark.slow
    def test_are_cut_off_whatever_they_send(self) -> None:
        with running() as server:
            client = server.client(get("/large"), 4096)
            server.wait_until_open(1, 5)
            ends = time.monotonic() + 15
            with pytest.raises(OSError):  # noqa: PT011, PT012 - reset or closed
                while time.monotonic() < ends:
                    client.send(b"G")
                    time.sleep(0.1)
            server.wait_until_open(0, 1)
            client.close()

    def test_cannot_send_any_number_of_requests(self) -> None:
        """Each of them would be in memory until the ones before it are answered."""
        with running() as server:
            some = server.client(get("/missing") * 50 + get("/missing", "Connection: close"))
            responses = b""
            while block := some.recv(65536):
                responses += block
            assert responses.count(b"HTTP/1.1 404") == 51
            many = server.client(get("/missing") * 1000, 4096)
            with pytest.raises(ConnectionError):  # noqa: PT012
                for _ in range(1000):
                    many.sendall(get("/missing") * 1000)
            server.wait_until_open(0, 5)
            some.close()
            many.close()

    @pytest.mark.slow
    def test_get_all_of_it_where_they_read_slowly(self) -> None:
        with running() as server:
            client = server.client(get("/large", "Connection: close"), 65536)
            received = 0
            while block := client.recv(1 << 17):
                received += len(block)
                time.sleep(0.01 if received < 20_000_000 else 0)
            assert received > SIZE
            client.close()


def test_clients_see_the_answer_to_a_large_body_that_nobody_reads() -> None:
    with running() as server:
        for _ in range(3):
            client = server.client(b"POST /missing HTTP/1.1\r\nHost: x\r\nContent-Length: 30000000\r\n\r\n")
            client.sendall(b" " * 30_000_000)  # a reset would be an exception
            assert client.recv(65536).startswith(b"HTTP/1.1 404")
            client.close()


def test_a_server_stops_while_clients_hang(caplog: pytest.LogCaptureFixture) -> None:
    patient = ConnectionLimits(head_timeout=60, idle_timeout=60, linger_timeout=60, read_timeout=60, per_client=300)
    half_a_body = b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx"
    with running(patient) as server:
        clients = [server.client(sent, 4096) for sent in (b"", b"GET", half_a_body) for _ in range(65)]
        clients += [server.client(get("/large"), 4096) for _ in range(5)]
        server.wait_until_open(200, 20)
        began = time.monotonic()
        server.server.should_exit = True
        server.thread.join(30)
        assert time.monotonic() - began < 15
        for client in clients:
            client.close()
    assert not [record for record in caplog.records if record.exc_info]
