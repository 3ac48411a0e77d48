"""Lists of data sets, each asked once however many sources stand in it; the item's own word decides whether a source has changed.

Keeps answers for one call of `fetch_all`; fetches no source.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from pipelines.extract.http.request import FetchError, Received, Request, filled
from pipelines.extract.protocols.paging import at, load
from pipelines.packs.schema import Catalogue

STAMP = "catalogue-item-changed"  # a header of our own, kept like those of the answer

Ask = Callable[..., Received]


class Catalogues:
    """The lists that were asked so far, each a file in `folder`. Safe to use from several threads; who comes second waits for the first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()
        self._locks: dict[str, Lock] = {}
        self._found: dict[str, Any] = {}

    def document(self, request: Request, ask: Ask, url: str, params: Mapping[str, str] | None) -> Any:
        """Return the JSON that a list answers, asking it and reading it only the first time. Raises FetchError."""
        return self._once(request, url, params, "json", lambda: load(self._received(request, ask, url, params), url))

    def changed(self, request: Request, ask: Ask) -> str:
        """Return when the source's item last changed, in the words of its list. Raises FetchError where it is not in it."""
        catalogue = request.source.fetch.catalogue
        assert catalogue is not None
        url = catalogue.url
        if catalogue.format == "tsv":
            what = f"tsv {catalogue.id} {catalogue.changed}"
            items = self._once(request, url, None, what, lambda: _of_table(self._received(request, ask, url, None), url, catalogue))
        else:
            document = self.document(request, ask, url, None)
            what = f"items {catalogue.records} {catalogue.id} {catalogue.changed}"
            items = self._once(request, url, None, what, lambda: _items(document, url, catalogue))
        wanted = filled(catalogue.item, request.part)
        if wanted not in items:
            raise FetchError(f"{url}: {wanted} is not among its {len(items)} items")
        return str(items[wanted])

    def _received(self, request: Request, ask: Ask, url: str, params: Mapping[str, str] | None) -> Received:
        found: Received = self._once(request, url, params, "bytes", lambda: _kept(ask(url, params), self._folder))
        return found

    def _once(self, request: Request, url: str, params: Mapping[str, str] | None, what: str, find: Callable[[], Any]) -> Any:
        """Return what `find` found the first time for this list and this way to look at it; a failure is remembered, too."""
        fetch = request.source.fetch
        auth = fetch.auth.model_dump() if fetch.auth else None
        key = json.dumps([what, url, dict(params or {}), fetch.headers, auth], sort_keys=True)
        with self._lock:
            lock = self._locks.setdefault(key, Lock())
        with lock:
            if key not in self._found:
                try:
                    self._found[key] = find()
                except FetchError as error:
                    self._found[key] = error
            found = self._found[key]
        if isinstance(found, FetchError):
            raise FetchError(str(found), found.status, found.wait)
        return found


def _kept(received: Received, folder: Path) -> Received:
    """Return the answer with its file out of reach of the request that happened to come first; a file of a mirror stays where it is."""
    if received.path is None or not received.path.is_relative_to(folder):
        return received
    target = folder / f"list-{received.sha256}"
    received.path.replace(target)
    return Received(target, received.sha256, received.size, received.final_url, received.media_type, received.headers, received.next_link)


def _items(document: Any, url: str, catalogue: Catalogue) -> dict[str, str]:
    items = at(document, catalogue.records)
    if not isinstance(items, list):
        raise FetchError(f"{url}: no list at {catalogue.records or 'its root'}")
    return stamps(items, catalogue.id, catalogue.changed)


def _of_table(received: Received, url: str, catalogue: Catalogue) -> dict[str, str]:
    assert received.path is not None
    try:
        with received.path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", skipinitialspace=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise FetchError(f"{url}: no text with tabs: {error}") from None
    if not rows or catalogue.id not in rows[0] or catalogue.changed not in rows[0]:
        raise FetchError(f"{url}: no columns {catalogue.id} and {catalogue.changed}")
    return {(row[catalogue.id] or "").strip(): (row[catalogue.changed] or "").strip() for row in rows}


def stamps(items: list[Any], identifier: str, changed: str) -> dict[str, str]:
    """Return {identifier: time of change} of the items of a list; what has no identifier is left out."""
    return {str(i[identifier]): str(i.get(changed) or "") for i in items if isinstance(i, dict) and i.get(identifier)}


def digest(found: Mapping[str, str]) -> str:
    """Return a hash of items and their times of change, whatever their order."""
    return hashlib.sha256(json.dumps(sorted(found.items()), ensure_ascii=False).encode()).hexdigest()
