"""Fetch the bytes of sources: conditional, bounded, retried. It only fetches: whether the bytes are any good is judged elsewhere."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from pipelines.archive import Archive, Snapshot, sha256_of
from pipelines.pack_models import FetchedSource
from pipelines.packs import Pack, Part
from pipelines.settings import Settings

TIMEOUT = (10, 60)  # seconds to connect, seconds between two packets
MAX_BYTES = 2 * 1024**3
CONCURRENT = 6
USER_AGENT = "zpo2-warehouse/0.1 (open-data indicator pipeline; contact: the operator of this host)"
_FOLDER = re.compile(r"^\$\{ZPO2_DIR_([A-Z0-9_]+)\}/(.+)$")


class FetchError(Exception):
    """The bytes could not be had; the message says from where and why."""


@dataclass(frozen=True)
class Request:
    """One part of one source to fetch, and what is known of its last fetch."""

    source: FetchedSource
    part: Part
    url: str
    last: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What a request came to: a snapshot, or the reason why there is none."""

    request: Request
    snapshot: Snapshot | None
    error: str | None = None


def address(source: FetchedSource, part: Part) -> str:
    """Return the address of a part: `{variable}` replaced, as one path segment or query value each."""
    url = source.fetch.url
    for name, value in part.variables.items():
        url = url.replace("{" + name + "}", quote(value, safe=""))
    return url


def fetch_all(
    pack: Pack,
    requests: Iterable[Request],
    archive: Archive,
    settings: Settings,
    done: Callable[[Answer], None] | None = None,
) -> list[Answer]:
    """Fetch every request, several at a time, and archive what comes. A failure is an answer too; nothing is raised."""
    todo = list(requests)
    fetcher = _Fetcher(pack, archive, settings)

    def one(request: Request) -> Answer:
        try:
            answer = Answer(request, fetcher.fetch(request))
        except (FetchError, OSError) as error:
            answer = Answer(request, None, str(error))
        if done:
            done(answer)
        return answer

    with ThreadPoolExecutor(CONCURRENT) as pool:
        return list(pool.map(one, todo))


class _Fetcher:
    def __init__(self, pack: Pack, archive: Archive, settings: Settings) -> None:
        self.pack = pack
        self.archive = archive
        self.settings = settings
        self._session: Any = None
        self._first = Lock()

    def fetch(self, request: Request) -> Snapshot:
        url = request.url
        scheme = urlsplit(url).scheme
        if scheme in ("http", "https"):
            if self.settings.mirror is not None:
                return self._local(request, _mirrored(self.settings.mirror, url))
            return self._remote(request)
        if scheme and not url.startswith("${"):
            raise FetchError(f"{url}: only http, https and paths are fetched")
        return self._local(request, self._inside(url))

    def _inside(self, url: str) -> Path:
        """Return the file a path names, which must lie in the pack or in the operator's folder, links resolved."""
        match = _FOLDER.match(url)
        if match:
            base = self.settings.folder(match[1])
            if base is None:
                raise FetchError(f"{url}: ZPO2_DIR_{match[1]} is not set")
            relative = match[2]
        else:
            base, relative = self.pack.root, url
        path = (base / unquote(relative)).resolve()
        if not path.is_relative_to(base.resolve()):
            raise FetchError(f"{url}: leads out of its folder")
        return path

    def _local(self, request: Request, path: Path) -> Snapshot:
        if not path.is_file():
            raise FetchError(f"{request.url}: no such file ({path})" if self.settings.mirror else f"{request.url}: no such file")
        return self._keep(request, path, sha256_of(path), final_url=request.url)

    def _keep(
        self, request: Request, content: Path, sha256: str, *, final_url: str, media_type: str = "", headers: dict[str, str] | None = None
    ) -> Snapshot:
        size = content.stat().st_size
        self._pinned(request, sha256, size)
        source = request.source
        return self.archive.add(
            content,
            Snapshot(
                source=source.id,
                part=request.part.name,
                url=request.url,
                sha256=sha256,
                bytes=size,
                fetched_at=self.settings.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
                final_url=final_url,
                media_type=media_type,
                licence=source.licence,
                publisher=source.publisher,
                headers=headers or {},
            ),
        )

    def _pinned(self, request: Request, sha256: str, size: int) -> None:
        expect = request.source.fetch.expect
        due = {expect.sha256} if expect and expect.sha256 else set()
        entry = self.pack.locked.get((request.source.id, request.part.name))
        if entry:
            due.add(entry["sha256"])
        if due and due != {sha256}:
            raise FetchError(f"{request.url}: content differs from the pinned one: sha256 {sha256}, due {' and '.join(sorted(due))}")
        if expect and expect.min_bytes is not None and size < expect.min_bytes:
            raise FetchError(f"{request.url}: {size} bytes, at least {expect.min_bytes} are due")
        if size == 0:
            raise FetchError(f"{request.url}: empty")
        if expect and expect.size_change is not None and request.last.get("bytes"):
            before = request.last["bytes"]
            if abs(size - before) > expect.size_change * before:
                raise FetchError(f"{request.url}: {size} bytes after {before}, more than {expect.size_change:.0%} of change")

    # ------------------------------------------------------------------------------------------------------------- network

    def _remote(self, request: Request) -> Snapshot:
        import requests  # the network's libraries are not needed for mirrors and local packs

        from pipelines.network import AddressRefusedError

        last = request.last
        headers = {**request.source.fetch.headers, "User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
        known = self.archive.find(request.source.id, request.part.name, last.get("sha256", "")) if last.get("sha256") else None
        if known and known.url == request.url:
            if known.headers.get("etag"):
                headers["If-None-Match"] = known.headers["etag"]
            if known.headers.get("last-modified"):
                headers["If-Modified-Since"] = known.headers["last-modified"]
        auth = request.source.fetch.auth
        if auth and auth.bearer_env:
            secret = self.settings.secret(auth.bearer_env)
            if secret is None:
                raise FetchError(f"{request.url}: {auth.bearer_env} is not set")
            if (urlsplit(request.url).hostname or "") not in self.settings.secret_hosts(auth.bearer_env):
                raise FetchError(f"{request.url}: {auth.bearer_env}_HOSTS does not name this host: the secret is not sent")
            headers["Authorization"] = f"Bearer {secret}"
        try:
            with self._http().get(
                request.url, params=request.source.fetch.params or None, headers=headers, timeout=TIMEOUT, stream=True
            ) as response:
                if response.status_code == 304 and known:
                    return known
                if response.status_code != 200:
                    raise FetchError(f"{request.url}: answered {response.status_code} {response.reason}")
                return self._receive(request, response)
        except AddressRefusedError as error:
            raise FetchError(f"{request.url}: {error}") from None
        except requests.RequestException as error:
            raise FetchError(f"{request.url}: {type(error).__name__}: {error}") from None

    def _receive(self, request: Request, response: Any) -> Snapshot:
        expect = request.source.fetch.expect
        media_type = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
        if expect and expect.media_type and media_type != expect.media_type.lower():
            raise FetchError(f"{request.url}: media type {media_type or 'not stated'}, {expect.media_type} is due")
        if media_type == "text/html" and not (expect and expect.media_type == "text/html"):
            raise FetchError(f"{request.url}: a web page in place of data")
        due = response.headers.get("Content-Length")
        self.archive.root.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self.archive.root, prefix=".part-") as file:
            digest, size = hashlib.sha256(), 0
            for block in response.iter_content(1 << 16):
                size += len(block)
                if size > MAX_BYTES:
                    raise FetchError(f"{request.url}: more than {MAX_BYTES} bytes")
                digest.update(block)
                file.write(block)
            file.flush()
            if due is not None and due.isdigit() and int(due) != size:
                raise FetchError(f"{request.url}: truncated: {size} of {due} bytes")
            kept = {k: response.headers[k] for k in ("etag", "last-modified") if k in response.headers}
            return self._keep(
                request, Path(file.name), digest.hexdigest(), final_url=_without_query(response.url), media_type=media_type, headers=kept
            )

    def _http(self) -> Any:
        with self._first:
            if self._session is None:
                from pipelines import network

                self._session = network.session(self.settings.allowed_hosts(), CONCURRENT)
        return self._session


def _without_query(url: str) -> str:
    """An address as it may be kept: a query may hold a key."""
    return urlsplit(url)._replace(query="", fragment="").geturl()


def _mirrored(mirror: Path, url: str) -> Path:
    parts = urlsplit(url)
    path = (mirror / (parts.hostname or "") / unquote(parts.path).lstrip("/")).resolve()
    if not path.is_relative_to(mirror.resolve()):
        raise FetchError(f"{url}: leads out of the mirror")
    return path
