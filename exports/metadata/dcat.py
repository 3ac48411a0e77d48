"""catalog.ttl and catalog.jsonld: the release in DCAT-AP 3.0.1, with the same statements in both files.

The files are self-contained: every IRI from a code list has its type and name, so that a validator needs no network. The Catalog, its
Datasets (one for each topic, and one for the release as a whole) and their Distributions have the same IRIs in every release, because portals
know them by their IRIs. The files that they lead to belong to this release.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from exports.metadata import vocabulary, wording
from exports.metadata.catalogue import CATALOG_TTL, Dataset, DcatCatalogue, Distribution, Texts, dcat_catalogue
from exports.metadata.rdf import Graph, Iri, Literal, Term, objects, text, typed
from exports.metadata.vocabulary import AUTHORITY
from exports.model import layout
from exports.model.info import Context
from exports.model.licences import NO_LICENCE

JSON_LD = "catalog.jsonld"
RUN = "prov.ttl#run"
"""The run that made a release."""
NO_LICENCE_TITLE = "No licence is asserted"


def descriptor(context: Context) -> dict[str, bytes]:
    graph = statements(context)
    return {CATALOG_TTL: graph.turtle(), JSON_LD: graph.json_ld()}


def statements(context: Context) -> Graph:
    """Return the catalogue of a release."""
    catalogue, graph = dcat_catalogue(context), Graph()
    shared = _Shared(graph, context, catalogue)
    graph.node(
        catalogue.lasting("catalog"),
        "dcat:Catalog",
        dct_title=texts(catalogue.titles),
        dct_description=texts(catalogue.descriptions),
        dct_publisher=Iri(catalogue.publisher),
        dct_language=[Iri(vocabulary.language(code)) for code in catalogue.languages],
        dct_license=Iri(shared.licence_of(context.info.licence)),
        dct_spatial=shared.places(tuple(shared.boxes)),
        dct_issued=shared.released,
        dct_modified=shared.released,
        dcat_themeTaxonomy=Iri(vocabulary.THEMES),
        dcat_dataset=[Iri(catalogue.iri(dataset.id)) for dataset in catalogue.datasets],
        foaf_homepage=Iri(catalogue.homepage),
    )
    for dataset in catalogue.datasets:
        _dataset(graph, context, catalogue, dataset, shared)
    if context.info.high_value:
        _service(graph, catalogue, shared)
    shared.describe()
    return graph


def texts(by_language: Texts) -> list[Term]:
    return [text(value, language) for language, value in by_language.items()]


class _Shared:
    """The values that all datasets share, and the nodes that describe them."""

    def __init__(self, graph: Graph, context: Context, catalogue: DcatCatalogue) -> None:
        self.graph, self.context, self.catalogue = graph, context, catalogue
        self.released = typed(context.info.timestamp, "xsd:dateTime")
        self.boxes = {(code or context.info.country): box for code, box in context.facts.boxes.items()} or {context.info.country: None}
        self.contact = catalogue.lasting("contact")
        self.law = [Iri(vocabulary.HVD_LAW)] if context.info.high_value else []

    def places(self, countries: Sequence[str]) -> list[Iri]:
        return [Iri(self._place_of(code)) for code in countries]

    def licence_of(self, spdx: str) -> str:
        """Return the IRI of a licence: the EU's entry, or else the address of its text."""
        return vocabulary.licence(spdx) or self.catalogue.licence(spdx)

    def creator(self, name: str) -> str:
        """Return the IRI of the publisher of a source."""
        return self.catalogue.lasting(f"source-publisher-{quote(name, safe='')}")

    def describe(self) -> None:
        graph, catalogue, info = self.graph, self.catalogue, self.context.info
        kind = info.publisher.get("type")
        graph.node(catalogue.publisher, "foaf:Agent", foaf_name=texts(catalogue.publisher_name))
        graph.add(catalogue.publisher, "dct:type", self._publisher_type(kind))
        graph.node(self.contact, "vcard:Kind", "vcard:Organization", vcard_fn=texts(catalogue.publisher_name))
        if catalogue.email:
            graph.add(self.contact, "vcard:hasEmail", Iri(catalogue.email))
        else:
            graph.add(self.contact, "vcard:hasURL", Iri(catalogue.homepage))
        for licence in sorted({info.licence, info.licence_of_all, *(dataset.licence for dataset in catalogue.datasets)}):
            self._licence(licence)
        for name in dict.fromkeys(name for dataset in catalogue.datasets for name in dataset.creators):
            graph.node(self.creator(name), "foaf:Agent", foaf_name=text(name), dct_type=self._publisher_type(None))
        self._territory()
        for dataset in catalogue.datasets:
            graph.node(catalogue.landing_page(dataset), "foaf:Document")
        graph.node(catalogue.homepage, "foaf:Document")
        for path in _documents(self.context):
            graph.node(catalogue.file(path), "foaf:Document")
        graph.node(catalogue.file(RUN), "prov:Activity", rdfs_label=text("The run that made this release", "en"))
        graph.node(vocabulary.SHA256, "spdx:ChecksumAlgorithm")
        for code in catalogue.languages:
            self._entry(vocabulary.language(code), "dct:LinguisticSystem", code)
        for theme in dict.fromkeys(theme for dataset in catalogue.datasets for theme in dataset.themes):
            self._entry(f"{vocabulary.THEMES}/{theme}", "skos:Concept", vocabulary.THEME_LABELS[theme])
        self._entry(vocabulary.PUBLIC, "dct:RightsStatement", "public")
        self._entry(vocabulary.IRREGULAR, "dct:Frequency", "irregular")
        self._entry(vocabulary.STABLE, "skos:Concept", "stable")
        for form in dict.fromkeys(file.format for dataset in catalogue.datasets for file in dataset.distributions):
            self._entry(AUTHORITY + "file-type/" + form.file_type, "dct:MediaTypeOrExtent", form.name)
            graph.node(vocabulary.MEDIA_TYPES + form.media_type, "dct:MediaType", rdfs_label=text(form.media_type))
            graph.node(form.specification, "dct:Standard", dct_title=text(form.name))
        if info.high_value:
            graph.node(vocabulary.HVD_LAW, "eli:LegalResource", dct_title=text("Commission Implementing Regulation (EU) 2023/138", "en"))
            self._concept(vocabulary.HVD_STATISTICS, "Statistics", vocabulary.HVD_CATEGORIES)

    def _entry(self, entry: str, kind: str, label: str) -> None:
        """Add an entry of a code list and the list itself, so that nobody has to look them up."""
        self._concept(entry, label, entry.rpartition("/")[0], kind)

    def _concept(self, concept: str, label: str, scheme: str, kind: str = "skos:Concept") -> None:
        self.graph.node(concept, kind, skos_prefLabel=text(label, "en"), skos_inScheme=Iri(scheme))
        self.graph.node(scheme, "skos:ConceptScheme", dct_title=text(vocabulary.LISTS.get(scheme, scheme.rpartition("/")[2]), "en"))

    def _publisher_type(self, kind: str | None) -> Iri:
        label = vocabulary.PUBLISHER_TYPES.get(kind or "")
        concept = f"http://purl.org/adms/publishertype/{kind}" if label else self.catalogue.lasting("publisher-type")
        scheme = vocabulary.PUBLISHER_KINDS if label else self.catalogue.lasting("publisher-types")
        self._concept(concept, label or "type of publisher not stated", scheme)
        return Iri(concept)

    def _licence(self, licence: str) -> None:
        node, page = self.licence_of(licence), self.catalogue.licence(licence)
        kind, label = vocabulary.licence_type(licence)
        title = NO_LICENCE_TITLE if licence == NO_LICENCE else vocabulary.LICENCE_TITLES.get(licence, licence)
        concept = f"http://purl.org/adms/licencetype/{kind}"
        self.graph.node(node, "dct:LicenseDocument", dct_title=text(title, "en"), dct_type=Iri(concept))
        if node != page:
            self.graph.add(node, "rdfs:seeAlso", Iri(page))
            self._entry(node, "dct:LicenseDocument", licence)
        self._concept(concept, label, vocabulary.LICENCE_KINDS)

    def _place_of(self, code: str) -> str:
        return vocabulary.country(code) or self.catalogue.lasting(f"territory-{quote(code, safe='')}")

    def _territory(self) -> None:
        """Add the countries, each with the bounding box of its areas, or its own box if the areas have no coordinates."""
        for code, areas_box in self.boxes.items():
            place = self._place_of(code)
            if vocabulary.country(code):
                self._entry(place, "dct:Location", code)
            else:
                self.graph.node(place, "dct:Location", rdfs_label=text(code))
            if box := areas_box or vocabulary.BOXES.get(code):
                west, south, east, north = box
                corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
                ring = ", ".join(f"{_degrees(x)} {_degrees(y)}" for x, y in corners)
                centre = f"{_degrees((west + east) / 2)} {_degrees((south + north) / 2)}"
                self.graph.add(place, "dcat:bbox", typed(f"POLYGON(({ring}))", "geo:wktLiteral"))
                self.graph.add(place, "dcat:centroid", typed(f"POINT({centre})", "geo:wktLiteral"))


def _degrees(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _dataset(graph: Graph, context: Context, catalogue: DcatCatalogue, dataset: Dataset, shared: _Shared) -> None:
    info, node = context.info, catalogue.iri(dataset.id)
    graph.node(
        node,
        "dcat:Dataset",
        dct_title=texts(dataset.titles),
        dct_description=texts(dataset.descriptions),
        dct_identifier=text(f"{info.pack}/{dataset.id}"),
        dcat_version=text(context.version),
        dcat_keyword=[text(word, language) for language, words in dataset.keywords.items() for word in words],
        dcat_theme=[Iri(f"{vocabulary.THEMES}/{theme}") for theme in dataset.themes],
        dct_language=[Iri(vocabulary.language(code)) for code in catalogue.languages],
        dct_accessRights=Iri(vocabulary.PUBLIC),
        dct_issued=typed(dataset.issued, "xsd:dateTime"),
        dct_modified=typed(dataset.modified, "xsd:dateTime"),
        dct_publisher=Iri(catalogue.publisher),
        dct_creator=[Iri(shared.creator(name)) for name in dataset.creators],
        dcat_contactPoint=Iri(shared.contact),
        dct_spatial=shared.places(dataset.places),
        dct_temporal=_period(graph, f"{node}#period", dataset),
        dct_accrualPeriodicity=Iri(vocabulary.IRREGULAR),
        dcat_landingPage=Iri(catalogue.landing_page(dataset)),
        foaf_page=[Iri(catalogue.file(path)) for path in _documents(context)],
        prov_wasGeneratedBy=Iri(catalogue.file(RUN)),
        dcat_distribution=[Iri(f"{node}#{file.id}") for file in dataset.distributions],
        dcatap_applicableLegislation=shared.law,
        dcatap_hvdCategory=[Iri(vocabulary.HVD_STATISTICS)] if info.high_value else [],
    )
    rights = graph.node(f"{node}#rights", "dct:RightsStatement", rdfs_label=texts(dataset.rights)) if dataset.rights else None
    for file in dataset.distributions:
        _distribution(graph, catalogue, dataset, file, rights, shared)


def _documents(context: Context) -> list[str]:
    """Return the pages about all data sets: the README and, if the release has one, the site."""
    return ["README.md", *([layout.SITE_START] if layout.has_site(context.info.formats, context.files) else [])]


def _service(graph: Graph, catalogue: DcatCatalogue, shared: _Shared) -> None:
    """Add the access to the files over HTTP as a service, which is required for high-value datasets."""
    node = catalogue.lasting("files")
    graph.node(
        node,
        "dcat:DataService",
        dct_title=[text(wording.SERVICE[0], "en")],
        dct_description=[text(wording.SERVICE[1], "en")],
        dcat_endpointURL=Iri(f"{catalogue.root}latest/"),
        dcat_endpointDescription=Iri(catalogue.file("datapackage.json")),
        dcat_servesDataset=[Iri(catalogue.iri(dataset.id)) for dataset in catalogue.datasets],
        dct_publisher=Iri(catalogue.publisher),
        dcat_contactPoint=Iri(shared.contact),
        dcat_theme=Iri(f"{vocabulary.THEMES}/REGI"),
        dcat_keyword=[text(word, "en") for word in wording.KEYWORDS["en"]],
        dct_conformsTo=graph.node(vocabulary.HTTP, "dct:Standard", dct_title=text("RFC 9110: HTTP Semantics", "en")),
        dct_license=Iri(shared.licence_of(shared.context.info.licence_of_all)),
        foaf_page=Iri(catalogue.file("README.md")),
        dcatap_applicableLegislation=shared.law,
        dcatap_hvdCategory=Iri(vocabulary.HVD_STATISTICS),
    )
    graph.add(catalogue.lasting("catalog"), "dcat:service", Iri(node))


def _period(graph: Graph, node: str, dataset: Dataset) -> Iri | None:
    if dataset.period is None:
        return None
    first, last = dataset.period
    return graph.node(node, "dct:PeriodOfTime", dcat_startDate=typed(first, "xsd:date"), dcat_endDate=typed(last, "xsd:date"))


def _distribution(
    graph: Graph, catalogue: DcatCatalogue, dataset: Dataset, file: Distribution, rights: Iri | None, shared: _Shared
) -> None:
    node, form = f"{catalogue.iri(dataset.id)}#{file.id}", file.format
    standards: list[Term] = [Iri(form.specification)]
    if file.schema:
        standards.append(Iri(catalogue.file(file.schema)))
        described = f"{file.schema}: columns and types (CSV on the Web)"
        graph.node(catalogue.file(file.schema), "dct:Standard", dct_title=text(described, "en"))
    size: Literal | None = None
    checksum: Iri | None = None
    if file.facts:
        size = typed(file.facts.bytes, "xsd:nonNegativeInteger")
        checksum = graph.node(
            f"{node}-checksum",
            "spdx:Checksum",
            spdx_algorithm=Iri(vocabulary.SHA256),
            spdx_checksumValue=typed(file.facts.sha256, "xsd:hexBinary"),
        )
    graph.node(
        node,
        "dcat:Distribution",
        dct_title=texts(file.titles(dataset.titles)),
        dct_description=texts(dataset.titles),
        dcat_accessURL=Iri(catalogue.file(file.path)),
        dcat_downloadURL=Iri(catalogue.file(file.path)),
        dcat_mediaType=Iri(vocabulary.MEDIA_TYPES + form.media_type),
        dct_format=Iri(AUTHORITY + "file-type/" + form.file_type),
        dcat_byteSize=size,
        spdx_checksum=checksum,
        dct_license=Iri(shared.licence_of(file.licence or dataset.licence)),
        dct_rights=rights,
        dcatap_availability=Iri(vocabulary.STABLE),
        dct_language=[Iri(vocabulary.language(code)) for code in file.languages or catalogue.languages],
        dct_conformsTo=standards,
        dct_issued=typed(dataset.issued, "xsd:dateTime"),
        dct_modified=typed(dataset.modified, "xsd:dateTime"),
        dcatap_applicableLegislation=shared.law,
    )


def release_address(graph: Graph) -> str:
    """Return the prefix of the files of a release in its catalogue; empty if they are relative to the release folder."""
    for node in graph.nodes:
        if f"{CATALOG_TTL}#" in node:  # earlier versions named datasets after the release
            return node.partition(f"{CATALOG_TTL}#")[0]
        for run in objects(graph, node, "prov:wasGeneratedBy"):
            return run.removesuffix(RUN)
    return ""
