"""`meta.<language>.json`: what every page needs to know about the release, in one language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from exports.api import describe
from exports.pages import words
from exports.site import facts as site_facts
from exports.site import first_views
from exports.site.facts import SiteFacts
from exports.site.source import Source, pick

COLUMNS = ("code", "name", "parent", "population")
PLAIN = (
    "indicator", "objective", "measure", "field", "decimals", "display", "direction", "target_value", "change_years", "depends_on_size",
    "group", "has_interval",
)  # fmt: skip


def document(source: Source, facts: SiteFacts, language: str, texts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the file in a language. `texts` are those of the interface, which name components and units that every pack may use."""
    index = source.index

    def local(value: Mapping[str, str]) -> str:
        return pick(value, language)

    return {
        "version": index["version"],
        "released": index["released"],
        "pack": index["pack"],
        "title": local(facts.choices.title) or local(index["title"]),
        "publisher": local(index["publisher"]),
        "licence": index["licence"],
        "language": language,
        "languages": list(index["languages"]),
        "country": _country(source, language),
        "statuses": {
            code: {"name": local(status["name"]), "explanation": local(status["explanation"]), "has_value": status["has_value"]}
            for code, status in index["statuses"].items()
        },
        "sexes": {code: local(names) for code, names in index["sexes"].items()},
        "levels": [
            {**level, "title": local(level["title"]) or level["level"], **_maps(source, level["level"]), "above": above(source, level)}
            for level in source.areas["levels"]
        ],
        "areas": _areas(source),
        "objectives": [{"objective": objective["objective"], "title": local(objective["title"])} for objective in source.measures["objectives"]],
        "measures": [
            {**measure, "title": local(measure["title"]), "needed": local(measure["needed"])} for measure in source.measures["measures"]
        ],
        "topics": [{"topic": topic.id, "title": local(topic.titles), "indicators": list(topic.indicators)} for topic in facts.topics],
        "indicators": _indicators(source, facts, language, texts),
        "sources": [
            {"source": origin["source"], "title": local(origin["title"]), "publisher": local(origin["publisher"]), "licence": origin["licence"]}
            for origin in source.described["sources"]
        ],
        "indices": [
            {
                **composite, "title": local(composite["title"]), "note": local(composite["note"]),
                "components": [{"component": part, "title": _component(part, texts)} for part in composite["components"]],
            }
            for composite in index["indices"]
        ],
        "peers_by": [local(_attribute(source, name, texts)) or name.replace("_", " ") for name, texts in facts.peers_by.items()],
        "home": {"level": first_views.map_level(source), "indicators": first_views.flagships(source, facts)},
        "cohesion": {"usual": first_views.usual_of_cohesion(source), "indicators": first_views.with_cohesion(source)},
        "changes": site_facts.changes(facts),
    }  # fmt: skip


def _country(source: Source, language: str) -> dict[str, Any]:
    """Return the country, named in the language. `area` is the only area that has none above it on the last level; null if there are more."""
    areas, last = source.areas["areas"], source.areas["levels"][-1]
    top = [area for area in range(last["first"], last["first"] + last["count"]) if areas["parent"][area] is None]
    code = source.index["country"]
    return {"area": top[0] if len(top) == 1 and last["count"] == 1 else None, "code": code, "name": words.country(code, language)}


def _maps(source: Source, level: str) -> dict[str, Any]:
    """Return the map of a level, and its maps by an area above, if it has any."""
    about = source.boundaries.get(level, {})
    parts = {part["ref_area"]: part["topojson"] for part in about.get("parts", ())}
    return {"map": about.get("topojson"), "map_parts": {"level": about["divided_by"], "files": parts} if parts else None}


def above(source: Source, level: Mapping[str, Any]) -> str | None:
    """Return the level of most of the areas that those of a level are compared within; None if there are none."""
    parents = source.areas["areas"]["parent"][level["first"] : level["first"] + level["count"]]
    counted = Counter(_level_of(source, parent) for parent in parents if parent is not None)
    return max(counted, key=lambda name: (counted[name], name), default=None)


def _level_of(source: Source, area: int) -> str:
    levels = source.areas["levels"]
    return str(next(level["level"] for level in levels if level["first"] <= area < level["first"] + level["count"]))


def _areas(source: Source) -> dict[str, Any]:
    """Return the areas of all levels but the finest one."""
    areas, bundles = source.areas["areas"], source.areas["bundles"]
    first = source.areas["levels"][0]["count"]
    return {
        "first": first,
        **{name: areas[name][first:] for name in COLUMNS},
        "bundle": [bundles[bundle] for bundle in areas["bundle"][first:]],
    }


def _indicators(source: Source, facts: SiteFacts, language: str, texts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what every page says of each indicator. The unit of a logarithm of a ratio is in words that people know."""
    topic_of = {name: topic.id for topic in facts.topics for name in topic.indicators}
    by_formula = {about["formula"]: about["indicator"] for about in reversed(source.described["indicators"]) if about["formula"]}
    listed = []
    for about in source.described["indicators"]:
        levels = [level for level in about["levels"] if level["newest"]]
        listed.append(
            {
                **{name: about[name] for name in PLAIN},
                **{name: pick(about[name], language) for name in ("title", "unit", "needed", "supplier")},
                "sources": list(about["sources"]),
                "topic": topic_of.get(about["indicator"]),
                "change_of": by_formula.get(describe.without_change(about["formula"] or "")) if about["change_years"] else None,
                **(_logarithm(texts) if describe.is_log_ratio(about["formula"] or "") else {}),
                "newest": {level["level"]: level["newest"] for level in levels},
                "first": {level["level"]: level["periods"][0] for level in levels},
            }
        )
    return listed


def _logarithm(texts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said of an indicator of logarithms of a ratio: that it is one, and its unit if the texts have words for it."""
    unit = texts.get("common.log_ratio")
    return {"is_log_ratio": True, **({"unit": unit} if isinstance(unit, str) else {})}


def _attribute(source: Source, name: str, measure: Mapping[str, str]) -> Mapping[str, str]:
    """Return the names of an attribute of similar areas: the titles of the indicator, else the names of the measure."""
    titles: Mapping[str, str] = source.abouts.get(name, {}).get("title", {})
    return titles or measure


def _component(component: str, texts: Mapping[str, Any]) -> str:
    title = texts.get("component." + component)
    return title if isinstance(title, str) else component.replace("_", " ")
