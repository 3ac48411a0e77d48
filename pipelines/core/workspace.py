"""The home: the one folder a run writes to, whose it is, and who may write now. Knows the names of its rooms, not what they hold."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipelines.core import atomic

FORMAT = 1
_OURS = ("# Kept up to date by zpo2", "# One run at a time")
DAGSTER_YAML = """\
# Kept up to date by zpo2 for as long as this line stands; take it away to change the file.
# One run at a time: runs of one home write the same files.
concurrency:
  runs:
    max_concurrent_runs: 1
# A run whose process died is started again; one that failed by itself is not.
run_retries:
  enabled: true
  max_retries: 2
  retry_on_asset_or_op_failure: false
run_monitoring:
  enabled: true
freshness:
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
WAIT_SECONDS = 60.0


class HomeError(Exception):
    """The home belongs to another pack or to another version of the format."""


class Busy(Exception):
    """Another run holds the home."""


@dataclass(frozen=True)
class Home:
    """The folder of everything that runs of one pack write."""

    root: Path

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
        """The manifest of the lake's newest state."""
        return self.manifests / "current.json"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse.duckdb"

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
        """The events that were pushed."""
        return self.root / "events.db"

    @property
    def alerts(self) -> Path:
        """Alerts that are to be delivered, and which were."""
        return self.root / "alerts"

    @property
    def announced(self) -> Path:
        """What of the releases' journal was delivered to the operator's webhook."""
        return self.root / "announced.json"

    @property
    def log(self) -> Path:
        return self.root / "log.jsonl"

    @property
    def metrics(self) -> Path:
        """Rows, seconds and bytes of each run, a line each."""
        return self.root / "metrics.jsonl"

    @property
    def last_ingest(self) -> Path:
        """What the last ingest found, for the gate of a later run."""
        return self.root / "last_ingest.json"

    @property
    def last_run(self) -> Path:
        """What the last finished run found: counts, checks, stale sources."""
        return self.root / "last_run.json"

    def owned_by(self, pack_id: str) -> bool:
        """Whether the home is there and the pack's; False where it is still to be made. Raises HomeError where it is another's."""
        path = self.root / "home.json"
        if path.is_file():
            try:
                found = json.loads(path.read_text(encoding="utf-8"))
                owner, version = found["pack"], found["format"]
            except (ValueError, KeyError, TypeError):
                raise HomeError(f"{path}: is not a home's description") from None
            if owner != pack_id:
                raise HomeError(f"{self.root}: is the home of pack {owner}, not of {pack_id}; give another --home")
            if version != FORMAT:
                raise HomeError(f"{self.root}: has format {version}, this version writes {FORMAT}")
            return True
        if self.root.is_dir() and any(p.name not in ("run.lock", "inbox") for p in self.root.iterdir()):
            raise HomeError(f"{self.root}: holds files but no home.json; give an empty folder as --home")
        return False

    def open(self, pack_id: str) -> None:
        """Create the home, or make sure that it is the pack's. Raises HomeError."""
        if not self.owned_by(pack_id):
            atomic.write_json(self.root / "home.json", {"pack": pack_id, "format": FORMAT})
        configured = self.dagster / "dagster.yaml"
        present = configured.read_text(encoding="utf-8") if configured.is_file() else _OURS[0]
        if present != DAGSTER_YAML and present.startswith(_OURS):
            with atomic.replacing(configured) as path:
                path.write_text(DAGSTER_YAML, encoding="utf-8")

    @contextmanager
    def lock(self, wait: float = WAIT_SECONDS, waiting: Callable[[str], None] | None = None) -> Iterator[None]:
        """Hold the home for writing. Raises Busy when another process still holds it after `wait` seconds.

        The lock is the operating system's (flock): it goes with the process, however that ends.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.root / "run.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            deadline = time.monotonic() + wait
            told = False
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if not told and waiting:
                        waiting(f"another run is writing to {self.root}; waiting up to {wait:.0f} s")
                        told = True
                    if time.monotonic() >= deadline:
                        raise Busy(f"another run is still writing to {self.root}") from None
                    time.sleep(0.2)
            yield
        finally:
            os.close(handle)
