"""The receiver of pushed events as a web application: who may push, how much, and that nothing is acknowledged before it is on the disk.

`POST /events` takes CloudEvents; `GET /health` tells how many wait. Nothing is interpreted beyond the type, which must be one that a source
of the pack declares.
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
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipelines.core import logs
from pipelines.extract.cloudevents import drain
from pipelines.extract.cloudevents.parsing import CloudEvent, MalformedError, parse
from pipelines.extract.cloudevents.queue import Outcome, Queue
from pipelines.packs.workspace import Workspace

SECRET = "ZPO2_SECRET_EVENTS"
SHORTEST_SECRET = 16
RECOUNT = 1.0  # seconds between two counts of what waits
CONCURRENT = 200  # requests and connections at a time
SIGNATURE = "x-signature-256"
_CHARSET = re.compile(r"sha256=([0-9a-f]{64})", re.IGNORECASE)
Told = Callable[[list[Outcome] | sqlite3.Error], object]
_log = logging.getLogger("zpo2.events")


@dataclass(frozen=True)
class Bounds:
    """How much the receiver takes."""

    body: int = 4 * 1024**2  # bytes of a request
    event: int = 256 * 1024  # characters of the data of an event
    batch: int = 1_000  # events of a request
    per_second: float = 500  # requests, on average
    burst: int = 1_000  # requests at once
    backlog: int = 1_000_000  # events that wait for a run
    patience: float = 30  # seconds in which a body must have come
    commit: int = 2_000  # events of one transaction


class Rate:
    """A bucket of tokens that fills again with time."""

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_second, self.burst, self._clock = per_second, burst, clock
        self._tokens, self._at = float(burst), clock()

    def take(self) -> float:
        """Take a token and return 0, or the seconds until there is one."""
        now = self._clock()
        self._tokens = min(self.burst, self._tokens + (now - self._at) * self.per_second)
        self._at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self.per_second


class Writer:
    """The one thread that writes to the queue: whatever waits is one transaction, so that one flush to the disk serves many requests."""

    def __init__(self, path: Path, most: int) -> None:
        self._path, self._most = path, most
        self._jobs: queues.SimpleQueue[tuple[Sequence[CloudEvent], Told] | None]
        self._jobs = queues.SimpleQueue()
        self.backlog = 0  # as it was when it was last counted
        self._counted = float("-inf")
        self._thread = threading.Thread(target=self._work, name="events-writer")

    def start(self) -> None:
        Queue(self._path).close()  # a queue that cannot be opened is told before anybody is served
        self._thread.start()

    def stop(self) -> None:
        """Write what was handed over, then end."""
        self._jobs.put(None)
        self._thread.join()

    def put(self, events: Sequence[CloudEvent], done: Told) -> None:
        """Have `events` written; `done` is called in the writer's thread with their outcomes, or with what the database said."""
        self._jobs.put((events, done))

    def _work(self) -> None:
        with Queue(self._path) as queue:
            self.backlog = queue.waiting()[0]
            last = False
            while not last:
                jobs = [self._jobs.get()]
                while sum(len(j[0]) for j in jobs if j) < self._most and not self._jobs.empty():
                    jobs.append(self._jobs.get())
                last = None in jobs
                self._write(queue, [job for job in jobs if job])

    def _write(self, queue: Queue, jobs: list[tuple[Sequence[CloudEvent], Told]]) -> None:
        if not jobs:
            return
        try:
            outcomes = iter(queue.put([event for events, _ in jobs for event in events], datetime.now(UTC)))
            if time.monotonic() - self._counted > RECOUNT:
                self._counted, self.backlog = time.monotonic(), queue.waiting()[0]
        except sqlite3.Error as error:
            _log.error("the queue cannot be written", extra={"error": str(error)})
            for _, done in jobs:
                done(error)
            return
        for events, done in jobs:
            done([next(outcomes) for _ in events])


def application(path: Path, types: Mapping[str, bool], secrets: Sequence[str], bounds: Bounds | None = None) -> Starlette:
    """Return the application that writes to the queue in the file `path`.

    `types` are those that sources of the pack declare, and whether such events carry records; `secrets` those that may be shown as a
    bearer token or used for signatures. Raises ValueError where a secret is too short to be one.
    """
    limits = bounds or Bounds()
    weak = [s for s in secrets if len(s) < SHORTEST_SECRET]
    if not secrets or weak:
        raise ValueError(f"{SECRET}: a secret of at least {SHORTEST_SECRET} characters is due")
    writer, rate = Writer(path, limits.commit), Rate(limits.per_second, limits.burst)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        writer.start()
        yield
        await asyncio.to_thread(writer.stop)

    async def events(request: Request) -> Response:
        body = await _body(request, limits)
        if not _may_push(request, body, secrets):
            return _refusal(401, "a bearer token or a signature is due", {"www-authenticate": "Bearer"})
        wait = rate.take()
        if wait:
            return _refusal(429, "too many requests", {"retry-after": str(max(1, round(wait)))})
        if writer.backlog >= limits.backlog:
            return _refusal(503, f"{writer.backlog} events wait for a run already", {"retry-after": "60"})
        try:
            found = parse({name.lower(): value for name, value in request.headers.items()}, body)
        except MalformedError as error:
            return _refusal(400, str(error))
        if len(found) > limits.batch:
            return _refusal(413, f"{len(found)} events, at most {limits.batch} are taken at once")
        judged = [_judged(item, types, limits) for item in found]
        good = [event for event in judged if isinstance(event, CloudEvent)]
        answer: asyncio.Future[list[Outcome] | sqlite3.Error] = asyncio.get_running_loop().create_future()
        loop = asyncio.get_running_loop()
        if good:
            writer.put(good, lambda outcomes: loop.call_soon_threadsafe(_tell, answer, outcomes))
        else:
            answer.set_result([])
        outcomes = await asyncio.shield(answer)
        if isinstance(outcomes, sqlite3.Error):
            return _refusal(503, "the queue cannot be written now", {"retry-after": "30"})
        return _answer(judged, outcomes)

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok", "waiting": writer.backlog})

    routes = [Route("/events", events, methods=["POST"]), Route("/health", health)]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={HTTPException: _told})


def serve(workspace: Workspace, host: str, port: int, bounds: Bounds | None = None) -> None:
    """Receive events for a pack until the process is told to end. Raises ValueError where the secret is missing or too short."""
    import uvicorn  # takes a quarter of a second to load

    logs.open_log(workspace)
    secrets = os.environ.get(SECRET, "").split()
    app = application(workspace.queue, drain.types(workspace.pack), secrets, bounds)
    print(f"http://{host}:{port}/events  (Ctrl+C stops)", flush=True)
    uvicorn.run(
        app, host=host, port=port, log_level="warning", access_log=False, server_header=False, limit_concurrency=CONCURRENT, lifespan="on",
        timeout_keep_alive=30,
    )  # fmt: skip


async def _told(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _refusal(error.status_code, error.detail, dict(error.headers or {}))


async def _body(request: Request, limits: Bounds) -> bytes:
    """Return the body. Raises HTTPException where it is too large, too slow, or packed."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(415, "packed bodies are not taken")
    due = request.headers.get("content-length", "")
    if due.isdecimal() and int(due) > limits.body:
        raise HTTPException(413, f"at most {limits.body} bytes are taken", {"connection": "close"})
    chunks, size = [], 0
    try:
        async with asyncio.timeout(limits.patience):
            async for chunk in request.stream():
                size += len(chunk)
                if size > limits.body:
                    raise HTTPException(413, f"at most {limits.body} bytes are taken", {"connection": "close"})
                chunks.append(chunk)
    except TimeoutError:
        raise HTTPException(408, f"the body did not come within {limits.patience:.0f} s", {"connection": "close"}) from None
    return b"".join(chunks)


def signed(headers: Sequence[tuple[str, str]], body: bytes) -> bytes:
    """Return what a signature covers: in binary mode the lines `name:value` of the ce- headers, sorted, and an empty line; then the body."""
    lines = sorted(f"{name.lower()}:{value}\n" for name, value in headers if name.lower().startswith("ce-"))
    return ("".join(lines) + "\n" if lines else "").encode() + body


def _may_push(request: Request, body: bytes, secrets: Sequence[str]) -> bool:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return any(hmac.compare_digest(token.strip().encode(), secret.encode()) for secret in secrets)
    given = _CHARSET.fullmatch(request.headers.get(SIGNATURE, "").strip())
    if given is None:
        return False
    message = signed(request.headers.items(), body)
    wanted = [hmac.new(secret.encode(), message, hashlib.sha256).hexdigest() for secret in secrets]
    return any(hmac.compare_digest(given[1].lower(), digest) for digest in wanted)


def _judged(item: CloudEvent | MalformedError, types: Mapping[str, bool], limits: Bounds) -> CloudEvent | str:
    """Return the event, or why it is not taken."""
    if isinstance(item, MalformedError):
        return str(item)
    if item.type not in types:
        return f"type {item.type}: no source takes such events"
    if len(item.data or "") > limits.event:
        return f"data: more than {limits.event} characters"
    if types[item.type] and item.data is None and not item.subject:
        return "data: missing, and there is no subject whose record it could take away"
    if types[item.type] and item.data is not None and not item.data.startswith("{"):
        return "data: a record is a JSON object"
    return item


def _tell(answer: asyncio.Future[Any], outcomes: list[Outcome] | sqlite3.Error) -> None:
    if not answer.done():
        answer.set_result(outcomes)


def _answer(judged: Sequence[CloudEvent | str], outcomes: Sequence[Outcome]) -> Response:
    """Say what became of each event: 202 where at least one was taken, or was known already; else 409 or 400."""
    known = iter(outcomes)
    refused: list[dict[str, Any]] = []
    counts = dict.fromkeys(("accepted", "duplicate"), 0)
    for i, item in enumerate(judged):
        outcome = next(known) if isinstance(item, CloudEvent) else None
        if outcome is None:
            refused.append({"event": i, "reason": item})
        elif outcome is Outcome.CONFLICT:
            refused.append({"event": i, "reason": "its source and id are those of an earlier event with other content", "conflict": True})
        else:
            counts[outcome.value] += 1
    content: dict[str, Any] = {"accepted": counts["accepted"], "duplicates": counts["duplicate"], "refused": refused}
    if refused:
        _log.warning("events were refused", extra={"refused": refused[:20], "count": len(refused)})
    if counts["accepted"] or counts["duplicate"] or not judged:
        return JSONResponse(content, status_code=202)
    return JSONResponse(content, status_code=409 if all("conflict" in r for r in refused) else 400)


def _refusal(status: int, reason: str, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps({"error": reason}) + "\n", status, headers=headers, media_type="application/json")
