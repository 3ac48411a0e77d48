"""The catalogues of real releases, demo and cz, against the shapes of DCAT-AP, the library of PROV and the numbers in the tables."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from prov.model import ProvActivity, ProvDocument
from rdflib import RDF, Graph, Namespace, URIRef
from rdflib.compare import isomorphic

from tests.support import shapes

pytestmark = pytest.mark.acceptance
DCAT = Namespace("http://www.w3.org/ns/dcat#")
DQV = Namespace("http://www.w3.org/ns/dqv#")
PROV = Namespace("http://www.w3.org/ns/prov#")


def test_the_catalogue_stands_all_shapes_without_a_warning(real: Path) -> None:
    graph = Graph().parse(real / "catalog.ttl")
    assert isomorphic(graph, Graph().parse(real / "catalog.jsonld"))
    names = {str(node).rpartition("/")[2] for node in graph.subjects(RDF.type, DCAT.Dataset)}
    assert names >= {"population", "elections", "municipal_budgets", "social_exclusion", "cohesion", "indices", "territory", "release"}
    assert not names & {path.stem for path in (real / "parquet").glob("*.parquet")} - {"indices", "gender_gaps"}
    shapes.needed()
    assert {file: shapes.findings(graph, file) for file in shapes.DCAT_AP} == {file: [] for file in shapes.DCAT_AP}
    graph.remove((None, DCAT.distribution, None))
    assert shapes.findings(graph, shapes.RECOMMENDED)


@pytest.mark.filterwarnings("ignore:The following attributes were not converted")  # spdx:Checksum is no class of PROV
def test_the_run_used_every_snapshot(real: Path) -> None:
    text = (real / "prov.ttl").read_text(encoding="utf-8")
    document = ProvDocument.deserialize(content=text, format="rdf", rdf_format="turtle")
    assert len(list(document.get_records(ProvActivity))) == 1
    graph = Graph().parse(data=text)
    sums = duckdb.execute(f"select sha256 from '{real}/parquet/snapshots.parquet'").fetchall()
    checksums = {str(value) for value in graph.objects(None, URIRef("http://spdx.org/rdf/terms#checksumValue"))}
    assert checksums == {sha256 for (sha256,) in sums}
    assert len(set(graph.objects(None, PROV.used))) == len(sums)


def test_quality_is_that_of_the_tables(real: Path) -> None:
    graph = Graph().parse(real / "dqv.ttl")
    base = str(next(graph.subjects(RDF.type, DQV.QualityMeasurement))).partition("#")[0]
    (expected, available), (read, accepted) = (
        duckdb.execute(f"select {columns} from '{real}/parquet/{table}.parquet'").fetchall()[0]
        for table, columns in (("coverage", "sum(expected), sum(available)"), ("sources", "sum(rows_read), sum(rows_accepted)"))
    )
    measured = {name: float(graph.value(URIRef(f"{base}#{name}-release"), DQV.value)) for name in ("available", "accepted")}
    assert measured == {"available": pytest.approx(available / expected), "accepted": pytest.approx(accepted / read)}


def test_the_czech_catalogue_lists_every_data_set(real: Path) -> None:
    catalogue = json.loads((real / "nkod" / "catalog.jsonld").read_text(encoding="utf-8"))
    nodes = Graph().parse(real / "catalog.ttl").subjects(RDF.type, DCAT.Dataset)
    names = {str(node).rpartition("/")[2] for node in nodes} - {"release"}
    assert {iri.rpartition("/")[2].removesuffix(".jsonld") for iri in catalogue["datová_sada"]} == names
    assert not (real / "sk").exists()
