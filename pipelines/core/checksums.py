"""The bytes of a file against the checksum that they were written with. A process hashes a file once, as long as it does not change."""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path

from pipelines.core.errors import Zpo2Error

DAMAGED = ".damaged"
"""The ending of the name under which a damaged file is kept, of whatever kind."""
_log = logging.getLogger("zpo2.files")
_checksums: dict[str, tuple[tuple[int, ...], str]] = {}
"""By path: what tells one state of a file from another, and the checksum of its bytes in that state."""


class DamagedFile(Zpo2Error):
    """A file does not have the bytes that it was written with."""


def sha256_of(path: Path) -> str:
    """Return the checksum of the bytes of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_intact(path: Path, sha256: str) -> bool:
    """Whether there is a file with exactly the bytes of this checksum."""
    try:
        status = path.stat()
        state = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        hashed = _checksums.get(str(path))
        if hashed is None or hashed[0] != state:
            hashed = _checksums[str(path)] = (state, sha256_of(path))
    except OSError:
        return False
    return hashed[1] == sha256


def set_aside(path: Path) -> Path:
    """Rename a damaged file or folder, so that nobody reads it by its name and it can be inspected, and return its new path."""
    target = path.with_name(path.name + DAMAGED)
    number = 1
    while target.exists():
        number += 1
        target = path.with_name(f"{path.name}{DAMAGED}-{number}")
    os.replace(path, target)
    return target


def set_aside_with_log(path: Path) -> None:
    """Set a file aside whose bytes do not have their checksum, and note it in the log."""
    kept = set_aside(path)
    _log.error("a file was damaged on the disk and was set aside", extra={"path": str(path), "kept_as": kept.name})
