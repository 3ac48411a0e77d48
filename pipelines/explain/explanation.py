"""The explanation of a number, and its JSON document (docs/explain.md). Computes nothing; `render` turns it into text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipelines.core.vocabulary import FIRST_MISSING_RANK, STATUS_OF_RANK
from pipelines.explain import reasons
from pipelines.explain.arithmetic import arithmetic
from pipelines.explain.cells import Cell, ProductPart, rank_of
from pipelines.explain.computation import Computation
from pipelines.explain.facts import Indicator, Observation
from pipelines.explain.formula import Operand, Sums, TermValue
from pipelines.explain.parents import Member, Rollup
from pipelines.explain.provenance import Trace
from pipelines.explain.publication import BOUNDS, Publication, Row

OK, FAILED, NOTE = "ok", "failed", "note"


@dataclass(frozen=True)
class Check:
    """One comparison and its result. A note is a difference with a good reason."""

    name: str
    state: str
    text: str


@dataclass(frozen=True)
class Explanation:
    """One number with everything that it was computed from."""

    pack: str
    computation: Computation
    title: str
    description: str
    declared: Mapping[str, Any]  # of the indicator: objective, direction, references, ...
    area: Mapping[str, str]
    warehouse_row: Row
    publication: Publication | None
    traces: Mapping[Observation, Trace]
    snapshots: Sequence[Mapping[str, Any]]
    fills: Mapping[str, Sequence[str]]
    weight: Mapping[str, Any]
    reasons: Sequence[str]
    checks: Sequence[Check]
    gate: Mapping[str, Any]
    notes: Sequence[str]

    @property
    def agrees(self) -> bool:
        """Whether everything that was compared is the same, except for differences with a good reason."""
        return all(check.state != FAILED for check in self.checks)


def document(explanation: Explanation) -> dict[str, Any]:
    """Return the explanation as plain values for JSON."""
    c = explanation.computation
    indicator, outcome = c.facts.indicator, c.outcome
    of_values = indicator.of_values() if indicator.is_share else indicator
    published = explanation.publication
    return {
        "question": {"pack": explanation.pack, **asdict(c.cell_key)},
        "indicator": {
            "title": explanation.title, "description": explanation.description, "unit": indicator.unit, **explanation.declared,
            "rollup": indicator.rollup,
        },
        "area": {"ref_area": c.cell_key.ref_area, **explanation.area},
        "value": {
            "obs_value": outcome.value, "obs_status": outcome.status, "meaning": reasons.MEANING[outcome.status], "why": list(explanation.reasons),
            "way": outcome.way, "numerator": outcome.numerator, "denominator": outcome.denominator if indicator.has_denominator else None,
            "coverage": outcome.coverage, "unit_measure": indicator.unit, "interval": _interval(c),
        },
        "formula": {
            "words": indicator.formula, "numbers": arithmetic(c), "multiplier": indicator.multiplier,
            "window": {"years": indicator.window_years, "agg": indicator.window_agg, "min": indicator.window_min}
            if indicator.window_years is not None else None,
            "change": {"kind": of_values.change_kind, "years": indicator.change_years} if of_values.change_kind is not None else None,
            "missing_zero": indicator.missing_zero, "weighted": indicator.weighted, "share_of_areas": _share_of_areas(indicator),
            "difference_to": _difference_to(c),
        },
        "own": None if c.own is None else {
            "used": c.uses_own, "now": _sums(explanation, c.own.now), "base": _sums(explanation, c.own.base) if c.own.base else None,
            "break": asdict(c.own.series_break) if c.own.series_break else None, "compared": c.own.compared,
        },
        "rollup": _rollup(explanation, c.rolled) if c.rolled is not None else None,
        "snapshots": [dict(s) for s in explanation.snapshots],
        "checks": [asdict(check) for check in explanation.checks],
        "agrees": explanation.agrees,
        "gate": dict(explanation.gate),
        "release": None if published is None else {
            "current": published.version, "released": published.released, "row": asdict(published.row) if published.row else None,
            "has_this_number": published.holder or None, "state": published.holder_state or None,
        },
        "notes": list(explanation.notes),
    }  # fmt: skip


def _interval(computation: Computation) -> dict[str, Any] | None:
    """Return the interval of the value, None for a value without one."""
    bounds = [bound for interval in computation.intervals for bound in interval or ()]
    if not bounds:
        return None
    return {"kind": computation.facts.indicator.interval_kind, **dict(zip(BOUNDS, bounds, strict=True))}


def _share_of_areas(indicator: Indicator) -> dict[str, Any] | None:
    """Return the threshold of a share of areas, None for other indicators."""
    if not indicator.is_share:
        return None
    return {"below": indicator.share_below, "above": indicator.share_above, "of": "weight" if indicator.share_by_weight else "areas"}


def _difference_to(computation: Computation) -> dict[str, Any] | None:
    """Return the two values of a difference to the area above, None for other indicators."""
    difference = computation.difference
    if difference is None:
        return None
    return {
        "level": computation.facts.indicator.difference_to, "ref_area": difference.above, "obs_value": difference.above_value,
        "obs_status": difference.above_status, "from_value": difference.plain.value,
    }  # fmt: skip


def _rollup(explanation: Explanation, rolled: Rollup) -> dict[str, Any]:
    return {
        "used": explanation.computation.outcome.way == "rolled", "level": explanation.computation.finest, "areas": len(rolled.members),
        "contributing": rolled.contributing, "coverage": rolled.coverage, "coverage_needed": rolled.needed, "counted": rolled.counted,
        "weight": dict(explanation.weight), "weight_of_all": rolled.weight, "weight_of_contributing": rolled.contributing_weight,
        "numerator": rolled.numerator, "denominator": rolled.denominator, "base_numerator": rolled.base_numerator,
        "base_denominator": rolled.base_denominator, "members": [_member(explanation, m) for m in rolled.members],
    }  # fmt: skip


def _member(explanation: Explanation, member: Member) -> dict[str, Any]:
    sums = member.sums
    facts = explanation.computation.facts
    return {
        "ref_area": member.area.ref_area, "name": member.area.name, "weight": member.area.weight,
        "weight_period": member.area.weight_period, "contributes": member.contributes,
        "status": STATUS_OF_RANK[sums.rank],
        "why": [] if sums.rank == 1 else reasons.area_reasons(facts, sums, explanation.traces, explanation.fills),
        "numerator": sums.now.numerator, "denominator": sums.now.denominator, "compared": sums.compared,
        "now": _sums(explanation, sums.now), "base": _sums(explanation, sums.base) if sums.base else None,
    }  # fmt: skip


def _sums(explanation: Explanation, sums: Sums) -> dict[str, Any]:
    return {
        "time_period": sums.time_period, "numerator": sums.numerator, "denominator": sums.denominator, "status": STATUS_OF_RANK[sums.rank],
        "years": [
            {
                "time_period": y.time_period, "counts": y.complete, "numerator": y.numerator, "denominator": y.denominator,
                "status": STATUS_OF_RANK[y.rank], "terms": [_term(explanation, t) for t in y.terms],
            }
            for y in sums.years
        ],
    }  # fmt: skip


def _term(explanation: Explanation, term: TermValue) -> dict[str, Any]:
    return {
        **asdict(term.term),
        "value": term.value,
        "status": STATUS_OF_RANK[term.rank],
        "operands": [_operand(explanation, o) for o in term.operands],
        "product": None if term.product is None else [_part(p) for p in term.product.parts],
    }


def _part(part: ProductPart) -> dict[str, Any]:
    return {
        "ref_area": part.ref_area,
        "share": part.share,
        "factors": list(part.factors),
        "km2": part.km2,
        "status": STATUS_OF_RANK[part.rank],
    }


def _operand(explanation: Explanation, operand: Operand) -> dict[str, Any]:
    reason = (
        reasons.describe_operand(explanation.computation.facts, operand, explanation.traces, explanation.fills)
        if operand.rank >= FIRST_MISSING_RANK
        else None
    )
    return {
        **operand.key._asdict(), "value": operand.value, "status": STATUS_OF_RANK[operand.rank], "how": operand.how, "why": reason,
        "cell": _cell(explanation, operand.cell) if operand.cell else None,
    }  # fmt: skip


def _cell(explanation: Explanation, cell: Cell) -> dict[str, Any]:
    return {
        **cell.key._asdict(), "source": cell.source, "value": cell.value, "status": STATUS_OF_RANK[cell.rank], "how": cell.how,
        "inputs": [_input(explanation, o) for o in cell.inputs], "parts": [_cell(explanation, p) for p in cell.parts],
        "origins": [{"ref_area": o.ref_area, "share": o.share, "status": STATUS_OF_RANK.get(o.rank)} for o in cell.origins],
        "passed_over": [{"source": p.source, "value": p.value, "status": STATUS_OF_RANK[p.rank]} for p in cell.passed_over],
    }  # fmt: skip


def _input(explanation: Explanation, observation: Observation) -> dict[str, Any]:
    trace = explanation.traces.get(observation) or Trace(observation, () if observation.row is None else (observation.row,))
    snapshot = observation.snapshot
    return {
        "source": observation.source, "part": observation.part, "sha256": snapshot, "sex": observation.key.sex, "age": observation.key.age,
        "value": observation.value, "status": STATUS_OF_RANK[rank_of(explanation.computation.facts, observation)], "aggregate": observation.aggregate,
        "rows": list(trace.rows), "row_count": observation.rows, "declared": trace.declared,
        "texts": [{"row": row, "cells": cells} for row, cells in trace.texts.items()],
        "corrections": [asdict(x) for x in trace.corrections], "quarantine": [asdict(x) for x in trace.quarantine],
        "entries": [asdict(x) for x in trace.entries], "looked_up": [asdict(x) for x in trace.looked_up],
        "read_again": trace.value_read if trace.was_read else None, "fault": trace.fault or None,
    }  # fmt: skip
