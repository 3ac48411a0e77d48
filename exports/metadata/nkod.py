"""nkod/: the release for the Czech national catalogue, as specified by its open formal standard for catalogue interfaces of 2024-05-28.

There is a document for the catalogue, which lists the documents of the datasets, each at the IRI of the dataset. The national catalogue
harvests the same IRIs repeatedly, so that they go through `latest/`; the files that they list are those of this release. Texts are in Czech
and English.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exports.metadata import vocabulary
from exports.metadata.catalogue import Dataset, DcatCatalogue, Distribution, authors, dcat_catalogue
from exports.metadata.text import to_json
from exports.metadata.vocabulary import AUTHORITY
from exports.model.info import Context

NAME = "nkod"
CONTEXT = "https://ofn.gov.cz/dcat-ap-cz-rozhraní-katalogů-otevřených-dat/2024-05-28/kontexty/rozhraní-katalogů-otevřených-dat.jsonld"
STATE = "https://linked.cuzk.cz/resource/ruian/stat/1"
NO_PERSONAL_DATA = "https://data.gov.cz/podmínky-užití/neobsahuje-osobní-údaje/"
LANGUAGES = ("cs", "en")


def descriptor(context: Context) -> dict[str, bytes]:
    catalogue = dcat_catalogue(context, LANGUAGES)
    if NAME not in context.info.catalogues or not catalogue.root.startswith("https://"):
        return {}
    data_sets = catalogue.by_topic
    documents = {f"{NAME}/catalog.jsonld": _catalogue(catalogue)}
    for dataset in data_sets:
        documents[_path(dataset)] = _dataset(catalogue, dataset)
    return {path: to_json(document) for path, document in documents.items()}


def _path(dataset: Dataset) -> str:
    return f"{NAME}/datasets/{dataset.id}.jsonld"


def _iri(catalogue: DcatCatalogue, path: str) -> str:
    return f"{catalogue.root}latest/{path}"


def _texts(texts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Czech and the English text. If there is no Czech text, any other one stands for it."""
    selected = {language: texts[language] for language in LANGUAGES if language in texts}
    return selected if "cs" in selected else {"cs": next(iter(texts.values())), **selected}


def _contact(catalogue: DcatCatalogue) -> dict[str, Any]:
    value: dict[str, Any] = {"typ": "Organizace", "jméno": _texts(catalogue.publisher_name)}
    return value | ({"e-mail": catalogue.email} if catalogue.email else {})


def _catalogue(catalogue: DcatCatalogue) -> dict[str, Any]:
    return {
        "@context": CONTEXT,
        "iri": _iri(catalogue, f"{NAME}/catalog.jsonld"),
        "typ": "Katalog",
        "název": _texts(catalogue.titles),
        "popis": _texts(catalogue.descriptions),
        "poskytovatel": catalogue.publisher,
        "kontaktní_bod": _contact(catalogue),
        "domovská_stránka": catalogue.homepage,
        "datová_sada": [_iri(catalogue, _path(dataset)) for dataset in catalogue.by_topic],
    }


def _dataset(catalogue: DcatCatalogue, dataset: Dataset) -> dict[str, Any]:
    countries = [iri for code in dataset.places if (iri := vocabulary.country(code))]
    value: dict[str, Any] = {
        "@context": CONTEXT,
        "iri": _iri(catalogue, _path(dataset)),
        "typ": "Datová sada",
        "název": _texts(dataset.titles),
        "popis": _texts(dataset.descriptions),
        "poskytovatel": catalogue.publisher,
        "téma": [f"{vocabulary.THEMES}/{theme}" for theme in dataset.themes],
        "periodicita_aktualizace": vocabulary.IRREGULAR,
        "klíčové_slovo": {language: list(words) for language, words in _texts(dataset.keywords).items()},
        "prvek_rúian": [STATE] if "CZ" in dataset.places else [],
        "geografické_území": countries,
    }
    if dataset.period:
        value["časové_pokrytí"] = {"typ": "Časový interval", "začátek": dataset.period[0], "konec": dataset.period[1]}
    value["kontaktní_bod"] = _contact(catalogue)
    value["dokumentace"] = catalogue.file("README.md")
    value["distribuce"] = [_distribution(catalogue, dataset, file) for file in dataset.distributions]
    return value


def _distribution(catalogue: DcatCatalogue, dataset: Dataset, file: Distribution) -> dict[str, Any]:
    value: dict[str, Any] = {
        "typ": "Distribuce",
        "iri": f"{_iri(catalogue, _path(dataset))}#{file.id}",
        "název": _texts(file.titles(dataset.titles)),
        "podmínky_užití": _terms(catalogue, dataset, file.licence or dataset.licence),
        "soubor_ke_stažení": catalogue.file(file.path),
        "přístupové_url": catalogue.file(file.path),
        "typ_média": vocabulary.MEDIA_TYPES + file.format.media_type,
        "formát": AUTHORITY + "file-type/" + file.format.file_type,
    }
    return value | ({"schéma": catalogue.file(file.schema)} if file.schema else {})


def _terms(catalogue: DcatCatalogue, dataset: Dataset, spdx: str) -> dict[str, Any]:
    """Return the terms of use: one licence for all three kinds of rights, and no personal data."""
    author, licence = _texts(authors(catalogue, dataset)), catalogue.licence(spdx)
    return {
        "typ": "Specifikace podmínek užití",
        "autorské_dílo": licence,
        "autor": author,
        "databáze_jako_autorské_dílo": licence,
        "autor_databáze": author,
        "databáze_chráněná_zvláštními_právy": licence,
        "osobní_údaje": NO_PERSONAL_DATA,
    }
