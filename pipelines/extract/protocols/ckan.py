"""CKAN: a data set that leads to one of its files, and a datastore in pages. Shape: docs.ckan.org/en/latest/api."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from pipelines.core.json_pointer import at
from pipelines.extract.http.request import Download, FetchError
from pipelines.extract.protocols.paging import fetch_pages
from pipelines.extract.protocols.reading import brief, loaded
from pipelines.extract.protocols.request import ProtocolRequest, choose_item, stamp_of
from pipelines.packs.schema import Paging

_PAGES = Paging(kind="offset", param="offset", size=32_000, size_param="limit", records="/result/records", total="/result/total")


def is_paged(path: str) -> bool:
    """Whether the path is that of a datastore."""
    return path.rstrip("/").endswith("datastore_search")


def download(request: ProtocolRequest) -> Download:
    """Download all pages of a datastore, or one file of a data set. Raises FetchError."""
    if is_paged(urlsplit(request.url).path):
        return _datastore(request)
    return request.get_item(*_file(request))


def _file(request: ProtocolRequest) -> tuple[str, str]:
    """Return the address of the file, and when it was changed."""
    with request.get_catalogue(request.url, request.params) as response:
        _check(response, request.url)
        package = at(response, "/result")
        file = choose_item(request, at(package, "/resources"), ("id", "name", "format"))
        changed = file.get("hash") or file.get("last_modified") or at(package, "/metadata_modified")
        return request.item_address(file.get("url")), stamp_of(changed)


def _datastore(request: ProtocolRequest) -> Download:
    def get(url: str, params: Any = None, body: Any = None, last_headers: Any = None) -> Download:
        page = request.get(url, params, body, last_headers)
        with loaded(page, url, request.limits) as content:
            _check(content, url)
        return page

    paging, size = _PAGES, request.params.pop("limit", None)
    if size and size.isdecimal():
        paging = paging.model_copy(update={"size": int(size)})
    return fetch_pages(get, request.url, request.params, None, paging, records=None, folder=request.folder, limits=request.limits)


def _check(response: Any, url: str) -> None:
    if at(response, "/success") is not True:
        raise FetchError(f"{url}: CKAN reports: {brief(at(response, '/error/message')) or 'no success'}")
