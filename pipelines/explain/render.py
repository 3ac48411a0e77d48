"""The explanation of a number as text, wrapped to the width of a terminal or not at all. Decides and computes nothing."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from pipelines.core.vocabulary import STATUS_OF_RANK
from pipelines.explain.arithmetic import arithmetic
from pipelines.explain.cells import Cell
from pipelines.explain.computation import operands
from pipelines.explain.explanation import FAILED, NOTE, Explanation
from pipelines.explain.facts import Area, Indicator, Observation
from pipelines.explain.format import number, percent
from pipelines.explain.formula import AreaSums, Operand, Sums
from pipelines.explain.parents import Rollup
from pipelines.explain.provenance import Trace
from pipelines.explain.reasons import MEANING, describe_key, describe_operand, describe_quarantine_entry
from pipelines.statistics.intervals import CONFIDENCES

WIDTH = 100
ROWS = 20  # rows of an aggregate, and entries of a count, that are listed
TEXTS = 3  # rows of an aggregate whose cells are shown
MEMBERS = 20
SNAPSHOTS = 12
_SEX = {"M": "men", "F": "women", "_T": "total", "_U": "unknown sex"}


def lines(explanation: Explanation, width: int | None) -> Iterator[str]:
    """Yield the lines of the text, wrapped to `width` columns (None: not wrapped). Unprintable characters from files are escaped."""
    for depth, text in _all_lines(explanation):
        indent = "  " * depth
        plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
        if width is None or len(indent) + len(plain) <= width:
            yield (indent + plain).rstrip()
        else:
            yield from textwrap.wrap(
                plain, width, initial_indent=indent, subsequent_indent=indent + "    ", break_long_words=False, break_on_hyphens=False
            )


Line = tuple[int, str]


def _all_lines(explanation: Explanation) -> Iterator[Line]:
    yield from _head(explanation)
    yield from _formula(explanation)
    own, rolled = explanation.computation.own, explanation.computation.rolled
    if own is not None and (explanation.computation.uses_own or own.now.observed):
        yield from _inputs(explanation, own)
    if rolled is not None:
        yield from _rollup(explanation, rolled)
    yield from _snapshots(explanation)
    yield from _checks(explanation)


def _head(explanation: Explanation) -> Iterator[Line]:
    c = explanation.computation
    cell_key, outcome = c.cell_key, c.outcome
    for check in explanation.checks:
        if check.state == FAILED:
            yield 0, f"DISAGREES  {check.name}: {check.text}"
    when = cell_key.time_period or "no period"
    split = _SEX[cell_key.sex] + (f", age {cell_key.age}" if cell_key.age != "_T" else "")
    yield 0, f"{explanation.title}: {explanation.area['name']} ({cell_key.ref_area}, {explanation.area['level']}), {when}, {split}"
    if explanation.description:
        yield 1, explanation.description
    unit = c.facts.indicator.unit
    value = "no value" if outcome.value is None else number(outcome.value) + (f" {unit}" if unit != "1" else "")
    yield 1, f"value       {value}"
    for confidence, interval in zip(CONFIDENCES, c.intervals, strict=True):
        if interval is not None:
            yield 1, f"interval    {number(interval[0])} to {number(interval[1])} ({confidence.percent}, {c.facts.indicator.interval_kind})"
    yield 1, f"status      {outcome.status}, {MEANING[outcome.status]}"
    for reason in explanation.reasons:
        yield 1, f"because     {reason}"
    if c.own is not None:
        yield 1, f"coverage    {_coverage(outcome.coverage)}"
    published = explanation.publication
    if published is not None and published.holder == published.version:
        yield 1, f"published   in release {published.version} of {published.released}"
    elif published is not None:
        yield 1, f"published   the current release {published.version} differs: see the checks"
    else:
        yield 1, "published   not yet"
    for note in explanation.notes:
        yield 1, f"note        {note}"


def _formula(explanation: Explanation) -> Iterator[Line]:
    c = explanation.computation
    if not c.facts.indicator.formula:
        return
    yield 0, ""
    yield 0, "Formula"
    yield 1, f"{c.cell_key.indicator} = {c.facts.indicator.formula}"
    yield 1, {
        "direct": "from the area's own observations",
        "reported": "as a source reports it for the area itself",
        "rolled": f"a ratio of sums over the areas of level {c.finest} below it" if c.facts.indicator.has_denominator
        else f"a sum over the areas of level {c.finest} below it",
        "absent": "there is nothing to compute it from",
        "never collected": "nothing was ever collected for it",
    }[c.outcome.way]  # fmt: skip
    for line in arithmetic(c):
        yield 1, line


# -------------------------------------------------------------------------------------------------------------------- inputs


def _inputs(explanation: Explanation, own: AreaSums) -> Iterator[Line]:
    yield 0, ""
    yield 0, "Input cells" if explanation.computation.uses_own else "Input cells reported for the area itself (not used)"
    for operand in dict.fromkeys(operands(own)):
        if operand.cell is None:
            yield 1, _without_cell(explanation, operand)
        else:
            yield from _cell(explanation, operand.cell, 1)


def _without_cell(explanation: Explanation, operand: Operand) -> str:
    if operand.how == "built in" and operand.value is not None:
        return f"{describe_key(operand)} = {number(operand.value)}: a built-in measure of every area"
    return describe_operand(explanation.computation.facts, operand, explanation.traces, explanation.fills)


def _cell(explanation: Explanation, cell: Cell, depth: int) -> Iterator[Line]:
    ref_area = explanation.computation.cell_key.ref_area
    how = {
        "observed": f"from {cell.source}",
        "aggregated": f"aggregated by {cell.source}",
        "zero": f"0: {cell.source} has rows for this area, but none of this sex",
        "women and men": "women + men" + (" + unknown" if len(cell.parts) > 2 else "") + ": no source gives the total",
        "conflict": f"{cell.source} gives different values",
        "contradiction": f"{cell.source} gives a total that is less than the sum of its parts",
        "restated": "restated: " + " + ".join(f"{o.share:g} of {o.ref_area}" for o in cell.origins),
        "doubt": f"a rejected row of {cell.source} may be of either sex",
    }[cell.how]
    mark = describe_key(Operand(cell.key, cell, "cell", cell.value, cell.rank))
    if ref_area != cell.key.ref_area:
        mark += f" of {cell.key.ref_area}"
    yield depth, f"{mark} = {number(cell.value)} ({STATUS_OF_RANK[cell.rank]}), {how}"
    for part in cell.parts:
        yield from _cell(explanation, part, depth + 1)
    for observation in cell.inputs:
        yield from _observation(explanation, observation, depth + 1)
    for other in cell.passed_over:
        yield depth + 1, f"not used: {other.source} has {number(other.value)} ({STATUS_OF_RANK[other.rank]})"


def _observation(explanation: Explanation, observation: Observation, depth: int) -> Iterator[Line]:
    trace = explanation.traces.get(observation, Trace(observation))
    source = observation.source + (f" {observation.part}" if observation.part else "")
    if trace.entries or observation.source not in {s["source"] for s in explanation.snapshots}:
        yield from _entries(trace, source, depth)
        return
    named = f"{len(trace.rows)} rows" if len(trace.rows) > 1 else "row"
    sex = f", {_SEX[observation.key.sex]}" if observation.aggregate and observation.by_sex else ""
    yield depth, f"{source}, {named} {_some(trace.rows, ROWS)}{sex}: {number(observation.value)}"
    for row, cells in list(trace.texts.items())[: TEXTS if len(trace.rows) > 1 else 1]:
        shown = ", ".join(f"{name} {_quoted(text)}" for name, text in cells.items())
        yield depth + 1, (f"row {row}: " if len(trace.rows) > 1 else "the file says: ") + shown
    declared = ", ".join(f"{k}: {v}" for k, v in trace.declared.items() if v is not None)
    if declared:
        yield depth + 1, f"read as {declared}"
    for c in trace.corrections:
        yield depth + 1, f"corrected in row {c.row}: {c.column} {_quoted(c.old)} -> {_quoted(c.new)} ({c.reason})"
    for entry in trace.quarantine:
        yield (
            depth + 1,
            f"in quarantine: {describe_quarantine_entry(entry)}" + (f"  {entry.value}" if entry.value and not entry.column else ""),
        )
    if trace.fault:
        yield depth + 1, trace.fault


def _entries(trace: Trace, source: str, depth: int) -> Iterator[Line]:
    if trace.quarantine:
        yield depth, f"{source}: not counted, because rows in quarantine may belong to it"
        for refused in trace.quarantine[:ROWS]:
            yield depth + 1, f"in quarantine: {describe_quarantine_entry(refused)}"
        return
    yield depth, f"{source}: {number(trace.observation.value)}, counted from {len(trace.entries)} entries"
    if not trace.entries:
        yield depth + 1, "no entry is in this area and period, and the area is one of those that are counted"
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


def _rollup(explanation: Explanation, rolled: Rollup) -> Iterator[Line]:
    c = explanation.computation
    used = "" if c.outcome.way == "rolled" else " (not used)"
    yield 0, ""
    yield 0, f"Areas of level {c.finest} below it{used}: {rolled.contributing} of {len(rolled.members)} contribute"
    what = "areas" if rolled.counted else f"{explanation.weight['measure']} {explanation.weight['time_period'] or ''}".strip()
    weights = f"{number(rolled.contributing_weight)} of {number(rolled.weight)}"
    yield 1, f"coverage {_coverage(rolled.coverage)} of {what} ({weights}); {percent(rolled.needed)} needed"
    shown = sorted(rolled.members, key=lambda m: (-(m.area.weight or 0.0), m.area.ref_area))[:MEMBERS]
    for member in shown:
        sums = member.sums.now
        text = _numbers(c.facts.indicator, sums)
        if member.sums.base is not None and c.facts.indicator.change_kind is not None:
            base = member.sums.base
            text = f"{base.time_period} {_numbers(c.facts.indicator, base)}, {sums.time_period} {text}"
        if member.sums.compared is not None:
            text += f", from its value {number(member.sums.compared)}"
        weight = "" if rolled.counted else f", weight {_weight(member.area, explanation.weight['time_period'])}"
        state = (
            "" if member.contributes else f"  NOT USED: {MEANING[STATUS_OF_RANK[member.sums.rank]]} ({STATUS_OF_RANK[member.sums.rank]})"
        )
        yield 1, f"{member.area.ref_area} {member.area.name}: {text}{weight}{state}"
    if len(rolled.members) > MEMBERS:
        yield 1, f"and {len(rolled.members) - MEMBERS} more with smaller weights; --json lists all, with every input cell"
    corrected = [t for t in explanation.traces.values() if t.corrections and t.observation.key.ref_area != c.cell_key.ref_area]
    for trace in corrected[:ROWS]:
        for x in trace.corrections:
            yield 1, f"corrected in row {x.row} of {trace.observation.source}: {x.column} {_quoted(x.old)} -> {_quoted(x.new)} ({x.reason})"


def _numbers(indicator: Indicator, sums: Sums) -> str:
    return f"{number(sums.numerator)} / {number(sums.denominator)}" if indicator.has_denominator else number(sums.numerator)


def _coverage(share: float | None) -> str:
    return "unknown" if share is None else percent(share)


def _weight(area: Area, usual: str | None) -> str:
    """Return the weight of an area, with its period where that is not the usual one."""
    if area.weight is None:
        return "unknown"
    return number(area.weight) + (f" of {area.weight_period}" if area.weight_period != usual else "")


# -------------------------------------------------------------------------------------------------------- snapshots and checks


def _snapshots(explanation: Explanation) -> Iterator[Line]:
    if not explanation.snapshots:
        return
    yield 0, ""
    yield 0, f"Snapshots ({len(explanation.snapshots)})"
    for snapshot in explanation.snapshots[:SNAPSHOTS]:
        part = f" {snapshot['part']}" if snapshot["part"] else ""
        about = ", ".join(filter(None, (snapshot.get("title"), snapshot.get("publisher"), snapshot.get("licence"))))
        yield 1, f"{snapshot['source']}{part}" + (f": {about}" if about else "")
        yield 2, f"url     {snapshot.get('url') or 'unknown'}"
        yield 2, f"sha256  {snapshot['sha256']}"
        yield 2, f"fetched {snapshot.get('fetched_at') or 'unknown'}, {snapshot.get('bytes') or 0} bytes, in {snapshot['archived']}"
    if len(explanation.snapshots) > SNAPSHOTS:
        yield 1, f"and {len(explanation.snapshots) - SNAPSHOTS} more; --json lists all"


def _checks(explanation: Explanation) -> Iterator[Line]:
    yield 0, ""
    yield 0, "Checks"
    for check in explanation.checks:
        yield 1, f"{'DISAGREES' if check.state == FAILED else check.state:<5} {check.name}: {check.text}"
    gate = explanation.gate
    if gate.get("passed") is None:
        yield 1, f"{NOTE}  gate: no run has reached it yet"
        return
    state = "passed" if gate["passed"] else "failed"
    counts = f"{gate['checks_passed']} checks passed, {len(gate['failed'])} failed, {len(gate['warnings'])} warnings"
    yield 1, f"{'ok' if gate['passed'] else NOTE:<5} gate: {state} at the end of the last run ({gate['ended_at']}): {counts}"
    table_checks = gate["on_the_way"]
    if table_checks:
        bad = [c["name"].removeprefix("model:") for c in table_checks if not c["passed"]]
        failed = f"; failed: {', '.join(bad)}" if bad else ""
        yield (
            1,
            f"{NOTE if bad else 'ok':<5} tables behind the number: {len(table_checks) - len(bad)} of {len(table_checks)} checks passed{failed}",
        )
    for message in _gate_messages(explanation):
        yield 1, f"{NOTE}  {message}"


def _gate_messages(explanation: Explanation) -> Iterable[str]:
    gate = explanation.gate
    sources = {s["source"] for s in explanation.snapshots}
    yield from (f"failed: {c['name']}: {c['description']}" for c in gate["failed"])
    yield from (f"accepted: {name}: {reason}" for name, reason in gate["accepted"].items())
    for warning in gate["warnings"]:
        kind, _, source = warning["name"].partition(":")
        compared = source in ("sources_agree", "computed_and_reported_agree")  # these are compared above, for this number
        if source in sources or not (compared or kind in ("rows", "snapshot")):
            yield f"warning: {warning['name']}: {warning['description']}"
