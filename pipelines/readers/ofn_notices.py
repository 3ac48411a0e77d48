"""Read notice boards in the Czech open standard (OFN "Úřední desky", JSON-LD): one row for each notice. Places nothing on a map."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.readers import cells, json_records
from pipelines.readers.options import ReadOptions
from pipelines.readers.unreadable import UnreadableSnapshot

FIELDS = (
    "id", "title", "start", "end", "area", "category", "organiser_kind", "audience", "is_free", "is_accessible", "is_online",
    "status", "url", "lat", "lon", "organiser_ico", "language", "description", "location", "__raw",
)  # fmt: skip
_NAMES = {"název", "popis"}  # texts that may name people
_ICO = 8  # digits


def read(path: Path, options: ReadOptions, columns: Collection[str] | None = None) -> pl.DataFrame:
    """Return the notices of a board or of a list of boards, with all of `FIELDS`. `__row` counts notices, from 1."""
    document = json_records.load(path, options)
    boards = document if isinstance(document, list) and not options.records else None
    if boards is None:
        boards = json_records.find(document, options.records) if options.records else [document]
    rows: list[dict[str, str | None]] = []
    for board in boards:
        if not isinstance(board, dict):
            rows.append({"__fault": "a board that is no object"})
            continue
        notices = board.get("informace", [])
        for notice in notices if isinstance(notices, list) else [notices]:
            rows.append(_notice(notice, board) if isinstance(notice, dict) else {"__fault": "a notice that is no object"})
    if rows and all("__fault" in row for row in rows):
        raise UnreadableSnapshot("there is no notice board in this document")
    series = [pl.Series(name, [row.get(name) for row in rows], dtype=pl.String) for name in (*FIELDS, "__fault")]
    return cells.finish(pl.DataFrame([*series, pl.Series("__row", range(1, len(rows) + 1), dtype=pl.Int64)]), options)


def _notice(notice: dict[str, Any], board: dict[str, Any]) -> dict[str, str | None]:
    language, title = _in_first_language(notice.get("název"))
    provider = board.get("provozovatel")
    ico = _string(provider.get("ičo")) if isinstance(provider, dict) else None
    return {
        "id": _string(notice.get("iri")),
        "title": title,
        "start": _moment(notice.get("vyvěšení")),
        "end": _moment(notice.get("relevantní_do")),
        "url": _string(notice.get("url")),
        "organiser_ico": ico.zfill(_ICO) if ico and ico.isdecimal() else ico,
        "language": language,
        "__raw": json_records.dumps(_without_names(notice)),
    }


def _string(value: Any) -> str | None:
    return str(value) if isinstance(value, str) else None


def _in_first_language(value: Any) -> tuple[str | None, str | None]:
    """Return the language and text of a text that may be given in several."""
    if isinstance(value, dict):
        for language, text in value.items():
            if isinstance(text, str):
                return language, text
    return None, _string(value)


def _moment(value: Any) -> str | None:
    """Return the date, or the date and time, of a *Časový okamžik*; null where it says that it is not specified."""
    if not isinstance(value, dict) or value.get("nespecifikovaný") is True:
        return None
    return _string(value.get("datum_a_čas")) or _string(value.get("datum"))


def _without_names(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_names(item) for key, item in value.items() if key not in _NAMES}
    return [_without_names(item) for item in value] if isinstance(value, list) else value
