"""quality/report.json: the results of the gate as the caller passes them, the rows and guarded texts of each table, and the size by format."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from exports.metadata.text import to_json
from exports.model import layout
from exports.model.info import Context

PATH = "quality/report.json"
DOCUMENTS = "documents"
RATIO = 1.6
"""What a release should take, in bytes of its tables as bare CSV: people download all of it, and portals have quotas."""
SMALL = 50_000_000
"""Bytes that any release may take."""
FILES = 450
"""The number of files that a release should not exceed."""
ON_REQUEST = "sdmx"
"""What a release contains only because its pack asks for it does not count."""
API = "api"
"""The files for programs have a budget of their own."""
API_BYTES, API_FILES = 150_000_000, 800
SITE = layout.SITE
"""So has the web site."""
SITE_BYTES, SITE_FILES = 60_000_000, 2_000
MOST_PLACES = 3
"""How many formats or folders a budget that is exceeded names."""
ROUNDED = 1 << 20
"""The size of the DuckDB file differs a little from build to build, so it is rounded up to a multiple of this."""


def descriptor(context: Context) -> dict[str, bytes]:
    own = {
        "rows": dict(context.rows),
        "guarded_text_cells": {"total": sum(context.guarded.values()), "tables": dict(context.guarded)},
        "size": size(context),
    }
    if reserved := sorted(set(own) & set(context.quality_report)):
        raise ValueError(f"the quality report must not have {', '.join(reserved)}, which the release adds itself")
    return {PATH: to_json({**context.quality_report, **own})}


def size(context: Context) -> dict[str, Any]:
    """Return bytes and number of files by format, and the budgets; `over_budget` says why one of them is exceeded.

    This report and SHA256SUMS, which cannot state their own size, count only as files.
    """
    formats: dict[str, dict[str, int]] = {}

    def add(format_: str, size: int) -> None:
        total = formats.setdefault(format_, {"bytes": 0, "files": 0})
        total["bytes"] += size
        total["files"] += 1

    for path, facts in context.files.items():
        add(_format(path), facts.bytes)
    for path, size in context.document_bytes.items():
        add(ON_REQUEST if posixpath.dirname(path) == ON_REQUEST else DOCUMENTS, size)
    if context.duckdb_bytes:
        add("duckdb", -(-context.duckdb_bytes // ROUNDED) * ROUNDED)
    add(DOCUMENTS, 0)
    add(DOCUMENTS, 0)
    counted = {name: total for name, total in formats.items() if name not in (ON_REQUEST, API, SITE)}
    whole = _sum(counted.values())
    own = {
        name: _budget(name, formats[name], most_bytes, most_files, _folders(context, name), context)
        for name, most_bytes, most_files in ((API, API_BYTES, API_FILES), (SITE, SITE_BYTES, SITE_FILES))
        if name in formats
    }
    return {
        **whole,
        "bare_csv_bytes": context.whole_csv,
        **_budget("the release without api and site", whole, max(round(RATIO * context.whole_csv), SMALL), FILES, counted, context),
        **own,
        "formats": dict(sorted(formats.items())),
    }


def exceeded(sizes: Mapping[str, Any]) -> Iterator[str]:
    """Yield why each budget is exceeded that is, from what `size` returns."""
    for budget in (sizes, sizes.get(API, {}), sizes.get(SITE, {})):
        if "over_budget" in budget:
            yield budget["over_budget"]


def _sum(totals: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return the sums of bytes and of files."""
    listed = list(totals)
    return {name: sum(total[name] for total in listed) for name in ("bytes", "files")}


def _folders(context: Context, format_: str) -> dict[str, dict[str, int]]:
    """Return bytes and number of files of a format by folder, of three levels at most."""
    folders: dict[str, dict[str, int]] = {}
    for path, facts in context.files.items():
        if _format(path) == format_:
            folder = "/".join(posixpath.dirname(path).split("/")[:3])
            folders[folder] = _sum([folders.get(folder, {"bytes": 0, "files": 0}), {"bytes": facts.bytes, "files": 1}])
    return folders


def _budget(
    name: str, total: Mapping[str, int], most_bytes: int, most_files: int, places: Mapping[str, Mapping[str, int]], context: Context
) -> dict[str, Any]:
    """Return bytes, number of files and budget of `name`; where it is exceeded, also the sentence that says by how much, where and why."""
    within = total["bytes"] <= most_bytes and total["files"] <= most_files
    facts = {**total, "budget_bytes": most_bytes, "budget_files": most_files, "within_budget": within}
    if within:
        return facts
    by = "bytes" if total["bytes"] > most_bytes else "files"
    largest = sorted(places.items(), key=lambda item: (-item[1][by], item[0]))[:MOST_PLACES]
    where = ", ".join(f"{place} ({size['bytes']} bytes in {size['files']} files)" for place, size in largest)
    said = f"{name} has {total['bytes']} bytes in {total['files']} files, which is more than the budget of {most_bytes} bytes in {most_files} files"
    content = f"{context.rows.get('indicators', 0)} indicators and {context.rows.get('areas', 0)} areas"
    return {**facts, "over_budget": f"{said}: it is for {content}, and most is in {where}"}


def _format(path: str) -> str:
    """Return the format of a data file: that of its folder or, beside the folders, that of its ending."""
    return path.partition("/")[0] if "/" in path else posixpath.splitext(path)[1].removeprefix(".")
