"""The log of a workspace, one JSON object per line, and the metrics of its runs. Decides nothing."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from pipelines.core.printable import without_commands
from pipelines.core.workspace import WorkspaceFolder

MAX_BYTES = 10 * 1024**2  # of a log; then it becomes log.jsonl.1, and a new one begins
KEPT_LOGS = 5
KEPT_RUNS = 20
_METRICS = {"ended_at", "seconds", "rows", "bytes"}


class JsonLines(JsonFormatter):
    """A record as one line of JSON: time, level, logger, message, and everything that was given as `extra`. Control characters are escaped."""

    def __init__(self) -> None:
        super().__init__(
            ["time", "level", "name", "message"], rename_fields={"name": "logger", "exc_info": "error"}, json_ensure_ascii=False,
            json_default=str,
        )  # fmt: skip

    def format(self, record: logging.LogRecord) -> str:
        record.time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        record.level = record.levelname.lower()
        return without_commands(super().format(record))


def open_log(workspace: WorkspaceFolder) -> None:
    """Write everything that is logged to `zpo2` and its children to the log of the workspace. Once per process."""
    logger = logging.getLogger("zpo2")
    path = workspace.log
    if any(isinstance(h, logging.FileHandler) and Path(h.baseFilename) == path.absolute() for h in logger.handlers):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = _Appending(path, encoding="utf-8", delay=True)  # in append mode lines of several processes do not mix
    handler.setFormatter(JsonLines())
    if path.is_file() and path.stat().st_size >= MAX_BYTES:
        handler.doRollover()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


class _Appending(RotatingFileHandler):
    """Rotates only when a process opens the log: another process may be writing to it later on."""

    backupCount = KEPT_LOGS

    def shouldRollover(self, record: logging.LogRecord) -> bool:
        return False


def add_metrics(workspace: WorkspaceFolder, metrics: dict[str, Any]) -> None:
    """Add the metrics of a run as one more line."""
    with workspace.metrics.open("a", encoding="utf-8") as file:
        file.write(json.dumps(metrics, ensure_ascii=False, sort_keys=True) + "\n")


def last_metrics(workspace: WorkspaceFolder, count: int = KEPT_RUNS) -> list[dict[str, Any]]:
    """Return the metrics of the last runs, the newest first. A line that is damaged or that a killed run left incomplete is skipped."""
    if not workspace.metrics.is_file():
        return []
    runs = []
    for line in reversed(workspace.metrics.read_text(encoding="utf-8", errors="replace").splitlines()[-count - 1 :]):
        try:
            run = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(run, dict) and isinstance(run.get("seconds"), dict) and isinstance(run.get("rows"), dict) and run.keys() >= _METRICS:
            runs.append(run)
    return runs[:count]
