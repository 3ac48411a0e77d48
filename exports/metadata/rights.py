"""Who the data of a data set come from, and what its readers may do with them: sources, licence, and a statement in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from exports.formats import reading_texts
from exports.metadata import codelist, wording
from exports.model import made_from
from exports.model.info import Context
from exports.model.licences import NO_LICENCE
from exports.model.tables import Table

Source = Mapping[str, Any]


def licence_of_table(context: Context, table: Table) -> str:
    """Return the licence, as an SPDX identifier, of a table or of the values of a topic. Code lists are made from no source."""
    if table.name in codelist.NAMES:
        return context.info.licence
    topic = next((topic for topic in context.data_sets if topic.is_by_indicator and topic.id == table.name), None)
    if topic and table not in context.tables:
        return context.info.licence_from({source["id"] for source in made_from.data_set_sources(context, topic)})
    return context.info.licence_from(made_from.table_sources(context.info, table, context.facts.indicators_in.get(table.name, ())))


def statement(context: Context, sources: Sequence[Source], languages: Sequence[str]) -> Mapping[str, str]:
    """Return by language who publishes the sources under which licence, and which sources state none."""
    texts = {}
    for language in languages:
        of_sources, unstated = wording.RIGHTS.get(language, wording.RIGHTS["en"])
        licences: dict[str, dict[str, None]] = {}
        without: dict[str, None] = {}
        for source in sources:
            publisher = context.info.text(source["publisher"])
            if source["licence"] == NO_LICENCE:
                terms = context.info.text(source.get("rights"), language)
                title = f"{context.info.text(source['title'], language)} ({publisher})"
                without[f"{title}: {terms.rstrip('.')}" if terms else title] = None
            licences.setdefault(publisher, {})[reading_texts.licence(str(source["licence"]), language)] = None
        named = "; ".join(f"{publisher} ({', '.join(sorted(names))})" for publisher, names in licences.items())
        parts = [of_sources.format(named)] if named else []
        parts += [unstated.format("; ".join(without))] if without else []
        if parts:
            texts[language] = " ".join(parts)
    return texts
