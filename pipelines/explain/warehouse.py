"""The warehouse as `explain` reads it: read-only, without blocking runs, for its facts and for the published cell only."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any

import duckdb

from pipelines.core.errors import Zpo2Error
from pipelines.core.locks import file_lock
from pipelines.core.sql import literal
from pipelines.core.workspace import LOCK, WorkspaceFolder
from pipelines.explain.facts import Area, Break, CellKey, Facts, Indicator, Key, Observation, OverPeriods, Place, Term
from pipelines.warehouse import scope


class WarehouseUnavailable(Zpo2Error):
    """There is no complete warehouse: none yet, one that is being built, or one that was left half built."""


@contextmanager
def open_warehouse(workspace: WorkspaceFolder) -> Iterator[Warehouse]:
    """Open the warehouse of a workspace read-only. Raises WarehouseUnavailable.

    A run cannot begin while the file is being opened. Later it can, because a run works on a copy of the file, and the open connection keeps
    the old one.
    """
    with _lock_for_opening(workspace):
        if not workspace.warehouse.is_file():
            raise WarehouseUnavailable(f"{workspace.root}: has no warehouse yet; `zpo2 run` builds it")
        try:
            connection = duckdb.connect(str(workspace.warehouse), read_only=True)
        except duckdb.Error as error:
            raise WarehouseUnavailable(
                f"{workspace.warehouse}: cannot be opened ({str(error).splitlines()[0]}); try again when the run has ended"
            ) from None
    try:
        if not scope.is_complete(connection):
            raise WarehouseUnavailable(f"{workspace.warehouse}: is not complete (a run did not end); `zpo2 run` completes it")
        yield Warehouse(connection, workspace)
    except (duckdb.CatalogException, duckdb.BinderException, duckdb.IOException) as error:
        raise WarehouseUnavailable(
            f"{workspace.warehouse}: is not complete ({str(error).splitlines()[0]}); `zpo2 run` rebuilds it"
        ) from None
    finally:
        connection.close()


@contextmanager
def _lock_for_opening(workspace: WorkspaceFolder) -> Iterator[None]:
    """Hold a shared lock on the workspace while its warehouse is being opened. Raises WarehouseUnavailable during a run."""
    path = workspace.root / LOCK
    if not path.is_file():
        yield
        return
    with ExitStack() as stack:
        try:
            stack.enter_context(file_lock(path, shared=True))
        except BlockingIOError:
            raise WarehouseUnavailable(f"{workspace.root}: a run is writing to it; try again when it has ended") from None
        yield


class Warehouse:
    """What the last run built. Small tables are read once, observations on request."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, workspace: WorkspaceFolder) -> None:
        self.connection = connection
        self.workspace = workspace

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()

    # ------------------------------------------------------------------------------------------------- which cells exist

    @cached_property
    def indicators(self) -> list[str]:
        return [i for (i,) in self.rows("select indicator from staging.stg_indicators order by position")]

    @cached_property
    def areas(self) -> dict[str, tuple[str, str]]:
        """Name and level of every area."""
        return {
            a: (name or a, level) for a, name, level in self.rows("select ref_area, name, level from staging.stg_areas order by ref_area")
        }

    def periods(self, indicator: str) -> list[str]:
        sql = (
            "select p.time_period from intermediate.int_indicator_periods as o "
            "inner join dimensions.dim_period as p on p.period_key = o.period_key "
            f"where o.indicator_key = {self._indicator_key(indicator)} order by 1"
        )
        return [p for (p,) in self.rows(sql)]

    def levels(self, indicator: str) -> list[str]:
        sql = f"select level from staging.stg_indicator_levels where indicator = {literal(indicator)}"
        return [level for (level,) in self.rows(sql)]

    def splits(self, indicator: str, period: str) -> list[tuple[str, str]]:
        sql = (
            "select b.sex, b.age from intermediate.int_indicator_splits as s "
            "inner join dimensions.dim_breakdown as b on b.breakdown_key = s.breakdown_key "
            f"where s.indicator_key = {self._indicator_key(indicator)} and s.period_key = {self._period_key(period)} order by 1, 2"
        )
        return [(s, a) for s, a in self.rows(sql)]

    def is_valid(self, ref_area: str, period: str) -> bool:
        where = f"area_key = {self._area_key(ref_area)} and period_key = {self._period_key(period)}"
        return bool(self.rows(f"select 1 from intermediate.int_valid_areas where {where}"))

    # The warehouse joins by integers. In SQL, a key is looked up by name; it is null, and equal to none, for a name without a key.

    def _indicator_key(self, indicator: str) -> str:
        return f"(select indicator_key from staging.stg_indicators where indicator = {literal(indicator)})"

    def _period_key(self, period: str) -> str:
        return f"(select period_key from dimensions.dim_period where time_period = {literal(period)})"

    def _area_key(self, ref_area: str) -> str:
        return f"(select area_key from dimensions.dim_area where ref_area = {literal(ref_area)})"

    # --------------------------------------------------------------------------------------------------------- declarations

    @cached_property
    def min_coverage(self) -> float:
        """The coverage that a parent needs."""
        return float(self.rows("select min_coverage from staging.stg_pack")[0][0])

    @cached_property
    def _terms(self) -> dict[str, tuple[Term, ...]]:
        terms: dict[str, list[Term]] = defaultdict(list)
        for indicator, *rest in self.rows(
            "select indicator, side, measure, times, factor, sex, age, lag, at_level from staging.stg_terms "
            "order by indicator, case side when 'numerator' then 0 else 1 end, position"
        ):
            terms[indicator].append(Term(*rest))
        return {name: tuple(terms_of_one) for name, terms_of_one in terms.items()}

    def indicator(self, name: str) -> Indicator:
        row = self.rows(
            "select indicator, unit, formula, rollup, multiplier, has_denominator, weighted, missing_zero, window_years, window_agg, "
            "window_min, change_kind, change_years, interval_kind, weight, difference_to, is_share, share_below, share_above, share_by_weight, "
            "value_multiplier, value_has_denominator, value_weighted, value_change_kind "
            f"from staging.stg_indicators where indicator = {literal(name)}"
        )[0]
        return replace(Indicator(*row), terms=self._terms.get(name, ()))

    @cached_property
    def _breaks(self) -> tuple[Break, ...]:
        return tuple(Break(*row) for row in self.rows("select measure, source, period, note from staging.stg_breaks order by all"))

    @cached_property
    def sources(self) -> dict[str, dict[str, Any]]:
        """Every declared source by id, in their order of precedence."""
        rows = self.rows("select source, title, publisher, licence, homepage, kind from staging.stg_sources order by position")
        return {row[0]: dict(zip(("title", "publisher", "licence", "homepage", "kind"), row[1:], strict=True)) for row in rows}

    @cached_property
    def _additive(self) -> dict[str, bool]:
        return dict(self.rows("select measure, bool_and(additive) from staging.stg_measures group by measure"))

    @cached_property
    def fills(self) -> dict[str, list[str]]:
        """The sources that fill each measure."""
        sources: dict[str, list[str]] = defaultdict(list)
        for measure, source in self.rows("select measure, source from staging.stg_measures order by source_position"):
            sources[measure].append(source)
        return sources

    @cached_property
    def down(self) -> dict[str, frozenset[str | None]]:
        """The periods in which a source of each measure is down; None is any period."""
        down: dict[str, set[str | None]] = defaultdict(set)
        sql = "select m.source, m.measure, d.time_period from staging.stg_down as d inner join staging.stg_measures as m on m.source = d.source"
        for source, measure, period in self.rows(sql):
            down[measure].add(period and self._period(source, measure, period))
        return {measure: frozenset(periods) for measure, periods in down.items()}

    @cached_property
    def snapshots(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The snapshot of each part of a source that this warehouse was built from."""
        names = ("source", "part", "url", "sha256", "bytes", "fetched_at")
        rows = self.rows(f"select {', '.join(names)} from staging.stg_snapshots order by source, part")
        return {(row[0], row[1]): dict(zip(names, row, strict=True)) for row in rows}

    # --------------------------------------------------------------------------------------------------------------- numbers

    def finest(self, indicator: str, period: str) -> tuple[int, str]:
        """Return position and name of the finest level at which the indicator has data in a period."""
        position, level = self.rows(
            "select p.finest_position, l.level from intermediate.int_indicator_periods as p "
            "inner join staging.stg_levels as l on l.position = p.finest_position "
            f"where p.indicator_key = {self._indicator_key(indicator)} and p.period_key = {self._period_key(period)}"
        )[0]
        return position, level

    @cached_property
    def positions(self) -> dict[str, int]:
        """The place of each level, finest first."""
        return dict(self.rows("select level, position from staging.stg_levels"))

    def members(self, indicator: str, ref_area: str, period: str) -> list[str]:
        """Return the areas of the finest level below `ref_area`, by any path."""
        position, _ = self.finest(indicator, period)
        sql = (
            "select a.ref_area from intermediate.int_area_tree as t inner join dimensions.dim_area as a on a.area_key = t.area_key "
            f"where t.period_key = {self._period_key(period)} and t.ancestor_key = {self._area_key(ref_area)} "
            f"and t.level_position = {position} order by 1"
        )
        return [a for (a,) in self.rows(sql)]

    def facts(self, cell_key: CellKey, members: Sequence[str]) -> Facts:
        """Return everything that the number of a key and those of `members` are computed from."""
        indicator = self.indicator(cell_key.indicator)
        places = [cell_key.ref_area, *members]
        measures, periods = sorted(indicator.measures()), sorted(indicator.periods(cell_key.time_period))
        above = self._above(places, sorted(indicator.formula_periods(cell_key.time_period)), indicator.levels_above())
        places += sorted(set(above.values()) - set(places))
        origins, passed_on, divided = self._origins(places, periods)
        if origins:
            measures = sorted({*measures, *(w for m in measures if (w := self._weighted_by.get(m)))})
            places = list(dict.fromkeys([*places, *(area for shares in origins.values() for area, _ in shares)]))
        if any(measure in measures for _, measure in self._over_periods):
            periods += [
                f"{p[:4]}-{part}" for p in periods for part in (*(f"Q{i}" for i in range(1, 5)), *(f"{i:02}" for i in range(1, 13)))
            ]
        within = (
            f"measure in ({_texts(measures)}) and time_period in ({_texts(periods)}) and ref_area in ({_texts(places)})"
            if measures
            else "false"
        )
        return Facts(
            indicator,
            self._observations(within),
            self._areas(indicator.weight, places, cell_key.time_period),
            {source: i for i, source in enumerate(self.sources)},
            self._additive,
            self._conflicts(within),
            self._breaks,
            self._universe(within),
            self.down,
            indicator.weight is not None,
            origins,
            passed_on,
            self._weighted_by,
            above,
            self._over_periods,
            self._counted,
            self._indivisible,
            divided,
        )  # fmt: skip

    def area_above(self, ref_area: str, period: str, level: str) -> str | None:
        """Return the area of a level in which an area lies in a period, if there is only one."""
        return self._above([ref_area], [period], {level}).get((ref_area, period, level))

    def _above(self, places: Iterable[str], periods: Iterable[str], levels: set[str]) -> dict[tuple[str, str, str], str]:
        """Return the area at each level in which a place lies in a period, if there is only one; an area of the level is its own."""
        if not levels:
            return {}
        candidates: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        for area, period, level, above in self.rows(
            "select a.ref_area, p.time_period, l.level, f.ref_area from ("
            "select period_key, area_key, ancestor_position as position, ancestor_key as above_key from intermediate.int_area_tree union all "
            "select period_key, area_key, level_position, area_key from intermediate.int_valid_areas) as t "
            "inner join dimensions.dim_period as p on p.period_key = t.period_key "
            "inner join dimensions.dim_area as a on a.area_key = t.area_key "
            "inner join dimensions.dim_area as f on f.area_key = t.above_key "
            "inner join staging.stg_levels as l on l.position = t.position "
            f"where l.level in ({_texts(sorted(levels))}) and p.time_period in ({_texts(periods)}) and a.ref_area in ({_texts(places)})"
        ):
            candidates[area, period, level].add(above)
        return {at: next(iter(areas)) for at, areas in candidates.items() if len(areas) == 1}

    @cached_property
    def _weighted_by(self) -> dict[str, str | None]:
        return dict(self.rows("select measure, max(weighted_by) from staging.stg_measures group by measure"))

    @cached_property
    def _counted(self) -> frozenset[str]:
        return frozenset(m for (m,) in self.rows("select measure from staging.stg_measures group by measure having bool_or(is_counted)"))

    @cached_property
    def _indivisible(self) -> frozenset[str]:
        return frozenset(
            m for (m,) in self.rows("select measure from staging.stg_measures group by measure having not bool_and(divisible)")
        )

    @cached_property
    def _has_changes(self) -> bool:
        return bool(self.rows("select 1 from intermediate.int_area_successions limit 1"))

    def _origins(
        self, places: Iterable[str], periods: Iterable[str]
    ) -> tuple[dict[tuple[str, str], tuple[tuple[str, float], ...]], frozenset[tuple[str, str]], frozenset[tuple[str, str]]]:
        """Return the former areas of each place in a period, by share, the places whose values passed to other areas, and the divided areas."""
        if not self._has_changes:
            return {}, frozenset(), frozenset()
        in_periods = f"p.time_period in ({_texts(periods)})"
        passed_on: set[tuple[str, str]] = set()
        origins: dict[tuple[str, str], list[tuple[str, float]]] = defaultdict(list)
        successors: Counter[tuple[str, str]] = Counter()
        for area, period, origin, share in self.rows(
            "select a.ref_area, p.time_period, f.ref_area, o.share from intermediate.int_area_origins as o "
            "inner join dimensions.dim_period as p on p.period_key = o.period_key "
            "inner join dimensions.dim_area as a on a.area_key = o.area_key "
            "inner join dimensions.dim_area as f on f.area_key = o.origin_key "
            f"where {in_periods} order by all"
        ):
            if origin != area or share < 1:  # an area that only received others keeps its own values
                passed_on.add((origin, period))
            origins[area, period].append((origin, share))
            successors[origin, period] += 1
        requested = set(places)
        of_places = {at: tuple(shares) for at, shares in origins.items() if at[0] in requested}
        divided = frozenset(at for at, count in successors.items() if count > 1)
        return of_places, frozenset(at for at in passed_on if at[0] in requested), divided

    @cached_property
    def _observation_files(self) -> str:
        """The list, in SQL, of the files of observations that this warehouse was built from, where the workspace is now."""
        rows = self.rows("select path from staging.stg_lake_files where kind = 'observations' order by path")
        return f"[{_texts(str(self.workspace.lake / path) for (path,) in rows)}]"

    @cached_property
    def _over_periods(self) -> dict[tuple[str, str], OverPeriods]:
        """How sources give measures in finer periods than those of the measure."""
        sql = "select source, measure, to_period, needed_periods, mean_of_periods from staging.stg_measures where to_period is not null"
        return {(source, measure): OverPeriods(*rest) for source, measure, *rest in self.rows(sql)}

    def _period(self, source: str, measure: str, period: str) -> str:
        """Return the period of the cell that a row of a source belongs to."""
        over = self._over_periods.get((source, measure))
        return over.longer(period) if over else period

    def _observations(self, within: str) -> dict[Place, tuple[Observation, ...]]:
        observations: dict[Place, list[Observation]] = defaultdict(list)
        for source, part, measure, area, period, sex, age, *rest in self.rows(
            "select source, part, measure, ref_area, time_period, sex, age, obs_value, obs_status, aggregate, by_sex, row_number, row_count, "
            f"snapshot from read_parquet({self._observation_files}) where {within} order by source, part, row_number, sex, age"
        ):
            place = Place(measure, area, self._period(source, measure, period))
            observations[place].append(Observation(source, part, Key(measure, area, period, sex, age), *rest))
        return {place: tuple(of_place) for place, of_place in observations.items()}

    def _universe(self, within: str) -> frozenset[Place]:
        rows = self.rows(
            "select measure, ref_area, time_period from ("
            "select m.measure, a.ref_area, p.time_period from intermediate.int_measure_universe as u "
            "inner join (select distinct measure, measure_key from staging.stg_measures) as m on m.measure_key = u.measure_key "
            "inner join dimensions.dim_area as a on a.area_key = u.area_key "
            f"inner join dimensions.dim_period as p on p.period_key = u.period_key) where {within}"
        )
        return frozenset(Place(*row) for row in rows)

    def _conflicts(self, within: str) -> frozenset[tuple[str, Key]]:
        rows = self.rows(f"select source, measure, ref_area, time_period, sex, age from staging.stg_conflicts where {within}")
        keys = ((source, Key(*key)) for source, *key in rows)
        return frozenset((source, key._replace(time_period=self._period(source, key.measure, key.time_period))) for source, key in keys)

    def _areas(self, weight: str | None, places: Iterable[str], period: str) -> dict[str, Area]:
        weight_key = f"(select max(weight_key) from staging.stg_indicators where weight = {literal(weight or '')})"
        rows = self.rows(
            "select a.ref_area, coalesce(a.name, a.ref_area), a.level, a.area_km2, w.weight, p.time_period from staging.stg_areas as a "
            "inner join dimensions.dim_area as k on k.ref_area = a.ref_area "
            f"left join intermediate.int_area_weights as w on w.weight_key = {weight_key} and w.area_key = k.area_key "
            f"and w.period_key = {self._period_key(period)} "
            "left join dimensions.dim_period as p on p.period_key = w.weight_period_key "
            f"where a.ref_area in ({_texts(places)})"
        )
        return {row[0]: Area(*row) for row in rows}

    def sample(self, cell_key: CellKey) -> tuple[float, float] | None:
        """Return the size and the standard deviation of the sample behind a mean; None where one of them is missing."""
        at = (
            f"o.area_key = {self._area_key(cell_key.ref_area)} and o.period_key = {self._period_key(cell_key.time_period)} "
            f"and b.sex = {literal(cell_key.sex)} and b.age = {literal(cell_key.age)}"
        )
        values = [
            value
            for column in ("interval_n_key", "interval_sd_key")
            for (value,) in self.rows(
                "select o.obs_value from intermediate.int_observations as o "
                "inner join dimensions.dim_breakdown as b on b.breakdown_key = o.breakdown_key "
                f"inner join staging.stg_indicators as i on i.{column} = o.measure_key "
                f"where i.indicator = {literal(cell_key.indicator)} and o.obs_value is not null and {at}"
            )
        ]
        return (values[0], values[1]) if len(values) == 2 else None

    def is_undefined(self, cell_key: CellKey) -> bool:
        """Return whether a source says that there can be no value in a cell."""
        rows = self.rows(
            f"select 1 from intermediate.int_value_notes where is_undefined and indicator_key = {self._indicator_key(cell_key.indicator)} "
            f"and period_key = {self._period_key(cell_key.time_period)} and area_key = {self._area_key(cell_key.ref_area)}"
        )
        return bool(rows)

    def status_note(self, cell_key: CellKey, language: str) -> str | None:
        """Return the text of the note of a source on a published cell, in a language."""
        rows = self.rows(
            "select n.texts from marts.indicator_values as v inner join staging.stg_notes as n on n.note = v.status_note "
            f"where v.indicator = {literal(cell_key.indicator)} and v.ref_area = {literal(cell_key.ref_area)} "
            f"and v.time_period = {literal(cell_key.time_period)} and v.sex = {literal(cell_key.sex)} and v.age = {literal(cell_key.age)}"
        )
        texts: dict[str, str] = json.loads(rows[0][0]) if rows else {}
        return texts.get(language) or next(filter(None, texts.values()), None)

    def is_protected(self, indicator: str) -> bool:
        """Whether inputs of an indicator may be counts that the release suppresses: of its own, or of indicators that are protected with it."""
        name = literal(indicator)
        return bool(
            self.rows(
                "select 1 from staging.stg_indicators as i inner join staging.stg_indicators as j on j.protected_with = i.protected_with "
                "inner join intermediate.int_suppressed_cells as s on s.indicator_key = j.indicator_key "
                f"where i.indicator = {name} and (not s.is_primary or j.confidential_below is not null or exists "
                "(select 1 from staging.stg_terms as t inner join staging.stg_measures as m on m.measure_key = t.measure_key "
                "where t.indicator_key = j.indicator_key and m.confidential_below is not null)) limit 1"
            )
        )

    def published_cell(self, cell_key: CellKey) -> tuple[Any, ...] | None:
        """Return the cell as the warehouse computed it, unrounded: value, status, numerator, denominator, coverage, sources, interval."""
        rows = self.rows(
            "select obs_value, obs_status, numerator, denominator, coverage, sources, lower_95, upper_95, lower_998, upper_998 "
            "from marts.indicator_values "
            f"where indicator = {literal(cell_key.indicator)} and ref_area = {literal(cell_key.ref_area)} "
            f"and time_period = {literal(cell_key.time_period)} and sex = {literal(cell_key.sex)} and age = {literal(cell_key.age)}"
        )
        return rows[0] if rows else self._cell_without_data(cell_key)

    def _cell_without_data(self, cell_key: CellKey) -> tuple[Any, ...] | None:
        """Return the cell of an indicator without any data, which is not published."""
        rows = self.rows(
            "select c.obs_value, c.obs_status, c.numerator, c.denominator, c.coverage, '', null, null, null, null "
            "from intermediate.int_indicator_cells as c "
            "inner join staging.stg_indicators as i on i.indicator_key = c.indicator_key "
            f"where i.indicator = {literal(cell_key.indicator)} and c.area_key = {self._area_key(cell_key.ref_area)} and c.period_key = 0"
        )
        return rows[0] if rows and not cell_key.time_period else None


def _texts(values: Iterable[str]) -> str:
    return ", ".join(literal(v) for v in values)
