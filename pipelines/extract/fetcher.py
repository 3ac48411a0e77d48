"""Turn requests into snapshots in the archive: where the bytes come from, who judges them, what is remembered of a failure."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipelines.core.clock import timestamp
from pipelines.core.settings import Settings
from pipelines.extract import protocols, validation
from pipelines.extract.http import local_files
from pipelines.extract.http.client import Client
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import Answer, FetchError, Received, Request
from pipelines.extract.protocols.catalogues import STAMP, Catalogues
from pipelines.extract.snapshots import Archive, Snapshot
from pipelines.packs import Pack

is_paged = protocols.is_paged


def fetch_all(
    pack: Pack,
    requests: Iterable[Request],
    archive: Archive,
    settings: Settings,
    done: Callable[[Answer], None] | None = None,
    limits: Limits | None = None,
) -> list[Answer]:
    """Fetch every request, several at a time, and archive what comes. A failure is an answer too; nothing is raised."""
    limits = limits or Limits()

    def one(request: Request) -> Answer:
        try:
            answer = fetcher.fetch(request)
        except FetchError as error:
            answer = Answer(request, None, str(error), error.wait)
        except (validation.RefusedError, OSError) as error:
            answer = Answer(request, None, str(error))
        if done:
            done(answer)
        return answer

    archive.root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.root, prefix=".part-") as lists, ThreadPoolExecutor(limits.concurrent) as pool:
        fetcher = _Fetcher(pack, archive, settings, limits, Path(lists))
        return list(pool.map(one, requests))


class _Fetcher:
    def __init__(self, pack: Pack, archive: Archive, settings: Settings, limits: Limits, lists: Path) -> None:
        self.pack = pack
        self.archive = archive
        self.settings = settings
        self.limits = limits
        self.client = Client(settings, limits, _contact(pack))
        self.catalogues = Catalogues(lists)
        self.lists = lists

    def fetch(self, request: Request) -> Answer:
        scheme = urlsplit(request.url).scheme
        if scheme in ("http", "https"):
            return self._remote(request)
        if scheme and not request.url.startswith("${"):
            raise FetchError(f"{request.url}: only http, https and paths are fetched")
        return self._kept(request, local_files.file(self.pack.root, request.url, self.settings))

    def _remote(self, request: Request) -> Answer:
        last = request.last
        known = self.archive.find(request.source.id, request.part.name, last.get("sha256", "")) if last.get("sha256") else None
        headers: dict[str, str] = last.get("headers", {}) if known and known.url == request.url else {}
        ask_list = self._ask(request, self.lists)

        def catalogue(url: str, params: Mapping[str, str] | None) -> Any:
            return self.catalogues.document(request, ask_list, url, params)

        stamp = {}
        if request.source.fetch.catalogue is not None:
            stamp = {STAMP: self.catalogues.changed(request, ask_list)}
            if known and stamp[STAMP] and headers.get(STAMP) == stamp[STAMP]:
                return Answer(request, known, headers=headers)
        with tempfile.TemporaryDirectory(dir=self.archive.root, prefix=".part-") as folder:
            received = protocols.receive(request, self._ask(request, Path(folder)), catalogue, headers, Path(folder), self.limits)
            if received.path is None:
                if known is None:
                    raise FetchError(f"{request.url}: answered 304 to a question without conditions")
                return Answer(request, known, headers={**headers, **stamp})
            return self._kept(request, replace(received, headers={**received.headers, **stamp}))

    def _ask(self, request: Request, folder: Path) -> Callable[..., Received]:
        mirror = self.settings.mirror

        def ask(url: str, params: Mapping[str, str] | None = None, body: Any = None, known: Mapping[str, str] | None = None) -> Received:
            if mirror is not None:
                return local_files.mirrored(mirror, url, params)
            return self.client.ask(request.source, url, folder, params=params, body=body, known=known)

        return ask

    def _kept(self, request: Request, received: Received) -> Answer:
        """Judge the bytes and archive them; what is refused stays aside for whoever wants to look at it."""
        source, part = request.source, request.part.name
        assert received.path is not None
        entry = self.pack.locked.get((source.id, part))
        try:
            validation.judge(received, request.url, source, entry["sha256"] if entry else None, request.last.get("bytes"))
        except validation.RefusedError:
            self.archive.set_aside(received.path, source.id, part)
            raise
        snapshot = Snapshot(
            source=source.id,
            part=part,
            url=request.url,
            sha256=received.sha256,
            bytes=received.size,
            fetched_at=timestamp(self.settings.now()),
            final_url=received.final_url,
            media_type=received.media_type,
            licence=source.licence,
            publisher=source.publisher,
        )
        return Answer(request, self.archive.add(received.path, snapshot), headers=dict(received.headers))


def _contact(pack: Pack) -> str:
    """Return whom a server may write to about our requests: the publisher's address, or where the release is published."""
    publisher = pack.file.publisher
    found = (publisher.email or publisher.iri if publisher else None) or pack.file.base_uri or "the operator of this host"
    return re.sub(r"[^\x21-\x7e ]", "", found)  # what a header may hold
