"""The workspace: the one folder that runs of a pack write to. Knows the names of its files, which pack owns it, and who may write now."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pipelines.core import atomic
from pipelines.core.clock import timestamp
from pipelines.core.errors import ExitCode, Zpo2Error
from pipelines.core.locks import file_lock
from pipelines.core.printable import printable_name
from pipelines.core.settings import Settings

FORMAT = 1
_OURS = ("# Kept up to date by zpo2", "# One run at a time")
DAGSTER_YAML = """\
# Kept up to date by zpo2 for as long as this line stands; take it away to change the file.
# One run at a time: runs of one home write the same files.
concurrency:
  runs:
    max_concurrent_runs: 1
# How often the daemon looks whether a requested run can start.
run_queue:
  dequeue_interval_seconds: 1
# A poll or a slow webhook keeps no other sensor waiting.
sensors:
  use_threads: true
  num_workers: 4
run_monitoring:
  enabled: true
retention:
  schedule:
    purge_after_days: 30
  sensor:
    purge_after_days: {skipped: 2, failure: 30, success: 90, started: 7}
telemetry:
  enabled: false
nux:
  enabled: false
"""
EVENT_LOG = """\
# Dagster's usual event log, in the usual place, but over one connection per file: a run writes 700 events.
event_log_storage:
  module: pipelines.orchestration.run_history
  class: OneConnectionHistory
  config:
    base_dir: {folder}
"""
WAIT_SECONDS = 60.0
DESCRIPTION = "home.json"
_MISUNDERSTOOD = "'\"#?*[]\\="
"""Quotes end a text in SQL, `#` and `?` the path of an address, brackets and `*` make a pattern, and `=` makes a folder a partition."""
LOCK = "run.lock"
WAITING = "run.waiting"
"""Processes that wait for the lock share a lock on this file."""
_BEFORE_THE_FIRST_RUN = (LOCK, WAITING, "inbox", "dagster")
"""What a folder may hold before it is a workspace. Dagster creates its folder when it starts, before it loads the definitions."""
QUICK_SECONDS = 5.0
"""How long somebody who looks for dead runs may keep others from waiting."""


class WorkspaceError(Zpo2Error):
    """The workspace belongs to another pack or to another version of the format."""

    exit_code = ExitCode.WRONG


class WorkspaceBusy(Zpo2Error):
    """Another run is writing to the workspace."""


@dataclass(frozen=True)
class WorkspaceFolder:
    """The files of a workspace, whatever its pack. `packs.Workspace` adds the pack.

    The folder is the one that the option `--home` names.
    """

    root: Path
    settings: Settings = field(default_factory=Settings, repr=False)

    @property
    def archive(self) -> Path:
        return self.root / "archive"

    @property
    def lake(self) -> Path:
        return self.root / "lake"

    @property
    def manifests(self) -> Path:
        return self.root / "manifests"

    @property
    def manifest(self) -> Path:
        """The manifest of the newest state of the lake."""
        return self.manifests / "current.json"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse.duckdb"

    @property
    def spark(self) -> Path:
        """The tables that Spark writes where it is the engine; the warehouse then has views of them."""
        return self.root / "spark"

    @property
    def statistics(self) -> Path:
        """The statistics that Python computes from the warehouse and dbt reads."""
        return self.root / "statistics"

    @property
    def suppression(self) -> Path:
        """The cells to suppress, which Python chooses and dbt reads."""
        return self.root / "suppression"

    @property
    def dagster(self) -> Path:
        return self.root / "dagster"

    @property
    def dbt(self) -> Path:
        return self.root / "dbt"

    @property
    def public(self) -> Path:
        return self.root / "public"

    @property
    def staging(self) -> Path:
        return self.root / "staging"

    @property
    def fetch_state(self) -> Path:
        return self.root / "fetches.json"

    @property
    def inbox(self) -> Path:
        return self.root / "inbox"

    @property
    def queue(self) -> Path:
        """The database of pushed events."""
        return self.root / "events.db"

    @property
    def alerts(self) -> Path:
        """Alerts: those that wait for delivery, and those that were delivered."""
        return self.root / "alerts"

    @property
    def announced(self) -> Path:
        """Which ledger events were delivered to the operator's webhook."""
        return self.root / "announced.json"

    @property
    def log(self) -> Path:
        return self.root / "log.jsonl"

    @property
    def metrics(self) -> Path:
        """Rows, seconds and bytes of each run, one line per run."""
        return self.root / "metrics.jsonl"

    @property
    def last_ingest(self) -> Path:
        """The findings of the last ingest, for the gate."""
        return self.root / "last_ingest.json"

    @property
    def last_run(self) -> Path:
        """The outcome of the last finished run: counts, checks, stale sources."""
        return self.root / "last_run.json"

    def owned_by(self, pack_id: str) -> bool:
        """Return whether the workspace exists and belongs to the pack; False where it does not exist yet.

        Raises WorkspaceError where it belongs to another pack, or holds files that no workspace holds, or where a library would
        misunderstand its path.
        """
        check_path(self.root)
        path = self.root / DESCRIPTION
        if path.is_file():
            try:
                description = json.loads(path.read_text(encoding="utf-8"))
                owner, version = description["pack"], description["format"]
            except (ValueError, KeyError, TypeError):
                raise WorkspaceError(f"{path}: does not describe a workspace; restore it from a backup, or give another --home") from None
            if owner != pack_id:
                raise WorkspaceError(f"{self.root}: belongs to the pack {owner}, not to {pack_id}; give another --home")
            if version != FORMAT:
                raise WorkspaceError(f"{self.root}: has format {version}, this version writes format {FORMAT}; give another --home")
            return True
        if self.root.is_dir() and any(p.name not in _BEFORE_THE_FIRST_RUN for p in self.root.iterdir()):
            raise WorkspaceError(f"{self.root}: holds files but no {DESCRIPTION}; give an empty folder as --home")
        return False

    def claim(self, pack_id: str) -> None:
        """Create the workspace, or make sure that it belongs to the pack. Raises WorkspaceError."""
        if not self.owned_by(pack_id):
            atomic.write_json(self.root / DESCRIPTION, {"pack": pack_id, "format": FORMAT})
        path = self.dagster / "dagster.yaml"
        try:
            present = path.read_text(encoding="utf-8").strip() if path.is_file() else ""
        except UnicodeDecodeError:
            raise WorkspaceError(f"{path}: damaged (not text); remove it, and the next run writes it again") from None
        current = DAGSTER_YAML + EVENT_LOG.format(folder=json.dumps(str(self.dagster.absolute() / "history" / "runs")))
        if present != current.strip() and (not present or present.startswith(_OURS)):
            with atomic.atomic_write(path) as temporary:
                temporary.write_text(current, encoding="utf-8")

    @contextmanager
    def lock(
        self, wait: float = WAIT_SECONDS, on_wait: Callable[[str], None] | None = None, *, holder: str = "a command"
    ) -> Iterator[None]:
        """Hold the workspace for writing, as `holder`. Raises WorkspaceBusy when another process still holds it after `wait` seconds.

        `on_wait` gets a sentence that says who holds it since when, before the first wait.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        path = self.root / LOCK

        def report() -> None:
            if on_wait:
                on_wait(f"{_holder(path)} is writing to {self.root}; waiting up to {_duration(wait)}")

        with ExitStack() as stack:
            try:
                with file_lock(self.root / WAITING, shared=True, wait=QUICK_SECONDS):  # so that nobody takes this process for dead
                    stack.enter_context(file_lock(path, wait=wait, on_wait=report))
            except BlockingIOError:
                raise WorkspaceBusy(
                    f"{_holder(path)} is still writing to {self.root}, after {_duration(wait)}; try again when it has ended, or start a run "
                    "that waits longer: `zpo2 run --wait MINUTES`"
                ) from None
            _note(path, json.dumps({"holder": holder, "process": os.getpid(), "since": timestamp(datetime.now(UTC))}))
            try:
                yield
            finally:
                _note(path, "")

    @contextmanager
    def lock_without_waiters(self) -> Iterator[None]:
        """Hold the workspace while no other process even waits for it. Raises WorkspaceBusy at once where one does, or holds it."""
        self.root.mkdir(parents=True, exist_ok=True)
        try:
            with file_lock(self.root / WAITING), file_lock(self.root / LOCK):
                yield
        except BlockingIOError:
            raise WorkspaceBusy(f"{self.root}: a process writes to it or waits for it") from None


def check_path(path: Path) -> None:
    """Raise WorkspaceError where a character of an absolute path has a meaning for a library that gets it as text: SQL, a pattern or an address."""
    wrong = next((c for c in str(path) if c in _MISUNDERSTOOD or not c.isprintable()), None)
    if wrong is not None:
        name = wrong if wrong.isprintable() else f"U+{ord(wrong):04X}"
        raise WorkspaceError(
            f"{printable_name(str(path))}: the path contains {name}, which DuckDB, polars or SQLAlchemy would misunderstand; "
            "rename the folder, or give another one"
        )


def _note(lock: Path, text: str) -> None:
    """Write who holds a lock into its file, for others to read."""
    with suppress(OSError):  # on a full disk nobody reads it, but `zpo2 prune` can still free space
        lock.write_text(text, encoding="utf-8")


def _holder(lock: Path) -> str:
    """Return who holds the lock of a workspace, and since when, as far as it is known."""
    try:
        content = json.loads(lock.read_text(encoding="utf-8"))
        return f"{content['holder']} (process {content['process']}, since {content['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


def _duration(seconds: float) -> str:
    minutes = seconds / 60
    return f"{seconds:.0f} s" if seconds < 60 else "1 minute" if minutes == 1 else f"{minutes:g} minutes"
