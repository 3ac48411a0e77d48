"""The datasets and resources of a release with the fields of ckanext-dcat, read from the release's own catalog.jsonld.

There is one CKAN dataset for each Dataset of the catalogue, with a name and with resource ids that stay the same in every release. Fields
are named as in ckanext-dcat's full schema; `ckan_schema` knows how a portal spells them.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from exports.metadata import datapackage, dcat, rdf, wording
from exports.metadata.catalogue import CATALOG_TTL
from exports.metadata.rdf import Graph, Literal, is_absolute, objects
from exports.metadata.vocabulary import MEDIA_TYPES, SHA256, Format, format_of
from exports.model.licences import NO_LICENCE
from exports.push.errors import PushError
from exports.push.push_plan import PushPlan
from pipelines.core.errors import UsageError

NAME = re.compile(r"[a-z0-9_-]{2,100}")
WORKSPACE = "zpo2_workspace"
"""The field of a dataset that tells from which workspace it was pushed. No other push writes to it."""
CONTENT = "zpo2_sha256"
"""The field of a resource by which a push recognises its content. `hash` is not used, because loaders overwrite it with one of their own."""
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:zpo2:push:ckan")
LICENCES = {"CC0-1.0": "cc-zero", "CC-BY-4.0": "cc-by", "CC-BY-SA-4.0": "cc-by-sa", "CC-BY-NC-4.0": "cc-nc", NO_LICENCE: "notspecified"}
"""Licence ids of CKAN by SPDX identifier. Other licences keep their SPDX identifier."""


Texts = Mapping[str, str | tuple[str, ...]]


@dataclass(frozen=True)
class Resource:
    """A file of the release as a resource. `id` depends only on the name of the dataset and the path.

    `texts` has the fields that are texts for people, by language.
    """

    id: str
    path: str
    fields: Mapping[str, Any]
    texts: Mapping[str, Texts] = field(default_factory=dict)


@dataclass(frozen=True)
class Dataset:
    """`core` has fields of CKAN itself, and `dcat` fields of ckanext-dcat: texts, lists of texts, or lists of nested fields.

    `id` is its name in the catalogue. `texts` has the fields that are texts for people, by language.
    """

    id: str
    name: str
    core: Mapping[str, str]
    tags: tuple[str, ...]
    dcat: Mapping[str, Any]
    resources: tuple[Resource, ...] = field(default=())
    texts: Mapping[str, Texts] = field(default_factory=dict)


def datasets(plan: PushPlan, prefix: str | None = None, language: str | None = None) -> list[Dataset]:
    """Return the datasets of a release, by default named after the pack and in its first language. Raises UsageError, PushError."""
    try:
        graph = rdf.from_json_ld((plan.folder / dcat.JSON_LD).read_bytes())
        package = json.loads((plan.folder / datapackage.PATH).read_bytes())
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise PushError(f"{plan.version}: {dcat.JSON_LD} or {datapackage.PATH} cannot be read ({error}); nothing was sent") from None
    nodes = [node for node, properties in graph.nodes.items() if rdf.name("dcat:Dataset") in properties.get(rdf.TYPE, [])]
    if any(f"{CATALOG_TTL}#" in node for node in nodes):
        raise PushError(
            f"{plan.version} was made by an earlier version of the software, with a dataset for each table; push a newer release"
        )
    return [_dataset(plan, graph, node, package, prefix, language) for node in nodes]


def has_addresses(datasets: list[Dataset]) -> bool:
    """Whether the files of the release have web addresses, so that a portal can link to them."""
    return all("url" in resource.fields for dataset in datasets for resource in dataset.resources)


def _dataset(plan: PushPlan, graph: Graph, node: str, package: Mapping[str, Any], prefix: str | None, language: str | None) -> Dataset:
    reader = _NodeReader(graph, node, language)
    release_address = dcat.release_address(graph)
    identifier = reader.text("dct:identifier") or ""
    pack, _, key = identifier.partition("/")
    name = f"{prefix if prefix is not None else pack}-{key}".lower()
    if not NAME.fullmatch(name):
        raise UsageError(f"--prefix: {name} is not a valid name of a dataset; expected 2 to 100 characters of a-z, 0-9, - and _")
    files = list(objects(graph, node, "dcat:distribution"))
    licence = next((name for file in files for name in _licences(graph, file)), "")
    core = {
        "title": reader.text("dct:title"),
        "notes": reader.text("dct:description"),
        "url": reader.iri("dcat:landingPage"),
        "version": plan.version,
        "license_id": LICENCES.get(licence, licence),
    }
    run = (reader.iri("prov:wasGeneratedBy") or "").partition("#")[0]
    readers = {spoken: _NodeReader(graph, node, spoken) for spoken in reader.languages}
    texts: dict[str, Texts] = {
        "title": {spoken: r.text("dct:title") or "" for spoken, r in readers.items()},
        "notes": {spoken: r.text("dct:description") or "" for spoken, r in readers.items()},
        "tags": {spoken: _tags(r) for spoken, r in readers.items()},
        "provenance": {spoken: _provenance(package, run, spoken) for spoken in readers},
    }
    fields = {
        WORKSPACE: plan.workspace,
        "uri": node if is_absolute(node) else None,
        "identifier": identifier,
        "issued": reader.text("dct:issued"),
        "modified": reader.text("dct:modified"),
        "language": reader.iris("dct:language"),
        "theme": reader.iris("dcat:theme"),
        "frequency": reader.iri("dct:accrualPeriodicity"),
        "access_rights": reader.iri("dct:accessRights"),
        "documentation": reader.iris("foaf:page"),
        "provenance": _provenance(package, run, reader.language),
        "hvd_category": reader.iris("dcatap:hvdCategory"),
        "applicable_legislation": reader.iris("dcatap:applicableLegislation"),
        "publisher": [_agent(reader, "dct:publisher", "foaf:name")],
        "creator": _agents(reader, "dct:creator", "foaf:name"),
        "contact": [_agent(reader, "dcat:contactPoint", "vcard:fn")],
        "temporal_coverage": _periods(reader),
        "spatial_coverage": _places(reader),
    }
    return Dataset(
        key,
        name,
        {name: value for name, value in core.items() if value},
        _tags(reader),
        {name: value for name, value in fields.items() if value and value != [{}]},
        tuple(_resource(plan, _NodeReader(graph, file, reader.language), name, release_address, texts["title"]) for file in files),
        texts,
    )


def _resource(plan: PushPlan, reader: _NodeReader, name: str, release_address: str, descriptions: Texts) -> Resource:
    address = next(objects(reader.graph, reader.node, "dcat:downloadURL"), "")
    path = address.removeprefix(release_address)
    if path not in plan.files:
        raise PushError(f"{plan.version}: {dcat.JSON_LD} lists {path}, which is not a file of the release; nothing was sent")
    form = format_of(path)
    readers = {spoken: _NodeReader(reader.graph, reader.node, spoken) for spoken in reader.languages}
    modified = reader.text("dct:modified")
    values = {
        "url": address if is_absolute(address) else None,
        "access_url": next((iri for iri in reader.iris("dcat:accessURL")), None),
        "download_url": address if is_absolute(address) else None,
        "uri": reader.node if is_absolute(reader.node) else None,
        "name": _file_name(reader.text("dct:title"), form),
        "description": descriptions.get(reader.language or "") or next(iter(descriptions.values()), None),
        "format": form.name,
        "mimetype": (reader.iri("dcat:mediaType") or "").removeprefix(MEDIA_TYPES),
        "size": plan.files[path].bytes,
        CONTENT: plan.files[path].sha256,
        "hash": plan.files[path].sha256,
        "hash_algorithm": SHA256,
        "license": reader.iri("dct:license"),
        "rights": _rights(reader),
        "availability": reader.iri("dcatap:availability"),
        "language": reader.iris("dct:language"),
        "conforms_to": reader.iris("dct:conformsTo"),
        "issued": reader.text("dct:issued"),
        "modified": modified,
        "last_modified": modified.removesuffix("Z") if modified else None,
        "applicable_legislation": reader.iris("dcatap:applicableLegislation"),
    }
    texts: dict[str, Texts] = {
        "name": {spoken: _file_name(r.text("dct:title"), form) for spoken, r in readers.items()},
        "description": descriptions,
    }
    fields = {field: value for field, value in values.items() if value not in (None, "", [])}
    return Resource(str(uuid.uuid5(NAMESPACE, f"{name}/{path}")), path, fields, texts)


def _file_name(title: str | None, form: Format) -> str:
    """Return the name of a resource, which begins with what tells it from the others, because portals show only the first letters."""
    return title or form.name


class _NodeReader:
    """Reads a node of the catalogue in the given language if the node has it, otherwise in the node's first language."""

    def __init__(self, graph: Graph, node: str, language: str | None) -> None:
        self.graph, self.node = graph, node
        available = [term.language for term in graph.nodes[node].get("dct:title", []) if isinstance(term, Literal)]
        self.languages = tuple(dict.fromkeys(code for code in available if code))
        self.language = language if language in available or not available else available[0]

    def texts(self, prop: str, node: str | None = None) -> list[str]:
        terms = [t for t in self.graph.nodes.get(node or self.node, {}).get(prop, []) if isinstance(t, Literal)]
        return [t.text for t in terms if t.language == self.language] or [t.text for t in terms if t.language == terms[0].language]

    def text(self, prop: str, node: str | None = None) -> str | None:
        return next(iter(self.texts(prop, node)), None)

    def iris(self, prop: str, node: str | None = None) -> list[str]:
        """Return the absolute addresses."""
        return [iri for iri in objects(self.graph, node or self.node, prop) if is_absolute(iri)]

    def iri(self, prop: str, node: str | None = None) -> str | None:
        return next(iter(self.iris(prop, node)), None)


def _licences(graph: Graph, file: str) -> list[str]:
    """Return the SPDX identifiers of the licences of a file."""
    documents = list(objects(graph, file, "dct:license"))
    # an entry of the EU's list has the identifier as its label, and another licence as its title
    names = [[*objects(graph, iri, "skos:prefLabel"), *objects(graph, iri, "dct:title"), ""][0] for iri in documents]
    return [NO_LICENCE if name == dcat.NO_LICENCE_TITLE else name for name in names]


def _rights(reader: _NodeReader) -> str | None:
    """Return what the sources of a file allow, in words."""
    statement = next(objects(reader.graph, reader.node, "dct:rights"), "")
    return reader.text("rdfs:label", statement)


def _agents(reader: _NodeReader, prop: str, name: str) -> list[dict[str, str]]:
    return [_agent_of(reader, node, name) for node in objects(reader.graph, reader.node, prop)]


def _agent(reader: _NodeReader, prop: str, name: str) -> dict[str, str]:
    return _agent_of(reader, next(objects(reader.graph, reader.node, prop), ""), name)


def _agent_of(reader: _NodeReader, node: str, name: str) -> dict[str, str]:
    kind = reader.iri("dct:type", node)
    values = {
        "uri": node if is_absolute(node) else None,
        "name": reader.text(name, node),
        "email": (reader.iri("vcard:hasEmail", node) or "").removeprefix("mailto:"),
        "url": reader.iri("vcard:hasURL", node),
        "type": kind if kind and kind.startswith("http://purl.org/adms/") else None,
    }
    return {field: value for field, value in values.items() if value}


def _periods(reader: _NodeReader) -> list[dict[str, str]]:
    periods = []
    for node in objects(reader.graph, reader.node, "dct:temporal"):
        ends = {"start": reader.text("dcat:startDate", node), "end": reader.text("dcat:endDate", node)}
        periods.append({end: day for end, day in ends.items() if day})
    return periods


def _places(reader: _NodeReader) -> list[dict[str, str]]:
    places = []
    for node in objects(reader.graph, reader.node, "dct:spatial"):
        values = {
            "uri": node if is_absolute(node) else None,
            "text": reader.text("skos:prefLabel", node) or reader.text("rdfs:label", node),
            "bbox": _geojson(reader.text("dcat:bbox", node)),
            "centroid": _geojson(reader.text("dcat:centroid", node)),
        }
        places.append({field: value for field, value in values.items() if value})
    return places


def _geojson(wkt: str | None) -> str | None:
    """Return a point or a box as GeoJSON, which CKAN's extensions use for geometries."""
    if not wkt:
        return None
    numbers = [[float(number) for number in pair.split()] for pair in wkt.partition("(")[2].strip("()").split(",")]
    if wkt.startswith("POINT"):
        return json.dumps({"type": "Point", "coordinates": numbers[0]})
    return json.dumps({"type": "Polygon", "coordinates": [numbers]})


def _provenance(package: Mapping[str, Any], run: str, language: str | None) -> str:
    """Return the sources that the release is computed from, and the address of its provenance, as sentences."""
    computed_from, details = wording.PROVENANCE.get(language or "", wording.PROVENANCE["en"])
    sources = [
        f"{source['title']} ({source['publisher']}, {(source.get('licenses') or [{'name': source.get('licence', '')}])[0]['name']})"
        for source in package.get("sources", [])
    ]
    return " ".join([*([f"{computed_from}: {'; '.join(sources)}."] if sources else []), *([f"{details}: {run}"] if run else [])])


def _tags(reader: _NodeReader) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_tag(word) for word in reader.texts("dcat:keyword")))


def _tag(word: str) -> str:
    """Return a keyword with the characters that CKAN allows in a tag."""
    return re.sub(r"[^\w \-.]", "-", word)[:100]
