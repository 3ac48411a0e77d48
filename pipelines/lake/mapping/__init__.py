"""From checked rows to the canonical kinds, one module for each. What a mapping gives is described here; statistics are not computed here."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

REJECTED = pl.Schema({"__row": pl.Int64, "__part": pl.String, "reason": pl.String})
BAD_CELLS = pl.Schema({"__row": pl.Int64, "__part": pl.String, "column": pl.String, "reason": pl.String})


@dataclass(frozen=True)
class Checked:
    """The rows of a source after its contract, all parts in one frame.

    `rows` are the accepted and the rejected ones (`__rejected`), typed, with `__row`, `__part` and `__bad` (names of bad cells).
    """

    rows: pl.DataFrame
    snapshots: dict[str, str]  # part -> sha256


@dataclass(frozen=True)
class Mapped:
    """What the rows of a source became.

    `rows` are of the canonical kind, `rejected` the accepted rows that could not be mapped, `unselected` those that no `where`
    selects, `bad_cells` the single values that could not be had. Every accepted row is mapped, rejected or unselected.
    """

    rows: pl.DataFrame
    rejected: pl.DataFrame
    unselected: pl.DataFrame
    bad_cells: pl.DataFrame
