"""The Czech Statistical Office: a data set of its catalogue, which leads to a file, and a selection of DataStat, which is a file itself.

Shape: ofn.gov.cz/rozhraní-katalogů-otevřených-dat (2024-05-28), and the older one with CKAN's names.
"""

from __future__ import annotations

from pipelines.core.json_pointer import at
from pipelines.extract.http.request import Download
from pipelines.extract.protocols.request import ProtocolRequest, choose_item, stamp_of


def download(request: ProtocolRequest) -> Download:
    """Download a selection of DataStat (JSON-stat, as it is), or the file of a data set. Raises FetchError."""
    if request.fetch.resource is None:
        return request.get(request.url, request.params, last_headers=request.last_headers)
    return request.get_item(*_file(request))


def _file(request: ProtocolRequest) -> tuple[str, str]:
    """Return the address of the file, and when it was changed."""
    with request.get_catalogue(request.url, request.params) as document:
        files = at(document, "/distribuce") or at(document, "/result/resources")
        file = choose_item(request, files, ("název", "name", "formát", "format"))
        url = file.get("soubor_ke_stažení") or file.get("přístupové_url") or file.get("url")
        return request.item_address(url), stamp_of(at(document, "/aktualizováno") or file.get("last_modified"))
