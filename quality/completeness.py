"""What a release tells less of than the last one: indicators that lost values. A warning: missing values do not close the gate."""

from __future__ import annotations

from pathlib import Path

import duckdb

from quality.gate import CheckResult

NAME = "values:indicator_values"
_NAMED = 10  # indicators that are listed


def fewer_values(warehouse: Path, last: Path | None) -> CheckResult:
    """Compare the values of each indicator with those in `last`, the folder of the last release; None where there is none."""
    table = last / "parquet" / "indicator_values.parquet" if last else None
    if table is None or not table.is_file():
        return CheckResult(NAME, True, "warn")
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        rows = connection.execute(
            "select b.indicator, b.n, coalesce(a.n, 0) from (select indicator, count(obs_value) as n from read_parquet(?) group by 1) as b "
            "left join (select indicator, count(obs_value) as n from marts.indicator_values group by 1) as a using (indicator) "
            "where coalesce(a.n, 0) < b.n order by b.indicator",
            [str(table)],
        ).fetchall()
    words = [f"{indicator} had {before} values and has {now}" for indicator, before, now in rows[:_NAMED]]
    if len(rows) > _NAMED:
        words.append(f"and {len(rows) - _NAMED} more")
    return CheckResult(NAME, not rows, "warn", "; ".join(words))
