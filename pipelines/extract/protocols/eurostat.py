"""Eurostat's dissemination API: responses that the server prepares first, and extractions that are too large and are fetched in slices.

Shape: ec.europa.eu/eurostat/web/user-guides/data-browser/api-data-access.
"""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import replace

from pipelines.extract.http.request import Download, FetchError
from pipelines.extract.protocols.request import ProtocolRequest

_ENVELOPE = re.compile(rb"<(?:\w+:)?(?:queued|status|Envelope)\b")
_JOB = re.compile(rb"<(?:\w+:)?id>\s*([A-Za-z0-9-]{1,128})\s*</")
_STATUS = re.compile(rb"<(?:\w+:)?status>\s*([A-Z_]+)\s*</")
_TOO_LARGE = 413
_RUNNING = ("SUBMITTED", "PROCESSING", "DATA_NOT_YET_AVAILABLE")
_AVAILABLE = "AVAILABLE"
_ASK_AGAIN = "ASK_AGAIN"  # our own: an asynchronous response without a job


def download(request: ProtocolRequest) -> Download:
    """Download an extraction; one that is too large in the slices that the source declares as `split`. Raises FetchError."""
    try:
        return _wait_for_data(request, request.params, request.last_headers)
    except FetchError as error:
        if error.status != _TOO_LARGE or request.fetch.split is None:
            raise
    ((dimension, values),) = request.fetch.split.items()
    slices = [_wait_for_data(request, {**request.params, **_slice_query(request.url, dimension, value)}) for value in values]
    return _join(slices, request)


def _slice_query(url: str, dimension: str, value: str) -> dict[str, str]:
    """Return the query parameters that select one value of a dimension."""
    if "/sdmx/2.1/" not in url:
        return {dimension: value}
    if dimension != "time":
        raise FetchError(f"{url}: SDMX 2.1 can be split by time only; use the statistics API to split by {dimension}")
    return {"startPeriod": value, "endPeriod": value}


def _wait_for_data(request: ProtocolRequest, params: dict[str, str], last_headers: dict[str, str] | None = None) -> Download:
    """Return the data. Where Eurostat prepares them first, poll until they are ready."""
    deadline = time.monotonic() + request.limits.poll_timeout
    response = request.get(request.url, params, last_headers=last_headers)
    job, asked_for_data = "", False
    base = request.url.split("/dissemination/", 1)[0] + "/dissemination/1.0/async"
    while True:
        status, response_job = _async_status(response)
        if status is None:
            return replace(response, final_url=request.url)
        job = response_job or job
        if status not in (*_RUNNING, _AVAILABLE, _ASK_AGAIN):
            raise FetchError(f"{request.url}: Eurostat reports: {status[:50]}")
        if time.monotonic() > deadline:
            raise FetchError(f"{request.url}: not ready after {request.limits.poll_timeout:.0f} s ({status})")
        if status != _AVAILABLE or asked_for_data:
            time.sleep(request.limits.poll_interval)
        asked_for_data = status == _AVAILABLE
        if asked_for_data:
            response = request.get(f"{base}/data/{job}")
        else:
            response = request.get(request.url, params) if status == _ASK_AGAIN else request.get(f"{base}/status/{job}")


def _async_status(response: Download) -> tuple[str | None, str]:
    """Return the status and the job of an asynchronous response; (None, "") for data."""
    if response.path is None:
        return None, ""
    with response.path.open("rb") as file:
        head = file.read(4096)
    if head.lstrip().startswith(b"<") and _ENVELOPE.search(head) and (status := _STATUS.search(head)):
        job = _JOB.search(head)
        return status[1].decode(), job[1].decode() if job else ""
    if response.size < 4096 and b"ASYNCHRONOUS_RESPONSE" in head:
        return _ASK_AGAIN, ""
    return None, ""


def _join(slices: list[Download], request: ProtocolRequest) -> Download:
    """Join the slices into one file: JSON documents as a list, tables under one header."""
    blocks = [part.path.read_bytes() for part in slices if part.path is not None]
    if all(block.lstrip()[:1] == b"{" for block in blocks):
        content = b"[" + b",\n".join(block.strip() for block in blocks) + b"]\n"
    else:
        headers = {block.split(b"\n", 1)[0].strip() for block in blocks}
        if len(headers) != 1:
            raise FetchError(f"{request.url}: the slices have different columns; request JSON-stat or SDMX-CSV instead")
        bodies = [block.split(b"\n", 1)[1] if b"\n" in block else b"" for block in blocks]
        content = headers.pop() + b"\n" + b"".join(body if body.endswith(b"\n") or not body else body + b"\n" for body in bodies)
    path = request.folder / "slices"
    path.write_bytes(content)
    return Download(path, hashlib.sha256(content).hexdigest(), len(content), request.url, slices[0].media_type)
