"""Find the metadata of the CSV files of a release, of this layout and of earlier ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from exports.model import layout


def metadata_path(folder: Path, path: str) -> str:
    """Return the path of the metadata of the CSV file at `path`: beside it if they are there, as in earlier layouts, else in its folder."""
    former = path + layout.FORMER_METADATA
    return former if (folder / former).is_file() else layout.metadata_path(path)


def schema_of(document: Any, name: str) -> Any:
    """Return the schema of a file by its name. Raises StopIteration or KeyError if the document does not have it."""
    return next(value["tableSchema"] for value in document.get("tables", [document]) if value["url"] == name)
