"""Explain a number: resolve its key, recompute it, collect its provenance, and compare the results."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pipelines.core.vocabulary import FIRST_MISSING_RANK
from pipelines.explain import confidential, reasons
from pipelines.explain.cell_key import resolve_cell_key
from pipelines.explain.cells import Cell, observations_of
from pipelines.explain.computation import Computation, agree, cells_of, compute
from pipelines.explain.explanation import FAILED, NOTE, OK, Check, Explanation
from pipelines.explain.facts import CellKey, Observation
from pipelines.explain.format import number
from pipelines.explain.provenance import ProvenanceReader, Trace
from pipelines.explain.publication import Publication, Row, gate, publication
from pipelines.explain.warehouse import Warehouse, WarehouseUnavailable
from pipelines.packs.schema import Indicator
from pipelines.packs.workspace import Workspace


def explain(workspace: Workspace, warehouse: Warehouse, requested: CellKey) -> Explanation:
    """Return the explanation of one published number. Raises CellKeyError and WarehouseUnavailable."""
    cell_key = resolve_cell_key(requested, workspace.pack, warehouse)
    computation = compute(warehouse, cell_key)
    published_cell = warehouse.published_cell(cell_key)
    if published_cell is None:
        raise WarehouseUnavailable(f"{workspace.warehouse}: is not complete (it has no row for this number); `zpo2 run` rebuilds it")
    row = Row(*published_cell)
    is_protected = warehouse.is_protected(cell_key.indicator)
    provenance = ProvenanceReader(workspace, warehouse)
    own, below = _observations_behind(computation)
    traces = {**provenance.traces(below, whole=False), **provenance.traces(own, whole=True)}
    snapshots = _snapshots(provenance, traces)
    published = publication(workspace, warehouse.connection, cell_key, row)
    if is_protected:
        computation, published, traces = confidential.without_inputs(computation, row), confidential.without_other_row(published), {}
    gate_result = gate(workspace)
    notes = provenance.notes()
    declared = workspace.pack.indicators.get(cell_key.indicator)
    needed = workspace.pack.text(declared.needed.what) if declared and declared.needed else ""
    name, level = warehouse.areas[cell_key.ref_area]
    status_note = warehouse.status_note(cell_key, workspace.pack.file.languages[0])
    return Explanation(
        pack=workspace.pack.id, computation=computation,
        title=workspace.pack.text(declared.title) if declared else cell_key.indicator,
        description=workspace.pack.text(declared.description) if declared else "",
        declared=_declared(declared), area={"name": name, "level": level}, warehouse_row=row, publication=published, traces=traces,
        snapshots=snapshots, fills=warehouse.fills,
        weight={"measure": computation.facts.indicator.weight, "time_period": _weight_period(computation)},
        reasons=[confidential.REASON] * (row.status == "C") if is_protected else [
            *reasons.status_reasons(computation, traces, warehouse.fills, needed), *([f"note of the source: {status_note}"] if status_note else []),
        ],
        checks=confidential.checks(published) if is_protected else [
            _recomputed(computation, row), *_published(row, published, gate_result, cell_key.time_period), *_archived_bytes(snapshots),
            *_rows_read_again(traces.values(), bool(notes)), *_differing_sources(computation), *_reported_parent(computation),
        ],
        gate=gate_result, notes=notes,
    )  # fmt: skip


def _weight_period(computation: Computation) -> str | None:
    """Return the period of most areas' weights, the latest one of several, or None where no area has a weight."""
    members = computation.rolled.members if computation.rolled else ()
    periods = [m.area.weight_period for m in members if m.area.weight_period is not None]
    return max(periods, key=lambda period: (periods.count(period), period), default=None)


def _declared(indicator: Indicator | None) -> dict[str, Any]:
    if indicator is None:
        return {}
    return {name: getattr(indicator, name) for name in ("objective", "measure", "field", "direction", "decimals", "sdg", "references")}


def _observations_behind(computation: Computation) -> tuple[list[Observation], list[Observation]]:
    """Return the observations of the area itself, and those of the areas below it."""
    own = [o for c in cells_of(computation.own) for o in observations_of(c)] if computation.own else []
    rolled = computation.rolled
    below = [o for m in rolled.members for c in cells_of(m.sums) for o in observations_of(c)] if rolled else []
    return list(dict.fromkeys(own)), list(dict.fromkeys(below))


def _snapshots(provenance: ProvenanceReader, traces: Mapping[Observation, Trace]) -> list[dict[str, Any]]:
    """Return every snapshot that the number depends on, once."""
    keys: dict[tuple[str, str, str], None] = {}
    for observation, trace in traces.items():
        if observation.snapshot and not trace.entries:
            keys[observation.source, observation.part, observation.snapshot] = None
        keys |= {(e.source, e.part, e.snapshot): None for e in (*trace.entries, *trace.looked_up)}
        if not trace.entries:  # a count of 0 depends on all of them
            keys |= dict.fromkeys(provenance.feeds(observation.source))
    return [provenance.snapshot(*key) for key in sorted(keys)]


# -------------------------------------------------------------------------------------------------------------------- checks


def _recomputed(computation: Computation, row: Row) -> Check:
    outcome = computation.outcome
    denominator = outcome.denominator if computation.facts.indicator.has_denominator else None
    bounds = (bound for interval in computation.intervals for bound in interval or (None, None))
    recomputed = Row(outcome.value, outcome.status, outcome.numerator, denominator, outcome.coverage, row.sources, *bounds)
    if recomputed.equals(row):
        return Check("recomputed", OK, "the input cells give the value, status, sums, coverage and interval of the warehouse")
    return Check("recomputed", FAILED, f"the input cells give {_describe(recomputed)}, but the warehouse has {_describe(row)}")


def _describe(row: Row) -> str:
    return (
        f"{number(row.value)} ({row.status}; numerator {number(row.numerator)}, denominator {number(row.denominator)}, "
        f"coverage {number(row.coverage)}{_bounds(row)})"
    )


def _bounds(row: Row) -> str:
    return "" if row.lower_95 is None else f"; 95 % interval {number(row.lower_95)} to {number(row.upper_95)}"


def _published(row: Row, published: Publication | None, gate_result: Mapping[str, Any], period: str) -> list[Check]:
    if published is None:
        return [Check("published", NOTE, "nothing has been published yet" + _because(gate_result))]
    if not period and published.row is None:
        text = "an indicator without any data has no rows in a release; the tables indicators and coverage have it"
        return [Check("published", OK, text)]
    if published.holder == published.version:
        return [Check("published", OK, f"the current release {published.version} has the same row")]
    in_release = "has no such row" if published.row is None else f"has {_describe(published.row)}"
    text = f"the current release {published.version} {in_release}; the warehouse has {_describe(row)}"
    if published.holder:
        state = f", which was {published.holder_state}" if published.holder_state else ""
        return [Check("published", NOTE, f"{text}, as has release {published.holder}{state}")]
    if gate_result.get("release") == published.version:
        return [Check("published", FAILED, f"{text}, although the last run ended with that release")]
    return [Check("published", NOTE, f"{text}, which no release has" + _because(gate_result))]


def _because(gate_result: Mapping[str, Any]) -> str:
    causes = gate_result.get("reasons") or []
    return f": the last run ended with {'; '.join(causes)}" if causes else ""


def _archived_bytes(snapshots: list[dict[str, Any]]) -> list[Check]:
    if not snapshots:
        return []
    broken = [s["archived"] for s in snapshots if not s["intact"]]
    if broken:
        return [Check("bytes", FAILED, f"missing or changed in the archive: {', '.join(broken)}")]
    return [Check("bytes", OK, f"the archive has the bytes of all snapshots ({len(snapshots)}), and their checksums match")]


def _rows_read_again(traces: Collection[Trace], changed: bool) -> list[Check]:
    read = [t for t in traces if t.was_read]
    faults = [f"{t.observation.key.measure}: {t.fault}" for t in traces if t.fault]
    differ = [t for t in read if not agree(t.value_read, None if t.observation.status in ("M", "Q", "C", "O") else t.observation.value)]
    checks = [Check("rows", NOTE if changed else FAILED, text) for text in dict.fromkeys(faults)]
    if differ:
        first = differ[0]
        text = f"{len(differ)} inputs differ from their rows: {first.observation.key.measure} of {first.observation.key.ref_area} "
        text += f"is {number(first.observation.value)} in the lake, but its rows, read again, give {number(first.value_read)}"
        checks.append(Check("rows", NOTE if changed else FAILED, text))
    elif read:
        checks.append(Check("rows", OK, f"the rows, read again from the archived bytes, give the same inputs ({len(read)})"))
    return checks


def _differing_sources(computation: Computation) -> list[Check]:
    """Return a note for each input about which sources differ. The first source by file name is used."""
    checks = []
    for cell in _all_cells(computation):
        others = [p for p in cell.passed_over if p.value is not None and cell.value is not None and not agree(p.value, cell.value)]
        if others:
            other_values = ", ".join(f"{p.source} {number(p.value)}" for p in others)
            place = f"{cell.key.measure} of {cell.key.ref_area} {cell.key.time_period} [{cell.key.sex}]"
            checks.append(
                Check("sources agree", NOTE, f"{place}: {cell.source} has {number(cell.value)}, which is used; others have {other_values}")
            )
    return checks


def _all_cells(computation: Computation) -> list[Cell]:
    cells = cells_of(computation.own) if computation.own else []
    cells += [c for m in computation.rolled.members for c in cells_of(m.sums)] if computation.rolled else []
    return cells


def _reported_parent(computation: Computation) -> list[Check]:
    """Compare a computed parent with the value that a source reports for it, if one does."""
    own, rolled = computation.own, computation.rolled
    if own is None or rolled is None or not own.now.observed or own.rank >= FIRST_MISSING_RANK or not rolled.contributing:
        return []
    same = agree(rolled.numerator, own.now.numerator) and agree(rolled.denominator, own.now.denominator)
    published = "the reported value is" if computation.outcome.way == "reported" else "the computed value is"
    text = f"a source reports numerator {number(own.now.numerator)}, the areas below give {number(rolled.numerator)}; {published} published"
    return [Check("computed and reported", OK if same else NOTE, text)]
