"""Which release publishes a number, and the results of the gate and of the checks on the tables behind it. Only reads."""

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
from pipelines.explain.facts import CellKey
from pipelines.runs.outcome import RunOutcome
from pipelines.warehouse import dbt

ON_THE_WAY = (
    "stg_observations", "stg_terms", "int_reported_observations", "int_observations", "int_indicator_periods", "int_direct_values",
    "int_rolled_values", "mart_indicator_values", "sources_agree", "computed_and_reported_agree", "mart_sources", "mart_snapshots",
    "totals_over_sex_agree", "roll_up_keeps_totals_over_sex", "unknown_coverage_is_low",
    "observations_are_finite", "values_are_not_all_zero",
)  # fmt: skip
"""Parts of the names of checks on the tables between the lake and `indicator_values`."""


BOUNDS = ("lower_95", "upper_95", "lower_998", "upper_998")
"""The interval of a value, in the order of the columns."""


@dataclass(frozen=True)
class Row:
    """A row of `indicator_values`."""

    value: float | None
    status: str
    numerator: float | None
    denominator: float | None
    coverage: float | None
    sources: str = ""
    lower_95: float | None = None
    upper_95: float | None = None
    lower_998: float | None = None
    upper_998: float | None = None

    def equals(self, other: Row) -> bool:
        return self.status == other.status and all(
            agree(getattr(self, name), getattr(other, name)) for name in ("value", "numerator", "denominator", "coverage", *BOUNDS)
        )


@dataclass(frozen=True)
class Publication:
    """The current release with its row (None where it has none), and the newest release whose row equals the warehouse's."""

    version: str
    released: str
    row: Row | None
    holder: str
    holder_state: str  # withdrawn, or empty


def publication(
    workspace: WorkspaceFolder, connection: duckdb.DuckDBPyConnection, cell_key: CellKey, warehouse_row: Row
) -> Publication | None:
    """Look the number up in the releases. Returns None before the first release."""
    try:
        current, entries = ledger.current(workspace.public), ledger.history(workspace.public)
    except ReleaseError:
        return None
    if current is None:
        return None
    row = _row(workspace.public / RELEASES / current.version, connection, cell_key)
    if row is not None and row.equals(warehouse_row):
        return Publication(current.version, current.released, row, current.version, "")
    for entry in reversed(entries):
        other = None if entry.is_pruned else _row(workspace.public / RELEASES / entry.version, connection, cell_key)
        if other is not None and other.equals(warehouse_row):
            return Publication(current.version, current.released, row, entry.version, "withdrawn" if entry.is_withdrawn else "")
    return Publication(current.version, current.released, row, "", "")


def _row(release: Path, connection: duckdb.DuckDBPyConnection, cell_key: CellKey) -> Row | None:
    path = release / "parquet" / "indicator_values.parquet"
    if not path.is_file():
        return None
    key = {"indicator": cell_key.indicator, "ref_area": cell_key.ref_area, "time_period": cell_key.time_period, "sex": cell_key.sex,
           "age": cell_key.age}  # fmt: skip
    # a text that a spreadsheet would take for a formula has a guard in front
    where = " and ".join(f"{name} in ({literal(text)}, {literal(GUARD + text)})" for name, text in key.items())
    table = f"read_parquet({literal(str(path))})"
    present = {name for name, *_ in connection.execute(f"describe from {table}").fetchall()}  # earlier releases have no intervals
    bounds = ", ".join(name if name in present else f"null as {name}" for name in BOUNDS)
    columns = f"obs_value, obs_status, numerator, denominator, coverage, sources, {bounds}"
    rows = connection.execute(f"select {columns} from {table} where {where}").fetchall()
    return Row(*rows[0]) if rows else None


def gate(workspace: WorkspaceFolder) -> dict[str, Any]:
    """Return the result of the last run's gate, the release after that run, and the checks on the tables behind the number."""
    last = RunOutcome.last(workspace)
    return {
        "ended_at": last.ended_at or None,
        "release": last.release.version if last.release else None,
        "reasons": last.reasons,
        **{name: last.gate.get(name) for name in ("passed", "checks_passed", "failed", "missing", "warnings", "accepted")},
        "on_the_way": _on_the_way(workspace),
    }


def _on_the_way(workspace: WorkspaceFolder) -> list[dict[str, Any]]:
    """Return the last run's checks on the models between the lake and the number; none where another dbt project ran."""
    manifest = atomic.read_json(dbt.manifest_path(workspace), None)
    if manifest is None:
        return []
    checks = [c for c in dbt.results(workspace, manifest) if any(name in c.name for name in ON_THE_WAY)]
    return [{"name": c.name, "passed": c.passed, "description": c.description} for c in sorted(checks, key=lambda c: c.name)]
