"""The data sets by topic that a pack declares, or by default one for each objective and field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from exports.model.topics import Topic
from pipelines.packs.objectives import OBJECTIVES
from pipelines.packs.pack import Pack
from pipelines.packs.schema import Indicator
from pipelines.packs.schema import Topic as DeclaredTopic

OF_AREAS = ("areas", "area_changes")
"""What sources of territory bring."""
THEMES = {"social": "SOCI", "economic": "ECON", "environmental": "ENVI"}
FIELDS: Mapping[str, Mapping[str, str]] = {
    "social": {"en": "social field", "cs": "sociální oblast"},
    "economic": {"en": "economic field", "cs": "hospodářská oblast"},
    "environmental": {"en": "environmental field", "cs": "oblast životního prostředí"},
}
_DESCRIPTION = {
    "en": "The values of the indicators of this objective and field, by area and period.",
    "cs": "Hodnoty ukazatelů tohoto cíle a této oblasti, podle území a období.",
}


def of_pack(pack: Pack) -> list[Topic]:
    """Return the topics of a pack, whether or not their indicators have values."""
    if pack.file.topics is None:
        return _default(pack)
    return [
        Topic(
            topic.id,
            _texts(pack, topic.title),
            _texts(pack, topic.description),
            {language or pack.file.languages[0]: tuple(dict.fromkeys(words)) for language, words in topic.keywords.items()},
            topic.theme,
            tuple(indicators_of(pack, topic)),
        )
        for topic in pack.file.topics
    ]


def indicators_of(pack: Pack, topic: DeclaredTopic) -> list[str]:
    """Return the indicators of a topic: those of its objective and field in the order of the pack, then those that it lists."""
    selected: list[str] = []
    if topic.objective is not None or topic.field is not None:
        selected = [
            indicator.id
            for indicator in pack.indicators.values()
            if topic.objective in (None, indicator.objective) and topic.field in (None, indicator.field)
        ]
    return list(dict.fromkeys([*selected, *topic.indicators]))


def sources_of(pack: Pack, read: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return the fetched sources of each indicator, and of the areas under ''.

    `read` has the sources of its measures, fetched or counted. A count comes from all sources of the kind that it counts.
    """
    enabled = {name: source for name, source in pack.sources.items() if source.enabled}

    def fetched(names: Iterable[str]) -> list[str]:
        kinds = {pack.counted[name].from_ for name in names if name in pack.counted}
        return sorted(name for name, source in enabled.items() if name in names or source.into in kinds)

    areas = fetched([name for name, source in enabled.items() if source.into in OF_AREAS])
    return {"": areas, **{indicator: fetched(list(sources)) for indicator, sources in read.items()}}


def _texts(pack: Pack, texts: Mapping[str, str]) -> dict[str, str]:
    return {language or pack.file.languages[0]: " ".join(text.split()) for language, text in texts.items()}


def _default(pack: Pack) -> list[Topic]:
    groups: dict[tuple[str, str], list[Indicator]] = {}
    for indicator in pack.indicators.values():
        if indicator.formula is not None:
            groups.setdefault((indicator.objective, indicator.field or ""), []).append(indicator)
    return [_of_group(pack, *group, groups[group]) for group in sorted(groups)]


def _of_group(pack: Pack, objective: str, field: str, indicators: list[Indicator]) -> Topic:
    """Return the topic of an objective and a field, in the languages of the pack or, if there are no texts in them, in English."""
    languages = [language for language in pack.file.languages if language in _DESCRIPTION] or ["en"]
    titles, descriptions, keywords = {}, {}, {}
    for language in languages:
        of_objective = OBJECTIVES.get(objective, {}).get(language, objective)
        of_field = FIELDS.get(field, {}).get(language, "")
        names = [" ".join(pack.text(indicator.title, language).split()) for indicator in indicators]
        titles[language] = ": ".join(filter(None, (of_objective, of_field)))
        descriptions[language] = _DESCRIPTION[language]
        keywords[language] = tuple(dict.fromkeys(filter(None, (of_objective, of_field, *names))))
    name = "_".join(filter(None, (objective.lower().replace("-", "_"), field)))
    return Topic(name, titles, descriptions, keywords, THEMES.get(field, "REGI"), tuple(indicator.id for indicator in indicators))
