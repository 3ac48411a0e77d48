"""How much changed between two releases, for people: counts by table and kind, what changed most. Holds numbers; reads no files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class TableChanges:
    """Rows of a table in both releases, None where it is not published, and its changed cells by kind. `listed`: cell by cell."""

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
class Revised:
    """Values of one indicator that are others than before; `largest` is the largest of |new - old| / |old|, at `where`, if any old value is
    not 0. `lost` had a value and have none, `found` the other way round."""

    indicator: str
    changed: int
    lost: int
    found: int
    largest: float | None
    where: str


@dataclass(frozen=True)
class Summary:
    """What changed against `version`. `unusable` says why there is nothing to compare with."""

    version: str
    tables: Mapping[str, TableChanges] = field(default_factory=dict)
    revised: Sequence[Revised] = ()
    new: Mapping[str, Sequence[str]] = field(default_factory=dict)  # by table: indicators, sources
    withdrawn: Mapping[str, Sequence[str]] = field(default_factory=dict)
    breaks: Sequence[Mapping[str, str]] = ()
    unusable: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON knows it; tables that did not change have their rows only."""
        return {
            "from_version": self.version,
            "tables": {
                name: {
                    "before": t.before, "added": t.added, "removed": t.removed, "after": t.after, "changed_cells": dict(t.cells),
                    "listed": t.listed,
                }
                for name, t in self.tables.items()
            },
            "revised": [vars(r) for r in self.revised],
            "new": {k: list(v) for k, v in self.new.items()},
            "withdrawn": {k: list(v) for k, v in self.withdrawn.items()},
            "breaks": [dict(b) for b in self.breaks],
        }  # fmt: skip
