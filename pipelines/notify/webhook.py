"""Send one signed CloudEvent to a webhook of the operator. Knows neither alerts nor releases, and stores nothing.

The key signs the body in `X-Signature-256: sha256=<HMAC of the body>`. The address is a secret: no error and no log line contains it.
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

from pipelines.core.errors import Zpo2Error
from pipelines.extract.http.deadline import Overdue, Watch
from pipelines.extract.http.limits import Limits

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"


class DeliveryError(Zpo2Error):
    """The webhook did not accept an event."""


def signature(body: bytes, key: str) -> str:
    """Return the value of the signature header."""
    return "sha256=" + hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def send(event: Mapping[str, Any], url: str, key: str | None, allowed_hosts: Collection[str], limits: Limits, timeout: float) -> None:
    """Post `event`, and return when the webhook has accepted it (2xx). Raises DeliveryError, at the latest after `timeout` seconds.

    As with sources, addresses inside the operator's network are reached only if `allowed_hosts` names them.
    """
    _check_address(url)
    body = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"Content-Type": CONTENT_TYPE, **({"X-Signature-256": signature(body, key)} if key else {})}
    outcomes: list[int | str] = []
    # `limits` restrict the time between two packets; only a thread that can be abandoned restricts the whole, name resolution included
    thread = threading.Thread(target=lambda: outcomes.append(_post(url, body, headers, allowed_hosts, limits, timeout)), daemon=True)
    thread.start()
    thread.join(timeout)
    if not outcomes:
        raise DeliveryError(f"the webhook did not answer within {timeout:.0f} s")
    status = outcomes[0]
    if isinstance(status, str):
        raise DeliveryError(status)
    if not 200 <= status < 300:
        raise DeliveryError(f"the webhook answered {status}")


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_http = parts.scheme in ("https", "http") and bool(parts.hostname)
    except ValueError:
        is_http = False
    if not is_http:
        raise DeliveryError("the address of the webhook must begin with https:// or http://")


def _post(url: str, body: bytes, headers: Mapping[str, str], allowed_hosts: Collection[str], limits: Limits, timeout: float) -> int | str:
    """Return the status of the response, or why there is none. The connection is closed a second after `timeout`."""
    import requests  # takes a quarter of a second to load

    from pipelines.extract.http import network

    log, filter_ = logging.getLogger("urllib3.connectionpool"), _HideThread()
    log.addFilter(filter_)
    try:
        with (
            Watch(timeout + 1),  # after `send` has given up
            network.session(allowed_hosts, limits) as session,
            session.post(
                url, data=body, headers=dict(headers), timeout=(limits.connect_timeout, limits.read_timeout),
                allow_redirects=False, stream=True,  # the body of the response is not read
            ) as response,
        ):  # fmt: skip
            return response.status_code
    except (requests.RequestException, network.AddressNotAllowed, network.ServerBusy, Overdue, OSError, ValueError) as error:
        return f"{type(error).__name__}: the webhook could not be reached"
    finally:
        log.removeFilter(filter_)


class _HideThread(logging.Filter):
    """Drops the log records of the current thread's connections, because they contain the address."""

    def __init__(self) -> None:
        super().__init__()
        self.thread = threading.get_ident()

    def filter(self, record: logging.LogRecord) -> bool:
        return record.thread != self.thread
