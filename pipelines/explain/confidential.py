"""The explanation of an indicator whose inputs may be confidential: its published row, without the counts that it was computed from."""

from __future__ import annotations

from dataclasses import replace

from pipelines.explain.computation import Computation
from pipelines.explain.explanation import NOTE, OK, Check
from pipelines.explain.parents import Outcome
from pipelines.explain.publication import Publication, Row

REASON = "its count is confidential, or a confidential count could be derived from it; no number of it is shown"
_INPUTS = "inputs are not shown, because some of them are confidential"


def without_inputs(computation: Computation, row: Row) -> Computation:
    """Return the computation with the published row as its outcome, and without anything below it."""
    outcome = Outcome(computation.outcome.way, row.value, row.status, row.numerator, row.denominator, row.coverage)
    intervals = computation.intervals if row.value is not None else (None, None)
    return replace(computation, outcome=outcome, own=None, rolled=None, intervals=intervals, difference=None)


def without_other_row(published: Publication | None) -> Publication | None:
    """Return where the row is published. What another release has in its place is not repeated."""
    if published is None or published.holder == published.version:
        return published
    return replace(published, row=None)


def checks(published: Publication | None) -> list[Check]:
    """Return what can be said without a number."""
    if published is None:
        return [Check("inputs", NOTE, _INPUTS), Check("published", NOTE, "nothing has been published yet")]
    if published.holder == published.version:
        return [Check("inputs", NOTE, _INPUTS), Check("published", OK, f"the current release {published.version} has the same row")]
    return [Check("inputs", NOTE, _INPUTS), Check("published", NOTE, f"the current release {published.version} has another row")]
