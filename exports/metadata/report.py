"""quality/report.json: what the gate found, as the caller hands it over, with the rows and guarded texts of each table and what files weigh."""

from __future__ import annotations

import posixpath
from typing import Any

from exports.metadata.text import to_json
from exports.model.info import Context

PATH = "quality/report.json"
BUDGET = 1_000_000_000
"""Bytes of data files that a release should not exceed: who downloads it whole, and a portal's quota, count on it."""


def descriptor(context: Context) -> dict[str, bytes]:
    own = {
        "rows": dict(context.rows),
        "guarded_text_cells": {"total": sum(context.guarded.values()), "tables": dict(context.guarded)},
        "size": size(context),
    }
    if taken := sorted(set(own) & set(context.quality_report)):
        raise ValueError(f"the quality report must leave {', '.join(taken)} to the release")
    return {PATH: to_json({**context.quality_report, **own})}


def size(context: Context) -> dict[str, Any]:
    """Return the bytes of the data files by folder, against the budget; without `indicators.duckdb`, whose size varies."""
    folders: dict[str, int] = {}
    for path, facts in sorted(context.files.items()):
        folder = posixpath.dirname(path) or path
        folders[folder] = folders.get(folder, 0) + facts.bytes
    total = sum(folders.values())
    return {"bytes": total, "budget_bytes": BUDGET, "within_budget": total <= BUDGET, "folders": folders}
