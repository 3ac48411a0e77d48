"""index.html of a release: all of its files with their sizes, its tables, sources and licences. It belongs to the release and never changes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from exports.metadata import changelog, markdown, wording
from exports.metadata.readme import PATH as README
from exports.model import checksums, layout
from exports.model.info import Context
from exports.model.tables import Table
from exports.pages import data_sets, description, render
from exports.pages.data_sets import FileEntry, Texts

DOCUMENTS = (
    (README, "readme"), (changelog.PATH, "changes"), ("datapackage.json", "data_package"), ("api.json", "api"), (layout.SITE_START, "site"),
    (f"{layout.API}/openapi.json", "api"),
    ("catalog.ttl", "catalogue"), ("catalog.jsonld", "catalogue"), ("CITATION.cff", "cite_more"), ("quality/report.json", "quality"),
    (checksums.NAME, "checksums"),
)  # fmt: skip
"""Files that the page names one by one, with the word that says what they are."""
LATER = ("quality/report.json", checksums.NAME)
"""Files that are written after the page."""


@dataclass(frozen=True)
class TableEntry:
    """A table with its files. `csv` is None for a table that has a file for each indicator, `parts` of them."""

    name: str
    titles: Texts
    descriptions: Texts
    rows: int
    csv: FileEntry | None
    parts: int
    parquet: FileEntry | None
    dictionary: str


def descriptor(context: Context) -> dict[str, bytes]:
    """Return the page in each language, its style sheet, and what the pages beside the release say about it.

    `context.document_bytes` must have the sizes of the documents of the release.
    """
    about = description.describe(context)
    sizes = {path: facts.bytes for path, facts in context.files.items()} | dict(context.document_bytes)
    tables = [_table(context, table) for table in context.tables]
    indicators = data_sets.indicator_entries(context, sorted(context.facts.indicators))
    shown = {file.path for file in about.files} | {file.path for indicator in indicators for file in indicator.files}
    shown |= {file.path for table in tables for file in (table.csv, table.parquet) if file}
    shown |= {path for path, _ in DOCUMENTS}
    pages = render.pages(
        "release.html.j2",
        context.info.languages,
        to_root="",
        d=about,
        tables=tables,
        indicators=indicators,
        documents=[(_by_language(path, context, sizes), word) for path, word in DOCUMENTS if path in sizes or path in LATER],
        others=[
            FileEntry(path, render.format_name(path), {}, sizes[path])
            for path in sorted(sizes)
            if path not in shown and not path.startswith((f"{layout.API}/", f"{layout.SITE}/"))
        ],
    )
    return {**pages, layout.STYLE: render.asset(layout.STYLE), **description.descriptor(context)}


def _by_language(path: str, context: Context, sizes: Collection[str]) -> dict[str, str]:
    """Return the path of a document for each language of the pages: that of its translation, if it has one."""
    translated = {language: markdown.path_in(path, language) for language in render.page_languages(context.info.languages)}
    return {language: other if other in sizes else path for language, other in translated.items()}


def _table(context: Context, table: Table) -> TableEntry:
    csv_files = [path for path in layout.csv_paths(table, context.files) if path in context.files]
    languages = (*context.info.languages, "en")
    whole = None if layout.is_partitioned(table) or not csv_files else csv_files[0]
    dictionary = layout.metadata_path(csv_files[0]) if csv_files else ""
    return TableEntry(
        table.name,
        {lang: title for lang in languages if (title := wording.title(table.name, lang))},
        table.descriptions,
        context.rows[table.name],
        _file(context, whole) if whole else None,
        0 if whole else len(csv_files),
        _file(context, layout.parquet_path(table.name)),
        dictionary if dictionary in context.document_bytes else "",
    )


def _file(context: Context, path: str) -> FileEntry | None:
    return FileEntry(path, render.format_name(path), {}, context.files[path].bytes) if path in context.files else None
