"""`zpo2 mcp` over HTTP (streamable HTTP, without sessions), behind checks of every request before its JSON is read.

Web pages of other origins and other names of this machine are refused, so that no page in a browser can ask (DNS rebinding). Bodies that are
large, slow or deeply nested are refused as well. Responses say nothing about the machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import anyio
from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exports.serve.mcp_server import server
from pipelines.core.connections import ConnectionLimits, guarded

PATH = "/mcp"
LARGEST_BODY = 256 << 10
"""Bytes of a request. The longest question of the tools, 300 places with long names, needs less."""
DEEPEST_JSON = 32
LONGEST_WAIT = 20.0
"""Seconds in which the body of a request must have come."""
MOST_CONNECTIONS = 64
WAITING = ConnectionLimits(idle_timeout=5, per_client=MOST_CONNECTIONS // 2, total=MOST_CONNECTIONS // 2)
"""Connections that wait for their clients leave room for questions."""
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def allowed(port: int, names: Sequence[str] = ()) -> TransportSecuritySettings:
    """Return which Host and Origin are accepted: this machine's loopback names at `port`, and `names` as behind a proxy."""
    hosts = [f"{name}:{port}" for name in LOOPBACK]
    origins = [f"http://{host}" for host in hosts]
    for name in names:
        hosts += [name, f"{name}:{port}"]
        origins += [f"https://{name}", f"http://{name}", f"http://{name}:{port}"]
    return TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=origins)


def application(folder: Path, security: TransportSecuritySettings) -> ASGIApp:
    """Return the application that answers at PATH. Raises ReleaseError."""
    app = server(folder).streamable_http_app(
        streamable_http_path=PATH, json_response=True, stateless_http=True, max_request_body_size=LARGEST_BODY, transport_security=security
    )
    return Guard(app, security)


class Guard:
    """Refuses requests before the application sees them: 405, 421 (Host), 403 (Origin), 413, 408 and 400 for JSON that is nested too deeply."""

    def __init__(self, app: ASGIApp, security: TransportSecuritySettings) -> None:
        self._app = app
        self._names = TransportSecurityMiddleware(security)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            body = await self._checked(scope, receive)
            if isinstance(body, Response):
                await body(scope, receive, send)
            else:
                await self._app(scope, _replay(body, receive), send)

    async def _checked(self, scope: Scope, receive: Receive) -> bytes | Response:
        """Return the body of a request, or the response that refuses it."""
        if (refused := await self._names.validate_request(Request(scope))) is not None:
            return refused
        if scope["method"] != "POST":
            return PlainTextResponse("Only POST is served here.\n", status_code=405, headers={"allow": "POST"})
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and (len(declared) > 12 or int(declared) > LARGEST_BODY):
            return _too_large()
        body = bytearray()
        with anyio.move_on_after(LONGEST_WAIT) as waiting:
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return PlainTextResponse("The request ended early.\n", status_code=400)
                body += message.get("body", b"")
                if len(body) > LARGEST_BODY:
                    return _too_large()
                more = message.get("more_body", False)
        if waiting.cancelled_caught:
            return PlainTextResponse("The request took too long.\n", status_code=408, headers={"connection": "close"})
        if depth(bytes(body)) > DEEPEST_JSON:
            return PlainTextResponse(f"JSON may be nested {DEEPEST_JSON} levels deep.\n", status_code=400)
        return bytes(body)


def _too_large() -> Response:
    return PlainTextResponse(f"A request may have {LARGEST_BODY} bytes.\n", status_code=413, headers={"connection": "close"})


def depth(body: bytes) -> int:
    """Return how deeply arrays and objects are nested in JSON; brackets inside of texts do not count. Takes one look at each byte."""
    deepest = level = 0
    in_text = escaped = False
    for sign in body:
        if in_text:
            in_text = escaped or sign != ord('"')
            escaped = not escaped and sign == ord("\\")
        elif sign == ord('"'):
            in_text = True
        elif sign in b"[{":
            level += 1
            deepest = max(deepest, level)
        elif sign in b"]}":
            level -= 1
    return deepest


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a channel that gives the body once more, and then what comes after it."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


def serve(folder: Path, host: str, port: int, names: Sequence[str] = ()) -> None:
    """Answer at http://host:port/mcp until the process is interrupted. Raises ReleaseError."""
    import uvicorn

    app = application(folder, allowed(port, names))
    uvicorn.run(
        app, host=host, port=port, log_level="error", access_log=False, server_header=False, limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=5, ws="none", proxy_headers=False, http=guarded(WAITING), use_colors=False,
    )  # fmt: skip
