"""schema-org.jsonld: the release as a Dataset of schema.org, for search engines. Its tables are its parts."""

from __future__ import annotations

from typing import Any

from exports.metadata import wording
from exports.metadata.catalogue import Dataset, DcatCatalogue, Distribution, Texts, dcat_catalogue
from exports.metadata.rdf import is_language
from exports.metadata.text import is_web, to_json
from exports.model.info import Context
from exports.model.licences import NO_LICENCE
from pipelines.core.iri import escape_iri

PATH = "schema-org.jsonld"


def descriptor(context: Context) -> dict[str, bytes]:
    info, catalogue = context.info, dcat_catalogue(context)
    whole = catalogue.datasets[-1]
    assert whole.topic is None
    value: dict[str, Any] = {
        "@context": {"@vocab": "https://schema.org/"},
        "@type": "Dataset",
        "@id": catalogue.iri(whole.id),
        "name": _texts(catalogue.titles),
        "description": _texts(catalogue.descriptions),
        "url": {"@id": catalogue.homepage},
        "identifier": f"{info.pack}/{whole.id}",
        "version": context.version,
        "datePublished": whole.issued,
        "dateModified": whole.modified,
        "isAccessibleForFree": True,
        "inLanguage": list(catalogue.languages),
        "keywords": [word for language in catalogue.languages for word in wording.KEYWORDS.get(language, ())],
        "spatialCoverage": _place(context),
        "temporalCoverage": _period(whole),
        "license": _licence(catalogue, whole),
        "creditText": info.text(whole.rights),
        "creator": {"@id": catalogue.publisher},
        "publisher": _publisher(catalogue),
        "isBasedOn": [_source(context, source) for source in info.sources],
        "distribution": [_download(catalogue, file) for file in whole.distributions],
        "hasPart": [_part(context, catalogue, dataset) for dataset in catalogue.by_topic],
    }
    return {PATH: to_json(_without_empty(value))}


def _without_empty(value: dict[str, Any]) -> dict[str, Any]:
    return {key: item for key, item in value.items() if item not in (None, [], "")}


def _texts(texts: Texts) -> list[dict[str, str]]:
    return [{"@value": text, "@language": language} if is_language(language) else {"@value": text} for language, text in texts.items()]


def _period(dataset: Dataset) -> str | None:
    return "/".join(dataset.period) if dataset.period else None


def _place(context: Context) -> dict[str, Any]:
    place: dict[str, Any] = {"@type": "Place", "identifier": context.info.country}
    if box := context.facts.box:
        west, south, east, north = box
        place["geo"] = {"@type": "GeoShape", "box": f"{south:.6f} {west:.6f} {north:.6f} {east:.6f}"}
    return place


def _publisher(catalogue: DcatCatalogue) -> dict[str, Any]:
    value: dict[str, Any] = {"@type": "Organization", "@id": catalogue.publisher, "name": _texts(catalogue.publisher_name)}
    return value | ({"email": catalogue.email.removeprefix("mailto:")} if catalogue.email else {})


def _source(context: Context, source: Any) -> dict[str, Any]:
    return _without_empty(
        {
            "@type": "CreativeWork",
            "name": source["title"] if isinstance(source["title"], str) else _texts(source["title"]),
            "identifier": source["id"],
            "creditText": context.info.text(source["publisher"]),
            "url": {"@id": escape_iri(source["homepage"])} if is_web(source.get("homepage")) else None,
            "citation": context.info.text(source.get("citation")),
        }
    )


def _part(context: Context, catalogue: DcatCatalogue, dataset: Dataset) -> dict[str, Any]:
    return _without_empty(
        {
            "@type": "Dataset",
            "@id": catalogue.iri(dataset.id),
            "name": _texts(dataset.titles),
            "description": _texts(dataset.descriptions),
            "url": {"@id": catalogue.landing_page(dataset)},
            "identifier": f"{context.info.pack}/{dataset.id}",
            "version": context.version,
            "datePublished": dataset.issued,
            "dateModified": dataset.modified,
            "isAccessibleForFree": True,
            "keywords": [word for words in dataset.keywords.values() for word in words],
            "spatialCoverage": [{"@type": "Place", "identifier": code} for code in dataset.places],
            "temporalCoverage": _period(dataset),
            "license": _licence(catalogue, dataset),
            "creditText": context.info.text(dataset.rights),
            "creator": [{"@type": "Organization", "name": name} for name in dataset.creators] or {"@id": catalogue.publisher},
            "publisher": {"@id": catalogue.publisher},
            "distribution": [_download(catalogue, file) for file in dataset.distributions],
        }
    )


def _licence(catalogue: DcatCatalogue, dataset: Dataset) -> dict[str, str] | None:
    return None if dataset.licence == NO_LICENCE else {"@id": catalogue.licence(dataset.licence)}


def _download(catalogue: DcatCatalogue, file: Distribution) -> dict[str, Any]:
    value: dict[str, Any] = {
        "@type": "DataDownload",
        "name": file.path,
        "contentUrl": {"@id": catalogue.file(file.path)},
        "encodingFormat": file.format.media_type,
    }
    return value | ({"contentSize": f"{file.facts.bytes} B", "sha256": file.facts.sha256} if file.facts else {})
