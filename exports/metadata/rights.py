"""Who the data of a data set come from, and what its readers may do with them: sources, licence, and a statement in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from exports.metadata import wording
from exports.metadata.text import NO_LICENCE
from exports.model import layout
from exports.model.info import Context
from exports.model.topics import Topic

Source = Mapping[str, Any]
OF_AREAS = ""
"""The key of the sources of areas in `ReleaseInfo.sources_of`."""


def sources_of(context: Context, topic: Topic | None) -> list[Source]:
    """Return the sources of a data set in the order of the pack, those of its areas included.

    All sources stand for those that are not known, and for those of the release as a whole, for which `topic` is None.
    """
    known = context.info.sources_of
    indicators = _indicators(context, topic)
    if indicators is None or not known or not set(indicators) <= set(known):
        return list(context.info.sources)
    boundaries = context.info.boundaries
    of_boundaries = boundaries.sources if boundaries and topic and layout.GEO_TABLE in topic.tables else ()
    names = {*known.get(OF_AREAS, ()), *of_boundaries, *(name for indicator in indicators for name in known[indicator])}
    if topic and "peers" in topic.tables:
        names |= set(context.info.provenance.shared)
    return [source for source in context.info.sources if source["id"] in names]


def _indicators(context: Context, topic: Topic | None) -> Sequence[str] | None:
    """Return the indicators that a data set depends on; None if it may depend on everything."""
    if topic is None:
        return None
    if topic.is_by_indicator:
        return topic.indicators
    if topic.id == "indices":
        return sorted({name for index in context.info.provenance.indices.values() for name in index.indicators}) or None
    if topic.id == "territory":
        return ()
    return sorted({name for table in topic.tables for name in context.facts.indicators_in.get(table, ())}) or None


def _text(context: Context, value: Any, language: str) -> str:
    """Return a text in a language, or else as the pack has it."""
    in_language = value.get(language) if isinstance(value, Mapping) else None
    return context.info.text(in_language or value)


def statement(context: Context, sources: Sequence[Source], languages: Sequence[str]) -> Mapping[str, str]:
    """Return by language who publishes the sources under which licence, and which sources state none."""
    texts = {}
    for language in languages:
        made_from, unstated = wording.RIGHTS.get(language, wording.RIGHTS["en"])
        licences: dict[str, dict[str, None]] = {}
        without: dict[str, None] = {}
        for source in sources:
            publisher = context.info.text(source["publisher"])
            if source["licence"] == NO_LICENCE:
                known = _text(context, source.get("rights"), language)
                title = f"{_text(context, source['title'], language)} ({publisher})"
                without[f"{title}: {known.rstrip('.')}" if known else title] = None
            licences.setdefault(publisher, {})[str(source["licence"])] = None
        named = "; ".join(f"{publisher} ({', '.join(sorted(names))})" for publisher, names in licences.items())
        parts = [made_from.format(named)] if named else []
        parts += [unstated.format("; ".join(without))] if without else []
        if parts:
            texts[language] = " ".join(parts)
    return texts
