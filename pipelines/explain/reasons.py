"""Why a number has its status: sentences that name the cell, row, area or rule behind it. Decides nothing itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from pipelines.core.printable import listed
from pipelines.core.vocabulary import FIRST_MISSING_RANK, STATUS_OF_RANK, STATUS_RANK, TOTAL
from pipelines.explain.cells import ESTIMATED, Cell, observations_of, rank_of
from pipelines.explain.computation import Computation, operands, terms
from pipelines.explain.facts import Facts, Indicator, Observation, Place
from pipelines.explain.format import number, percent
from pipelines.explain.formula import AreaSums, Operand, TermValue, ratio
from pipelines.explain.parents import Member, Rollup, rollable
from pipelines.explain.provenance import QuarantineEntry, Trace

MEANING = {
    "A": "normal", "B": "break in the series", "E": "estimated", "I": "imputed", "P": "provisional", "M": "missing at the source",
    "L": "coverage too low", "Q": "in quarantine", "C": "confidential", "O": "not collected here", "Z": "not defined", "S": "source down",
}  # fmt: skip
Traces = Mapping[Observation, Trace]
MOST_NAMED = 5  # areas, rows or entries that a sentence names


def status_reasons(computation: Computation, traces: Traces, fills: Mapping[str, Sequence[str]], needed: str) -> list[str]:
    """Return the reasons for the status, the decisive one first; none for a normal value."""
    outcome, facts = computation.outcome, computation.facts
    if computation.own is None:
        return _never_collected(computation, fills, needed)
    if computation.undefined_by_source:
        return ["a source says that there can be no such value"]
    difference = computation.difference
    if difference is not None and outcome.status not in ("A", difference.plain.status):
        return [f"{difference.above or 'the area above'}, from whose value it differs, has status {difference.above_status}"]
    if outcome.way == "rolled" and computation.rolled is not None:
        return _parent_reasons(computation, computation.rolled, traces, fills)
    reasons = []
    if outcome.way == "absent":
        reasons.append(_absent(computation))
    if outcome.status == "Z":
        return [*reasons, _undefined(facts.indicator, computation.own.now.numerator, computation.own.now.denominator, computation.own)]
    if outcome.status == "A":
        return reasons
    return reasons + area_reasons(facts, computation.own, traces, fills, plain=facts.indicator.weighted and facts.indicator.is_direct)


def area_reasons(facts: Facts, sums: AreaSums, traces: Traces, fills: Mapping[str, Sequence[str]], plain: bool = False) -> list[str]:
    """Return the inputs of one area that give it its status. With `plain`, the weight of a mean does not count."""
    rank = sums.now.numerator_rank if plain else sums.rank
    reasons = [
        describe_operand(facts, o, traces, fills)
        for o in operands(sums)
        if o.rank == rank and not (plain and o.key.measure != facts.indicator.terms[0].measure)
    ]
    reasons += [_describe_product(t) for t in terms(sums) if t.product is not None and t.product.rank == rank]
    if sums.series_break is not None and rank == STATUS_RANK["B"]:
        measure, period = sums.series_break.measure, sums.series_break.period
        note = f" ({sums.series_break.note})" if sums.series_break.note else ""
        reasons.append(f"the series of {measure} has a break in {period}{note}, between the two ends of the change")
    short = facts.indicator.window_years is not None and rank >= FIRST_MISSING_RANK
    if short:
        complete = sum(y.complete for y in sums.now.years)
        window, needed = facts.indicator.window_years, facts.indicator.window_min
        reasons.append(f"{complete} of the {window} years of the window are complete, and {needed} are needed")
    return list(dict.fromkeys(reasons))


def _describe_product(term: TermValue) -> str:
    """Return why the product of an area that came from others has its status."""
    name = f"the product {term.term.measure} * {term.term.times}"
    areas = [p.ref_area for p in term.product.parts] if term.product is not None else []
    if term.value is not None:
        return f"{name} is restated from its former areas {', '.join(areas)}"
    return f"{name} cannot be taken in each of its former areas {', '.join(areas)}"


def describe_operand(facts: Facts, operand: Operand, traces: Traces, fills: Mapping[str, Sequence[str]]) -> str:
    """Return why an operand has its status, as a clause that starts with its name."""
    name = describe_key(operand)
    sources = ", ".join(fills.get(operand.key.measure, [])) or "no source"
    if operand.cell is not None:
        return f"{name} {_describe_cell(facts, operand.cell, traces)}"
    if operand.how in ("unreported", "absent") and (others := _other_breakdowns(facts, operand)):
        return f"{name} is missing: for this area and period, {sources} gives only other sexes or ages ({others})"
    return {
        "built in": f"{name} is unknown: no source of areas gives it",
        "zero": f"{name} is 0: the source reports on the area and has no row for it",
        "unreported": f"{name} is missing: {sources} reports on this area in this period, but does not give this value",
        "down": f"{name} is unknown: {sources} has no good snapshot",
        "nowhere": f"{name} cannot be taken: the area does not lie in exactly one area of that level",
        "absent": f"{name} was not collected: {sources} has no row for this area in this period",
    }[operand.how]


def _other_breakdowns(facts: Facts, operand: Operand) -> str:
    """Return the sexes and ages for which the measure, area and period of an operand have values; empty where there are none."""
    key = operand.key
    rows = facts.observations.get(Place(key.measure, key.ref_area, key.time_period), ())
    names = {" ".join(mark for mark in (o.key.sex, o.key.age) if mark != TOTAL) or "the total" for o in rows if o.value is not None}
    return listed(sorted(names), MOST_NAMED)


def _describe_cell(facts: Facts, cell: Cell, traces: Traces) -> str:
    if cell.how == "conflict":
        rows = ", ".join(describe_row(o) for o in cell.inputs)
        return f"is in quarantine: {cell.source} gives it different values in {rows}"
    if cell.how == "contradiction":
        entries = [e for o in cell.inputs if (trace := traces.get(o)) for e in trace.quarantine if e.column == o.key.measure]
        texts = list(dict.fromkeys(e.reason for e in entries)) or [f"{cell.source} gives it a total that is less than the sum of its parts"]
        return f"is in quarantine: {'; '.join(texts)} ({', '.join(describe_row(o) for o in cell.inputs[:MOST_NAMED])})"
    if cell.rank == STATUS_RANK["L"] and cell.periods is not None:
        over = facts.over_periods[cell.source, cell.key.measure]
        return f"has rows of {cell.periods} periods, and {over.needed} are needed for a {over.to}"
    if cell.how == "restated" and (text := _describe_restated(cell)):
        return text
    deciding = [o for o in observations_of(cell) if rank_of(facts, o) == cell.rank]
    if not deciding:
        return f"has status {STATUS_OF_RANK[cell.rank]}"
    text = "; ".join(_describe_observation(o, cell.rank, traces) for o in deciding[:MOST_NAMED])
    return text + ("; the row may be of either sex" if cell.how == "doubt" else "")


def _describe_restated(cell: Cell) -> str:
    """Return why a restated cell has its status, or an empty text where its former areas have the same status themselves."""
    lacking = [o.ref_area for o in cell.origins if o.rank == cell.rank and (o.cell is None or o.cell.rank != o.rank)]
    if lacking:
        return f"is unknown: of its former areas, {', '.join(lacking)} have no such value or no weight, or pass nothing on"
    if cell.rank == STATUS_RANK["O"] and all(o.rank < FIRST_MISSING_RANK for o in cell.origins):
        return "can be neither summed nor averaged over its former areas"
    if cell.value is not None and all(o.rank < ESTIMATED for o in cell.origins):
        return f"is restated from its former areas {', '.join(o.ref_area for o in cell.origins)}"
    return ""


def _describe_observation(observation: Observation, rank: int, traces: Traces) -> str:
    status, trace = STATUS_OF_RANK[rank], traces.get(observation)
    where = describe_row(observation)
    if status == "Q":
        entries = trace.quarantine if trace else ()
        if any(entry.source for entry in entries):
            rows = "; ".join(describe_quarantine_entry(e) for e in entries[:MOST_NAMED])
            return f"cannot be counted by {where}, because rows in quarantine may belong to it: {rows}"
        return f"is in quarantine: {where}" + "".join(f"; {describe_quarantine_entry(e)}" for e in entries[:MOST_NAMED])
    words = {
        "M": "is missing: the cell is empty or marked as missing in",
        "C": "is confidential according to",
        "O": "is not collected according to",
        "B": "follows a break in the series in",
        "E": "is an estimate according to",
        "I": "is imputed according to",
        "P": "is provisional according to",
        "A": "is in",
    }
    return f"{words.get(status, status)} {where}"


def describe_quarantine_entry(entry: QuarantineEntry) -> str:
    place = f"column {entry.column}" if entry.column else "the whole row"
    value = f" ({entry.value})" if entry.value and entry.column else ""
    of_source = f" of {entry.source}" if entry.source else ""
    return f"row {entry.row}{of_source}, {place}: {entry.reason}{value}"


def describe_row(observation: Observation) -> str:
    name = observation.source + (f" {observation.part}" if observation.part else "")
    if observation.row is None:
        return name
    more = (observation.rows or 1) - 1
    return f"row {observation.row} of {name}" + (f" and {more} more" if more else "")


def describe_key(operand: Operand) -> str:
    key = operand.key
    marks = [m for m, plain in ((key.sex, "_T"), (key.age, "_T")) if m != plain]
    return f"{key.measure} {key.time_period}" + (f" [{', '.join(marks)}]" if marks else "")


# ------------------------------------------------------------------------------------------------------------------ parents


def _parent_reasons(computation: Computation, rolled: Rollup, traces: Traces, fills: Mapping[str, Sequence[str]]) -> list[str]:
    outcome, facts = computation.outcome, computation.facts
    missing = [m for m in rolled.members if not m.contributes]
    if outcome.status == "L":
        if rolled.coverage is None:
            unknown = [m.area.name for m in missing if m.area.weight is None]
            names = listed(unknown, MOST_NAMED)
            return [f"the coverage is unknown: no period has a weight for {names}, and there is no value", *describe_missing(missing)]
        what = "areas" if rolled.counted else "weight"
        text = f"the areas with all terms have {percent(rolled.coverage)} of the {what}, and {percent(rolled.needed)} is needed"
        return [text, *describe_missing(missing)]
    if outcome.status == "Z":
        base = (rolled.base_numerator, rolled.base_denominator)
        return [_undefined(facts.indicator, rolled.numerator, rolled.denominator, None, base)]
    if outcome.status == "A":
        return []
    if outcome.status in MISSING_STATUSES:
        first = area_reasons(facts, missing[0].sums, traces, fills)[:2] if missing else []
        return [
            f"none of the {len(rolled.members)} areas below has a value, all for the same reason",
            *(f"{missing[0].area.name}: {reason}" for reason in first),
        ]
    flagged = [m for m in rolled.members if m.contributes and STATUS_OF_RANK[m.sums.rank] == outcome.status]
    names = ", ".join(m.area.name for m in flagged[:MOST_NAMED]) + (
        f" and {len(flagged) - MOST_NAMED} more" if len(flagged) > MOST_NAMED else ""
    )
    return [f"{len(flagged)} of the contributing areas have this status: {names}", *area_reasons(facts, flagged[0].sums, traces, fills)[:2]]


MISSING_STATUSES = {STATUS_OF_RANK[rank] for rank in STATUS_OF_RANK if rank >= FIRST_MISSING_RANK}


def describe_missing(members: Sequence[Member]) -> list[str]:
    """Return how many areas do not contribute and why, with the names of those with the largest weights. `members` are these areas."""
    if not members:
        return []
    statuses = Counter(STATUS_OF_RANK[m.sums.rank] for m in members)
    counts = ", ".join(f"{n} {MEANING[s]} ({s})" for s, n in sorted(statuses.items()))
    heaviest = sorted(members, key=lambda m: (-(m.area.weight or 0.0), m.area.ref_area))[:MOST_NAMED]
    names = ", ".join(f"{m.area.name} ({STATUS_OF_RANK[m.sums.rank]})" for m in heaviest)
    return [f"{len(members)} areas do not contribute: {counts}; the largest by weight are {names}"]


# ------------------------------------------------------------------------------------------------------- undefined and absent


def _undefined(
    indicator: Indicator, numerator: float | None, denominator: float | None, own: AreaSums | None,
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
            return f"the base of the change is {number(first)}, but must be above 0"
        return f"there is no logarithm of {number(last)}"
    return "the formula is not defined for these numbers"


def _absent(computation: Computation) -> str:
    if not rollable(computation.facts):
        return f"a measure that cannot be summed has no value above {computation.finest}, and no source reports one"
    return f"there is no area of level {computation.finest} below it, and no source reports it"


def _never_collected(computation: Computation, fills: Mapping[str, Sequence[str]], needed: str) -> list[str]:
    terms = [t.measure for t in computation.facts.indicator.terms if t.side == "numerator"]
    if not terms:
        return ["no source is declared for it" + (f"; it would need: {needed}" if needed else "")]
    sources = sorted({s for m in terms for s in fills.get(m, [])})
    if not sources:
        return [f"no source gives {', '.join(terms)}"]
    if computation.outcome.status == "S":
        return [f"{', '.join(sources)}: no good snapshot, so not even the periods are known"]
    return [f"{', '.join(sources)}: no row of {', '.join(terms)}"]
