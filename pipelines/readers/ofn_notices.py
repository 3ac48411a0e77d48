"""Reads notice boards in the Czech open standard (OFN "Úřední desky", JSON-LD): one row per notice."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.readers import json_records, json_shapes, json_values
from pipelines.readers.event_fields import Row, frame, in_first_language, string
from pipelines.readers.options import ReadOptions
from pipelines.readers.unreadable import UnreadableSnapshot

_NAMES = {"název", "popis"}  # texts that may name people
_ICO = 8  # digits


def read(path: Path, options: ReadOptions, columns: Collection[str] | None = None) -> pl.DataFrame:
    """Return the notices of a board or of a list of boards, with all event columns. `__row` counts notices, from 1."""
    document = json_records.load(path, options)
    boards = document if isinstance(document, list) and not options.records else None
    if boards is None:
        boards = json_shapes.find(document, options) if options.records else [document]
    rows: list[Row] = []
    for board in boards:
        if not isinstance(board, dict):
            rows.append({"__fault": "the board is not an object"})
            continue
        notices = board.get("informace", [])
        for notice in notices if isinstance(notices, list) else [notices]:
            rows.append(_notice(notice, board) if isinstance(notice, dict) else {"__fault": "the notice is not an object"})
    if rows and all("__fault" in row for row in rows):
        raise UnreadableSnapshot("the document has no notice board")
    return frame(rows, options)


def _notice(notice: dict[str, Any], board: dict[str, Any]) -> Row:
    language, title = in_first_language(notice.get("název"))
    provider = board.get("provozovatel")
    ico = string(provider.get("ičo")) if isinstance(provider, dict) else None
    return {
        "id": string(notice.get("iri")),
        "title": title,
        "start": moment(notice.get("vyvěšení")),
        "end": moment(notice.get("relevantní_do")),
        "url": string(notice.get("url")),
        "organiser_ico": ico.zfill(_ICO) if ico and ico.isdecimal() else ico,
        "language": language,
        "__raw": json_values.dumps(_without_names(notice)),
    }


def moment(value: Any) -> str | None:
    """Return the date, or the date and time, of a *Časový okamžik*; None if it says that it is not specified."""
    if not isinstance(value, dict) or value.get("nespecifikovaný") is True:
        return None
    return string(value.get("datum_a_čas")) or string(value.get("datum"))


def _without_names(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_names(item) for key, item in value.items() if key not in _NAMES}
    return [_without_names(item) for item in value] if isinstance(value, list) else value
