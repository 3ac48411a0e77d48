"""croissant.json: the release in Croissant 1.1, for machine learning. Record sets refer to the Parquet files, where types are unambiguous.

Names and descriptions may have a text for each language in Croissant 1.1. A release in one language has plain texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exports.formats.reading_texts import with_unit
from exports.metadata import csvw
from exports.metadata.catalogue import DcatCatalogue, dcat_catalogue
from exports.metadata.text import in_languages, is_web, licence_url, release_url, to_json
from exports.model import layout
from exports.model.info import Context
from exports.model.tables import Column, Table

PATH = "croissant.json"
VERSION = "http://mlcommons.org/croissant/1.1"
TYPES = {"VARCHAR": "sc:Text", "DOUBLE": "cr:Float64", "BIGINT": "cr:Int64"}
PARQUET = "application/x-parquet"
"""The media type that Croissant uses for Parquet."""
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **{
        term: f"cr:{term}"
        for term in (
            "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field", "fileObject", "fileProperty", "fileSet",
            "format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references",
            "regex", "repeated", "replace", "samplingRate", "separator", "source", "subField", "transform",
        )
    },
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    "sc": "https://schema.org/",
}  # fmt: skip


def descriptor(context: Context) -> dict[str, bytes]:
    info, catalogue = context.info, dcat_catalogue(context)
    place = release_url(info.base_uri, context.version)
    value: dict[str, Any] = {
        "@context": dict(sorted(CONTEXT.items())),
        "@type": "sc:Dataset",
        "conformsTo": VERSION,
        "name": _text(context, catalogue.titles),
        "description": _text(context, catalogue.descriptions),
        "version": context.version,
        "datePublished": info.timestamp,
        "license": licence_url(info.licence_of_all) or info.licence_of_all,
        "inLanguage": list(info.languages),
        "isLiveDataset": False,
        "citeAs": _citation(context, place),
    }
    if place:
        value["url"] = place
    if info.publisher.get("name"):
        value["creator"] = value["publisher"] = _publisher(context, catalogue)
    value["distribution"] = [
        _file(context, table, path, media, place)
        for table in context.tables
        for path, media in (
            (layout.parquet_path(table.name), PARQUET),
            *((path, "text/csv") for path in layout.csv_paths(table, context.files)),
        )
    ]
    value["recordSet"] = [_record_set(context, table) for table in context.tables]
    return {PATH: to_json(value)}


def _text(context: Context, texts: Mapping[str, str]) -> str | dict[str, str]:
    """Return a text by language, or the text itself if it is in English alone: that is the language of the document."""
    translations = in_languages(texts, context.info.languages) or texts
    return translations["en"] if list(translations) == ["en"] else dict(translations)


def _publisher(context: Context, catalogue: DcatCatalogue) -> dict[str, Any]:
    publisher = context.info.publisher
    value: dict[str, Any] = {"@type": "sc:Organization", "name": _text(context, catalogue.publisher_name)}
    if is_web(publisher.get("iri")):
        value["url"] = publisher["iri"]
    return value | ({"email": publisher["email"]} if publisher.get("email") else {})


def _citation(context: Context, place: str | None) -> str:
    info = context.info
    author = f"{info.text(info.publisher['name'])}: " if info.publisher.get("name") else ""
    return f"{author}{info.text(info.title)}, release {context.version} ({info.timestamp[:10]})" + (f", {place}" if place else "")


def _file(context: Context, table: Table, path: str, media: str, place: str | None) -> dict[str, Any]:
    facts = context.files[path]
    return {
        "@type": "cr:FileObject",
        "@id": path,
        "name": path,
        "description": _text(context, table.descriptions),
        "contentUrl": (place or "") + path,
        "contentSize": f"{facts.bytes} B",
        "encodingFormat": media,
        "sha256": facts.sha256,
    }


def _record_set(context: Context, table: Table) -> dict[str, Any]:
    references = {key.column: key for key in context.foreign_keys if key.table == table.name}
    fields = [_field(context, table, column) for column in table.columns]
    for field, column in zip(fields, table.columns, strict=True):
        if key := references.get(column.name):
            field["references"] = {"field": {"@id": f"{key.to_table}/{key.to_column}"}}
    return {
        "@type": "cr:RecordSet",
        "@id": table.name,
        "name": table.name,
        "description": _text(context, table.descriptions),
        "key": [{"@id": f"{table.name}/{name}"} for name in table.key],
        "field": fields,
    }


def _field(context: Context, table: Table, column: Column) -> dict[str, Any]:
    units = column.units
    descriptions = {language: with_unit(text, units.get(language, column.unit), language) for language, text in column.descriptions.items()}
    value: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{table.name}/{column.name}",
        "name": column.name,
        "description": _text(context, descriptions),
        "dataType": TYPES[column.type],
        "source": {"fileObject": {"@id": layout.parquet_path(table.name)}, "extract": {"column": column.name}},
    }
    if concept := csvw.CONCEPTS.get(column.name):
        value["equivalentProperty"] = concept
    return value
