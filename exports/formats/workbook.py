"""Write the workbook of a release in one language: the newest values by level, made to be read, with definitions and reasons.

A sheet of values has three lines of heads: the ids of the indicators, which are hidden, the objectives, and title, unit and period. Values
are rounded to the decimals of the indicator. A missing value is the code of its status, in grey.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC
from itertools import groupby
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from exports.formats import reading_texts
from exports.formats.latest_by_level import Level
from exports.model.info import Context

MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384
"""The limits of a sheet."""
LONGEST_NAME = 31
"""The longest name that a sheet may have."""
HEAD_LINES = 3
IDS, GROUPS, HEADS = range(HEAD_LINES)
NOT_IN_NAMES = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
MOST_DECIMALS = 6
RANKS = ("rank", "rank_low", "rank_high")


def fits(levels: Iterable[Level]) -> bool:
    """Whether every level fits on a sheet."""
    return all(level.areas.height + HEAD_LINES <= MOST_ROWS and level.areas.width + level.values.width <= MOST_COLUMNS for level in levels)


@dataclass(frozen=True)
class _Formats:
    """The formats of cells. `numbers` by number of decimals, None for numbers as they are."""

    text: Any
    wrapped: Any
    group: Any
    head: Any
    grey: Any
    numbers: dict[int | None, Any]


def write(levels: Sequence[Level], scores: pl.DataFrame | None, context: Context, language: str, path: Path, spill: Path) -> None:
    """Write the workbook. `scores` are the newest scores of indices as `index_rows` returns them.

    Texts stay texts, so that codes keep their zeros and no text is a formula. The same tables and version give the same bytes.
    """
    options = {
        "constant_memory": True, "tmpdir": str(spill), "strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False,
    }  # fmt: skip
    with xlsxwriter.Workbook(path, options) as book:
        book.set_properties({
            "title": _text(context.info.title, language), "comments": f"release {context.version}",
            "created": context.info.released.astimezone(UTC).replace(tzinfo=None, microsecond=0),
        })  # fmt: skip
        top = {"bold": True, "text_wrap": True, "valign": "top", "bottom": 1}
        formats = _Formats(
            book.add_format({"num_format": "@"}),
            book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"}),
            book.add_format({"bold": True, "font_color": "#FFFFFF", "bg_color": "#2F4B5C", "align": "left", "left": 1, "left_color": "#FFFFFF"}),
            book.add_format(top), book.add_format({"font_color": "#8A8A8A", "align": "right"}),
            {n: book.add_format({"num_format": "#,##0" + ("." + "0" * n if n else "")}) for n in range(MOST_DECIMALS + 1)}
            | {None: book.add_format()},
        )  # fmt: skip
        names: set[str] = set()

        def sheet(title: str, plain: str) -> Any:
            return book.add_worksheet(_sheet_name(title, plain, names))

        for level in levels:
            _values(sheet(_level_title(context, level.id, language), level.id), level, context, language, formats)
        tables = {"indices": _indices(scores, levels, context, language)} if scores is not None and scores.height else {}
        tables["definitions"] = _definitions(levels, context, language)
        tables["reasons"] = _reasons(levels, context, language)
        tables["readme"] = _readme(context, language)
        for plain, (heads, lines) in tables.items():
            _table(sheet(reading_texts.word(plain, language), plain), heads, lines, formats)


def _sheet_name(title: str, plain: str, names: set[str]) -> str:
    """Return a name that no other sheet has: the title, or something shorter where it is too long."""
    title = " ".join(title.translate(NOT_IN_NAMES).split())
    chosen = next(
        n
        for n in (title, plain[:LONGEST_NAME], *(f"{plain[:25]} {i}" for i in range(2, 1000)))
        if n and len(n) <= LONGEST_NAME and n.lower() not in names
    )
    names.add(chosen.lower())
    return chosen


def _level_title(context: Context, level: str, language: str) -> str:
    return _text(context.info.levels.get(level), language) or level


def _text(texts: Any, language: str) -> str:
    if isinstance(texts, str) or texts is None:
        return texts or ""
    return " ".join(str(texts.get(language) or texts.get("en") or next(iter(texts.values()), "")).split())


def _objective_title(context: Context, objective: str, language: str) -> str:
    if not objective:
        return reading_texts.word("other", language)
    title = _text(context.info.objectives.get(objective), language)
    return f"{objective}: {title}" if title else objective


def _values(sheet: Any, level: Level, context: Context, language: str, formats: _Formats) -> None:
    """Write the sheet of a level."""
    own = [*(_level_title(context, parent, language) for parent in level.parents)]
    heads = [reading_texts.word("name", language), *(title[:1].upper() + title[1:] for title in own), reading_texts.word("code", language)]
    first, last = len(heads), len(heads) + len(level.indicators) - 1
    sheet.set_column(0, 0, 26, formats.text)
    sheet.set_column(1, first - 1, 18, formats.text)
    sheet.set_column(first, last, 15)
    sheet.set_row(IDS, None, None, {"hidden": True})
    for number, indicator in enumerate(level.indicators, first):
        sheet.write_string(IDS, number, indicator.id)
    sheet.write_string(IDS, first - 1, "ref_area")
    for objective, group in groupby(enumerate(level.indicators, first), lambda pair: pair[1].about.get("objective") or ""):
        for place, (number, _) in enumerate(group):
            sheet.write_string(GROUPS, number, "" if place else _objective_title(context, objective, language), formats.group)
    sheet.set_row(HEADS, 90)
    for number, text in enumerate([*heads, *(indicator.head(language) for indicator in level.indicators)]):
        sheet.write_string(HEADS, number, text, formats.head)
    sheet.freeze_panes(HEAD_LINES, 1)
    sheet.set_landscape()
    sheet.repeat_rows(GROUPS, HEADS)
    sheet.repeat_columns(0)
    sheet.autofilter(HEADS, 0, HEADS + level.areas.height, last)
    columns = [
        (number, i.decimals, formats.numbers[None if i.decimals is None else min(i.decimals, MOST_DECIMALS)])
        for number, i in enumerate(level.indicators, first)
    ]
    texts = level.areas.select("name", *(f"parent_{parent}" for parent in level.parents), "ref_area")
    for row, (about, values, statuses) in enumerate(
        zip(texts.iter_rows(), level.values.iter_rows(), level.statuses.iter_rows(), strict=True), HEAD_LINES
    ):
        for number, text in enumerate(about):
            sheet.write_string(row, number, text or "", formats.text)
        for (number, decimals, style), value, status in zip(columns, values, statuses, strict=True):
            if value is not None:
                sheet.write_number(row, number, value if decimals is None else round(value, decimals) + 0.0, style)
            elif status:
                sheet.write_string(row, number, status, formats.grey)


Lines = tuple[list[tuple[str, int]], list[list[Any]]]
"""The heads of a sheet with the widths of the columns, and its lines."""


def _table(sheet: Any, heads: list[tuple[str, int]], lines: list[list[Any]], formats: _Formats) -> None:
    for number, (text, width) in enumerate(heads):
        sheet.set_column(number, number, width)
        sheet.write_string(0, number, text, formats.head)
    sheet.freeze_panes(1, 1)
    if lines:
        sheet.autofilter(0, 0, len(lines), len(heads) - 1)
    for row, cells in enumerate(lines, 1):
        for number, cell in enumerate(cells):
            if isinstance(cell, int | float):
                sheet.write_number(row, number, cell)
            elif cell:
                sheet.write_string(row, number, cell, formats.wrapped)


def index_rows(scores: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Return the scores of whole indices in their newest periods, with ranks only of the indices whose ranks are shown to readers."""
    rankable = [index.id for index in context.facts.indices if index.rankable]
    whole = scores.filter(pl.col("component") == pl.col("index"), pl.col("time_period") == pl.col("time_period").max().over("index"))
    ranks = [pl.when(pl.col("index").is_in(rankable)).then(pl.col(name)).alias(name) for name in RANKS] if rankable else []
    return whole.select("index", "name", "ref_area", "time_period", "score", "obs_status", "fifth", *ranks, "oldest_input", "newest_input")


def _indices(scores: pl.DataFrame, levels: Sequence[Level], context: Context, language: str) -> Lines:
    """Return the scores, with the areas above each area, because names alone do not tell areas apart."""
    titles = {index.id: _text(index.titles, language) for index in context.facts.indices}
    ranks = [name for name in RANKS if name in scores.columns]
    scored = set(scores["ref_area"])
    shown = [level for level in levels if not scored.isdisjoint(level.areas["ref_area"])]
    parents = list(dict.fromkeys(parent for level in shown for parent in level.parents))
    above = {
        area: [name.get(f"parent_{parent}") for parent in parents]
        for level in shown
        for area, name in zip(level.areas["ref_area"], level.areas.iter_rows(named=True), strict=True)
    }
    words = [*("code", "period", "score", "status", "fifth"), *ranks, "oldest_input", "newest_input"]
    lines = []
    for index, name, *cells in scores.rows():
        score = cells[2]
        places = above.get(cells[0], [None] * len(parents))
        lines.append([titles.get(index, index), name, *places, *cells[:2], None if score is None else round(score, 1), *cells[3:]])
    heads = [(reading_texts.word("index", language), 40), (reading_texts.word("name", language), 26)]
    heads += [(_text(context.info.levels.get(parent) or parent, language), 26) for parent in parents]
    return [*heads, *((reading_texts.word(word, language), 13) for word in words)], lines


def _definitions(levels: Sequence[Level], context: Context, language: str) -> Lines:
    titles = {source["id"]: _text(source["title"], language) for source in context.info.sources}
    indicators = {indicator.id: indicator for level in levels for indicator in level.indicators}
    widths = {
        "indicator": 38, "unit": 18, "period": 10, "description": 70, "direction": 18, "formula": 40, "sources": 50, "objective": 30, "id": 28,
    }  # fmt: skip
    lines: list[list[Any]] = []
    for indicator in indicators.values():
        about = indicator.about
        sources = "; ".join(titles.get(source, source) for source in str(about.get("sources") or "").split(";"))
        direction = str(about.get("direction") or "none")
        texts = [indicator.text(name, language) for name in ("title", "unit", "description")]
        lines.append([
            texts[0] or indicator.id, texts[1], indicator.period, texts[2], reading_texts.word(direction, language),
            str(about.get("formula") or ""), sources, _objective_title(context, about.get("objective") or "", language), indicator.id,
        ])  # fmt: skip
    return [(reading_texts.word(word, language), width) for word, width in widths.items()], lines


def _reasons(levels: Sequence[Level], context: Context, language: str) -> Lines:
    """Return how many areas of each level lack a value, by indicator and status."""
    heads = [("level", 26), ("indicator", 46), ("period", 10), ("letter", 9), ("meaning", 50), ("areas", 10)]
    lines: list[list[Any]] = []
    for level in levels:
        for indicator in level.indicators:
            missing = (
                level.statuses[indicator.id].filter(level.values[indicator.id].is_null()).drop_nulls().value_counts().sort(indicator.id)
            )
            for status, count in missing.rows():
                meaning = reading_texts.missing(status, language)
                lines.append(
                    [
                        _level_title(context, level.id, language),
                        indicator.text("title", language) or indicator.id,
                        indicator.period,
                        status,
                        meaning,
                        count,
                    ]
                )
    return [(reading_texts.word(word, language), width) for word, width in heads], lines


def _readme(context: Context, language: str) -> Lines:
    info = context.info

    def line(word: str, text: str) -> list[Any]:
        return [reading_texts.word(word, language), text]

    lines = [
        line("release", context.version),
        line("released", info.timestamp[:10]),
        line("licence", reading_texts.licence(info.licence_of_all, language)),
    ]
    if info.publisher.get("name"):
        lines.append(line("publisher", _text(info.publisher["name"], language)))
    lines += [line("note", reading_texts.word(text, language)) for text in ("how_newest", "how_missing", "how_rounded")]
    lines += [[_text(index.titles, language), _text(index.notes, language)] for index in context.facts.indices]
    lines += [
        line(
            "source", f"{_text(s['publisher'], language)}: {_text(s['title'], language)} ({reading_texts.licence(s['licence'], language)})"
        )
        for s in info.sources
    ]
    return [("", 40), (_text(info.title, language), 120)], lines
