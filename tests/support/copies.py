"""Copies of releases to be spoiled: what is published is read-only."""

from __future__ import annotations

import shutil
from pathlib import Path


def to_spoil(source: Path, target: Path) -> Path:
    """Copy a folder, let its owner write to all of it, and return the copy."""
    return writable(Path(shutil.copytree(source, target)))


def writable(folder: Path) -> Path:
    """Let the owner write to everything in `folder`, and return it."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder
