"""Which texts of a pack and of a release lack a language."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import polars as pl
import pyarrow.parquet as pq
import rdflib
import yaml

SYMBOLS = {"%", "1", "km", "km2", "µg/m³"}
"""Units that are the same in every language."""
TEXT_KEYS = {"rights", "title", "titles", "description", "note", "needed", "supplier", "unit", "keywords"}
"""Keys of packs whose values people read. A citation and the name of a publisher are in the language of the publisher."""
LANGUAGE = re.compile(r"[a-z]{2}(?:-[A-Z]{2})?")
COMMON = "{http://www.sdmx.org/resources/sdmxml/schemas/v3_0/common}"
STRUCTURE = "{http://www.sdmx.org/resources/sdmxml/schemas/v3_0/structure}"
XML_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


def of_pack(folder: Path) -> Iterator[str]:
    """Yield the texts that the YAML files of a pack declare without one of its languages."""
    languages = set(yaml.safe_load((folder / "pack.yml").read_text(encoding="utf-8"))["languages"])
    for path in sorted(folder.rglob("*.yml")):
        for place, value in _texts(yaml.safe_load(path.read_text(encoding="utf-8")), path.name):
            if isinstance(value, dict):
                yield from (f"{place}: no text in {language}" for language in sorted(languages - set(value)))
            elif value not in SYMBOLS:
                yield f"{place}: {value!r} has no language"


def _texts(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Yield every text by language, and every plain text under a key that has texts for people."""
    if isinstance(value, list):
        for position, item in enumerate(value):
            yield from _texts(item, f"{place}[{position}]")
    elif isinstance(value, dict):
        if value and all(LANGUAGE.fullmatch(str(key)) and isinstance(text, str | list) for key, text in value.items()):
            yield place, value
            return
        for key, item in value.items():
            if key in TEXT_KEYS and isinstance(item, str):
                yield f"{place}.{key}", item
            yield from _texts(item, f"{place}.{key}")


def of_release(folder: Path, languages: Sequence[str]) -> Iterator[str]:
    """Yield the texts for people in a release that lack one of `languages`. Descriptions without a language are in English."""
    others = [language for language in languages if language != "en"]
    resources = json.loads((folder / "datapackage.json").read_bytes())["resources"]
    for language in others:
        yield from _data_package(resources, language)
        yield from _readme(folder, resources, language)
        if not (folder / f"CHANGELOG.{language}.md").is_file():
            yield f"CHANGELOG.{language}.md: missing"
        yield from (f"{path.relative_to(folder)}: missing" for path in _made_to_be_read(folder, language) if not path.is_file())
        yield from _cubes(folder, language)
    yield from _croissant(json.loads((folder / "croissant.json").read_bytes()), languages)
    for name in ("prov.ttl", "dqv.ttl"):
        yield from _graph(folder / name, languages)
    for path in sorted(folder.rglob("csv-metadata.json")):
        yield from _csvw(path, languages)
    for path in sorted((folder / "parquet").glob("*.parquet")):
        yield from _parquet(path, languages)
    for path in sorted((folder / "codelists").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        for language in languages:
            yield from (f"{path.name}: {row['code']} has no name in {language}" for row in rows if not row.get(f"name_{language}"))
    if (structure := folder / "sdmx/structure.xml").is_file():
        yield from _structure(structure, languages)


def _data_package(resources: Sequence[dict[str, Any]], language: str) -> Iterator[str]:
    for resource in resources:
        described = [(resource["name"], resource), *((f"{resource['name']}.{f['name']}", f) for f in resource["schema"]["fields"])]
        for name, value in described:
            if not value.get(f"description_{language}"):
                yield f"datapackage.json: {name} has no description in {language}"
            if value.get("unit", "1") not in SYMBOLS and not value.get(f"unit_{language}"):
                yield f"datapackage.json: {name} has no unit in {language}"
            lacking = [category["value"] for category in value.get("categories", []) if not category.get(f"label_{language}")]
            yield from (f"datapackage.json: {name} has no label of {code} in {language}" for code in lacking)


def _readme(folder: Path, resources: Sequence[dict[str, Any]], language: str) -> Iterator[str]:
    path = folder / f"README.{language}.md"
    if not path.is_file():
        yield f"{path.name}: missing"
        return
    text = path.read_text(encoding="utf-8")
    for resource in resources:
        if resource["description"] in text or resource.get(f"description_{language}", "?") not in text:
            yield f"{path.name}: {resource['name']} is not described in {language}"


def _croissant(document: dict[str, Any], languages: Sequence[str]) -> Iterator[str]:
    parts = [
        document,
        *document["distribution"],
        *document["recordSet"],
        *(field for own in document["recordSet"] for field in own["field"]),
    ]
    for part in parts:
        described = part["description"] if isinstance(part["description"], dict) else {"en": part["description"]}
        if lacking := [language for language in languages if language not in described]:
            yield f"croissant.json: {part.get('@id', 'the release')} is not described in {', '.join(lacking)}"


def _graph(path: Path, languages: Sequence[str]) -> Iterator[str]:
    """Yield the labels of an RDF graph that have some language and lack another one. A name is in the language of its owner."""
    graph = rdflib.Graph().parse(path)
    for node, label in sorted(set(graph.subject_predicates())):
        if label == rdflib.FOAF.name:
            continue
        tagged = {text.language for text in graph.objects(node, label) if isinstance(text, rdflib.Literal) and text.language}
        if tagged and (lacking := [language for language in languages if language not in tagged]):
            yield f"{path.name}: {label} of {node} is not in {', '.join(lacking)}"


def _made_to_be_read(folder: Path, language: str) -> list[Path]:
    pack = json.loads((folder / "datapackage.json").read_bytes())["name"]
    return [folder / f"{pack}_{language}.xlsx", folder / f"csv_locale/latest_values_{language}.csv"]


def _cubes(folder: Path, language: str) -> Iterator[str]:
    for path in sorted((folder / "jsonstat").glob("*.json")):
        extension = json.loads(path.read_bytes())["extension"]
        texts = extension if extension["language"] == language else extension.get("translations", {}).get(language)
        if not texts:
            yield f"{path.name}: no labels in {language}"


def _csvw(path: Path, languages: Sequence[str]) -> Iterator[str]:
    document = json.loads(path.read_bytes())
    own = [table for table in document["tables"] if not table.get("suppressOutput")]
    schemas = [value["tableSchema"] for value in (document, *document["tables"]) if "tableSchema" in value]
    described = own if len(own) > 1 and "dc:description" not in document else [document]
    for value in (*described, *(column for schema in schemas for column in schema["columns"])):
        tagged = {text["@language"] for text in value["dc:description"] if text["@value"]}
        if lacking := [language for language in languages if language not in tagged]:
            yield f"{path.name}: {value.get('name') or value.get('url', 'the table')} is not described in {', '.join(lacking)}"


def _parquet(path: Path, languages: Sequence[str]) -> Iterator[str]:
    """Yield the columns whose metadata lack a language, and the columns of texts that are empty in one language only."""
    schema = pq.read_schema(path)
    for field in schema:
        for language in languages:
            if language != "en" and not (field.metadata or {}).get(f"description_{language}".encode()):
                yield f"{path.name}: {field.name} is not described in {language}"
    if path.stem == "changes":
        return
    texts = {name.rpartition("_")[0] for name in schema.names if name.rpartition("_")[2] in languages}
    for text in sorted(texts):
        cells = pl.read_parquet(path, columns=[f"{text}_{language}" for language in languages])
        uneven = cells.filter(pl.any_horizontal(pl.all().is_null()) & ~pl.all_horizontal(pl.all().is_null()))
        if uneven.height:
            yield f"{path.name}: {uneven.height} rows lack {text} in a language: {uneven.row(0)}"


def _structure(path: Path, languages: Sequence[str]) -> Iterator[str]:
    tree = ElementTree.parse(path)
    areas = tree.find(f".//{STRUCTURE}Codelist[@id='CL_AREA']")
    ages = tree.find(f".//{STRUCTURE}Codelist[@id='CL_AGE']")
    names = {node for parent in (areas, ages) if parent is not None for node in parent.findall(f"{STRUCTURE}Code")}
    for node in tree.iter():
        named = {name.get(XML_LANGUAGE) for name in node.findall(f"{COMMON}Name")}
        if named and node not in names and named != set(languages):
            yield f"{path.name}: {node.get('id')} is named in {', '.join(sorted(map(str, named)))}"
