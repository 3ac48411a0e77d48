"""prov.ttl: how the release was made, in PROV-O: the run, the software, and every snapshot. Says nothing about durations or machines."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from exports.metadata import vocabulary
from exports.metadata.catalogue import DcatCatalogue, dcat_catalogue
from exports.metadata.dcat import texts
from exports.metadata.rdf import Graph, Iri, Term, text, typed
from exports.metadata.text import is_web, licence_url
from exports.model.info import Context, Snapshot
from pipelines.core.code_texts import Texts, by_language
from pipelines.core.iri import escape_iri

PATH = "prov.ttl"
RUN: Texts = ("The run that made this release", "Běh, který vytvořil toto vydání", "Beh, ktorý vytvoril toto vydanie")


def descriptor(context: Context) -> dict[str, bytes]:
    return {PATH: statements(context).turtle()}


def statements(context: Context) -> Graph:
    """Return the provenance of a release: entities, one activity, and agents."""
    catalogue, graph, info = dcat_catalogue(context), Graph(), context.info
    software = graph.node(
        catalogue.file(f"{PATH}#software"),
        "prov:Agent",
        "prov:SoftwareAgent",
        foaf_name=text("zpo2-warehouse"),
        dct_identifier=text(info.code) if info.code else None,
    )
    publisher = graph.node(catalogue.publisher, "prov:Agent", foaf_name=texts(catalogue.publisher_name))
    run = graph.node(
        catalogue.file(f"{PATH}#run"),
        "prov:Activity",
        rdfs_label=texts(by_language(RUN, catalogue.languages)),
        prov_endedAtTime=typed(info.timestamp, "xsd:dateTime"),
        prov_used=[Iri(_snapshot_node(catalogue, snapshot)) for snapshot in context.facts.snapshots],
        prov_wasAssociatedWith=[software, publisher],
    )
    for dataset in catalogue.datasets:
        graph.node(
            catalogue.iri(dataset.id),
            "prov:Entity",
            rdfs_label=texts(dataset.titles),
            prov_wasGeneratedBy=run,
            prov_generatedAtTime=typed(info.timestamp, "xsd:dateTime"),
            prov_wasAttributedTo=publisher,
        )
    _sources(graph, context, catalogue)
    for snapshot in context.facts.snapshots:
        _snapshot(graph, catalogue, snapshot)
    if context.facts.snapshots:
        graph.node(vocabulary.SHA256, "spdx:ChecksumAlgorithm")
    return graph


def _snapshot_node(catalogue: DcatCatalogue, snapshot: Snapshot) -> str:
    return catalogue.file(f"{PATH}#snapshot-{quote(snapshot.source, safe='')}-{quote(snapshot.part, safe='')}")


def _source_node(catalogue: DcatCatalogue, source: str) -> str:
    return catalogue.file(f"{PATH}#source-{quote(source, safe='')}")


def _sources(graph: Graph, context: Context, catalogue: DcatCatalogue) -> None:
    for source in context.info.sources:
        node = _source_node(catalogue, source["id"])
        provider = graph.node(f"{node}-publisher", "prov:Agent", "prov:Organization", foaf_name=_texts(source["publisher"]))
        licence = licence_url(source["licence"])
        graph.node(
            node,
            "prov:Entity",
            dct_title=_texts(source["title"]),
            dct_license=Iri(licence) if licence else None,
            dct_rights=graph.node(
                f"{node}-rights", "dct:RightsStatement", rdfs_label=[text(value, lang) for lang, value in source["rights"].items()]
            )
            if source.get("rights")
            else None,
            foaf_homepage=Iri(escape_iri(source["homepage"])) if is_web(source.get("homepage")) else None,
            prov_wasAttributedTo=provider,
        )


def _texts(value: str | Mapping[str, str]) -> list[Term]:
    """Return a text of the pack in each language that it is declared in. A name without a language is in that of its owner."""
    return [text(value)] if isinstance(value, str) else texts({language: " ".join(own.split()) for language, own in value.items()})


def _snapshot(graph: Graph, catalogue: DcatCatalogue, snapshot: Snapshot) -> None:
    """Add a snapshot: its bytes, and when they were first archived."""
    node = _snapshot_node(catalogue, snapshot)
    checksum = graph.node(
        f"{node}-checksum",
        "spdx:Checksum",
        spdx_algorithm=Iri(vocabulary.SHA256),
        spdx_checksumValue=typed(snapshot.sha256, "xsd:hexBinary"),
    )
    graph.node(
        node,
        "prov:Entity",
        rdfs_label=text(" ".join(filter(None, (snapshot.source, snapshot.part)))),
        prov_generatedAtTime=typed(snapshot.fetched_at, "xsd:dateTime"),
        prov_specializationOf=Iri(_source_node(catalogue, snapshot.source)),
        prov_atLocation=Iri(escape_iri(snapshot.url)) if is_web(snapshot.url) else None,
        dct_source=None if is_web(snapshot.url) else text(snapshot.url),
        dcat_byteSize=typed(snapshot.bytes, "xsd:nonNegativeInteger"),
        spdx_checksum=checksum,
    )
