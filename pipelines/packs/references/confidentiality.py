"""Confidential counts that the release cannot protect: `check` refuses them, rather than publish what gives them away."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.core.yaml import KeyPath
from pipelines.packs import confidentiality
from pipelines.packs.confidentiality import BUILT_IN, Group
from pipelines.packs.references.names import Names
from pipelines.packs.schema import Indicator, ObservationsMap


def check(names: Names) -> None:
    """Report the faults of `confidential_below`, and the formulas that would give away a count that it protects."""
    _check_sources(names)
    _check_indicators(names)
    for group in confidentiality.groups(names.pack):
        if group.is_declared:
            for name in group.indicators:
                for path, message in _revealing(names.pack.indicators[name], group):
                    names.report(f"indicators:{name}", path, message)


def _check_sources(names: Names) -> None:
    public = confidentiality.public_measures(names.pack)
    for source in names.pack.sources.values():
        for name, spec in source.map.measures.items() if isinstance(source.map, ObservationsMap) else ():
            if spec.confidential_below is not None and name in public:
                names.report(f"source:{source.id}", ("map", "measures", name, "confidential_below"), _shown(name))


def _check_indicators(names: Names) -> None:
    public = confidentiality.public_measures(names.pack)
    counts = {name: spec.is_count for observations in names.observation_maps for name, spec in observations.measures.items()}
    for indicator in names.pack.indicators.values():
        if indicator.confidential_below is None or indicator.formula is None:
            continue
        block = f"indicators:{indicator.id}"
        for measure in sorted(confidentiality.measures_read(indicator)):
            if not counts.get(measure, True):
                names.report(block, ("confidential_below",), f"{measure}: its values are no counts that add up")
        for measure in sorted(confidentiality.measures_of(indicator.formula.numerator)):
            if measure in public | BUILT_IN:
                names.report(block, ("confidential_below",), _shown(measure))


def _shown(measure: str) -> str:
    return f"{measure}: weighs areas, chooses peers or is built in, so the release shows it; its counts cannot be confidential"


def _revealing(indicator: Indicator, group: Group) -> Iterator[tuple[KeyPath, str]]:
    """Yield the keys of a formula from which a count could be derived in a way that no suppression of cells prevents."""
    formula = indicator.formula
    if formula is None:
        return
    reads = f"{group.name} is protected by confidential_below"
    if formula.change is not None:
        yield ("formula", "change"), f"{reads}, and a change gives away the count of the earlier period"
    if formula.share_of_areas is not None:
        yield ("formula", "share_of_areas"), f"{reads}, and a share of areas cannot be protected"
    if formula.difference_to is not None:
        yield ("formula", "difference_to"), f"{reads}, and a difference to another level cannot be protected"
    if formula.window is not None and formula.window.agg == "count_nonzero":
        yield ("formula", "window", "agg"), f"{reads}, and count_nonzero says which counts are 0"
    for side, terms in (("numerator", formula.numerator), ("denominator", formula.denominator)):
        names = confidentiality.measures_of(terms)
        if names & BUILT_IN and names & group.measures:
            yield ("formula", side), f"{reads}, and a sum with a built-in measure cannot be protected"
        for i, term in enumerate(terms):
            is_protected = bool({term.measure, term.times} & group.measures)
            if is_protected and term.times is not None:
                yield ("formula", side, i, "times"), f"{reads}, and a product cannot be protected"
            if is_protected and term.at is not None:
                yield ("formula", side, i, "at"), f"{reads}, and a term of another level cannot be protected"
    if indicator.interval is not None and {indicator.interval.n, indicator.interval.sd} & group.measures:
        yield ("interval",), f"{reads}, and the interval of a mean would show it"
