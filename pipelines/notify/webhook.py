"""Send one signed CloudEvent to a webhook of the operator's. Knows neither alerts nor releases, and keeps nothing.

The key makes the signature in `X-Signature-256: sha256=<HMAC of the body>`. The address is a secret: nothing that is raised or logged has it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import threading
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from pipelines.extract.http.limits import Limits

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"


class DeliveryError(Exception):
    """The webhook did not take an event."""


def signature(body: bytes, key: str) -> str:
    return "sha256=" + hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def send(event: Mapping[str, Any], url: str, key: str | None, allowed_hosts: Collection[str], limits: Limits, within: float) -> None:
    """Post `event`, and return when the webhook has taken it (2xx). Raises DeliveryError, at the latest after `within` seconds.

    Addresses inside the operator's network are reached only if `allowed_hosts` names them, as with sources.
    """
    _check(url)
    body = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"Content-Type": CONTENT_TYPE, **({"X-Signature-256": signature(body, key)} if key else {})}
    outcome: list[int | str] = []
    # limits bound the silence between two packets; only a thread that is left behind bounds the whole, resolving the name included
    thread = threading.Thread(target=lambda: outcome.append(_post(url, body, headers, allowed_hosts, limits)), daemon=True)
    thread.start()
    thread.join(within)
    if not outcome:
        raise DeliveryError(f"the webhook has not answered within {within:.0f} s")
    status = outcome[0]
    if isinstance(status, str):
        raise DeliveryError(status)
    if not 200 <= status < 300:
        raise DeliveryError(f"the webhook answered {status}")


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        if parts.scheme in ("https", "http") and parts.hostname:
            return
    except ValueError:
        pass
    raise DeliveryError("the address of the webhook is neither https nor http")


def _post(url: str, body: bytes, headers: Mapping[str, str], allowed_hosts: Collection[str], limits: Limits) -> int | str:
    """Return the status of the answer, or why there is none."""
    import requests  # takes a quarter of a second to load

    from pipelines.extract.http import network

    log, quiet = logging.getLogger("urllib3.connectionpool"), _Quiet()
    log.addFilter(quiet)
    try:
        with (
            network.session(allowed_hosts, limits) as session,
            session.post(
                url, data=body, headers=dict(headers), timeout=(limits.connect, limits.silence), allow_redirects=False, stream=True
            ) as answer,  # nobody reads what else it says
        ):
            return answer.status_code
    except (requests.RequestException, network.AddressRefusedError, network.BusyError, OSError, ValueError) as error:
        return f"{type(error).__name__}: the webhook was not reached"
    finally:
        log.removeFilter(quiet)


class _Quiet(logging.Filter):
    """Keeps back what is said of this thread's connections: it has their address."""

    def __init__(self) -> None:
        super().__init__()
        self.thread = threading.get_ident()

    def filter(self, record: logging.LogRecord) -> bool:
        return record.thread != self.thread
