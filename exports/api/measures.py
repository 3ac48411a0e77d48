"""The measures of objectives: what is known about each, where, since when, and what it would take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from exports.api.describe import Texts, rows
from exports.model.info import ReleaseInfo

COUNTS = ("indicators", "indicators_with_data", "areas")


def document(parquet: Path, texts: Texts, info: ReleaseInfo) -> dict[str, Any]:
    """Return `objective_measures.json`. The list is empty if the release has no such table."""
    measures = [
        {
            "objective": row["objective"],
            "measure": row.get("measure") or None,
            "title": texts.of(row, "title"),
            **{name: row.get(name) for name in COUNTS},
            "newest_period": row.get("newest_period"),
            "needed": texts.of(row, "needed"),
            "indicator_ids": _indicators(texts, row["objective"], row.get("measure") or ""),
        }
        for row in rows(parquet, "objective_measures")
    ]
    objectives = [{"objective": name, "title": dict(titles)} for name, titles in info.objectives.items()]
    return {"objectives": objectives, "measures": measures}


def _indicators(texts: Texts, objective: str, measure: str) -> list[str]:
    """Return the indicators that are declared for a measure, or for the objective as a whole."""
    return [
        name for name, row in texts.indicators.items() if row.get("objective") == objective and (row.get("measure") or "") == measure
    ]  # fmt: skip
