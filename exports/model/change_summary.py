"""A summary of what changed between two releases: counts by table and kind, and the largest changes. Holds numbers; reads no files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class TableChanges:
    """Rows of a table in both releases (None if the release does not have the table), and its changed cells by kind.

    `listed` is whether the table `changes` lists every change of this table.
    """

    before: int | None
    added: int
    removed: int
    after: int | None
    cells: Mapping[str, int]
    listed: bool = True

    @property
    def is_unchanged(self) -> bool:
        return not (self.added or self.removed or self.cells) and self.before is not None and self.after is not None


@dataclass(frozen=True)
class Revision:
    """How many values of an indicator changed, how many were `lost` (now missing) and how many were `found` (no longer missing).

    `largest` is the largest of |new - old| / |old|, and `where` is the key of that value. `largest` is None if all old values are 0.
    """

    indicator: str
    changed: int
    lost: int
    found: int
    largest: float | None
    where: str


@dataclass(frozen=True)
class Summary:
    """What changed compared with the release `version`. `not_comparable` says why the releases cannot be compared, or is empty."""

    version: str
    tables: Mapping[str, TableChanges] = field(default_factory=dict)
    revisions: Sequence[Revision] = ()
    new: Mapping[str, Sequence[str]] = field(default_factory=dict)  # by table: indicators, sources
    withdrawn: Mapping[str, Sequence[str]] = field(default_factory=dict)
    breaks: Sequence[Mapping[str, str]] = ()
    not_comparable: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the summary for `zpo2 changes --json`."""
        return {
            "from_version": self.version,
            "tables": {
                name: {
                    "before": t.before, "added": t.added, "removed": t.removed, "after": t.after, "changed_cells": dict(t.cells),
                    "listed": t.listed,
                }
                for name, t in self.tables.items()
            },
            "revised": [vars(r) for r in self.revisions],
            "new": {k: list(v) for k, v in self.new.items()},
            "withdrawn": {k: list(v) for k, v in self.withdrawn.items()},
            "breaks": [dict(b) for b in self.breaks],
        }  # fmt: skip
