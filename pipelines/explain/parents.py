"""From the sums of areas to the published cell: roll-ups with coverage, which way a parent goes, value and status. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.core.vocabulary import FIRST_MISSING_RANK, STATUS_OF_RANK, STATUS_RANK
from pipelines.explain.facts import AREA_KM2, AREAS, Area, Facts, Indicator
from pipelines.explain.formula import Direct, value

C, Q, M = STATUS_RANK["C"], STATUS_RANK["Q"], STATUS_RANK["M"]


@dataclass(frozen=True)
class Member:
    """An area of the finest level below a parent; it contributes only if every term is there."""

    area: Area
    sums: Direct

    @property
    def contributes(self) -> bool:
        return self.sums.rank < FIRST_MISSING_RANK


@dataclass(frozen=True)
class Rollup:
    """The sums over the members that contribute."""

    members: tuple[Member, ...]
    numerator: float | None
    denominator: float | None
    base_numerator: float | None
    base_denominator: float | None
    weight: float | None  # of all: None where an area that does not contribute never has one
    weight_there: float
    counted: bool  # a plain sum, weights that sum to 0, or none at all: areas count once
    needed: float  # coverage below which the value is not published

    @property
    def contributing(self) -> int:
        return sum(m.contributes for m in self.members)

    @property
    def coverage(self) -> float | None:
        if not self.contributing:
            return 0.0
        return None if self.weight is None else self.weight_there / self.weight

    @property
    def ranks(self) -> list[int]:
        return [m.sums.rank for m in self.members]


@dataclass(frozen=True)
class Outcome:
    """The published cell. way: direct, reported, rolled, absent, never collected."""

    way: str
    value: float | None
    status: str
    numerator: float | None
    denominator: float | None
    coverage: float | None


NEVER = Outcome("never collected", None, "O", None, None, 0.0)


def roll_up(facts: Facts, members: Sequence[Member], min_coverage: float) -> Rollup | None:
    """Sum over the members that contribute. None without members, or where the measures cannot be summed."""
    if not members or not rollable(facts):
        return None
    there = [m for m in members if m.contributes]
    weight, weight_there, counted = _weights(facts, members)
    return Rollup(
        tuple(members),
        _sum([m.sums.now.numerator for m in there]),
        _sum([m.sums.now.denominator for m in there]),
        _sum([m.sums.base.numerator for m in there if m.sums.base]),
        _sum([m.sums.base.denominator for m in there if m.sums.base]),
        weight,
        weight_there,
        counted,
        min_coverage if facts.indicator.has_denominator else 1.0,
    )


def _weights(facts: Facts, members: Sequence[Member]) -> tuple[float | None, float, bool]:
    """Return the weight of all members, None where it is unknown, that of those which contribute, and whether they are counted."""
    there = [m for m in members if m.contributes]
    is_ratio = facts.indicator.has_denominator
    if not facts.has_weight:
        return len(members), len(there), True
    if is_ratio and any(m.area.weight is None and not m.contributes for m in members):
        return None, sum(m.area.weight or 0.0 for m in there), False
    weight = sum(m.area.weight or 0.0 for m in members)
    if weight <= 0:
        return len(members), len(there), True
    if is_ratio:
        return weight, sum(m.area.weight or 0.0 for m in there), False
    # a plain sum lacks every missing area but those of which the weight is known to be 0
    return sum(m.contributes or m.area.weight != 0 for m in members), len(there), True


def rollable(facts: Facts) -> bool:
    """Whether the indicator's measures can be summed over areas: additive, weighted, or entering as a product."""
    indicator = facts.indicator
    return all(facts.additive.get(t.measure, True) or indicator.weighted or t.times is not None for t in indicator.terms)


def _sum(values: Sequence[float | None]) -> float | None:
    there = [v for v in values if v is not None]
    return sum(there) if there else None


def outcome(facts: Facts, own: Direct, is_parent: bool, rolled: Rollup | None) -> Outcome:
    """Choose between an area's own observations and the roll-up, and say value and status."""
    indicator = facts.indicator
    plain = indicator.weighted and indicator.is_direct  # at its own level a mean needs no weight
    rank = own.now.numerator_rank if plain else own.rank
    way = _way(indicator, own, rank, is_parent, rolled)
    if way == "rolled" and rolled is not None:
        return _rolled(indicator, rolled)
    if way == "absent":
        return Outcome(way, None, STATUS_OF_RANK[max(rank, FIRST_MISSING_RANK)], None, None, 0.0)
    found = None
    if plain and rank < FIRST_MISSING_RANK and own.now.own is not None:
        found = indicator.multiplier * own.now.own
    elif not plain and own.rank < FIRST_MISSING_RANK:
        base = (own.base.numerator, own.base.denominator) if own.base else None
        found = value(indicator, (own.now.numerator, own.now.denominator), base)
    status = "Z" if rank < FIRST_MISSING_RANK and found is None else STATUS_OF_RANK[rank]
    complete = own.now.rank < FIRST_MISSING_RANK
    return Outcome(
        way,
        found,
        status,
        own.now.numerator if complete else None,
        own.now.denominator if complete else None,
        1.0 if rank < FIRST_MISSING_RANK else 0.0,
    )


def _way(indicator: Indicator, own: Direct, rank: int, is_parent: bool, rolled: Rollup | None) -> str:
    if not is_parent:
        return "direct"
    reported = indicator.rollup == "reported"
    built_in = any({t.measure, t.times} & {AREAS, AREA_KM2} for t in indicator.terms)
    if own.rank < FIRST_MISSING_RANK and own.now.observed and not built_in and (reported or not (rolled and rolled.contributing)):
        return "reported"
    says_nothing = max(rolled.ranks if rolled else [FIRST_MISSING_RANK]) in (FIRST_MISSING_RANK, M)
    if rank in (C, Q) and own.now.observed and (reported or says_nothing):
        return "reported"
    return "rolled" if rolled else "absent"


def _rolled(indicator: Indicator, rolled: Rollup) -> Outcome:
    covered = rolled.coverage is not None and rolled.coverage >= rolled.needed
    there = [rank for rank in rolled.ranks if rank < FIRST_MISSING_RANK]
    found = None
    if covered and there:
        found = value(indicator, (rolled.numerator, rolled.denominator), (rolled.base_numerator, rolled.base_denominator))
    if not there and min(rolled.ranks) == max(rolled.ranks):
        status = STATUS_OF_RANK[max(rolled.ranks)]  # nothing is there, and the areas below share one reason
    elif not there or not covered:
        status = "L"
    else:
        status = "Z" if found is None else STATUS_OF_RANK[max(there)]
    return Outcome("rolled", found, status, rolled.numerator, rolled.denominator, rolled.coverage)
