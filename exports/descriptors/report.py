"""quality/report.json: what the gate found, as the caller hands it over, with the rows and the guarded texts of each table."""

from __future__ import annotations

from exports.descriptors.text import to_json
from exports.info import Context

PATH = "quality/report.json"


def descriptor(context: Context) -> dict[str, bytes]:
    own = {
        "rows": dict(context.rows),
        "guarded_text_cells": {"total": sum(context.guarded.values()), "tables": dict(context.guarded)},
    }
    if taken := sorted(set(own) & set(context.quality_report)):
        raise ValueError(f"the quality report must leave {', '.join(taken)} to the release")
    return {PATH: to_json({**context.quality_report, **own})}
