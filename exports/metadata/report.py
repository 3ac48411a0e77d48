"""quality/report.json: the results of the gate as the caller passes them, the rows and guarded texts of each table, and the size by format."""

from __future__ import annotations

import posixpath
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
    """Return bytes and number of files by format, and the budget.

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
    counted = [total for name, total in formats.items() if name not in (ON_REQUEST, API, SITE)]
    total_bytes, total_files = (sum(total[name] for total in counted) for name in ("bytes", "files"))
    budget = max(round(RATIO * context.whole_csv), SMALL)
    return {
        "bytes": total_bytes,
        "files": total_files,
        "bare_csv_bytes": context.whole_csv,
        "budget_bytes": budget,
        "budget_files": FILES,
        "within_budget": total_bytes <= budget and total_files <= FILES,
        **({"api": _own(formats[API], API_BYTES, API_FILES)} if API in formats else {}),
        **({"site": _own(formats[SITE], SITE_BYTES, SITE_FILES)} if SITE in formats else {}),
        "formats": dict(sorted(formats.items())),
    }


def _own(total: dict[str, int], most_bytes: int, most_files: int) -> dict[str, Any]:
    """Return bytes and number of files of a format with a budget of its own."""
    within = total["bytes"] <= most_bytes and total["files"] <= most_files
    return {**total, "budget_bytes": most_bytes, "budget_files": most_files, "within_budget": within}


def _format(path: str) -> str:
    """Return the format of a data file: that of its folder or, beside the folders, that of its ending."""
    return path.partition("/")[0] if "/" in path else posixpath.splitext(path)[1].removeprefix(".")
