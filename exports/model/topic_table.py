"""The columns of the files of a topic, in which every row says everything: no reader needs another table. Reads no file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from exports.model.info import Context
from exports.model.tables import Column, Table
from exports.model.topics import INDICATORS, Topic
from pipelines.core.code_texts import LANGUAGES, Texts

PARENT = "parent_"
"""The prefix of the columns with names of areas above. The id of their level follows."""
NEEDED = {
    "indicators": {"indicator"},
    "areas": {"ref_area", "name"},
    INDICATORS: {"indicator", "ref_area", "time_period", "obs_value", "obs_status"},
}
"""The columns that the tables must have, by table."""
BREAKDOWNS = ("sex", "age")
NUMBERS = ("obs_value", "lower_95", "upper_95")
VALUES = ("time_period", *BREAKDOWNS, "obs_value", "obs_status", "lower_95", "upper_95")
"""Columns of the values, where the release has them."""
TEXTS: Mapping[str, Texts] = {
    "title": ("Title of the indicator", "Název ukazatele", "Názov ukazovateľa"),
    "unit": ("Unit of the value", "Jednotka hodnoty", "Jednotka hodnoty"),
}
TITLES: Mapping[str, Texts] = {
    **TEXTS,
    "indicator": ("Indicator", "Ukazatel", "Ukazovateľ"),
    "ref_area": ("Code of the area", "Kód území", "Kód územia"),
    "name": ("Name of the area", "Název území", "Názov územia"),
    "level": ("Level of the area", "Úroveň území", "Úroveň územia"),
    "time_period": ("Period", "Období", "Obdobie"),
    "sex": ("Sex", "Pohlaví", "Pohlavie"),
    "age": ("Age", "Věk", "Vek"),
    "obs_value": ("Value", "Hodnota", "Hodnota"),
    "obs_status": ("Status", "Stav", "Stav"),
    "lower_95": ("Lower end of the 95 % interval", "Dolní mez 95% intervalu", "Dolná hranica 95 % intervalu"),
    "upper_95": ("Upper end of the 95 % interval", "Horní mez 95% intervalu", "Horná hranica 95 % intervalu"),
}
"""Heads of the columns for people."""


@dataclass(frozen=True)
class TextColumn:
    """A column with a text of the indicator: its name in the files of topics, its name in `indicators`, which text, and in which language."""

    name: str
    source: str
    text: str
    language: str


def topic_table(context: Context, topic: Topic) -> Table | None:
    """Return the table with the values of a topic in all periods; None if the release lacks tables or columns that it needs."""
    tables = {table.name: table for table in context.tables}
    columns = {name: {column.name for column in table.columns} for name, table in tables.items()}
    if not topic.is_by_indicator or not all(needed <= columns.get(name, set()) for name, needed in NEEDED.items()):
        return None
    values = tables[INDICATORS]
    if values.key[0] != "indicator":
        return None
    own = [
        values.column("indicator"),
        *(_text(column) for column in text_columns(context, columns["indicators"])),
        values.column("ref_area"),
        Column("name", "VARCHAR", "Name of the area.", translations={"cs": "Název území."}),
        *([Column("level", "VARCHAR", "Level of the area.", translations={"cs": "Úroveň území."})] if "level" in columns["areas"] else []),
        *(_parent(context, level) for level in parents(context)),
        *(values.column(name) for name in VALUES if name in columns[INDICATORS]),
    ]
    own = [replace(column, titles=_titles(column.name)) if column.name in TITLES else column for column in own]
    key = tuple(name for name in values.key if name in {column.name for column in own})
    english = topic.descriptions.get("en") or context.info.text(topic.descriptions)
    others = {language: " ".join(text.split()) for language, text in topic.descriptions.items() if language != "en"}
    return Table(topic.id, " ".join(english.split()), tuple(own), key, translations=others)


def newest_table(context: Context, topic: Topic) -> Table | None:
    """Return the table with the newest values of a topic: without what is the same in all its rows, and with texts in the first language.

    Sex and age are always all, and a level of one area is above every area.
    """
    table = topic_table(context, topic)
    if table is None:
        return None
    further = {
        column.name for column in text_columns(context, {c.name for t in context.tables if t.name == "indicators" for c in t.columns})
    }
    same = {*BREAKDOWNS, *(further - set(TEXTS)), *(PARENT + level for level, count in context.facts.areas.items() if count == 1)}
    kept = tuple(column for column in table.columns if column.name not in same)
    return replace(table, columns=kept, key=tuple(name for name in table.key if name not in same))


def parents(context: Context) -> Sequence[str]:
    """Return the levels whose areas are named beside each area: all but the finest one."""
    has_links = any(table.name == "area_parents" and {"ref_area", "parent"} <= {c.name for c in table.columns} for table in context.tables)
    return list(context.info.levels)[1:] if has_links else []


def text_columns(context: Context, columns: set[str]) -> list[TextColumn]:
    """Return the columns with title and unit: `title` and `unit` in the first language of the pack, `title_cs` and so on in the others.

    `columns` are those of `indicators`. A text that has no language there has one column.
    """
    first, *others = context.info.languages
    chosen = []
    for text in TEXTS:
        candidates = [(text, name, language) for language in (first, "en", "") if (name := _of_language(text, language)) in columns]
        further = [(name, name, language) for language in others if (name := _of_language(text, language)) in columns]
        chosen += [TextColumn(name, source, text, language) for name, source, language in (*candidates[:1], *further)]
    return chosen


def _of_language(text: str, language: str) -> str:
    return f"{text}_{language.replace('-', '_')}" if language else text


def _titles(name: str) -> Mapping[str, str]:
    return dict(zip(LANGUAGES, TITLES[name], strict=True))


def _text(column: TextColumn) -> Column:
    english, czech, _ = TEXTS[column.text]
    own = f" ({column.language})" if column.name != column.text else ""
    titles = {language: f"{title}{own}" for language, title in _titles(column.text).items()}
    return Column(column.name, "VARCHAR", f"{english}{own}.", translations={"cs": f"{czech}{own}."}, titles=titles)


def _parent(context: Context, level: str) -> Column:
    titles = context.info.levels.get(level, {})
    english, czech = titles.get("en") or level, titles.get("cs") or titles.get("en") or level
    return Column(
        PARENT + level,
        "VARCHAR",
        f"Name of the area above ({english}) that the area is in today.",
        translations={"cs": f"Název nadřazeného území ({czech}), ve kterém území dnes leží."},
        titles=titles,
    )
