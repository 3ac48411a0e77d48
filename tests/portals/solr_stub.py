"""Answer what CKAN asks of Solr, as an index without documents: `python solr_stub.py PORT SCHEMA`.

CKAN needs an index to start and to save datasets. It shows datasets from its database if the index does not have them; only its search
finds nothing.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORT, SCHEMA = int(sys.argv[1]), Path(sys.argv[2]).read_bytes()
EMPTY = {
    "responseHeader": {"status": 0, "QTime": 0},
    "response": {"numFound": 0, "start": 0, "docs": []},
    "facet_counts": {"facet_queries": {}, "facet_fields": {}, "facet_ranges": {}},
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer()

    def _answer(self) -> None:
        is_schema = "/schema" in self.path or "/admin/file" in self.path
        body = SCHEMA if is_schema else json.dumps(EMPTY).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/xml" if is_schema else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
