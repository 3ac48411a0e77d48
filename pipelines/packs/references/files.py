"""Files of the pack that sources read. Only `zpo2 check` looks for them: in a run, a missing file stops its source alone."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote

from pipelines.packs.pack import Pack
from pipelines.packs.references.names import Report


def check_files(pack: Pack, report: Report) -> None:
    """Report the first missing file of each enabled source that reads files of the pack."""
    for source in pack.sources.values():
        url = source.fetch.url
        if not source.enabled or not url or "://" in url or url.startswith("${"):
            continue
        for part in pack.parts(source):
            name = part.filled(url)
            if not any(_is_file(pack.root, path) for path in (unquote(name), name)):
                report(f"source:{source.id}", ("fetch", "url"), f"{name}: no such file in the pack")
                break


def _is_file(root: Path, name: str) -> bool:
    """Return whether a folder has a file of this name, not one that the name or a link leads out to. No name is too long for an answer."""
    path = root / name
    return os.path.isfile(path) and path.resolve().is_relative_to(root.resolve())
