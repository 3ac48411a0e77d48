"""The report on one source in one run, over all its parts: counts, receipts, errors. Processes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from pipelines.extract.snapshots import Snapshot
from pipelines.lake.store import File, Receipt


class AreaFault(BaseModel):
    """What is wrong with areas that are named elsewhere. A source of areas that is down explains it where it may give the missing ones."""

    kind: str
    text: str
    is_explained: bool = False


@dataclass
class SourceReport:
    """What a run did with one source."""

    source: str
    kind: str
    parts: dict[str, Receipt] = field(default_factory=dict)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)  # the parts whose snapshot could be read, and is refused for how it differs
    accepted_by_operator: dict[str, str] = field(default_factory=dict)  # the reason, by part
    drift: dict[str, str] = field(default_factory=dict)  # how the shape of a part differs from its last good snapshot
    stale_since: str | None = None
    down: bool = False  # some part has no good snapshot at all
    down_since: str | None = None
    conflict_rows: int = 0
    conflict_cells: int = 0
    conflict_warnings: list[str] = field(default_factory=list)
    conflicts: File | None = None
    quarantine: list[File] = field(default_factory=list)

    @property
    def rows_read(self) -> int:
        return sum(r.rows_read for r in self.parts.values())

    @property
    def accepted(self) -> int:
        return sum(r.accepted for r in self.parts.values()) - self.conflict_rows

    @property
    def quarantined(self) -> int:
        return sum(r.quarantined for r in self.parts.values()) + self.conflict_rows

    @property
    def ignored(self) -> dict[str, int]:
        total: dict[str, int] = {}
        for receipt in self.parts.values():
            for reason, count in receipt.ignored.items():
                total[reason] = total.get(reason, 0) + count
        return total

    @property
    def cells_quarantined(self) -> int:
        return sum(r.cells_quarantined for r in self.parts.values()) + self.conflict_cells

    @property
    def warnings(self) -> list[str]:
        accepted = (f"the content was accepted: {reason}" for reason in self.accepted_by_operator.values())
        return sorted({*self.conflict_warnings, *(w for r in self.parts.values() for w in r.warnings), *accepted})

    @property
    def drift_messages(self) -> list[str]:
        return sorted({f"{part}: {text}" if part else text for part, text in self.drift.items()})

    def files(self, kind: str) -> list[File]:
        return [r.files[kind] for r in self.parts.values() if kind in r.files]

    def refuse(self, part: str, reason: str, *, acceptable: bool = False) -> None:
        """Note why the snapshot of a part is not used. It is `acceptable` where the operator may use it all the same."""
        self.errors[part] = reason
        if acceptable:
            self.refused.add(part)
        self.parts.pop(part, None)
        self.snapshots.pop(part, None)

    def counts(self) -> dict[str, Any]:
        return {
            "rows_read": self.rows_read, "rows_accepted": self.accepted, "rows_quarantined": self.quarantined,
            "rows_ignored": sum(self.ignored.values()), "ignored": self.ignored, "cells_quarantined": self.cells_quarantined,
            "warnings": self.warnings, "drift": self.drift_messages,
        }  # fmt: skip
