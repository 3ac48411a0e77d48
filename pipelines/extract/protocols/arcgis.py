"""ArcGIS: a layer of a FeatureServer in pages, and a Hub's feed that leads to a file of one data set.

Shape: developers.arcgis.com/rest/services-reference/enterprise/query-feature-service-layer; the feed is DCAT-US 1.1.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from pipelines.extract.http.request import FetchError, Received
from pipelines.extract.protocols.catalogues import digest, stamps
from pipelines.extract.protocols.paging import at, fetch_pages, load
from pipelines.extract.protocols.request import CHANGED, Question, choose
from pipelines.packs.schema import Paging

_LAYER = re.compile(r"/(FeatureServer|MapServer)/[0-9]+/?$")


def is_paged(path: str) -> bool:
    return bool(_LAYER.search(path))


def receive(question: Question) -> Received:
    if not is_paged(urlsplit(question.url).path):
        return _hub(question)

    def ask(url: str, params: Any = None, body: Any = None, known: Any = None) -> Received:
        received = question.ask(url, params, body, known)
        error = at(load(received, url), "/error")  # ArcGIS answers 200 and says in the body that it failed
        if error:
            raise FetchError(f"{url}: ArcGIS says: {at(error, '/code')} {at(error, '/message')}")
        return received

    base = question.url.rstrip("/")
    layer = load(ask(base, {"f": "json"}), base)
    edited = at(layer, "/editingInfo/lastEditDate")
    if edited and question.known.get(CHANGED) == str(edited):
        return Received(None, final_url=base)
    query = {"where": "1=1", "outFields": "*", "outSR": "4326", "f": "json", **question.params}
    counted = load(ask(f"{base}/query", {"where": query["where"], "returnCountOnly": "true", "f": "json"}), base)
    key = at(layer, "/objectIdField") or next(
        (f.get("name") for f in at(layer, "/fields") or [] if isinstance(f, dict) and f.get("type") == "esriFieldTypeOID"), None
    )
    if key:
        query.setdefault("orderByFields", str(key))  # without an order pages may overlap
    most = at(layer, "/maxRecordCount")
    size = min(most, 2000) if isinstance(most, int) and most > 0 else 1000
    paging = Paging(
        kind="offset", param="resultOffset", size=size, size_param="resultRecordCount", records="/features", more="/exceededTransferLimit"
    )
    due = at(counted, "/count")
    pages = fetch_pages(
        ask, f"{base}/query", query, None, paging,
        records=None, folder=question.folder, limits=question.limits, due=due if isinstance(due, int) else None,
    )  # fmt: skip
    return replace(pages, headers={CHANGED: str(edited)} if edited else {})


def _feed(question: Question) -> Received:
    """Return the feed itself, unless all its items are of the times that they had: its bytes differ from day to day."""
    feed = question.ask(question.url, question.params, known=question.known)
    items = at(load(feed, question.url), "/dataset") if feed.path is not None else None
    if not isinstance(items, list):
        return feed
    stamp = digest(stamps(items, "identifier", "modified"))
    if question.known.get(CHANGED) == stamp:
        return Received(None, final_url=question.url)
    return replace(feed, headers={**feed.headers, CHANGED: stamp})


def _hub(question: Question) -> Received:
    if question.fetch.dataset is None:
        return _feed(question)
    items = at(question.catalogue(question.url, question.params), "/dataset")
    item = choose(question, items if isinstance(items, list) else [], ("identifier", "title"), question.fetch.dataset)
    files = item.get("distribution")
    chosen = choose(question, files if isinstance(files, list) else [], ("title", "format", "mediaType"))
    return question.item(chosen.get("downloadURL") or chosen.get("accessURL"), item.get("modified"))
