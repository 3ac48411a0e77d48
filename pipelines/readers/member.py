"""The bytes of a snapshot: unpacked if it is a gzip file, or those of one file in a ZIP archive. Nothing is unpacked to disk."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from pipelines.core.printable import listed
from pipelines.readers.unreadable import UnreadableSnapshot

MAX_BYTES = 2 * 1024**3  # more than any real table has; a ZIP bomb reaches it quickly
FREE_BYTES = 64 * 1024**2  # below this size the ratio is not checked
MAX_RATIO = 300  # unpacked size over packed size: tables have 3 to 100, bombs up to 1032
OF_DAMAGED_ARCHIVES = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError,
)  # fmt: skip
"""What reading a damaged ZIP archive, or one in a compression that is not supported, may raise, beside OSError."""
CHUNK = 1024**2
LISTED = 20


def content(path: Path, member: str | None) -> bytes:
    """Return the bytes of `path`, or those of its `member`. Raises UnreadableSnapshot, which names the members of the archive."""
    if member is not None:
        return _unpacked(path, member)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UnreadableSnapshot(f"the file has more than {MAX_BYTES} bytes")
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableSnapshot(f"the file cannot be read: {error.strerror}") from None
    return _gunzipped(data) if data[:2] == b"\x1f\x8b" else data


def _gunzipped(data: bytes) -> bytes:
    """Return the content of a gzip file. Raises UnreadableSnapshot if it is truncated, damaged or too large."""
    parts: list[bytes] = []
    size = 0
    at = 0
    while data[at : at + 2] == b"\x1f\x8b":  # a file may have several streams, one after the other
        stream = zlib.decompressobj(wbits=31)
        while not stream.eof:
            packed_block = stream.unconsumed_tail or data[at : at + CHUNK]
            if not packed_block:
                raise UnreadableSnapshot("the gzip file is truncated")
            if not stream.unconsumed_tail:
                at += len(packed_block)
            try:
                part = stream.decompress(packed_block, CHUNK)
            except zlib.error as error:
                raise UnreadableSnapshot(f"the gzip file cannot be read: {error}") from None
            size += len(part)
            _assert_no_bomb("the gzip file", size, len(data))
            parts.append(part)
        at -= len(stream.unused_data)
    if data[at:].strip(b"\0"):  # tapes and some servers pad with zeros
        raise UnreadableSnapshot("the gzip file is followed by bytes that are not gzip")
    return b"".join(parts)


def _assert_no_bomb(what: str, size: int, packed: int) -> None:
    """Refuse a file that unpacks to more bytes, or to more times its size, than any table does."""
    if size > MAX_BYTES:
        raise UnreadableSnapshot(f"{what}: unpacks to more than {MAX_BYTES} bytes")
    if size > FREE_BYTES and size > MAX_RATIO * packed:
        raise UnreadableSnapshot(f"{what}: unpacks to more than {MAX_RATIO} times its size")


def not_packed(data: bytes, path: Path) -> bytes:
    """Return `data`. Raises UnreadableSnapshot if it is an archive instead of text."""
    if data[:4] == b"PK\x03\x04":
        raise UnreadableSnapshot(f"this is a ZIP archive: set read.member to one of {names(path)}")
    return data


def names(path: Path) -> str:
    """Return the names of the files in the archive at `path`, for a message."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _listed(archive)
    except (OSError, *OF_DAMAGED_ARCHIVES):
        return "its files"


def _listed(archive: zipfile.ZipFile) -> str:
    return listed([info.filename for info in archive.infolist() if info.filename and not info.is_dir()], LISTED)


def _unpacked(path: Path, member: str) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            try:
                info = archive.getinfo(member)
            except KeyError:
                raise UnreadableSnapshot(f"the archive has no member {member}; it has {_listed(archive)}") from None
            if sum(other.filename == member for other in archive.infolist()) > 1:
                raise UnreadableSnapshot(f"the archive has several members {member}")
            if info.flag_bits & 1:
                raise UnreadableSnapshot(f"{member}: is encrypted")
            return b"".join(chunks(archive, info))
    except OSError as error:
        raise UnreadableSnapshot(f"the file cannot be read: {error.strerror or error}") from None
    except OF_DAMAGED_ARCHIVES as error:
        raise UnreadableSnapshot(f"the archive cannot be read: {error}") from None


def chunks(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield a member piece by piece. Refuses a bomb, whatever size the archive states."""
    size = 0
    with archive.open(info) as stream:
        while part := stream.read(CHUNK):
            size += len(part)
            _assert_no_bomb(info.filename, size, info.compress_size)
            yield part
