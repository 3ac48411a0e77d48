"""Eurostat's dissemination API: responses that the server prepares first, and extractions that are too large and are fetched in slices.

Shape: ec.europa.eu/eurostat/web/user-guides/data-browser/api-data-access.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pipelines.extract.http.request import Download, FetchError
from pipelines.extract.protocols.request import ProtocolRequest

_ENVELOPE = re.compile(rb"<(?:\w+:)?(?:queued|status|Envelope)\b")
_JOB = re.compile(rb"<(?:\w+:)?id>\s*([A-Za-z0-9-]{1,128})\s*</")
_STATUS = re.compile(rb"<(?:\w+:)?status>\s*([A-Z_]+)\s*</")
_TOO_LARGE = 413
_HEAD = 1 << 20  # bytes of a slice that show what it is
_BLOCK = 1 << 16
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
    slices: list[Download] = []
    for value in values:
        slices.append(_wait_for_data(request, {**request.params, **_slice_query(request.url, dimension, value)}))
        if sum(part.size for part in slices) > request.limits.max_bytes:
            raise FetchError(f"{request.url}: more than {request.limits.max_bytes} bytes in all slices")
    return _join([part.path for part in slices if part.path is not None], slices[0].media_type, request)


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


def _join(slices: list[Path], media_type: str, request: ProtocolRequest) -> Download:
    """Join the slices into one file: JSON documents as a list, tables under one header. No slice is read into memory."""
    heads = [_read(path, 0, _HEAD) for path in slices]
    are_documents = all(head.lstrip()[:1] == b"{" for head in heads)
    headers = {head.split(b"\n", 1)[0].strip() for head in heads}
    if not are_documents and len(headers) != 1:
        raise FetchError(f"{request.url}: the slices have different columns; request JSON-stat or SDMX-CSV instead")
    joined, sha256, size = request.folder / "slices", hashlib.sha256(), 0
    with joined.open("wb") as file:
        for block in _documents(slices) if are_documents else _table(headers.pop(), slices):
            size += len(block)
            sha256.update(block)
            file.write(block)
    return Download(joined, sha256.hexdigest(), size, request.url, media_type)


def _documents(slices: list[Path]) -> Iterator[bytes]:
    for i, path in enumerate(slices):
        yield b",\n" if i else b"["
        end = path.stat().st_size
        while end and not (last := _read(path, max(0, end - _BLOCK), end).rstrip()):
            end = max(0, end - _BLOCK)
        end = max(0, end - _BLOCK) + len(last) if end else 0
        is_first = True
        for start in range(0, end, _BLOCK):
            block = _read(path, start, min(end, start + _BLOCK))
            block = block.lstrip() if is_first else block
            is_first = not block
            yield block
    yield b"]\n"


def _table(header: bytes, slices: list[Path]) -> Iterator[bytes]:
    yield header + b"\n"
    for path in slices:
        with path.open("rb") as file:
            while (line := file.readline(_BLOCK)) and not line.endswith(b"\n"):
                pass
            last = b""
            while block := file.read(_BLOCK):
                yield block
                last = block[-1:]
            yield b"\n" if last not in (b"", b"\n") else b""


def _read(path: Path, start: int, end: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(end - start)
