"""Errors that say what the machine lacks: disk space, memory, open files, permission. One sentence for each, whichever library raised it."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator

_SENTENCES = (
    (
        r"no space left on device|database or disk is full|disk quota exceeded|max_temp_directory_size",
        "the disk is full: free space (`zpo2 prune`), or let the workspace be on a larger disk",
    ),
    (
        r"\bMemoryError|out of memory|cannot allocate memory|std::bad_alloc|memory allocation of \d+ bytes failed",
        "there is not enough memory: set ZPO2_MEMORY to less than the process may use, or give it more",
    ),
    (r"too many open files", "too many files are open: raise the limit (`ulimit -n`)"),
    (r"read-only file system|permission denied|operation not permitted", "a file cannot be written or read"),
    (r"attempt to write a readonly database|unable to open database file", "a database cannot be opened for writing"),
)
_MAX_TEXT = 200
_LACKING = {errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.EMFILE, errno.ENFILE}
_ERRORS = {*_LACKING, errno.EACCES, errno.EPERM, errno.EROFS}


def fault_in(text: str) -> str | None:
    """Return the sentence for the text of an error that says what the machine lacks, with the part that says where; else None."""
    for pattern, sentence in _SENTENCES:
        for line in text.splitlines():
            if re.search(pattern, line, re.IGNORECASE):
                shown = "".join(c if c.isprintable() else " " for c in line).strip()
                return f"{sentence} ({shown[:_MAX_TEXT]})"
    return None


def fault_of(error: BaseException) -> str | None:
    """Return the sentence for an error that says what the machine lacks, or whose cause says so; None for any other error."""
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.errno not in _ERRORS:
            continue
        if sentence := fault_in(f"{type(cause).__name__}: {cause}"):
            return sentence
    return None


def is_of_machine(error: BaseException) -> bool:
    """Whether an error says that the machine lacks disk space, memory or open files."""
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in _LACKING)


def is_of_damaged_database(error: BaseException) -> bool:
    """Whether SQLite found a file, such as one of Dagster's history, that is no database or whose pages are damaged."""
    texts = ("database disk image is malformed", "file is not a database")
    return any(text in str(cause) for cause in _causes(error) for text in texts)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
