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
from pipelines.extract.protocols.paging import fetch_pages, load
from pipelines.extract.protocols.request import ITEM_STAMP, ProtocolRequest, choose_item
from pipelines.packs.schema import Paging

_LAYER = re.compile(r"/(FeatureServer|MapServer)/[0-9]+/?$")
_DEFAULT_PAGE, _MAX_PAGE = 1000, 2000  # features


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
        error = at(load(response, url, request.limits), "/error")  # ArcGIS reports failures with status 200
        if error:
            raise FetchError(f"{url}: ArcGIS reports: {at(error, '/code')} {at(error, '/message')}")
        return response

    base = request.url.rstrip("/")
    layer = load(get(base, {"f": "json"}), base, request.limits)
    edited = at(layer, "/editingInfo/lastEditDate")
    if edited and request.last_headers.get(ITEM_STAMP) == str(edited):
        return Download(None, final_url=base)
    query = {"where": "1=1", "outFields": "*", "outSR": "4326", "f": "json", **request.params}
    counted = get(f"{base}/query", {"where": query["where"], "returnCountOnly": "true", "f": "json"})
    count = at(load(counted, base, request.limits), "/count")
    fields = at(layer, "/fields")
    key = at(layer, "/objectIdField") or next(
        (
            f.get("name")
            for f in (fields if isinstance(fields, list) else [])
            if isinstance(f, dict) and f.get("type") == "esriFieldTypeOID"
        ),
        None,
    )
    if key:
        query.setdefault("orderByFields", str(key))  # without an order pages may overlap
    max_page = at(layer, "/maxRecordCount")
    size = min(max_page, _MAX_PAGE) if isinstance(max_page, int) and max_page > 0 else _DEFAULT_PAGE
    paging = Paging(
        kind="offset", param="resultOffset", size=size, size_param="resultRecordCount", records="/features", more="/exceededTransferLimit"
    )
    pages = fetch_pages(
        get, f"{base}/query", query, None, paging,
        records=None, folder=request.folder, limits=request.limits, expected=count if isinstance(count, int) else None,
    )  # fmt: skip
    return replace(pages, headers={ITEM_STAMP: str(edited)} if edited else {})


def _feed(request: ProtocolRequest) -> Download:
    """Download the feed itself, unless no item has changed: its bytes differ from day to day even then."""
    feed = request.get(request.url, request.params, last_headers=request.last_headers)
    items = at(load(feed, request.url, request.limits), "/dataset") if feed.path is not None else None
    if not isinstance(items, list):
        return feed
    stamp = digest(stamps(items, "identifier", "modified"))
    if request.last_headers.get(ITEM_STAMP) == stamp:
        return Download(None, final_url=request.url)
    return replace(feed, headers={**feed.headers, ITEM_STAMP: stamp})


def _dataset(request: ProtocolRequest, name: str) -> Download:
    item = choose_item(request, at(request.get_catalogue(request.url, request.params), "/dataset"), ("identifier", "title"), name)
    file = choose_item(request, item.get("distribution"), ("title", "format", "mediaType"))
    return request.get_item(file.get("downloadURL") or file.get("accessURL"), item.get("modified"))
