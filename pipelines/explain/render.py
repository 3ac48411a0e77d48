"""The account of a number as text: lines of at most a terminal's width, or whole sentences in a pipe. Decides and computes nothing."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from pipelines.core.vocabulary import STATUS_OF_RANK
from pipelines.explain.arithmetic import arithmetic
from pipelines.explain.cells import Cell
from pipelines.explain.computation import operands
from pipelines.explain.explanation import FAILED, NOTE, Account
from pipelines.explain.facts import Area, Observation
from pipelines.explain.format import number, percent
from pipelines.explain.formula import Direct, Operand
from pipelines.explain.parents import Rollup
from pipelines.explain.provenance import Trace
from pipelines.explain.reasons import MEANING, key_in_words, operand_in_words, refusal_in_words

WIDTH = 100
ROWS = 20  # rows of an aggregate, and entries of a count, that are listed
TEXTS = 3  # rows of an aggregate whose cells are shown
MEMBERS = 20
SNAPSHOTS = 12
_SEX = {"M": "men", "F": "women", "_T": "total", "_U": "unknown sex"}


def lines(account: Account, width: int | None) -> Iterator[str]:
    """Yield the text, wrapped to `width` columns (None: not at all). What files bring is made printable."""
    for depth, text in _told(account):
        indent = "  " * depth
        plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
        if width is None or len(indent) + len(plain) <= width:
            yield (indent + plain).rstrip()
        else:
            yield from textwrap.wrap(
                plain, width, initial_indent=indent, subsequent_indent=indent + "    ", break_long_words=False, break_on_hyphens=False
            )


Line = tuple[int, str]


def _told(account: Account) -> Iterator[Line]:
    yield from _head(account)
    yield from _formula(account)
    own, rolled = account.computation.own, account.computation.rolled
    if own is not None and (account.computation.uses_own or own.now.observed):
        yield from _inputs(account, own)
    if rolled is not None:
        yield from _rollup(account, rolled)
    yield from _snapshots(account)
    yield from _checks(account)


def _head(account: Account) -> Iterator[Line]:
    c = account.computation
    question, outcome = c.question, c.outcome
    for check in account.checks:
        if check.state == FAILED:
            yield 0, f"DISAGREES  {check.name}: {check.text}"
    when = question.time_period or "no period"
    split = _SEX[question.sex] + (f", age {question.age}" if question.age != "_T" else "")
    yield 0, f"{account.title}: {account.area['name']} ({question.ref_area}, {account.area['level']}), {when}, {split}"
    if account.description:
        yield 1, account.description
    unit = c.facts.indicator.unit
    value = "no value" if outcome.value is None else number(outcome.value) + (f" {unit}" if unit != "1" else "")
    yield 1, f"value       {value}"
    yield 1, f"status      {outcome.status}, {MEANING[outcome.status]}"
    for reason in account.why:
        yield 1, f"because     {reason}"
    if c.own is not None:
        yield 1, f"coverage    {_coverage(outcome.coverage)}"
    published = account.publication
    if published is not None and published.holder == published.version:
        yield 1, f"published   in release {published.version} of {published.released}"
    elif published is not None:
        yield 1, f"published   not so in the current release {published.version}: see the checks"
    else:
        yield 1, "published   not yet"
    for note in account.notes:
        yield 1, f"note        {note}"


def _formula(account: Account) -> Iterator[Line]:
    c = account.computation
    if not c.facts.indicator.formula:
        return
    yield 0, ""
    yield 0, "Formula"
    yield 1, f"{c.question.indicator} = {c.facts.indicator.formula}"
    yield 1, {
        "direct": "from the area's own observations",
        "reported": "as its source reports the parent",
        "rolled": f"a ratio of sums over the areas of level {c.finest} below it" if c.facts.indicator.has_denominator
        else f"a sum over the areas of level {c.finest} below it",
        "absent": "there is nothing to compute it from",
        "never collected": "nothing was ever collected for it",
    }[c.outcome.way]  # fmt: skip
    for line in arithmetic(c):
        yield 1, line


# -------------------------------------------------------------------------------------------------------------------- inputs


def _inputs(account: Account, own: Direct) -> Iterator[Line]:
    yield 0, ""
    yield 0, "Input cells" if account.computation.uses_own else "Input cells that a source reports for the area itself (not used)"
    for operand in dict.fromkeys(operands(own)):
        if operand.cell is None:
            yield 1, _without_cell(account, operand)
        else:
            yield from _cell(account, operand.cell, 1)


def _without_cell(account: Account, operand: Operand) -> str:
    if operand.how == "built in" and operand.value is not None:
        return f"{key_in_words(operand)} = {number(operand.value)}: every area has it by itself"
    return operand_in_words(account.computation.facts, operand, account.traces, account.fills)


def _cell(account: Account, found: Cell, depth: int) -> Iterator[Line]:
    whole = account.computation.question.ref_area
    how = {
        "observed": f"from {found.source}",
        "aggregated": f"aggregated by {found.source}",
        "zero": f"0: {found.source} has rows of this area, none of this sex",
        "women and men": "women + men" + (" + unknown" if len(found.parts) > 2 else "") + ": no source gives the total",
        "conflict": f"{found.source} gives different values",
        "restated": "restated: " + " + ".join(f"{o.share:g} of {o.ref_area}" for o in found.origins),
        "doubt": f"a refused row of {found.source} may be of either sex",
    }[found.how]
    mark = key_in_words(Operand(found.key, found, "cell", found.value, found.rank))
    if whole != found.key.ref_area:
        mark += f" of {found.key.ref_area}"
    yield depth, f"{mark} = {number(found.value)} ({STATUS_OF_RANK[found.rank]}), {how}"
    for part in found.parts:
        yield from _cell(account, part, depth + 1)
    for observation in found.inputs:
        yield from _observation(account, observation, depth + 1)
    for other in found.passed_over:
        yield depth + 1, f"passed over: {other.source} has {number(other.value)} ({STATUS_OF_RANK[other.rank]})"


def _observation(account: Account, observation: Observation, depth: int) -> Iterator[Line]:
    trace = account.traces.get(observation, Trace(observation))
    source = observation.source + (f" {observation.part}" if observation.part else "")
    if trace.entries or observation.source not in {s["source"] for s in account.snapshots}:
        yield from _entries(trace, source, depth)
        return
    named = f"{len(trace.rows)} rows" if len(trace.rows) > 1 else "row"
    sex = f", {_SEX[observation.key.sex]}" if observation.aggregate and observation.by_sex else ""
    yield depth, f"{source}, {named} {_some(trace.rows, ROWS)}{sex}: {number(observation.value)}"
    for row, cells in list(trace.texts.items())[: TEXTS if len(trace.rows) > 1 else 1]:
        shown = ", ".join(f"{name} {_quoted(text)}" for name, text in cells.items())
        yield depth + 1, (f"row {row}: " if len(trace.rows) > 1 else "it says: ") + shown
    declared = ", ".join(f"{k}: {v}" for k, v in trace.declared.items() if v is not None)
    if declared:
        yield depth + 1, f"read as {declared}"
    for c in trace.corrections:
        yield depth + 1, f"corrected in row {c.row}: {c.column} {_quoted(c.old)} -> {_quoted(c.new)} ({c.reason})"
    for refusal in trace.refusals:
        yield (
            depth + 1,
            f"in quarantine: {refusal_in_words(refusal)}" + (f"  {refusal.value}" if refusal.value and not refusal.column else ""),
        )
    if trace.fault:
        yield depth + 1, trace.fault


def _entries(trace: Trace, source: str, depth: int) -> Iterator[Line]:
    yield depth, f"{source}: {number(trace.observation.value)} counted out of {len(trace.entries)} entries"
    if not trace.entries:
        yield depth + 1, "none lies in this area and period, and the area is among those that are counted"
    for entry in trace.entries[:ROWS]:
        yield depth + 1, f"{entry.source}{' ' + entry.part if entry.part else ''}, row {entry.row}"
    if len(trace.entries) > ROWS:
        yield depth + 1, f"and {len(trace.entries) - ROWS} more; --json lists all"
    declared = ", ".join(f"{k}: {v}" for k, v in trace.declared.items() if v is not None)
    yield depth + 1, f"read as {declared}"


def _some(rows: Sequence[int], most: int) -> str:
    text = ", ".join(str(row) for row in rows[:most])
    return text + (f" and {len(rows) - most} more (--json lists all)" if len(rows) > most else "")


def _quoted(text: str | None) -> str:
    return "(empty)" if text is None else f'"{text}"'


# ------------------------------------------------------------------------------------------------------------------- roll-up


def _rollup(account: Account, rolled: Rollup) -> Iterator[Line]:
    c = account.computation
    used = "" if c.outcome.way == "rolled" else " (not used)"
    yield 0, ""
    yield 0, f"Areas of level {c.finest} below it{used}: {rolled.contributing} of {len(rolled.members)} contribute"
    what = "areas" if rolled.counted else f"{account.weight['measure']} {account.weight['time_period'] or ''}".strip()
    yield (
        1,
        f"coverage {_coverage(rolled.coverage)} of {what} ({number(rolled.weight_there)} of {number(rolled.weight)}); {percent(rolled.needed)} due",
    )
    shown = sorted(rolled.members, key=lambda m: (-(m.area.weight or 0.0), m.area.ref_area))[:MEMBERS]
    for member in shown:
        sums = member.sums.now
        told = f"{number(sums.numerator)} / {number(sums.denominator)}" if c.facts.indicator.has_denominator else number(sums.numerator)
        if member.sums.base is not None:
            base = member.sums.base
            first = (
                f"{number(base.numerator)} / {number(base.denominator)}" if c.facts.indicator.has_denominator else number(base.numerator)
            )
            told = f"{base.time_period} {first}, {sums.time_period} {told}"
        weight = "" if rolled.counted else f", weight {_weight(member.area, account.weight['time_period'])}"
        state = "" if member.contributes else f"  NOT: {MEANING[STATUS_OF_RANK[member.sums.rank]]} ({STATUS_OF_RANK[member.sums.rank]})"
        yield 1, f"{member.area.ref_area} {member.area.name}: {told}{weight}{state}"
    if len(rolled.members) > MEMBERS:
        yield 1, f"and {len(rolled.members) - MEMBERS} more with less weight; --json lists all, with every input cell"
    corrected = [t for t in account.traces.values() if t.corrections and t.observation.key.ref_area != c.question.ref_area]
    for trace in corrected[:ROWS]:
        for x in trace.corrections:
            yield 1, f"corrected in row {x.row} of {trace.observation.source}: {x.column} {_quoted(x.old)} -> {_quoted(x.new)} ({x.reason})"


def _coverage(share: float | None) -> str:
    return "unknown" if share is None else percent(share)


def _weight(area: Area, usual: str | None) -> str:
    """Return the weight of an area, with its period where it is not that of most areas."""
    if area.weight is None:
        return "unknown"
    return number(area.weight) + (f" of {area.weight_period}" if area.weight_period != usual else "")


# -------------------------------------------------------------------------------------------------------- snapshots and checks


def _snapshots(account: Account) -> Iterator[Line]:
    if not account.snapshots:
        return
    yield 0, ""
    yield 0, f"Snapshots ({len(account.snapshots)})"
    for snapshot in account.snapshots[:SNAPSHOTS]:
        part = f" {snapshot['part']}" if snapshot["part"] else ""
        about = ", ".join(filter(None, (snapshot.get("title"), snapshot.get("publisher"), snapshot.get("licence"))))
        yield 1, f"{snapshot['source']}{part}" + (f": {about}" if about else "")
        yield 2, f"url     {snapshot.get('url') or 'unknown'}"
        yield 2, f"sha256  {snapshot['sha256']}"
        yield 2, f"fetched {snapshot.get('fetched_at') or 'unknown'}, {snapshot.get('bytes') or 0} bytes, in {snapshot['archived']}"
    if len(account.snapshots) > SNAPSHOTS:
        yield 1, f"and {len(account.snapshots) - SNAPSHOTS} more; --json lists all"


def _checks(account: Account) -> Iterator[Line]:
    yield 0, ""
    yield 0, "Checks"
    for check in account.checks:
        yield 1, f"{'DISAGREES' if check.state == FAILED else check.state:<5} {check.name}: {check.text}"
    gate = account.gate
    if gate.get("passed") is None:
        yield 1, f"{NOTE}  gate: no run has ended with one"
        return
    state = "passed" if gate["passed"] else "failed"
    counts = f"{gate['checks_passed']} checks passed, {len(gate['failed'])} failed, {len(gate['warnings'])} warnings"
    yield 1, f"{'ok' if gate['passed'] else NOTE:<5} gate: {state} at the end of the last run ({gate['ended_at']}): {counts}"
    on_the_way = gate["on_the_way"]
    if on_the_way:
        bad = [c["name"].removeprefix("model:") for c in on_the_way if not c["passed"]]
        but = f"; not {', '.join(bad)}" if bad else ""
        yield 1, f"{NOTE if bad else 'ok':<5} tables on the way: {len(on_the_way) - len(bad)} of {len(on_the_way)} checks passed{but}"
    for told in _told_by_gate(account):
        yield 1, f"{NOTE}  {told}"


def _told_by_gate(account: Account) -> Iterable[str]:
    gate = account.gate
    mine = {s["source"] for s in account.snapshots}
    yield from (f"failed: {c['name']}: {c['description']}" for c in gate["failed"])
    yield from (f"let through: {name}: {reason}" for name, reason in gate["accepted"].items())
    for warning in gate["warnings"]:
        kind, _, source = warning["name"].partition(":")
        compared = source in ("sources_agree", "computed_and_reported_agree")  # for this number they are compared above
        if source in mine or not (compared or kind in ("rows", "snapshot")):
            yield f"warning: {warning['name']}: {warning['description']}"
