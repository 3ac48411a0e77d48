"""The earlier releases that show a number which is suppressed now. Releases are immutable, so only the operator can withdraw them. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb

from exports.formats.prepare_table import GUARD
from exports.model.errors import ReleaseError
from exports.release import ledger
from exports.release.entries import RELEASES
from pipelines.core.sql import literal
from quality.gate import CheckResult

NAME = "suppressed_before"
_CELLS = """
    select i.indicator, a.ref_area, p.time_period, x.sex, x.age
    from intermediate.int_suppressed_cells as s
    inner join staging.stg_indicators as i on i.indicator_key = s.indicator_key
    inner join dimensions.dim_area as a on a.area_key = s.area_key
    inner join dimensions.dim_period as p on p.period_key = s.period_key
    inner join dimensions.dim_breakdown as x on x.breakdown_key = s.breakdown_key"""


def releases_showing(connection: duckdb.DuckDBPyConnection, public: Path) -> list[str]:
    """Return the versions that show a cell which the warehouse of `connection` suppresses, without those that are withdrawn or removed."""
    try:
        entries = [entry for entry in ledger.history(public) if not entry.is_withdrawn and not entry.is_pruned]
    except ReleaseError:
        return []  # the release itself will say what is wrong
    return [entry.version for entry in entries if _shows(connection, public / RELEASES / entry.version)]


def check(versions: list[str]) -> Iterator[CheckResult]:
    """Yield a warning if there are such releases."""
    if versions:
        text = f"numbers that are confidential now are in the releases {', '.join(versions)}; `zpo2 withdraw VERSION --reason TEXT` withdraws one"
        yield CheckResult(NAME, False, "warn", text)


def _shows(connection: duckdb.DuckDBPyConnection, release: Path) -> bool:
    path = release / "parquet" / "indicator_values.parquet"
    if not path.is_file():
        return False
    # a text that a spreadsheet would take for a formula has a guard in front
    guarded = f"case when starts_with(v.ref_area, {literal(GUARD)}) then substr(v.ref_area, 2) else v.ref_area end"
    return bool(
        connection.execute(
            f"select 1 from read_parquet({literal(str(path))}) as v inner join ({_CELLS}) as c on c.indicator = v.indicator "
            f"and c.ref_area in (v.ref_area, {guarded}) and c.time_period = v.time_period and c.sex = v.sex and c.age = v.age "
            "where v.obs_value is not null or v.numerator is not null or v.denominator is not null limit 1"
        ).fetchall()
    )
