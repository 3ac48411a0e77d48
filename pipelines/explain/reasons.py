"""Why a number has its status: sentences that name the cell, the row, the area or the rule that decided. Decides nothing itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from pipelines.core.vocabulary import FIRST_MISSING_RANK, STATUS_OF_RANK, STATUS_RANK
from pipelines.explain.cells import ESTIMATED, Cell, observations_of, rank_of
from pipelines.explain.computation import Computation, operands
from pipelines.explain.facts import Facts, Indicator, Observation
from pipelines.explain.format import number, percent
from pipelines.explain.formula import Direct, Operand, ratio
from pipelines.explain.parents import Member, Rollup, rollable
from pipelines.explain.provenance import Refusal, Trace

MEANING = {
    "A": "normal", "B": "break in the series", "E": "estimated", "I": "imputed", "P": "provisional", "M": "missing at the source",
    "L": "coverage too low", "Q": "in quarantine", "C": "confidential", "O": "not collected here", "Z": "not defined", "S": "source down",
}  # fmt: skip
Traces = Mapping[Observation, Trace]
NAMED = 5  # areas that a sentence names


def why(computation: Computation, traces: Traces, fills: Mapping[str, Sequence[str]], needed: str) -> list[str]:
    """Return the reasons of the status, the deciding one first; none for a normal value."""
    outcome, facts = computation.outcome, computation.facts
    if computation.own is None:
        return _never(computation, fills, needed)
    if outcome.way == "rolled" and computation.rolled is not None:
        return _of_parent(computation, computation.rolled, traces, fills)
    told = []
    if outcome.way == "absent":
        told.append(_absent(computation))
    if outcome.status == "Z":
        return [*told, _undefined(facts.indicator, computation.own.now.numerator, computation.own.now.denominator, computation.own)]
    if outcome.status == "A":
        return told
    return told + of_area(facts, computation.own, traces, fills, plain=facts.indicator.weighted and facts.indicator.is_direct)


def of_area(facts: Facts, sums: Direct, traces: Traces, fills: Mapping[str, Sequence[str]], plain: bool = False) -> list[str]:
    """Return which inputs of one area give it its status. `plain`: the weight of a mean does not count."""
    rank = sums.now.numerator_rank if plain else sums.rank
    told = [
        operand_in_words(facts, o, traces, fills)
        for o in operands(sums)
        if o.rank == rank and not (plain and o.key.measure != facts.indicator.terms[0].measure)
    ]
    if sums.broken is not None and rank == STATUS_RANK["B"]:
        note = f" ({sums.broken.note})" if sums.broken.note else ""
        told.append(f"the series of {sums.broken.measure} breaks in {sums.broken.period}{note}, between the two ends of the change")
    short = facts.indicator.window_years is not None and rank >= FIRST_MISSING_RANK
    if short:
        there = sum(y.complete for y in sums.now.years)
        told.append(f"of the {facts.indicator.window_years} years of the window {there} are complete, {facts.indicator.window_min} are due")
    return list(dict.fromkeys(told))


def operand_in_words(facts: Facts, operand: Operand, traces: Traces, fills: Mapping[str, Sequence[str]]) -> str:
    """Return why an operand has its status, as a clause that begins with its name."""
    name = key_in_words(operand)
    sources = ", ".join(fills.get(operand.key.measure, [])) or "no source"
    if operand.cell is not None:
        return f"{name} {_cell_in_words(facts, operand.cell, traces)}"
    return {
        "built in": f"{name} is unknown: no source of areas says it",
        "zero": f"{name} is 0: the source reports on the area and has no row of it",
        "unreported": f"{name} is missing: {sources} reports on this area then, but gives no such value",
        "down": f"{name} is unknown: {sources} has no good snapshot",
        "absent": f"{name} was not collected: {sources} has no row of this area then",
    }[operand.how]


def _cell_in_words(facts: Facts, found: Cell, traces: Traces) -> str:
    if found.how == "conflict":
        rows = ", ".join(row_in_words(o) for o in found.inputs)
        return f"is in quarantine: {found.source} gives it different values in {rows}"
    if found.how == "contradiction":
        refusals = [r for o in found.inputs if (trace := traces.get(o)) for r in trace.refusals if r.column == o.key.measure]
        told_by = list(dict.fromkeys(r.reason for r in refusals)) or [f"{found.source} gives it a total that is less than its parts"]
        return f"is in quarantine: {'; '.join(told_by)} ({', '.join(row_in_words(o) for o in found.inputs[:NAMED])})"
    if found.how == "restated" and (words := _restated_in_words(found)):
        return words
    deciding = [o for o in observations_of(found) if rank_of(facts, o) == found.rank]
    if not deciding:
        return f"has status {STATUS_OF_RANK[found.rank]}"
    told = "; ".join(_observation_in_words(o, found.rank, traces) for o in deciding[:NAMED])
    return told + ("; it may be of either sex" if found.how == "doubt" else "")


def _restated_in_words(found: Cell) -> str:
    """Return why a restated cell has its status, where its areas of then do not say it themselves."""
    lacking = [o.ref_area for o in found.origins if o.rank == found.rank and (o.cell is None or o.cell.rank != o.rank)]
    if lacking:
        return f"is not known: {', '.join(lacking)}, which it was then, has no such value, or no weight"
    if found.rank == FIRST_MISSING_RANK and all(o.rank < FIRST_MISSING_RANK for o in found.origins):
        return "can be neither summed nor averaged over the areas that it was then"
    if found.value is not None and all(o.rank < ESTIMATED for o in found.origins):
        return f"is restated from {', '.join(o.ref_area for o in found.origins)}, which it was then"
    return ""


def _observation_in_words(observation: Observation, rank: int, traces: Traces) -> str:
    status, trace = STATUS_OF_RANK[rank], traces.get(observation)
    where = row_in_words(observation)
    if status == "Q":
        refusals = trace.refusals if trace else ()
        return f"is in quarantine: {where}" + "".join(f"; {refusal_in_words(r)}" for r in refusals[:NAMED])
    words = {
        "M": "is missing: the cell is empty, or marked as missing, in",
        "C": "is confidential, says",
        "O": "is not collected, says",
        "B": "follows a break in the series, in",
        "E": "is an estimate, says",
        "I": "is imputed, says",
        "P": "is provisional, says",
        "A": "stands in",
    }
    return f"{words.get(status, status)} {where}"


def refusal_in_words(refusal: Refusal) -> str:
    what = f"column {refusal.column}" if refusal.column else "the whole row"
    shown = f" ({refusal.value})" if refusal.value and refusal.column else ""
    return f"row {refusal.row}, {what}: {refusal.reason}{shown}"


def row_in_words(observation: Observation) -> str:
    name = observation.source + (f" {observation.part}" if observation.part else "")
    if observation.row is None:
        return name
    more = (observation.rows or 1) - 1
    return f"row {observation.row} of {name}" + (f" and {more} more" if more else "")


def key_in_words(operand: Operand) -> str:
    key = operand.key
    marks = [m for m, plain in ((key.sex, "_T"), (key.age, "_T")) if m != plain]
    return f"{key.measure} {key.time_period}" + (f" [{', '.join(marks)}]" if marks else "")


# ------------------------------------------------------------------------------------------------------------------ parents


def _of_parent(computation: Computation, rolled: Rollup, traces: Traces, fills: Mapping[str, Sequence[str]]) -> list[str]:
    outcome, facts = computation.outcome, computation.facts
    out = [m for m in rolled.members if not m.contributes]
    if outcome.status == "L":
        if rolled.coverage is None:
            unknown = [m.area.name for m in out if m.area.weight is None]
            names = ", ".join(unknown[:NAMED]) + (f" and {len(unknown) - NAMED} more" if len(unknown) > NAMED else "")
            return [f"the coverage is unknown: no period has a weight of {names}, and no value either", *missing_in_words(out)]
        what = "areas" if rolled.counted else "weight"
        told = [f"the areas with all terms have {percent(rolled.coverage)} of the {what}; {percent(rolled.needed)} is due"]
        return told + missing_in_words(out)
    if outcome.status == "Z":
        base = (rolled.base_numerator, rolled.base_denominator)
        return [_undefined(facts.indicator, rolled.numerator, rolled.denominator, None, base)]
    if outcome.status == "A":
        return []
    if outcome.status in MISSING_STATUSES:
        first = of_area(facts, out[0].sums, traces, fills)[:2] if out else []
        return [
            f"none of the {len(rolled.members)} areas below has a value, all for this reason",
            *(f"{out[0].area.name}: {t}" for t in first),
        ]
    flagged = [m for m in rolled.members if m.contributes and STATUS_OF_RANK[m.sums.rank] == outcome.status]
    names = ", ".join(m.area.name for m in flagged[:NAMED]) + (f" and {len(flagged) - NAMED} more" if len(flagged) > NAMED else "")
    return [f"{len(flagged)} of the areas that contribute have it: {names}", *of_area(facts, flagged[0].sums, traces, fills)[:2]]


MISSING_STATUSES = {STATUS_OF_RANK[rank] for rank in STATUS_OF_RANK if rank >= FIRST_MISSING_RANK}


def missing_in_words(out: Sequence[Member]) -> list[str]:
    """Return how many areas do not contribute and for which reason, and the heaviest of them by name."""
    if not out:
        return []
    statuses = Counter(STATUS_OF_RANK[m.sums.rank] for m in out)
    counts = ", ".join(f"{n} {MEANING[s]} ({s})" for s, n in sorted(statuses.items()))
    heaviest = sorted(out, key=lambda m: (-(m.area.weight or 0.0), m.area.ref_area))[:NAMED]
    names = ", ".join(f"{m.area.name} ({STATUS_OF_RANK[m.sums.rank]})" for m in heaviest)
    return [f"{len(out)} areas do not contribute: {counts}; the heaviest are {names}"]


# ----------------------------------------------------------------------------------------------------------------- what is not


def _undefined(
    indicator: Indicator, numerator: float | None, denominator: float | None, own: Direct | None,
    base: tuple[float | None, float | None] | None = None,
) -> str:  # fmt: skip
    if indicator.has_denominator and not denominator:
        return "the denominator is 0"
    if own is not None and own.base is not None:
        base = (own.base.numerator, own.base.denominator)
    if indicator.change_kind is not None and base is not None:
        if indicator.has_denominator and not base[1]:
            return "the denominator of the base is 0"
        first, last = ratio(indicator, *base), ratio(indicator, numerator, denominator)
        if first is not None and first <= 0:
            return f"the base of the change is {number(first)}, and has to be above 0"
        return f"a logarithm of {number(last)} does not exist"
    return "it is not defined for these numbers"


def _absent(computation: Computation) -> str:
    if not rollable(computation.facts):
        return f"a measure that cannot be summed has no value above {computation.finest}, and no source reports one"
    return f"no area of level {computation.finest} lies below it, and no source reports it"


def _never(computation: Computation, fills: Mapping[str, Sequence[str]], needed: str) -> list[str]:
    terms = [t.measure for t in computation.facts.indicator.terms if t.side == "numerator"]
    if not terms:
        return ["no source is declared for it" + (f"; it would take: {needed}" if needed else "")]
    sources = sorted({s for m in terms for s in fills.get(m, [])})
    if not sources:
        return [f"no source gives {', '.join(terms)}"]
    if computation.outcome.status == "S":
        return [f"{', '.join(sources)}: no good snapshot, so that not even its periods are known"]
    return [f"{', '.join(sources)}: not one row of {', '.join(terms)}"]
