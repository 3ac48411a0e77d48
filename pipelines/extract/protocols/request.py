"""A request with what a protocol needs to send it, and the choice of one file from a catalogue. Knows no interface."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import Download, FetchError, Request, fill_all
from pipelines.extract.protocols.paging import HttpGet, fetch_pages, linked_address
from pipelines.packs.schema import Paging

GetCatalogue = Callable[[str, Mapping[str, str] | None], AbstractContextManager[Any]]
"""Returns a catalogue, which is in memory inside of `with`."""
ITEM_STAMP = "item-changed"
"""A header that we add ourselves: when the file last changed, as its catalogue states it."""
_MAX_STAMP = 200  # characters
_MAX_NAME = 500  # characters of a name, and of all names, that are shown


class ProtocolRequest:
    """One request, with the functions that send it and with its parameters filled in."""

    def __init__(
        self,
        request: Request,
        get: HttpGet,
        get_catalogue: GetCatalogue,
        last_headers: dict[str, str],
        folder: Path,
        limits: Limits,
    ) -> None:
        self.url, self.fetch, self.get, self.get_catalogue = request.url, request.source.fetch, get, get_catalogue
        self.last_headers, self.folder, self.limits = last_headers, folder, limits
        records = request.source.read.records
        self.records = request.part.filled(records) if records else records
        # secrets are added by the client, to requests to the host of the source
        self.params = {name: request.part.filled(text) for name, text in self.fetch.params.items() if isinstance(text, str)}
        self.body = fill_all(self.fetch.body, request.part)

    def get_pages(self, paging: Paging) -> Download:
        """Return all pages as one file. Raises FetchError."""
        return fetch_pages(
            self.get, self.url, self.params, self.body, paging, records=self.records, folder=self.folder, limits=self.limits
        )  # fmt: skip

    def item_address(self, url: Any) -> str:
        """Return the address of a file that a catalogue names as `url`. Raises FetchError where it is none, or neither http nor https."""
        if not isinstance(url, str) or not url:
            raise FetchError(f"{self.url}: the catalogue has no address for the file")
        address = linked_address(self.url, url, self.limits)
        if urlsplit(address).scheme not in ("http", "https"):
            raise FetchError(f"{self.url}: the catalogue names {address[:200]}; expected http or https")
        return address

    def get_item(self, address: str, stamp: str) -> Download:
        """Download the file of a catalogue, unless its stamp is still that of the last response. Raises FetchError."""
        if stamp and self.last_headers.get(ITEM_STAMP) == stamp:
            return Download(None, final_url=address)
        download = self.get(address, last_headers=self.last_headers)
        if download.path is None or not stamp:
            return download
        return replace(download, headers={**download.headers, ITEM_STAMP: stamp})


def stamp_of(last_modified: Any) -> str:
    """Return the time of a change as a server states it, or the digest of what is too long for a time; empty where it states none."""
    text = str(last_modified) if last_modified else ""
    return text if len(text) <= _MAX_STAMP else hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def choose_item(request: ProtocolRequest, items: Any, keys: tuple[str, ...], name: str | None = None) -> dict[str, Any]:
    """Return the one of `items` whose value of one of `keys` is `name`, by default the source's `resource`.

    The last segment of an IRI counts as its name. Without a name there must be only one item. Raises FetchError.
    """
    name = name if name is not None else request.fetch.resource
    candidates = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    if name is None and len(candidates) == 1:
        return candidates[0]
    for key in keys:
        matches = [item for item in candidates if _is_named(_as_text(item.get(key)), name)]
        if len(matches) == 1:
            return matches[0]
    named = (_as_text(item.get(key))[:_MAX_NAME] for item in candidates for key in keys[:2])
    names = islice(dict.fromkeys(text for text in named if text), _MAX_NAME)
    problem = f"{name} is missing, or not unique" if name else "there are several files; name one as `resource`"
    raise FetchError(f"{request.url}: {problem}; available: {(', '.join(names) or 'nothing')[:_MAX_NAME]}")


def _as_text(value: Any) -> str:
    if isinstance(value, dict):  # texts by language
        value = next(iter(value.values()), "")
    return str(value) if isinstance(value, str | int | float) and value else ""


def _is_named(text: str, name: str | None) -> bool:
    return name is not None and text != "" and name.lower() in (text.lower(), text.lower().rstrip("/").rsplit("/", 1)[-1])
