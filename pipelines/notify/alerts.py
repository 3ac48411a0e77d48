"""Alerts for the operator: queued until delivered, signed, sent as CloudEvents to one webhook. Does not decide what is worth an alert.

`ZPO2_SECRET_ALERT_URL` is the address, `ZPO2_SECRET_ALERT_KEY` the key of the signature in `X-Signature-256: sha256=<HMAC of the body>`.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from pipelines.core import atomic
from pipelines.core.checksums import set_aside
from pipelines.core.clock import timestamp
from pipelines.core.settings import Settings
from pipelines.core.state import StateError, load_state
from pipelines.core.workspace import WorkspaceFolder
from pipelines.extract.http.limits import Limits
from pipelines.notify.webhook import DeliveryError, send, signature

__all__ = ["DeliveryError", "deliver", "enqueue", "signature", "waiting"]

URL, KEY = "ZPO2_SECRET_ALERT_URL", "ZPO2_SECRET_ALERT_KEY"
KNOWN = "known.json"
"""What was alerted before; `incidents` keeps it."""
DELIVERY_TIMEOUT = 120.0
"""Seconds for one alert, whatever the webhook does."""
_LIMITS = Limits(connect_timeout=5, read_timeout=15, retries=2, max_retry_after=10)
_STALE_FILE = "stale.json"
_STALE = TypeAdapter(dict[str, str])
"""Workspaces of earlier versions kept here the sources that were stale, each with the time since when."""
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


def stale_of_earlier_versions(workspace: WorkspaceFolder) -> dict[str, str]:
    """Return the sources that an earlier version of the software has alerted as stale."""
    try:
        return load_state(workspace.alerts / _STALE_FILE, _STALE) or {}
    except StateError:
        return {}  # these sources are alerted once more


def waiting(workspace: WorkspaceFolder) -> list[Path]:
    """Return the alerts that wait for delivery, the oldest first."""
    alerts = (path for path in workspace.alerts.glob("*.json") if path.name not in (_STALE_FILE, KNOWN))
    return sorted(alerts, key=lambda path: (path.stat().st_mtime, path.name))


def deliver(workspace: WorkspaceFolder, seconds: float = DELIVERY_TIMEOUT) -> tuple[int, list[str]]:
    """Send the waiting alerts, the oldest first; return how many were delivered, and why the others were not.

    One alert takes `seconds` at most, and after that time no further one is sent: the others wait for the next call. Without an address
    nothing is sent, and the alerts count as delivered: they are in the log.
    """
    url, count, faults = workspace.settings.secret(URL), 0, []
    ends = time.monotonic() + seconds
    for path in waiting(workspace):
        if time.monotonic() >= ends:
            break
        try:
            if url:
                _send(url, workspace.settings, path.read_bytes(), seconds)
        except (ValueError, RecursionError):
            faults.append(f"{path}: damaged; kept as {set_aside(path).name}")
            continue
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


def _send(url: str, settings: Settings, content: bytes, seconds: float) -> None:
    event = json.loads(content)
    if not isinstance(event, dict):
        raise ValueError("not an event")
    send(event, url, settings.secret(KEY), settings.allowed_hosts(), _LIMITS, seconds)
