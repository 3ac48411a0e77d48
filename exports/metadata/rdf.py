"""Statements in RDF, as Turtle and as JSON-LD, the same bytes every time. Knows syntax, no vocabulary's meaning.

Every node has an IRI, so that there is nothing to compare but sets of statements. Texts come from packs: whatever they
hold stays inside its literal, and an address with signs that no IRI has gets them as percent-encoded bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

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
_NO_IRI = re.compile(r'[\x00-\x20<>"{}|\\^`\x7f-\x9f\ud800-\udfff\ufffe\uffff]')
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
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
    """A text with a language, or one with a datatype (a name with prefix)."""

    text: str
    language: str = ""
    datatype: str = ""


Term = Iri | Literal


def name(prefixed: str) -> Iri:
    """Return the IRI of a name such as dct:title."""
    prefix, _, local = prefixed.partition(":")
    return Iri(PREFIXES[prefix] + local)


def address(value: object) -> str:
    """Return `value` as an IRI, signs that no IRI has as percent-encoded bytes."""
    text = _NO_IRI.sub(lambda m: "".join(f"%{byte:02X}" for byte in m[0].encode("utf-8", "replace")), str(value))
    return _BAD_PERCENT.sub("%25", text)


def is_absolute(value: object) -> bool:
    """Whether `value` names something by itself: a web address, a mail address or a URN."""
    return isinstance(value, str) and _ABSOLUTE.match(value) is not None


def is_language(tag: str) -> bool:
    """Whether `tag` has the form of a language's tag (BCP 47)."""
    return _LANGUAGE.fullmatch(tag) is not None


def text(value: str, language: str = "") -> Literal:
    """Return `value` as a text, in a language where `language` is a tag of one."""
    clean = _SURROGATE.sub("\ufffd", value)
    return Literal(clean, language if is_language(language) else "")


def typed(value: object, datatype: str) -> Literal:
    return Literal(str(value), datatype=datatype)


@dataclass
class Graph:
    """Statements by subject and property (a name with prefix), in the order in which they were made."""

    nodes: dict[str, dict[str, list[Term]]] = field(default_factory=dict)

    def add(self, subject: str, prop: str, *objects: Term | None) -> None:
        """State `prop` of `subject` for each of `objects`, once each; None is no object."""
        for value in objects:
            if value is not None:
                known = self.nodes.setdefault(subject, {}).setdefault(prop, [])
                if value not in known:
                    known.append(value)

    def node(self, subject: str, *types: str, **properties: Term | Sequence[Term] | None) -> Iri:
        """State the types of `subject` and its properties, written dct_title for dct:title; return its name."""
        self.add(subject, TYPE, *(name(kind) for kind in types))
        for prop, value in properties.items():
            self.add(subject, prop.replace("_", ":", 1), *([value] if value is None or isinstance(value, Iri | Literal) else value))
        return Iri(subject)

    def turtle(self) -> bytes:
        """Return the statements as Turtle."""
        body = "\n".join(_turtle_node(subject, properties) for subject, properties in self.nodes.items())
        used = sorted(prefix for prefix in PREFIXES if re.search(rf"(?<![\w:/#]){prefix}:", body))
        head = "".join(f"@prefix {prefix}: <{PREFIXES[prefix]}> .\n" for prefix in used)
        return f"{head}\n{body}".encode()

    def json_ld(self) -> bytes:
        """Return the statements as JSON-LD: one flat list of nodes."""
        value = {"@context": dict(PREFIXES), "@graph": [_json_node(s, properties) for s, properties in self.nodes.items()]}
        return (json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def from_json_ld(content: bytes) -> Graph:
    """Return the statements of a document that `Graph.json_ld` wrote. Raises KeyError, TypeError or ValueError on any other."""
    graph = Graph()
    for node in json.loads(content)["@graph"]:
        for prop, values in node.items():
            if prop == "@type":
                graph.add(node["@id"], TYPE, *(name(kind) for kind in values))
            elif prop != "@id":
                graph.add(node["@id"], prop, *(_from_json(value) for value in values))
    return graph


def _turtle_node(subject: str, properties: Mapping[str, list[Term]]) -> str:
    lines = [f"<{address(subject)}>"]
    for prop, values in properties.items():
        verb = "a" if prop == TYPE else prop
        between = ",\n        " if len(values) > 2 else ", "
        lines.append(f"    {verb} {between.join(_turtle_term(value) for value in values)} ;")
    return "\n".join([*lines, "    .\n"])


def _turtle_term(term: Term) -> str:
    if isinstance(term, Iri):
        return _short(term.value) or f"<{address(term.value)}>"
    quoted = '"' + _ESCAPED.sub(lambda m: _ESCAPES.get(m[0], f"\\u{ord(m[0]):04X}"), term.text) + '"'
    if term.language:
        return f"{quoted}@{term.language}"
    return f"{quoted}^^{term.datatype}" if term.datatype else quoted


def _short(value: str) -> str | None:
    """Return the name with prefix of an IRI of a known vocabulary, None where it needs to be written out."""
    for prefix, namespace in PREFIXES.items():
        if value.startswith(namespace) and _LOCAL.fullmatch(value.removeprefix(namespace)):
            return f"{prefix}:{value.removeprefix(namespace)}"
    return None


def _json_node(subject: str, properties: Mapping[str, list[Term]]) -> dict[str, Any]:
    node: dict[str, Any] = {"@id": address(subject)}
    for prop, values in properties.items():
        if prop == TYPE:
            node["@type"] = [_short(value.value) for value in values if isinstance(value, Iri)]
        else:
            node[prop] = [_to_json(value) for value in values]
    return node


def _to_json(term: Term) -> dict[str, str]:
    if isinstance(term, Iri):
        return {"@id": address(term.value)}
    more = {"@language": term.language} if term.language else {"@type": term.datatype} if term.datatype else {}
    return {"@value": term.text, **more}


def _from_json(value: Mapping[str, str]) -> Term:
    if "@id" in value:
        return Iri(value["@id"])
    return Literal(value["@value"], value.get("@language", ""), value.get("@type", ""))


def objects(graph: Graph, subject: str, prop: str) -> Iterator[str]:
    """Yield the texts, or the IRIs, that `prop` of `subject` has."""
    for term in graph.nodes.get(subject, {}).get(prop, []):
        yield term.value if isinstance(term, Iri) else term.text
