"""dqv.ttl: measurements of the quality of the release and of its data sets, in the Data Quality Vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from exports.metadata.catalogue import WHOLE, DcatCatalogue, dcat_catalogue
from exports.metadata.dcat import texts
from exports.metadata.rdf import Graph, Iri, Literal, typed
from exports.model.info import Context
from pipelines.core.code_texts import Texts, by_language

PATH = "dqv.ttl"
LDQD = "http://www.w3.org/2016/05/ldqd#"


class Metric(NamedTuple):
    """What is measured: the quality dimension, the type of the values, and a description in English, Czech and Slovak."""

    dimension: str
    datatype: str
    description: Texts


METRICS = {
    "rows": Metric("completeness", "xsd:integer", ("Rows of the data set", "Počet řádků datové sady", "Počet riadkov súboru údajov")),
    "valued": Metric(
        "completeness",
        "xsd:double",
        (
            "Share of the data set's rows that have a value; the other rows give a reason",
            "Podíl řádků datové sady, které mají hodnotu; ostatní uvádějí důvod, proč chybí",
            "Podiel riadkov súboru údajov, ktoré majú hodnotu; ostatné uvádzajú dôvod, prečo chýba",
        ),
    ),
    "available": Metric(
        "completeness",
        "xsd:double",
        (
            "Share of the expected values of indicators that are available (table coverage)",
            "Podíl očekávaných hodnot ukazatelů, které jsou k dispozici (tabulka coverage)",
            "Podiel očakávaných hodnôt ukazovateľov, ktoré sú k dispozícii (tabuľka coverage)",
        ),
    ),
    "accepted": Metric(
        "completeness",
        "xsd:double",
        (
            "Share of the rows read from the sources that were accepted",
            "Podíl řádků přečtených ze zdrojů, které byly přijaty",
            "Podiel riadkov prečítaných zo zdrojov, ktoré boli prijaté",
        ),
    ),
    "reconciled": Metric(
        "consistency",
        "xsd:boolean",
        (
            "Every row that was read is accepted, quarantined or ignored as declared",
            "Každý přečtený řádek byl přijat, dán do karantény, nebo vynechán podle deklarace",
            "Každý prečítaný riadok bol prijatý, daný do karantény alebo vynechaný podľa deklarácie",
        ),
    ),
    "imputed": Metric(
        "semanticAccuracy",
        "xsd:double",
        (
            "Share of the inputs of indices that were imputed",
            "Podíl vstupů indexů, které byly imputovány",
            "Podiel vstupov indexov, ktoré boli imputované",
        ),
    ),
    "fresh": Metric(
        "timeliness",
        "xsd:double",
        ("Share of the sources that are not stale", "Podíl zdrojů, které nejsou zastaralé", "Podiel zdrojov, ktoré nie sú zastarané"),
    ),
    "age": Metric(
        "timeliness",
        "xsd:integer",
        (
            "Days from the end of the newest period in the tables to the release; 0 if the period is not over",
            "Počet dní od konce nejnovějšího období v tabulkách do vydání; 0, pokud období neskončilo",
            "Počet dní od konca najnovšieho obdobia v tabuľkách po vydanie; 0, ak sa obdobie neskončilo",
        ),
    ),
}
DIMENSIONS: Mapping[str, Texts] = {
    "completeness": ("Completeness", "Úplnost", "Úplnosť"),
    "consistency": ("Consistency", "Konzistence", "Konzistentnosť"),
    "semanticAccuracy": ("Semantic accuracy", "Věcná přesnost", "Vecná presnosť"),
    "timeliness": ("Timeliness", "Včasnost", "Včasnosť"),
}


def descriptor(context: Context) -> dict[str, bytes]:
    return {PATH: statements(context).turtle()}


def statements(context: Context) -> Graph:
    """Return the measurements of a release. What cannot be measured, such as a share of zero rows, is left out."""
    catalogue, graph = dcat_catalogue(context), Graph()
    measurements = [(name, dataset, value) for dataset, name, value in _measurements(context) if value is not None]
    for name, dataset, value in measurements:
        node = catalogue.file(f"{PATH}#{name}-{dataset}")
        graph.node(
            node,
            "dqv:QualityMeasurement",
            dqv_isMeasurementOf=Iri(_metric(catalogue, name)),
            dqv_computedOn=Iri(catalogue.iri(dataset)),
            dqv_value=value,
        )
        graph.add(catalogue.iri(dataset), "dqv:hasQualityMeasurement", Iri(node))
    for name, metric in METRICS.items():
        if name in {measurement[0] for measurement in measurements}:
            graph.node(
                _metric(catalogue, name),
                "dqv:Metric",
                skos_prefLabel=texts(by_language(metric.description, catalogue.languages)),
                dqv_expectedDataType=Iri("http://www.w3.org/2001/XMLSchema#" + metric.datatype.removeprefix("xsd:")),
                dqv_inDimension=Iri(LDQD + metric.dimension),
            )
            names = by_language(DIMENSIONS[metric.dimension], catalogue.languages)
            graph.node(LDQD + metric.dimension, "dqv:Dimension", skos_prefLabel=texts(names))
    return graph


def _metric(catalogue: DcatCatalogue, name: str) -> str:
    return catalogue.file(f"{PATH}#metric-{name}")


def _measurements(context: Context) -> list[tuple[str, str, Literal | None]]:
    """Return dataset, metric and value of each measurement."""
    facts = context.facts
    measurements: list[tuple[str, str, Literal | None]] = []
    for topic in context.data_sets:
        extents = [facts.extents[name] for name in topic.indicators]
        counts = [(extent.rows, extent.valued) for extent in extents] or [facts.statused.get(table, (0, 0)) for table in topic.tables]
        rows = sum(extent.rows for extent in extents) if extents else sum(context.rows[table] for table in topic.tables)
        measurements.append((topic.id, "rows", typed(rows, "xsd:integer")))
        measurements.append((topic.id, "valued", _share(sum(valued for _, valued in counts), sum(count for count, _ in counts))))
    reconciled = facts.read == facts.accepted + facts.quarantined + facts.ignored
    measurements += [
        (WHOLE, "available", _share(facts.available, facts.expected)),
        (WHOLE, "accepted", _share(facts.accepted, facts.read)),
        (WHOLE, "reconciled", typed(str(reconciled).lower(), "xsd:boolean") if facts.sources else None),
        (WHOLE, "imputed", _share(facts.imputed, facts.inputs)),
        (WHOLE, "fresh", _share(facts.sources - facts.stale, facts.sources)),
        (WHOLE, "age", _age(context)),
    ]
    return measurements


def _share(part: int, whole: int) -> Literal | None:
    return typed(f"{part / whole:.12g}", "xsd:double") if whole else None


def _age(context: Context) -> Literal | None:
    if context.facts.period is None:
        return None
    last, today = date.fromisoformat(context.facts.period[1]), date.fromisoformat(context.info.timestamp[:10])
    return typed(max((today - last).days, 0), "xsd:integer")
