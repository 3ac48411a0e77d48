"""sk/: the release for the Slovak national catalogue, after DCAT-AP-SK 3.0.

A document of the catalogue and one for each dataset, found at the dataset's own IRI. The catalogue looks for the same IRIs again and
again, so they lead through `latest/`; the files they name are those of this release. Texts are in Slovak, and in English.
"""

from __future__ import annotations

from exports.metadata import vocabulary
from exports.metadata.catalogue import Catalogue, Dataset, Distribution, Texts, catalogue
from exports.metadata.rdf import Graph, Iri, Term, text, typed
from exports.metadata.vocabulary import AUTHORITY
from exports.model.info import Context

NAME = "sk"
STATE = "https://data.gov.sk/id/nuts1/SK0"
NO_PERSONAL_DATA = "https://data.gov.sk/def/personal-data-occurence-type/2"
LANGUAGES = ("sk", "en")


def descriptor(context: Context) -> dict[str, bytes]:
    said = catalogue(context, LANGUAGES)
    if NAME not in context.info.catalogues or not said.root.startswith("https://"):
        return {}
    tables = [dataset for dataset in said.datasets if dataset.table is not None]
    documents = {f"{NAME}/catalog.ttl": _catalogue(said, tables)}
    for dataset in tables:
        documents[_path(dataset)] = _dataset(context, said, dataset)
    return {path: document.turtle() for path, document in documents.items()}


def _path(dataset: Dataset) -> str:
    return f"{NAME}/datasets/{dataset.table}.ttl"


def _iri(said: Catalogue, path: str) -> str:
    return f"{said.root}latest/{path}"


def _spoken(texts: Texts) -> list[Term]:
    """Return Slovak and English of `texts`; where there is no Slovak, whatever there is stands for it."""
    found = {language: texts[language] for language in LANGUAGES if language in texts}
    found = found if "sk" in found else {"sk": next(iter(texts.values())), **found}
    return [text(value, language) for language, value in found.items()]


def _catalogue(said: Catalogue, tables: list[Dataset]) -> Graph:
    graph, node = Graph(), _iri(said, f"{NAME}/catalog.ttl")
    graph.node(
        node,
        "dcat:Catalog",
        dct_title=_spoken(said.titles),
        dct_description=_spoken(said.descriptions),
        dct_publisher=Iri(said.publisher),
        foaf_homepage=Iri(said.homepage),
        dcat_contactPoint=_contact(graph, said, node),
        dcat_dataset=[Iri(_iri(said, _path(dataset))) for dataset in tables],
    )
    return graph


def _contact(graph: Graph, said: Catalogue, node: str) -> Iri | None:
    """Return the contact; the profile wants none without a mail address."""
    if not said.email:
        return None
    return graph.node(f"{node}#contact", "vcard:Organization", vcard_fn=_spoken(said.publisher_name), vcard_hasEmail=Iri(said.email))


def _dataset(context: Context, said: Catalogue, dataset: Dataset) -> Graph:
    graph, node, info = Graph(), _iri(said, _path(dataset)), context.info
    place = STATE if info.country == "SK" else vocabulary.country(info.country) or said.lasting("territory")
    period = None
    if dataset.period:
        period = graph.node(
            f"{node}#period",
            "dct:PeriodOfTime",
            dcat_startDate=typed(dataset.period[0], "xsd:date"),
            dcat_endDate=typed(dataset.period[1], "xsd:date"),
        )
    words = {language: dataset.keywords[language] for language in LANGUAGES if language in dataset.keywords}
    graph.node(
        node,
        "dcat:Dataset",
        dct_title=_spoken(dataset.titles),
        dct_description=_spoken(dataset.descriptions),
        dct_publisher=Iri(said.publisher),
        dct_issued=typed(info.timestamp, "xsd:dateTime"),
        dct_modified=typed(info.timestamp, "xsd:dateTime"),
        dct_type=Iri(vocabulary.HVD_TYPE) if info.high_value else None,
        dcat_theme=[Iri(f"{vocabulary.THEMES}/{theme}") for theme in dataset.themes],
        dct_accrualPeriodicity=Iri(vocabulary.IRREGULAR),
        dcat_keyword=[text(word, language) for language, chosen in words.items() for word in chosen],
        dct_spatial=Iri(place),
        dct_temporal=period,
        dcat_contactPoint=_contact(graph, said, node),
        dcat_landingPage=Iri(said.homepage),
        foaf_page=Iri(said.file("README.md")),
        dcatap_applicableLegislation=Iri(vocabulary.HVD_LAW) if info.high_value else None,
        dcatap_hvdCategory=Iri(vocabulary.HVD_STATISTICS) if info.high_value else None,
        dcat_distribution=[_distribution(graph, context, said, node, dataset, file) for file in dataset.distributions],
    )
    return graph


def _distribution(graph: Graph, context: Context, said: Catalogue, node: str, dataset: Dataset, file: Distribution) -> Iri:
    licence = Iri(vocabulary.licence(context.info.licence) or said.licence)
    author = _spoken(said.publisher_name)
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
        dct_title=_spoken({language: f"{title} ({file.format.name})" for language, title in dataset.titles.items()}),
        leg_termsOfUse=terms,
        dcat_accessURL=Iri(said.file(file.path)),
        dcat_downloadURL=Iri(said.file(file.path)),
        dct_format=Iri(AUTHORITY + "file-type/" + file.format.file_type),
        dcat_mediaType=Iri(vocabulary.MEDIA_TYPES + file.format.media_type),
        dct_conformsTo=Iri(said.file(file.schema)) if file.schema else None,
        dcatap_applicableLegislation=Iri(vocabulary.HVD_LAW) if context.info.high_value else None,
    )
