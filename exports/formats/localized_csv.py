"""Write the newest values for spreadsheets of a language with a decimal comma: separated by semicolons, with a byte order mark."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from exports.formats import reading_texts
from exports.formats.latest_by_level import Level
from exports.formats.prepare_table import FORMULA_START, GUARD
from exports.model.info import Context


def write(levels: Sequence[Level], context: Context, language: str, path: Path) -> None:
    """Write a line per area of each level. A cell without a value is empty; texts of the tables have their guards already."""
    shown = {indicator.id: indicator for level in levels for indicator in level.indicators}
    parents = list(dict.fromkeys(parent for level in levels for parent in level.parents))
    titles = {level: _guarded(" ".join((texts.get(language) or level).split())) for level, texts in context.info.levels.items()}
    head = [reading_texts.word(word, language) for word in ("code", "name", "level")]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
        writer.writerow([*head, *(titles.get(parent, parent) for parent in parents), *(i.head(language) for i in shown.values())])
        for level in levels:
            decimals = [(level.values.get_column_index(i.id), i.decimals) if i.id in level.values.columns else None for i in shown.values()]
            places = [level.areas.get_column_index(f"parent_{parent}") if parent in level.parents else None for parent in parents]
            for about, values in zip(level.areas.iter_rows(), level.values.iter_rows(), strict=True):
                above = [about[place] if place is not None else "" for place in places]
                cells = ["" if at is None else _number(values[at[0]], at[1]) for at in decimals]
                writer.writerow([about[0], about[1], titles.get(level.id, level.id), *above, *cells])


def _guarded(text: str) -> str:
    """Return a text of the pack with a guard if a spreadsheet would run it, as the texts of the tables have it."""
    return GUARD + text if re.search(FORMULA_START, text) else text


def _number(value: float | None, decimals: int | None) -> str:
    """Return a number as the language writes it, without separators of thousands."""
    if value is None:
        return ""
    text = repr(value) if decimals is None else f"{round(value, decimals) + 0.0:.{decimals}f}"
    return text.replace(".", ",")
