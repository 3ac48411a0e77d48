"""The whole account of a number, and the JSON document of it (docs/explain.md). Computes nothing; the text is told elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipelines.core.vocabulary import FIRST_MISSING_RANK, STATUS_OF_RANK
from pipelines.explain import reasons
from pipelines.explain.arithmetic import arithmetic
from pipelines.explain.cells import Cell, rank_of
from pipelines.explain.computation import Computation
from pipelines.explain.facts import Observation
from pipelines.explain.formula import Operand, Sums, TermValue
from pipelines.explain.parents import Member, Rollup
from pipelines.explain.provenance import Trace
from pipelines.explain.publication import Publication, Row

OK, FAILED, NOTE = "ok", "failed", "note"


@dataclass(frozen=True)
class Check:
    """What was compared, and what came of it; a note is a difference that has a good reason."""

    name: str
    state: str
    text: str


@dataclass(frozen=True)
class Account:
    """One number with everything it was made from."""

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
    why: Sequence[str]
    checks: Sequence[Check]
    gate: Mapping[str, Any]
    notes: Sequence[str]

    @property
    def agrees(self) -> bool:
        """Whether everything that was compared is the same, differences with a good reason apart."""
        return all(check.state != FAILED for check in self.checks)


def document(account: Account) -> dict[str, Any]:
    """Return the account as plain values for JSON."""
    c = account.computation
    indicator, outcome = c.facts.indicator, c.outcome
    published = account.publication
    return {
        "question": {"pack": account.pack, **asdict(c.question)},
        "indicator": {
            "title": account.title, "description": account.description, "unit": indicator.unit, **account.declared,
            "rollup": indicator.rollup,
        },
        "area": {"ref_area": c.question.ref_area, **account.area},
        "value": {
            "obs_value": outcome.value, "obs_status": outcome.status, "meaning": reasons.MEANING[outcome.status], "why": list(account.why),
            "way": outcome.way, "numerator": outcome.numerator, "denominator": outcome.denominator if indicator.has_denominator else None,
            "coverage": outcome.coverage, "unit_measure": indicator.unit,
        },
        "formula": {
            "words": indicator.formula, "numbers": arithmetic(c), "multiplier": indicator.multiplier,
            "window": {"years": indicator.window_years, "agg": indicator.window_agg, "min": indicator.window_min}
            if indicator.window_years is not None else None,
            "change": {"kind": indicator.change_kind, "years": indicator.change_years} if indicator.change_kind is not None else None,
            "missing_zero": indicator.missing_zero, "weighted": indicator.weighted,
        },
        "own": None if c.own is None else {
            "used": c.uses_own, "now": _sums(account, c.own.now), "base": _sums(account, c.own.base) if c.own.base else None,
            "break": asdict(c.own.broken) if c.own.broken else None,
        },
        "rollup": _rollup(account, c.rolled) if c.rolled is not None else None,
        "snapshots": [dict(s) for s in account.snapshots],
        "checks": [asdict(check) for check in account.checks],
        "agrees": account.agrees,
        "gate": dict(account.gate),
        "release": None if published is None else {
            "current": published.version, "released": published.released, "row": asdict(published.row) if published.row else None,
            "has_this_number": published.holder or None, "state": published.holder_state or None,
        },
        "notes": list(account.notes),
    }  # fmt: skip


def _rollup(account: Account, rolled: Rollup) -> dict[str, Any]:
    return {
        "used": account.computation.outcome.way == "rolled", "level": account.computation.finest, "areas": len(rolled.members),
        "contributing": rolled.contributing, "coverage": rolled.coverage, "coverage_needed": rolled.needed, "counted": rolled.counted,
        "weight": dict(account.weight), "weight_of_all": rolled.weight, "weight_of_contributing": rolled.weight_there,
        "numerator": rolled.numerator, "denominator": rolled.denominator, "base_numerator": rolled.base_numerator,
        "base_denominator": rolled.base_denominator, "members": [_member(account, m) for m in rolled.members],
    }  # fmt: skip


def _member(account: Account, member: Member) -> dict[str, Any]:
    sums = member.sums
    facts = account.computation.facts
    return {
        "ref_area": member.area.ref_area, "name": member.area.name, "weight": member.area.weight,
        "weight_period": member.area.weight_period, "contributes": member.contributes,
        "status": STATUS_OF_RANK[sums.rank],
        "why": [] if sums.rank == 1 else reasons.of_area(facts, sums, account.traces, account.fills),
        "numerator": sums.now.numerator, "denominator": sums.now.denominator,
        "now": _sums(account, sums.now), "base": _sums(account, sums.base) if sums.base else None,
    }  # fmt: skip


def _sums(account: Account, sums: Sums) -> dict[str, Any]:
    return {
        "time_period": sums.time_period, "numerator": sums.numerator, "denominator": sums.denominator, "status": STATUS_OF_RANK[sums.rank],
        "years": [
            {
                "time_period": y.time_period, "counts": y.complete, "numerator": y.numerator, "denominator": y.denominator,
                "status": STATUS_OF_RANK[y.rank], "terms": [_term(account, t) for t in y.terms],
            }
            for y in sums.years
        ],
    }  # fmt: skip


def _term(account: Account, found: TermValue) -> dict[str, Any]:
    return {
        **asdict(found.term),
        "value": found.value,
        "status": STATUS_OF_RANK[found.rank],
        "operands": [_operand(account, o) for o in found.operands],
    }


def _operand(account: Account, found: Operand) -> dict[str, Any]:
    told = (
        reasons.operand_in_words(account.computation.facts, found, account.traces, account.fills)
        if found.rank >= FIRST_MISSING_RANK
        else None
    )
    return {
        **found.key._asdict(), "value": found.value, "status": STATUS_OF_RANK[found.rank], "how": found.how, "why": told,
        "cell": _cell(account, found.cell) if found.cell else None,
    }  # fmt: skip


def _cell(account: Account, found: Cell) -> dict[str, Any]:
    return {
        **found.key._asdict(), "source": found.source, "value": found.value, "status": STATUS_OF_RANK[found.rank], "how": found.how,
        "inputs": [_input(account, o) for o in found.inputs], "parts": [_cell(account, p) for p in found.parts],
        "origins": [{"ref_area": o.ref_area, "share": o.share, "status": STATUS_OF_RANK.get(o.rank)} for o in found.origins],
        "passed_over": [{"source": p.source, "value": p.value, "status": STATUS_OF_RANK[p.rank]} for p in found.passed_over],
    }  # fmt: skip


def _input(account: Account, observation: Observation) -> dict[str, Any]:
    trace = account.traces.get(observation) or Trace(observation, () if observation.row is None else (observation.row,))
    snapshot = observation.snapshot
    return {
        "source": observation.source, "part": observation.part, "sha256": snapshot, "sex": observation.key.sex, "age": observation.key.age,
        "value": observation.value, "status": STATUS_OF_RANK[rank_of(account.computation.facts, observation)], "aggregate": observation.aggregate,
        "rows": list(trace.rows), "row_count": observation.rows, "declared": trace.declared,
        "texts": [{"row": row, "cells": cells} for row, cells in trace.texts.items()],
        "corrections": [asdict(x) for x in trace.corrections], "quarantine": [asdict(x) for x in trace.refusals],
        "entries": [asdict(x) for x in trace.entries], "read_again": trace.read if trace.was_read else None, "fault": trace.fault or None,
    }  # fmt: skip
