"""CKAN: a data set that leads to one of its files, and a datastore in pages. Shape: docs.ckan.org/en/latest/api."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from pipelines.extract.http.request import FetchError, Received
from pipelines.extract.protocols.paging import at, fetch_pages, load
from pipelines.extract.protocols.request import Question, choose
from pipelines.packs.schema import Paging

_PAGES = Paging(kind="offset", param="offset", size=32_000, size_param="limit", records="/result/records", total="/result/total")


def is_paged(path: str) -> bool:
    return path.rstrip("/").endswith("datastore_search")


def receive(question: Question) -> Received:
    def ask(url: str, params: Any = None, body: Any = None, known: Any = None) -> Received:
        received = question.ask(url, params, body, known)
        document = load(received, url)
        if at(document, "/success") is not True:
            raise FetchError(f"{url}: CKAN says: {at(document, '/error/message') or 'no success'}")
        return received

    if is_paged(urlsplit(question.url).path):
        paging, given = _PAGES, question.params.pop("limit", None)
        if given and given.isdecimal():
            paging = paging.model_copy(update={"size": int(given)})
        return fetch_pages(
            ask, question.url, question.params, None, paging, records=None, folder=question.folder, limits=question.limits
        )  # fmt: skip
    answer = question.catalogue(question.url, question.params)
    if at(answer, "/success") is not True:
        raise FetchError(f"{question.url}: CKAN says: {at(answer, '/error/message') or 'no success'}")
    package = at(answer, "/result")
    resources = at(package, "/resources")
    chosen = choose(question, resources if isinstance(resources, list) else [], ("id", "name", "format"))
    changed = chosen.get("hash") or chosen.get("last_modified") or at(package, "/metadata_modified")
    return question.item(chosen.get("url"), changed)
