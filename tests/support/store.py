"""An object store that speaks S3 on loopback: moto's server behind a gate that notes what is asked for and breaks what it is told to."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import boto3
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

KEY, SECRET = "AKIAEXAMPLEOFAKEY", "the-secret-of-that-key"
NOT_IMPLEMENTED = b'<?xml version="1.0"?><Error><Code>NotImplemented</Code></Error>'
WORDLESS = b'<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message></Message></Error>'
BUSY = b'<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>'
REFUSED = b'<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'


@dataclass
class Store:
    """`asked` are the requests as method and path, with COPY for a PUT that copies another object.

    Faults are by the number of the PUT: a status, or 0 for a connection that is cut. `refused` are methods that are refused without a word.
    A PUT to a path that ends in `failing` is refused, if it is not empty. While `pairs` is set, a PUT is answered only together with a second one.
    """

    asked: list[tuple[str, str]] = field(default_factory=list)
    faults: dict[int, int] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()
    failing: str = ""
    pairs: threading.Barrier | None = None
    active: int = 0
    idle: threading.Condition = field(default_factory=threading.Condition)
    hold_at: int = 0
    held: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    url: str = ""
    app: Any = None

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        method = "COPY" if "HTTP_X_AMZ_COPY_SOURCE" in environ else environ["REQUEST_METHOD"]
        with self.idle:
            self.asked.append((method, environ["PATH_INFO"]))
            number = len(self.puts) if method == "PUT" else 0
            self.active += 1
        try:
            return self._answer(method, number, environ, start)
        finally:
            with self.idle:
                self.active -= 1
                self.idle.notify_all()

    def _answer(self, method: str, number: int, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if method in self.refused:
            return _refusal(environ, start, "501 No" if method == "COPY" else "403 No", NOT_IMPLEMENTED if method == "COPY" else WORDLESS)
        if number and number == self.hold_at:
            self.held.set()
            self.go_on.wait(60)
            return _cut(environ)
        if number in self.faults:
            status = self.faults[number]
            if not status:
                environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
                return _cut(environ)
            return _refusal(environ, start, f"{status} No", BUSY if status == 503 else REFUSED)
        if number and self.failing and environ["PATH_INFO"].endswith(f"/{self.failing}"):
            return _refusal(environ, start, "403 No", REFUSED)
        if number and self.pairs is not None:
            self.pairs.wait(30)
        answer: Iterable[bytes] = self.app(environ, start)
        return answer

    def settle(self) -> None:
        """Wait until every request but the one that is held has been answered."""
        with self.idle:
            assert self.idle.wait_for(lambda: self.active <= (1 if self.held.is_set() and not self.go_on.is_set() else 0), 60)

    @property
    def puts(self) -> list[str]:
        return [path for method, path in self.asked if method == "PUT"]

    @cached_property
    def client(self) -> Any:
        return boto3.client("s3", endpoint_url=self.url, aws_access_key_id=KEY, aws_secret_access_key=SECRET, region_name="us-east-1")

    def bucket(self, name: str) -> str:
        """Make a bucket; what was noted so far is forgotten."""
        self.client.create_bucket(Bucket=name)
        self.asked.clear()
        return name

    def objects(self, bucket: str) -> dict[str, bytes]:
        """Return all objects of a bucket; asking for them is not noted."""
        noted = list(self.asked)
        names = [item["Key"] for item in self.client.list_objects_v2(Bucket=bucket).get("Contents", [])]
        found = {name: self.client.get_object(Bucket=bucket, Key=name)["Body"].read() for name in names}
        self.asked[:] = noted
        return found


def _refusal(environ: dict[str, Any], start: Callable[..., Any], status: str, body: bytes) -> Iterable[bytes]:
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]


def _cut(environ: dict[str, Any]) -> Iterable[bytes]:
    with suppress(OSError):  # whoever asked may be gone
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    raise ConnectionError


@contextmanager
def serving() -> Iterator[Store]:
    logging.getLogger("werkzeug").disabled = True
    store = Store(app=DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, store, threaded=True)
    store.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield store
    store.go_on.set()
    server.shutdown()
