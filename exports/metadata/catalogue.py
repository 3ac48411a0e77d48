"""What every catalogue of a release says, before it is said in any vocabulary: one dataset a table, its files, its names by language.

Two kinds of addresses. Those inside the release folder never change and belong to one release. Those of the catalogue, its
publisher and the series of a table's releases stand directly below `base_uri` and stay the same from release to release. Without
a `base_uri` both are relative to the release folder, and so right wherever it lies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from exports.metadata import wording
from exports.metadata.csvw import SUFFIX
from exports.metadata.rdf import address, is_absolute
from exports.metadata.text import licence_url, release_url
from exports.metadata.vocabulary import FORMATS, Format
from exports.model.info import Context, FileFacts
from exports.model.tables import Table

CATALOGUE = "catalog.ttl"
DUCKDB = "indicators.duckdb"
WHOLE = "release"
SOCIAL = ("community", "gender_gaps")
QUALITY = ("coverage", "sources", "snapshots")

Texts = Mapping[str, str]


@dataclass(frozen=True)
class Distribution:
    """A file. `facts` is None for the one file whose bytes are not always the same; `schema` describes its columns."""

    id: str
    path: str
    format: Format
    facts: FileFacts | None
    schema: str | None


@dataclass(frozen=True)
class Dataset:
    """A table, or the release as a whole. `id` is that of its node; `period` its first and last day, None where it has none."""

    id: str
    table: str | None
    titles: Texts
    descriptions: Texts
    keywords: Mapping[str, tuple[str, ...]]
    themes: tuple[str, ...]
    period: tuple[str, str] | None
    distributions: tuple[Distribution, ...]


@dataclass(frozen=True)
class Catalogue:
    """A release in a catalogue. `root` ends where stable addresses begin, `here` where those of this release do."""

    root: str
    here: str
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
        """Return the IRI of something that this release has."""
        return f"{self.here}{CATALOGUE}#{node}"

    def lasting(self, node: str) -> str:
        """Return the IRI of something that stays from release to release."""
        return f"{self.root}#{node}"

    def file(self, path: str) -> str:
        return self.here + path


def catalogue(context: Context, languages: Sequence[str] = ()) -> Catalogue:
    """Return the catalogue of a release in the pack's languages, English, and `languages`."""
    info = context.info
    spoken = tuple(dict.fromkeys([*info.languages, "en", *languages]))
    here = release_url(info.base_uri, context.version)
    root = address(info.base_uri.rstrip("/") + "/") if here else "../../"
    here = address(here) if here else ""
    iri, email = info.publisher.get("iri"), info.publisher.get("email")
    publisher_name = info.publisher.get("name")
    return Catalogue(
        root=root,
        here=here,
        languages=spoken,
        titles=_titles(context, spoken),
        descriptions={lang: wording.CATALOGUE[lang] for lang in spoken if lang in wording.CATALOGUE},
        publisher=address(iri) if is_absolute(iri) else root + "#publisher",
        publisher_name=_by_language(context, publisher_name) if publisher_name else _titles(context, spoken),
        email=address("mailto:" + email.removeprefix("mailto:")) if email else None,
        homepage=root,
        licence=licence_url(info.licence) or here + "README.md",
        datasets=(*(_of_table(context, table, spoken) for table in context.tables), _whole(context, spoken)),
    )


def _by_language(context: Context, value: str | Texts) -> Texts:
    """Return a text of the pack by language; a plain one is in its first language."""
    texts = {context.info.languages[0]: value} if isinstance(value, str) else value
    return {language: " ".join(text.split()) for language, text in texts.items()}


def _titles(context: Context, languages: Sequence[str]) -> Texts:
    """Return the title of the pack in each of `languages` that it is given in; where it is in none of them, in whichever it is."""
    own = _by_language(context, context.info.title)
    return {lang: own[lang] for lang in languages if lang in own} or {context.info.languages[0]: context.info.text(own)}


def _named(context: Context, languages: Sequence[str], names: Texts) -> Texts:
    """Return `names` behind the title of the pack, which is in its first language where it has no other."""
    own = _by_language(context, context.info.title)
    return {lang: f"{own.get(lang) or context.info.text(own)}: {names[lang]}" for lang in languages}


def _of_table(context: Context, table: Table, languages: Sequence[str]) -> Dataset:
    descriptions = {lang: text for lang in languages if (text := wording.description(table.name, lang))}
    # the two forms of every table; what else is made of it has its own place in the release's README
    files = [path for path in (f"csv/{table.name}.csv", f"parquet/{table.name}.parquet") if path in context.files]
    theme = ("SOCI",) if table.name in SOCIAL else ("GOVE",) if table.name in QUALITY else ()
    return Dataset(
        id=f"table-{table.name}",
        table=table.name,
        titles=_named(context, languages, {lang: wording.title(table.name, lang) or table.name for lang in languages}),
        descriptions={**descriptions, "en": " ".join(table.description.split())},
        keywords=_keywords(languages),
        themes=("REGI", *theme),
        period=context.facts.periods.get(table.name) or context.facts.period,
        distributions=tuple(_distribution(context, path) for path in files),
    )


def _whole(context: Context, languages: Sequence[str]) -> Dataset:
    words = {lang: wording.WHOLE[lang] for lang in languages if lang in wording.WHOLE}
    return Dataset(
        id=WHOLE,
        table=None,
        titles=_named(context, tuple(words), {lang: title for lang, (title, _) in words.items()}),
        descriptions={lang: description for lang, (_, description) in words.items()},
        keywords=_keywords(languages),
        themes=("REGI",),
        period=context.facts.period,
        distributions=(Distribution("duckdb", DUCKDB, FORMATS[".duckdb"], None, None),),
    )


def _keywords(languages: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    return {lang: wording.KEYWORDS[lang] for lang in languages if lang in wording.KEYWORDS}


def _distribution(context: Context, path: str) -> Distribution:
    pure = PurePosixPath(path)
    schema = path + SUFFIX if pure.suffix == ".csv" else None
    return Distribution(pure.suffix.removeprefix("."), path, FORMATS[pure.suffix], context.files[path], schema)
