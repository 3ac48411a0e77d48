"""What is asked of a source, by its protocol: a module for each interface whose answers decide the next question. Keeps nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import Received, Request
from pipelines.extract.protocols import arcgis, ckan, czso, eurostat
from pipelines.extract.protocols.paging import Ask
from pipelines.extract.protocols.request import Catalogue, Question
from pipelines.packs.schema import Fetch


def receive(request: Request, ask: Ask, catalogue: Catalogue, known: dict[str, str], folder: Path, limits: Limits) -> Received:
    """Return what a request comes to, by its protocol.

    `catalogue` asks for a list that other sources may stand in, too; `known` are the headers of the last answer to the same address.
    """
    return _PROTOCOLS[request.source.fetch.protocol](Question(request, ask, catalogue, known, folder, limits))


def is_paged(fetch: Fetch) -> bool:
    """Whether the bytes of a source are a list of pages."""
    path = urlsplit(fetch.url).path
    return (
        fetch.paging is not None
        or (fetch.protocol == "arcgis" and arcgis.is_paged(path))
        or (fetch.protocol == "ckan" and ckan.is_paged(path))
    )


def _file(question: Question) -> Received:
    if question.fetch.paging is not None:
        return question.pages(question.url, question.params, question.fetch.paging, body=question.body)
    return question.ask(question.url, question.params, question.body, question.known)


_PROTOCOLS: dict[str, Callable[[Question], Received]] = {
    "file": _file,
    "ckan": ckan.receive,
    "arcgis": arcgis.receive,
    "czso": czso.receive,
    "eurostat": eurostat.receive,
}
