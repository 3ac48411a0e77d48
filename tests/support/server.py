"""A web server on loopback that sends prepared replies, faults included, and records the requests."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Reply:
    """One reply. `promised` is the length that the header claims, where it differs from that of the body.

    `pause` is the time between two bytes and `after` the time before the first one, in seconds; `reset` cuts the connection instead of
    closing it.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    promised: int | None = None
    pause: float = 0
    reset: bool = False
    after: float = 0


@dataclass
class HttpRequest:
    """One request: the path without the query, the text of the query, the posted body and the headers."""

    path: str
    query: str
    body: bytes
    headers: dict[str, str]


class Server:
    """Sends the replies of each path in turn, repeating the last one; or calls the function in `routes`."""

    def __init__(self) -> None:
        self.replies: dict[str, list[Reply]] = {}
        self.routes: dict[str, Callable[[HttpRequest], Reply]] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.url = ""

    def reply(self, path: str, headers: dict[str, str], body: bytes = b"") -> Reply:
        self.requests.append((path, headers))
        plain, _, query = path.partition("?")
        if plain in self.routes:
            return self.routes[plain](HttpRequest(plain, query, body, headers))
        replies = self.replies.get(path, [Reply(404, b"nothing here")])
        return replies.pop(0) if len(replies) > 1 else replies[0]


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply(b"")

        def do_POST(self) -> None:
            self._reply(self.rfile.read(int(self.headers.get("Content-Length", 0))))

        def _reply(self, body: bytes) -> None:
            reply = server.reply(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            time.sleep(reply.after)
            self.send_response(reply.status)
            length = reply.promised if reply.promised is not None else len(reply.body)
            for name, value in {"Content-Length": str(length), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):  # the client may have gone
                if reply.pause:
                    for i in range(len(reply.body)):
                        self.wfile.write(reply.body[i : i + 1])
                        self.wfile.flush()
                        time.sleep(reply.pause)
                else:
                    self.wfile.write(reply.body)
                if reply.reset:
                    self.wfile.flush()
                    time.sleep(0.05)
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.connection.close()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server.url = f"http://127.0.0.1:{http.server_address[1]}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield server
        http.shutdown()
