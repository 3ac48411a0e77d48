"""Compress text for clients that accept gzip, and keep the results for a while. A file is compressed at most once while it is kept."""

from __future__ import annotations

import gzip
import threading
from collections import OrderedDict
from pathlib import Path

from exports.serve.preferences import weighted

KINDS = ("application/json", "application/geo+json", "application/ld+json", "text/html", "text/css", "text/javascript")
"""Media types that are sent compressed. Tables are not: their readers ask for ranges of bytes."""
SMALLEST, LARGEST = 1_000, 20_000_000
"""Bytes of a file that is worth it, and of one that is not held in memory for it."""
KEPT = 64_000_000
"""Bytes of compressed files that are kept."""
_LEVEL = 6


def is_compressible(kind: str, size: int) -> bool:
    """Return whether a file of this media type and size is sent compressed."""
    return kind.partition(";")[0].strip().lower() in KINDS and SMALLEST <= size <= LARGEST


def accepts_gzip(header: str) -> bool:
    """Return whether a header Accept-Encoding allows gzip: by its name, or by `*`, and not with the weight 0."""
    weights = dict(weighted(header))
    return weights.get("gzip", weights.get("*", 0.0)) > 0


class CompressedFiles:
    """Compressed contents of files, the most recently used ones first to stay. Several threads may ask at once."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept, self._bytes = kept, 0
        self._contents: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def content(self, path: Path, version: str) -> bytes:
        """Return the compressed content of a file. `version` is another text for another content. Raises OSError if it cannot be read."""
        with self._lock:
            if version in self._contents:
                self._contents.move_to_end(version)
                return self._contents[version]
        content = gzip.compress(path.read_bytes(), _LEVEL, mtime=0)
        with self._lock:
            if version not in self._contents:
                self._contents[version] = content
                self._bytes += len(content)
            while self._bytes > self._kept:
                self._bytes -= len(self._contents.popitem(last=False)[1])
        return content
