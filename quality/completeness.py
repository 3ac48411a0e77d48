"""Indicators that have fewer values than in the last release. This is a warning: missing values do not close the gate."""

from __future__ import annotations

from pathlib import Path

import duckdb

from quality.gate import CheckResult

NAME = "values:indicator_values"
MAX_LISTED = 10


def compare_value_counts(warehouse: Path, last_release: Path | None, memory: int | None = None) -> CheckResult:
    """Compare the number of values of each indicator with that in the folder `last_release`; None: there is no earlier release.

    `memory` is what DuckDB may use, in bytes. It holds one row per indicator.
    """
    table = last_release / "parquet" / "indicator_values.parquet" if last_release else None
    if table is None or not table.is_file():
        return CheckResult(NAME, True, "warn")
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        if memory is not None:
            connection.execute(f"set memory_limit = '{memory >> 10}KiB'")
        losses = connection.execute(
            "select b.indicator, b.n, coalesce(a.n, 0) from (select indicator, count(obs_value) as n from read_parquet(?) group by 1) as b "
            "left join (select indicator, count(obs_value) as n from marts.indicator_values group by 1) as a using (indicator) "
            "where coalesce(a.n, 0) < b.n order by b.indicator",
            [str(table)],
        ).fetchall()
    lines = [f"{indicator} had {before} values and now has {now}" for indicator, before, now in losses[:MAX_LISTED]]
    if len(losses) > MAX_LISTED:
        lines.append(f"and {len(losses) - MAX_LISTED} more")
    return CheckResult(NAME, not losses, "warn", "; ".join(lines))
