"""Recompute one number: from a cell key and the warehouse's facts to the published cell. Explains nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pipelines.core.vocabulary import STATUS_RANK
from pipelines.explain import formula, parents
from pipelines.explain.cells import Cell
from pipelines.explain.facts import CellKey, Facts, Indicator
from pipelines.explain.formula import AreaSums, Operand, TermValue
from pipelines.explain.parents import NEVER_COLLECTED, Member, Outcome, Rollup
from pipelines.explain.warehouse import Warehouse
from pipelines.statistics.intervals import CONFIDENCES, Interval, of_value

TOLERANCE = 1e-9
"""Relative. Published numbers have 12 significant digits, and sums in another order differ in the last ones."""


@dataclass(frozen=True)
class Difference:
    """What a difference to the area above is made from: the outcome of the area itself, and the value of the area above."""

    plain: Outcome
    above: str | None
    above_value: float | None
    above_status: str


@dataclass(frozen=True)
class Computation:
    """Everything from the facts to the outcome. `own` is None for an indicator without any period."""

    cell_key: CellKey
    facts: Facts
    level: str
    finest: str
    outcome: Outcome
    own: AreaSums | None = None
    rolled: Rollup | None = None
    intervals: tuple[Interval | None, ...] = (None, None)
    difference: Difference | None = None
    undefined_by_source: bool = False
    """Whether a source says that there can be no value."""

    @property
    def uses_own(self) -> bool:
        """Whether the number comes from the area's own observations, or there is no roll-up to use instead."""
        return self.own is not None and self.outcome.way != "rolled"


def compute(warehouse: Warehouse, cell_key: CellKey) -> Computation:
    """Recompute the cell of a resolved key from the facts of `warehouse`."""
    _, level = warehouse.areas[cell_key.ref_area]
    if not cell_key.time_period:
        facts = Facts(warehouse.indicator(cell_key.indicator), {}, {}, {}, {})
        is_down = any(t.measure in warehouse.down for t in facts.indicator.terms if t.side == "numerator")
        outcome = Outcome(NEVER_COLLECTED.way, None, "S" if is_down else NEVER_COLLECTED.status, None, None, 0.0)
        return Computation(cell_key, facts, level, level, outcome)
    position, finest = warehouse.finest(cell_key.indicator, cell_key.time_period)
    is_parent = warehouse.positions[level] > position
    below = warehouse.members(cell_key.indicator, cell_key.ref_area, cell_key.time_period) if is_parent else []
    facts = warehouse.facts(cell_key, below)
    at = (cell_key.time_period, cell_key.sex, cell_key.age)
    own = formula.area_sums(facts, cell_key.ref_area, *at)
    members = [Member(facts.areas[area], formula.area_sums(facts, area, *at)) for area in below]
    rolled = parents.roll_up(facts, members, warehouse.min_coverage)
    outcome = parents.choose_outcome(facts, own, is_parent, rolled)
    is_undefined = outcome.status in ("O", "M") and warehouse.is_undefined(cell_key)
    if is_undefined:
        outcome = replace(outcome, status="Z")
    intervals = _intervals(warehouse, cell_key, facts.indicator, outcome)
    computation = Computation(cell_key, facts, level, finest, outcome, own, rolled, intervals, undefined_by_source=is_undefined)
    return _less_area_above(warehouse, computation) if facts.indicator.difference_to else computation


def _less_area_above(warehouse: Warehouse, computation: Computation) -> Computation:
    """Subtract the value of the area above from that of a computation."""
    key, plain, level = computation.cell_key, computation.outcome, computation.facts.indicator.difference_to or ""
    area = warehouse.area_above(key.ref_area, key.time_period, level)
    if area == key.ref_area:
        above: Outcome | None = plain
    elif area is None:
        above = None
    else:
        of_above = compute(warehouse, replace(key, ref_area=area))
        above = of_above.difference.plain if of_above.difference else of_above.outcome
    value, status = None, plain.status
    if plain.value is not None and above is not None and above.value is not None:
        value = plain.value - above.value
        status = max(plain.status, above.status, key=STATUS_RANK.__getitem__)
    elif plain.value is not None:
        status = above.status if above else "O"
    difference = Difference(plain, area, above.value if above else None, above.status if above else "O")
    return replace(computation, outcome=replace(plain, value=value, status=status), difference=difference)


def _intervals(warehouse: Warehouse, cell_key: CellKey, indicator: Indicator, outcome: Outcome) -> tuple[Interval | None, ...]:
    """Return the intervals of a published value at each level of confidence."""
    if indicator.interval_kind is None or outcome.value is None:
        return tuple(None for _ in CONFIDENCES)
    sample = warehouse.sample(cell_key) if indicator.interval_kind == "mean" else None
    return of_value(indicator.interval_kind, outcome.numerator, outcome.denominator, indicator.multiplier, sample)


def agree(a: float | None, b: float | None) -> bool:
    """Return whether two numbers are the same except for their last digits; two missing numbers are."""
    if a is None or b is None:
        return a is None and b is None
    return abs(a - b) <= TOLERANCE * max(abs(a), abs(b))


def terms(sums: AreaSums) -> Iterator[TermValue]:
    """Yield every term of an area: of all years of the window, and of the base."""
    for end in (sums.now, *([sums.base] if sums.base else [])):
        for year in end.years:
            yield from year.terms


def operands(sums: AreaSums) -> Iterator[Operand]:
    """Yield every operand of an area: of all terms, years of the window, and of the base."""
    for term in terms(sums):
        yield from term.operands


def cells_of(sums: AreaSums) -> list[Cell]:
    """Return every cell behind the sums of an area, each once."""
    return list(dict.fromkeys(o.cell for o in operands(sums) if o.cell is not None))
