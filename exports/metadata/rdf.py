"""Write RDF statements as Turtle and as JSON-LD, with the same bytes every time. Knows the syntax, not the meaning of vocabularies.

Every node has an IRI, so that two graphs can be compared as sets of statements. Texts from packs are always escaped, and characters that
an IRI cannot contain are percent-encoded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.core.iri import escape_iri

PREFIXES: Mapping[str, str] = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcatap": "http://data.europa.eu/r5r/",
    "dct": "http://purl.org/dc/terms/",
    "dqv": "http://www.w3.org/ns/dqv#",
    "eli": "http://data.europa.eu/eli/ontology#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "geo": "http://www.opengis.net/ont/geosparql#",
    "leg": "https://data.gov.sk/def/ontology/legislation/",
    "prov": "http://www.w3.org/ns/prov#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spdx": "http://spdx.org/rdf/terms#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
TYPE = "rdf:type"
_ABSOLUTE = re.compile(r"(https?|mailto|urn):\S", re.IGNORECASE)

_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_LOCAL = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPED = re.compile(r'[\x00-\x1f"\\\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]')
_SURROGATE = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True)
class Iri:
    """The name of a node, absolute or relative to the document."""

    value: str


@dataclass(frozen=True)
class Literal:
    """A text with a language, or a text with a datatype (a prefixed name)."""

    text: str
    language: str = ""
    datatype: str = ""


Term = Iri | Literal


def name(prefixed: str) -> Iri:
    """Return the IRI of a prefixed name such as dct:title."""
    prefix, _, local = prefixed.partition(":")
    return Iri(PREFIXES[prefix] + local)


def is_absolute(value: object) -> bool:
    """Whether `value` is an absolute IRI: a web address, a mail address or a URN."""
    return isinstance(value, str) and _ABSOLUTE.match(value) is not None


def is_language(tag: str) -> bool:
    """Whether `tag` has the form of a language tag (BCP 47)."""
    return _LANGUAGE.fullmatch(tag) is not None


def text(value: str, language: str = "") -> Literal:
    """Return `value` as a text, with a language if `language` is a valid tag."""
    clean = _SURROGATE.sub("\ufffd", value)
    return Literal(clean, language if is_language(language) else "")


def typed(value: object, datatype: str) -> Literal:
    return Literal(str(value), datatype=datatype)


@dataclass
class Graph:
    """Statements by subject and property (a prefixed name), in the order in which they were added."""

    nodes: dict[str, dict[str, list[Term]]] = field(default_factory=dict)
    _known: set[tuple[str, str, Term]] = field(default_factory=set, repr=False, compare=False)

    def add(self, subject: str, prop: str, *objects: Term | None) -> None:
        """Add the property `prop` of `subject` with each of `objects`, without repetitions. None is ignored."""
        for value in objects:
            if value is not None and (statement := (subject, prop, value)) not in self._known:
                self._known.add(statement)
                self.nodes.setdefault(subject, {}).setdefault(prop, []).append(value)

    def node(self, subject: str, *types: str, **properties: Term | Sequence[Term] | None) -> Iri:
        """Add types and properties of `subject` and return its IRI. Write dct_title for the property dct:title."""
        self.add(subject, TYPE, *(name(kind) for kind in types))
        for prop, value in properties.items():
            self.add(subject, prop.replace("_", ":", 1), *([value] if value is None or isinstance(value, Iri | Literal) else value))
        return Iri(subject)

    def turtle(self) -> bytes:
        """Return the statements as Turtle."""
        body = "\n".join(_turtle_node(subject, properties) for subject, properties in self.nodes.items())
        used = sorted(prefix for prefix in PREFIXES if re.search(rf"{prefix}:(?<![\w:/#]{prefix}:)", body))
        head = "".join(f"@prefix {prefix}: <{PREFIXES[prefix]}> .\n" for prefix in used)
        return f"{head}\n{body}".encode()

    def json_ld(self) -> bytes:
        """Return the statements as JSON-LD, as a flat list of nodes."""
        value = {"@context": dict(PREFIXES), "@graph": [_json_node(s, properties) for s, properties in self.nodes.items()]}
        return (json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def from_json_ld(content: bytes) -> Graph:
    """Return the statements of a document from `Graph.json_ld`. Raises KeyError, TypeError or ValueError for any other document."""
    graph = Graph()
    for node in json.loads(content)["@graph"]:
        for prop, values in node.items():
            if prop == "@type":
                graph.add(node["@id"], TYPE, *(name(kind) for kind in values))
            elif prop != "@id":
                graph.add(node["@id"], prop, *(_from_json(value) for value in values))
    return graph


def _turtle_node(subject: str, properties: Mapping[str, list[Term]]) -> str:
    lines = [f"<{escape_iri(subject)}>"]
    for prop, values in properties.items():
        verb = "a" if prop == TYPE else prop
        separator = ",\n        " if len(values) > 2 else ", "
        lines.append(f"    {verb} {separator.join(_turtle_term(value) for value in values)} ;")
    return "\n".join([*lines, "    .\n"])


def _turtle_term(term: Term) -> str:
    if isinstance(term, Iri):
        return _short(term.value) or f"<{escape_iri(term.value)}>"
    quoted = '"' + _ESCAPED.sub(lambda m: _ESCAPES.get(m[0], f"\\u{ord(m[0]):04X}"), term.text) + '"'
    if term.language:
        return f"{quoted}@{term.language}"
    return f"{quoted}^^{term.datatype}" if term.datatype else quoted


def _short(value: str) -> str | None:
    """Return the prefixed name of an IRI in a known vocabulary; None if the IRI must be written in full."""
    for prefix, namespace in PREFIXES.items():
        if value.startswith(namespace) and _LOCAL.fullmatch(value.removeprefix(namespace)):
            return f"{prefix}:{value.removeprefix(namespace)}"
    return None


def _json_node(subject: str, properties: Mapping[str, list[Term]]) -> dict[str, Any]:
    node: dict[str, Any] = {"@id": escape_iri(subject)}
    for prop, values in properties.items():
        if prop == TYPE:
            node["@type"] = [_short(value.value) for value in values if isinstance(value, Iri)]
        else:
            node[prop] = [_to_json(value) for value in values]
    return node


def _to_json(term: Term) -> dict[str, str]:
    if isinstance(term, Iri):
        return {"@id": escape_iri(term.value)}
    attributes = {"@language": term.language} if term.language else {"@type": term.datatype} if term.datatype else {}
    return {"@value": term.text, **attributes}


def _from_json(value: Mapping[str, str]) -> Term:
    if "@id" in value:
        return Iri(value["@id"])
    return Literal(value["@value"], value.get("@language", ""), value.get("@type", ""))


def objects(graph: Graph, subject: str, prop: str) -> Iterator[str]:
    """Yield the values of the property `prop` of `subject`: texts or IRIs."""
    for term in graph.nodes.get(subject, {}).get(prop, []):
        yield term.value if isinstance(term, Iri) else term.text
