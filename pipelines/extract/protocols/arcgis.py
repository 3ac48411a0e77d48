"""ArcGIS: a layer of a FeatureServer in pages, and the feed of a Hub, which leads to a file of one data set.

Shape: developers.arcgis.com/rest/services-reference/enterprise/query-feature-service-layer; the feed is DCAT-US 1.1.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from pipelines.core.json_pointer import at
from pipelines.extract.http.request import Download, FetchError
from pipelines.extract.protocols.catalogues import digest, stamps
from pipelines.extract.protocols.paging import fetch_pages
from pipelines.extract.protocols.reading import brief, loaded
from pipelines.extract.protocols.request import ITEM_STAMP, ProtocolRequest, choose_item, stamp_of
from pipelines.packs.schema import Paging

_LAYER = re.compile(r"/(FeatureServer|MapServer)/[0-9]+/?$")
_DEFAULT_PAGE, _MAX_PAGE = 1000, 2000  # features
_MAX_FIELD = 200  # characters of the name of a field


def is_paged(path: str) -> bool:
    """Whether the path is that of a layer."""
    return bool(_LAYER.search(path))


def download(request: ProtocolRequest) -> Download:
    """Download all features of a layer, the file of one data set of a Hub, or the Hub's feed itself. Raises FetchError."""
    if is_paged(urlsplit(request.url).path):
        return _layer(request)
    return _feed(request) if request.fetch.dataset is None else _dataset(request, request.fetch.dataset)


def _layer(request: ProtocolRequest) -> Download:
    def get(url: str, params: Any = None, body: Any = None, last_headers: Any = None) -> Download:
        response = request.get(url, params, body, last_headers)
        with loaded(response, url, request.limits) as content:
            error = at(content, "/error")  # ArcGIS reports failures with status 200
            if error:
                raise FetchError(f"{url}: ArcGIS reports: {brief(at(error, '/code'))} {brief(at(error, '/message'))}")
        return response

    base = request.url.rstrip("/")
    edited, key, size = _description(request, get(base, {"f": "json"}), base)
    if edited and request.last_headers.get(ITEM_STAMP) == edited:
        return Download(None, final_url=base)
    query = {"where": "1=1", "outFields": "*", "outSR": "4326", "f": "json", **request.params}
    counted = get(f"{base}/query", {"where": query["where"], "returnCountOnly": "true", "f": "json"})
    with loaded(counted, base, request.limits) as content:
        count = at(content, "/count")
    if key:
        query.setdefault("orderByFields", key)  # without an order pages may overlap
    paging = Paging(
        kind="offset", param="resultOffset", size=size, size_param="resultRecordCount", records="/features", more="/exceededTransferLimit"
    )
    pages = fetch_pages(
        get, f"{base}/query", query, None, paging,
        records=None, folder=request.folder, limits=request.limits, expected=count if isinstance(count, int) else None,
    )  # fmt: skip
    return replace(pages, headers={ITEM_STAMP: edited} if edited else {})


def _description(request: ProtocolRequest, response: Download, url: str) -> tuple[str, str, int]:
    """Return when a layer was last edited, the field by which its features are ordered ("" without one), and how many a page may have."""
    with loaded(response, url, request.limits) as layer:
        fields = at(layer, "/fields")
        key = at(layer, "/objectIdField") or next(
            (
                f.get("name")
                for f in (fields if isinstance(fields, list) else [])
                if isinstance(f, dict) and f.get("type") == "esriFieldTypeOID"
            ),
            None,
        )
        if key and (not isinstance(key, str) or len(key) > _MAX_FIELD):
            raise FetchError(f"{url}: {brief(key)[:_MAX_FIELD]} is no name of a field")
        max_page = at(layer, "/maxRecordCount")
        size = min(max_page, _MAX_PAGE) if isinstance(max_page, int) and max_page > 0 else _DEFAULT_PAGE
        return stamp_of(at(layer, "/editingInfo/lastEditDate")), key or "", size


def _feed(request: ProtocolRequest) -> Download:
    """Download the feed itself, unless no item has changed: its bytes differ from day to day even then."""
    feed = request.get(request.url, request.params, last_headers=request.last_headers)
    if feed.path is None:
        return feed
    with loaded(feed, request.url, request.limits) as content:
        items = at(content, "/dataset")
        stamp = digest(stamps(items, "identifier", "modified")) if isinstance(items, list) else None
        del items
    if stamp is None:
        return feed
    if request.last_headers.get(ITEM_STAMP) == stamp:
        return Download(None, final_url=request.url)
    return replace(feed, headers={**feed.headers, ITEM_STAMP: stamp})


def _dataset(request: ProtocolRequest, name: str) -> Download:
    return request.get_item(*_file(request, name))


def _file(request: ProtocolRequest, name: str) -> tuple[str, str]:
    """Return the address of the file of a data set, and when it was changed."""
    with request.get_catalogue(request.url, request.params) as feed:
        item = choose_item(request, at(feed, "/dataset"), ("identifier", "title"), name)
        file = choose_item(request, item.get("distribution"), ("title", "format", "mediaType"))
        return request.item_address(file.get("downloadURL") or file.get("accessURL")), stamp_of(item.get("modified"))
