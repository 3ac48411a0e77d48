"""Where a number is published: in the current release, or in which other one; and what the gate and the checks on its way said. Only reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from exports.formats.prepare_table import GUARD
from exports.model.errors import ReleaseError
from exports.release import ledger
from exports.release.entries import RELEASES
from pipelines.core import atomic
from pipelines.core.sql import literal
from pipelines.core.workspace import WorkspaceFolder
from pipelines.explain.computation import agree
from pipelines.explain.facts import Question
from pipelines.runs.outcome import RunOutcome
from pipelines.warehouse import dbt

ON_THE_WAY = (
    "stg_observations", "stg_terms", "int_reported_observations", "int_observations", "int_indicator_periods", "int_direct_values",
    "int_rolled_values", "mart_indicator_values", "sources_agree", "computed_and_reported_agree", "nothing_lost",
    "totals_over_sex_agree", "roll_up_keeps_totals_over_sex", "unknown_coverage_is_low",
)  # fmt: skip
"""What the name of a check holds when the check is about a table between the lake and `indicator_values`."""


@dataclass(frozen=True)
class Row:
    """A row of `indicator_values`."""

    value: float | None
    status: str
    numerator: float | None
    denominator: float | None
    coverage: float | None
    sources: str = ""

    def is_as(self, other: Row) -> bool:
        return self.status == other.status and all(
            agree(getattr(self, name), getattr(other, name)) for name in ("value", "numerator", "denominator", "coverage")
        )


@dataclass(frozen=True)
class Publication:
    """The current release with its row, None where it has none; and the newest release whose row is the warehouse's."""

    version: str
    released: str
    row: Row | None
    holder: str
    holder_state: str  # withdrawn, or empty


def publication(
    workspace: WorkspaceFolder, connection: duckdb.DuckDBPyConnection, question: Question, warehouse_row: Row
) -> Publication | None:
    """Look the number up in the releases; None before the first one."""
    try:
        current, entries = ledger.current(workspace.public), ledger.history(workspace.public)
    except ReleaseError:
        return None
    if current is None:
        return None
    row = _row(workspace.public / RELEASES / current.version, connection, question)
    if row is not None and row.is_as(warehouse_row):
        return Publication(current.version, current.released, row, current.version, "")
    for entry in reversed(entries):
        other = None if entry.is_pruned else _row(workspace.public / RELEASES / entry.version, connection, question)
        if other is not None and other.is_as(warehouse_row):
            return Publication(current.version, current.released, row, entry.version, "withdrawn" if entry.is_withdrawn else "")
    return Publication(current.version, current.released, row, "", "")


def _row(release: Path, connection: duckdb.DuckDBPyConnection, question: Question) -> Row | None:
    path = release / "parquet" / "indicator_values.parquet"
    if not path.is_file():
        return None
    key = {"indicator": question.indicator, "ref_area": question.ref_area, "time_period": question.time_period, "sex": question.sex,
           "age": question.age}  # fmt: skip
    # a text that a spreadsheet would take for a formula stands behind a guard
    where = " and ".join(f"{name} in ({literal(text)}, {literal(GUARD + text)})" for name, text in key.items())
    columns = "obs_value, obs_status, numerator, denominator, coverage, sources"
    found = connection.execute(f"select {columns} from read_parquet({literal(str(path))}) where {where}").fetchall()
    return Row(*found[0]) if found else None


def gate(workspace: WorkspaceFolder) -> dict[str, Any]:
    """Return what the last run's gate said, which release that run made or left, and the checks of the tables on the way."""
    last = RunOutcome.last(workspace)
    return {
        "ended_at": last.ended_at or None,
        "release": last.release.version if last.release else None,
        "reasons": last.reasons,
        **{name: last.gate.get(name) for name in ("passed", "checks_passed", "failed", "missing", "warnings", "accepted")},
        "on_the_way": _on_the_way(workspace),
    }


def _on_the_way(workspace: WorkspaceFolder) -> list[dict[str, Any]]:
    """Return the checks of the models between the lake and the number, as the last run found them; none where other code ran."""
    manifest = atomic.read_json(dbt.manifest_path(workspace), None)
    if manifest is None or not (workspace.dbt / "target" / "run_results.json").is_file():
        return []
    found = [c for c in dbt.results(workspace, manifest) if any(name in c.name for name in ON_THE_WAY)]
    return [{"name": c.name, "passed": c.passed, "description": c.description} for c in sorted(found, key=lambda c: c.name)]
