"""Turn requests into snapshots in the archive: fetch the bytes, validate them, and report each failure as a result."""

from __future__ import annotations

import html
import json
import logging
import math
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

from pipelines.core.addresses import split_address
from pipelines.core.clock import timestamp
from pipelines.core.errors import in_one_line
from pipelines.core.printable import printable, shortened
from pipelines.core.settings import Settings
from pipelines.extract import protocols, validation
from pipelines.extract.http import local_files
from pipelines.extract.http.client import Client
from pipelines.extract.http.deadline import Deadline, of_part
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.rate_limit import Places
from pipelines.extract.http.request import Download, FetchError, FetchResult, NotAsked, Request
from pipelines.extract.protocols.catalogues import CATALOGUE_STAMP, CatalogueCache
from pipelines.extract.protocols.paging import HttpGet
from pipelines.extract.snapshots import Archive, Snapshot
from pipelines.packs import Pack

is_paged = protocols.is_paged
_MAX_ERROR = 2000  # characters
_log = logging.getLogger("zpo2.extract")


def fetch_all(
    pack: Pack,
    requests: Iterable[Request],
    archive: Archive,
    settings: Settings,
    on_result: Callable[[FetchResult], None] | None = None,
    limits: Limits | None = None,
) -> list[FetchResult]:
    """Fetch all requests, several at a time, and archive the responses. A failure becomes a result with an error; nothing is raised.

    Several sources may read the same file: what they request in the same way is requested once, and each gets the bytes. Sources that must
    not fail come first, the first part of each before the second ones, and slow ones do not keep the others waiting.
    """
    limits = limits or Limits.of(settings)
    requests = list(requests)
    groups: dict[str, list[int]] = {}
    parts: Counter[str] = Counter()
    turns: dict[str, int] = {}
    for position, request in enumerate(requests):
        groups.setdefault(request.transfer, []).append(position)
        turns.setdefault(request.transfer, parts[request.source.id])
        parts[request.source.id] += 1

    def result_of(request: Request, archive_response: Callable[[], FetchResult]) -> FetchResult:
        try:
            result = archive_response()
        except FetchError as error:
            result = FetchResult(request, None, str(error), error.retry_after, attempted=not isinstance(error, NotAsked))
        except (validation.SnapshotRejected, OSError) as error:
            result = FetchResult(request, None, str(error))
        except Exception as error:  # a response that nobody thought of must not stop the other sources
            _log.exception("a fetch failed unexpectedly", extra={"source": request.source.id, "part": request.part.name})
            result = FetchResult(request, None, f"{request.url}: the response cannot be processed: {in_one_line(error)}")
        if result.error:
            text = _without_secrets(result.error, request, settings)
            result = replace(result, error=shortened(printable(text), _MAX_ERROR))
        if on_result:
            on_result(result)
        return result

    def fetch_group(positions: list[int]) -> dict[int, FetchResult]:
        group = {position: requests[position] for position in positions}
        try:
            with places.held(), fetcher.download(list(group.values())) as download:
                return {i: result_of(r, partial(fetcher.archive_response, r, download)) for i, r in group.items()}
        except Exception as error:
            return {i: result_of(r, partial(_raise, error)) for i, r in group.items()}

    archive.root.mkdir(parents=True, exist_ok=True)
    order = [groups[key] for key in sorted(groups, key=lambda key: (all(requests[i].source.optional for i in groups[key]), turns[key]))]
    places = Places(limits.concurrent, limits.slow, limits.patience)
    threads = limits.concurrent + limits.slow
    with tempfile.TemporaryDirectory(dir=archive.root, prefix=".part-") as shared, ThreadPoolExecutor(threads) as pool:
        fetcher = _Fetcher(pack, archive, settings, limits, Path(shared))
        results = {i: result for of_group in pool.map(fetch_group, order) for i, result in of_group.items()}
    return [results[i] for i in range(len(requests))]


class _Fetcher:
    """What the requests of one call of `fetch_all` share: the client, and the catalogues in the folder `shared`."""

    def __init__(self, pack: Pack, archive: Archive, settings: Settings, limits: Limits, shared: Path) -> None:
        self.pack = pack
        self.archive = archive
        self.settings = settings
        self.limits = limits
        self.client = Client(settings, limits, _contact(pack))
        self.catalogues = CatalogueCache(shared, limits)
        self.shared = shared
        self._of_optional: Deadline | None = None
        self._lock = Lock()

    @contextmanager
    def download(self, requests: Sequence[Request]) -> Iterator[Download]:
        """Send what `requests` have in common, and yield the response, as long as its file is there. Raises FetchError."""
        request = min(requests, key=lambda r: r.source.fetch.rate or math.inf)
        scheme = _scheme(request.url)
        if scheme in ("http", "https"):
            with tempfile.TemporaryDirectory(dir=self.archive.root, prefix=".part-") as folder:
                headers = [self._last_headers(r) for r in requests]
                with of_part(self.limits.deadline, self._of_all(requests)) as deadline, self._losses(request, deadline):
                    download = self._download(request, headers[0] if all(h == headers[0] for h in headers) else {}, Path(folder), deadline)
                yield download
        elif scheme and not request.url.startswith("${"):
            raise FetchError(f"{request.url}: expected http, https or a path")
        else:
            yield local_files.file(self.pack.root, request.url, self.settings)

    def _of_all(self, requests: Sequence[Request]) -> Deadline | None:
        """Return the deadline of all optional sources, which begins with the first of them; None where a request is of another source."""
        if not all(request.source.optional for request in requests):
            return None
        with self._lock:
            self._of_optional = self._of_optional or Deadline(self.limits.optional_deadline)
            return self._of_optional

    @contextmanager
    def _losses(self, request: Request, deadline: Deadline) -> Iterator[None]:
        """Count the time of a part that fails among the losses of its source, which limit the next parts. Raises NotAsked."""
        losses, name = self.client.losses, f"source {request.source.id}"  # no host has such a name
        losses.limit(name, deadline, request.url)
        try:
            yield
        except FetchError:
            losses.add(name, deadline, deadline.spent)
            raise

    def _last_headers(self, request: Request) -> dict[str, str]:
        """Return the headers of the last response, if the archive still has what came with them."""
        snapshot = self._last_snapshot(request)
        return request.last.headers if snapshot and snapshot.url == request.url else {}

    def _last_snapshot(self, request: Request) -> Snapshot | None:
        last = request.last
        return self.archive.find(request.source.id, request.part.name, last.sha256) if last.sha256 else None

    def _download(self, request: Request, last_headers: dict[str, str], folder: Path, deadline: Deadline) -> Download:
        get_shared = self._http_get(request, self.shared, deadline)

        def get_catalogue(url: str, params: Mapping[str, str] | None) -> AbstractContextManager[Any]:
            return self.catalogues.document(request, get_shared, url, params)

        stamp = {}
        if request.source.fetch.catalogue is not None:
            stamp = {CATALOGUE_STAMP: self.catalogues.last_modified(request, get_shared)}
            if stamp[CATALOGUE_STAMP] and last_headers.get(CATALOGUE_STAMP) == stamp[CATALOGUE_STAMP]:
                return Download(None, headers=last_headers)
        download = protocols.download(request, self._http_get(request, folder, deadline), get_catalogue, last_headers, folder, self.limits)
        headers = last_headers if download.path is None else download.headers
        return replace(download, headers={**headers, **stamp})

    def archive_response(self, request: Request, download: Download) -> FetchResult:
        """Validate and archive a response for one of the requests that it answers. Raises FetchError and SnapshotRejected."""
        if download.path is not None:
            return self._archive(request, download)
        snapshot = self._last_snapshot(request)
        if snapshot is None:
            raise FetchError(f"{request.url}: answered 304 to an unconditional request")
        return FetchResult(request, snapshot, headers=dict(download.headers))

    def _http_get(self, request: Request, folder: Path, deadline: Deadline) -> HttpGet:
        """Return the function that fetches an address for a source into `folder` by `deadline`, from the mirror where there is one."""
        mirror = self.settings.mirror

        def get(
            url: str, params: Mapping[str, str] | None = None, body: Any = None, last_headers: Mapping[str, str] | None = None
        ) -> Download:
            if mirror is not None:
                return local_files.mirrored(mirror, url, params)
            return self.client.get(request.source, url, folder, params=params, body=body, last_headers=last_headers, deadline=deadline)

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


def _scheme(url: str) -> str:
    """Return the scheme of an address, empty for a path. Raises FetchError where it is no address: drafts may have any text."""
    try:
        return split_address(url).scheme
    except ValueError as error:
        raise FetchError(f"{url}: not an address: {error}") from None


def _raise(error: Exception) -> FetchResult:
    raise error


def _without_secrets(text: str, request: Request, settings: Settings) -> str:
    """Return an error text without the secrets of its source: an address that a server names may repeat them."""
    for variable in request.source.fetch.secrets:
        if secret := settings.secret(variable):
            text = re.sub("".join(map(_written, secret)), "***", text)
    return text


def _written(character: str) -> str:
    """Return a pattern for the ways in which addresses, JSON, HTML and error messages write a character."""
    in_address = "".join(f"%{byte:02x}" for byte in character.encode())
    forms = {character, json.dumps(character)[1:-1], html.escape(character), repr(character)[1:-1], *("+" if character == " " else "")}
    return f"(?:{'|'.join(map(re.escape, sorted(forms)))}|(?i:{in_address}))"


def _contact(pack: Pack) -> str:
    """Return whom a server's operator may write to about our requests: the publisher's address, or where the release is published."""
    publisher = pack.file.publisher
    contact = (publisher.email or publisher.iri if publisher else None) or pack.file.base_uri or "the operator of this host"
    return re.sub(r"[^\x21-\x7e ]", "", contact)  # characters that a header may hold
