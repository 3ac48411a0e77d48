"""sk/: the release for the Slovak national catalogue, in DCAT-AP-SK 3.0.

There is a document for the catalogue and one for each dataset, at the IRI of the dataset. The national catalogue harvests the same IRIs
repeatedly, so that they go through `latest/`; the files that they list are those of this release. Texts are in Slovak and English.
"""

from __future__ import annotations

from exports.metadata import vocabulary
from exports.metadata.catalogue import Dataset, DcatCatalogue, Distribution, Texts, authors, dcat_catalogue
from exports.metadata.rdf import Graph, Iri, Term, text, typed
from exports.metadata.vocabulary import AUTHORITY
from exports.model.info import Context

NAME = "sk"
STATE = "https://data.gov.sk/id/nuts1/SK0"
NO_PERSONAL_DATA = "https://data.gov.sk/def/personal-data-occurence-type/2"
LANGUAGES = ("sk", "en")


def descriptor(context: Context) -> dict[str, bytes]:
    catalogue = dcat_catalogue(context, LANGUAGES)
    if NAME not in context.info.catalogues or not catalogue.root.startswith("https://"):
        return {}
    data_sets = catalogue.by_topic
    documents = {f"{NAME}/catalog.ttl": _catalogue(catalogue)}
    for dataset in data_sets:
        documents[_path(dataset)] = _dataset(context, catalogue, dataset)
    return {path: document.turtle() for path, document in documents.items()}


def _path(dataset: Dataset) -> str:
    return f"{NAME}/datasets/{dataset.id}.ttl"


def _iri(catalogue: DcatCatalogue, path: str) -> str:
    return f"{catalogue.root}latest/{path}"


def _texts(texts: Texts) -> list[Term]:
    """Return the Slovak and the English text. If there is no Slovak text, any other one stands for it."""
    selected = {language: texts[language] for language in LANGUAGES if language in texts}
    selected = selected if "sk" in selected else {"sk": next(iter(texts.values())), **selected}
    return [text(value, language) for language, value in selected.items()]


def _catalogue(catalogue: DcatCatalogue) -> Graph:
    graph, node = Graph(), _iri(catalogue, f"{NAME}/catalog.ttl")
    graph.node(
        node,
        "dcat:Catalog",
        dct_title=_texts(catalogue.titles),
        dct_description=_texts(catalogue.descriptions),
        dct_publisher=Iri(catalogue.publisher),
        foaf_homepage=Iri(catalogue.homepage),
        dcat_contactPoint=_contact(graph, catalogue, node),
        dcat_dataset=[Iri(_iri(catalogue, _path(dataset))) for dataset in catalogue.by_topic],
    )
    return graph


def _contact(graph: Graph, catalogue: DcatCatalogue, node: str) -> Iri | None:
    """Return the contact; None without an email address, which the profile requires."""
    if not catalogue.email:
        return None
    return graph.node(
        f"{node}#contact", "vcard:Organization", vcard_fn=_texts(catalogue.publisher_name), vcard_hasEmail=Iri(catalogue.email)
    )


def _dataset(context: Context, catalogue: DcatCatalogue, dataset: Dataset) -> Graph:
    graph, node, info = Graph(), _iri(catalogue, _path(dataset)), context.info
    places = [STATE if code == "SK" else vocabulary.country(code) or catalogue.lasting("territory") for code in dataset.places]
    period = None
    if dataset.period:
        period = graph.node(
            f"{node}#period",
            "dct:PeriodOfTime",
            dcat_startDate=typed(dataset.period[0], "xsd:date"),
            dcat_endDate=typed(dataset.period[1], "xsd:date"),
        )
    keywords = {language: dataset.keywords[language] for language in LANGUAGES if language in dataset.keywords}
    keywords = keywords if "sk" in keywords else {"sk": next(iter(dataset.keywords.values())), **keywords}
    graph.node(
        node,
        "dcat:Dataset",
        dct_title=_texts(dataset.titles),
        dct_description=_texts(dataset.descriptions),
        dct_publisher=Iri(catalogue.publisher),
        dct_issued=typed(dataset.issued, "xsd:dateTime"),
        dct_modified=typed(dataset.modified, "xsd:dateTime"),
        dct_type=Iri(vocabulary.HVD_TYPE) if info.high_value else None,
        dcat_theme=[Iri(f"{vocabulary.THEMES}/{theme}") for theme in dataset.themes],
        dct_accrualPeriodicity=Iri(vocabulary.IRREGULAR),
        dcat_keyword=[text(word, language) for language, words in keywords.items() for word in words],
        dct_spatial=[Iri(place) for place in places],
        dct_temporal=period,
        dcat_contactPoint=_contact(graph, catalogue, node),
        dcat_landingPage=Iri(catalogue.landing_page(dataset)),
        foaf_page=Iri(catalogue.file("README.md")),
        dcatap_applicableLegislation=Iri(vocabulary.HVD_LAW) if info.high_value else None,
        dcatap_hvdCategory=Iri(vocabulary.HVD_STATISTICS) if info.high_value else None,
        dcat_distribution=[_distribution(graph, context, catalogue, node, dataset, file) for file in dataset.distributions],
    )
    return graph


def _distribution(graph: Graph, context: Context, catalogue: DcatCatalogue, node: str, dataset: Dataset, file: Distribution) -> Iri:
    spdx = file.licence or dataset.licence
    licence = Iri(vocabulary.licence(spdx) or catalogue.licence(spdx))
    author = _texts(authors(catalogue, dataset))
    terms = graph.node(
        f"{node}#{file.id}-terms",
        "leg:TermsOfUse",
        leg_authorsWorkType=licence,
        leg_authorName=author,
        leg_originalDatabaseType=licence,
        leg_originalDatabaseAuthorName=author,
        leg_databaseProtectedBySpecialRightsType=licence,
        leg_personalDataContainmentType=Iri(NO_PERSONAL_DATA),
    )
    return graph.node(
        f"{node}#{file.id}",
        "dcat:Distribution",
        dct_title=_texts(file.titles(dataset.titles)),
        leg_termsOfUse=terms,
        dcat_accessURL=Iri(catalogue.file(file.path)),
        dcat_downloadURL=Iri(catalogue.file(file.path)),
        dct_format=Iri(AUTHORITY + "file-type/" + file.format.file_type),
        dcat_mediaType=Iri(vocabulary.MEDIA_TYPES + file.format.media_type),
        dct_conformsTo=Iri(catalogue.file(file.schema)) if file.schema else None,
        dcatap_applicableLegislation=Iri(vocabulary.HVD_LAW) if context.info.high_value else None,
    )
