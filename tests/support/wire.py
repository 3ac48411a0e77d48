"""A server on loopback that writes the bytes of its answers itself: what no HTTP library would send, slowly, for ever, or never."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import repeat

FOR_EVER: Iterable[bytes] = repeat(b"x" * 65536)


class Wire:
    """One request to the server and the connection for its answer. Writing raises OSError once the client has gone."""

    def __init__(self, connection: socket.socket, head: bytes, ended: threading.Event, url: str) -> None:
        self.connection, self.head, self.ended, self.url = connection, head, ended, url
        self.path, _, self.query = head.split(b" ", 2)[1].decode("latin-1").partition("?")

    def send(self, *blocks: bytes) -> None:
        """Send `blocks` as fast as they go."""
        for block in blocks:
            self.connection.sendall(block)

    def stream(self, blocks: Iterable[bytes], pause: float = 0) -> None:
        """Send `blocks`, with a pause of so many seconds after each, until the server ends."""
        for block in blocks:
            self.connection.sendall(block)
            if self.ended.wait(pause) if pause else self.ended.is_set():
                raise ConnectionAbortedError

    def drip(self, content: bytes, pause: float = 0.05) -> None:
        """Send one byte after the other."""
        self.stream((content[i : i + 1] for i in range(len(content))), pause)

    def ok(self, *headers: bytes) -> None:
        """Send the head of an answer with status 200."""
        self.send(b"HTTP/1.1 200 OK\r\n", *(header + b"\r\n" for header in headers), b"\r\n")

    def whole(self, body: bytes, *headers: bytes) -> None:
        """Send a complete answer with status 200."""
        self.ok(b"Content-Length: %d" % len(body), *headers)
        self.send(body)

    def keep_silent(self) -> None:
        """Send nothing until the server ends."""
        self.ended.wait()
        raise ConnectionAbortedError


Answer = Callable[[Wire], None]


@contextmanager
def listening(answer: Answer) -> Iterator[str]:
    """Call `answer` for each request, each connection in a thread of its own; yield the address of the server."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"

        def serve(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                connection.settimeout(30)
                head = b""
                while not head.partition(b"\r\n\r\n")[1]:
                    block = connection.recv(65536)
                    if not block:
                        return
                    head += block
                answer(Wire(connection, head, ended, url))
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_WR)  # an answer that is cut off, not reset
                    while connection.recv(65536):
                        pass

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=serve, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield url
        finally:
            ended.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)
