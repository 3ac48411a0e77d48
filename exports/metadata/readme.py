"""README.md of a release, for people: its content, its tables, how to query it, and how to give credit.

README.md is in English, because catalogues name it; README.<language>.md is beside it for each other language of the pack that has a
template. The templates say the same: `tests/unit/exports/test_languages.py` compares their structure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from exports.formats import reading_texts
from exports.formats.query_macros import Query, queries
from exports.metadata import markdown, wording
from exports.metadata.text import is_web, licence_url, prose, release_url
from exports.model import layout
from exports.model.info import Context, ReleaseInfo
from exports.model.licences import NO_LICENCE
from exports.model.tables import Table
from pipelines.core.iri import escape_iri
from pipelines.core.vocabulary import STATUSES

PATH = "README.md"


def descriptor(context: Context) -> dict[str, bytes]:
    return markdown.in_languages(PATH, context.info.languages, partial(_document, context))


def _document(context: Context, language: str, others: Mapping[str, str]) -> bytes:
    """Return the document in a language, with links to the `others`. Texts of the pack are in another language if it has no such text."""
    info = replace(context.info, languages=[language, *context.info.languages])
    names = [table.name for table in context.tables]
    own = context.info.languages

    def description(described: Table | Query) -> str:
        return described.descriptions.get(language) or described.description

    return markdown.render(
        f"README.{language}.md.j2",
        language=language,
        others=others,
        changelog=markdown.path_in("CHANGELOG.md", language),
        title=info.text(info.title),
        country=info.country,
        version=context.version,
        date=info.timestamp[:10],
        publisher=info.text(info.publisher.get("name")),
        url=escape_iri(release_url(info.base_uri, context.version) or ""),
        tables=context.tables,
        table_title=lambda table: wording.title(table.name, language) or table.name,
        description=description,
        rows=context.rows,
        partitioned=[f"`{table.name}`" for table in context.tables if layout.is_partitioned(table)],
        formats=info.formats,
        topics=[topic for topic in context.data_sets if layout.topic_csv_path(topic.id) in context.files],
        boundaries=info.boundaries is not None,
        workbooks={of: layout.workbook_path(info.pack, of) for of in own},
        localized=[layout.localized_csv_path(of) for of in own if of in reading_texts.DECIMAL_COMMA],
        statuses=STATUSES,
        example_table="indicator_values" if "indicator_values" in names or not names else names[0],
        queries=queries(context.tables, own),
        licence=_licence(info.licence_of_all),
        part_licence=_licence(info.licence) if info.licence != info.licence_of_all else "",
        sources=[_source(info, source) for source in info.sources],
        indices=[
            {
                "index": index,
                "title": info.text(index.titles),
                "level": info.text(info.levels.get(index.level)) or index.level,
                "note": info.text(index.notes),
            }
            for index in context.facts.indices
        ],
    )


def _licence(licence: str) -> str:
    """Return the licence with a link to its text, or its name alone; nothing if no licence is asserted."""
    url = licence_url(licence)
    return f"[{licence}]({url})" if url else "" if licence == NO_LICENCE else prose(licence)


def _source(info: ReleaseInfo, source: Mapping[str, Any]) -> dict[str, str]:
    return {
        "id": source["id"],
        "citation": info.text(source.get("citation")) or f"{info.text(source['publisher'])}: {info.text(source['title'])}",
        "licence": _licence(source["licence"]),
        "licence_page": escape_iri(source["licence_url"]) if is_web(source.get("licence_url")) else "",
        "rights": info.text(source.get("rights")),
        "carrier": (source.get("carrier") or {}).get("name", ""),
        "homepage": escape_iri(source["homepage"]) if is_web(source.get("homepage")) else "",
    }
