"""Count events and register entries into observations, as a counted source declares. Works on rows of the lake, never on files of sources."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from pipelines.core.sql import identifier
from pipelines.lake.mapping import observations, placing
from pipelines.lake.sandbox import Sandbox
from pipelines.lake.territory import Territory
from pipelines.packs import expressions
from pipelines.packs.expressions import ExpressionError
from pipelines.packs.schema import CountedSource

_INTERNAL = {"source", "part", "row_number", "snapshot"}
MAX_ROWS = 20_000_000
"""Register entries that count, one for each year in which it is valid: some 5 GB of memory."""
_KNOWN = {"events": ("ref_area", "category", "start"), "register": ("ref_area", "register", "valid_from", "valid_to")}
"""What is known of refused entries."""


def count_entries(
    counted: CountedSource, entries: pl.DataFrame, territory: Territory, universe: pl.DataFrame | None, sandbox: Sandbox
) -> pl.DataFrame:
    """Return the observations that `counted` makes of `entries`, which are those of `select_entries`.

    `universe` has the column ref_area (None: areas with an entry). An area of the universe, at a level at which entries lie, has 0
    in every period in which any entry is counted.
    """
    if not entries.height:
        return pl.DataFrame(schema=observations.SCHEMA)
    entries = entries.sort("__n")
    measures = ", ".join(f"cast((\n{e}\n) as double) as {identifier(m)}" for m, e in counted.measures.items())
    columns = [c for c in entries.columns if c not in _INTERNAL and c not in ("ref_area", "time_period", "__n")]
    # area and period are grouped under internal names, so that an expression sees only their original columns
    prepared = entries[["ref_area", *columns]].with_columns(__area="ref_area", __period=entries["time_period"])
    values = sandbox.query(f"select __area, __period, {measures} from input group by all order by all", input=prepared)
    first = entries.group_by("ref_area", "time_period").agg(
        pl.col("row_number").first(), pl.col("snapshot").first(), pl.len().alias("row_count")
    )
    long = values.unpivot(list(counted.measures), index=["__area", "__period"], variable_name="measure", value_name="obs_value").rename(
        {"__area": "ref_area", "__period": "time_period"}
    )
    long = long.join(first, on=["ref_area", "time_period"], how="left")
    zeros = _zeros(counted, entries, long, territory, universe)
    presence = pl.concat([long, zeros], how="diagonal_relaxed").select("ref_area", "time_period").unique()
    everything = pl.concat([long, zeros, presence], how="diagonal_relaxed")
    return _canonical(everything, counted.id)


def select_entries(
    counted: CountedSource, lake: pl.DataFrame, territory: Territory, universe: pl.DataFrame | None, year: int, sandbox: Sandbox
) -> pl.DataFrame:
    """Return the entries in `lake` (rows of the events or the register) that `counted` counts, with `time_period`.

    An event counts in its own period. A register entry counts in each year in which it is valid on the day `count_on`, if its area is valid
    in the year (on its first day); from `from_year`, by default the first `valid_from` of the register, to `year`.
    """
    rows = _flat(lake) if counted.from_ == "register" else lake
    rows = rows.with_row_index("__n").with_columns(pl.col("__n").cast(pl.Int64))
    where = f"(\n{counted.where}\n)" if counted.where is not None else "true"
    if counted.from_ == "events":
        period = counted.period if counted.period is not None else "year(start)"
        selected = sandbox.query(
            f"select __n, cast((\n{period}\n) as varchar) as __period from input where {where} and ref_area is not null",
            input=rows.drop(_INTERNAL),
        )
        entries = (
            rows.join(selected, on="__n").with_columns(placing.canonical_period(pl.col("__period")).alias("time_period")).drop("__period")
        )
        entries = entries.drop_nulls("time_period")
    else:
        selected = sandbox.query(f"select __n from input where {where} and ref_area is not null", input=rows.drop(_INTERNAL))
        entries = _of_valid_areas(_by_year(rows.join(selected, on="__n"), counted, year), territory)
    if universe is not None:
        entries = entries.join(universe, on="ref_area", how="semi")  # other areas get no observation, even where they have entries
    return entries


def number_selected(counted: CountedSource, lake: pl.DataFrame, sandbox: Sandbox) -> int:
    """Return how many entries in `lake` (rows of the events or the register) meet the condition of `counted`, whatever their period and area."""
    rows = _flat(lake) if counted.from_ == "register" else lake
    where = f"(\n{counted.where}\n)" if counted.where is not None else "true"
    return int(sandbox.query(f"select count(*) as n from input where {where} and ref_area is not null", input=rows.drop(_INTERNAL))["n"][0])


def may_count(counted: CountedSource, refused: pl.DataFrame, sandbox: Sandbox) -> pl.DataFrame:
    """Return the refused entries that `counted` may count, with `time_period` for events whose period is known.

    An entry is left out where a condition of `where` is false, and all that the condition uses is known of the entry.
    """
    rows = refused.with_row_index("__n").with_columns(pl.col("__n").cast(pl.Int64))
    cells = rows.select("__n", *_KNOWN[counted.from_])
    for condition in expressions.conditions(counted.where) if counted.where is not None else ():
        used = {name.lower() for name in expressions.parse(condition).columns}
        if used <= set(cells.columns):
            is_met, _ = sandbox.evaluate(cells, [("is_met", "boolean", condition)])
            rows = rows.join(is_met, on="__n").filter(
                pl.col("is_met").fill_null(True) | pl.any_horizontal(pl.col(name).is_null() for name in sorted(used))
            )
            rows = rows.drop("is_met")
    period = counted.period if counted.period is not None else "year(start)"
    if counted.from_ == "events" and {name.lower() for name in expressions.parse(period).columns} <= set(cells.columns):
        periods, _ = sandbox.evaluate(cells, [("time_period", "varchar", period)])
        rows = rows.join(periods, on="__n").with_columns(placing.canonical_period(pl.col("time_period")).alias("time_period"))
    else:
        rows = rows.with_columns(pl.lit(None, pl.String).alias("time_period"))
    return rows.drop("__n")


def possible_cells(
    counted: CountedSource, counts: pl.DataFrame, possible: pl.DataFrame, territory: Territory, universe: pl.DataFrame | None
) -> pl.DataFrame:
    """Return each area and period to which entries of `may_count` may belong, with the `source`, `part`, `row_number` and `snapshot` of each.

    The periods are those of `counts`, the observations that `counted` makes of the other entries.
    """
    month, day = (int(number) for number in counted.count_on.split("-"))
    periods = counts.select(pl.col("time_period").alias("__period")).unique()
    cells = possible.drop_nulls("ref_area").join(periods, how="cross")
    if counted.from_ == "events":
        cells = cells.filter(pl.col("time_period").fill_null(pl.col("__period")) == pl.col("__period"))
    else:
        cells = cells.filter(placing.is_valid_on(pl.date(pl.col("__period").cast(pl.Int32, strict=False), month, day)))
    cells = cells.with_columns(pl.col("__period").alias("time_period"))
    if counted.from_ == "register":
        cells = _of_valid_areas(cells, territory)
    if universe is not None:
        cells = cells.join(universe, on="ref_area", how="semi")
    return cells.select("ref_area", "time_period", *sorted(_INTERNAL))


def without_uncertain(counted: CountedSource, counts: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """Return `counts` with status Q and no value in `cells`, those of `possible_cells`. They are unknown by as much as was refused."""
    places = cells.select("ref_area", "time_period").unique()
    if not places.height:
        return counts
    uncertain = places.join(pl.DataFrame({"measure": [*counted.measures, None]}), how="cross")
    keys = ["ref_area", "time_period", "measure"]
    rows = uncertain.join(counts.drop("obs_value"), on=keys, how="left", nulls_equal=True)
    others = counts.join(uncertain, on=keys, how="anti", nulls_equal=True)
    refused = _canonical(rows.with_columns(pl.lit(None, pl.Float64).alias("obs_value")), counted.id)
    refused = refused.with_columns(pl.when(pl.col("measure").is_not_null()).then(pl.lit("Q")).alias("obs_status"))
    return pl.concat([others, refused]).sort("measure", "time_period", "ref_area", nulls_last=True)


def _flat(lake: pl.DataFrame) -> pl.DataFrame:
    """Return the register with one column per attribute."""
    names = (
        lake.explode("attributes").drop_nulls("attributes").unnest("attributes")["attribute"].unique().sort().to_list()
        if lake.height
        else []
    )
    columns = []
    for name in names:
        picked = pl.col("attributes").list.eval(pl.element().struct.field("value").filter(pl.element().struct.field("attribute") == name))
        columns.append(picked.list.first().alias(name))
    return lake.with_columns(*columns).drop("attributes")


def _by_year(entries: pl.DataFrame, counted: CountedSource, last: int) -> pl.DataFrame:
    if not entries.height:
        return entries.with_columns(pl.lit(None, pl.String).alias("time_period"))
    first_date: Any = entries["valid_from"].min()
    first = counted.from_year or (first_date.year if isinstance(first_date, date) else last)
    month, day = (int(number) for number in counted.count_on.split("-"))
    years, rows = [], 0
    for year in range(first, last + 1):  # all years at once would have each entry in memory for each of them
        valid = entries.filter(placing.is_valid_on(pl.date(pl.lit(year, pl.Int32), month, day)))
        rows += valid.height
        if rows > MAX_ROWS:
            raise ExpressionError(f"the entries are valid in so many years since {first} that more than {MAX_ROWS} would count (from_year)")
        years.append(valid.with_columns(pl.lit(str(year)).alias("time_period")))
    if not years:
        return entries.clear().with_columns(pl.lit(None, pl.String).alias("time_period"))
    return pl.concat(years).sort("__n", maintain_order=True)


def _of_valid_areas(entries: pl.DataFrame, territory: Territory) -> pl.DataFrame:
    validity = territory.spans.select("ref_area", pl.col("valid_from").alias("__from"), pl.col("valid_to").alias("__to"))
    with_validity = entries.join(validity, on="ref_area", how="left", maintain_order="left")
    return with_validity.filter(placing.is_valid_on(placing.first_day(pl.col("time_period")), "__from", "__to")).drop("__from", "__to")


def _zeros(
    counted: CountedSource, entries: pl.DataFrame, counts: pl.DataFrame, territory: Territory, universe: pl.DataFrame | None
) -> pl.DataFrame:
    """Return a 0 for each measure, period and area of the universe that has no count."""
    if universe is None:
        return pl.DataFrame(schema={"ref_area": pl.String, "time_period": pl.String, "measure": pl.String, "obs_value": pl.Float64})
    levels = territory.areas.join(entries.select("ref_area").unique(), on="ref_area")["level"].unique().to_list()
    of_levels = territory.areas.filter(pl.col("level").is_in(levels)).join(universe, on="ref_area", how="semi")
    areas = territory.spans.join(of_levels, on="ref_area", how="semi")
    periods = entries.select("time_period").unique().with_columns(placing.first_day(pl.col("time_period")).alias("__day"))
    places = areas.join(periods, how="cross").filter(placing.is_valid_on(pl.col("__day"))).select("ref_area", "time_period")
    cells = places.join(pl.DataFrame({"measure": list(counted.measures)}), how="cross")
    empty = cells.join(counts, on=["ref_area", "time_period", "measure"], how="anti").sort("measure", "time_period", "ref_area")
    return empty.with_columns(pl.lit(0.0).alias("obs_value"))


def _canonical(long: pl.DataFrame, source: str) -> pl.DataFrame:
    """Return counts in the columns of observations; rows without a measure say that the source reports on the area and period."""
    has_measure = pl.col("measure").is_not_null()
    return (
        long.with_columns(
            pl.lit(source).alias("source"),
            pl.lit("").alias("part"),
            pl.lit("_T").alias("sex"),
            pl.lit("_T").alias("age"),
            pl.when(has_measure).then(pl.when(pl.col("obs_value").is_null()).then(pl.lit("M")).otherwise(pl.lit("A"))).alias("obs_status"),
            pl.lit(None, pl.String).alias("aggregate"),
            pl.lit(False).alias("by_sex"),
            pl.lit(None, pl.String).alias("note"),
        )
        .select(*observations.SCHEMA)
        .cast(observations.SCHEMA)
        .sort("measure", "time_period", "ref_area", nulls_last=True)
    )
