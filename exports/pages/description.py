"""pages.json: what the pages beside a release say about it, by language. Made with the release, and read when it becomes current.

Everything in it comes from packs and sources. Nothing is safe to show before `render` has escaped it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from exports.metadata import wording
from exports.metadata.text import is_web, licence_url, release_url, to_json
from exports.model import layout
from exports.model.info import Context, Text
from exports.model.licences import NO_LICENCE
from exports.pages import data_sets
from exports.pages.data_sets import DataSetEntry, FileEntry

Texts = Mapping[str, str]

OPENAPI = f"{layout.API}/openapi.json"


@dataclass(frozen=True)
class SourceEntry:
    """A source with its publisher, its licence and the text that gives credit. Addresses are empty if there is none.

    `rights` say by language what is known of its terms if it has no licence, and `licence_page` is where the publisher states them.
    `carrier` is who passed the file on.
    """

    id: str
    titles: Texts
    publishers: Texts
    licence: str
    licence_url: str
    homepage: str
    citations: Texts
    rights: Texts = field(default_factory=dict)
    licence_page: str = ""
    carrier: str = ""


@dataclass(frozen=True)
class Description:
    """What the pages say about a release. `period` is its first and last day, or None; `base_uri` is empty if the pack has none.

    `part_licence` is the licence of the data sets that no share-alike source decides, if `licence`, that of the release, is another one.
    """

    version: str
    released: str
    languages: Sequence[str]
    base_uri: str
    titles: Texts
    descriptions: Texts
    keywords: Mapping[str, Sequence[str]]
    publisher_names: Texts
    publisher_iri: str
    email: str
    licence: str
    licence_url: str
    levels: Sequence[Texts]
    countries: Sequence[str]
    period: tuple[str, str] | None
    files: Sequence[FileEntry] = field(default_factory=tuple)
    sources: Sequence[SourceEntry] = field(default_factory=tuple)
    data_sets: Sequence[DataSetEntry] = field(default_factory=tuple)
    api: str = ""
    """The path of the file that explains the API of the release; empty if it has none."""
    part_licence: str = ""
    site: Texts = field(default_factory=dict)
    """The path of the first page of the site of the release, by language; empty if it has none."""

    @property
    def url(self) -> str:
        """The address of the folder of the release; empty without a base_uri."""
        return release_url(self.base_uri, self.version) or ""


def descriptor(context: Context) -> dict[str, bytes]:
    return {layout.PAGES: to_json(asdict(describe(context)))}


def describe(context: Context) -> Description:
    """Return what the pages say about the release of `context`."""
    info = context.info
    email = str(info.publisher.get("email") or "").removeprefix("mailto:")
    iri = info.publisher.get("iri")
    return Description(
        version=context.version,
        released=info.timestamp,
        languages=tuple(info.languages),
        base_uri=info.base_uri if is_web(info.base_uri) else "",
        titles=texts(context, info.title),
        descriptions=dict(wording.CATALOGUE_DESCRIPTIONS),
        keywords=dict(wording.KEYWORDS),
        publisher_names=texts(context, info.publisher.get("name")),
        publisher_iri=iri if isinstance(iri, str) and is_web(iri) else "",
        email=email,
        licence=info.licence_of_all,
        licence_url=licence_url(info.licence_of_all) or "",
        part_licence=info.licence if info.licence != info.licence_of_all else "",
        levels=tuple(dict(titles) for titles in info.levels.values()),
        countries=tuple(code or info.country for code in context.facts.boxes) or (info.country,),
        period=context.facts.period,
        files=tuple(_files(context)),
        sources=tuple(_source(context, source) for source in info.sources),
        data_sets=data_sets.entries(context),
        api=OPENAPI if OPENAPI in context.files else "",
        site=_site(context),
    )


def read(folder: Path) -> Description | None:
    """Return the description of a published release; None if an earlier version of the software made it, or if it cannot be read."""
    from pydantic import TypeAdapter

    try:
        description: Description = TypeAdapter(Description).validate_python(json.loads((folder / layout.PAGES).read_bytes()))
    except (OSError, ValueError, RecursionError):
        return None
    return description


_START = (layout.SITE, layout.INDEX)


def _site(context: Context) -> dict[str, str]:
    """Return the first pages of the site by language: first the pack's languages, then others that the site has."""
    parts = [path.split("/") for path in context.files]
    start_pages = {
        folder: layout.site_page(folder) for root, folder, name in (own for own in parts if len(own) == 3) if (root, name) == _START
    }
    return {
        language: start_pages[language] for language in dict.fromkeys([*context.info.languages, *start_pages]) if language in start_pages
    }


def texts(context: Context, value: Text | None) -> dict[str, str]:
    """Return a text of the pack by language. A text without a language is in the pack's first language."""
    if not value:
        return {}
    by_language = {context.info.languages[0]: value} if isinstance(value, str) else value
    return {language: " ".join(text.split()) for language, text in by_language.items()}


def _files(context: Context) -> list[FileEntry]:
    """Return the files for people who want everything at once: the workbooks, the newest values, and the file with all tables."""
    info = context.info
    titled = [(layout.workbook_path(info.pack, language), wording.workbook(language)) for language in info.languages]
    titled += [(layout.localized_csv_path(language), wording.localized_csv(language)) for language in info.languages]
    entries = [data_sets.file_entry(context, path, titles) for path, titles in titled if path in context.files]
    if "duckdb" in info.formats:
        whole = {language: description.rstrip(".") for language, (_, description) in wording.WHOLE.items()}
        entries.append(FileEntry("indicators.duckdb", "DuckDB", whole))
    return entries


def _source(context: Context, source: Mapping[str, Any]) -> SourceEntry:
    homepage = source.get("homepage")
    return SourceEntry(
        id=source["id"],
        titles=texts(context, source["title"]),
        publishers=texts(context, source["publisher"]),
        licence="" if source["licence"] == NO_LICENCE else source["licence"],
        licence_url=licence_url(source["licence"]) or "",
        homepage=homepage if isinstance(homepage, str) and is_web(homepage) else "",
        citations=texts(context, source.get("citation")),
        rights=texts(context, source.get("rights")),
        licence_page=source["licence_url"] if is_web(source.get("licence_url")) else "",
        carrier=(source.get("carrier") or {}).get("name", ""),
    )
