"""Catalogues of a release, checked with validators of others. Each validator is also shown to reject a damaged copy."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
import release_sample
import yaml
from prov.model import ProvActivity, ProvDocument, ProvEntity
from rdflib import DCTERMS, FOAF, PROV, RDF, RDFS, SDO, XSD, Graph, Literal, Namespace, URIRef
from rdflib.compare import isomorphic
from release_sample import INFO, TABLES, Home

import exports
from exports import Column, ReleaseInfo, Table
from exports.changes.published import TABLE
from exports.metadata import dcat
from exports.model import checksums
from exports.model.info import Facts
from exports.release.facts import days
from tests.support import shapes
from tests.support.copies import to_spoil

BASE = "https://data.example.org/zpo2/"
HERE = f"{BASE}releases/2026.11.1/"
ADMS = Namespace("http://www.w3.org/ns/adms#")
DCAT = Namespace("http://www.w3.org/ns/dcat#")
DCATAP = Namespace("http://data.europa.eu/r5r/")
VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
SPDX = Namespace("http://spdx.org/rdf/terms#")
DQV = Namespace("http://www.w3.org/ns/dqv#")
AUTHORITIES = (
    "http://publications.europa.eu/",
    "http://www.iana.org/",
    "http://purl.org/adms/",
    "http://spdx.org/",
    "http://data.europa.eu/",
)
SHA = "ab" * 32


def _table(name: str, key: tuple[str, ...], **described: str) -> Table:
    return Table(name, f"About {name}.", tuple(Column(c, kind, f"About {c}") for c, kind in described.items()), key)


ROWS = dict.fromkeys(("rows_read", "rows_accepted", "rows_quarantined", "rows_ignored"), "BIGINT")
FURTHER = (
    _table("sources", ("source",), source="VARCHAR", **ROWS, stale_since="VARCHAR"),
    _table(
        "snapshots",
        ("source", "part"),
        **dict.fromkeys(("source", "part", "url", "sha256"), "VARCHAR"),
        bytes="BIGINT",
        fetched_at="VARCHAR",
    ),
    _table("coverage", ("indicator",), indicator="VARCHAR", expected="BIGINT", available="BIGINT"),
    _table("index_components", ("index",), index="VARCHAR", imputed="VARCHAR", obs_status="VARCHAR"),
    _table("gender_gaps", ("indicator",), indicator="VARCHAR", last_period="VARCHAR"),
)
FILL = (
    "alter table marts.areas add column lon double",
    "update marts.areas set lon = 16.6 where lat is not null",
    f"""create table marts.snapshots as select * from (values
        ('office', '', 'https://stat.example.org/a b.csv?x="1"', '{SHA}', 10::bigint, '2026-11-01T05:00:00Z'),
        ('town', 'year=2020 & "more"', 'data/town.csv', '{SHA}', 11::bigint, '2026-11-02T05:00:00Z'))
        t(source, part, url, sha256, bytes, fetched_at)""",
    """create table marts.sources as select * from (values
        ('office', 10::bigint, 8::bigint, 1::bigint, 1::bigint, null), ('town', 6::bigint, 4::bigint, 0::bigint, 2::bigint, '2026-10-01'))
        t(source, rows_read, rows_accepted, rows_quarantined, rows_ignored, stale_since)""",
    "create table marts.coverage as select 'share' as indicator, 1200::bigint as expected, 900::bigint as available",
    """create table marts.index_components as select * from (values ('a', 'true', 'I'), ('b', 'false', 'A'), ('c', 'false', 'A'),
        ('d', 'false', 'M')) t("index", imputed, obs_status)""",
    "create table marts.gender_gaps as select 'share' as indicator, '2024-Q2' as last_period",
)
AREAS = replace(TABLES[0], columns=(*TABLES[0].columns, Column("lon", "DOUBLE", "Longitude")))
ALL_TABLES = (AREAS, *TABLES[1:], *FURTHER)
PUBLISHED = (*ALL_TABLES, TABLE)  # every release says what changed
DATA_SETS = ("women", "indices", "gender_gaps", "territory", "release")
EVERYWHERE = replace(INFO, catalogues=("nkod", "sk"), code="lake 1, release 2")


@pytest.fixture(scope="module")
def full_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release_sample.warehouse(tmp_path_factory.mktemp("full") / "warehouse.duckdb", *FILL)


@pytest.fixture(scope="module")
def build(full_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[ReleaseInfo], Path]:
    """Return the folder of a first release."""
    return lambda info: Home(tmp_path_factory.mktemp("home")).build(full_warehouse, info, ALL_TABLES).path


@pytest.fixture(scope="module")
def published(build: Callable[[ReleaseInfo], Path]) -> Path:
    return build(EVERYWHERE)


@pytest.fixture(scope="module")
def catalogue(published: Path) -> Graph:
    return Graph().parse(published / "catalog.ttl")


def spoiled(graph: Graph, *removed: tuple[URIRef | None, URIRef, object], added: tuple[tuple[URIRef, URIRef, object], ...] = ()) -> Graph:
    """Return a copy without every statement that one of `removed` matches."""
    copy = Graph() + graph
    for pattern in removed:
        assert next(copy.triples(pattern), None), f"{pattern}: nothing to spoil"
        copy.remove(pattern)
    for statement in added:
        copy.add(statement)
    return copy


def listed(release: Path) -> set[str]:
    """Return the files that a catalogue lists with their checksums: of data sets as text, and of all tables as Parquet."""
    of_data_sets = ("share", "areas", "area_parents", "gender_gaps", "index_components")
    return {
        path
        for path in checksums.files(release)
        if (path.endswith((".csv", ".json")) and Path(path).stem in of_data_sets and path.startswith(("csv/", "jsonstat/", "topics/")))
        or (path.endswith((".csv", ".parquet")) and path.startswith("topics/"))
        or path.endswith((".xlsx", ".geojson"))
        or path.startswith(("parquet/", "geo/"))
    }


def damaged(release: Path, copy: Path, path: str, change: Callable[[str], str]) -> list[str]:
    """Return what verify says of a copy in which `path` reads otherwise and SHA256SUMS knows it."""
    to_spoil(release, copy)
    before = (copy / path).read_text(encoding="utf-8")
    (copy / path).write_text(change(before), encoding="utf-8")
    assert (copy / path).read_text(encoding="utf-8") != before
    (copy / checksums.NAME).unlink()
    checksums.write(copy, {})
    return exports.verify(copy)


# ---------------------------------------------------------------------------------------------------------------- DCAT-AP


@pytest.mark.slow
class TestShapes:
    @pytest.mark.parametrize(
        ("file", "prop"),
        [
            (shapes.BASE, DCTERMS.title),
            (shapes.STRUCTURE, DCAT.accessURL),
            (shapes.STRUCTURE, SPDX.checksumValue),
            (shapes.RECOMMENDED, DCTERMS.license),
            (shapes.RECOMMENDED, DCAT.bbox),
            (shapes.RECOMMENDED, DCTERMS.temporal),
        ],
    )
    def test_reject_missing_property(self, file: str, prop: URIRef, catalogue: Graph) -> None:
        shapes.needed()
        assert str(prop) in " ".join(shapes.findings(spoiled(catalogue, (None, prop, None)), file))

    @pytest.mark.parametrize(
        ("file", "kind"),
        [(shapes.RANGE, DCTERMS.LinguisticSystem), (shapes.RANGE, DCTERMS.MediaType), (shapes.BASE, DCTERMS.Frequency)],
    )
    def test_reject_untyped_code(self, file: str, kind: URIRef, catalogue: Graph) -> None:
        shapes.needed()
        assert shapes.findings(spoiled(catalogue, (None, RDF.type, kind)), file)

    def test_reject_deprecated_code(self, catalogue: Graph) -> None:
        shapes.needed()
        status = (URIRef(f"{BASE}datasets/territory#csv-areas"), ADMS.status, URIRef("http://purl.org/adms/status/Completed"))
        assert str(ADMS.status) in " ".join(shapes.findings(spoiled(catalogue, added=(status,)), shapes.DEPRECATED))


class TestDcat:
    def test_formats_are_equal(self, published: Path, catalogue: Graph) -> None:
        other = Graph().parse(published / "catalog.jsonld")
        assert isomorphic(catalogue, other)
        assert not isomorphic(catalogue, spoiled(other, (None, DCAT.byteSize, None)))

    @pytest.mark.parametrize("file", shapes.DCAT_AP)
    def test_passes_dcat_ap_shapes(self, file: str, catalogue: Graph) -> None:
        shapes.needed()
        assert shapes.findings(catalogue, file) == []

    @pytest.mark.slow
    def test_annotates_high_value_datasets_on_request(self, catalogue: Graph, build: Callable[[ReleaseInfo], Path]) -> None:
        assert (None, DCATAP.hvdCategory, None) not in catalogue
        path = build(replace(EVERYWHERE, high_value=True))
        graph = Graph().parse(path / "catalog.ttl")
        assert len(set(graph.subjects(DCATAP.hvdCategory))) == len(DATA_SETS) + 1  # and the service
        assert len(list(Graph().parse(path / "sk" / "datasets" / "territory.ttl").objects(None, DCATAP.hvdCategory))) == 1
        shapes.needed()
        assert shapes.findings(graph, shapes.HIGH_VALUE, "rdfs") == []
        no_service = spoiled(graph, (None, DCAT.service, None), (None, RDF.type, DCAT.DataService))
        assert shapes.findings(no_service, shapes.BASE) == []  # pyshacl cannot read its shape of services
        assert [found for file in shapes.DCAT_AP[1:] for found in shapes.findings(graph, file)] == []
        for pattern in ((None, DCATAP.hvdCategory, None), (None, DCATAP.applicableLegislation, None), (None, VCARD.hasEmail, None)):
            assert shapes.findings(spoiled(graph, pattern), shapes.HIGH_VALUE, "rdfs"), pattern

    def test_describes_every_code(self, catalogue: Graph) -> None:
        used = {str(o) for o in catalogue.objects() if isinstance(o, URIRef) and str(o).startswith(AUTHORITIES)}
        kinds = {str(kind) for kind in catalogue.objects(None, RDF.type)}
        assert len(used - kinds) > 15
        assert [iri for iri in sorted(used - kinds) if (URIRef(iri), RDF.type, None) not in catalogue] == []

    def test_names_licence_as_registers_of_portals_do(self, catalogue: Graph) -> None:
        licences = set(catalogue.objects(None, DCTERMS.license))
        assert {str(title) for licence in licences for title in catalogue.objects(licence, DCTERMS.title)} == {
            "Creative Commons Attribution"
        }

    def test_has_lasting_dataset_per_topic(self, catalogue: Graph) -> None:
        assert {str(s) for s in catalogue.subjects(RDF.type, DCAT.Dataset)} == {f"{BASE}datasets/{name}" for name in DATA_SETS}
        files = {str(s) for s in catalogue.subjects(RDF.type, DCAT.Distribution)}
        assert all(file.partition("#")[0].removeprefix(f"{BASE}datasets/") in DATA_SETS for file in files)
        assert not any("2026" in iri for iri in files)
        node = URIRef(f"{BASE}datasets/women")
        titles = {str(t.language): str(t) for t in catalogue.objects(node, DCTERMS.title)}
        assert titles == {"en": "Women and men (Demo indicators)", "cs": "Ženy a muži (Ukázkové ukazatele)"}
        assert str(catalogue.value(node, DCTERMS.identifier)) == "demo/women"
        assert str(catalogue.value(node, DCAT.version)) == "2026.11.1"
        assert str(catalogue.value(node, DCAT.landingPage)) == f"{BASE}datasets/women/index.html"
        assert {str(word) for word in catalogue.objects(node, DCAT.keyword)} == {"women", "gender", "ženy", "pohlaví"}
        period = catalogue.value(node, DCTERMS.temporal)
        assert [str(catalogue.value(period, p)) for p in (DCAT.startDate, DCAT.endDate)] == ["2000-01-01", "2399-12-31"]
        period = catalogue.value(URIRef(f"{BASE}datasets/gender_gaps"), DCTERMS.temporal)
        assert [str(catalogue.value(period, p)) for p in (DCAT.startDate, DCAT.endDate)] == ["2024-04-01", "2024-06-30"]
        names = [str(t) for t in catalogue.objects(URIRef(f"{BASE}datasets/women#csv-share"), DCTERMS.title) if t.language == "en"]
        assert names == ["CSV, Share of women"]

    @pytest.mark.slow
    def test_names_publishers_and_licences_of_sources(self, build: Callable[[ReleaseInfo], Path], catalogue: Graph) -> None:
        def creators(graph: Graph, name: str) -> set[str]:
            return {str(graph.value(agent, FOAF.name)) for agent in graph.objects(URIRef(f"{BASE}datasets/{name}"), DCTERMS.creator)}

        def terms(graph: Graph, file: str) -> tuple[str, str]:
            node = URIRef(f"{BASE}datasets/{file}")
            rights = [str(t) for t in graph.objects(graph.value(node, DCTERMS.rights), RDFS.label) if t.language == "en"]
            return str(graph.value(node, DCTERMS.license)).rpartition("/")[2], rights[0]

        assert creators(catalogue, "women") == {"Statistical office", "Town"}
        assert terms(catalogue, "women#csv-share") == (
            "CC_BY_4_0",
            "Made from data of: Statistical office (CC0-1.0); Town (no licence stated). "
            "These sources state no licence: Events (Town): Free with attribution.",
        )
        sources = [*INFO.sources, {**INFO.sources[0], "id": "maps", "publisher": "Mappers", "licence": "CC-BY-SA-4.0"}]
        used = {"": ["maps"], "share": ["office"], "never": ["town"]}
        graph = Graph().parse(build(replace(EVERYWHERE, sources=sources, sources_of=used)) / "catalog.ttl")
        assert creators(graph, "women") == {"Statistical office", "Mappers"}
        assert terms(graph, "women#csv-share")[0] == "CC_BYSA_4_0"
        used = {"": ["town"], "share": ["office"], "never": ["maps"]}
        graph = Graph().parse(build(replace(EVERYWHERE, sources=sources, sources_of=used)) / "catalog.ttl")
        assert creators(graph, "women") == {"Statistical office", "Town"}
        assert terms(graph, "women#csv-share")[0] == "CC_BY_4_0"
        assert terms(graph, "release#parquet-areas")[0] == "CC_BYSA_4_0"

    def test_has_bounding_boxes_of_countries(self) -> None:
        context = release_sample.context(replace(EVERYWHERE, country="SK"))
        for boxes in ({}, {"": None}, {"SK": None, "CZ": (12.5, 48.5, 18.5, 51.0)}):
            graph = Graph().parse(data=dcat.descriptor(replace(context, facts=Facts(boxes=boxes)))["catalog.ttl"], format="turtle")
            countries = {"SVK": "POINT(19.7 48.67)", "CZE": "POINT(15.5 49.75)"}
            expected = {key: value for key, value in countries.items() if key == "SVK" or len(boxes) == 2}
            found = {str(place)[-3:]: str(graph.value(place, DCAT.centroid)) for place in graph.subjects(RDF.type, DCTERMS.Location)}
            assert found == expected
            if (shapes.STANDARDS / shapes.RECOMMENDED).is_file():
                assert not [finding for finding in shapes.findings(graph, shapes.RECOMMENDED) if "temporal" not in finding]

    def test_distributions_match_files(self, published: Path, catalogue: Graph) -> None:
        urls = {}
        for node in catalogue.subjects(RDF.type, DCAT.Distribution):
            url = str(catalogue.value(node, DCAT.downloadURL))
            size, checksum = catalogue.value(node, DCAT.byteSize), catalogue.value(node, SPDX.checksum)
            urls[url] = (size and int(size), checksum and str(catalogue.value(checksum, SPDX.checksumValue)))
        expected: dict[str, Any] = {f"{HERE}indicators.duckdb": (None, None)}
        for path in listed(published):
            facts = checksums.facts(published / path)
            expected[HERE + path] = (facts.bytes, facts.sha256)
        assert urls == expected

    @pytest.mark.slow
    def test_uses_relative_addresses_without_base_uri(self, catalogue: Graph, build: Callable[[ReleaseInfo], Path]) -> None:
        path = build(replace(EVERYWHERE, base_uri=""))
        for name in ("catalog.ttl", "catalog.jsonld"):
            placed = Graph().parse(path / name, publicID=HERE + name)
            assert isomorphic(placed, catalogue)
        assert not (path / "nkod").exists()
        assert not (path / "sk").exists()
        assert exports.verify(path) == []

    @pytest.mark.slow
    def test_keeps_the_time_of_what_did_not_change(self, full_warehouse: Path, tmp_path: Path) -> None:
        def times(release: Path) -> dict[str, tuple[str, str]]:
            graph = Graph().parse(release / "catalog.ttl")
            nodes = {name: URIRef(f"{BASE}datasets/{name}") for name in DATA_SETS}
            return {
                name: (str(graph.value(node, DCTERMS.issued)), str(graph.value(node, DCTERMS.modified)))
                for name, node in nodes.items()
                if (node, RDF.type, DCAT.Dataset) in graph
            }

        home, first, second = Home(tmp_path), "2026-11-03T08:30:00+00:00", "2026-11-04T08:30:00+00:00"
        without = tuple(table for table in ALL_TABLES if table.name != "gender_gaps")
        before = times(home.build(full_warehouse, EVERYWHERE, without).path)
        assert before == dict.fromkeys(("women", "indices", "territory", "release"), (first, first))
        changed = tmp_path / "changed.duckdb"
        changed.write_bytes(full_warehouse.read_bytes())
        with duckdb.connect(str(changed)) as connection:
            connection.execute("update marts.indicator_values set obs_value = 7 where time_period = '2001' and ref_area = 'CZ_1'")
        later = replace(EVERYWHERE, released=release_sample.later(1).released)
        other = home.build(changed, later, ALL_TABLES)
        assert other.version == "2026.11.2"
        assert times(other.path) == {
            "women": (first, second),
            "indices": (first, first),
            "territory": (first, first),
            "gender_gaps": (second, second),
            "release": (first, second),
        }
        again = home.build(changed, replace(later, released=release_sample.later(2).released, code="other code"), ALL_TABLES)
        assert (again.version, again.changed) == (other.version, False)


# ----------------------------------------------------------------------------------------------------------------- verify


class TestVerify:
    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("old", "new", "fault"),
        [
            ('"dcat:byteSize": [\n    {\n     "@value": "', '"dcat:byteSize": [\n    {\n     "@value": "1', "size or checksum of csv/area"),
            (f'{HERE}csv/areas.csv"', f'{HERE}csv/regions.csv"', "is not a file of this release"),
            ("Demo indicators", "Other indicators", "catalog.ttl: differs from catalog.jsonld"),
            ('"@graph"', '"graph"', "cannot be read"),
        ],
    )
    def test_finds_wrong_catalogue(self, old: str, new: str, fault: str, published: Path, tmp_path: Path) -> None:
        assert fault in " ".join(damaged(published, tmp_path / "copy", "catalog.jsonld", lambda text: text.replace(old, new)))

    def test_finds_missing_table(self, published: Path, tmp_path: Path) -> None:
        def without(text: str) -> str:
            value = json.loads(text)
            value["@graph"] = [node for node in value["@graph"] if not node["@id"].endswith("#csv-area_parents")]
            return json.dumps(value)

        assert "catalog.jsonld: does not list csv/area_parents.csv" in damaged(published, tmp_path / "copy", "catalog.jsonld", without)


class TestTermsOfSources:
    def test_are_in_package_readme_and_provenance(self, published: Path) -> None:
        [source] = [s for s in json.loads((published / "datapackage.json").read_bytes())["sources"] if s["name"] == "town"]
        assert source["rights"] == "Free with attribution."
        assert source["licencePage"] == "https://town.example.org/terms"
        assert source["carrier"] == {"name": "mirror", "homepage": "https://mirror.example.org", "licence": "MIT"}
        assert (
            "Town (2026) (no licence is asserted; terms: <https://town.example.org/terms>); passed on by mirror. Free with attribution."
            in (published / "README.md").read_text(encoding="utf-8")
        )
        graph = Graph().parse(published / "prov.ttl")
        [rights] = graph.objects(URIRef(f"{HERE}prov.ttl#source-town"), DCTERMS.rights)
        assert (rights, RDFS.label, Literal("Free with attribution.", lang="en")) in graph

    @pytest.mark.slow
    def test_addresses_that_are_not_of_the_web_are_left_out(self, build: Callable[[ReleaseInfo], Path]) -> None:
        hostile = {
            **EVERYWHERE.sources[1],
            "licence_url": "javascript:alert(1)",
            "carrier": {"name": "x", "homepage": "javascript:alert(1)"},
        }
        release = build(replace(EVERYWHERE, sources=[EVERYWHERE.sources[0], hostile]))
        for name in ("datapackage.json", "README.md", "prov.ttl"):
            assert "javascript:" not in (release / name).read_text(encoding="utf-8")


# ------------------------------------------------------------------------------------------------------- PROV-O and DQV


def read_provenance(graph: Graph) -> ProvDocument:
    return ProvDocument.deserialize(content=graph.serialize(format="turtle"), format="rdf", rdf_format="turtle")


class TestProv:
    def test_is_read_by_prov_library(self, published: Path) -> None:
        graph = Graph().parse(published / "prov.ttl")
        document = read_provenance(graph)
        assert len(list(document.get_records(ProvActivity))) == 1
        entities = {str(e.identifier.uri) for e in document.get_records(ProvEntity)}
        assert {e for e in entities if e.startswith(f"{BASE}datasets/")} == {f"{BASE}datasets/{name}" for name in DATA_SETS}
        assert {e.removeprefix(f"{HERE}prov.ttl#") for e in entities if "#snapshot-" in e and not e.endswith("-checksum")} == {
            "snapshot-office-", "snapshot-town-year%3D2020%20%26%20%22more%22",
        }  # fmt: skip
        assert {str(value) for value in graph.objects(None, SPDX.checksumValue)} == {SHA}
        assert (None, DCTERMS.identifier, Literal("lake 1, release 2")) in graph
        assert (None, PROV.startedAtTime, None) not in graph
        soon = (URIRef(f"{HERE}prov.ttl#run"), PROV.endedAtTime, Literal("soon", datatype=XSD.dateTime))
        with pytest.raises(Exception, match=r"."):
            read_provenance(spoiled(graph, (None, PROV.endedAtTime, None), added=(soon,)))

    def test_uses_terms_of_vocabulary(self, published: Path) -> None:
        graph = Graph().parse(published / "prov.ttl")
        assert strangers(graph, PROV) == []
        assert strangers(spoiled(graph, added=((URIRef(HERE), PROV._NS.wasMadeBy, URIRef(BASE)),)), PROV) == ["wasMadeBy"]


def strangers(graph: Graph, vocabulary: Any) -> list[str]:
    """Return the words in the vocabulary's namespace that it does not have, by the list that rdflib has of them."""
    namespace = str(vocabulary._NS)
    used = {str(term) for s, p, o in graph for term in (p, o) if isinstance(term, URIRef) and str(term).startswith(namespace)}
    return sorted(term.removeprefix(namespace) for term in used if URIRef(term) not in vocabulary)


QUALITY_RULES = """
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix dqv: <http://www.w3.org/ns/dqv#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
[] a sh:NodeShape ; sh:targetClass dqv:QualityMeasurement ;
    sh:property [ sh:path dqv:isMeasurementOf ; sh:class dqv:Metric ; sh:minCount 1 ; sh:maxCount 1 ] ,
        [ sh:path dqv:computedOn ; sh:nodeKind sh:IRI ; sh:minCount 1 ; sh:maxCount 1 ] ,
        [ sh:path dqv:value ; sh:nodeKind sh:Literal ; sh:minCount 1 ; sh:maxCount 1 ] .
[] a sh:NodeShape ; sh:targetClass dqv:Metric ;
    sh:property [ sh:path dqv:inDimension ; sh:class dqv:Dimension ; sh:minCount 1 ] ,
        [ sh:path dqv:expectedDataType ; sh:minCount 1 ; sh:maxCount 1 ] .
[] a sh:NodeShape ; sh:targetClass dqv:Dimension ; sh:property [ sh:path skos:prefLabel ; sh:minCount 1 ] .
"""


class TestDqv:
    def test_uses_terms_of_vocabulary(self, published: Path) -> None:
        graph, rules = Graph().parse(published / "dqv.ttl"), Graph().parse(data=QUALITY_RULES)
        assert shapes.findings(graph, rules) == []
        assert shapes.findings(spoiled(graph, (None, RDF.type, DQV.Metric)), rules)
        assert shapes.findings(spoiled(graph, (None, DQV.value, None)), rules)
        for measurement in graph.subjects(RDF.type, DQV.QualityMeasurement):
            expected = graph.value(graph.value(measurement, DQV.isMeasurementOf), DQV.expectedDataType)
            value = graph.value(measurement, DQV.value)
            assert value.datatype == expected
            assert value.ill_typed is False

    def test_measures_data_sets(self, published: Path) -> None:
        graph = Graph().parse(published / "dqv.ttl")

        def measured(name: str, of: str = "release") -> object:
            return graph.value(URIRef(f"{HERE}dqv.ttl#{name}-{of}"), DQV.value).toPython()

        assert measured("available") == 0.75
        assert measured("accepted") == 0.75
        assert measured("reconciled") is True
        assert measured("imputed") == 0.25
        assert measured("fresh") == 0.5
        assert measured("rows", "women") == 1200
        assert measured("valued", "women") == 0.8
        assert measured("age") == 0  # the sample's periods end in 2399


# ----------------------------------------------------------------------------------------------- schema.org and citation


class TestSchemaOrg:
    def test_uses_terms_of_vocabulary(self, published: Path) -> None:
        graph = Graph().parse(published / "schema-org.jsonld")
        assert strangers(graph, SDO) == []
        whole = URIRef(f"{BASE}datasets/release")
        assert len(list(graph.objects(whole, SDO.hasPart))) == len(DATA_SETS) - 1
        assert {str(name.language) for name in graph.objects(whole, SDO.name)} == {"en", "cs"}
        sums = {str(s) for s in graph.objects(None, SDO.sha256)}
        assert sums == {checksums.facts(published / path).sha256 for path in listed(published)}
        assert strangers(spoiled(graph, added=((whole, SDO._NS.licence, URIRef(BASE)),)), SDO) == ["licence"]


class TestCitation:
    def test_has_release_and_sources(self, published: Path) -> None:
        value = yaml.safe_load((published / "CITATION.cff").read_text(encoding="utf-8"))
        assert (value["cff-version"], value["version"], value["date-released"]) == ("1.2.0", "2026.11.1", "2026-11-03")
        assert value["authors"] == [{"name": "Example office", "website": "https://office.example.org/"}]
        assert [reference["title"] for reference in value["references"]] == ["Population", "Events"]
        assert [reference.get("license") for reference in value["references"]] == ["CC0-1.0", None]


# ------------------------------------------------------------------------------------------------------------- periods


class TestDays:
    @pytest.mark.parametrize(
        ("period", "first", "last"),
        [
            ("2021", "2021-01-01", "2021-12-31"),
            ("2021-Q4", "2021-10-01", "2021-12-31"),
            ("2021-S1", "2021-01-01", "2021-06-30"),
            ("2020-02", "2020-02-01", "2020-02-29"),
            ("2021-W53", None, None),
            ("2020-W53", "2020-12-28", "2021-01-03"),
            ("2021-07-05", "2021-07-05", "2021-07-05"),
            ("2021-13", None, None),
            ("2021-02-30", None, None),
            ("2399-12", "2399-12-01", "2399-12-31"),
            ("9999", "9999-01-01", "9999-12-31"),
            ("0000", None, None),
            ("", None, None),
            ("next year", None, None),
        ],
    )
    def test_returns_first_and_last_day(self, period: str, first: str | None, last: str | None) -> None:
        assert days(period) == ((first, last) if first else None)
