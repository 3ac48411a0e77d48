"""The interfaces that take more than one question: CKAN, ArcGIS, the catalogue of the Czech Statistical Office, Eurostat. Keeps nothing.

Shapes: docs.ckan.org/en/latest/api; developers.arcgis.com/rest/services-reference/enterprise/query-feature-service-layer;
ofn.gov.cz/rozhraní-katalogů-otevřených-dat; ec.europa.eu/eurostat/web/user-guides/data-browser/api-data-access.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from pipelines.fetch.limits import Limits
from pipelines.fetch.paging import Ask, at, fetch_pages, load
from pipelines.fetch.request import FetchError, Received, Request, filled
from pipelines.pack_models import Fetch, Paging

CHANGED = "item-changed"  # a header of our own: the catalogue's word for when a file last changed
_LAYER = re.compile(r"/(FeatureServer|MapServer)/[0-9]+/?$")
_CKAN_PAGES = Paging(
    kind="offset", param="offset", size=32_000, size_param="limit", records="/result/records", total="/result/total"
)  # fmt: skip
_ENVELOPE = re.compile(rb"<(?:\w+:)?(?:queued|status|Envelope)\b")
_QUEUED = re.compile(rb"<(?:\w+:)?id>\s*([A-Za-z0-9-]{1,128})\s*</")
_STATUS = re.compile(rb"<(?:\w+:)?status>\s*([A-Z_]+)\s*</")


def is_paged(fetch: Fetch) -> bool:
    """Whether the bytes of a source are a list of pages."""
    path = urlsplit(fetch.url).path
    return (
        fetch.paging is not None
        or (fetch.protocol == "arcgis" and bool(_LAYER.search(path)))
        or (fetch.protocol == "ckan" and path.rstrip("/").endswith("datastore_search"))
    )


def receive(request: Request, ask: Ask, known: dict[str, str], folder: Path, limits: Limits) -> Received:
    """Return what a request comes to, by its protocol. `known` are the headers of the last answer to the same address."""
    return _PROTOCOLS[request.source.fetch.protocol](_Question(request, ask, known, folder, limits))


class _Question:
    """One request, with all that is needed to ask it."""

    def __init__(self, request: Request, ask: Ask, known: dict[str, str], folder: Path, limits: Limits) -> None:
        self.url, self.fetch, self.ask = request.url, request.source.fetch, ask
        self.known, self.folder, self.limits = known, folder, limits
        self.records = request.source.read.records
        self.params = {name: filled(text, request.part) for name, text in self.fetch.params.items()}
        self.body = _filled(self.fetch.body, request)

    def pages(self, url: str, params: dict[str, str], paging: Paging, due: int | None = None, body: Any = None) -> Received:
        return fetch_pages(
            self.ask, url, params, body, paging, records=self.records, folder=self.folder, limits=self.limits, due=due
        )  # fmt: skip

    def item(self, url: Any, changed: Any) -> Received:
        """Fetch the file that a catalogue names, unless its own word is that it has not changed."""
        if not isinstance(url, str) or not url:
            raise FetchError(f"{self.url}: the catalogue gives no address of the file")
        address = urljoin(self.url, url)
        if urlsplit(address).scheme not in ("http", "https"):
            raise FetchError(f"{self.url}: the catalogue names {address[:200]}; only http and https are fetched")
        stamp = str(changed) if changed else ""
        if stamp and self.known.get(CHANGED) == stamp:
            return Received(None, final_url=address)
        received = self.ask(address, known=self.known)
        return received if received.path is None else replace(received, headers={**received.headers, **({CHANGED: stamp} if stamp else {})})


def _filled(value: Any, request: Request) -> Any:
    if isinstance(value, str):
        return filled(value, request.part)
    if isinstance(value, dict):
        return {key: _filled(item, request) for key, item in value.items()}
    return [_filled(item, request) for item in value] if isinstance(value, list) else value


def _file(question: _Question) -> Received:
    if question.fetch.paging is not None:
        return question.pages(question.url, question.params, question.fetch.paging, body=question.body)
    return question.ask(question.url, question.params, question.body, question.known)


# ------------------------------------------------------------------------------------------------------------------- CKAN


def _ckan(question: _Question) -> Received:
    def ask(url: str, params: Any = None, body: Any = None, known: Any = None) -> Received:
        received = question.ask(url, params, body, known)
        document = load(received, url)
        if at(document, "/success") is not True:
            raise FetchError(f"{url}: CKAN says: {at(document, '/error/message') or 'no success'}")
        return received

    if urlsplit(question.url).path.rstrip("/").endswith("datastore_search"):
        paging, given = _CKAN_PAGES, question.params.pop("limit", None)
        if given and given.isdecimal():
            paging = paging.model_copy(update={"size": int(given)})
        return fetch_pages(
            ask, question.url, question.params, None, paging, records=None, folder=question.folder, limits=question.limits
        )  # fmt: skip
    package = at(load(ask(question.url, question.params), question.url), "/result")
    resources = at(package, "/resources")
    chosen = _chosen(question, resources if isinstance(resources, list) else [], ("id", "name", "format"))
    changed = chosen.get("hash") or chosen.get("last_modified") or at(package, "/metadata_modified")
    return question.item(chosen.get("url"), changed)


def _chosen(question: _Question, items: list[Any], keys: tuple[str, ...], wanted: str | None = None) -> dict[str, Any]:
    """Return the one item that `resource` names by one of `keys`; an IRI is known by its last part."""
    wanted = wanted if wanted is not None else question.fetch.resource
    known = [item for item in items if isinstance(item, dict)]
    if wanted is None and len(known) == 1:
        return known[0]
    for key in keys:
        hits = [item for item in known if _same(_plain(item.get(key)), wanted)]
        if len(hits) == 1:
            return hits[0]
    named = ", ".join(dict.fromkeys(str(_plain(item.get(key))) for item in known for key in keys[:2] if item.get(key))) or "nothing"
    asked = f"{wanted} is not there, or several are" if wanted else "there are several files; name one as `resource`"
    raise FetchError(f"{question.url}: {asked}: {named[:500]}")


def _plain(value: Any) -> str:
    if isinstance(value, dict):  # texts by language
        value = next(iter(value.values()), "")
    return str(value or "")


def _same(found: str, wanted: str | None) -> bool:
    return wanted is not None and found != "" and wanted.lower() in (found.lower(), found.lower().rstrip("/").rsplit("/", 1)[-1])


# ----------------------------------------------------------------------------------------------------------------- ArcGIS


def _arcgis(question: _Question) -> Received:
    if not _LAYER.search(urlsplit(question.url).path):
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


def _hub(question: _Question) -> Received:
    feed = question.ask(question.url, question.params, known=question.known if question.fetch.dataset is None else None)
    if question.fetch.dataset is None:
        return feed
    items = at(load(feed, question.url), "/dataset")
    item = _chosen(question, items if isinstance(items, list) else [], ("identifier", "title"), question.fetch.dataset)
    files = item.get("distribution")
    chosen = _chosen(question, files if isinstance(files, list) else [], ("title", "format", "mediaType"))
    return question.item(chosen.get("downloadURL") or chosen.get("accessURL"), item.get("modified"))


# ------------------------------------------------------------------------------------------------------------------- CZSO


def _czso(question: _Question) -> Received:
    received = question.ask(question.url, question.params, known=question.known if question.fetch.resource is None else None)
    if question.fetch.resource is None:
        return received  # a selection of DataStat: JSON-stat as it stands
    document = load(received, question.url)
    files = at(document, "/distribuce") or at(document, "/result/resources")
    chosen = _chosen(question, files if isinstance(files, list) else [], ("název", "name", "formát", "format"))
    url = chosen.get("soubor_ke_stažení") or chosen.get("přístupové_url") or chosen.get("url")
    return question.item(url, at(document, "/aktualizováno") or chosen.get("last_modified"))


# --------------------------------------------------------------------------------------------------------------- Eurostat


def _eurostat(question: _Question) -> Received:
    try:
        return _ready(question, question.params, question.known)
    except FetchError as error:
        if error.status != 413 or question.fetch.split is None:
            raise
    ((dimension, values),) = question.fetch.split.items()
    parts = [_ready(question, {**question.params, **_slice(question.url, dimension, value)}) for value in values]
    return _bound(parts, question)


def _slice(url: str, dimension: str, value: str) -> dict[str, str]:
    """Return the query that asks for one value of a dimension."""
    if "/sdmx/2.1/" not in url:
        return {dimension: value}
    if dimension != "time":
        raise FetchError(f"{url}: SDMX 2.1 is split by time only; ask the statistics API for a split by {dimension}")
    return {"startPeriod": value, "endPeriod": value}


def _ready(question: _Question, params: dict[str, str], known: dict[str, str] | None = None) -> Received:
    """Return the data, waiting for them where Eurostat prepares them first."""
    deadline = time.monotonic() + question.limits.polling
    received = question.ask(question.url, params, known=known)
    job = ""
    base = question.url.split("/dissemination/", 1)[0] + "/dissemination/1.0/async"
    while True:
        state, found = _state(received)
        if state is None:
            return replace(received, final_url=question.url)
        job = found or job
        if state == "AVAILABLE":
            received = question.ask(f"{base}/data/{job}")
            continue
        if state not in ("SUBMITTED", "PROCESSING", "DATA_NOT_YET_AVAILABLE", "LATER"):
            raise FetchError(f"{question.url}: Eurostat says: {state}")
        if time.monotonic() > deadline:
            raise FetchError(f"{question.url}: not ready after {question.limits.polling:.0f} s ({state})")
        time.sleep(question.limits.poll)
        received = question.ask(question.url, params) if state == "LATER" else question.ask(f"{base}/status/{job}")


def _state(received: Received) -> tuple[str | None, str]:
    """Return (state, job) of an asynchronous answer; (None, "") of data."""
    if received.path is None:
        return None, ""
    with received.path.open("rb") as file:
        head = file.read(4096)
    if head.lstrip().startswith(b"<") and _ENVELOPE.search(head) and (status := _STATUS.search(head)):
        job = _QUEUED.search(head)
        return status[1].decode(), job[1].decode() if job else ""
    if received.size < 4096 and b"ASYNCHRONOUS_RESPONSE" in head:
        return "LATER", ""
    return None, ""


def _bound(parts: list[Received], question: _Question) -> Received:
    """Bind the slices to one file: JSON documents as a list, tables under one header."""
    import hashlib

    blocks = [part.path.read_bytes() for part in parts if part.path is not None]
    if all(block.lstrip()[:1] == b"{" for block in blocks):
        whole = b"[" + b",\n".join(block.strip() for block in blocks) + b"]\n"
    else:
        heads = {block.split(b"\n", 1)[0].strip() for block in blocks}
        if len(heads) != 1:
            raise FetchError(f"{question.url}: its slices have different columns; ask for JSON-stat or SDMX-CSV")
        bodies = [block.split(b"\n", 1)[1] if b"\n" in block else b"" for block in blocks]
        whole = heads.pop() + b"\n" + b"".join(body if body.endswith(b"\n") or not body else body + b"\n" for body in bodies)
    path = question.folder / "slices"
    path.write_bytes(whole)
    return Received(path, hashlib.sha256(whole).hexdigest(), len(whole), question.url, parts[0].media_type)


_PROTOCOLS: dict[str, Callable[[_Question], Received]] = {
    "file": _file,
    "ckan": _ckan,
    "arcgis": _arcgis,
    "czso": _czso,
    "eurostat": _eurostat,
}
