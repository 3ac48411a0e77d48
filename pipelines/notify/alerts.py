"""Alerts for the operator: kept until they are delivered, signed, sent as CloudEvents to one webhook. Decides not what is worth an alert.

`ZPO2_SECRET_ALERT_URL` is the address, `ZPO2_SECRET_ALERT_KEY` the key of the signature in `X-Signature-256: sha256=<HMAC of the body>`.
"""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

from pipelines.core import atomic
from pipelines.core.clock import timestamp
from pipelines.core.settings import Settings
from pipelines.core.workspace import WorkspaceFolder
from pipelines.extract.http.limits import Limits
from pipelines.extract.source_state import States
from pipelines.notify.webhook import DeliveryError, send, signature
from pipelines.packs.workspace import Workspace

__all__ = ["DeliveryError", "deliver", "keep", "signature", "waiting", "watch"]

URL, KEY = "ZPO2_SECRET_ALERT_URL", "ZPO2_SECRET_ALERT_KEY"
RUN_FAILED, SOURCE_STALE, SOURCE_FRESH = "zpo2.run.failed", "zpo2.source.stale", "zpo2.source.fresh"
PATIENCE = 120.0  # seconds for one alert, whatever the webhook does
_LIMITS = Limits(connect=5, silence=15, retries=2, patience=10)
_log = logging.getLogger("zpo2.alerts")


def keep(workspace: WorkspaceFolder, pack: str, kind: str, subject: str, data: dict[str, Any], identity: str) -> bool:
    """Keep an alert for delivery, unless one of this identity was kept before; return whether it is new."""
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


def watch(workspace: Workspace) -> list[str]:
    """Keep an alert for each source that has become stale, or fresh again, since the last time; return which."""
    states = States(workspace.fetch_state)
    told: dict[str, str] = atomic.read_json(workspace.alerts / "stale.json", {})
    now: dict[str, str] = {}
    news = []
    for source in workspace.pack.sources.values():
        stale = {part: state for part, state in states.of(source.id).items() if state.stale_since} if source.enabled else {}
        if stale:
            now[source.id] = since = min(s.stale_since or "" for s in stale.values())
            reasons = sorted({s.error for s in stale.values() if s.error})
            data = {"source": source.id, "stale_since": since, "reasons": reasons, "last_good": _last_good(stale)}
            if source.id not in told and keep(workspace, workspace.pack.id, SOURCE_STALE, source.id, data, since):
                news.append(source.id)
        elif source.id in told and keep(workspace, workspace.pack.id, SOURCE_FRESH, source.id, {"source": source.id}, told[source.id]):
            news.append(source.id)
    if now != told:
        atomic.write_json(workspace.alerts / "stale.json", now)
    return news


def _last_good(stale: dict[str, Any]) -> str:
    return max((s.changed_at for s in stale.values()), default="")


def waiting(workspace: WorkspaceFolder) -> list[Path]:
    """Return the alerts that are kept for delivery, the oldest first."""
    return sorted((p for p in workspace.alerts.glob("*.json") if p.name != "stale.json"), key=lambda p: (p.stat().st_mtime, p.name))


def deliver(workspace: WorkspaceFolder) -> tuple[int, list[str]]:
    """Send what is kept, the oldest first; return how many were delivered, and why others were not.

    Without an address nothing is sent, and what was kept counts as told: it stands in the log.
    """
    url, count, faults = workspace.settings.secret(URL), 0, []
    for path in waiting(workspace):
        try:
            if url:
                _send(url, workspace.settings, path.read_bytes())
        except DeliveryError as error:
            faults.append(str(error))
            _log.error("an alert was not delivered", extra={"alert": path.stem, "reason": str(error)})
            break  # the others would meet the same webhook
        _sent(workspace, path)
        count += bool(url)
    return count, faults


def _sent(workspace: WorkspaceFolder, path: Path) -> None:
    target = workspace.alerts / "sent" / path.stem
    target.parent.mkdir(parents=True, exist_ok=True)
    path.replace(target)


def _send(url: str, settings: Settings, content: bytes) -> None:
    send(json.loads(content), url, settings.secret(KEY), settings.allowed_hosts(), _LIMITS, PATIENCE)
