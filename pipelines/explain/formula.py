"""From cells to the sums of one area: terms, lags, products, windows, the two ends of a change. Pure functions; no roll-up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipelines.core.vocabulary import AREA_KM2, AREAS, FIRST_MISSING_RANK, STATUS_RANK, first_day, years_before
from pipelines.explain.cells import BREAK, ESTIMATED, Cell, RestatedProduct, find_cell, restated_product
from pipelines.explain.facts import Break, Facts, Indicator, Key, Place, Term

M, NOT_COLLECTED, S = STATUS_RANK["M"], STATUS_RANK["O"], STATUS_RANK["S"]


@dataclass(frozen=True)
class Operand:
    """A measure in a term. how: cell, built in, zero (`missing: zero`), unreported (the source reports on the area), down, absent, nowhere."""

    key: Key
    cell: Cell | None
    how: str
    value: float | None
    rank: int
    above: bool = False  # taken in another area, at a level above


@dataclass(frozen=True)
class TermValue:
    """A term with its values: factor x measure (x times). `product` replaces measure x times in an area that came from others."""

    term: Term
    operands: tuple[Operand, ...]
    product: RestatedProduct | None = None

    @property
    def value(self) -> float | None:
        if self.product is not None:
            return None if self.product.value is None else self.term.factor * self.product.value
        values = [o.value for o in self.operands]
        return None if None in values else self.term.factor * math.prod(v for v in values if v is not None)

    @property
    def rank(self) -> int:
        return self.product.rank if self.product is not None else max(o.rank for o in self.operands)


@dataclass(frozen=True)
class Year:
    """The formula in one period: sums of its terms before any window."""

    time_period: str
    terms: tuple[TermValue, ...]
    numerator: float | None
    denominator: float | None
    unweighted: float | None  # the numerator, not multiplied by its weight
    rank: int
    numerator_rank: int

    @property
    def complete(self) -> bool:
        return self.rank < FIRST_MISSING_RANK

    @property
    def observed(self) -> bool:
        return any(o.cell is not None and not o.above for t in self.terms for o in t.operands)


@dataclass(frozen=True)
class Sums:
    """Numerator and denominator at one end: of a year, or over the years of a window."""

    time_period: str
    years: tuple[Year, ...]
    numerator: float | None
    denominator: float | None
    unweighted: float | None
    rank: int
    numerator_rank: int
    observed: bool


@dataclass(frozen=True)
class AreaSums:
    """The sums of an area from its own observations; `base` is the other end of a change."""

    ref_area: str
    now: Sums
    base: Sums | None
    series_break: Break | None  # a break between the two ends
    rank: int
    compared: float | None = None  # the value that a share of areas compares with its threshold


def area_sums(facts: Facts, ref_area: str, period: str, sex: str, age: str) -> AreaSums:
    """Return the sums of one area for a row of `period`, `sex` and `age`."""
    indicator = facts.indicator
    if indicator.is_share:
        return _in_share(facts, area_sums(replace(facts, indicator=indicator.of_values()), ref_area, period, sex, age))
    now = _sums(facts, ref_area, period, sex, age)
    if indicator.change_years is None:
        return AreaSums(ref_area, now, None, None, now.rank)
    base = _sums(facts, ref_area, years_before(period, indicator.change_years), sex, age)
    series_break = _series_break(facts, period)
    return AreaSums(ref_area, now, base, series_break, max(now.rank, base.rank, BREAK if series_break else 0))


def _in_share(facts: Facts, sums: AreaSums) -> AreaSums:
    """Return what an area adds to a share of areas: its weight, as denominator and, beyond the threshold, as numerator."""
    indicator = facts.indicator
    by_weight = indicator.share_by_weight and indicator.weight is not None
    weight = facts.areas[sums.ref_area].weight if by_weight else 1.0
    rank = max(sums.rank, M if weight is None else 0)
    if rank >= FIRST_MISSING_RANK or weight is None:
        now = replace(sums.now, numerator=None, denominator=None, unweighted=None, rank=rank, numerator_rank=rank, observed=False)
        return AreaSums(sums.ref_area, now, sums.base, sums.series_break, rank)
    base = (sums.base.numerator, sums.base.denominator) if sums.base else None
    compared = value(indicator.of_values(), (sums.now.numerator, sums.now.denominator), base)
    is_beyond = compared is not None and (
        (indicator.share_below is not None and compared < indicator.share_below)
        or (indicator.share_above is not None and compared > indicator.share_above)
    )
    top, low = weight if is_beyond else 0.0, 0.0 if compared is None else weight
    now = replace(sums.now, numerator=top, denominator=low, unweighted=None, rank=rank, numerator_rank=rank, observed=False)
    return AreaSums(sums.ref_area, now, sums.base, sums.series_break, rank, compared)


def _sums(facts: Facts, ref_area: str, period: str, sex: str, age: str) -> Sums:
    indicator = facts.indicator
    if indicator.window_years is None:
        year = _year(facts, ref_area, period, sex, age)
        return Sums(period, (year,), year.numerator, year.denominator, year.unweighted, year.rank, year.numerator_rank, year.observed)
    years = tuple(_year(facts, ref_area, years_before(period, back), sex, age) for back in range(indicator.window_years))
    complete = [y for y in years if y.complete]
    observed = any(y.observed for y in years)
    tops = [y.numerator for y in complete if y.numerator is not None]
    lows = [y.denominator for y in complete if y.denominator is not None]
    if len(tops) < (indicator.window_min or indicator.window_years):
        rank = max(y.rank for y in years)
        return Sums(period, years, None, None, None, rank, rank, observed)
    rank = max(y.rank for y in complete)
    kind = indicator.window_agg or "sum"
    return Sums(period, years, _over(kind, tops), _over(kind, lows) if lows else None, None, rank, rank, observed)


def _over(kind: str, values: Sequence[float]) -> float:
    if kind == "count_nonzero":
        return float(sum(v != 0 for v in values))
    return sum(values) / (len(values) if kind == "mean" else 1)


def _year(facts: Facts, ref_area: str, period: str, sex: str, age: str) -> Year:
    terms = tuple(_term(facts, term, ref_area, period, sex, age) for term in facts.indicator.terms)
    top = [t for t in terms if t.term.side == "numerator"]
    low = [t for t in terms if t.term.side != "numerator"]
    unweighted, denominator = _sum(top), _sum(low)
    numerator = unweighted
    if facts.indicator.weighted:
        numerator = None if unweighted is None or denominator is None else unweighted * denominator
    return Year(period, terms, numerator, denominator, unweighted, max(t.rank for t in terms), max(t.rank for t in top))


def _sum(terms: Sequence[TermValue]) -> float | None:
    values = [t.value for t in terms]
    return None if not values or None in values else sum(v for v in values if v is not None)


def _term(facts: Facts, term: Term, ref_area: str, period: str, sex: str, age: str) -> TermValue:
    at = years_before(period, term.lag)
    names = [term.measure, *([term.times] if term.times is not None else [])]
    keys = [Key(name, ref_area, at, term.sex or sex, term.age or age) for name in names]
    may_be_zero = facts.indicator.missing_zero and (
        term.side == "numerator" or (term.side == "denominator" and term.measure in facts.counted)
    )
    if term.at_level is None:
        operands = tuple(_operand(facts, key, may_be_zero and i == 0) for i, key in enumerate(keys))
        return TermValue(term, operands, restated_product(facts, keys) if len(keys) > 1 else None)
    return TermValue(term, (_above(facts, keys[0], period, term.at_level, may_be_zero), *(_operand(facts, key, False) for key in keys[1:])))


def _above(facts: Facts, key: Key, period: str, level: str, may_be_zero: bool) -> Operand:
    """Return a measure of the area at a level in which the area of `key` lies in the period of the formula."""
    area = facts.above.get((key.ref_area, period, level))
    if area is None:
        return Operand(key, None, "nowhere", None, NOT_COLLECTED)
    return replace(_operand(facts, key._replace(ref_area=area), may_be_zero), above=area != key.ref_area)


def _operand(facts: Facts, key: Key, may_be_zero: bool) -> Operand:
    cell = find_cell(facts, key)
    if cell is not None:
        return Operand(key, cell, "cell", cell.value, cell.rank)
    if key.measure == AREAS:
        shares = facts.origins.get((key.ref_area, key.time_period))  # before a change of areas, the former areas count
        if shares is not None:
            return Operand(key, None, "built in", sum(share for _, share in shares), ESTIMATED)
        return Operand(key, None, "built in", 1.0, 1)
    if key.measure == AREA_KM2:
        km2 = facts.areas[key.ref_area].km2
        return Operand(key, None, "built in", km2, M if km2 is None else 1)
    down = facts.down.get(key.measure, frozenset())
    if None in down or key.time_period in down:
        return Operand(key, None, "down", None, S)
    if Place(key.measure, key.ref_area, key.time_period) not in facts.universe:
        return Operand(key, None, "absent", None, NOT_COLLECTED)
    return Operand(key, None, "zero", 0.0, 1) if may_be_zero else Operand(key, None, "unreported", None, M)


def _series_break(facts: Facts, period: str) -> Break | None:
    """Return a declared break that lies after the base of a change, up to its period."""
    indicator = facts.indicator
    for term in indicator.terms:
        last = first_day(years_before(period, term.lag))
        base = first_day(years_before(period, term.lag + (indicator.change_years or 0)))
        for series_break in facts.breaks:
            day = first_day(series_break.period)
            if series_break.measure in (term.measure, term.times) and day and last and base and base < day <= last:
                return series_break
    return None


def value(indicator: Indicator, now: tuple[float | None, float | None], base: tuple[float | None, float | None] | None) -> float | None:
    """Return the value of (numerator, denominator) pairs, or None where it is not defined."""
    last = ratio(indicator, *now)
    if indicator.change_kind is None or last is None:
        return last
    first = ratio(indicator, *(base or (None, None)))
    if first is None:
        return None
    if indicator.change_kind == "difference":
        return last - first
    if indicator.change_kind == "percent":
        return 100.0 * (last - first) / first if first > 0 else None
    return math.log(last / first) if first > 0 and last > 0 else None


def ratio(indicator: Indicator, numerator: float | None, denominator: float | None) -> float | None:
    """Return multiplier x numerator / denominator, or multiplier x numerator without a denominator; None where it is 0."""
    if numerator is None or (indicator.has_denominator and not denominator):
        return None
    return indicator.multiplier * (numerator / denominator if indicator.has_denominator and denominator else numerator)
