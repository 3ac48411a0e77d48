"""What the ingest of a run found: rows by source, errors, stale sources. Kept in the workspace, because the gate may run later."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, Field

from pipelines.core.state import NEXT_RUN, StateFile
from pipelines.core.workspace import WorkspaceFolder
from pipelines.lake.ingest.report import AreaFault, SourceReport
from pipelines.packs import Pack

NEVER_FETCHED = "never fetched"


class SourceCounts(BaseModel):
    """The rows of one source: read = accepted + quarantined + ignored. `ignored` counts rows by reason."""

    rows_read: int = 0
    rows_accepted: int = 0
    rows_quarantined: int = 0
    rows_ignored: int = 0
    ignored: dict[str, int] = Field(default_factory=dict)
    cells_quarantined: int = 0
    warnings: list[str] = Field(default_factory=list)
    drift: list[str] = Field(default_factory=list)

    @property
    def has_refused(self) -> bool:
        """Whether a row or a cell is in quarantine."""
        return bool(self.rows_quarantined or self.cells_quarantined)


class IngestFindings(StateFile):
    """`errors` are texts by source and part, `stale` times by source, `never` the required sources without any good snapshot.

    `area_faults` says what is wrong with the links between areas. `repaired` names the files of the workspace that were damaged on the disk,
    and what became of them.
    """

    CURE: ClassVar[str] = NEXT_RUN

    counts: dict[str, SourceCounts] = Field(default_factory=dict)
    errors: dict[str, str] = Field(default_factory=dict)
    area_warnings: list[str] = Field(default_factory=list)
    area_faults: list[AreaFault] = Field(default_factory=list)
    repaired: list[str] = Field(default_factory=list)
    stale: dict[str, str] = Field(default_factory=dict)
    never: list[str] = Field(default_factory=list)

    @classmethod
    def last(cls, workspace: WorkspaceFolder) -> IngestFindings:
        """Return the findings of the last ingest, or empty ones."""
        return cls.load(workspace.last_ingest) or cls()

    def add(self, report: SourceReport, pack: Pack) -> None:
        """Add the report of one source."""
        name = report.source
        self.counts[name] = SourceCounts.model_validate(report.counts())
        for part, text in report.errors.items():
            self.errors[f"{name} {part}".strip()] = text
        optional = name in pack.sources and pack.sources[name].optional
        if report.stale_since:
            self.stale[name] = report.stale_since
        elif report.down and optional:
            self.stale[name] = NEVER_FETCHED
        if report.down and not optional:
            self.never.append(name)

    def errors_of(self, source: str) -> list[str]:
        return sorted({text for name, text in self.errors.items() if name.split(" ")[0] == source})
