"""Connections of a web server that wait for their client: how long they may, how many one client has, and how a refused request ends.

uvicorn alone waits for ever for the head of a request and for a client that does not read a response, and cuts a connection off while the
client still sends.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import struct
import termios
from collections.abc import Sized
from dataclasses import dataclass
from typing import Any, Protocol, cast


@dataclass(frozen=True)
class ConnectionLimits:
    """How long a server waits for a client, and how many connections may wait."""

    head_timeout: float = 10  # seconds until the head of a request must have arrived
    head: int = 64 * 1024  # bytes of it
    idle_timeout: float = 30  # seconds between a response and the next request
    linger_timeout: float = 10  # seconds in which the rest of a refused body is taken and dropped, so that the client sees the response
    linger: int = 256 * 1024**2  # bytes of it
    read_timeout: float = 30  # seconds in which a client must take some of the response
    read: int = 16 * 1024  # bytes of it
    stop_timeout: float = 5  # seconds in which a response must end once the server stops
    ahead: int = 100  # requests that a client sends before it has the response to an earlier one
    per_client: int = 100  # connections of one address that wait for it; a further one replaces the oldest of them
    total: int = 400  # of all clients; likewise


class _Waiting(Protocol):
    """A connection that waits for its client."""

    host: str

    def drop(self) -> None: ...


class _Register:
    """The connections of a server that wait for their clients, by client, the oldest first. Drops the oldest where there are too many."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._waiting: dict[str, dict[_Waiting, None]] = {}
        self._count = 0

    def add(self, connection: _Waiting) -> None:
        """Note that `connection` waits from now on. One of the client with the most of them goes where there are too many in all."""
        self.remove(connection)
        of_client = self._waiting.setdefault(connection.host, {})
        of_client[connection] = None
        self._count += 1
        if len(of_client) > self._limits.per_client:
            next(iter(of_client)).drop()
        elif self._count > self._limits.total:
            most = max(self._waiting, key=lambda host: len(self._waiting[host]))
            next(iter(self._waiting[most])).drop()

    def remove(self, connection: _Waiting) -> None:
        """Note that `connection` no longer waits, or is closed."""
        of_client = self._waiting.get(connection.host, {})
        if connection in of_client:
            del of_client[connection]
            self._count -= 1
            if not of_client:
                del self._waiting[connection.host]


def guarded(limits: ConnectionLimits | None = None) -> type[asyncio.Protocol]:
    """Return uvicorn's HTTP protocol for one server (`http=` of its configuration), with these limits."""
    from uvicorn.protocols.http.auto import AutoHTTPProtocol

    base: Any = AutoHTTPProtocol
    bounds = limits or ConnectionLimits()
    register = _Register(bounds)

    class Guarded(base):  # type: ignore[misc]
        """A connection: it waits for a head, then for a body, then the application has the request; and so on."""

        def connection_made(self, transport: asyncio.Transport) -> None:
            self.host = str((transport.get_extra_info("peername") or ("",))[0])
            self._timer: asyncio.TimerHandle | None = None
            self._real, self._lingers, self._size = transport, False, 0
            self._unread: int | None = None  # bytes when the client was last seen to read, while it is waited for to read
            super().connection_made(_Transport(transport, self))
            self._expect(bounds.head_timeout)

        def connection_lost(self, error: Exception | None) -> None:
            self._expect(None)
            super().connection_lost(error)

        def data_received(self, data: bytes) -> None:
            self._size += len(data)
            if self._lingers:
                if self._size > bounds.linger:
                    self._real.abort()
                return
            is_new = not self._is_busy() and self._size == len(data)
            super().data_received(data)
            if len(self._ahead()) > bounds.ahead:  # each is in memory
                self._real.abort()
            elif self._is_busy():
                if not self.cycle.more_body and self._unread is None:
                    self._expect(None)
            elif not self._lingers and self._size > bounds.head:
                self.end()  # of a body that the application has not read, the rest is taken
            elif is_new and self._timer is not None:
                self._expect(bounds.head_timeout)

        def on_response_complete(self) -> None:
            self._size = 0
            if not self.transport.is_closing():
                self._expect(bounds.idle_timeout)
            super().on_response_complete()

        def pause_writing(self) -> None:
            super().pause_writing()
            self._expect_reading()

        def resume_writing(self) -> None:
            self._unread = None
            if self._is_busy() and not self._lingers:
                self._expect(bounds.read_timeout if self.cycle.more_body else None)
            super().resume_writing()

        def shutdown(self) -> None:
            """End the connection as the server stops: at once, unless the application has a request and the client reads the response."""
            if self._is_busy() and not self.cycle.more_body and self._unread is None and not self._ahead():
                super().shutdown()
                self.loop.call_later(bounds.stop_timeout, self._real.abort)
            else:
                self._real.abort()

        def end(self) -> None:
            """Close the connection once the client has seen the response: whoever closes while the client sends resets the connection."""
            if self._lingers or self._real.is_closing():
                return
            if self.cycle is None or not self.cycle.more_body:
                self._real.close()
                if self._real.get_write_buffer_size():
                    self._expect_reading()
                return
            self._lingers, self._size = True, 0
            self._real.write_eof()
            self._real.resume_reading()
            self._expect(bounds.linger_timeout)

        @property
        def lingers(self) -> bool:
            return self._lingers

        def drop(self) -> None:
            """Close the connection, whatever the client sends or does not read."""
            register.remove(self)
            self._real.abort() if self._lingers or self._real.get_write_buffer_size() else self._real.close()

        def _ahead(self) -> Sized:
            """Return the requests that wait for the one that is answered; of h11, which reads one at a time, there are none."""
            return cast("Sized", getattr(self, "pipeline", ()))

        def _is_busy(self) -> bool:
            return self.cycle is not None and not self.cycle.response_complete

        def _expect(self, seconds: float | None) -> None:
            """Wait for the client, but no longer than `seconds`; None: it is not the client that is waited for."""
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if seconds is None:
                register.remove(self)
            else:
                self._timer = self.loop.call_later(seconds, self._expire)
                register.add(self)

        def _expect_reading(self) -> None:
            self._unread = self._written()
            self._expect(bounds.read_timeout)

        def _written(self) -> int:
            """Return the bytes of the response that the client has not confirmed."""
            waiting = bytearray(4)
            with contextlib.suppress(OSError, AttributeError):  # no socket, or one that is closed
                fcntl.ioctl(self._real.get_extra_info("socket").fileno(), termios.TIOCOUTQ, waiting)
            return self._real.get_write_buffer_size() + int(struct.unpack("i", waiting)[0])

        def _expire(self) -> None:
            if not self._lingers and self._real.get_write_buffer_size():
                unread = self._written()
                if self._unread is None or self._unread - unread >= bounds.read:
                    self._expect_reading()
                    return
                self.drop()
            elif self._lingers or not self._is_busy():  # the application limits the time for a body, and answers
                self.drop()

    return Guarded


class _Transport:
    """The transport as the protocol sees it: to close it is to end the connection in order, and nothing is written after that.

    An application may answer a request whose body turned out to be invalid, after the protocol has answered it and closed the transport.
    """

    def __init__(self, transport: asyncio.Transport, connection: Any) -> None:
        self._transport, self._connection = transport, connection

    def close(self) -> None:
        self._connection.end()

    def write(self, data: bytes) -> None:
        if not self.is_closing():
            self._transport.write(data)

    def is_closing(self) -> bool:
        return self._connection.lingers or self._transport.is_closing()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
