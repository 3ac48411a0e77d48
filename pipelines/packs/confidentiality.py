"""What of a pack may be confidential, and which measures and indicators have to be protected together. Knows the declarations only, no data.

A count is protected against what follows from others. Measures that a formula adds up are tied to each other, so they form one group. Measures
that weigh areas or choose peers are public: coverage, weighted statistics and distances of peers show them anyway, so they tie nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipelines.core.vocabulary import AREA_KM2, AREAS
from pipelines.packs.pack import Pack
from pipelines.packs.schema import Indicator, ObservationsMap, Term

BUILT_IN = frozenset({AREAS, AREA_KM2})


@dataclass(frozen=True)
class Group:
    """Measures that are protected together, and the indicators that read any of them.

    `is_declared`: a key `confidential_below` concerns it; otherwise only a source may mark its cells as confidential.
    """

    measures: frozenset[str]
    indicators: tuple[str, ...]
    is_declared: bool

    @property
    def name(self) -> str:
        return min(self.measures)


def public_measures(pack: Pack) -> frozenset[str]:
    """Return the measures that other columns of a release show: weights, and the attributes by which peers are chosen."""
    peers = pack.file.peers.by if pack.file.peers else []
    return pack.weights | frozenset(peers) - frozenset(pack.indicators)


def groups(pack: Pack) -> list[Group]:
    """Return the groups of a pack in order; none if nothing can be confidential."""
    public = public_measures(pack) | BUILT_IN
    declared, marked = _declared(pack) - public, _marked(pack) - public
    if not declared | marked:
        return []
    measures: list[set[str]] = [{measure} for measure in sorted(declared | marked)]
    sides = [names for indicator in pack.indicators.values() for side in sides_of(indicator) if (names := measures_of(side) - public)]
    reads = [names for indicator in pack.indicators.values() if (names := measures_read(indicator) - public)]
    while True:
        merged = _merged([*measures, *(side for side in sides if len(side) > 1 and any(side & group for group in measures))])
        # an indicator that reads two groups ties them: where it is suppressed, it is so in both
        merged = _tied(merged, reads)
        if merged == measures:
            break
        measures = merged
    readers = {i: measures_read(indicator) for i, indicator in pack.indicators.items()}
    result = [Group(frozenset(g), tuple(i for i, names in readers.items() if names & g), bool(g & declared)) for g in measures]
    return [group for group in result if group.indicators]  # what no indicator reads is not published


def threshold_of_measures(pack: Pack) -> dict[str, int]:
    """Return the smallest count that is not confidential, by measure."""
    thresholds: dict[str, int] = {}
    for source in pack.sources.values():
        if source.enabled and isinstance(source.map, ObservationsMap):
            for name, spec in source.map.measures.items():
                if spec.confidential_below is not None:
                    thresholds[name] = max(spec.confidential_below, thresholds.get(name, 0))
    return thresholds


def sides_of(indicator: Indicator) -> Iterator[list[Term]]:
    """Yield the numerator of an indicator, and its denominator if it has one."""
    if indicator.formula is not None:
        yield from (side for side in (indicator.formula.numerator, indicator.formula.denominator) if side)


def measures_of(terms: Iterable[Term]) -> set[str]:
    return {name for term in terms for name in (term.measure, term.times) if name is not None}


def measures_read(indicator: Indicator) -> set[str]:
    return {name for side in sides_of(indicator) for name in measures_of(side)}


def _declared(pack: Pack) -> set[str]:
    """Return the measures with confidential counts, and those of the counts of indicators that are confidential."""
    of_indicators = (measures_read(i) for i in pack.indicators.values() if i.confidential_below is not None)
    return set(threshold_of_measures(pack)).union(*of_indicators)


def _marked(pack: Pack) -> set[str]:
    """Return the measures of which a source may mark cells as confidential."""
    return {
        name
        for source in pack.sources.values()
        if source.enabled and isinstance(source.map, ObservationsMap)
        for name, spec in source.map.measures.items()
        if spec.is_count and (_may_be_confidential(source.map.status) or _may_be_confidential(spec.status))
    }


def _may_be_confidential(status: str | None) -> bool:
    """Whether an expression may give C. Only literals, alone or as the results of a `case`, rule it out."""
    if status is None:
        return False
    text = status.strip()
    if re.fullmatch(r"'[^']*'", text):
        return text == "'C'"
    if not re.fullmatch(r"case\b.*\bend", text, re.IGNORECASE | re.DOTALL):
        return True
    results = re.findall(r"\b(?:then|else)\s+('[^']*'|null\b|\S+)", text, re.IGNORECASE)
    return any(result == "'C'" or (not result.startswith("'") and result.lower() != "null") for result in results)


def _merged(sets: Iterable[set[str]]) -> list[set[str]]:
    """Return the unions of the sets that overlap, in order."""
    merged: list[set[str]] = []
    for one in sets:
        apart = [other for other in merged if not other & one]
        merged = [*apart, one.union(*(other for other in merged if other & one))]
    return sorted(merged, key=min)


def _tied(groups: list[set[str]], reads: Iterable[set[str]]) -> list[set[str]]:
    """Return the groups, those that one indicator reads as one."""
    for names in reads:
        touched = [group for group in groups if group & names]
        if len(touched) > 1:
            groups = sorted([*(group for group in groups if not group & names), set[str]().union(*touched)], key=min)
    return groups
