"""The quarantine of a workspace: which rows and cells the present state of the lake rejects, and why. Only reads."""

from __future__ import annotations

import polars as pl

from pipelines.core.workspace import WorkspaceFolder
from pipelines.lake.manifest import Manifest
from pipelines.lake.store import Lake

_VALUES_IN_REASONS = (
    (r"code .*? of scheme ", "code ... of scheme "),
    (r"(^|; )(area|period|sex|age|status|country|level|share) .*?: ", "${1}${2} ...: "),
    (r"not valid on [0-9-]+", "not valid on ..."),
    (r"[0-9]+ different rows have the key (\(.*?\)): rows .*", "different rows have the key ${1}"),
    (r"[0-9]+ fields, expected", "... fields, expected"),
    (r"'[^']*'", "'...'"),
)
"""Parts of a reason that differ from row to row, and what stands for them where rows are grouped."""


def quarantine_frame(workspace: WorkspaceFolder, source: str | None = None) -> pl.DataFrame:
    """Return the rejected rows and cells of the lake's present state."""
    frame = Lake(workspace.lake).read_all(Manifest.current(workspace).files.get("quarantine", []), "quarantine")
    return frame.filter(pl.col("source") == source) if source else frame


def by_reason(frame: pl.DataFrame) -> pl.DataFrame:
    """Return how many entries of the quarantine have each reason, the most frequent first, with the first row and value of each.

    `frame` has `row_number`, `column`, `value` and `reason`, and may have `source`. Values inside the reasons are left out of the comparison.
    """
    keys = [name for name in ("source", "column") if name in frame.columns]
    kind = pl.col("reason")
    for pattern, replacement in _VALUES_IN_REASONS:
        kind = kind.str.replace_all(pattern, replacement)
    return (
        frame.with_columns(kind.alias("__kind"))
        .group_by(*keys, "__kind", maintain_order=True)
        .agg(
            pl.len().alias("count"),
            pl.col("row_number").first().alias("first_row"),
            pl.col("value").first().alias("first_value"),
            pl.col("reason").first().alias("first_reason"),
        )
        .rename({"__kind": "reason"})
        .sort("count", descending=True, maintain_order=True)
    )
