"""Files for the Czech and the Slovak national catalogue.

There is no validator to install for either. The rules below were read in the published schemas (the JSON schemas beside the Czech
standard of 2024-05-28, the SHACL rules beside DCAT-AP-SK 3.0.0) and are said again here; Czech records are also held against real
ones of a region, where those are there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from rdflib import DCTERMS, FOAF, RDF, XSD, Graph, Literal, Namespace, URIRef
from release_sample import INFO, Home

from exports import ReleaseInfo
from tests.support import shapes
from tests.support.command import MIRROR

pytestmark = pytest.mark.slow

ROOT = "https://data.example.org/zpo2/"
LATEST = f"{ROOT}latest/"
OFN = "https://ofn.gov.cz/dcat-ap-cz-rozhraní-katalogů-otevřených-dat/2024-05-28/kontexty/rozhraní-katalogů-otevřených-dat.jsonld"
REAL = MIRROR / "raw.githubusercontent.com" / "krhk" / "opendata"
DCAT = Namespace("http://www.w3.org/ns/dcat#")
LEG = Namespace("https://data.gov.sk/def/ontology/legislation/")
VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
DATA_SETS = ["territory", "women"]
LEGAL_SUBJECT = "https://data.gov.sk/id/legal-subject/00151742"


@pytest.fixture(scope="module")
def build(warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[ReleaseInfo], Path]:
    return lambda info: Home(tmp_path_factory.mktemp("home")).build(warehouse, info).path


@pytest.fixture(scope="module")
def published(build: Callable[[ReleaseInfo], Path]) -> Path:
    return build(replace(INFO, catalogues=("nkod", "sk"), publisher={**INFO.publisher, "iri": LEGAL_SUBJECT}, country="SK"))


@pytest.fixture(scope="module")
def czech(build: Callable[[ReleaseInfo], Path]) -> Path:
    return build(replace(INFO, catalogues=("nkod",)))


def documents(release: Path) -> Iterator[dict[str, Any]]:
    for path in sorted((release / "nkod" / "datasets").iterdir()):
        yield json.loads(path.read_text(encoding="utf-8"))


# ------------------------------------------------------------------------------------------------------------------- NKOD

IRI = {"type": "string", "pattern": "^https://[^ ]{5,}$"}
CZECH = {"type": "object", "required": ["cs"], "additionalProperties": {"type": "string", "minLength": 1}}
TERMS = {
    "type": "object",
    "required": ["typ", "autorské_dílo", "databáze_jako_autorské_dílo", "databáze_chráněná_zvláštními_právy", "osobní_údaje"],
    "properties": {
        "typ": {"const": "Specifikace podmínek užití"},
        "autorské_dílo": IRI,
        "databáze_jako_autorské_dílo": IRI,
        "databáze_chráněná_zvláštními_právy": IRI,
        "osobní_údaje": {"enum": [f"https://data.gov.cz/podmínky-užití/{x}obsahuje-osobní-údaje/" for x in ("", "ne")]},
        "autor": CZECH,
        "autor_databáze": CZECH,
    },
    "additionalProperties": False,
}
FILE = {
    "type": "object",
    "required": ["typ", "iri", "podmínky_užití", "přístupové_url", "formát", "typ_média", "soubor_ke_stažení"],
    "properties": {
        "typ": {"const": "Distribuce"},
        "iri": IRI,
        "název": CZECH,
        "podmínky_užití": TERMS,
        "přístupové_url": IRI,
        "soubor_ke_stažení": IRI,
        "formát": {"type": "string", "pattern": "^http://publications.europa.eu/resource/authority/file-type/[A-Z]+$"},
        "typ_média": {"type": "string", "pattern": "^http://www.iana.org/assignments/media-types/[a-z]+/[a-z.]+$"},
        "schéma": IRI,
    },
    "additionalProperties": False,
}
CONTACT = {
    "type": "object",
    "required": ["typ"],
    "properties": {"typ": {"const": "Organizace"}, "jméno": CZECH, "e-mail": {"type": "string", "pattern": "^mailto:"}},
    "additionalProperties": False,
}
DATASET: dict[str, Any] = {
    "type": "object",
    "required": [
        "@context", "typ", "iri", "název", "popis", "poskytovatel", "téma", "periodicita_aktualizace", "klíčové_slovo", "prvek_rúian",
    ],
    "properties": {
        "@context": {"const": OFN},
        "typ": {"const": "Datová sada"},
        "iri": IRI,
        "název": CZECH,
        "popis": CZECH,
        "poskytovatel": IRI,
        "téma": {"type": "array", "contains": {"pattern": "^http://publications.europa.eu/resource/authority/data-theme/"}},
        "periodicita_aktualizace": {"type": "string", "pattern": "^http://publications.europa.eu/resource/authority/frequency/"},
        "klíčové_slovo": {"type": "object", "required": ["cs"], "additionalProperties": {"type": "array", "items": {"type": "string"}}},
        "prvek_rúian": {"type": "array", "items": {"type": "string", "pattern": "^https://linked.cuzk.cz/resource/ruian/"}},
        "geografické_území": {"type": "array", "items": {"type": "string", "format": "iri"}},
        "časové_pokrytí": {
            "type": "object",
            "required": ["typ"],
            "properties": {
                "typ": {"const": "Časový interval"},
                "začátek": {"type": "string", "format": "date"},
                "konec": {"type": "string", "format": "date"},
            },
            "additionalProperties": False,
        },
        "kontaktní_bod": CONTACT,
        "dokumentace": IRI,
        "distribuce": {"type": "array", "minItems": 1, "items": FILE},
    },
    "additionalProperties": False,
}  # fmt: skip
CATALOGUE = {
    "type": "object",
    "required": ["@context", "typ", "iri", "název", "popis", "poskytovatel", "datová_sada"],
    "properties": {
        "@context": {"const": OFN},
        "typ": {"const": "Katalog"},
        "iri": IRI,
        "název": CZECH,
        "popis": CZECH,
        "poskytovatel": IRI,
        "kontaktní_bod": CONTACT,
        "domovská_stránka": IRI,
        "datová_sada": {"type": "array", "items": IRI},
    },
    "additionalProperties": False,
}


def faults(document: Any, rules: Mapping[str, Any]) -> list[str]:
    validator = jsonschema.Draft202012Validator(rules, format_checker=jsonschema.FormatChecker())
    return [error.json_path for error in validator.iter_errors(document)]


def shape(value: Any) -> Any:
    """Return what kinds of values stand under which keys; a list is what its first item is, texts by language are one kind."""
    if isinstance(value, dict):
        if set(value) <= {"cs", "en"}:
            return {"texts": shape(value["cs"])}
        return {key: shape(item) for key, item in value.items()}
    return [shape(value[0])] if isinstance(value, list) else type(value).__name__


def differences(real: Any, ours: Any, place: str = "") -> list[str]:
    """Return the places where a real record has something that ours lacks or has in another way."""
    if isinstance(real, dict) and isinstance(ours, dict):
        lacking = [f"{place}/{key}: lacking" for key in real if key not in ours]
        return lacking + [fault for key in real if key in ours for fault in differences(real[key], ours[key], f"{place}/{key}")]
    if isinstance(real, list) and isinstance(ours, list):
        return differences(real[0], ours[0], f"{place}/0")
    return [] if real == ours else [f"{place}: {real} there, {ours} here"]


class TestNkod:
    def test_follows_standard(self, czech: Path) -> None:
        found = list(documents(czech))
        assert [Path(document["iri"]).stem for document in found] == DATA_SETS
        assert [faults(document, DATASET) for document in found] == [[]] * len(DATA_SETS)
        catalogue = json.loads((czech / "nkod" / "catalog.jsonld").read_text(encoding="utf-8"))
        assert faults(catalogue, CATALOGUE) == []
        assert sorted(catalogue["datová_sada"]) == sorted(document["iri"] for document in found)
        assert {document["prvek_rúian"][0] for document in found} == {"https://linked.cuzk.cz/resource/ruian/stat/1"}

    @pytest.mark.parametrize(
        "lacking", [*DATASET["required"], "distribuce/0/podmínky_užití", "distribuce/0/podmínky_užití/osobní_údaje", "název/cs"]
    )
    def test_rules_reject_missing_property(self, lacking: str, czech: Path) -> None:
        document = next(documents(czech))
        *way, last = lacking.split("/")
        place: Any = document
        for step in way:
            place = place[int(step)] if step.isdigit() else place[step]
        del place[last]
        assert faults(document, DATASET)

    def test_has_lasting_addresses(self, czech: Path) -> None:
        for document in documents(czech):
            path = document["iri"].removeprefix(LATEST)
            assert json.loads((czech / path).read_text(encoding="utf-8")) == document
            for file in document["distribuce"]:
                assert (czech / file["soubor_ke_stažení"].removeprefix(f"{ROOT}releases/2026.11.1/")).is_file()
                assert "schéma" not in file or (czech / file["schéma"].removeprefix(f"{ROOT}releases/2026.11.1/")).is_file()

    def test_has_structure_of_real_records(self, czech: Path) -> None:
        paths = sorted(REAL.glob("*/public/*.jsonld"))
        if not paths:
            pytest.skip(f"{REAL} does not exist: no real records to compare with")
        records = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
        ours = shape(next(documents(czech)))
        for record in records:
            if record["typ"] == "Datová sada":
                assert differences(shape(record), ours) == []
                assert record["@context"] == OFN
            else:
                assert differences(shape(record), shape(json.loads((czech / "nkod" / "catalog.jsonld").read_text(encoding="utf-8")))) == []
        assert len(records) > 100
        ours["distribuce"][0]["formát"] = ["str"]
        del ours["téma"]
        assert differences(shape(records[0]), ours) == ["/téma: lacking", "/distribuce/0/formát: str there, ['str'] here"]

    def test_refers_to_readme_without_licence(self, build: Callable[[ReleaseInfo], Path]) -> None:
        path = build(replace(INFO, catalogues=("nkod", "sk"), licence="NOASSERTION"))
        terms = next(documents(path))["distribuce"][0]["podmínky_užití"]
        assert terms["autorské_dílo"] == f"{ROOT}releases/2026.11.1/README.md"
        assert "no licence is asserted" in (path / "README.md").read_text(encoding="utf-8")
        assert [faults(document, DATASET) for document in documents(path)] == [[]] * len(DATA_SETS)


# ------------------------------------------------------------------------------------------------------------- DCAT-AP-SK

SLOVAK = """
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix leg: <https://data.gov.sk/def/ontology/legislation/> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix vcard: <http://www.w3.org/2006/vcard/ns#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix : <urn:rules:> .

:title sh:path dct:title ; sh:datatype rdf:langString ; sh:uniqueLang true .
:title_sk sh:path dct:title ; sh:qualifiedMinCount 1 ; sh:qualifiedValueShape [ sh:languageIn ("sk") ] .
:description sh:path dct:description ; sh:datatype rdf:langString ; sh:uniqueLang true .
:description_sk sh:path dct:description ; sh:qualifiedMinCount 1 ; sh:qualifiedValueShape [ sh:languageIn ("sk") ] .
:publisher sh:path dct:publisher ; sh:pattern "^https://data.gov.sk/id/legal-subject/" ; sh:nodeKind sh:IRI ; sh:minCount 1 ; sh:maxCount 1 .
:contact sh:path dcat:contactPoint ; sh:class vcard:Organization ; sh:maxCount 1 .

:Catalogue a sh:NodeShape ; sh:targetClass dcat:Catalog ;
    sh:property :title , :title_sk , :description , :description_sk , :publisher , :contact ,
        [ sh:path dcat:dataset ; sh:nodeKind sh:IRI ; sh:class dcat:Dataset ; sh:minCount 1 ] .
:Dataset a sh:NodeShape ; sh:targetClass dcat:Dataset ;
    sh:property :title , :title_sk , :description , :description_sk , :publisher , :contact ,
        [ sh:path dct:issued ; sh:datatype xsd:dateTime ; sh:minCount 1 ; sh:maxCount 1 ] ,
        [ sh:path dct:modified ; sh:datatype xsd:dateTime ; sh:minCount 1 ; sh:maxCount 1 ] ,
        [ sh:path dcat:theme ; sh:nodeKind sh:IRI ; sh:minCount 1 ] ,
        [ sh:path dct:accrualPeriodicity ; sh:nodeKind sh:IRI ; sh:minCount 1 ; sh:maxCount 1 ] ,
        [ sh:path dcat:keyword ; sh:datatype rdf:langString ] ,
        [ sh:path dcat:keyword ; sh:qualifiedMinCount 1 ; sh:qualifiedValueShape [ sh:languageIn ("sk") ] ] ,
        [ sh:path dct:spatial ; sh:nodeKind sh:IRI ; sh:minCount 1 ] ,
        [ sh:path dct:temporal ; sh:class dct:PeriodOfTime ; sh:maxCount 1 ] ,
        [ sh:path dcat:distribution ; sh:nodeKind sh:IRI ; sh:class dcat:Distribution ; sh:minCount 1 ] .
:Distribution a sh:NodeShape ; sh:targetClass dcat:Distribution ;
    sh:property :title ,
        [ sh:path leg:termsOfUse ; sh:class leg:TermsOfUse ; sh:minCount 1 ; sh:maxCount 1 ] ,
        [ sh:path dcat:downloadURL ; sh:nodeKind sh:IRI ; sh:minCount 1 ; sh:maxCount 1 ; sh:equals dcat:accessURL ] ,
        [ sh:path dct:format ; sh:nodeKind sh:IRI ; sh:minCount 1 ; sh:maxCount 1 ] ,
        [ sh:path dcat:mediaType ; sh:nodeKind sh:IRI ; sh:minCount 1 ; sh:maxCount 1 ] ,
        [ sh:path dct:conformsTo ; sh:nodeKind sh:IRI ; sh:maxCount 1 ] .
:Terms a sh:NodeShape ; sh:targetClass leg:TermsOfUse ;
    sh:property [ sh:path leg:authorsWorkType ; sh:nodeKind sh:IRI ; sh:minCount 1 ; sh:maxCount 1 ] ,
        [ sh:path leg:originalDatabaseType ; sh:nodeKind sh:IRI ; sh:minCount 1 ; sh:maxCount 1 ] ,
        [ sh:path leg:databaseProtectedBySpecialRightsType ; sh:nodeKind sh:IRI ; sh:minCount 1 ; sh:maxCount 1 ] ,
        [ sh:path leg:personalDataContainmentType ; sh:nodeKind sh:IRI ; sh:minCount 1 ; sh:maxCount 1 ] ,
        [ sh:path leg:authorName ; sh:datatype rdf:langString ; sh:uniqueLang true ] .
:Contact a sh:NodeShape ; sh:targetClass vcard:Organization ;
    sh:property [ sh:path vcard:fn ; sh:datatype rdf:langString ; sh:uniqueLang true ; sh:minCount 1 ] ,
        [ sh:path vcard:hasEmail ; sh:nodeKind sh:IRI ; sh:minCount 1 ] .
:Period a sh:NodeShape ; sh:targetClass dct:PeriodOfTime ;
    sh:property [ sh:path dcat:startDate ; sh:datatype xsd:date ; sh:minCount 1 ; sh:maxCount 1 ] .
"""


@pytest.fixture(scope="module")
def slovak(published: Path) -> Graph:
    """The document of the catalogue and those that it names, as a harvester has them."""
    graph = Graph().parse(published / "sk" / "catalog.ttl")
    for dataset in list(graph.objects(None, DCAT.dataset)):
        graph.parse(published / str(dataset).removeprefix(LATEST))
    return graph


class TestDcatApSk:
    def test_follows_profile(self, slovak: Graph) -> None:
        assert len(list(slovak.subjects(RDF.type, DCAT.Dataset))) == len(DATA_SETS)
        assert shapes.findings(slovak, Graph().parse(data=SLOVAK)) == []
        catalogue = next(slovak.subjects(RDF.type, DCAT.Catalog))
        assert slovak.value(catalogue, DCTERMS.publisher) == URIRef(LEGAL_SUBJECT)
        assert slovak.value(catalogue, FOAF.homepage) == URIRef(ROOT)
        assert {str(place) for place in slovak.objects(None, DCTERMS.spatial)} == {"https://data.gov.sk/id/nuts1/SK0"}

    @pytest.mark.parametrize(
        "prop",
        [
            DCTERMS.title,
            DCTERMS.publisher,
            DCTERMS.issued,
            DCAT.theme,
            DCAT.keyword,
            LEG.termsOfUse,
            LEG.authorsWorkType,
            DCAT.accessURL,
            VCARD.hasEmail,
        ],
    )
    def test_rules_reject_missing_property(self, prop: URIRef, slovak: Graph) -> None:
        copy = Graph() + slovak
        copy.remove((None, prop, None))
        assert shapes.findings(copy, Graph().parse(data=SLOVAK))

    def test_rules_reject_date_without_time(self, slovak: Graph) -> None:
        copy = Graph() + slovak
        for node in list(copy.subjects(RDF.type, DCAT.Dataset)):
            copy.set((node, DCTERMS.issued, Literal("2026-11-03", datatype=XSD.date)))
        assert len(shapes.findings(copy, Graph().parse(data=SLOVAK))) == len(DATA_SETS)

    def test_has_no_contact_without_email(self, build: Callable[[ReleaseInfo], Path]) -> None:
        path = build(replace(INFO, catalogues=("sk",), publisher={"name": "Office", "iri": LEGAL_SUBJECT}, languages=["sk"]))
        graph = Graph().parse(path / "sk" / "datasets" / "territory.ttl")
        assert (None, DCAT.contactPoint, None) not in graph
        assert shapes.findings(graph, Graph().parse(data=SLOVAK)) == []


# -------------------------------------------------------------------------------------------------------------- when


class TestNationalCatalogues:
    def test_are_written_on_request(self, published: Path, czech: Path) -> None:
        assert (published / "nkod").is_dir()
        assert (published / "sk").is_dir()
        assert not (czech / "sk").exists()

    @pytest.mark.parametrize("base_uri", ["", "http://data.example.org/zpo2/"])
    def test_require_https(self, base_uri: str, build: Callable[[ReleaseInfo], Path]) -> None:
        path = build(replace(INFO, catalogues=("nkod", "sk"), base_uri=base_uri))
        assert not (path / "nkod").exists()
        assert not (path / "sk").exists()
