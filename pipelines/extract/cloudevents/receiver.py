"""The receiver of pushed events, a web application: who may push, and how much. Acknowledges an event only once it is on disk.

`POST /events` accepts CloudEvents; `GET /health` reports how many wait. Only the type of an event is interpreted: a source of the pack must
declare it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import os
import queue as queues
import re
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipelines.core import logs
from pipelines.core.connections import ConnectionLimits, guarded
from pipelines.core.errors import UsageError
from pipelines.extract.cloudevents.parsing import CloudEvent, InvalidCloudEvent, parse
from pipelines.extract.cloudevents.queue import Outcome, Queue
from pipelines.extract.cloudevents.segments import event_types
from pipelines.packs.workspace import Workspace

if TYPE_CHECKING:
    import uvicorn

SECRET = "ZPO2_SECRET_EVENTS"
MIN_SECRET = 16  # characters
RECOUNT_SECONDS = 1.0  # between two counts of the waiting events
SIGNATURE = "x-signature-256"
_SIGNATURE_VALUE = re.compile(r"sha256=([0-9a-f]{64})", re.IGNORECASE)
_CLOSE = {"connection": "close"}
_MAX_DIGITS = 18  # of a stated length
OnWritten = Callable[[list[Outcome] | sqlite3.Error], object]
_log = logging.getLogger("zpo2.events")


class WeakSecret(UsageError, ValueError):
    """The secret of those who push is missing or too short."""


@dataclass(frozen=True)
class Bounds:
    """How much the receiver accepts."""

    body: int = 4 * 1024**2  # bytes per request
    event: int = 256 * 1024  # characters of the data of one event
    depth: int = 32  # levels of objects and lists in the data of a record; the readers read no more
    keys: int = 5_000  # keys in the data of a record; likewise
    batch: int = 1_000  # events per request
    per_second: float = 500  # requests, on average
    burst: int = 1_000  # requests at once
    backlog: int = 1_000_000  # events that wait for a run
    body_timeout: float = 30  # seconds until the whole body must have arrived
    buffered: int = 128 * 1024**2  # bytes of all bodies that are arriving
    concurrent: int = 200  # requests whose events are being written
    commit: int = 2_000  # events per transaction


class TokenBucket:
    """A rate limit: each request takes a token, and tokens are refilled with time."""

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_second, self.burst, self._clock = per_second, burst, clock
        self._tokens, self._at = float(burst), clock()

    def take(self) -> float:
        """Take a token and return 0; if there is none, return the seconds until there is one."""
        now = self._clock()
        self._tokens = min(self.burst, self._tokens + (now - self._at) * self.per_second)
        self._at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self.per_second


class Writer:
    """The only thread that writes to the queue. All waiting requests are one transaction, so that one flush to disk serves many requests."""

    def __init__(self, path: Path, max_events: int) -> None:
        self._path, self._max_events = path, max_events
        self._jobs: queues.SimpleQueue[tuple[Sequence[CloudEvent], OnWritten] | None] = queues.SimpleQueue()
        self.backlog = 0  # waiting events at the last count
        self._counted = float("-inf")
        self._thread = threading.Thread(target=self._work, name="events-writer")

    def start(self) -> None:
        Queue(self._path).close()  # fail before the first request where the queue cannot be opened
        self._thread.start()

    def stop(self) -> None:
        """Write the remaining events, then end."""
        self._jobs.put(None)
        self._thread.join()

    def put(self, events: Sequence[CloudEvent], on_written: OnWritten) -> None:
        """Write `events` later; `on_written` is called in the writer's thread with their outcomes, or with the database's error."""
        self._jobs.put((events, on_written))

    def _work(self) -> None:
        with Queue(self._path) as queue:
            self.backlog = queue.waiting()[0]
            last = False
            while not last:
                jobs = [self._jobs.get()]
                while sum(len(j[0]) for j in jobs if j) < self._max_events and not self._jobs.empty():
                    jobs.append(self._jobs.get())
                last = None in jobs
                self._write(queue, [job for job in jobs if job])

    def _write(self, queue: Queue, jobs: list[tuple[Sequence[CloudEvent], OnWritten]]) -> None:
        if not jobs:
            return
        try:
            outcomes = iter(queue.put([event for events, _ in jobs for event in events], datetime.now(UTC)))
            if time.monotonic() - self._counted > RECOUNT_SECONDS:
                self._counted, self.backlog = time.monotonic(), queue.waiting()[0]
        except sqlite3.Error as error:
            _log.error("the queue cannot be written", extra={"error": str(error)})
            for _, on_written in jobs:
                on_written(error)
            return
        for events, on_written in jobs:
            on_written([next(outcomes) for _ in events])


def application(path: Path, types: Mapping[str, bool], secrets: Sequence[str], bounds: Bounds | None = None) -> Starlette:
    """Return the application that writes to the queue in the file `path`.

    `types` are the event types that sources of the pack declare, each with whether its events carry records. Any of the `secrets` may be
    sent as a bearer token or used for signatures. Raises WeakSecret.
    """
    limits = bounds or Bounds()
    weak = [s for s in secrets if len(s) < MIN_SECRET]
    if not secrets or weak:
        raise WeakSecret(f"{SECRET}: expected a secret of at least {MIN_SECRET} characters")
    writer, rate_limit = Writer(path, limits.commit), TokenBucket(limits.per_second, limits.burst)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        writer.start()
        yield
        await asyncio.to_thread(writer.stop)

    bodies, active = _Bodies(limits), 0

    async def events(request: Request) -> Response:
        nonlocal active
        if not _may_be_authorised(request, secrets):
            return _unauthorised({"connection": "close"})  # its body is not read
        body = await bodies.read(request)
        if not _is_authorised(request, body, secrets):
            return _unauthorised({})
        if active >= limits.concurrent:
            return _error(503, "too many requests at a time", {"retry-after": "1"})
        active += 1
        try:
            return await accept(request, body)
        finally:
            active -= 1

    async def accept(request: Request, body: bytes) -> Response:
        seconds = rate_limit.take()
        if seconds:
            return _error(429, "too many requests", {"retry-after": str(max(1, round(seconds)))})
        if writer.backlog >= limits.backlog:
            return _error(503, f"{writer.backlog} events are already waiting for a run", {"retry-after": "60"})
        try:
            parsed = parse({name.lower(): value for name, value in request.headers.items()}, body)
        except InvalidCloudEvent as error:
            return _error(400, str(error))
        if len(parsed) > limits.batch:
            return _error(413, f"{len(parsed)} events; the limit is {limits.batch} events per request")
        checked = [_check(item, types, limits) for item in parsed]
        valid = [event for event in checked if isinstance(event, CloudEvent)]
        loop = asyncio.get_running_loop()
        written: asyncio.Future[list[Outcome] | sqlite3.Error] = loop.create_future()
        if valid:
            writer.put(valid, lambda outcomes: loop.call_soon_threadsafe(_resolve, written, outcomes))
        else:
            written.set_result([])
        outcomes = await asyncio.shield(written)
        if isinstance(outcomes, sqlite3.Error):
            return _error(503, "the queue cannot be written at the moment", {"retry-after": "30"})
        return _response(checked, outcomes)

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok", "waiting": writer.backlog})

    routes = [Route("/events", events, methods=["POST"]), Route("/health", health)]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={HTTPException: _http_error})


def serve(workspace: Workspace, host: str, port: int, bounds: Bounds | None = None) -> None:
    """Receive events for a pack until the process is stopped. Raises WeakSecret where the secret is missing or too short."""
    import uvicorn  # takes a quarter of a second to load

    logs.open_log(workspace)
    Queue(workspace.queue).close()  # a damaged queue is reported before the server starts
    secrets = os.environ.get(SECRET, "").split()
    app = application(workspace.queue, event_types(workspace.pack), secrets, bounds)
    print(f"http://{host}:{port}/events  (Ctrl+C stops)", flush=True)
    uvicorn.Server(configuration(app, host=host, port=port, log_level="error")).run()


def configuration(app: Starlette, connections: ConnectionLimits | None = None, **options: Any) -> uvicorn.Config:
    """Return how uvicorn runs the application: with limits on the connections that wait for their clients, so that none blocks the others."""
    import uvicorn

    bounds = connections or ConnectionLimits()
    return uvicorn.Config(
        app, http=guarded(bounds), ws="none", access_log=False, server_header=False, lifespan="on",
        use_colors=False, timeout_keep_alive=round(bounds.idle_timeout), **options,
    )  # fmt: skip


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _error(error.status_code, error.detail, dict(error.headers or {}))


class _Bodies:
    """Reads the bodies of requests, each within its limits and all within one of the memory."""

    def __init__(self, limits: Bounds) -> None:
        self._limits = limits
        self._buffered = 0

    async def read(self, request: Request) -> bytes:
        """Return the body. Raises HTTPException where it is too large, too slow, or compressed, or where too many others are arriving."""
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise HTTPException(415, "compressed bodies are not supported", _CLOSE)
        length = request.headers.get("content-length", "")
        if length.isdecimal() and (len(length) > _MAX_DIGITS or int(length) > self._limits.body):
            raise HTTPException(413, f"the limit is {self._limits.body} bytes", _CLOSE)
        chunks: list[bytes] = []
        try:
            async with asyncio.timeout(self._limits.body_timeout):
                await self._receive(request, chunks)
            return b"".join(chunks)
        except TimeoutError:
            raise HTTPException(408, f"the body did not arrive within {self._limits.body_timeout:.0f} s", _CLOSE) from None
        except ClientDisconnect:
            raise HTTPException(400, "the body was cut off", _CLOSE) from None
        finally:
            self._buffered -= sum(map(len, chunks))

    async def _receive(self, request: Request, chunks: list[bytes]) -> None:
        size = 0
        async for chunk in request.stream():
            chunks.append(chunk)
            size += len(chunk)
            self._buffered += len(chunk)
            if size > self._limits.body:
                raise HTTPException(413, f"the limit is {self._limits.body} bytes", _CLOSE)
            if self._buffered > self._limits.buffered:
                raise HTTPException(503, "too many bodies at a time", {**_CLOSE, "retry-after": "5"})


def signed_content(headers: Sequence[tuple[str, str]], body: bytes) -> bytes:
    """Return the bytes that a signature covers: for a binary event the sorted lines `name:value` of its ce- headers and an empty line; then
    the body."""
    lines = sorted(f"{name.lower()}:{value}\n" for name, value in headers if name.lower().startswith("ce-"))
    return ("".join(lines) + "\n" if lines else "").encode() + body


def _may_be_authorised(request: Request, secrets: Sequence[str]) -> bool:
    """Whether the head of a request has a valid token, or a signature that only its body can confirm."""
    if request.headers.get("authorization", "").partition(" ")[0].lower() == "bearer":
        return _is_authorised(request, b"", secrets)
    return _SIGNATURE_VALUE.fullmatch(request.headers.get(SIGNATURE, "").strip()) is not None


def _unauthorised(headers: dict[str, str]) -> Response:
    return _error(401, "expected a valid bearer token or signature", {"www-authenticate": "Bearer", **headers})


def _is_authorised(request: Request, body: bytes, secrets: Sequence[str]) -> bool:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return any(hmac.compare_digest(token.strip().encode(), secret.encode()) for secret in secrets)
    signature = _SIGNATURE_VALUE.fullmatch(request.headers.get(SIGNATURE, "").strip())
    if signature is None:
        return False
    content = signed_content(request.headers.items(), body)
    expected = [hmac.new(secret.encode(), content, hashlib.sha256).hexdigest() for secret in secrets]
    return any(hmac.compare_digest(signature[1].lower(), digest) for digest in expected)


def _check(item: CloudEvent | InvalidCloudEvent, types: Mapping[str, bool], limits: Bounds) -> CloudEvent | str:
    """Return the event, or why it is refused."""
    if isinstance(item, InvalidCloudEvent):
        return str(item)
    return _fault(item, types, limits) or item


def _fault(item: CloudEvent, types: Mapping[str, bool], limits: Bounds) -> str | None:
    """Return why a valid CloudEvent is refused, None where it is accepted."""
    if item.type not in types:
        return f"type {item.type}: no source declares this type"
    if len(item.data or "") > limits.event:
        return f"data: more than {limits.event} characters"
    if types[item.type] and item.data is None and not item.subject:
        return "data: missing; an event that deletes a record needs a subject"
    if types[item.type] and item.data is not None and not item.data.startswith("{"):
        return "data: expected a JSON object as the record"
    return _shape_fault(json.loads(item.data), limits) if types[item.type] and item.data is not None else None


def _shape_fault(record: Any, limits: Bounds) -> str | None:
    """Return why the readers could not read a record: it is nested too deeply, or has too many keys."""
    level, keys = [record], 0
    for _ in range(limits.depth + 1):
        keys += sum(len(value) for value in level if isinstance(value, dict))
        level = [
            item for value in level if isinstance(value, dict | list) for item in (value.values() if isinstance(value, dict) else value)
        ]
        if keys > limits.keys:
            return f"data: more than {limits.keys} keys"
    return f"data: nested more than {limits.depth} deep" if level else None


def _resolve(written: asyncio.Future[Any], outcomes: list[Outcome] | sqlite3.Error) -> None:
    if not written.done():
        written.set_result(outcomes)


def _response(checked: Sequence[CloudEvent | str], outcomes: Sequence[Outcome]) -> Response:
    """Report the outcome of each event: status 202 where at least one is in the queue, now or since earlier; else 409 or 400."""
    remaining = iter(outcomes)
    refused: list[dict[str, Any]] = []
    counts = dict.fromkeys(("accepted", "duplicate"), 0)
    for i, item in enumerate(checked):
        outcome = next(remaining) if isinstance(item, CloudEvent) else None
        if outcome is None:
            refused.append({"event": i, "reason": item})
        elif outcome is Outcome.CONFLICT:
            refused.append({"event": i, "reason": "an earlier event has the same source and id, but other content", "conflict": True})
        else:
            counts[outcome.value] += 1
    content: dict[str, Any] = {"accepted": counts["accepted"], "duplicates": counts["duplicate"], "refused": refused}
    if refused:
        _log.warning("events were refused", extra={"refused": refused[:20], "count": len(refused)})
    if counts["accepted"] or counts["duplicate"] or not checked:
        return JSONResponse(content, status_code=202)
    return JSONResponse(content, status_code=409 if all("conflict" in r for r in refused) else 400)


def _error(status: int, reason: str, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps({"error": reason}) + "\n", status, headers=headers, media_type="application/json")
