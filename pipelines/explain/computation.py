"""One number computed anew: from a question and the warehouse's facts to the published cell. Explains nothing yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.explain import formula, parents
from pipelines.explain.cells import Cell
from pipelines.explain.facts import Facts, Question
from pipelines.explain.formula import Direct, Operand
from pipelines.explain.parents import NEVER, Member, Outcome, Rollup
from pipelines.explain.warehouse import Warehouse

TOLERANCE = 1e-9
"""Published numbers have 12 significant digits, and sums of another order differ in the last ones."""


@dataclass(frozen=True)
class Computation:
    """Everything on the way from the facts to the outcome. Without any period there is no `own`."""

    question: Question
    facts: Facts
    level: str
    finest: str
    outcome: Outcome
    own: Direct | None = None
    rolled: Rollup | None = None

    @property
    def uses_own(self) -> bool:
        """Whether the area's own observations are what is published, or all there is to look at."""
        return self.own is not None and self.outcome.way != "rolled"


def compute(warehouse: Warehouse, question: Question) -> Computation:
    """Answer a settled question from the facts of `warehouse`."""
    _, level = warehouse.areas[question.ref_area]
    if not question.time_period:
        facts = Facts(warehouse.indicator(question.indicator), {}, {}, {}, {})
        is_down = any(t.measure in warehouse.down for t in facts.indicator.terms if t.side == "numerator")
        outcome = Outcome(NEVER.way, None, "S" if is_down else NEVER.status, None, None, 0.0)
        return Computation(question, facts, level, level, outcome)
    position, finest = warehouse.finest(question.indicator, question.time_period)
    is_parent = warehouse.positions[level] > position
    below = warehouse.members(question.indicator, question.ref_area, question.time_period) if is_parent else []
    facts = warehouse.facts(question, below)
    at = (question.time_period, question.sex, question.age)
    own = formula.direct(facts, question.ref_area, *at)
    members = [Member(facts.areas[area], formula.direct(facts, area, *at)) for area in below]
    rolled = parents.roll_up(facts, members, warehouse.pack[1])
    return Computation(question, facts, level, finest, parents.outcome(facts, own, is_parent, rolled), own, rolled)


def agree(a: float | None, b: float | None) -> bool:
    """Whether two numbers are the same but for the last digits; two missing ones are."""
    if a is None or b is None:
        return a is None and b is None
    return abs(a - b) <= TOLERANCE * max(abs(a), abs(b))


def operands(sums: Direct) -> Iterator[Operand]:
    """Yield every operand of an area: of all terms, years of the window, and of the base."""
    for end in (sums.now, *([sums.base] if sums.base else [])):
        for year in end.years:
            for term in year.terms:
                yield from term.operands


def cells_of(sums: Direct) -> list[Cell]:
    """Return every cell behind an area's sums, each once."""
    return list(dict.fromkeys(o.cell for o in operands(sums) if o.cell is not None))
