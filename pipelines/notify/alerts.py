"""Alerts for the operator: queued until delivered, signed, sent as CloudEvents to one webhook. Does not decide what is worth an alert.

`ZPO2_SECRET_ALERT_URL` is the address, `ZPO2_SECRET_ALERT_KEY` the key of the signature in `X-Signature-256: sha256=<HMAC of the body>`.
"""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from pipelines.core import atomic
from pipelines.core.clock import timestamp
from pipelines.core.settings import Settings
from pipelines.core.state import load_state, save_state
from pipelines.core.workspace import WorkspaceFolder
from pipelines.extract.http.limits import Limits
from pipelines.extract.source_state import SourceState, SourceStates
from pipelines.notify.webhook import DeliveryError, send, signature
from pipelines.packs.workspace import Workspace

__all__ = ["DeliveryError", "deliver", "enqueue", "enqueue_staleness", "signature", "waiting"]

URL, KEY = "ZPO2_SECRET_ALERT_URL", "ZPO2_SECRET_ALERT_KEY"
RUN_FAILED, SOURCE_STALE, SOURCE_FRESH = "zpo2.run.failed", "zpo2.source.stale", "zpo2.source.fresh"
DELIVERY_TIMEOUT = 120.0
"""Seconds for one alert, whatever the webhook does."""
_LIMITS = Limits(connect_timeout=5, read_timeout=15, retries=2, max_retry_after=10)
_STALE_FILE = "stale.json"
_STALE = TypeAdapter(dict[str, str])
"""The sources that were stale at the last look, each with the time since when."""
_log = logging.getLogger("zpo2.alerts")


def enqueue(workspace: WorkspaceFolder, pack: str, kind: str, subject: str, data: dict[str, Any], identity: str) -> bool:
    """Queue an alert for delivery, unless one with this `identity` was queued before; return whether it is new."""
    name = hashlib.sha256(f"{kind}\0{subject}\0{identity}".encode()).hexdigest()[:32]
    if (workspace.alerts / "sent" / name).exists() or (workspace.alerts / f"{name}.json").exists():
        return False
    event = {
        "specversion": "1.0", "id": name, "source": f"urn:zpo2:{pack}", "type": kind, "subject": subject,
        "time": timestamp(workspace.settings.now()), "datacontenttype": "application/json", "data": data,
    }  # fmt: skip
    _log.warning("alert", extra={"type": kind, "subject": subject, "data": data})
    atomic.write_json(workspace.alerts / f"{name}.json", event)
    return True


def enqueue_staleness(workspace: Workspace) -> list[str]:
    """Queue an alert for each source that became stale, or fresh again, since the last call; return these sources. Raises StateError."""
    states = SourceStates(workspace.fetch_state)
    path = workspace.alerts / _STALE_FILE
    before = load_state(path, _STALE) or {}
    now: dict[str, str] = {}
    changed = []
    for source in workspace.pack.sources.values():
        stale = [state for state in states.parts(source.id).values() if state.stale_since] if source.enabled else []
        if stale:
            now[source.id] = since = min(s.stale_since or "" for s in stale)
            if source.id not in before and enqueue(
                workspace, workspace.pack.id, SOURCE_STALE, source.id, _stale_data(source.id, since, stale), since
            ):
                changed.append(source.id)
        elif source.id in before and enqueue(
            workspace, workspace.pack.id, SOURCE_FRESH, source.id, {"source": source.id}, before[source.id]
        ):
            changed.append(source.id)
    if now != before:
        save_state(path, _STALE, now)
    return changed


def _stale_data(source: str, since: str, stale: list[SourceState]) -> dict[str, Any]:
    reasons = sorted({state.error for state in stale if state.error})
    return {"source": source, "stale_since": since, "reasons": reasons, "last_good": max(state.changed_at for state in stale)}


def waiting(workspace: WorkspaceFolder) -> list[Path]:
    """Return the alerts that wait for delivery, the oldest first."""
    alerts = (path for path in workspace.alerts.glob("*.json") if path.name != _STALE_FILE)
    return sorted(alerts, key=lambda path: (path.stat().st_mtime, path.name))


def deliver(workspace: WorkspaceFolder) -> tuple[int, list[str]]:
    """Send the waiting alerts, the oldest first; return how many were delivered, and why the others were not.

    Without an address nothing is sent, and the alerts count as delivered: they are in the log.
    """
    url, count, faults = workspace.settings.secret(URL), 0, []
    for path in waiting(workspace):
        try:
            if url:
                _send(url, workspace.settings, path.read_bytes())
        except DeliveryError as error:
            faults.append(str(error))
            _log.error("an alert was not delivered", extra={"alert": path.stem, "reason": str(error)})
            break  # the other alerts go to the same webhook
        _mark_sent(workspace, path)
        count += bool(url)
    return count, faults


def _mark_sent(workspace: WorkspaceFolder, path: Path) -> None:
    target = workspace.alerts / "sent" / path.stem
    target.parent.mkdir(parents=True, exist_ok=True)
    path.replace(target)


def _send(url: str, settings: Settings, content: bytes) -> None:
    send(json.loads(content), url, settings.secret(KEY), settings.allowed_hosts(), _LIMITS, DELIVERY_TIMEOUT)
