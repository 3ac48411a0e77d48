"""Write files atomically: a reader sees the old content or the new, whatever happens in between."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TEMPORARY = ".part-"


@contextmanager
def atomic_write(target: Path, *, sync: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside `target`. On success it replaces the target, on failure it is deleted.

    `sync`: flush the content to the disk before it takes the name of the target.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=TEMPORARY, dir=target.parent)
    os.close(handle)
    path = Path(name)
    try:
        yield path
        if sync:
            with path.open("rb") as file:
                os.fsync(file.fileno())
        path.chmod(0o644)
        os.replace(path, target)
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """Yield a temporary folder for files beside `target`, which does not exist. On success it takes its name, on failure it is deleted."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=target.parent) as folder:
        path = Path(folder) / target.name
        path.mkdir()
        yield path
        for file in path.iterdir():
            with file.open("rb") as content:
                os.fsync(content.fileno())
        os.replace(path, target)


def write_json(target: Path, value: Any) -> None:
    with atomic_write(target) as path:
        path.write_text(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def read_json(path: Path, default: Any) -> Any:
    """Return the content of `path`, or `default` if the file does not exist."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return default


def cleanup_temp(folder: Path, *, recursive: bool = True) -> int:
    """Remove the temporary files of killed runs in `folder`, by default also in its subfolders; return how many files and folders."""
    stale = list((folder.rglob if recursive else folder.glob)(f"{TEMPORARY}*")) if folder.is_dir() else []
    for path in stale:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(stale)
