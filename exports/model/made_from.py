"""Which sources a table or a data set of a release is made from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
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
        return _and(_of_indicators(info, ()), info.provenance.shared)
    if table.key[0] == INDEX:
        return _of_indicators(info, of_indices(info)) if of_indices(info) else None
    return _of_indicators(info, indicators) if layout.is_divided(table) and indicators else None


def data_set_sources(context: Context, topic: Topic | None) -> list[Mapping[str, Any]]:
    """Return the sources of a data set in the order of the pack, those of its areas included.

    All sources stand for those that are not known, and for those of the release as a whole, for which `topic` is None.
    """
    indicators = _indicators(context, topic)
    names = None if indicators is None else _of_indicators(context.info, indicators)
    if names is not None and topic and PEERS in topic.tables:
        names = _and(names, context.info.provenance.shared)
    boundaries = context.info.boundaries
    if names is not None and boundaries and topic and layout.GEO_TABLE in topic.tables:
        names = _and(names, boundaries.sources)
    return [source for source in context.info.sources if names is None or source["id"] in names]


def of_indices(info: ReleaseInfo) -> list[str]:
    """Return the indicators of all indices."""
    return sorted({name for index in info.provenance.indices.values() for name in index.indicators})


def _indicators(context: Context, topic: Topic | None) -> Sequence[str] | None:
    """Return the indicators that a data set depends on; None if it may depend on everything."""
    if topic is None:
        return None
    if topic.is_by_indicator:
        return topic.indicators
    if topic.id == "indices":
        return of_indices(context.info) or None
    if topic.id == "territory":
        return ()
    return sorted({name for table in topic.tables for name in context.facts.indicators_in.get(table, ())}) or None


def _of_indicators(info: ReleaseInfo, indicators: Collection[str]) -> set[str] | None:
    known = info.sources_of
    if not known or not set(indicators) <= set(known):
        return None
    return {*known.get(OF_AREAS, ()), *(name for indicator in indicators for name in known[indicator])}


def _and(names: set[str] | None, more: Iterable[str]) -> set[str] | None:
    return None if names is None else names | set(more)
