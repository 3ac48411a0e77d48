"""Which sources a table or a data set of a release is made from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from exports.model import layout
from exports.model.info import Context, ReleaseInfo
from exports.model.tables import Table
from exports.model.topics import Topic

OF_AREAS = ""
"""The key of the sources of areas in `ReleaseInfo.sources_of`."""
TABLES_OF_AREAS = ("areas", "area_parents", "area_codes")
PEERS = "peers"
INDEX = "index"
"""The tables whose key begins with this column have the scores of indices."""


def table_sources(info: ReleaseInfo, table: Table, indicators: Collection[str] = ()) -> set[str] | None:
    """Return the ids of the sources of a table; None for all of them. `indicators` are those in a table that is divided by indicator."""
    if table.name in TABLES_OF_AREAS:
        return _of_indicators(info, ())
    if table.name == PEERS:
        of_areas = _of_indicators(info, ())
        return None if of_areas is None else of_areas | set(info.provenance.shared)
    if table.key[0] == INDEX:
        indicators = {name for index in info.provenance.indices.values() for name in index.indicators}
        return _of_indicators(info, indicators) if indicators else None
    return _of_indicators(info, indicators) if layout.is_divided(table) and indicators else None


def data_set_sources(context: Context, topic: Topic | None) -> list[Mapping[str, Any]]:
    """Return the sources of a data set in the order of the pack, those of its areas included.

    All sources stand for those that are not known, and for those of the release as a whole, for which `topic` is None.
    """
    names = None if topic is None else _topic_sources(context, topic)
    return [source for source in context.info.sources if names is None or source["id"] in names]


def _topic_sources(context: Context, topic: Topic) -> set[str] | None:
    """Return the ids of the sources of a data set: those of its indicators, or those of all its tables. None for all of them."""
    info = context.info
    if topic.is_by_indicator:
        return _of_indicators(info, topic.indicators)
    names: set[str] = set(info.boundaries.sources) if info.boundaries and layout.GEO_TABLE in topic.tables else set()
    for table in context.tables:
        if table.name in topic.tables:
            of_table = table_sources(info, table, context.facts.indicators_in.get(table.name, ()))
            if of_table is None:
                return None
            names |= of_table
    return names


def _of_indicators(info: ReleaseInfo, indicators: Collection[str]) -> set[str] | None:
    known = info.sources_of
    if not known or not set(indicators) <= set(known):
        return None
    return {*known.get(OF_AREAS, ()), *(name for indicator in indicators for name in known[indicator])}
