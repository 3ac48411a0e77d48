"""A file that loses a bit on the disk."""

from __future__ import annotations

import os
from pathlib import Path


def damage(path: Path, offset: int) -> None:
    """Change one byte of a file. Its size and time stay as they are, as on a disk that forgets."""
    before = path.stat()
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
