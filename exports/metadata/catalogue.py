"""The content of all catalogues of a release, independent of their vocabularies: one dataset per table, its files, its texts by language.

There are two kinds of addresses. Addresses inside the release folder belong to one release and never change. Addresses of the catalogue,
of its publisher and of a table's series are directly below `base_uri` and are the same in every release. Without a `base_uri`, all
addresses are relative to the release folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from exports.metadata import wording
from exports.metadata.rdf import is_absolute
from exports.metadata.text import licence_url, release_url
from exports.metadata.vocabulary import FORMATS, Format
from exports.model import layout
from exports.model.info import Context, FileFacts
from exports.model.tables import Table
from pipelines.core.iri import escape_iri

CATALOG_TTL = "catalog.ttl"
DUCKDB = "indicators.duckdb"
WHOLE = "release"
SOCIAL = ("community", "gender_gaps")
QUALITY = ("coverage", "sources", "snapshots")

Texts = Mapping[str, str]


@dataclass(frozen=True)
class Distribution:
    """A file. `facts` is None for the DuckDB file, whose bytes differ from build to build. `schema` is the path of its description.

    `labels` say by language which part of the dataset the file is; they are empty if it is all of it.
    """

    id: str
    path: str
    format: Format
    facts: FileFacts | None
    schema: str | None
    labels: Texts = field(default_factory=dict)

    def titles(self, dataset: Texts) -> Texts:
        """Return the title of the file by language, given those of its dataset."""
        first = next(iter(self.labels.values()), "")
        parts = {language: f": {self.labels.get(language) or first}" if first else "" for language in dataset}
        return {language: f"{title}{parts[language]} ({self.format.name})" for language, title in dataset.items()}


@dataclass(frozen=True)
class Dataset:
    """A table, or the release as a whole. `id` identifies its node; `period` is its first and last day, or None."""

    id: str
    table: str | None
    titles: Texts
    descriptions: Texts
    keywords: Mapping[str, tuple[str, ...]]
    themes: tuple[str, ...]
    period: tuple[str, str] | None
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
    licence: str
    datasets: tuple[Dataset, ...]

    def of_release(self, node: str) -> str:
        """Return the IRI of a node that belongs to this release."""
        return f"{self.release_root}{CATALOG_TTL}#{node}"

    def lasting(self, node: str) -> str:
        """Return the IRI of a node that is the same in every release."""
        return f"{self.root}#{node}"

    def file(self, path: str) -> str:
        return self.release_root + path


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
        licence=licence_url(info.licence) or release_root + "README.md",
        datasets=(*(_of_table(context, table, languages) for table in context.tables), _whole(context, languages)),
    )


def _by_language(context: Context, value: str | Texts) -> Texts:
    """Return a text of the pack by language. A text without a language is in the pack's first language."""
    texts = {context.info.languages[0]: value} if isinstance(value, str) else value
    return {language: " ".join(text.split()) for language, text in texts.items()}


def _titles(context: Context, languages: Sequence[str]) -> Texts:
    """Return the title of the pack in those of `languages` that it has, or in any language if it has none of them."""
    titles = _by_language(context, context.info.title)
    return {lang: titles[lang] for lang in languages if lang in titles} or {context.info.languages[0]: context.info.text(titles)}


def _prefixed(context: Context, languages: Sequence[str], names: Texts) -> Texts:
    """Return `names` with the title of the pack before them, if necessary in another language."""
    titles = _by_language(context, context.info.title)
    return {lang: f"{titles.get(lang) or context.info.text(titles)}: {names[lang]}" for lang in languages}


def _of_table(context: Context, table: Table, languages: Sequence[str]) -> Dataset:
    descriptions = {lang: text for lang in languages if (text := wording.description(table.name, lang))}
    # only the two formats of every table; the README of the release lists the derived formats
    files = [path for path in (*layout.csv_paths(table, context.files), layout.parquet_path(table.name)) if path in context.files]
    theme = ("SOCI",) if table.name in SOCIAL else ("GOVE",) if table.name in QUALITY else ()
    return Dataset(
        id=f"table-{table.name}",
        table=table.name,
        titles=_prefixed(context, languages, {lang: wording.title(table.name, lang) or table.name for lang in languages}),
        descriptions={**descriptions, "en": " ".join(table.description.split())},
        keywords=_keywords(languages),
        themes=("REGI", *theme),
        period=context.facts.periods.get(table.name) or context.facts.period,
        distributions=tuple(_distribution(context, table, path) for path in files),
    )


def _whole(context: Context, languages: Sequence[str]) -> Dataset:
    texts = {lang: wording.WHOLE[lang] for lang in languages if lang in wording.WHOLE}
    return Dataset(
        id=WHOLE,
        table=None,
        titles=_prefixed(context, tuple(texts), {lang: title for lang, (title, _) in texts.items()}),
        descriptions={lang: description for lang, (_, description) in texts.items()},
        keywords=_keywords(languages),
        themes=("REGI",),
        period=context.facts.period,
        distributions=(Distribution("duckdb", DUCKDB, FORMATS[".duckdb"], None, None),) if "duckdb" in context.info.formats else (),
    )


def _keywords(languages: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    return {lang: wording.KEYWORDS[lang] for lang in languages if lang in wording.KEYWORDS}


def _distribution(context: Context, table: Table, path: str) -> Distribution:
    pure = PurePosixPath(path)
    id_ = pure.suffix.removeprefix(".")
    labels: Texts = {}
    if pure.suffix == ".csv" and layout.is_partitioned(table):
        part = layout.part_of(path)
        id_, labels = f"{id_}-{part}", context.facts.indicators.get(part) or {context.info.languages[0]: part}
    schema = layout.metadata_path(path) if pure.suffix == ".csv" else None
    return Distribution(id_, path, FORMATS[pure.suffix], context.files[path], schema, labels)
