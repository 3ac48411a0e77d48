"""The content of all catalogues of a release, independent of their vocabularies: its data sets, their files, rights, and texts by language.

There is a data set for each topic, for each of the further ones (`exports.model.topics`), and one for the release as a whole.

There are two kinds of addresses. Addresses inside the release folder belong to one release and never change. Addresses of the catalogue, of
its publisher, of data sets and of their distributions are below `base_uri` and are the same in every release. Without a `base_uri`, all
addresses are relative to the release folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from exports.metadata import rights, wording
from exports.metadata.rdf import is_absolute
from exports.metadata.text import licence_url, release_url
from exports.metadata.vocabulary import Format, format_of
from exports.model import layout, made_from
from exports.model.info import Context, FileFacts
from exports.model.topics import EVERYTHING, Topic
from pipelines.core.iri import escape_iri

CATALOG_TTL = "catalog.ttl"
DUCKDB = "indicators.duckdb"
WHOLE = EVERYTHING
COMPARISONS = "comparisons"
"""The table that says how the values of a topic compare. It is part of no other data set."""
WORKBOOKS = ("indices", WHOLE)
"""The data sets, beside the topics, whose values the workbooks have."""

Texts = Mapping[str, str]


@dataclass(frozen=True)
class Distribution:
    """A file. `facts` is None for the DuckDB file, whose bytes differ from build to build. `schema` is the path of its description.

    `id` is the same in every release. `labels` say by language which part of the data set the file is; what tells files apart comes first.
    `licence` is empty if it is that of the data set, and `languages` if they are those of the catalogue.
    """

    id: str
    path: str
    format: Format
    facts: FileFacts | None
    schema: str | None
    labels: Texts = field(default_factory=dict)
    licence: str = ""
    languages: tuple[str, ...] = ()

    def titles(self, dataset: Texts) -> Texts:
        """Return the title of the file in the languages of its data set: its format, then its part of the data set."""
        first = next(iter(self.labels.values()), "")
        return {lang: ", ".join(filter(None, (self.format.name, self.labels.get(lang) or first))) for lang in dataset}


@dataclass(frozen=True)
class Dataset:
    """A data set. `topic` is None for the release as a whole.

    `period` is its first and last day, or None; `places` are the codes of its countries. `sources` are the ids of the sources that it is
    made from, `creators` their publishers. `licence` is an SPDX identifier, and `rights` says in words what its sources allow. `issued` and
    `modified` are times: of the first release that has the data set, and of the last one that changed its content.
    """

    id: str
    topic: Topic | None
    titles: Texts
    descriptions: Texts
    keywords: Mapping[str, tuple[str, ...]]
    themes: tuple[str, ...]
    period: tuple[str, str] | None
    places: tuple[str, ...]
    sources: tuple[str, ...]
    creators: tuple[str, ...]
    licence: str
    rights: Texts
    issued: str
    modified: str
    distributions: tuple[Distribution, ...]


@dataclass(frozen=True)
class DcatCatalogue:
    """A release in a catalogue. `root` is the prefix of lasting addresses, and `release_root` the prefix of addresses in this release."""

    root: str
    release_root: str
    languages: tuple[str, ...]
    titles: Texts
    descriptions: Texts
    publisher: str
    publisher_name: Texts
    email: str | None
    homepage: str
    datasets: tuple[Dataset, ...]

    @property
    def by_topic(self) -> tuple[Dataset, ...]:
        """The data sets without the release as a whole."""
        return tuple(dataset for dataset in self.datasets if dataset.topic is not None)

    def iri(self, dataset: str) -> str:
        """Return the IRI of a data set, which is the same in every release."""
        return layout.dataset_address(self.root, dataset)

    def landing_page(self, dataset: Dataset) -> str:
        """Return the address of the page about a data set."""
        return f"{self.root}{layout.landing_path(dataset.id)}" if dataset.topic is not None else self.homepage

    def lasting(self, node: str) -> str:
        """Return the IRI of another node that is the same in every release."""
        return f"{self.root}#{node}"

    def file(self, path: str) -> str:
        return self.release_root + path

    def licence(self, spdx: str) -> str:
        """Return the address of the text of a licence, or of the README if there is none."""
        return licence_url(spdx) or self.release_root + "README.md"


def dcat_catalogue(context: Context, languages: Sequence[str] = ()) -> DcatCatalogue:
    """Return the catalogue of a release in the pack's languages, English, and `languages`."""
    info = context.info
    languages = tuple(dict.fromkeys([*info.languages, "en", *languages]))
    url = release_url(info.base_uri, context.version)
    root = escape_iri(info.base_uri.rstrip("/") + "/") if url else "../../"
    release_root = escape_iri(url) if url else ""
    iri, email = info.publisher.get("iri"), info.publisher.get("email")
    publisher_name = info.publisher.get("name")
    return DcatCatalogue(
        root=root,
        release_root=release_root,
        languages=languages,
        titles=_titles(context, languages),
        descriptions={lang: wording.CATALOGUE_DESCRIPTIONS[lang] for lang in languages if lang in wording.CATALOGUE_DESCRIPTIONS},
        publisher=escape_iri(iri) if is_absolute(iri) else root + "#publisher",
        publisher_name=_by_language(context, publisher_name) if publisher_name else _titles(context, languages),
        email=escape_iri("mailto:" + email.removeprefix("mailto:")) if email else None,
        homepage=root,
        datasets=(*(_of_topic(context, topic, languages) for topic in context.data_sets), _whole(context, languages)),
    )


def authors(catalogue: DcatCatalogue, dataset: Dataset) -> Texts:
    """Return by language the publisher of a data set with the publishers of its sources, whom their licences want to be named."""
    if not dataset.creators:
        return catalogue.publisher_name
    publishers = ", ".join(dataset.creators)
    name = next(iter(catalogue.publisher_name.values()))
    languages = [lang for lang in catalogue.languages if lang in wording.SOURCES_OF] or ["en"]
    return {lang: wording.SOURCES_OF[lang].format(catalogue.publisher_name.get(lang, name), publishers) for lang in languages}


# --------------------------------------------------------------------------------------------------------------- texts


def _by_language(context: Context, value: str | Texts) -> Texts:
    """Return a text of the pack by language. A text without a language is in the pack's first language."""
    texts = {context.info.languages[0]: value} if isinstance(value, str) else value
    return {language: " ".join(text.split()) for language, text in texts.items()}


def _titles(context: Context, languages: Sequence[str]) -> Texts:
    """Return the title of the pack in those of `languages` that it has, or in any language if it has none of them."""
    titles = _by_language(context, context.info.title)
    return {lang: titles[lang] for lang in languages if lang in titles} or {context.info.languages[0]: context.info.text(titles)}


def _of_pack(context: Context, languages: Sequence[str], names: Texts) -> Texts:
    """Return `names` with the title of the pack in brackets, if necessary in another language. What tells data sets apart comes first."""
    titles = _by_language(context, context.info.title)
    known = {lang: names[lang] for lang in languages if lang in names} or dict(names)
    return {lang: f"{name} ({titles.get(lang) or context.info.text(titles)})" for lang, name in known.items()}


def _descriptions(context: Context, topic: Topic, languages: Sequence[str]) -> Texts:
    """Return the description of a topic, with the levels of its areas and the titles of its indicators."""
    known = {lang: topic.descriptions[lang] for lang in languages if lang in topic.descriptions} or dict(topic.descriptions)
    extents = [context.facts.extents[name] for name in topic.indicators]
    levels = {level for extent in extents for level in extent.levels}
    described = {}
    for lang, text in known.items():
        parts = [text]
        of_levels = [
            titles.get(lang) or context.info.text(titles) or level for level, titles in context.info.levels.items() if level in levels
        ]
        of_indicators = [title for name in topic.indicators if (title := _title_of(context, name, lang))]
        if lang in wording.OF_LEVELS and of_levels:
            parts.append(wording.OF_LEVELS[lang].format(", ".join(of_levels)))
        if lang in wording.OF_INDICATORS and of_indicators:
            parts.append(wording.OF_INDICATORS[lang].format("; ".join(of_indicators)))
        described[lang] = " ".join(parts)
    return described


def _title_of(context: Context, indicator: str, language: str) -> str:
    titles = context.facts.indicators.get(indicator, {})
    return titles.get(language) or context.info.text(titles)


# ----------------------------------------------------------------------------------------------------------- data sets


def _of_topic(context: Context, topic: Topic, languages: Sequence[str]) -> Dataset:
    extents = [context.facts.extents[name] for name in topic.indicators]
    periods = [extent.period for extent in extents] or [context.facts.periods.get(table) for table in topic.tables]
    countries = {country for extent in extents for country in extent.countries} if extents else set(context.facts.boxes)
    return _dataset(
        context,
        languages,
        topic.id,
        topic,
        titles=topic.titles,
        descriptions=_descriptions(context, topic, languages),
        keywords={lang: words for lang, words in topic.keywords.items() if lang in languages} or topic.keywords,
        themes=tuple(dict.fromkeys((topic.theme, "REGI"))),
        periods=[period for period in periods if period],
        countries=countries,
        distributions=tuple(_files_of_topic(context, topic, languages)),
    )


def _whole(context: Context, languages: Sequence[str]) -> Dataset:
    texts = {lang: wording.WHOLE[lang] for lang in languages if lang in wording.WHOLE}
    return _dataset(
        context,
        languages,
        WHOLE,
        None,
        titles={lang: title for lang, (title, _) in texts.items()},
        descriptions={lang: description for lang, (_, description) in texts.items()},
        keywords={lang: wording.KEYWORDS[lang] for lang in languages if lang in wording.KEYWORDS},
        themes=("REGI",),
        periods=[context.facts.period] if context.facts.period else [],
        countries=set(context.facts.boxes),
        distributions=tuple(_files_of_all(context, languages)),
    )


def _dataset(
    context: Context,
    languages: Sequence[str],
    name: str,
    topic: Topic | None,
    *,
    titles: Texts,
    descriptions: Texts,
    keywords: Mapping[str, tuple[str, ...]],
    themes: tuple[str, ...],
    periods: Sequence[tuple[str, str]],
    countries: set[str],
    distributions: tuple[Distribution, ...],
) -> Dataset:
    info = context.info
    sources = made_from.data_set_sources(context, topic)
    state = context.states.get(name)
    return Dataset(
        id=name,
        topic=topic,
        titles=_of_pack(context, languages, titles),
        descriptions=descriptions,
        keywords=keywords,
        themes=themes,
        period=(min(first for first, _ in periods), max(last for _, last in periods)) if periods else context.facts.period,
        places=tuple(sorted({country or info.country for country in countries})) or (info.country,),
        sources=tuple(source["id"] for source in sources),
        creators=tuple(dict.fromkeys(info.text(source["publisher"]) for source in sources)),
        licence=info.licence_from({source["id"] for source in sources}),
        rights=rights.statement(context, sources, [lang for lang in languages if lang in titles] or list(titles)),
        issued=state.issued if state else info.timestamp,
        modified=state.modified if state else info.timestamp,
        distributions=distributions,
    )


# --------------------------------------------------------------------------------------------------------------- files


def _files_of_topic(context: Context, topic: Topic, languages: Sequence[str]) -> Iterator[Distribution]:
    """Yield the files of a topic: its own, the workbooks, those of its tables, and those of its indicators."""
    newest, whole = layout.topic_csv_path(topic.id), layout.topic_parquet_path(topic.id)
    for id_, path, label in (("csv", newest, wording.NEWEST), ("parquet", whole, wording.ALL_PERIODS)):
        if path in context.files:
            yield replace(_file(context, id_, path, label), languages=tuple(context.info.languages[:1]))
    if topic.is_by_indicator or topic.id in WORKBOOKS:
        yield from _workbooks(context, languages)
    if topic.is_by_indicator:
        for name in topic.indicators:
            title = {lang: _title_of(context, name, lang) or name for lang in languages}
            for values in topic.tables:
                yield from _existing(context, f"csv-{name}", layout.part_path(values, name), title)
            compared = {lang: f"{label}: {title.get(lang) or name}" for lang, label in _labels_of(COMPARISONS, languages).items()}
            yield from _existing(context, f"csv-{COMPARISONS}-{name}", layout.part_path(COMPARISONS, name), compared)
            yield from _existing(context, f"jsonstat-{name}", layout.jsonstat_path(name), title)
            yield from _existing(context, f"sdmx-{name}", layout.sdmx_path(name), title)
        return
    for path, id_ in ((layout.GEO_JSON, "geojson"), (layout.GEO_PARQUET, "geoparquet")):
        if layout.GEO_TABLE in topic.tables:
            yield from _existing(context, id_, path, wording.POINTS)
    if layout.GEO_TABLE in topic.tables:
        for level, names in context.info.levels.items():
            of_level = {lang: f"{wording.BOUNDARIES[lang]}: {names.get(lang, level)}" for lang in languages if lang in wording.BOUNDARIES}
            yield from _existing(context, f"topojson-{level}", layout.boundaries_path(level), of_level)
            yield from _existing(context, f"geoparquet-{level}", layout.boundaries_parquet_path(level), of_level)
    for table in context.tables:
        if table.name not in topic.tables:
            continue
        of_table = _labels_of(table.name, languages)
        for path in layout.csv_paths(table, context.files):
            if layout.is_partitioned(table):
                part = layout.part_of(path)
                parts = {lang: f"{label}: {_title_of(context, part, lang) or part}" for lang, label in of_table.items()}
                yield from _existing(context, f"csv-{table.name}-{part}", path, parts)
            else:
                yield from _existing(context, f"csv-{table.name}", path, of_table)
        yield from _existing(context, f"parquet-{table.name}", layout.parquet_path(table.name), of_table)


def _files_of_all(context: Context, languages: Sequence[str]) -> Iterator[Distribution]:
    """Yield the files with all data: the DuckDB file, the workbooks, and each table as Parquet."""
    if "duckdb" in context.info.formats:
        yield Distribution("duckdb", DUCKDB, format_of(DUCKDB), None, None, wording.ALL_TABLES, context.info.licence_of_all)
    yield from _workbooks(context, languages)
    for table in context.tables:
        yield from _existing(context, f"parquet-{table.name}", layout.parquet_path(table.name), _labels_of(table.name, languages))


def _workbooks(context: Context, languages: Sequence[str]) -> Iterator[Distribution]:
    for language in context.info.languages:
        names = {lang: name for lang, name in wording.in_language(wording.WORKBOOK, language).items() if lang in languages}
        for file in _existing(context, f"xlsx-{language}", layout.workbook_path(context.info.pack, language), names):
            yield replace(file, licence=context.info.licence_of_all, languages=(language,))


def _labels_of(table: str, languages: Sequence[str]) -> Texts:
    return {lang: _lowered(wording.title(table, lang) or table) for lang in languages}


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def _existing(context: Context, id_: str, path: str, labels: Texts) -> Iterator[Distribution]:
    if path in context.files:
        yield _file(context, id_, path, labels)


def _file(context: Context, id_: str, path: str, labels: Texts) -> Distribution:
    schema = layout.metadata_path(path) if path.endswith(".csv") else None
    return Distribution(id_, path, format_of(path), context.files[path], schema, labels)
