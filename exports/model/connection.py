"""Connections to DuckDB with a limit of memory and of temporary files, and clear errors where a limit is reached. Reads no table."""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb

from exports.model.errors import DiskFullError, MemoryLimitError, ReleaseError

DEFAULT_MEMORY = 1 << 30
"""The memory of a build in bytes if the caller sets none."""
SMALLEST = 128 << 20
"""What DuckDB needs at least, and what a further thread needs."""
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Limits:
    """What a step may use: bytes of memory, a folder for temporary files (None: no temporary files), and the bytes that they may take."""

    memory: int | None = None
    spill: Path | None = None
    spill_bytes: int | None = None

    @property
    def duckdb_memory(self) -> int:
        """The share of DuckDB: half. The other half is for the batches of rows that Python works on."""
        return max((self.memory or DEFAULT_MEMORY) // 2, SMALLEST)

    def connect(self, path: Path | None = None, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
        """Open the database `path`, or one in memory, within these limits."""
        threads = max(1, min(os.cpu_count() or 1, self.duckdb_memory // SMALLEST))
        connection = duckdb.connect(
            str(path) if path else ":memory:",
            read_only=read_only,
            config={"memory_limit": f"{self.duckdb_memory >> 10}KiB", "threads": threads, "temp_directory": str(self.spill or "")},
        )
        if self.spill and self.spill_bytes is not None:  # among the options of `connect`, DuckDB shows this limit and does not keep to it
            connection.execute(f"set max_temp_directory_size = '{self.spill_bytes >> 10}KiB'")
        return connection


def explain(error: Exception, limits: Limits, folder: Path, last_release: int) -> ReleaseError:
    """Return the ReleaseError for an error of a library or of the file system during a build.

    `folder` is where the build writes. `last_release` is the size of the current release, which shows about how much is needed; 0 if there
    is none.
    """
    text = " ".join(str(error).split())
    unchanged = "the current release is unchanged"
    is_spill_limit = isinstance(error, duckdb.OutOfMemoryException) and "max_temp_directory_size" in text
    if is_spill_limit and limits.spill_bytes is not None:
        return DiskFullError(
            f"{limits.spill}: the temporary files of the release need more than the {size(limits.spill_bytes)} that they may take; "
            f"allow more, or more memory ({size(limits.memory or DEFAULT_MEMORY)} now); {unchanged}"
        )
    if is_spill_limit or _is_disk_full(error, text):
        disk = shutil.disk_usage(folder)
        needed = f"; one more release as large as the current one needs {size(last_release)}" if last_release else ""
        return DiskFullError(
            f"{folder}: {os.strerror(errno.ENOSPC)}: {size(disk.free)} of {size(disk.total)} are free, and this build has taken "
            f"{size(_taken(folder))}{needed}; {unchanged}"
        )
    if isinstance(error, duckdb.OutOfMemoryException):
        return MemoryLimitError(
            f"the release needs more memory than the {size(limits.memory or DEFAULT_MEMORY)} that it may use "
            f"({text.partition(' Possible solutions')[0]}); {unchanged}"
        )
    return ReleaseError(f"the release could not be written: {error}; {unchanged}")


def size(count: int) -> str:
    """Return a number of bytes as a short text."""
    for unit, power in (("GB", 9), ("MB", 6), ("kB", 3)):
        if count >= 10**power:
            return f"{count / 10**power:.1f} {unit}"
    return f"{count} bytes"


def _is_disk_full(error: Exception, text: str) -> bool:
    return (isinstance(error, OSError) and error.errno in DISK_FULL) or os.strerror(errno.ENOSPC) in text or "os error 28" in text


def _taken(folder: Path) -> int:
    """Return the bytes of all files below `folder` that no other release shares."""
    paths = (Path(root, name) for root, _, names in os.walk(folder) for name in names)
    return sum(status.st_size for status in map(os.lstat, paths) if status.st_nlink == 1)
