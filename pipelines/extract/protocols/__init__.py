"""How a source is fetched, by its protocol: one module per interface whose responses decide the next request. Stores nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from pipelines.extract.http.limits import Limits
from pipelines.extract.http.request import Download, FetchError, Request
from pipelines.extract.protocols import arcgis, ckan, czso, eurostat
from pipelines.extract.protocols.paging import HttpGet
from pipelines.extract.protocols.request import GetCatalogue, ProtocolRequest
from pipelines.packs.schema import Fetch


def download(
    request: Request, get: HttpGet, get_catalogue: GetCatalogue, last_headers: dict[str, str], folder: Path, limits: Limits
) -> Download:
    """Download what `request` asks for, by the protocol of its source. Raises FetchError.

    `get_catalogue` returns a catalogue that several sources may share; `last_headers` are those of the last response from this address.
    """
    try:
        return _PROTOCOLS[request.source.fetch.protocol](ProtocolRequest(request, get, get_catalogue, last_headers, folder, limits))
    except RecursionError:  # what is barely read may be too deep to be written
        raise FetchError(f"{request.url}: the response is nested too deeply") from None


def is_paged(fetch: Fetch) -> bool:
    """Whether the bytes of a source are a list of pages."""
    path = urlsplit(fetch.url).path
    return (
        fetch.paging is not None
        or (fetch.protocol == "arcgis" and arcgis.is_paged(path))
        or (fetch.protocol == "ckan" and ckan.is_paged(path))
    )


def _file(request: ProtocolRequest) -> Download:
    if request.fetch.paging is not None:
        return request.get_pages(request.fetch.paging)
    return request.get(request.url, request.params, request.body, request.last_headers)


_PROTOCOLS: dict[str, Callable[[ProtocolRequest], Download]] = {
    "file": _file,
    "ckan": ckan.download,
    "arcgis": arcgis.download,
    "czso": czso.download,
    "eurostat": eurostat.download,
}
