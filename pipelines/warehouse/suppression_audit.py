"""Tries to derive the suppressed counts from the published tables, as a reader could. The gate closes if one of them can be derived.

It knows the published tables and the formulas, and nothing of how cells were chosen. For each suppressed numerator it finds the narrowest bounds
that linear programming gives. Of the warehouse's own tables it reads which denominators are confidential, and which cells are so by themselves.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import duckdb
import numpy as np

from pipelines.core.vocabulary import first_day
from pipelines.packs import Pack, confidentiality
from pipelines.packs.confidentiality import BUILT_IN, Group
from pipelines.packs.schema import Formula, Term
from pipelines.statistics.disclosure import Equation, Ties, age_parts, sum_of
from quality.gate import CheckResult

NAME = "suppression_audit"
EQUAL = 1e-9
STEPS = (1, 10, 60, 600)
"""Seconds in the report are rounded up to one of these: the same release has the same bytes on every machine."""

Place = tuple[str, str, str, str]
"""Area, period, sex, age."""


@dataclass(frozen=True)
class Result:
    """What the audit found. `derivable` are cells in words; the programme is the largest one."""

    primary: int
    secondary: int
    derivable: tuple[str, ...]
    blocks: int
    rows: int
    columns: int
    seconds: float

    def report(self) -> dict[str, Any]:
        """Return the result as a release publishes it."""
        return {
            "primary": self.primary,
            "secondary": self.secondary,
            "derivable": len(self.derivable),
            "seconds_at_most": next((step for step in STEPS if self.seconds <= step), math.ceil(self.seconds)),
            "programmes": self.blocks,
            "largest_programme": {"equations": self.rows, "unknown_counts": self.columns},
        }


def audit(connection: duckdb.DuckDBPyConnection, pack: Pack) -> Result | None:
    """Audit the published tables of a warehouse. Returns None where no cell is suppressed."""
    began = time.monotonic()
    groups = confidentiality.groups(pack)
    if not groups:
        return None
    marked = connection.execute("select count(*) filter (where is_primary), count(*) from intermediate.int_suppressed_cells").fetchall()[0]
    if not marked[1]:
        return None
    results = [_GroupAudit(connection, pack, group).run() for group in groups]
    derivable = sorted(cell for cells, _, _, _ in results for cell in cells)
    largest = max(((columns, rows) for _, _, rows, columns in results), default=(0, 0))
    blocks = sum(blocks for _, blocks, _, _ in results)
    return Result(marked[0], marked[1] - marked[0], tuple(derivable), blocks, largest[1], largest[0], time.monotonic() - began)


def check(result: Result) -> CheckResult:
    """Return the result for the gate. It names cells, and no number."""
    shown = ", ".join(result.derivable[:5])
    text = f"{len(result.derivable)} suppressed counts follow from published ones: {shown}" if result.derivable else ""
    return CheckResult(NAME, not result.derivable, "error", text)


@dataclass(frozen=True)
class _Row:
    """A published row."""

    level: int
    status: str
    numerator: float | None
    denominator: float | None
    coverage: float | None

    def amount(self, side: str) -> float | None:
        return self.numerator if side == "numerator" else self.denominator

    @property
    def contributes(self) -> bool:
        """Whether the count is part of the sums of parents. Only then is there a coverage, which suppression leaves as it is."""
        return (self.coverage or 0) > 0

    @property
    def is_whole(self) -> bool:
        """Whether all areas below contribute, so that the formula holds for the sums, too."""
        return self.coverage is not None and self.coverage > 1 - EQUAL


@dataclass
class _GroupAudit:
    """The system of equations that the published rows of a group's indicators give."""

    connection: duckdb.DuckDBPyConnection
    pack: Pack
    group: Group
    amounts: list[float] = field(default_factory=list)
    signed: list[bool] = field(default_factory=list)
    equations: list[Equation] = field(default_factory=list)
    index: dict[Any, int] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)

    def run(self) -> tuple[list[str], int, int, int]:
        """Return the derivable cells, and the numbers of blocks, equations and unknown counts."""
        levels = {level.id: i for i, level in enumerate(self.pack.file.levels)}
        names = ", ".join("?" for _ in self.group.indicators)
        rows: dict[str, dict[Place, _Row]] = defaultdict(dict)
        for indicator, area, period, sex, age, level, *rest in self.connection.execute(
            "select indicator, ref_area, time_period, sex, age, level, obs_status, numerator, denominator, coverage "
            f"from marts.indicator_values where indicator in ({names}) order by all",
            list(self.group.indicators),
        ).fetchall():
            rows[indicator][area, period, sex, age] = _Row(levels[level], *rest)
        if not any(row.status == "C" for of_indicator in rows.values() for row in of_indicator.values()):
            return [], 0, 0, 0
        targets: set[int] = set()
        hidden = self._hidden_denominators()
        for indicator, of_indicator in rows.items():
            formula = self.pack.indicators[indicator].formula
            if formula is None or formula.share_of_areas is not None:
                continue
            for side, terms in (("numerator", formula.numerator), ("denominator", formula.denominator)):
                if not self._is_linear(terms, formula):
                    continue
                counts = self._counts_of_side(indicator, side, terms, formula, of_indicator)
                targets |= {
                    counts[place] for place, row in of_indicator.items()
                    if row.status == "C" and (side == "numerator" or (indicator, *place) in hidden)
                }  # fmt: skip
                self._tie_areas(counts, of_indicator)
        self._tie_breakdowns()
        amounts = np.array(self.amounts, dtype=np.float64)
        is_unknown = np.isnan(amounts)
        suppressed = np.isin(np.arange(len(amounts)), sorted(targets))
        known = [self.names[count] for count in sorted(targets) if not is_unknown[count]]
        result = Ties(len(amounts), self.equations, np.array(self.signed, dtype=bool)).audit(amounts, is_unknown, suppressed & is_unknown)
        derivable = [self.names[count] for count in result.derivable.tolist()]
        return sorted({*known, *derivable}), result.blocks, result.largest_rows, result.largest_columns

    def _hidden_denominators(self) -> set[tuple[str, ...]]:
        return set(
            self.connection.execute(
                "select i.indicator, a.ref_area, p.time_period, x.sex, x.age from intermediate.int_suppressed_cells as s "
                "inner join staging.stg_indicators as i on i.indicator_key = s.indicator_key "
                "inner join dimensions.dim_area as a on a.area_key = s.area_key "
                "inner join dimensions.dim_period as p on p.period_key = s.period_key "
                "inner join dimensions.dim_breakdown as x on x.breakdown_key = s.breakdown_key where s.hides_denominator"
            ).fetchall()
        )

    def _is_linear(self, terms: Iterable[Term], formula: Formula) -> bool:
        """Whether a side is a sum of observations, some of them of the group."""
        window = formula.window
        return (
            bool({term.measure for term in terms} & self.group.measures)
            and all(term.times is None and term.at is None and term.measure not in BUILT_IN for term in terms)
            and (window is None or window.agg != "count_nonzero")
        )

    # ---------------------------------------------------------------------------------------------------------------- counts

    def _count(self, key: Any, *, signed: bool = False) -> int:
        if key not in self.index:
            self.index[key] = len(self.amounts)
            self.amounts.append(math.nan)
            self.signed.append(signed)
        return self.index[key]

    def _counts_of_side(
        self, indicator: str, side: str, terms: list[Term], formula: Formula, rows: Mapping[Place, _Row]
    ) -> dict[Place, int]:
        """Return the count behind each row, and add what the formula says of it. A count that is published gets its number."""
        single = terms[0] if len(terms) == 1 and terms[0].factor == 1 and formula.window is None else None
        window = formula.window
        years = range(window.years) if window else range(1)
        whole_window = window is None or window.min in (None, window.years)
        share = 1 / window.years if window and window.agg == "mean" else 1.0
        counts = {}
        for place, row in rows.items():
            is_plain = row.is_whole or not row.contributes
            if single is not None and is_plain:
                count = self._count(_cell(single, place, 0), signed=False)
            else:
                count = self._count((indicator, side, place), signed=min(term.factor for term in terms) < 0)
                if is_plain and whole_window and (row.contributes or row.status == "C"):
                    parts = [(self._count(_cell(term, place, back)), -term.factor * share) for back in years for term in terms]
                    self.equations.append(Equation((count, *(p for p, _ in parts)), (1.0, *(f for _, f in parts))))
            amount = row.amount(side)
            if amount is not None:
                self.amounts[count] = amount
                self.signed[count] |= amount < 0
            self.names.setdefault(count, f"{indicator} {' '.join(place)}" + ("" if side == "numerator" else " (denominator)"))
            counts[place] = count
        return counts

    # ------------------------------------------------------------------------------------------------------------------ sums

    def _tie_areas(self, counts: Mapping[Place, int], rows: Mapping[Place, _Row]) -> None:
        """Add the sums over the areas below each parent, level by level, where they hold or nobody can refute them."""
        by_rest: dict[tuple[str, str, str], dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
        for (area, period, sex, age), row in rows.items():
            by_rest[period, sex, age][row.level].append(area)
        for rest, by_level in by_rest.items():
            above = self._above(rest[0])
            for areas in by_level.values():
                below: dict[str, list[str]] = defaultdict(list)
                for area in areas:
                    for ancestor in above.get(area, ()):
                        below[ancestor].append(area)
                for parent, children in below.items():
                    if (parent, *rest) in rows:
                        self._tie_parent((parent, *rest), [(child, *rest) for child in children], counts, rows)

    def _tie_parent(self, parent: Place, children: list[Place], counts: Mapping[Place, int], rows: Mapping[Place, _Row]) -> None:
        adding = [child for child in children if rows[child].contributes]
        marked = [child for child in children if not rows[child].contributes and rows[child].status == "C"]
        others = len(children) - len(adding) - len(marked)
        is_all_known = all(not math.isnan(self.amounts[counts[child]]) for child in adding)
        # where areas are missing below a whole parent, a source reports the parent, with what is missing below
        is_sum_of_adding = len(adding) == len(children) or not rows[parent].is_whole or is_all_known
        if adding and is_sum_of_adding and self._tie(counts[parent], [counts[child] for child in adding], is_whole=True):
            return
        if marked or others:
            self._tie(counts[parent], [counts[child] for child in [*adding, *marked]], is_whole=not others)

    def _tie(self, total: int, parts: list[int], *, is_whole: bool) -> bool:
        """Add a sum unless the published numbers refute it, and return whether it was added."""
        if total in parts:
            return True
        known = [self.amounts[part] for part in parts if not math.isnan(self.amounts[part])]
        rest = self.amounts[total] - math.fsum(known)
        tolerance = EQUAL * max(1.0, abs(self.amounts[total])) if not math.isnan(rest) else 0.0
        if not math.isnan(rest) and (abs(rest) > tolerance if is_whole and len(known) == len(parts) else rest < -tolerance):
            return False
        slack = [] if is_whole else [self._count(("rest", total, len(self.equations)))]
        self.equations.append(sum_of(total, [*parts, *slack]))
        return True

    def _tie_breakdowns(self) -> None:
        """Add that women and men are all people, and that age groups are longer ones, for measures of which no published cell refutes it."""
        measures: dict[str, dict[tuple[str, str], dict[tuple[str, str], int]]] = defaultdict(lambda: defaultdict(dict))
        for key, count in self.index.items():
            if len(key) == 5 and key[0] in self.group.measures:
                measure, area, period, sex, age = key
                measures[measure][area, period][sex, age] = count
        for by_cell in measures.values():
            sums = [part for counts in by_cell.values() for part in _sums_over_sex(counts)]
            if not any(self._refutes(total, parts) for total, parts in sums):
                for total, parts in sums:
                    self._tie(total, parts, is_whole=True)
            for counts in by_cell.values():
                for sex in {sex for sex, _ in counts}:
                    own = {age: count for (of_sex, age), count in counts.items() if of_sex == sex}
                    for total_age, ages in age_parts(own):
                        self._tie(own[total_age], [own[age] for age in ages], is_whole=True)

    def _refutes(self, total: int, parts: list[int]) -> bool:
        amounts = [self.amounts[count] for count in (total, *parts)]
        return not any(map(math.isnan, amounts)) and abs(amounts[0] - math.fsum(amounts[1:])) > EQUAL * max(1.0, abs(amounts[0]))

    def _above(self, period: str) -> Mapping[str, frozenset[str]]:
        """Return the areas above each area on the first day of a period, by any path, from the published parents."""
        day = str(first_day(period) or "")
        links: dict[str, list[str]] = defaultdict(list)
        for area, parent in self.connection.execute(
            "select ref_area, parent from marts.area_parents "
            "where ? = '' or (valid_from <= ? and (valid_to is null or valid_to = '' or valid_to > ?))",
            [day, day, day],
        ).fetchall():
            links[area].append(parent)

        @cache
        def above(area: str) -> frozenset[str]:
            return frozenset(links[area]).union(*(above(parent) for parent in links[area]))

        return {area: above(area) for area in list(links)}


def _cell(term: Term, place: Place, years_back: int) -> tuple[str, str, str, str, str]:
    """Return the observation that a term reads, for the row of a place."""
    area, period, sex, age = place
    back = term.lag + years_back
    at = f"{int(period[:4]) - back:04}{period[4:]}" if back else period
    return term.measure, area, at, term.sex or sex, term.age or age


def _sums_over_sex(counts: Mapping[tuple[str, str], int]) -> Iterator[tuple[int, list[int]]]:
    for (sex, age), total in counts.items():
        if sex == "_T" and ("M", age) in counts and ("F", age) in counts:
            yield total, [counts[part, age] for part in ("M", "F", "_U") if (part, age) in counts]
