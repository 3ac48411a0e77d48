"""One run in this process: what was requested, what its steps have found so far, the lock, and how it ends."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from pipelines.core import logs
from pipelines.core.clock import timestamp
from pipelines.core.errors import ExitCode
from pipelines.packs.workspace import Workspace
from pipelines.runs.findings import IngestFindings
from pipelines.runs.outcome import ReleaseOutcome, RunOutcome, inputs_key, lake_key
from pipelines.runs.request import Progress, RunRequest
from pipelines.warehouse import dbt
from pipelines.warehouse.dbt import DbtProcess
from pipelines.warehouse.scope import Keys
from quality.completeness import ValueCount

_log = logging.getLogger("zpo2.runs")
DAEMON_WAIT_SECONDS = 24 * 3600.0
"""How long a run of the daemon waits for the workspace; it can be cancelled meanwhile."""


@dataclass
class RunSession:
    """The assets of one run share a session. What later steps need of earlier ones they read from the workspace or ask of Dagster."""

    request: RunRequest
    findings: IngestFindings | None = None
    gate: dict[str, Any] = field(default_factory=dict)
    values: list[ValueCount] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    release: ReleaseOutcome | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    bytes: int = 0
    run_id: str = ""
    """Dagster's identifier of the run, once one of its steps has begun."""
    keys: Keys | None = None
    """What the rows of the warehouse are made from, if this run builds all of them."""
    dbt: DbtProcess = field(init=False)
    _lock: ExitStack = field(default_factory=ExitStack)
    _holds: bool = False

    def __post_init__(self) -> None:
        self.dbt = DbtProcess(self.workspace)

    @property
    def workspace(self) -> Workspace:
        return self.request.workspace

    def report(self, step: str, name: str, text: str = "", done: int | None = None, total: int | None = None) -> None:
        """Tell whoever watches the run."""
        self.request.report(Progress(step, name, text, done, total))

    def hold(self) -> None:
        """Take the lock of the workspace for the rest of the run, unless the command holds it already.

        A run of the daemon waits as long as commands write to the workspace. Raises WorkspaceBusy after a day.
        """
        if not self.request.by_command and not self._holds:
            self._lock.enter_context(self.workspace.lock(DAEMON_WAIT_SECONDS, self._wait, holder="a run of the daemon"))
            self._holds = True

    def _wait(self, text: str) -> None:
        _log.info("a run waits", extra={"reason": text})
        self.report("lock", "workspace", text)

    def release_lock(self) -> None:
        self._lock.close()
        self._holds = False

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add the time that passes inside to the seconds of `step`."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[step] = round(self.seconds.get(step, 0.0) + time.monotonic() - began, 3)

    def last_findings(self) -> IngestFindings:
        """Return the findings of this run's ingest; where another run did the ingest, those that it kept."""
        if self.findings is None:
            self.findings = IngestFindings.last(self.workspace)
        return self.findings

    def outcome(self) -> RunOutcome:
        """Return the outcome of the run as far as it has come."""
        findings = self.findings or IngestFindings()
        is_decided = self.release is not None or self.gate.get("passed") is False
        return RunOutcome(
            inputs_key=inputs_key(self.workspace), lake_key=lake_key(self.workspace) if is_decided else "",
            ended_at=timestamp(self.workspace.settings.now()), sources=findings.counts,
            errors=findings.errors, stale=findings.stale, repaired=findings.repaired, gate=self.gate, values=self.values,
            reasons=self.reasons, release=self.release, exit_code=self._exit_code(findings), run=self.run_id,
        )  # fmt: skip

    def save_outcome(self) -> RunOutcome:
        """Keep the outcome for `zpo2 status` and for the next run, and return it."""
        outcome = self.outcome()
        outcome.save(self.workspace.last_run)
        return outcome

    def save_metrics(self) -> None:
        """Add a line about the rows, bytes and seconds of the run."""
        findings = self.findings or IngestFindings()
        rows = {k: sum(getattr(c, f"rows_{k}") for c in findings.counts.values()) for k in ("read", "accepted", "quarantined", "ignored")}
        metrics = {
            "ended_at": timestamp(self.workspace.settings.now()),
            "seconds": self.seconds,
            "rows": rows,
            "bytes": self.bytes,
            "steps": sorted(self.seconds),
            "slowest_models": dbt.slowest_models(self.workspace) if "dbt" in self.seconds else [],
            "release": self.release.version if self.release else None,
            "exit_code": self._exit_code(findings) if self.release or self.reasons else None,
        }
        logs.add_metrics(self.workspace, metrics)
        _log.info("a run ended", extra=metrics | {"reasons": self.reasons, "stale": findings.stale})

    def finish(self) -> None:
        """Keep the outcome and the metrics, unless the command does."""
        if not self.request.by_command:
            self.save_outcome()
            self.save_metrics()

    def _exit_code(self, findings: IngestFindings) -> ExitCode:
        if self.release is None:
            return ExitCode.FAILED
        return ExitCode.STALE if findings.stale else ExitCode.CURRENT
