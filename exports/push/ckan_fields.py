"""What a portal is told of a release: datasets and resources with the fields of ckanext-dcat, read from the release's own catalog.jsonld.

One dataset for each Dataset of the catalogue, which is a table, under a name and with resource ids that stay from release to release.
Names of fields are those of ckanext-dcat's full schema; how they are spelled for a portal is the business of `ckan_schema`.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from exports.metadata import datapackage, dcat, rdf
from exports.metadata.catalogue import CATALOGUE
from exports.metadata.rdf import Graph, Literal, is_absolute, objects
from exports.metadata.text import NO_LICENCE
from exports.metadata.vocabulary import FORMATS, MEDIA_TYPES, SHA256
from exports.push.push_plan import Outgoing, PushError, RefusedError

NAME = re.compile(r"[a-z0-9_-]{2,100}")
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:zpo2:push:ckan")
LICENCES = {"CC0-1.0": "cc-zero", "CC-BY-4.0": "cc-by", "CC-BY-SA-4.0": "cc-by-sa", "CC-BY-NC-4.0": "cc-nc", NO_LICENCE: "notspecified"}
"""SPDX to the ids of CKAN's own list; any other licence goes by its SPDX identifier."""


@dataclass(frozen=True)
class Resource:
    """A file as a resource: `id` depends on the dataset's name and the path, `path` leads to the file in the release."""

    id: str
    path: str
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Dataset:
    """`core` are fields of CKAN itself, `dcat` those of ckanext-dcat: texts, lists of texts, or lists of nested fields."""

    name: str
    core: Mapping[str, str]
    tags: tuple[str, ...]
    dcat: Mapping[str, Any]
    resources: tuple[Resource, ...] = field(default=())


def datasets(out: Outgoing, prefix: str | None = None, language: str | None = None) -> list[Dataset]:
    """Return the datasets of a release, by default named after the pack and in its first language. Raises RefusedError, PushError."""
    try:
        graph = rdf.from_json_ld((out.folder / dcat.JSON_LD).read_bytes())
        package = json.loads((out.folder / datapackage.PATH).read_bytes())
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise PushError(f"{out.version}: {dcat.JSON_LD} or {datapackage.PATH} cannot be read ({error}); nothing was sent") from None
    nodes = [node for node, said in graph.nodes.items() if rdf.name("dcat:Dataset") in said.get(rdf.TYPE, [])]
    return [_dataset(out, graph, node, _provenance(package), prefix, language) for node in nodes]


def has_addresses(found: list[Dataset]) -> bool:
    """Whether the files of the release have addresses of their own, so that a portal can link to them."""
    return all("url" in resource.fields for dataset in found for resource in dataset.resources)


def _dataset(out: Outgoing, graph: Graph, node: str, provenance: str, prefix: str | None, language: str | None) -> Dataset:
    one = _One(graph, node, language)
    here, _, key = node.partition(f"{CATALOGUE}#")
    pack = (one.text("dct:identifier") or "").partition("/")[0]
    table = key.removeprefix("table-")
    name = f"{prefix if prefix is not None else pack}-{table}".lower()
    if not NAME.fullmatch(name):
        raise RefusedError(f"--prefix: {name} is no name for a dataset: 2 to 100 of a-z, 0-9, - and _")
    lasting = node.replace(out.place, "latest/") if is_absolute(node) else None
    files = list(objects(graph, node, "dcat:distribution"))
    licence = next((name for file in files for name in _licences(graph, file)), "")
    core = {
        "title": one.text("dct:title"),
        "notes": one.text("dct:description"),
        "url": one.iri("dcat:landingPage"),
        "version": out.version,
        "license_id": LICENCES.get(licence, licence),
    }
    first = next((e.released for e in out.history if table in e.rows or key == "release"), None)
    run = one.iri("prov:wasGeneratedBy")
    said = {
        "uri": lasting,
        "identifier": f"{pack}/{key}",
        "issued": first or one.text("dct:issued"),
        "modified": one.text("dct:modified"),
        "language": one.iris("dct:language"),
        "theme": one.iris("dcat:theme"),
        "frequency": one.iri("dct:accrualPeriodicity"),
        "access_rights": one.iri("dct:accessRights"),
        "documentation": one.iris("foaf:page"),
        "provenance": provenance + (f" How: {run.partition('#')[0]}" if run else ""),
        "hvd_category": one.iris("dcatap:hvdCategory"),
        "applicable_legislation": one.iris("dcatap:applicableLegislation"),
        "publisher": [_agent(one, "dct:publisher", "foaf:name")],
        "contact": [_agent(one, "dcat:contactPoint", "vcard:fn")],
        "temporal_coverage": _periods(one),
        "spatial_coverage": _places(one),
    }
    return Dataset(
        name,
        {name: value for name, value in core.items() if value},
        tuple(dict.fromkeys(_tag(word) for word in one.texts("dcat:keyword"))),
        {name: value for name, value in said.items() if value and value != [{}]},
        tuple(_resource(out, _One(graph, file, one.language), name, here, lasting, core["notes"]) for file in files),
    )


def _resource(out: Outgoing, one: _One, name: str, here: str, lasting: str | None, description: str | None) -> Resource:
    address = next(objects(one.graph, one.node, "dcat:downloadURL"), "")
    path = address.removeprefix(here)
    if path not in out.files:
        raise PushError(f"{out.version}: {dcat.JSON_LD} names {path}, which is no file of the release; nothing was sent")
    form = next((form for ending, form in FORMATS.items() if path.endswith(ending)), None)
    said = {
        "url": address if is_absolute(address) else None,
        "access_url": next((iri for iri in one.iris("dcat:accessURL")), None),
        "download_url": address if is_absolute(address) else None,
        "uri": lasting.partition("#")[0] + "#" + one.node.partition("#")[2] if lasting else None,
        "name": one.text("dct:title"),
        "description": description,
        "format": form.name if form else None,
        "mimetype": (one.iri("dcat:mediaType") or "").removeprefix(MEDIA_TYPES),
        "size": out.files[path].bytes,
        "hash": out.files[path].sha256,
        "hash_algorithm": SHA256,
        "license": one.iri("dct:license"),
        "availability": one.iri("dcatap:availability"),
        "language": one.iris("dct:language"),
        "conforms_to": one.iris("dct:conformsTo"),
        "issued": one.text("dct:issued"),
        "modified": one.text("dct:modified"),
        "applicable_legislation": one.iris("dcatap:applicableLegislation"),
    }
    fields = {field: value for field, value in said.items() if value not in (None, "", [])}
    return Resource(str(uuid.uuid5(NAMESPACE, f"{name}/{path}")), path, fields)


class _One:
    """A node of the catalogue, read in one language where it has it, else in the first that it has."""

    def __init__(self, graph: Graph, node: str, language: str | None) -> None:
        self.graph, self.node = graph, node
        spoken = [term.language for term in graph.nodes[node].get("dct:title", []) if isinstance(term, Literal)]
        self.language = language if language in spoken or not spoken else spoken[0]

    def texts(self, prop: str, node: str | None = None) -> list[str]:
        terms = [t for t in self.graph.nodes.get(node or self.node, {}).get(prop, []) if isinstance(t, Literal)]
        return [t.text for t in terms if t.language == self.language] or [t.text for t in terms if t.language == terms[0].language]

    def text(self, prop: str, node: str | None = None) -> str | None:
        return next(iter(self.texts(prop, node)), None)

    def iris(self, prop: str, node: str | None = None) -> list[str]:
        """Return the addresses that mean the same wherever they are read."""
        return [iri for iri in objects(self.graph, node or self.node, prop) if is_absolute(iri)]

    def iri(self, prop: str, node: str | None = None) -> str | None:
        return next(iter(self.iris(prop, node)), None)


def _licences(graph: Graph, file: str) -> list[str]:
    """Return the SPDX identifiers of the licences of a file."""
    found = [title for iri in objects(graph, file, "dct:license") for title in objects(graph, iri, "dct:title")]
    return [NO_LICENCE if title == "No licence is asserted" else title for title in found]


def _agent(one: _One, prop: str, name: str) -> dict[str, str]:
    node = next(objects(one.graph, one.node, prop), "")
    kind = one.iri("dct:type", node)
    said = {
        "uri": node if is_absolute(node) else None,
        "name": one.text(name, node),
        "email": (one.iri("vcard:hasEmail", node) or "").removeprefix("mailto:"),
        "url": one.iri("vcard:hasURL", node),
        "type": kind if kind and kind.startswith("http://purl.org/adms/") else None,
    }
    return {field: value for field, value in said.items() if value}


def _periods(one: _One) -> list[dict[str, str]]:
    found = []
    for node in objects(one.graph, one.node, "dct:temporal"):
        ends = {"start": one.text("dcat:startDate", node), "end": one.text("dcat:endDate", node)}
        found.append({end: day for end, day in ends.items() if day})
    return found


def _places(one: _One) -> list[dict[str, str]]:
    found = []
    for node in objects(one.graph, one.node, "dct:spatial"):
        said = {
            "uri": node if is_absolute(node) else None,
            "text": one.text("skos:prefLabel", node) or one.text("rdfs:label", node),
            "bbox": _geojson(one.text("dcat:bbox", node)),
            "centroid": _geojson(one.text("dcat:centroid", node)),
        }
        found.append({field: value for field, value in said.items() if value})
    return found


def _geojson(wkt: str | None) -> str | None:
    """Return a point or a box in the form that CKAN's extensions keep geometries in."""
    if not wkt:
        return None
    numbers = [[float(number) for number in pair.split()] for pair in wkt.partition("(")[2].strip("()").split(",")]
    if wkt.startswith("POINT"):
        return json.dumps({"type": "Point", "coordinates": numbers[0]})
    return json.dumps({"type": "Polygon", "coordinates": [numbers]})


def _provenance(package: Mapping[str, Any]) -> str:
    """Return what the release is computed from, for people."""
    sources = [
        f"{source['title']} ({source['publisher']}, {(source.get('licenses') or [{'name': source.get('licence', '')}])[0]['name']})"
        for source in package.get("sources", [])
    ]
    return f"Computed from: {'; '.join(sources)}." if sources else ""


def _tag(word: str) -> str:
    """Return a keyword with the signs that CKAN allows in a tag."""
    return re.sub(r"[^\w \-.]", "-", word)[:100]
