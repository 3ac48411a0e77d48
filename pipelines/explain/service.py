"""The way of an explanation: settle the question, compute the number anew, gather the evidence, compare. Tells nothing itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pipelines.core.vocabulary import FIRST_MISSING_RANK
from pipelines.explain import reasons
from pipelines.explain.cell_key import settled
from pipelines.explain.cells import Cell, observations_of
from pipelines.explain.computation import Computation, agree, cells_of, compute
from pipelines.explain.explanation import FAILED, NOTE, OK, Account, Check
from pipelines.explain.facts import Observation, Question
from pipelines.explain.format import number
from pipelines.explain.provenance import Evidence, Trace
from pipelines.explain.publication import Publication, Row, gate, publication
from pipelines.explain.warehouse import Unavailable, Warehouse
from pipelines.packs.schema import Indicator
from pipelines.packs.workspace import Workspace


def explain(workspace: Workspace, warehouse: Warehouse, asked: Question) -> Account:
    """Return the account of one published number. Raises QuestionError and Unavailable."""
    question = settled(asked, workspace.pack, warehouse)
    computation = compute(warehouse, question)
    found = warehouse.cell(question)
    if found is None:
        raise Unavailable(f"{workspace.warehouse}: is not complete (no row of this number); `zpo2 run` builds it anew")
    row = Row(*found)
    evidence = Evidence(workspace, warehouse)
    own, below = _behind(computation)
    traces = {**evidence.traces(below, whole=False), **evidence.traces(own, whole=True)}
    snapshots = _snapshots(evidence, traces)
    published = publication(workspace, warehouse.connection, question, row)
    gate_said = gate(workspace)
    notes = evidence.notes()
    declared = workspace.pack.indicators.get(question.indicator)
    needed = workspace.pack.text(declared.needed) if declared else ""
    weight, _ = warehouse.pack
    name, level = warehouse.areas[question.ref_area]
    return Account(
        pack=workspace.pack.id, computation=computation,
        title=workspace.pack.text(declared.title) if declared else question.indicator,
        description=workspace.pack.text(declared.description) if declared else "",
        declared=_declared(declared), area={"name": name, "level": level}, warehouse_row=row, publication=published, traces=traces,
        snapshots=snapshots, fills=warehouse.fills,
        weight={"measure": weight, "time_period": _weight_period(computation)},
        why=reasons.why(computation, traces, warehouse.fills, needed),
        checks=[
            _recomputed(computation, row), *_published(row, published, gate_said), *_bytes(snapshots), *_rows(traces.values(), bool(notes)),
            *_sources(computation), *_reported(computation),
        ],
        gate=gate_said, notes=notes,
    )  # fmt: skip


def _weight_period(computation: Computation) -> str | None:
    """Return the period that the weights of most of the areas are of, the latest of several; None where none has a weight."""
    members = computation.rolled.members if computation.rolled else ()
    periods = [m.area.weight_period for m in members if m.area.weight_period is not None]
    return max(periods, key=lambda period: (periods.count(period), period), default=None)


def _declared(indicator: Indicator | None) -> dict[str, Any]:
    if indicator is None:
        return {}
    return {name: getattr(indicator, name) for name in ("objective", "measure", "field", "direction", "decimals", "sdg", "references")}


def _behind(computation: Computation) -> tuple[list[Observation], list[Observation]]:
    """Return the observations of the area itself, and those of the areas below it."""
    own = [o for c in cells_of(computation.own) for o in observations_of(c)] if computation.own else []
    rolled = computation.rolled
    below = [o for m in rolled.members for c in cells_of(m.sums) for o in observations_of(c)] if rolled else []
    return list(dict.fromkeys(own)), list(dict.fromkeys(below))


def _snapshots(evidence: Evidence, traces: Mapping[Observation, Trace]) -> list[dict[str, Any]]:
    """Return every snapshot that anything was read from, once."""
    wanted: dict[tuple[str, str, str], None] = {}
    for observation, trace in traces.items():
        if observation.snapshot and not trace.entries:
            wanted[observation.source, observation.part, observation.snapshot] = None
        wanted |= {(e.source, e.part, e.snapshot): None for e in trace.entries}
        if not trace.entries:  # that nothing lies there, all of them say
            wanted |= dict.fromkeys(evidence.feeds(observation.source))
    return [evidence.snapshot(*key) for key in sorted(wanted)]


# -------------------------------------------------------------------------------------------------------------------- checks


def _recomputed(computation: Computation, row: Row) -> Check:
    outcome = computation.outcome
    denominator = outcome.denominator if computation.facts.indicator.has_denominator else None
    again = Row(outcome.value, outcome.status, outcome.numerator, denominator, outcome.coverage)
    if again.is_as(row):
        return Check("recomputed", OK, "computed anew from the input cells, it is the warehouse's: value, status, sums and coverage")
    return Check("recomputed", FAILED, f"computed anew from the input cells it is {_told(again)}, but the warehouse has {_told(row)}")


def _told(row: Row) -> str:
    return (
        f"{number(row.value)} ({row.status}; numerator {number(row.numerator)}, denominator {number(row.denominator)}, "
        f"coverage {number(row.coverage)})"
    )


def _published(row: Row, published: Publication | None, gate_said: Mapping[str, Any]) -> list[Check]:
    if published is None:
        return [Check("published", NOTE, "nothing was published yet" + _because(gate_said))]
    if published.holder == published.version:
        return [Check("published", OK, f"the current release {published.version} has exactly this")]
    there = "has no such row" if published.row is None else f"has {_told(published.row)}"
    text = f"the current release {published.version} {there}; the warehouse has {_told(row)}"
    if published.holder:
        state = f", which was {published.holder_state}" if published.holder_state else ""
        return [Check("published", NOTE, f"{text}, as release {published.holder}{state}")]
    if gate_said.get("release") == published.version:
        return [Check("published", FAILED, f"{text}, although the last run ended with that release")]
    return [Check("published", NOTE, f"{text}, which is in no release" + _because(gate_said))]


def _because(gate_said: Mapping[str, Any]) -> str:
    reasons_ = gate_said.get("reasons") or []
    return f": the last run ended with {'; '.join(reasons_)}" if reasons_ else ""


def _bytes(snapshots: list[dict[str, Any]]) -> list[Check]:
    if not snapshots:
        return []
    broken = [s["archived"] for s in snapshots if not s["intact"]]
    if broken:
        return [Check("bytes", FAILED, f"missing or changed in the archive: {', '.join(broken)}")]
    return [Check("bytes", OK, f"the archive has the bytes of all {len(snapshots)} snapshots, with their checksums")]


def _rows(traces: Collection[Trace], changed: bool) -> list[Check]:
    read = [t for t in traces if t.was_read]
    faults = [f"{t.observation.key.measure}: {t.fault}" for t in traces if t.fault]
    differ = [t for t in read if not agree(t.read, None if t.observation.status in ("M", "Q", "C", "O") else t.observation.value)]
    checks = [Check("rows", NOTE if changed else FAILED, text) for text in dict.fromkeys(faults)]
    if differ:
        first = differ[0]
        text = f"{len(differ)} inputs are not what their rows say: {first.observation.key.measure} of {first.observation.key.ref_area} "
        text += f"was taken up as {number(first.observation.value)}, its rows read again give {number(first.read)}"
        checks.append(Check("rows", NOTE if changed else FAILED, text))
    elif read:
        checks.append(Check("rows", OK, f"read again from the archived bytes, the rows give {len(read)} inputs as they were taken up"))
    return checks


def _sources(computation: Computation) -> list[Check]:
    """Say where sources differ about an input: the first by file name stands."""
    checks = []
    for found in _all_cells(computation):
        others = [p for p in found.passed_over if p.value is not None and found.value is not None and not agree(p.value, found.value)]
        if others:
            said = ", ".join(f"{p.source} {number(p.value)}" for p in others)
            where = f"{found.key.measure} of {found.key.ref_area} {found.key.time_period} [{found.key.sex}]"
            checks.append(Check("sources agree", NOTE, f"{where}: {found.source} says {number(found.value)} and stands, {said} does not"))
    return checks


def _all_cells(computation: Computation) -> list[Cell]:
    cells = cells_of(computation.own) if computation.own else []
    cells += [c for m in computation.rolled.members for c in cells_of(m.sums)] if computation.rolled else []
    return cells


def _reported(computation: Computation) -> list[Check]:
    """Compare a computed parent with what its source reports, where it does."""
    own, rolled = computation.own, computation.rolled
    if own is None or rolled is None or not own.now.observed or own.rank >= FIRST_MISSING_RANK or not rolled.contributing:
        return []
    same = agree(rolled.numerator, own.now.numerator) and agree(rolled.denominator, own.now.denominator)
    published = "the reported one is" if computation.outcome.way == "reported" else "the computed one is"
    text = f"a source reports numerator {number(own.now.numerator)}, the areas below give {number(rolled.numerator)}; {published} published"
    return [Check("computed and reported", OK if same else NOTE, text)]
