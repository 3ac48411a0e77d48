"""datapackage.json: a Data Package (version 2) whose resources are the CSV files. Parquet and DuckDB files are not resources.

A partitioned table is one resource with several paths. Without rows it has no file, and its resource holds the header itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exports.metadata import rights
from exports.metadata.text import in_languages, is_web, licence_url, release_url, to_json
from exports.model import layout, schema_version
from exports.model.info import Context
from exports.model.tables import Column, Table
from pipelines.core.code_texts import translated
from pipelines.core.vocabulary import STATUSES, Status

PATH = "datapackage.json"
PROFILES = "https://datapackage.org/profiles/2.0/"
FIELD_TYPES = {"VARCHAR": "string", "DOUBLE": "number", "BIGINT": "integer"}


def descriptor(context: Context) -> dict[str, bytes]:
    info = context.info
    package: dict[str, Any] = {
        "$schema": PROFILES + "datapackage.json",
        "name": info.pack.lower().replace("_", "-"),
        "title": info.text(info.title),
        "version": context.version,
        "created": info.timestamp,
        schema_version.PROPERTY: context.schema_version,
    }
    if url := release_url(info.base_uri, context.version):
        package |= {"id": url + PATH, "homepage": info.base_uri}
    if licences := _licences(info.licence_of_all):
        package["licenses"] = licences
    if info.publisher.get("name"):
        package["contributors"] = [_contributor(info.publisher)]
    package["sources"] = [_source(context, source) for source in info.sources]
    package["resources"] = resources(context)
    return {PATH: to_json(package)}


def resources(context: Context) -> list[dict[str, Any]]:
    """Return the resource of each table: its files and its columns."""
    return [_resource(context, table) for table in context.tables]


def _licences(licence: str) -> list[dict[str, str]]:
    url = licence_url(licence)
    return [{"name": licence, "path": url}] if url else []


def _contributor(publisher: Any) -> dict[str, Any]:
    value: dict[str, Any] = {"title": publisher["name"], "roles": ["publisher"]}
    if is_web(publisher.get("iri")):
        value["path"] = publisher["iri"]
    if publisher.get("email"):
        value["email"] = publisher["email"]
    return value


def _source(context: Context, source: Any) -> dict[str, Any]:
    value = {
        "title": context.info.text(source["title"]),
        "name": source["id"],
        "publisher": source["publisher"],
    }
    if is_web(source.get("homepage")):
        value["path"] = source["homepage"]
    licences = _licences(source["licence"])
    licence = {"licenses": licences} if licences else {"licence": source["licence"]}
    if is_web(source.get("licence_url")):
        value["licencePage"] = source["licence_url"]
    if source.get("rights"):
        value["rights"] = context.info.text(source["rights"])
    if source.get("carrier"):
        value["carrier"] = {key: text for key, text in source["carrier"].items() if key != "homepage" or is_web(text)}
    return value | licence | ({"citation": context.info.text(source["citation"])} if source.get("citation") else {})


def _resource(context: Context, table: Table) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "$schema": PROFILES + "tableschema.json",
        "fields": [_field(context, table, column) for column in table.columns],
        "missingValues": [""],
        "primaryKey": list(table.key),
    }
    keys = [
        {"fields": [key.column], "reference": {"resource": key.to_table, "fields": [key.to_column]}}
        for key in context.foreign_keys
        if key.table == table.name
    ]
    if keys:
        schema["foreignKeys"] = keys
    return {
        "$schema": PROFILES + "dataresource.json",
        "name": table.name,
        "type": "table",
        **_data(context, table),
        "description": table.description,
        **_translations(context, table.descriptions),
        **_file(context, table),
        **({"licenses": licences} if (licences := _licences(rights.licence_of_table(context, table))) else {}),
        "schema": schema,
    }


def _translations(context: Context, texts: Mapping[str, str], name: str = "description") -> dict[str, str]:
    """Return texts in the other languages of the pack, as further properties: the standard has texts in one language."""
    others = in_languages(texts, context.info.languages)
    return {f"{name}_{language}": text for language, text in others.items() if language != "en"}


def _data(context: Context, table: Table) -> dict[str, Any]:
    paths = layout.csv_paths(table, context.files)
    if not layout.is_partitioned(table):
        return {"path": paths[0]}
    return {"path": paths} if paths else {"data": [[column.name for column in table.columns]]}


def _file(context: Context, table: Table) -> dict[str, Any]:
    """Return the form of the files, with size and checksum of a single one; the standard has none for several files."""
    paths = layout.csv_paths(table, context.files)
    facts = None if layout.is_partitioned(table) else context.files[paths[0]]
    dialect = {"$schema": PROFILES + "tabledialect.json", "delimiter": ",", "lineTerminator": "\n", "doubleQuote": True}
    form = {"format": "csv", "mediatype": "text/csv", "encoding": "utf-8"} if paths else {}
    sums = {"bytes": facts.bytes, "hash": f"sha256:{facts.sha256}"} if facts else {}
    return form | sums | ({"dialect": dialect} if paths else {})


def _field(context: Context, table: Table, column: Column) -> dict[str, Any]:
    value: dict[str, Any] = {
        "name": column.name,
        "type": FIELD_TYPES[column.type],
        "description": column.description,
        **_translations(context, column.descriptions),
    }
    if column.unit:
        value["unit"] = column.unit
        value |= _translations(context, column.units, "unit")
    if column.name == "obs_status":
        value["categories"] = [_category(context, status) for status in STATUSES.values()]
    constraints = {"minimum": column.minimum, "maximum": column.maximum, "enum": list(column.values) or None}
    stated: dict[str, Any] = {name: constraint for name, constraint in constraints.items() if constraint is not None}
    if stated:
        value["constraints"] = stated
    if column.name in table.key:
        value["constraints"] = {"required": True, **stated}
        if column.type == "VARCHAR":
            value["missingValues"] = []  # an empty key is an empty text, not a missing one
    return value


def _category(context: Context, status: Status) -> dict[str, str]:
    """Return a code with its English name, and its names in the other languages of the pack."""
    others = (language for language in translated(context.info.languages) if language != "en")
    return {"value": status.code, "label": status.name(), **{f"label_{language}": status.name(language) for language in others}}
