"""Undo the content encoding of a response in small blocks, and know whether the encoded stream came to its end. Reads no network.

urllib3 can undo the encoding, too, but it takes a stream that breaks off as a whole one.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

ENCODINGS = ("identity", "gzip", "x-gzip", "deflate")
"""The content encodings that can be undone."""
BLOCK = 1 << 16
_GZIP, _ZLIB, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
_GZIP_MAGIC = b"\x1f\x8b"


class DecodingError(OSError):
    """The bytes are not of the encoding that the server stated, or the stream breaks off."""


def names_of(content_encoding: str) -> list[str]:
    """Return the encodings that a Content-Encoding header lists, in the order in which they were applied."""
    return [name for part in content_encoding.split(",") if (name := part.strip().lower())]


def decoded(blocks: Iterable[bytes], encodings: Iterable[str]) -> Iterator[bytes]:
    """Yield the content of `blocks` without `encodings`, which are some of ENCODINGS. Raises DecodingError."""
    for encoding in reversed(list(encodings)):
        if encoding != "identity":
            blocks = _Stream("gzip" if encoding.endswith("gzip") else "deflate").decode(blocks)
    yield from blocks


class _Stream:
    """One encoded stream: a gzip file of one or more members, or deflate with or without the header of zlib."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._zlib = zlib.decompressobj(_GZIP) if encoding == "gzip" else None
        self._waiting = b""  # bytes that are too few to decide anything

    def decode(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        for block in blocks:
            try:
                yield from self._feed(self._waiting + block)
            except zlib.error as error:
                raise DecodingError(f"the response is not encoded as {self._encoding}: {error}") from None
        if self._zlib is None or not self._zlib.eof:
            raise DecodingError(f"the response is incomplete: its {self._encoding} stream breaks off")

    def _feed(self, data: bytes) -> Iterator[bytes]:
        self._waiting = b""
        while data:
            if self._zlib is None or self._zlib.eof:
                if len(data) < len(_GZIP_MAGIC):
                    self._waiting = data
                    return
                if not self._begin(data):
                    return
            assert self._zlib is not None
            yield from self._inflate(data)
            data = self._zlib.unused_data

    def _begin(self, data: bytes) -> bool:
        """Begin the stream, or the next member of a gzip file. Return False for what follows the end, which does not belong to the content."""
        if self._zlib is None:
            has_header = data[0] & 0x0F == zlib.DEFLATED and int.from_bytes(data[:2], "big") % 31 == 0
            self._zlib = zlib.decompressobj(_ZLIB if has_header else _RAW)
            return True
        if self._encoding == "gzip" and data.startswith(_GZIP_MAGIC):
            self._zlib = zlib.decompressobj(_GZIP)
            return True
        return False

    def _inflate(self, data: bytes) -> Iterator[bytes]:
        assert self._zlib is not None
        while True:
            block = self._zlib.decompress(data, BLOCK)
            if block:
                yield block
            data = self._zlib.unconsumed_tail
            if self._zlib.eof or (not data and len(block) < BLOCK):
                return
