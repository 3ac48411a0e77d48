"""Catalogues (lists of data sets): each is fetched once, however many sources it lists. Its item tells whether a source has changed.

Keeps responses for one call of `fetch_all`; fetches no source.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from pipelines.core.json_pointer import at
from pipelines.extract.http.deadline import waiting
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import Download, FetchError, NotAsked, Request
from pipelines.extract.protocols.paging import HttpGet
from pipelines.extract.protocols.reading import assert_readable, loaded
from pipelines.extract.protocols.request import stamp_of
from pipelines.packs.schema import Catalogue

CATALOGUE_STAMP = "catalogue-item-changed"
"""A header that we add ourselves: when the source last changed, as the catalogue states it."""

T = TypeVar("T")


class CatalogueCache:
    """The catalogues fetched so far, as files in `folder`. Safe to use from several threads: the second caller waits for the first."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder, self._limits = folder, limits
        self._lock = Lock()
        self._locks: dict[str, Lock] = {}
        self._values: dict[str, Any] = {}

    @contextmanager
    def document(self, request: Request, get: HttpGet, url: str, params: Mapping[str, str] | None) -> Iterator[Any]:
        """Yield a catalogue in JSON, which only the first call fetches. Raises FetchError."""
        with loaded(self._download(request, get, url, params), url, self._limits) as document:
            yield document

    def last_modified(self, request: Request, get: HttpGet) -> str:
        """Return when the source's item last changed, as its catalogue states it. Raises FetchError where the item is not listed."""
        catalogue = request.source.fetch.catalogue
        assert catalogue is not None
        url = catalogue.url

        def compute() -> dict[str, str]:
            if catalogue.format == "tsv":
                return _table_stamps(self._download(request, get, url, None), url, catalogue, self._limits)
            with self.document(request, get, url, None) as document:
                return _json_stamps(document, url, catalogue, self._limits)

        items = self._once(request, url, None, f"items {catalogue.format} {catalogue.records} {catalogue.id} {catalogue.changed}", compute)
        item = request.part.filled(catalogue.item)
        if item not in items:
            raise FetchError(f"{url}: {item} is not among the {len(items)} items of the catalogue")
        return items[item]

    def _download(self, request: Request, get: HttpGet, url: str, params: Mapping[str, str] | None) -> Download:
        def compute() -> Download:
            download = get(url, params)
            assert_readable(download, url, self._limits)
            return _keep(download, self._folder)

        return self._once(request, url, params, "bytes", compute)

    def _once(self, request: Request, url: str, params: Mapping[str, str] | None, view: str, compute: Callable[[], T]) -> T:
        """Return what `compute` returned the first time for this `view` of this catalogue. A failure is remembered, too.

        The others do not count their wait.
        """
        fetch = request.source.fetch
        auth = fetch.auth.model_dump() if fetch.auth else None
        key = json.dumps([view, url, dict(params or {}), fetch.model_dump(include={"headers", "params"}), auth], sort_keys=True)
        with self._lock:
            lock = self._locks.setdefault(key, Lock())
        with ExitStack() as stack:
            with waiting():
                stack.enter_context(lock)
            if key not in self._values:
                try:
                    self._values[key] = compute()
                except NotAsked:
                    raise
                except FetchError as error:
                    self._values[key] = error
            value: T | FetchError = self._values[key]
        if isinstance(value, FetchError):
            raise FetchError(str(value), value.status, value.retry_after)
        return value


def _keep(download: Download, folder: Path) -> Download:
    """Move the file to a name that outlives the request that fetched it first; a file of a mirror stays where it is."""
    if download.path is None or not download.path.is_relative_to(folder):
        return download
    return replace(download, path=download.path.replace(folder / f"list-{download.sha256}"))


def _json_stamps(document: Any, url: str, catalogue: Catalogue, limits: Limits) -> dict[str, str]:
    items = at(document, catalogue.records)
    if not isinstance(items, list):
        raise FetchError(f"{url}: expected a list at {catalogue.records or 'the root of the document'}")
    if len(items) > limits.max_items:
        raise FetchError(f"{url}: more than {limits.max_items} items")
    return stamps(items, catalogue.id, catalogue.changed)


def _table_stamps(download: Download, url: str, catalogue: Catalogue, limits: Limits) -> dict[str, str]:
    assert download.path is not None
    items: dict[str, str] = {}
    try:
        with download.path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, delimiter="\t", skipinitialspace=True)
            header = next(rows, [])
            if catalogue.id not in header or catalogue.changed not in header:
                raise FetchError(f"{url}: expected the columns {catalogue.id} and {catalogue.changed}")
            identifier, changed = header.index(catalogue.id), header.index(catalogue.changed)
            for count, row in enumerate(rows, 1):
                if count > limits.max_items:
                    raise FetchError(f"{url}: more than {limits.max_items} items")
                if len(row) > identifier:
                    items[row[identifier].strip()] = stamp_of(row[changed].strip() if len(row) > changed else "")
    except (UnicodeDecodeError, csv.Error) as error:
        raise FetchError(f"{url}: not tab-separated text: {error}") from None
    return items


def stamps(items: list[Any], identifier: str, changed: str) -> dict[str, str]:
    """Return {identifier: time of the last change} of a catalogue's items; items without an identifier are left out."""
    return {str(i[identifier]): stamp_of(i.get(changed)) for i in items if isinstance(i, dict) and i.get(identifier)}


def digest(item_stamps: Mapping[str, str]) -> str:
    """Return a hash of items and their times of change, independent of their order."""
    return hashlib.sha256(json.dumps(sorted(item_stamps.items()), ensure_ascii=False).encode()).hexdigest()
