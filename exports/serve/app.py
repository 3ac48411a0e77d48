"""The web application behind `zpo2 serve`: the files of a `public` folder over HTTP (RFC 9110). Opens no socket.

Starlette's static files provide validators, ranges and safe paths. Added here is what a release needs beyond that, or what Starlette does
differently from the standard: media types, no ranges for HEAD requests and for unknown units, one range per response, no hidden files, the
redirect to the current release, compressed text, the way to the site, and the index. `docs/operations/nginx.conf` configures nginx in the
same way.
"""

from __future__ import annotations

import html
import os
import re
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exports.model import layout
from exports.model.errors import ReleaseError
from exports.model.media_types import CACHE_FOREVER, CACHE_REVALIDATE, MEDIA_TYPES, METADATA, media_type
from exports.release import ledger
from exports.release.entries import RELEASES
from exports.release.public_folder import FEED
from exports.serve import preferences
from exports.serve.compression import CompressedFiles, accepts_gzip, is_compressible

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


LATEST_PAGES = re.compile(
    r"index(\.[A-Za-z-]+)?\.html|latest\.js|"
    + "|".join([*map(re.escape, layout.LATEST_DESCRIPTORS), *(f"{name}/[^.].*" for name in layout.LATEST_CATALOGUES)])
)
"""The files below `latest/` that are served as they are; every other path redirects."""


def application(public: Path) -> ASGIApp:
    """Return the application that serves `public`."""

    files = PublicFiles(directory=public, html=True, check_dir=False)

    async def start(request: Request) -> Response:
        if (page := _site_page(public, request.headers.get("accept-language", ""))) is None:
            return await index(request)
        query = f"?{request.url.query}" if request.url.query else ""
        headers = {"cache-control": CACHE_REVALIDATE, "vary": "Accept-Language"}
        return RedirectResponse(f"/{quote(page)}{query}", status_code=307, headers=headers)

    async def index(request: Request) -> Response:
        if (public / layout.INDEX).is_file():
            return await files.get_response(layout.INDEX, request.scope)
        return HTMLResponse(_index(public), headers={"cache-control": CACHE_REVALIDATE})

    async def latest(request: Request) -> Response:
        try:
            release = ledger.current(public)
        except ReleaseError as error:
            return PlainTextResponse(f"{error}\n", status_code=500)
        if release is None:
            return PlainTextResponse("nothing has been published yet\n", status_code=404)
        path = request.path_params.get("path", "")
        if LATEST_PAGES.fullmatch(path) and (public / layout.LATEST_FOLDER / path).is_file():
            return await files.get_response(f"{layout.LATEST_FOLDER}/{path}", request.scope)
        path = quote(path)
        query = f"?{request.url.query}" if request.url.query else ""
        target = f"/{RELEASES}/{release.version}/{path}{query}"
        return RedirectResponse(target, status_code=307, headers={"cache-control": CACHE_REVALIDATE})

    async def contents(request: Request) -> Response:
        version = request.path_params["version"]
        try:
            release = ledger.read_ledger(public).find(version)
        except ReleaseError as error:
            return PlainTextResponse(f"{error}\n", status_code=500)
        if release is None or not (public / RELEASES / version).is_dir():  # unknown or pruned
            return PlainTextResponse("no such release\n", status_code=404)
        if (public / RELEASES / version / layout.INDEX).is_file():
            return await files.get_response(f"{RELEASES}/{version}/{layout.INDEX}", request.scope)
        return HTMLResponse(_contents(public / RELEASES / version, version), headers={"cache-control": CACHE_REVALIDATE})

    routes = [
        Route("/", start),
        Route("/latest", latest),
        Route("/latest/{path:path}", latest),
        Route(f"/{RELEASES}/{{version}}/", contents),
        Mount("/", files),
    ]
    return AllowAllOrigins(Starlette(routes=routes))


class PublicFiles(StaticFiles):
    """Static files with validators, media types, links and compression as a release needs them."""

    compressed = CompressedFiles()

    async def get_response(self, path: str, scope: Scope) -> Response:
        headers = Headers(scope=scope)
        if any(part.startswith(".") for part in path.split("/") if part != "."):
            return PlainTextResponse("Not Found", status_code=404)  # hidden files are for web servers, not for readers
        # Ranges are defined only for GET. A server ignores unknown units and invalid ranges, and may ignore requests for several ranges.
        if scope["method"] != "GET" or not _is_range(headers.get("range", "")):
            scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"range"]
        response = await super().get_response(path, scope)
        if not isinstance(response, FileResponse) or "content-encoding" not in response.headers:
            return response
        content = await run_in_threadpool(self.compressed.content, Path(response.path), response.headers["etag"])
        kept = {name: value for name, value in response.headers.items() if name not in ("content-length", "accept-ranges")}
        return Response(content, response.status_code, kept)

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        name = os.path.basename(full_path)
        response = FileResponse(full_path, status_code=status_code, stat_result=stat_result, media_type=media_type(name))
        # files are replaced and never changed in place: new content means a new inode or time
        response.headers["etag"] = f'"{stat_result.st_ino:x}-{stat_result.st_mtime_ns:x}-{stat_result.st_size:x}"'
        within = f"/{RELEASES}/" in scope["path"]
        response.headers["cache-control"] = CACHE_FOREVER if within else CACHE_REVALIDATE
        if name.endswith(".csv") and (metadata := _metadata_of(Path(full_path))):
            response.headers["link"] = f'<{quote(metadata)}>; rel="describedby"; type="{MEDIA_TYPES[METADATA]}"'
        if is_compressible(response.headers["content-type"], stat_result.st_size):
            headers = Headers(scope=scope)
            response.headers["vary"] = "Accept-Encoding"
            if "range" not in headers and accepts_gzip(headers.get("accept-encoding", "")):
                response.headers["etag"] = f'{response.headers["etag"][:-1]}-gzip"'  # another representation, so another validator
                response.headers["content-encoding"] = "gzip"
        if self.is_not_modified(response.headers, Headers(scope=scope)):
            return NotModifiedResponse(response.headers)
        return response


class AllowAllOrigins:
    """Allows web pages of any origin to read every response, and answers their preflight requests."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(CORS)
                if message["status"] == 405:
                    headers["allow"] = METHODS
            await send(message)

        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            await Response(status_code=204, headers={"allow": METHODS, **PREFLIGHT})(scope, receive, send_with_headers)
        else:
            await self.app(scope, receive, send_with_headers)


def _site_page(public: Path, accepted: str) -> str | None:
    """Return the path of the first page of the site of the current release, in the language that the client accepts; None without a site."""
    try:
        release = ledger.current(public)
        pack = ledger.read_ledger(public).pack
    except ReleaseError:
        return None
    if release is None:
        return None
    folder = f"{RELEASES}/{release.version}"
    available = [path.parent.name for path in sorted((public / folder / layout.SITE).glob("*/index.html"))]
    first = [language for language in (pack.languages if pack else ()) if language in available]
    language = preferences.language(accepted, list(dict.fromkeys([*first, *available])))
    return None if language is None else f"{folder}/{layout.site_page(language)}"


def _metadata_of(path: Path) -> str | None:
    """Return the name of the metadata of a CSV file, which are in the same folder; None if it has none."""
    names = (path.name + layout.FORMER_METADATA, layout.METADATA)
    return next((name for name in names if path.with_name(name).is_file()), None)


def _is_range(header: str) -> bool:
    """Whether a header asks for a single range of bytes."""
    match = _RANGE.fullmatch(header.strip())
    return match is not None and (not match["last"] or not match["first"] or int(match["first"]) <= int(match["last"]))


def _index(public: Path) -> str:
    try:
        versions = [e.version for e in reversed(ledger.history(public)) if (public / RELEASES / e.version).is_dir()]
    except ReleaseError as error:
        return _page("Releases", [], str(error))
    links = [("latest/", "the current release"), *((name, name) for name in (ledger.LATEST, ledger.LEDGER, FEED))]
    return _page("Releases", (links if versions else []) + [(f"{RELEASES}/{v}/", v) for v in versions])


def _contents(release: Path, version: str) -> str:
    files = sorted(p.relative_to(release) for p in release.rglob("*") if p.is_file())
    return _page(f"Release {version}", [(quote(PurePosixPath(p).as_posix()), str(p)) for p in files])


def _page(title: str, links: list[tuple[str, str]], note: str = "") -> str:
    feed = f'<link rel="alternate" type="{MEDIA_TYPES[".atom"]}" title="Releases" href="/{FEED}">'
    items = "".join(f'<li><a href="{html.escape(target)}">{html.escape(text)}</a></li>' for target, text in links)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>{feed}'
        f"<h1>{html.escape(title)}</h1><p>{html.escape(note)}</p><ul>{items}</ul></html>\n"
    )
