"""Which indicators have values: more or fewer than in the last release, and none although everything that they read was observed.

Fewer values are a warning. An indicator without any value closes the gate where nothing explains it: such a formula reads cells that no
source gives, for example the total of a measure that is reported by age only.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines.core.printable import listed
from pipelines.core.vocabulary import AREA_KM2, AREAS, TOTAL
from quality.gate import CheckResult

FEWER_VALUES = "values:indicator_values"
NO_VALUES = "values:empty_indicators"
NAMES = {FEWER_VALUES, NO_VALUES}
MAX_LISTED = 10
YEAR = 10_000  # the distance between the keys of a period and of the same period a year later
_CELLS = """
    select distinct x.sex, x.age, o.period_key
    from intermediate.int_reported_observations as o
    inner join dimensions.dim_breakdown as x on x.breakdown_key = o.breakdown_key
    where o.measure_key = ? and o.obs_value is not null"""
EXPLAINING = ("Z", "C", "Q", "S")
"""Statuses that say why there is no value: the terms met but give no number, or what they read is confidential, refused or not available."""


@dataclass(frozen=True)
class ValueCount:
    """The values of one indicator `now`, and `before`, in the last release (0 where there is none). `is_collected`: it has a formula."""

    indicator: str
    now: int
    before: int
    is_collected: bool


@dataclass(frozen=True)
class _Term:
    """A term of a formula without its factor. `cells` are the sexes, ages and periods with a value of its measure."""

    measure: str
    sex: str | None
    age: str | None
    lag: int
    cells: Collection[tuple[str, str, int]]

    @property
    def periods(self) -> set[int]:
        return {period for _, _, period in self.cells}


@dataclass(frozen=True)
class _Span:
    """The years that an indicator reads: of its window, of those the years that must be there, and back to the base of its change."""

    window_years: int | None
    window_min: int | None
    change_years: int | None


def count_values(warehouse: Path, last_release: Path | None, memory: int | None = None) -> list[ValueCount]:
    """Return the number of values of each indicator, also of those that only the release in the folder `last_release` has.

    `memory` is what DuckDB may use, in bytes. It holds one row per indicator.
    """
    table = last_release / "parquet" / "indicator_values.parquet" if last_release else None
    count = "select indicator, count(obs_value) as n from {} group by indicator"
    before = count.format("read_parquet(?)") if table and table.is_file() else "select null::varchar as indicator, 0 as n where false"
    with _opened(warehouse, memory) as connection:
        rows = connection.execute(
            f"select coalesce(a.indicator, b.indicator), coalesce(a.n, 0), coalesce(b.n, 0), coalesce(i.formula, '') <> '' "
            f"from ({count.format('marts.indicator_values')}) as a full join ({before}) as b on b.indicator = a.indicator "
            "left join staging.stg_indicators as i on i.indicator = a.indicator order by 1",
            [str(table)] if table and table.is_file() else [],
        ).fetchall()
    return [ValueCount(*row) for row in rows]


def check_fewer_values(counts: Sequence[ValueCount]) -> CheckResult:
    """Warn of indicators that have fewer values than in the last release."""
    losses = [f"{c.indicator} had {c.before} values and now has {c.now}" for c in counts if c.now < c.before]
    return CheckResult(FEWER_VALUES, not losses, "warn", _listed(losses))


def check_empty_indicators(warehouse: Path, counts: Sequence[ValueCount], memory: int | None = None) -> CheckResult:
    """Fail on indicators without any value, although each of their terms has one, and neither a status, lag, window nor change explains it."""
    messages = []
    with _opened(warehouse, memory) as connection:
        for indicator in [c.indicator for c in counts if c.is_collected and not c.now]:
            terms = _terms(connection, indicator)
            if not all(term.cells for term in terms) or _has_explaining_status(connection, indicator):
                continue
            if not _is_explained_by_years(terms, _span(connection, indicator)):
                messages.append(f"{indicator} has no value, although each of its terms has observations: {_reason(terms)}")
    return CheckResult(NO_VALUES, not messages, "error", _listed(messages))


def _opened(warehouse: Path, memory: int | None) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(warehouse), read_only=True)
    if memory is not None:
        connection.execute(f"set memory_limit = '{memory >> 10}KiB'")
    return connection


def _listed(lines: Sequence[str]) -> str:
    more = [f"and {len(lines) - MAX_LISTED} more"] if len(lines) > MAX_LISTED else []
    return "; ".join([*lines[:MAX_LISTED], *more])


def _has_explaining_status(connection: duckdb.DuckDBPyConnection, indicator: str) -> bool:
    """Whether a row says why there is no value. With the status L that is so where its terms are there, but of too few areas or months."""
    query = (
        "select 1 from marts.indicator_values where indicator = ? "
        f"and (obs_status in {EXPLAINING} or (obs_status = 'L' and (numerator is not null or exists ("
        "select 1 from staging.stg_terms as t inner join staging.stg_measures as m on m.measure_key in (t.measure_key, t.times_key) "
        "where t.indicator = ? and m.to_period is not null)))) limit 1"
    )
    return bool(connection.execute(query, [indicator, indicator]).fetchall())


def _terms(connection: duckdb.DuckDBPyConnection, indicator: str) -> list[_Term]:
    """Return the terms of a formula, and the factors of its products as terms of their own, without built-in measures that have values."""
    rows = connection.execute(
        "select measure, measure_key, sex, age, lag from staging.stg_terms where indicator = ? "
        "union select times, times_key, sex, age, lag from staging.stg_terms where indicator = ? and times is not null order by all",
        [indicator, indicator],
    ).fetchall()
    has_surface = bool(connection.execute("select 1 from marts.areas where area_km2 is not null limit 1").fetchall())
    always = {AREAS, AREA_KM2} if has_surface else {AREAS}
    return [
        _Term(measure, sex, age, lag, {*connection.execute(_CELLS, [key]).fetchall()})
        for measure, key, sex, age, lag in rows
        if measure not in always
    ]


def _span(connection: duckdb.DuckDBPyConnection, indicator: str) -> _Span:
    query = "select window_years, window_min, change_years from staging.stg_indicators where indicator = ?"
    ((window_years, window_min, change_years),) = connection.execute(query, [indicator]).fetchall()
    return _Span(window_years, window_min, change_years)


def _is_explained_by_years(terms: Sequence[_Term], span: _Span) -> bool:
    """Whether the observed periods are too few or too late for the lags, the window or the change of the formula."""
    together = set.intersection(*(term.periods for term in terms)) if terms else set()
    ends = set.intersection(*({period + term.lag * YEAR for period in term.periods} for term in terms)) if terms else set()
    if not ends:
        return bool(together) and any(term.lag for term in terms)
    if span.window_years is not None:
        years = range(span.window_years)
        ends = {end for end in ends if sum(end - year * YEAR in ends for year in years) >= (span.window_min or span.window_years)}
        if not ends:
            return True
    return span.change_years is not None and not any(end - span.change_years * YEAR in ends for end in ends)


def _reason(terms: Sequence[_Term]) -> str:
    """Return what the terms lack: a cell of the sex and age that they read, a period in common, or an area in common."""
    lacking = {}
    for term in terms:
        read = (term.sex or TOTAL, term.age or TOTAL)
        given = sorted({(sex, age) for sex, age, _ in term.cells})
        if read not in given:
            cells = listed([_named(*cell) for cell in given], MAX_LISTED)
            lacking[term.measure] = f"{term.measure} has no value for {_named(*read)}, only for {cells}"
    if lacking:
        return ", ".join(lacking.values())
    if not set.intersection(*({period + term.lag * YEAR for period in term.periods} for term in terms)):
        return "no period has values of all of them"
    return "no area has values of all of them in one period"


def _named(sex: str, age: str) -> str:
    """Return the name of a breakdown by sex and age."""
    marks = [f"sex {sex}"] * (sex != TOTAL) + [f"age {age}"] * (age != TOTAL)
    return " and ".join(marks) or "all sexes and ages"
