"""Eurostat's dissemination API: answers that are prepared first, and extractions that are too big and come in slices.

Shape: ec.europa.eu/eurostat/web/user-guides/data-browser/api-data-access.
"""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import replace

from pipelines.extract.http.request import FetchError, Received
from pipelines.extract.protocols.request import Question

_ENVELOPE = re.compile(rb"<(?:\w+:)?(?:queued|status|Envelope)\b")
_QUEUED = re.compile(rb"<(?:\w+:)?id>\s*([A-Za-z0-9-]{1,128})\s*</")
_STATUS = re.compile(rb"<(?:\w+:)?status>\s*([A-Z_]+)\s*</")


def receive(question: Question) -> Received:
    try:
        return _ready(question, question.params, question.known)
    except FetchError as error:
        if error.status != 413 or question.fetch.split is None:
            raise
    ((dimension, values),) = question.fetch.split.items()
    parts = [_ready(question, {**question.params, **_slice(question.url, dimension, value)}) for value in values]
    return _bound(parts, question)


def _slice(url: str, dimension: str, value: str) -> dict[str, str]:
    """Return the query that asks for one value of a dimension."""
    if "/sdmx/2.1/" not in url:
        return {dimension: value}
    if dimension != "time":
        raise FetchError(f"{url}: SDMX 2.1 is split by time only; ask the statistics API for a split by {dimension}")
    return {"startPeriod": value, "endPeriod": value}


def _ready(question: Question, params: dict[str, str], known: dict[str, str] | None = None) -> Received:
    """Return the data, waiting for them where Eurostat prepares them first."""
    deadline = time.monotonic() + question.limits.polling
    received = question.ask(question.url, params, known=known)
    job = ""
    base = question.url.split("/dissemination/", 1)[0] + "/dissemination/1.0/async"
    while True:
        state, found = _state(received)
        if state is None:
            return replace(received, final_url=question.url)
        job = found or job
        if state == "AVAILABLE":
            received = question.ask(f"{base}/data/{job}")
            continue
        if state not in ("SUBMITTED", "PROCESSING", "DATA_NOT_YET_AVAILABLE", "LATER"):
            raise FetchError(f"{question.url}: Eurostat says: {state}")
        if time.monotonic() > deadline:
            raise FetchError(f"{question.url}: not ready after {question.limits.polling:.0f} s ({state})")
        time.sleep(question.limits.poll)
        received = question.ask(question.url, params) if state == "LATER" else question.ask(f"{base}/status/{job}")


def _state(received: Received) -> tuple[str | None, str]:
    """Return (state, job) of an asynchronous answer; (None, "") of data."""
    if received.path is None:
        return None, ""
    with received.path.open("rb") as file:
        head = file.read(4096)
    if head.lstrip().startswith(b"<") and _ENVELOPE.search(head) and (status := _STATUS.search(head)):
        job = _QUEUED.search(head)
        return status[1].decode(), job[1].decode() if job else ""
    if received.size < 4096 and b"ASYNCHRONOUS_RESPONSE" in head:
        return "LATER", ""
    return None, ""


def _bound(parts: list[Received], question: Question) -> Received:
    """Bind the slices to one file: JSON documents as a list, tables under one header."""
    blocks = [part.path.read_bytes() for part in parts if part.path is not None]
    if all(block.lstrip()[:1] == b"{" for block in blocks):
        whole = b"[" + b",\n".join(block.strip() for block in blocks) + b"]\n"
    else:
        heads = {block.split(b"\n", 1)[0].strip() for block in blocks}
        if len(heads) != 1:
            raise FetchError(f"{question.url}: its slices have different columns; ask for JSON-stat or SDMX-CSV")
        bodies = [block.split(b"\n", 1)[1] if b"\n" in block else b"" for block in blocks]
        whole = heads.pop() + b"\n" + b"".join(body if body.endswith(b"\n") or not body else body + b"\n" for body in bodies)
    path = question.folder / "slices"
    path.write_bytes(whole)
    return Received(path, hashlib.sha256(whole).hexdigest(), len(whole), question.url, parts[0].media_type)
