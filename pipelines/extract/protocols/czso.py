"""The Czech Statistical Office: a data set of its catalogue, which leads to a file, and a selection of DataStat, which is one.

Shape: ofn.gov.cz/rozhraní-katalogů-otevřených-dat (2024-05-28), and the older one of CKAN's names.
"""

from __future__ import annotations

from pipelines.extract.http.request import Received
from pipelines.extract.protocols.paging import at
from pipelines.extract.protocols.request import Question, choose


def receive(question: Question) -> Received:
    if question.fetch.resource is None:  # a selection of DataStat: JSON-stat as it stands
        return question.ask(question.url, question.params, known=question.known)
    document = question.catalogue(question.url, question.params)
    files = at(document, "/distribuce") or at(document, "/result/resources")
    chosen = choose(question, files if isinstance(files, list) else [], ("název", "name", "formát", "format"))
    url = chosen.get("soubor_ke_stažení") or chosen.get("přístupové_url") or chosen.get("url")
    return question.item(url, at(document, "/aktualizováno") or chosen.get("last_modified"))
