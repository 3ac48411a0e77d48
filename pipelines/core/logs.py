"""The log of a home, one JSON object a line, and the metrics of its runs. Decides nothing."""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.core.workspace import WorkspaceFolder

LARGEST = 10 * 1024**2  # bytes of a log before it makes room for the next
KEPT = 5  # earlier logs
SHOWN_RUNS = 20
_OWN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """A record as one line of JSON: time, level, logger, message, and whatever was given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{k: v for k, v in vars(record).items() if k not in _OWN},
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def open_log(workspace: WorkspaceFolder) -> None:
    """Have everything that is said to the logger `zpo2` written to the home's log; once for each process."""
    logger = logging.getLogger("zpo2")
    path = workspace.log
    if any(isinstance(h, logging.FileHandler) and Path(h.baseFilename) == path.absolute() for h in logger.handlers):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    _make_room(path)
    handler = logging.FileHandler(path, encoding="utf-8", delay=True)  # opened for appending: lines of several processes do not mix
    handler.setFormatter(JsonLines())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


def _make_room(path: Path) -> None:
    if not path.is_file() or path.stat().st_size < LARGEST:
        return
    for number in range(KEPT, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        newer = path.with_name(f"{path.name}.{number - 1}") if number > 1 else path
        if newer.is_file():
            os.replace(newer, older)


def add_metrics(workspace: WorkspaceFolder, metrics: dict[str, Any]) -> None:
    """Keep the metrics of a run as one more line."""
    with workspace.metrics.open("a", encoding="utf-8") as file:
        file.write(json.dumps(metrics, ensure_ascii=False, sort_keys=True) + "\n")


def last_metrics(workspace: WorkspaceFolder, most: int = SHOWN_RUNS) -> list[dict[str, Any]]:
    """Return the metrics of the last runs, the newest first; a line that a killed run left half written is left out."""
    if not workspace.metrics.is_file():
        return []
    found = []
    for line in reversed(workspace.metrics.read_text(encoding="utf-8").splitlines()[-most - 1 :]):
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found[:most]
