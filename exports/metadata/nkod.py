"""nkod/: the release for the Czech national catalogue, after its open formal standard for interfaces of catalogues of 2024-05-28.

A catalogue document that lists documents of datasets, each of which is found at its own IRI. The catalogue looks for the same IRIs
again and again, so they lead through `latest/`; the files they name are those of this release. Texts are in Czech, and in English.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exports.metadata import vocabulary
from exports.metadata.catalogue import Catalogue, Dataset, Distribution, catalogue
from exports.metadata.text import to_json
from exports.metadata.vocabulary import AUTHORITY
from exports.model.info import Context

NAME = "nkod"
CONTEXT = "https://ofn.gov.cz/dcat-ap-cz-rozhraní-katalogů-otevřených-dat/2024-05-28/kontexty/rozhraní-katalogů-otevřených-dat.jsonld"
STATE = "https://linked.cuzk.cz/resource/ruian/stat/1"
NO_PERSONAL_DATA = "https://data.gov.cz/podmínky-užití/neobsahuje-osobní-údaje/"
LANGUAGES = ("cs", "en")


def descriptor(context: Context) -> dict[str, bytes]:
    said = catalogue(context, LANGUAGES)
    if NAME not in context.info.catalogues or not said.root.startswith("https://"):
        return {}
    tables = [dataset for dataset in said.datasets if dataset.table is not None]
    documents = {f"{NAME}/catalog.jsonld": _catalogue(said, tables)}
    for dataset in tables:
        documents[_path(dataset)] = _dataset(context, said, dataset)
    return {path: to_json(document) for path, document in documents.items()}


def _path(dataset: Dataset) -> str:
    return f"{NAME}/datasets/{dataset.table}.jsonld"


def _iri(said: Catalogue, path: str) -> str:
    return f"{said.root}latest/{path}"


def _spoken(texts: Mapping[str, Any]) -> dict[str, Any]:
    """Return Czech and English of `texts`; where there is no Czech, whatever there is stands for it."""
    found = {language: texts[language] for language in LANGUAGES if language in texts}
    return found if "cs" in found else {"cs": next(iter(texts.values())), **found}


def _contact(said: Catalogue) -> dict[str, Any]:
    value: dict[str, Any] = {"typ": "Organizace", "jméno": _spoken(said.publisher_name)}
    return value | ({"e-mail": said.email} if said.email else {})


def _catalogue(said: Catalogue, tables: list[Dataset]) -> dict[str, Any]:
    return {
        "@context": CONTEXT,
        "iri": _iri(said, f"{NAME}/catalog.jsonld"),
        "typ": "Katalog",
        "název": _spoken(said.titles),
        "popis": _spoken(said.descriptions),
        "poskytovatel": said.publisher,
        "kontaktní_bod": _contact(said),
        "domovská_stránka": said.homepage,
        "datová_sada": [_iri(said, _path(dataset)) for dataset in tables],
    }


def _dataset(context: Context, said: Catalogue, dataset: Dataset) -> dict[str, Any]:
    country = vocabulary.country(context.info.country)
    value: dict[str, Any] = {
        "@context": CONTEXT,
        "iri": _iri(said, _path(dataset)),
        "typ": "Datová sada",
        "název": _spoken(dataset.titles),
        "popis": _spoken(dataset.descriptions),
        "poskytovatel": said.publisher,
        "téma": [f"{vocabulary.THEMES}/{theme}" for theme in dataset.themes],
        "periodicita_aktualizace": vocabulary.IRREGULAR,
        "klíčové_slovo": {language: list(words) for language, words in _spoken(dataset.keywords).items()},
        "prvek_rúian": [STATE] if context.info.country == "CZ" else [],
        "geografické_území": [country] if country else [],
    }
    if dataset.period:
        value["časové_pokrytí"] = {"typ": "Časový interval", "začátek": dataset.period[0], "konec": dataset.period[1]}
    value["kontaktní_bod"] = _contact(said)
    value["dokumentace"] = said.file("README.md")
    value["distribuce"] = [_distribution(said, dataset, file) for file in dataset.distributions]
    return value


def _distribution(said: Catalogue, dataset: Dataset, file: Distribution) -> dict[str, Any]:
    value: dict[str, Any] = {
        "typ": "Distribuce",
        "iri": f"{_iri(said, _path(dataset))}#{file.id}",
        "název": _spoken({language: f"{title} ({file.format.name})" for language, title in dataset.titles.items()}),
        "podmínky_užití": _terms(said),
        "soubor_ke_stažení": said.file(file.path),
        "přístupové_url": said.file(file.path),
        "typ_média": vocabulary.MEDIA_TYPES + file.format.media_type,
        "formát": AUTHORITY + "file-type/" + file.format.file_type,
    }
    return value | ({"schéma": said.file(file.schema)} if file.schema else {})


def _terms(said: Catalogue) -> dict[str, Any]:
    """Return the terms of use: the licence of the release in all three respects, and no personal data."""
    author = _spoken(said.publisher_name)
    return {
        "typ": "Specifikace podmínek užití",
        "autorské_dílo": said.licence,
        "autor": author,
        "databáze_jako_autorské_dílo": said.licence,
        "autor_databáze": author,
        "databáze_chráněná_zvláštními_právy": said.licence,
        "osobní_údaje": NO_PERSONAL_DATA,
    }
