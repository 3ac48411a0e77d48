"""RDF documents: rdflib reads every text of a pack from Turtle and JSON-LD unchanged, and no text can break out of its literal."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import release_sample
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from rdflib import DCTERMS, RDF, SDO, XSD, Graph, Literal, URIRef
from rdflib.compare import isomorphic

from exports.metadata import DESCRIPTORS, RECORDS, render
from exports.metadata.rdf import Graph as Statements
from exports.metadata.rdf import Iri, from_json_ld, is_absolute, text, typed
from exports.model.info import Extent, Facts, Snapshot
from pipelines.core.iri import escape_iri

SUBJECT = "https://example.org/s"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NASTY = (
    '"',
    "\\",
    '"""',
    "a\nb\r\n\tc",
    '" .\n<urn:evil> a <urn:evil> . #',
    "\x00\x1f\x7f\x85\u2028",
    "}]",
    "\ufeff\ufffe",
    "😀",
    "@prefix",
    "dct:title",
    "</script>",
)
LANGUAGES = st.sampled_from(["", "en", "cs", "zh-Hant", "en us", 'en"@cs', "en-", "<x>", "toolonglanguage"])
WEB = st.text().map("https://example.org/".__add__)


def read(statements: Statements) -> Graph:
    """Return what rdflib reads, the same from both forms."""
    turtle, json_ld = Graph().parse(data=statements.turtle(), format="turtle"), Graph().parse(data=statements.json_ld(), format="json-ld")
    assert isomorphic(turtle, json_ld)
    assert from_json_ld(statements.json_ld()).turtle() == statements.turtle()
    return turtle


class TestGraph:
    @given(WEB)
    @example('https://example.org/a b?c="d"&e=<f>|{g}\\^`\n%zz%41\ud800')
    @example("https://example.org/> a <urn:evil> . <urn:x")
    def test_address_is_escaped(self, value: str) -> None:
        statements = Statements()
        statements.add(escape_iri(value), "dct:relation", Iri(escape_iri(value)))
        (found,) = read(statements)
        assert found == (URIRef(escape_iri(value)), DCTERMS.relation, URIRef(escape_iri(value)))
        assert escape_iri(escape_iri(value)) == escape_iri(value)

    @given(TEXTS, LANGUAGES)
    @example("\x00", "en")
    @example('\\"@cs', "en")
    @example("\ud800", "")
    def test_text_is_unchanged(self, value: str, language: str) -> None:
        statements = Statements()
        statements.add(SUBJECT, "dct:title", text(value, language))
        (found,) = read(statements)
        tag = language if language in ("en", "cs", "zh-Hant") else None
        assert found == (URIRef(SUBJECT), DCTERMS.title, Literal(value.replace("\ud800", "\ufffd"), lang=tag))

    @given(st.lists(st.tuples(st.sampled_from(["dct:title", "dct:type", "rdf:type"]), TEXTS), max_size=6))
    def test_statements_are_unique_and_ordered(self, pairs: list[tuple[str, str]]) -> None:
        statements = Statements()
        for prop, value in pairs:
            statements.add(SUBJECT, prop, Iri("http://www.w3.org/ns/dcat#Dataset") if prop == "rdf:type" else text(value))
        assert len(read(statements)) == len({(p, "" if p == "rdf:type" else v) for p, v in pairs})
        assert statements.turtle() == statements.turtle()

    def test_values_have_types(self) -> None:
        statements = Statements()
        statements.node(SUBJECT, "dcat:Dataset", dct_extent=typed(12, "xsd:integer"), dct_issued=typed("2026-11-03", "xsd:date"))
        graph = read(statements)
        assert (URIRef(SUBJECT), RDF.type, URIRef("http://www.w3.org/ns/dcat#Dataset")) in graph
        assert (URIRef(SUBJECT), DCTERMS.extent, Literal("12", datatype=XSD.integer)) in graph
        assert (URIRef(SUBJECT), DCTERMS.issued, Literal("2026-11-03", datatype=XSD.date)) in graph


class TestIsAbsolute:
    @pytest.mark.parametrize("value", ["dct:title", "Example office", "javascript:alert(1)", "", None, "//example.org/", "https:"])
    def test_rejects_other_texts(self, value: object) -> None:
        assert not is_absolute(value)


class TestDescriptors:
    @pytest.mark.parametrize("nasty", NASTY)
    def test_escape_hostile_texts(self, nasty: str) -> None:
        info = replace(
            release_sample.INFO,
            title={"en": f"Title {nasty}", nasty: "in a language that is none"},
            publisher={"name": f"Office {nasty}", "iri": f"https://office.example.org/{nasty}", "email": f"a{nasty}@example.org"},
            licence=f"{nasty}-1.0",
            languages=["en", nasty],
            sources=[
                {"id": "a", "title": nasty, "publisher": nasty, "licence": nasty, "homepage": f"https://x.org/{nasty}", "citation": nasty}
            ],
            catalogues=("nkod", "sk"),
            topics=(replace(release_sample.TOPIC, titles={"en": f"Women {nasty}"}, descriptions={"en": nasty}, keywords={"en": (nasty,)}),),
        )
        extent = Extent(1, 1, ("2024-01-01", "2024-12-31"), nasty, (nasty,), (nasty,))
        snapshot = Snapshot("a", nasty, f"https://x.org/{nasty}", "ab" * 32, 1, "2026-11-01T05:00:00Z")
        documents = render(DESCRIPTORS + RECORDS, release_sample.context(info, Facts(snapshots=(snapshot,), extents={"share": extent})))
        graphs = {path: Graph().parse(data=content, format="turtle") for path, content in documents.items() if path.endswith(".ttl")}
        assert len(graphs) == 4 + len(("women", "territory"))
        assert isomorphic(graphs["catalog.ttl"], Graph().parse(data=documents["catalog.jsonld"], format="json-ld"))
        assert not any("evil" in str(term) and "office" not in str(term) for graph in graphs.values() for term in graph.predicates())
        title = " ".join(f"Title {nasty}".split())
        root = URIRef("https://data.example.org/zpo2/#catalog")
        assert Literal(title, lang="en") in set(graphs["catalog.ttl"].objects(root, DCTERMS.title))
        assert {s for graph in graphs.values() for s in graph.subjects() if str(s).startswith("urn:")} == set()
        schema_org = Graph().parse(data=documents["schema-org.jsonld"], format="json-ld")
        assert Literal(title, lang="en") in set(schema_org.objects(None, SDO.name))
        assert yaml.safe_load(documents["CITATION.cff"])["title"] == title
        for path, content in documents.items():
            if path.startswith("nkod/datasets/"):
                assert title in json.loads(content)["název"]["en"]
