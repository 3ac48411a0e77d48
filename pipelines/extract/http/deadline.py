"""One deadline for all that is done for a request. Whatever a server sends, or does not send, its connection is closed then.

A timeout of a socket only limits the time between two packets, so a server that sends a byte a second never reaches it. A `Watch` ends every
wait for the server: for an interim answer, a status line, a header, the size of a chunk, a body, a trailer.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import TypeVar

from pipelines.core.errors import Zpo2Error

T = TypeVar("T")


class Overdue(Zpo2Error):
    """The time of a request is over, and nothing more is sent for it."""


class Deadline:
    """When all that is done for one part of a source must have ended: in so many seconds, and not after `of_all`.

    `asked` says whether a request was sent, and `limit` what the limit is, in words.
    """

    def __init__(self, seconds: float, of_all: Deadline | None = None) -> None:
        self.seconds, self.of_all, self.asked, self.limit = seconds, of_all, False, "ZPO2_FETCH_DEADLINE is the limit"
        self._ends = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """The seconds that are left, at least 0."""
        own = max(0.0, self._ends - time.monotonic())
        return own if self.of_all is None else min(own, self.of_all.left)

    @property
    def spent(self) -> float:
        """The seconds that count so far."""
        return self.seconds - (self._ends - time.monotonic())

    def shorten(self, seconds: float, limit: str) -> None:
        """Allow no more than so many seconds in all; `limit` says why."""
        if seconds < self.seconds:
            self._ends -= self.seconds - seconds
            self.seconds, self.limit = seconds, limit

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Do not count the time that the block takes: others, not this server, are the reason for the wait."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._ends += time.monotonic() - began


@contextmanager
def of_part(seconds: float, of_all: Deadline | None = None) -> Iterator[Deadline]:
    """Begin the deadline of a part of a source; `waiting` knows it inside of the block."""
    deadline = Deadline(seconds, of_all)
    token = _of_part.set(deadline)
    try:
        yield deadline
    finally:
        _of_part.reset(token)


@contextmanager
def waiting() -> Iterator[None]:
    """Do not count the time that the block takes for the part of a source that the current thread fetches."""
    deadline = _of_part.get()
    with deadline.paused() if deadline is not None else contextlib.nullcontext():
        yield


class Watch:
    """Shuts all connections that the current thread opens or uses inside of `with`, after `seconds` or at the moment that `until` sets.

    It holds handles of its own to the sockets, so it neither closes a descriptor that is used for something else meanwhile, nor needs to
    know TLS.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self.expired = False
        self.seconds = 0.0
        self._lock = threading.Lock()
        self._handles: list[socket.socket] = []
        self._timer: threading.Timer | None = None
        self._ends = 0.0
        if seconds is not None:
            self.until(seconds)

    def __enter__(self) -> Watch:
        self._token = _current.set(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        _current.reset(self._token)
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            for handle in self._handles:
                handle.close()
            self._handles.clear()

    def until(self, seconds: float) -> None:
        """Shut the connections in `seconds`, instead of at an earlier choice."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self.seconds, self._ends = seconds, time.monotonic() + seconds
            self._timer = threading.Timer(seconds, self._expire)
            self._timer.daemon = True
            self._timer.start()

    @property
    def left(self) -> float:
        """The seconds that are left, at least 0."""
        return 0.0 if self.expired else max(0.0, self._ends - time.monotonic())

    def add(self, connection: socket.socket) -> None:
        """Shut this connection, too. Raises Overdue where the time is over."""
        with self._lock:
            if self.expired:
                raise Overdue(f"not complete within {self.seconds:g} s")
            self._handles.append(socket.socket(fileno=os.dup(connection.fileno())))

    def _expire(self) -> None:
        with self._lock:
            self.expired = True
            for handle in self._handles:
                with contextlib.suppress(OSError):  # the server has closed it
                    handle.shutdown(socket.SHUT_RDWR)


_current: ContextVar[Watch | None] = ContextVar("watch", default=None)
_of_part: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def current() -> Watch | None:
    """Return the watch of the current thread."""
    return _current.get()


def within(seconds: float, compute: Callable[[], T]) -> T:
    """Return what `compute` returns, or raise what it raises. Raises TimeoutError after `seconds`: then its thread is left behind."""
    outcomes: list[T | BaseException] = []

    def work() -> None:
        try:
            outcomes.append(compute())
        except BaseException as error:
            outcomes.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcomes:
        raise TimeoutError(f"timed out after {seconds:g} s")
    if isinstance(outcomes[0], BaseException):
        raise outcomes[0]
    return outcomes[0]
