"""README.md of a release, for people: its content, its tables, how to query it, and how to give credit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exports.formats import reading_texts
from exports.formats.query_macros import queries
from exports.metadata import markdown
from exports.metadata.text import NO_LICENCE, is_web, licence_url, release_url
from exports.model import layout
from exports.model.info import Context
from pipelines.core.vocabulary import STATUSES

PATH = "README.md"


def descriptor(context: Context) -> dict[str, bytes]:
    info = context.info
    names = [table.name for table in context.tables]
    content = markdown.render(
        "README.md.j2",
        title=info.text(info.title),
        country=info.country,
        version=context.version,
        date=info.timestamp[:10],
        publisher=info.text(info.publisher.get("name")),
        url=release_url(info.base_uri, context.version),
        tables=context.tables,
        rows=context.rows,
        partitioned=[f"`{table.name}`" for table in context.tables if layout.is_partitioned(table)],
        formats=info.formats,
        boundaries=info.boundaries is not None,
        workbooks={language: layout.workbook_path(info.pack, language) for language in info.languages},
        localized=[layout.localized_csv_path(language) for language in info.languages if language in reading_texts.DECIMAL_COMMA],
        statuses=STATUSES,
        example_table="indicator_values" if "indicator_values" in names or not names else names[0],
        queries=queries(context.tables, info.languages),
        licence="no licence is asserted" if info.licence == NO_LICENCE else _licence(info.licence),
        sources=[_source(context, source) for source in info.sources],
        indices=[{"index": index, "title": info.text(index.titles), "note": info.text(index.notes)} for index in context.facts.indices],
    )
    return {PATH: content}


def _licence(licence: str) -> str:
    url = licence_url(licence)
    return f"[{licence}]({url})" if url else licence


def _source(context: Context, source: Mapping[str, Any]) -> dict[str, str]:
    info = context.info
    return {
        "id": source["id"],
        "citation": info.text(source.get("citation")) or f"{info.text(source['publisher'])}: {info.text(source['title'])}",
        "licence": _licence(source["licence"]),
        "licence_page": source["licence_url"] if is_web(source.get("licence_url")) else "",
        "rights": info.text(source.get("rights")),
        "carrier": (source.get("carrier") or {}).get("name", ""),
        "homepage": source["homepage"] if is_web(source.get("homepage")) else "",
    }
