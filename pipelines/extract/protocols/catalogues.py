"""Catalogues (lists of data sets): each is fetched once, however many sources it lists. Its item tells whether a source has changed.

Keeps responses for one call of `fetch_all`; fetches no source.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from pipelines.core.json_pointer import at
from pipelines.extract.http.deadline import Deadline
from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import Download, FetchError, Request
from pipelines.extract.protocols.paging import HttpGet, load
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

    def document(self, request: Request, get: HttpGet, url: str, params: Mapping[str, str] | None, deadline: Deadline | None = None) -> Any:
        """Return a catalogue in JSON; only the first call fetches and parses it. The others do not count their wait. Raises FetchError."""

        def read() -> Any:
            return load(self._download(request, get, url, params, deadline), url, self._limits)

        return self._once(request, url, params, "json", read, deadline)

    def last_modified(self, request: Request, get: HttpGet, deadline: Deadline | None = None) -> str:
        """Return when the source's item last changed, as its catalogue states it. Raises FetchError where the item is not listed."""
        catalogue = request.source.fetch.catalogue
        assert catalogue is not None
        url = catalogue.url
        if catalogue.format == "tsv":
            view = f"tsv {catalogue.id} {catalogue.changed}"
            items = self._once(
                request, url, None, view,
                lambda: _table_stamps(self._download(request, get, url, None, deadline), url, catalogue, self._limits), deadline,
            )  # fmt: skip
        else:
            document = self.document(request, get, url, None, deadline)
            view = f"items {catalogue.records} {catalogue.id} {catalogue.changed}"
            items = self._once(request, url, None, view, lambda: _json_stamps(document, url, catalogue), deadline)
        item = request.part.filled(catalogue.item)
        if item not in items:
            raise FetchError(f"{url}: {item} is not among the {len(items)} items of the catalogue")
        return items[item]

    def _download(self, request: Request, get: HttpGet, url: str, params: Mapping[str, str] | None, deadline: Deadline | None) -> Download:
        return self._once(request, url, params, "bytes", lambda: _keep(get(url, params), self._folder), deadline)

    def _once(
        self, request: Request, url: str, params: Mapping[str, str] | None, view: str, compute: Callable[[], T], deadline: Deadline | None
    ) -> T:
        """Return what `compute` returned the first time for this `view` of this catalogue. A failure is remembered, too."""
        fetch = request.source.fetch
        auth = fetch.auth.model_dump() if fetch.auth else None
        key = json.dumps([view, url, dict(params or {}), fetch.model_dump(include={"headers", "params"}), auth], sort_keys=True)
        with self._lock:
            lock = self._locks.setdefault(key, Lock())
        with ExitStack() as stack:
            with deadline.paused() if deadline else nullcontext():
                stack.enter_context(lock)
            if key not in self._values:
                try:
                    self._values[key] = compute()
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


def _json_stamps(document: Any, url: str, catalogue: Catalogue) -> dict[str, str]:
    items = at(document, catalogue.records)
    if not isinstance(items, list):
        raise FetchError(f"{url}: expected a list at {catalogue.records or 'the root of the document'}")
    return stamps(items, catalogue.id, catalogue.changed)


def _table_stamps(download: Download, url: str, catalogue: Catalogue, limits: Limits) -> dict[str, str]:
    assert download.path is not None
    if download.size > limits.max_document:
        raise FetchError(f"{url}: {download.size} bytes; the limit of a page or a catalogue is {limits.max_document} bytes")
    try:
        with download.path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", skipinitialspace=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise FetchError(f"{url}: not tab-separated text: {error}") from None
    if not rows or catalogue.id not in rows[0] or catalogue.changed not in rows[0]:
        raise FetchError(f"{url}: expected the columns {catalogue.id} and {catalogue.changed}")
    return {(row[catalogue.id] or "").strip(): (row[catalogue.changed] or "").strip() for row in rows}


def stamps(items: list[Any], identifier: str, changed: str) -> dict[str, str]:
    """Return {identifier: time of the last change} of a catalogue's items; items without an identifier are left out."""
    return {str(i[identifier]): str(i.get(changed) or "") for i in items if isinstance(i, dict) and i.get(identifier)}


def digest(item_stamps: Mapping[str, str]) -> str:
    """Return a hash of items and their times of change, independent of their order."""
    return hashlib.sha256(json.dumps(sorted(item_stamps.items()), ensure_ascii=False).encode()).hexdigest()
