"""Files in place of a server: those of a pack, of an operator's folder, and of a mirror. A path never leaves its folder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlencode, urlsplit

from pipelines.core.settings import Settings
from pipelines.extract.http.request import FetchError, Received
from pipelines.extract.snapshots import sha256_of

LONGEST_NAME = 255  # bytes, of a file on usual file systems
_FOLDER = re.compile(r"^\$\{ZPO2_DIR_([A-Z0-9_]+)\}/(.+)$")


def file(root: Path, url: str, settings: Settings) -> Received:
    """Return the file that a path names, which must lie in the pack at `root` or in the operator's folder, links resolved."""
    match = _FOLDER.match(url)
    if match:
        base = settings.folder(match[1])
        if base is None:
            raise FetchError(f"{url}: ZPO2_DIR_{match[1]} is not set")
        relative = match[2]
    else:
        base, relative = root, url
    path = _inside(base, unquote(relative), url, "its folder")
    if not path.is_file():
        raise FetchError(f"{url}: no such file")
    return _received(path, url)


def mirrored(mirror: Path, url: str, params: Mapping[str, str] | None) -> Received:
    """Return the file that stands for an address in a mirror: `<host>/<path>?<query>` (a slash in it as %2F), else `<host>/<path>`."""
    parts = urlsplit(url)
    plain = f"{parts.hostname or ''}{unquote(parts.path)}"
    query = "&".join(filter(None, (parts.query, urlencode(params or {})))).replace("/", "%2F")
    if query:
        path = _inside(mirror, f"{plain}?{query}", url, "the mirror")
        if len(path.name.encode()) < LONGEST_NAME and path.is_file():
            return _received(path, url)
    path = _inside(mirror, plain, url, "the mirror")
    if not path.is_file():
        raise FetchError(f"{url}: no such file ({path})")
    return _received(path, url)


def _inside(base: Path, relative: str, url: str, what: str) -> Path:
    path = (base / relative).resolve()
    if not path.is_relative_to(base.resolve()):
        raise FetchError(f"{url}: leads out of {what}")
    return path


def _received(path: Path, url: str) -> Received:
    return Received(path, sha256_of(path), path.stat().st_size, url)
