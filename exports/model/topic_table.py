"""The columns of the files of a topic, in which every row says everything: no reader needs another table. Reads no file."""

from __future__ import annotations

from collections.abc import Sequence

from exports.model.info import Context
from exports.model.tables import Column, Table
from exports.model.topics import INDICATORS, Topic

PARENT = "parent_"
"""The prefix of the columns with names of areas above. The id of their level follows."""
NEEDED = {
    "indicators": {"indicator"},
    "areas": {"ref_area", "name"},
    INDICATORS: {"indicator", "ref_area", "time_period", "obs_value", "obs_status"},
}
"""The columns that the tables must have, by table."""
VALUES = ("time_period", "sex", "age", "obs_value", "obs_status", "lower_95", "upper_95")
"""Columns of the values, where the release has them."""


def topic_table(context: Context, topic: Topic) -> Table | None:
    """Return the table in the files of a topic; None if the release lacks tables or columns that it needs."""
    tables = {table.name: table for table in context.tables}
    columns = {name: {column.name for column in table.columns} for name, table in tables.items()}
    if not topic.is_by_indicator or not all(needed <= columns.get(name, set()) for name, needed in NEEDED.items()):
        return None
    values = tables[INDICATORS]
    if values.key[0] != "indicator":
        return None
    own = [
        values.column("indicator"),
        *_texts(context, columns["indicators"]),
        values.column("ref_area"),
        Column("name", "VARCHAR", "Name of the area.", translations={"cs": "Název území."}),
        *([Column("level", "VARCHAR", "Level of the area.", translations={"cs": "Úroveň území."})] if "level" in columns["areas"] else []),
        *(_parent(context, level) for level in parents(context)),
        *(values.column(name) for name in VALUES if name in columns[INDICATORS]),
    ]
    key = tuple(name for name in values.key if name in {column.name for column in own})
    english = topic.descriptions.get("en") or context.info.text(topic.descriptions)
    others = {language: " ".join(text.split()) for language, text in topic.descriptions.items() if language != "en"}
    return Table(topic.id, " ".join(english.split()), tuple(own), key, translations=others)


def parents(context: Context) -> Sequence[str]:
    """Return the levels whose areas are named beside each area: all but the finest one."""
    has_links = any(table.name == "area_parents" and {"ref_area", "parent"} <= {c.name for c in table.columns} for table in context.tables)
    return list(context.info.levels)[1:] if has_links else []


def text_columns(context: Context, columns: set[str]) -> dict[str, str]:
    """Return the columns of `indicators` with title and unit in the first language of the pack, by their names in the files of topics."""
    language = context.info.languages[0].replace("-", "_")
    columns_of_texts = {}
    for name in ("title", "unit"):
        if column := next((column for column in (f"{name}_{language}", f"{name}_en", name) if column in columns), None):
            columns_of_texts[name] = column
    return columns_of_texts


def _texts(context: Context, columns: set[str]) -> list[Column]:
    about = {"title": ("Title of the indicator.", "Název ukazatele."), "unit": ("Unit of the value.", "Jednotka hodnoty.")}
    return [Column(name, "VARCHAR", about[name][0], translations={"cs": about[name][1]}) for name in text_columns(context, columns)]


def _parent(context: Context, level: str) -> Column:
    titles = context.info.levels.get(level, {})
    english, czech = titles.get("en") or level, titles.get("cs") or titles.get("en") or level
    return Column(
        PARENT + level,
        "VARCHAR",
        f"Name of the area above ({english}) that the area is in today.",
        translations={"cs": f"Název nadřazeného území ({czech}), ve kterém území dnes leží."},
    )
