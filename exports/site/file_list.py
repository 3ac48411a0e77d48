"""`files.json`: the files of the release for the page on data and methods, without those for programs and those of the site."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from exports.metadata import wording
from exports.model import layout
from exports.pages.render import format_name
from exports.site.facts import SiteFacts

HIDDEN = (f"{layout.API}/", f"{layout.SITE}/")
BY_INDICATOR = (*(layout.csv_folder(table) for table in layout.PARTITIONED), layout.JSON_STAT, layout.SDMX)
"""Folders with a file for each indicator, which are one entry each."""
GROUPS = {
    "csv": "tables", "parquet": "tables", "topics": "topics", "geo": "maps", layout.LOCALIZED_CSV: "spreadsheets",
    layout.JSON_STAT: "statistics", layout.SDMX: "statistics", "codelists": "catalogues", "nkod": "catalogues", "sk": "catalogues",
}  # fmt: skip
"""The group of a file by its folder; other files are documents."""


def document(facts: SiteFacts) -> list[dict[str, Any]]:
    """Return the files in the order of their paths. An entry with `files` stands for a whole folder; its path ends with a slash."""
    folders: dict[str, tuple[int, int]] = {}
    entries = []
    topics = {topic.id: topic.titles for topic in facts.topics}
    for path, size in sorted(facts.files.items()):
        folder = str(PurePosixPath(path).parent)
        if path.startswith(HIDDEN) or path.endswith(layout.METADATA):
            continue
        if folder in BY_INDICATOR:
            count, total = folders.get(folder, (0, 0))
            folders[folder] = (count + 1, total + size)
            continue
        entries.append({"path": path, "bytes": size, "format": format_name(path), "group": _group(path), "title": _title(path, topics)})
    for folder, (count, total) in folders.items():
        table = PurePosixPath(folder).name
        title = wording.titles(table) if folder.startswith("csv/") else {}
        kind = "CSV" if folder.startswith("csv/") or folder == layout.SDMX else "JSON-stat"
        path = f"{folder}/"
        entries.append({"path": path, "bytes": total, "files": count, "format": kind, "group": _group(path), "title": title})
    return sorted(entries, key=lambda entry: str(entry["path"]))


def _group(path: str) -> str:
    folder = path.partition("/")[0] if "/" in path else ""
    if path.endswith((".xlsx", ".duckdb")):
        return "spreadsheets" if path.endswith(".xlsx") else "tables"
    return GROUPS.get(folder, "documents")


def _title(path: str, topics: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return the title of a file by language, empty if its name has to do."""
    place = PurePosixPath(path)
    folder, stem = str(place.parent), place.stem
    if folder in ("csv", "parquet"):
        return wording.titles(stem)
    if folder == layout.TOPICS and stem in topics:
        return dict(topics[stem])
    if place.suffix == ".xlsx":
        return wording.workbook(stem.rpartition("_")[2])
    if folder == layout.LOCALIZED_CSV:
        return wording.localized_csv(stem.rpartition("_")[2])
    if place.suffix == ".duckdb":
        return {language: title for language, (title, _) in wording.WHOLE.items()}
    return {}
