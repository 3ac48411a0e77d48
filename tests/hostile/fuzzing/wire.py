"""Raw requests over a socket: sent in pieces, and what comes back within a short time."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence

PATIENCE = 0.15
"""Seconds without a byte after which nothing more is expected of a request that was perhaps not whole."""
LONGEST = 10.0
"""Seconds for one exchange."""


def exchange(port: int, pieces: Sequence[bytes], patience: float = PATIENCE) -> bytes:
    """Send the pieces on one connection and return what came back; nothing where the other side closed the connection."""
    received, ends = b"", time.monotonic() + LONGEST
    with socket.create_connection(("127.0.0.1", port), timeout=LONGEST) as connection:
        try:
            for number, piece in enumerate(pieces):
                if number:
                    time.sleep(0.002)
                connection.sendall(piece)
            connection.settimeout(patience)
            while time.monotonic() < ends and not _is_whole(received) and (block := connection.recv(1 << 16)):
                received += block
        except OSError:  # closed or silent
            pass
    return received


def first(received: bytes) -> tuple[bytes, int | None, bytes]:
    """Return the head of the first answer, the length of its body that the head states, and the body; other answers may follow it."""
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    length = int(lengths[0]) if lengths else None
    return head, length, body[:length]


def _is_whole(received: bytes) -> bool:
    _, length, body = first(received)
    return b"\r\n\r\n" in received and length is not None and len(body) >= length
