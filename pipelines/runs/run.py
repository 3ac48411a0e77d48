"""One run of a pack on its home, without Dagster: what it was asked, what it found, how it ended. The assets fill it, the command reads it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from exports.model.errors import ReleaseError
from exports.release import ledger
from pipelines.core import atomic, logs, versions
from pipelines.core.clock import timestamp
from pipelines.core.settings import Settings
from pipelines.core.workspace import Home
from pipelines.extract.http.request import Answer
from pipelines.extract.source_state import States, parts_of
from pipelines.packs import Pack, digest
from pipelines.warehouse import dbt

CURRENT, FAILED, WRONG, STALE = 0, 1, 2, 3
"""Exit codes: a release is current · the gate failed · the command or the pack is wrong · current, but sources are stale."""


@dataclass(frozen=True)
class Event:
    """Something a person watching would like to see."""

    step: str  # fetch, source, model, check, table, release
    name: str
    text: str = ""
    done: int | None = None
    total: int | None = None


_FOUND = ("counts", "errors", "area_warnings", "stale", "never")


@dataclass
class Run:
    """What one run was asked to do, and what it has found so far."""

    pack: Pack
    home: Home
    settings: Settings
    only: tuple[str, ...] | None = None
    part: tuple[str, tuple[str, ...]] | None = None
    accepted: Mapping[str, str] = field(default_factory=dict)
    answers: list[Answer] | None = None
    by_command: bool = False  # the command holds the home and keeps what was found; runs of the daemon do so themselves
    listen: Callable[[Event], None] = lambda _event: None
    counts: dict[str, dict[str, Any]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    area_warnings: tuple[str, ...] = ()
    stale: dict[str, str] = field(default_factory=dict)
    never: list[str] = field(default_factory=list)
    verdict: dict[str, Any] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    release: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    bytes: int = 0
    _holds: bool = False
    _held: ExitStack = field(default_factory=ExitStack)

    def hold(self) -> None:
        """Take the home's lock for the rest of the process, unless the command holds it already. Raises Busy."""
        if not self.by_command and not self._holds:
            self._held.enter_context(self.home.lock(waiting=lambda text: self.listen(Event("lock", "home", text))))
            self._holds = True

    def let_go(self) -> None:
        self._held.close()
        self._holds = False

    def end_by_itself(self) -> None:
        """Keep how the run ended, unless the command does."""
        if not self.by_command:
            self.remember()
            self.keep_metrics()

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add the time that passes inside to the seconds of `step`."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[step] = round(self.seconds.get(step, 0.0) + time.monotonic() - began, 3)

    def keep_ingest(self) -> None:
        """Write down what the ingest found: the gate may run later, in another process."""
        atomic.write_json(self.home.last_ingest, {name: getattr(self, name) for name in _FOUND})

    def recall_ingest(self) -> None:
        """Take up what the last ingest found, unless this run has one of its own."""
        if not self.counts:
            found = atomic.read_json(self.home.last_ingest, {})
            for name in _FOUND:
                setattr(self, name, found.get(name, getattr(self, name)))
            self.area_warnings = tuple(self.area_warnings)

    def keep_metrics(self) -> None:
        """Add a line of what the run took and moved."""
        rows = {k: sum(c[f"rows_{k}"] for c in self.counts.values()) for k in ("read", "accepted", "quarantined", "ignored")}
        metrics = {
            "ended_at": timestamp(self.settings.now()),
            "seconds": self.seconds,
            "rows": rows,
            "bytes": self.bytes,
            "steps": sorted(self.seconds),
            "release": self.release.get("version"),
            "exit_code": self.exit_code() if self.release or self.reasons else None,
        }
        logs.add_metrics(self.home, metrics)
        logging.getLogger("zpo2.runs").info("a run ended", extra=metrics | {"reasons": self.reasons, "stale": self.stale})

    def exit_code(self) -> int:
        if not self.release:
            return FAILED
        return STALE if self.stale else CURRENT

    def remember(self) -> None:
        """Write down how the run ended, for `status` and for the next run."""
        atomic.write_json(self.home.last_run, self.outcome())

    def outcome(self) -> dict[str, Any]:
        return {
            "inputs_key": inputs_key(self.pack, self.home),
            "ended_at": timestamp(self.settings.now()),
            "sources": self.counts,
            "errors": self.errors,
            "stale": self.stale,
            "gate": self.verdict,
            "reasons": self.reasons,
            "release": self.release,
            "exit_code": self.exit_code(),
        }


def inputs_key(pack: Pack, home: Home) -> str:
    """Return a hash of everything a release is made from: declarations, snapshots, the versions of the stages and the dbt project."""
    states = States(home.fetch_state)
    snapshots = [
        [source.id, part.name, state.sha256, state.good, bool(state.error), state.stale_since]
        for source in pack.sources.values()
        for part in parts_of(pack, source, states)
        for state in [states.get(source.id, part.name)]
    ]
    return digest([pack.digest, snapshots, versions.STAGES, dbt.project_digest()])


def last_outcome(home: Home) -> dict[str, Any]:
    found: dict[str, Any] = atomic.read_json(home.last_run, {})
    return found


def is_unchanged(pack: Pack, home: Home) -> bool:
    """Whether the last run ended with a release of exactly these inputs, and that release is still the current one."""
    last = last_outcome(home)
    if last.get("exit_code") not in (CURRENT, STALE) or last.get("inputs_key") != inputs_key(pack, home):
        return False
    latest = ledger.read_latest(home.public)
    if not latest or not (home.public / latest.path).is_dir():
        return False
    return latest.version == last["release"]["version"] or bool(_taken_back(home, last["release"]["version"]))


def standing(home: Home, release: dict[str, Any]) -> dict[str, Any]:
    """Return what a run that makes nothing says of its release: the current one, and how the one it would make again was taken back."""
    latest = ledger.read_latest(home.public)
    assert latest is not None
    return {
        "version": latest.version, "path": str(home.public / latest.path), "changed": False,
        "tables": last_release_rows(home.public), "set_aside": _taken_back(home, release["version"]),
    }  # fmt: skip


def _taken_back(home: Home, version: str) -> str:
    try:
        return str(ledger.superseded(home.public, version) or "")
    except ReleaseError:
        return ""  # the run itself will say what is wrong with the ledger


def last_release_path(public: Path) -> Path | None:
    """Return the folder of the current release; None where there is none."""
    latest = ledger.read_latest(public)
    return public / latest.path if latest else None


def last_release_rows(public: Path) -> dict[str, int]:
    """Return the rows of each table of the current release."""
    folder = last_release_path(public)
    report = atomic.read_json(folder / "quality" / "report.json", {}) if folder else {}
    rows: dict[str, int] = report.get("rows", {})
    return rows
