"""The web application behind `serve`: files of a `public` folder over HTTP (RFC 9110). Opens no socket.

Starlette's static files do validators, ranges and safe paths; what is added here is what they do otherwise than the
standard or than a release needs: other media types, HEAD and foreign range units without ranges, one range an answer,
what a file whose name begins with a dot is, the redirect, the index. `docs/operations/nginx.conf` says the same to nginx.
"""

from __future__ import annotations

import html
import os
import re
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exports.model.errors import ReleaseError
from exports.model.media_types import ALWAYS_ASK, FOR_EVER, MEDIA_TYPES, METADATA, media_type
from exports.release import ledger

METHODS = "GET, HEAD, OPTIONS"
CORS = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "Accept-Ranges, Content-Length, Content-Range, ETag, Last-Modified, Link, Location",
}
PREFLIGHT = {
    "access-control-allow-methods": METHODS,
    "access-control-allow-headers": "Range, If-Range, If-None-Match, If-Modified-Since",
    "access-control-max-age": "86400",
}
_RANGE = re.compile(r"bytes=(?:(?P<first>[0-9]{1,18})-(?P<last>[0-9]{0,18})|-[0-9]{1,18})", re.IGNORECASE)


def application(public: Path) -> ASGIApp:
    """Return the application that serves `public`."""

    async def index(_: Request) -> Response:
        return HTMLResponse(_index(public), headers={"cache-control": ALWAYS_ASK})

    async def latest(request: Request) -> Response:
        try:
            release = ledger.current(public)
        except ReleaseError as error:
            return PlainTextResponse(f"{error}\n", status_code=500)
        if release is None:
            return PlainTextResponse("nothing was published yet\n", status_code=404)
        path = quote(request.path_params.get("path", ""))
        query = f"?{request.url.query}" if request.url.query else ""
        target = f"/{ledger.RELEASES}/{release.version}/{path}{query}"
        return RedirectResponse(target, status_code=307, headers={"cache-control": ALWAYS_ASK})

    async def contents(request: Request) -> Response:
        version = request.path_params["version"]
        try:
            known = version in {entry.version for entry in ledger.history(public)}
            known = known and (public / ledger.RELEASES / version).is_dir()  # else it was pruned
        except ReleaseError as error:
            return PlainTextResponse(f"{error}\n", status_code=500)
        if not known:
            return PlainTextResponse("no such release\n", status_code=404)
        return HTMLResponse(_contents(public / ledger.RELEASES / version, version), headers={"cache-control": ALWAYS_ASK})

    routes = [
        Route("/", index),
        Route("/latest", latest),
        Route("/latest/{path:path}", latest),
        Route(f"/{ledger.RELEASES}/{{version}}/", contents),
        Mount("/", PublicFiles(directory=public, check_dir=False)),
    ]
    return OpenToAll(Starlette(routes=routes))


class PublicFiles(StaticFiles):
    """Files with the validators, types and links of a release."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        headers = Headers(scope=scope)
        if any(part.startswith(".") for part in path.split("/") if part != "."):
            return PlainTextResponse("Not Found", status_code=404)  # what zpo2 keeps there is for web servers, not for readers
        # ranges are defined for GET; a server ignores units it does not know and ranges that are none, and may ignore several of them
        if scope["method"] != "GET" or not _is_range(headers.get("range", "")):
            scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"range"]
        return await super().get_response(path, scope)

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        name = os.path.basename(full_path)
        response = FileResponse(full_path, status_code=status_code, stat_result=stat_result, media_type=media_type(name))
        # files are replaced, never written to in place: another content is another inode or time
        response.headers["etag"] = f'"{stat_result.st_ino:x}-{stat_result.st_mtime_ns:x}-{stat_result.st_size:x}"'
        within = f"/{ledger.RELEASES}/" in scope["path"]
        response.headers["cache-control"] = FOR_EVER if within else ALWAYS_ASK
        if name.endswith(".csv"):
            metadata = quote(f"{name}-metadata.json")
            response.headers["link"] = f'<{metadata}>; rel="describedby"; type="{MEDIA_TYPES[METADATA]}"'
        if self.is_not_modified(response.headers, Headers(scope=scope)):
            return NotModifiedResponse(response.headers)
        return response


class OpenToAll:
    """Lets pages of any origin read every answer, and answers their preflight questions."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_open(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(CORS)
                if message["status"] == 405:
                    headers["allow"] = METHODS
            await send(message)

        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            await Response(status_code=204, headers={"allow": METHODS, **PREFLIGHT})(scope, receive, send_open)
        else:
            await self.app(scope, receive, send_open)


def _is_range(header: str) -> bool:
    """Whether a header asks for one range of bytes."""
    found = _RANGE.fullmatch(header.strip())
    return found is not None and (not found["last"] or not found["first"] or int(found["first"]) <= int(found["last"]))


def _index(public: Path) -> str:
    try:
        versions = [e.version for e in reversed(ledger.history(public)) if (public / ledger.RELEASES / e.version).is_dir()]
    except ReleaseError as error:
        return _page("Releases", [], str(error))
    links = [("latest/", "the current release"), *((name, name) for name in (ledger.LATEST, ledger.LEDGER, ledger.FEED))]
    return _page("Releases", (links if versions else []) + [(f"{ledger.RELEASES}/{v}/", v) for v in versions])


def _contents(release: Path, version: str) -> str:
    files = sorted(p.relative_to(release) for p in release.rglob("*") if p.is_file())
    return _page(f"Release {version}", [(quote(PurePosixPath(p).as_posix()), str(p)) for p in files])


def _page(title: str, links: list[tuple[str, str]], note: str = "") -> str:
    feed = f'<link rel="alternate" type="{MEDIA_TYPES[".atom"]}" title="Releases" href="/{ledger.FEED}">'
    items = "".join(f'<li><a href="{html.escape(target)}">{html.escape(text)}</a></li>' for target, text in links)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>{feed}'
        f"<h1>{html.escape(title)}</h1><p>{html.escape(note)}</p><ul>{items}</ul></html>\n"
    )
