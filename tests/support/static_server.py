"""Serves a folder below a sub-path on loopback, as a static host does: text compressed with gzip where the client takes it."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

LEVEL = 6
"""Level of gzip of the example configuration of nginx."""
COMPRESSED = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".topojson": "application/json",
    ".svg": "image/svg+xml",
}


@contextmanager
def serving(folder: Path, under: str = "data/2026") -> Iterator[str]:
    """Serve `folder` at the address that is yielded, which ends in `/`. Everything outside the sub-path is not found."""
    handler = partial(_Handler, folder=folder, prefix=f"/{under}/" if under else "/")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        http.daemon_threads = True
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{http.server_address[1]}/{under}/" if under else f"http://127.0.0.1:{http.server_address[1]}/"
        finally:
            http.shutdown()


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, *arguments: object, folder: Path, prefix: str) -> None:
        self.folder, self.prefix = folder, prefix
        super().__init__(*arguments, directory=str(folder))  # type: ignore[arg-type]

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if not path.startswith(self.prefix):
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.path = "/" + path.removeprefix(self.prefix)
        file = Path(self.translate_path(self.path))
        if file.is_dir() and path.endswith("/"):
            file /= "index.html"
        if file.suffix not in COMPRESSED or not file.is_file() or "gzip" not in self.headers.get("Accept-Encoding", ""):
            super().do_GET()
            return
        body = _packed(file, file.stat().st_mtime_ns)
        self.send_response(HTTPStatus.OK)
        for name, value in (("Content-Type", COMPRESSED[file.suffix]), ("Content-Encoding", "gzip"), ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@lru_cache(maxsize=512)
def _packed(file: Path, _changed: int) -> bytes:
    return gzip.compress(file.read_bytes(), LEVEL, mtime=0)
