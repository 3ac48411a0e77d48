"""Turn requests into snapshots in the archive: fetch the bytes, validate them, and report each failure as a result."""

from __future__ import annotations

import logging
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from pipelines.core.clock import timestamp
from pipelines.core.errors import in_one_line
from pipelines.core.settings import Settings
from pipelines.extract import protocols, validation
from pipelines.extract.http import local_files
from pipelines.extract.http.client import Client
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import Download, FetchError, FetchResult, Request
from pipelines.extract.protocols.catalogues import CATALOGUE_STAMP, CatalogueCache
from pipelines.extract.protocols.paging import HttpGet
from pipelines.extract.snapshots import Archive, Snapshot
from pipelines.packs import Pack

is_paged = protocols.is_paged
_log = logging.getLogger("zpo2.extract")


def fetch_all(
    pack: Pack,
    requests: Iterable[Request],
    archive: Archive,
    settings: Settings,
    on_result: Callable[[FetchResult], None] | None = None,
    limits: Limits | None = None,
) -> list[FetchResult]:
    """Fetch all requests, several at a time, and archive the responses. A failure becomes a result with an error; nothing is raised."""
    limits = limits or Limits()

    def fetch_one(request: Request) -> FetchResult:
        try:
            result = fetcher.fetch(request)
        except FetchError as error:
            result = FetchResult(request, None, str(error), error.retry_after)
        except (validation.SnapshotRejected, OSError) as error:
            result = FetchResult(request, None, str(error))
        except Exception as error:  # a response that nobody thought of must not stop the other sources
            _log.exception("a fetch failed unexpectedly", extra={"source": request.source.id, "part": request.part.name})
            result = FetchResult(request, None, f"{request.url}: the response cannot be processed: {in_one_line(error)}")
        if result.error:
            result = replace(result, error=_without_secrets(result.error, request, settings))
        if on_result:
            on_result(result)
        return result

    archive.root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.root, prefix=".part-") as shared, ThreadPoolExecutor(limits.concurrent) as pool:
        fetcher = _Fetcher(pack, archive, settings, limits, Path(shared))
        return list(pool.map(fetch_one, requests))


class _Fetcher:
    """What the requests of one call of `fetch_all` share: the client, and the catalogues in the folder `shared`."""

    def __init__(self, pack: Pack, archive: Archive, settings: Settings, limits: Limits, shared: Path) -> None:
        self.pack = pack
        self.archive = archive
        self.settings = settings
        self.limits = limits
        self.client = Client(settings, limits, _contact(pack))
        self.catalogues = CatalogueCache(shared)
        self.shared = shared

    def fetch(self, request: Request) -> FetchResult:
        scheme = urlsplit(request.url).scheme
        if scheme in ("http", "https"):
            return self._fetch_remote(request)
        if scheme and not request.url.startswith("${"):
            raise FetchError(f"{request.url}: expected http, https or a path")
        return self._archive(request, local_files.file(self.pack.root, request.url, self.settings))

    def _fetch_remote(self, request: Request) -> FetchResult:
        last = request.last
        last_snapshot = self.archive.find(request.source.id, request.part.name, last.sha256) if last.sha256 else None
        last_headers = last.headers if last_snapshot and last_snapshot.url == request.url else {}
        get_shared = self._http_get(request, self.shared)

        def get_catalogue(url: str, params: Mapping[str, str] | None) -> Any:
            return self.catalogues.document(request, get_shared, url, params)

        stamp = {}
        if request.source.fetch.catalogue is not None:
            stamp = {CATALOGUE_STAMP: self.catalogues.last_modified(request, get_shared)}
            if last_snapshot and stamp[CATALOGUE_STAMP] and last_headers.get(CATALOGUE_STAMP) == stamp[CATALOGUE_STAMP]:
                return FetchResult(request, last_snapshot, headers=last_headers)
        with tempfile.TemporaryDirectory(dir=self.archive.root, prefix=".part-") as folder:
            get = self._http_get(request, Path(folder))
            download = protocols.download(request, get, get_catalogue, last_headers, Path(folder), self.limits)
            if download.path is None:
                if last_snapshot is None:
                    raise FetchError(f"{request.url}: answered 304 to an unconditional request")
                return FetchResult(request, last_snapshot, headers={**last_headers, **stamp})
            return self._archive(request, replace(download, headers={**download.headers, **stamp}))

    def _http_get(self, request: Request, folder: Path) -> HttpGet:
        """Return the function that fetches an address for a source into `folder`, from the mirror where there is one."""
        mirror = self.settings.mirror

        def get(
            url: str, params: Mapping[str, str] | None = None, body: Any = None, last_headers: Mapping[str, str] | None = None
        ) -> Download:
            if mirror is not None:
                return local_files.mirrored(mirror, url, params)
            return self.client.get(request.source, url, folder, params=params, body=body, last_headers=last_headers)

        return get

    def _archive(self, request: Request, download: Download) -> FetchResult:
        """Validate the bytes and archive them; rejected bytes are kept aside for inspection."""
        source, part = request.source, request.part.name
        assert download.path is not None
        entry = self.pack.locked.get((source.id, part))
        try:
            validation.validate_snapshot(download, request.url, source, entry["sha256"] if entry else None, request.last.bytes)
        except validation.SnapshotRejected:
            self.archive.set_aside(download.path, source.id, part)
            raise
        snapshot = Snapshot(
            source=source.id,
            part=part,
            url=request.url,
            sha256=download.sha256,
            bytes=download.size,
            fetched_at=timestamp(self.settings.now()),
            final_url=download.final_url,
            media_type=download.media_type,
            licence=source.licence,
            publisher=source.publisher,
        )
        return FetchResult(request, self.archive.add(download.path, snapshot), headers=dict(download.headers))


def _without_secrets(text: str, request: Request, settings: Settings) -> str:
    """Return an error text without the secrets of its source: an address that a server names may repeat them."""
    for variable in request.source.fetch.secrets:
        secret = settings.secret(variable)
        for form in {secret, quote(secret, safe=""), quote_plus(secret)} if secret else ():
            text = text.replace(form, "***")
    return text


def _contact(pack: Pack) -> str:
    """Return whom a server's operator may write to about our requests: the publisher's address, or where the release is published."""
    publisher = pack.file.publisher
    contact = (publisher.email or publisher.iri if publisher else None) or pack.file.base_uri or "the operator of this host"
    return re.sub(r"[^\x21-\x7e ]", "", contact)  # characters that a header may hold
