"""What the pages show before a reader chooses: which indicators, and which map. The head of a page asks for their files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from exports.site.facts import SiteFacts
from exports.site.source import HEADLINE, Source

READABLE = 120
"""The most areas that a small map shows well."""
FEW = 400
"""The most areas of a level that the small map of a place draws. Of more, it draws the level above."""
FLAGSHIPS = 2

About = Mapping[str, Any]


def map_level(source: Source) -> str | None:
    """Return the level that a small map shows: with boundaries, many areas, but not too many. None if there is none."""
    drawn = [level for level in source.areas["levels"] if map_of(source, level["level"]) and 1 < level["count"] <= READABLE]
    return max(drawn, key=lambda level: int(level["count"]))["level"] if drawn else None


def map_of(source: Source, level: str | None) -> str | None:
    """Return the path of the boundaries of all areas of a level."""
    path: str | None = source.boundaries.get(level or "", {}).get("topojson")
    return path


def place_map(source: Source, above: str | None) -> str | None:
    """Return the path of the map on the page of an area of the finest level. `above` is the level that those areas are compared within."""
    finest = source.areas["levels"][0]
    return map_of(source, finest["level"] if finest["count"] <= FEW else above)


def flagships(source: Source, facts: SiteFacts) -> list[str]:
    """Return the indicators that the first page speaks of, at most two, of different objectives.

    They have a value on the level of its map. The one that the pack chose comes first. Then come headlines with intervals: those that reach
    the finest level and belong to a measure before others, then the newest.
    """
    finest = source.areas["levels"][0]["level"]
    level = map_level(source) or finest
    own = facts.choices.map_indicator

    def is_fit(about: About) -> bool:
        is_headline = about["display"] == HEADLINE and not about["depends_on_size"]
        return bool(about["has_interval"] and _newest(about, level) and (about["indicator"] == own or is_headline))

    def rank(about: About) -> tuple[bool, bool, bool]:
        return about["indicator"] != own, not _newest(about, finest), not about["measure"]

    newest_first = sorted(filter(is_fit, source.described["indicators"]), key=lambda about: _newest(about, level), reverse=True)
    chosen: dict[str, str] = {}
    for about in sorted(newest_first, key=rank):
        chosen.setdefault(about["objective"], about["indicator"])
    return list(chosen.values())[:FLAGSHIPS]


def with_cohesion(source: Source) -> list[str]:
    """Return the indicators with values of which the differences inside territories are known."""
    compared = set(source.index["cohesion"])
    return [about["indicator"] for about in source.described["indicators"] if about["indicator"] in compared and _has_values(about)]


def usual_of_cohesion(source: Source) -> str | None:
    """Return the indicator that the page on differences shows first: a headline whose differences can be parted from chance, with the newest data."""
    abouts = [source.abouts[name] for name in with_cohesion(source)]
    finest = source.areas["levels"][0]["level"]
    wishes: Sequence[Callable[[About], bool]] = (
        lambda about: (
            about["display"] == HEADLINE and about["has_interval"] and not about["depends_on_size"] and _is_over_time(about, finest)
        ),
        lambda about: about["has_interval"] and _is_over_time(about, finest),
        lambda about: about["display"] == HEADLINE,
        lambda about: True,
    )
    for wish in wishes:
        if fitting := [about for about in abouts if wish(about)]:
            return str(max(fitting, key=lambda about: _newest(about, finest))["indicator"])
    return None


def _newest(about: About, level: str) -> str:
    """Return the newest period of an indicator on a level, empty if it has none there."""
    return next((entry["newest"] or "" for entry in about["levels"] if entry["level"] == level), "")


def _is_over_time(about: About, level: str) -> bool:
    return any(entry["level"] == level and entry["newest"] and entry["periods"][0] != entry["newest"] for entry in about["levels"])


def _has_values(about: About) -> bool:
    return any(entry["newest"] for entry in about["levels"])
