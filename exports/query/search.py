"""Find places and indicators by what people type: without diacritics, with typing mistakes, and with the district behind a comma."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from exports.query import texts
from exports.query.answers import IndicatorsFound, PlacesFound
from exports.query.errors import QueryError
from exports.query.folding import fold
from exports.query.release import Area, Indicator, PublishedRelease

ALIKE = 0.75
"""How similar two words must be, from 0 to 1, to count as one with a typing mistake."""
SHORTEST_STEM = 4
MOST_NAMED = 20
"""The most namesakes that an error lists."""
SUGGESTED = 5
LARGEST_PAGE = 100


def search_places(
    release: PublishedRelease, query: str, *, level: str | None = None, within: str | None = None, limit: int = 10, offset: int = 0,
    language: str | None = None,
) -> PlacesFound:  # fmt: skip
    """Return the places whose name or code matches, the best first. Raises QueryError."""
    language = release.language(language)
    areas: Iterable[Area] = release.areas.values()
    if level is not None:
        level = known_level(release, level, language)
        areas = [area for area in areas if area.level == level]
    if within is not None:
        inside = release.inside(place(release, within, None, language).code)
        areas = [area for area in areas if area.code in inside]
    matching = _matching(release, query, list(areas))
    shown = matching[offset : offset + limit]
    return PlacesFound(
        release=release.about, language=language, places=[release.place(area.code) for area in shown], total=len(matching),
        next_offset=offset + limit if offset + limit < len(matching) else None,
    )  # fmt: skip


def search_indicators(
    release: PublishedRelease, query: str, *, objective: str | None = None, only_with_data: bool = False, limit: int = 10, offset: int = 0,
    language: str | None = None,
) -> IndicatorsFound:  # fmt: skip
    """Return the indicators whose identifier, title or description matches, the best first; all for an empty query. Raises QueryError."""
    language = release.language(language)
    candidates = [
        i
        for i in release.indicators.values()
        if (objective is None or fold(str(i.row.get("objective") or "")) == fold(objective)) and (not only_with_data or i.periods)
    ]
    matching = _indicators(candidates, query) if fold(query) else candidates
    return IndicatorsFound(
        release=release.about, language=language, indicators=[i.facts(language) for i in matching[offset : offset + limit]], total=len(matching),
        next_offset=offset + limit if offset + limit < len(matching) else None,
    )  # fmt: skip


def place(release: PublishedRelease, asked: str, level: str | None, language: str) -> Area:
    """Return the one place with this code or name. Raises QueryError that lists the namesakes or similar names."""
    if level is not None:
        level = known_level(release, level, language)
    exact = release.areas.get(asked.strip()) or release.areas.get(asked.strip().upper())
    if exact is not None and (level is None or exact.level == level):
        return exact
    coded = [release.areas[code] for code in release.codes.get(asked.strip().lower(), ()) if code in release.areas]
    namesakes = _of_level(list({area.code: area for area in (*coded, *_named(release, asked))}.values()), level)
    namesakes = [area for area in namesakes if area.valid_to is None] or namesakes
    if len(namesakes) == 1:
        return namesakes[0]
    if namesakes:
        names = [_told_apart(release, area) for area in namesakes[:MOST_NAMED]]
        if len(namesakes) > MOST_NAMED:
            names.append(texts.text("more", language, count=len(namesakes) - MOST_NAMED))
        raise QueryError(texts.text("namesakes", language, count=len(namesakes), place=texts.echo(asked), names="; ".join(names)))
    near = [_told_apart(release, area) for area in _matching(release, asked, _of_level(list(release.areas.values()), level))[:SUGGESTED]]
    similar = texts.text("similar", language, names="; ".join(near)) if near else ""
    raise QueryError(texts.text("unknown_place", language, place=texts.echo(asked), similar=similar))


def indicator(release: PublishedRelease, asked: str, language: str) -> Indicator:
    """Return the one indicator with this identifier or title. Raises QueryError that lists similar ones."""
    exact = release.indicators.get(asked.strip()) or release.indicators.get(asked.strip().lower())
    if exact is not None:
        return exact
    folded = fold(asked)
    of_title = [i for i in release.indicators.values() if folded and folded in {fold(title) for title in _titles(i)}]
    if len(of_title) == 1:
        return of_title[0]
    near = of_title or (_indicators(release.indicators.values(), asked) if folded else [])
    names = "; ".join(f"{i.title(language)} ({i.id})" for i in near[:SUGGESTED])
    if of_title:
        raise QueryError(texts.text("several_indicators", language, count=len(of_title), indicator=texts.echo(asked), names=names))
    similar = texts.text("similar", language, names=names) if names else ""
    raise QueryError(texts.text("unknown_indicator", language, indicator=texts.echo(asked), similar=similar))


def known_level(release: PublishedRelease, level: str, language: str) -> str:
    """Return the identifier of a level. Raises QueryError if there is none."""
    for own_level in release.levels:
        if own_level.lower() == level.strip().lower():
            return own_level
    raise QueryError(texts.text("unknown_level", language, level=texts.echo(level), levels=", ".join(release.levels)))


def _of_level(areas: Sequence[Area], level: str | None) -> list[Area]:
    return [area for area in areas if level is None or area.level == level]


def _told_apart(release: PublishedRelease, area: Area) -> str:
    """Return a place with its level, code and the places it lies in, without the state."""
    above = dict.fromkeys(parent.name for parent in release.above(area.code) if parent.parents)
    return f"{area.code} {area.name} ({', '.join((area.level, *above))})"


def _named(release: PublishedRelease, asked: str) -> list[Area]:
    """Return the places with exactly this name, after which a place they lie in may stand: Čistá, Rakovník; or before it the level."""
    name, *qualifiers = [part for part in re.split(r"[,()]", asked) if fold(part)] or [""]
    folded_name, first_word = fold(name), fold(name).partition(" ")
    namesakes = [area for area in release.areas.values() if folded_name and area.folded == folded_name]
    if not namesakes:  # "okres Kolín"
        level = next((own_level for own_level in release.levels if fold(own_level) == first_word[0]), None)
        namesakes = [a for a in release.areas.values() if level is not None and a.level == level and a.folded == first_word[2]]
    for qualifier in map(fold, qualifiers):
        words = set(qualifier.split())
        namesakes = [
            area
            for area in namesakes
            if words <= {area.level.lower(), *(w for up in release.above(area.code) for w in (*up.folded.split(), up.level.lower()))}
        ]
    return namesakes


def _matching(release: PublishedRelease, query: str, areas: Sequence[Area]) -> list[Area]:
    """Return the places that match a query, by code first, then the best names; those with a typing mistake only if no name has the words."""
    named = _named(release, query)
    of_code = {query.strip(), query.strip().upper(), *release.codes.get(query.strip().lower(), ())}
    asked = fold(query)
    scores: dict[str, float] = {}
    for area in areas:
        score = 5.0 if area.code in of_code else 4.5 if area in named else _likeness(asked, area.folded)
        if score:
            scores[area.code] = score
    best = {code: score for code, score in scores.items() if score >= 1} or scores
    size = list(release.levels)
    return sorted(
        (area for area in areas if area.code in best),
        key=lambda a: (-best[a.code], a.valid_to is not None, len(a.name), size.index(a.level), a.folded, a.code),
    )


def _likeness(asked: str, name: str) -> float:
    """Return how well a name answers a question: 4 equal, 3 begins so, 2 a word begins so, 1 all words occur, below 1 alike, 0 not at all."""
    if not asked:
        return 0.0
    if name == asked:
        return 4.0
    if name.startswith(asked):
        return 3.0
    if f" {asked}" in f" {name}":
        return 2.0
    words = asked.split()
    if all(any(word.startswith(part) for word in name.split()) for part in words):
        return 1.0
    if abs(len(asked) - len(name)) > max(len(asked), len(name)) / 2:
        return 0.0
    matcher = SequenceMatcher(None, asked, name, autojunk=False)
    return matcher.ratio() if matcher.real_quick_ratio() >= ALIKE and matcher.quick_ratio() >= ALIKE and matcher.ratio() >= ALIKE else 0.0


def _titles(indicator: Indicator) -> list[str]:
    return [str(text) for name, text in indicator.row.items() if name.startswith("title_") and text]


def _indicators(candidates: Iterable[Indicator], query: str) -> list[Indicator]:
    """Return the indicators that match most words of a query: titles count most, then identifiers, then descriptions."""
    asked = fold(query)
    words = asked.split()
    scores: dict[str, tuple[int, float, Indicator]] = {}
    for candidate in candidates:
        titles = [fold(title) for title in _titles(candidate)]
        described = [fold(str(text)) for name, text in candidate.row.items() if name.startswith("description_") and text]
        name = fold(candidate.id.replace("_", " "))
        weights = [
            max(
                3.0 * max((_word_likeness(word, title) for title in titles), default=0.0),
                2.5 * _word_likeness(word, name),
                1.0 * max((_word_likeness(word, text) for text in described), default=0.0),
            )
            for word in words
        ]
        if any(weights):
            score = 100.0 if asked in titles or asked == name else sum(weights)
            shortest = min((len(title) for title in titles), default=0)
            scores[candidate.id] = (sum(weight > 0 for weight in weights), score - shortest / 1000, candidate)
    most = max((count for count, _, _ in scores.values()), default=0)
    return [i for count, _, i in sorted(scores.values(), key=lambda scored: (-scored[1], scored[2].id)) if count == most]


def _word_likeness(word: str, text: str) -> float:
    """Return how well a word occurs in a text: 1 whole, 0.9 as a beginning, 0.7 with another ending or a typing mistake, 0 not at all."""
    best = 0.0
    for other in text.split():
        if other == word:
            return 1.0
        if other.startswith(word) and len(word) >= min(SHORTEST_STEM, len(other)):
            best = max(best, 0.9)
        elif best < 0.7 and len(word) > SHORTEST_STEM and (_same_stem(word, other) or _mistyped(word, other)):
            best = 0.7
    return best


def _same_stem(word: str, other: str) -> bool:
    """Whether two words differ only in their endings: nezaměstnanost, nezaměstnaných."""
    common = next((n for n, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), min(len(word), len(other)))
    return common > SHORTEST_STEM and common >= 0.7 * max(len(word), len(other))


def _mistyped(word: str, other: str) -> bool:
    if abs(len(word) - len(other)) > 2 or word[0] != other[0]:
        return False
    matcher = SequenceMatcher(None, word, other, autojunk=False)
    return matcher.quick_ratio() >= 0.8 and matcher.ratio() >= 0.8
