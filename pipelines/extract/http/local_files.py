"""Files in place of a server: from a pack, from an operator's folder, or from a mirror. A path never leaves its folder."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlencode, urlsplit

from pipelines.core.checksums import sha256_of
from pipelines.core.settings import Settings
from pipelines.extract.http.request import Download, FetchError

MAX_NAME_BYTES = 255  # of a file name on common file systems
_FOLDER = re.compile(r"^\$\{ZPO2_DIR_([A-Z0-9_]+)\}/(.+)$")


def file(root: Path, url: str, settings: Settings) -> Download:
    """Return the file at a path. With links resolved, it must lie in the pack at `root` or in the operator's folder. Raises FetchError."""
    match = _FOLDER.match(url)
    if match:
        base = settings.folder(match[1])
        if base is None:
            raise FetchError(f"{url}: ZPO2_DIR_{match[1]} is not set")
        relative = match[2]
    else:
        base, relative = root, url
    path = _inside(base, unquote(relative), url, "its folder")
    if not os.path.isfile(path):  # no name is too long for it
        raise FetchError(f"{url}: no such file")
    return _download(path, url)


def mirrored(mirror: Path, url: str, params: Mapping[str, str] | None) -> Download:
    """Return the file that a mirror has for an address: `<host>/<path>?<query>` (with / as %2F in the query), else `<host>/<path>`."""
    parts = urlsplit(url)
    plain = f"{parts.hostname or ''}{unquote(parts.path)}"
    query = "&".join(filter(None, (parts.query, urlencode(params or {})))).replace("/", "%2F")
    if query:
        path = _inside(mirror, f"{plain}?{query}", url, "the mirror")
        if len(path.name.encode()) < MAX_NAME_BYTES and os.path.isfile(path):
            return _download(path, url)
    path = _inside(mirror, plain, url, "the mirror")
    if not os.path.isfile(path):
        raise FetchError(f"{url}: no such file ({path})")
    return _download(path, url)


def _inside(base: Path, relative: str, url: str, place: str) -> Path:
    try:
        path = (base / relative).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # links in a circle, a NUL
        raise FetchError(f"{url}: not a path: {error}") from None
    if not path.is_relative_to(base.resolve()):
        raise FetchError(f"{url}: leads out of {place}")
    return path


def _download(path: Path, url: str) -> Download:
    return Download(path, sha256_of(path), path.stat().st_size, url)
