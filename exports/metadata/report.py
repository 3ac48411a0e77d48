"""quality/report.json: the results of the gate as the caller passes them, the rows and guarded texts of each table, and the size of files."""

from __future__ import annotations

import posixpath
from typing import Any

from exports.metadata.text import to_json
from exports.model.info import Context

PATH = "quality/report.json"
BUDGET = 1_300_000_000
"""The bytes of data files that a release should not exceed, for people who download all of it and for quotas of portals."""


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
    """Return the bytes of the data files by folder, and the budget; without `indicators.duckdb`, whose size varies."""
    folders: dict[str, int] = {}
    for path, facts in sorted(context.files.items()):
        folder = posixpath.dirname(path) or path
        folders[folder] = folders.get(folder, 0) + facts.bytes
    total = sum(folders.values())
    return {"bytes": total, "budget_bytes": BUDGET, "within_budget": total <= BUDGET, "folders": folders}
