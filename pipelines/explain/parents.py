"""From the sums of areas to the published cell: roll-ups with coverage, reported or computed parents, value and status. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.core.vocabulary import AREA_KM2, AREAS, FIRST_MISSING_RANK, STATUS_OF_RANK, STATUS_RANK
from pipelines.explain.facts import Area, Facts, Indicator
from pipelines.explain.formula import AreaSums, value

C, Q, M, NOT_COLLECTED = (STATUS_RANK[status] for status in "CQMO")


@dataclass(frozen=True)
class Member:
    """An area of the finest level below a parent. It contributes only if it has every term."""

    area: Area
    sums: AreaSums

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
    weight: float | None  # of all members; None where a member that does not contribute never has a weight
    contributing_weight: float
    counted: bool  # areas count once: in plain sums, where weights sum to 0, and without weights
    needed: float  # coverage below which the value is not published

    @property
    def contributing(self) -> int:
        return sum(m.contributes for m in self.members)

    @property
    def coverage(self) -> float | None:
        if not self.contributing:
            return 0.0
        return None if self.weight is None else self.contributing_weight / self.weight

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


NEVER_COLLECTED = Outcome("never collected", None, "O", None, None, 0.0)


def roll_up(facts: Facts, members: Sequence[Member], min_coverage: float) -> Rollup | None:
    """Sum over the members that contribute. Returns None without members, or where the measures cannot be summed."""
    if not members or not rollable(facts):
        return None
    contributing = [m for m in members if m.contributes]
    bases = [m.sums.base for m in contributing if m.sums.base] if facts.indicator.change_kind is not None else []
    weight, contributing_weight, counted = _weights(facts, members)
    return Rollup(
        tuple(members),
        _sum([m.sums.now.numerator for m in contributing]),
        _sum([m.sums.now.denominator for m in contributing]),
        _sum([base.numerator for base in bases]),
        _sum([base.denominator for base in bases]),
        weight,
        contributing_weight,
        counted,
        min_coverage if facts.indicator.has_denominator else 1.0,
    )


def _weights(facts: Facts, members: Sequence[Member]) -> tuple[float | None, float, bool]:
    """Return the weight of all members (None: unknown), the weight of those that contribute, and whether areas count once."""
    contributing = [m for m in members if m.contributes]
    is_ratio = facts.indicator.has_denominator
    if not facts.has_weight:
        return len(members), len(contributing), True
    if is_ratio and any(m.area.weight is None and not m.contributes for m in members):
        return None, sum(m.area.weight or 0.0 for m in contributing), False
    weight = sum(m.area.weight or 0.0 for m in members)
    if weight <= 0:
        return len(members), len(contributing), True
    if is_ratio:
        return weight, sum(m.area.weight or 0.0 for m in contributing), False
    # a plain sum needs every area except those whose weight is known to be 0
    return sum(m.contributes or m.area.weight != 0 for m in members), len(contributing), True


def rollable(facts: Facts) -> bool:
    """Whether the indicator can be summed over areas: its measures are additive, weighted, or factors of a product; a share sums areas."""
    indicator = facts.indicator
    return indicator.is_share or all(
        t.times is not None or (t.at_level is None and (facts.additive.get(t.measure, True) or indicator.weighted)) for t in indicator.terms
    )


def _sum(values: Sequence[float | None]) -> float | None:
    present = [v for v in values if v is not None]
    return sum(present) if present else None


def choose_outcome(facts: Facts, own: AreaSums, is_parent: bool, rolled: Rollup | None) -> Outcome:
    """Choose between an area's own observations and the roll-up, and return value and status."""
    indicator = facts.indicator
    plain = indicator.weighted and indicator.is_direct  # a mean needs no weight at its own level
    rank = own.now.numerator_rank if plain else own.rank
    way = _way(indicator, own, rank, is_parent, rolled)
    if way == "rolled" and rolled is not None:
        return _rolled(indicator, rolled)
    if way == "absent":
        return Outcome(way, None, STATUS_OF_RANK[rank if rank >= FIRST_MISSING_RANK else NOT_COLLECTED], None, None, 0.0)
    result = None
    if plain and rank < FIRST_MISSING_RANK and own.now.unweighted is not None and own.now.denominator != 0:
        result = indicator.multiplier * own.now.unweighted
    elif not plain and own.rank < FIRST_MISSING_RANK:
        base = (own.base.numerator, own.base.denominator) if own.base else None
        result = value(indicator, (own.now.numerator, own.now.denominator), base)
    status = "Z" if rank < FIRST_MISSING_RANK and result is None else STATUS_OF_RANK[rank]
    complete = own.now.rank < FIRST_MISSING_RANK
    return Outcome(
        way,
        result,
        status,
        own.now.numerator if complete else None,
        own.now.denominator if complete else None,
        1.0 if rank < FIRST_MISSING_RANK else 0.0,
    )


def _way(indicator: Indicator, own: AreaSums, rank: int, is_parent: bool, rolled: Rollup | None) -> str:
    if not is_parent:
        return "direct"
    reported = indicator.rollup == "reported"
    built_in = any({t.measure, t.times} & {AREAS, AREA_KM2} for t in indicator.terms)
    if own.rank < FIRST_MISSING_RANK and own.now.observed and not built_in and (reported or not (rolled and rolled.contributing)):
        return "reported"
    below_is_missing = max(rolled.ranks if rolled else [NOT_COLLECTED]) in (NOT_COLLECTED, M)
    if rank in (C, Q) and own.now.observed and (reported or below_is_missing):
        return "reported"
    return "rolled" if rolled else "absent"


def _rolled(indicator: Indicator, rolled: Rollup) -> Outcome:
    is_covered = rolled.coverage is not None and rolled.coverage >= rolled.needed
    ranks = [rank for rank in rolled.ranks if rank < FIRST_MISSING_RANK]
    result = None
    if is_covered and ranks:
        result = value(indicator, (rolled.numerator, rolled.denominator), (rolled.base_numerator, rolled.base_denominator))
    if not ranks and min(rolled.ranks) == max(rolled.ranks):
        status = STATUS_OF_RANK[max(rolled.ranks)]  # all areas below are missing, for the same reason
    elif not ranks or not is_covered:
        status = "L"
    else:
        status = "Z" if result is None else STATUS_OF_RANK[max(ranks)]
    return Outcome("rolled", result, status, rolled.numerator, rolled.denominator, rolled.coverage)
