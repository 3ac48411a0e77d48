"""Compare the totals that a source reports with their parts: over sex (`_T` with M, F and `_U`) and over ages (`_T` with its bands).

A total is never added to its parts. It is used where it is at least the sum of its parts. Where it is smaller, one of the rows is not what
its label says (for example, a map sends rows of unknown sex to `_T`), and the whole cell goes to quarantine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import polars as pl

Over = Literal["sex", "age"]
PLACE = ["measure", "ref_area", "time_period"]
CELL = [*PLACE, "sex", "age"]
_RANGE = re.compile(r"Y(\d+)T(\d+)")
_BELOW, _FROM, _ONE = re.compile(r"Y_LT(\d+)"), re.compile(r"Y_GE(\d+)"), re.compile(r"Y(\d+)")
_OPEN = 10**6  # the last year of an age band without an upper end
_DECIMALS = 6  # values with more decimals are computed, not rounded
_EXACT = 1e-9  # relative error of sums of floating-point numbers


@dataclass(frozen=True)
class TotalsCheck:
    """`contradicted` has the cells of totals below their parts, with the `reason`. `warnings` count other totals that differ from their parts."""

    contradicted: pl.DataFrame
    warnings: list[str]


def check_totals(rows: pl.DataFrame) -> TotalsCheck:
    """Compare totals with their parts. `rows` are observations of sums of one source; a cell may have a row for each part of the source."""
    cells = _cells(rows.filter(pl.col("ref_area").is_not_null()))
    by_sex, by_age = _compared(cells, "sex"), _compared(cells, "age")
    # a contradiction in one sex counts for all sexes of the cell, and one in an age for all ages: wrong labels affect all of them
    contradicted = pl.concat(
        [
            cells.select(CELL).join(_reasons(by_sex, "sex"), on=[*PLACE, "age"]),
            cells.select(CELL).join(_reasons(by_age, "age"), on=PLACE),
        ]
    )
    contradicted = contradicted.group_by(CELL).agg(pl.col("reason").unique().sort().str.join("; ")).sort(CELL)
    different = by_age.filter(~pl.col("smaller") & pl.col("differs")).join(contradicted, on=PLACE, how="anti")
    counts = different.group_by("measure").len().sort("measure").iter_rows()
    return TotalsCheck(contradicted, [f"{n} totals of {measure} over ages differ from the sum of their ages" for measure, n in counts])


def _cells(rows: pl.DataFrame) -> pl.DataFrame:
    """Return one row per cell with its `value` (null where one of its rows has none), its number of `rows` and its number of `decimals`."""
    decimals = pl.coalesce(
        *(pl.when(_is_whole(pl.col("obs_value") * 10**places)).then(pl.lit(places)) for places in range(_DECIMALS + 1)), pl.lit(0)
    )
    return rows.group_by(CELL).agg(
        pl.when(pl.col("obs_value").is_null().any()).then(None).otherwise(pl.col("obs_value").sum()).alias("value"),
        pl.col("row_count").sum().alias("rows"),
        decimals.max().alias("decimals"),
    )


def _is_whole(number: pl.Expr) -> pl.Expr:
    return (number - number.round()).abs() <= _EXACT * pl.max_horizontal(number.abs(), pl.lit(1.0))


def _compared(cells: pl.DataFrame, over: Over) -> pl.DataFrame:
    """Return each total over sex or ages with the sum of its parts, and whether it is `smaller` than the sum, or `differs` from it."""
    keys = [c for c in CELL if c != over]
    own = cells.filter((pl.col(over) == "_T") & pl.col("value").is_not_null()).rename({"value": "total"}).drop(over)
    parts = cells.filter(pl.col(over) != "_T").join(own.select(keys), on=keys, how="semi")
    parts = _without_overlaps(parts, keys) if over == "age" else parts.with_columns(complete=pl.lit(True))
    sums = parts.group_by(keys).agg(
        pl.col("value").sum().alias("sum"),
        pl.col("value").is_not_null().all().alias("has_all_values"),
        (pl.col("value").min() >= 0).fill_null(True).alias("not_negative"),
        pl.col("complete").all(),
        pl.col("rows").sum().alias("part_rows"),
        pl.col("decimals").max().alias("part_decimals"),
    )
    both = own.join(sums, on=keys)
    places = pl.max_horizontal("decimals", "part_decimals").cast(pl.Float64)
    # whole numbers are counts; a number with decimals may be rounded by half a unit of its last decimal
    rounding = pl.when(places > 0).then(0.5 * pl.lit(10.0).pow(-places) * (pl.col("rows") + pl.col("part_rows"))).otherwise(0.0)
    tolerance = rounding + _EXACT * pl.max_horizontal(pl.col("total").abs(), pl.col("sum").abs())
    # without all parts, the sum is a lower bound, unless there are negative values
    return both.with_columns(
        (pl.col("total") < pl.col("sum") - tolerance).and_(pl.col("has_all_values") | pl.col("not_negative")).alias("smaller"),
        ((pl.col("total") - pl.col("sum")).abs() > tolerance).and_(pl.col("has_all_values") & pl.col("complete")).alias("differs"),
    )


def _reasons(compared: pl.DataFrame, over: Over) -> pl.DataFrame:
    """Return the keys of contradicted cells, each once, with the reason."""
    keys = [*PLACE, "age"] if over == "sex" else PLACE
    text = "over sex is {}, less than {}, the sum of M, F and _U" if over == "sex" else "over ages is {}, less than {}, the sum of its ages"
    numbers = [pl.col(c).cast(pl.String).str.replace(r"\.0$", "") for c in ("total", "sum")]
    reason = pl.format(f"the source's own total {text}; the total or a part has a wrong label", *numbers)
    contradicted = compared.filter("smaller").with_columns(reason.alias("reason")).sort(*keys, "reason")
    return contradicted.unique(keys, keep="first", maintain_order=True).select(*keys, "reason")


# -------------------------------------------------------------------------------------------------------------------- ages


def _without_overlaps(parts: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Return the finest ages that do not overlap each other, and whether they are `complete`."""
    several = parts.group_by(keys).agg(pl.col("age").unique().sort().alias("ages"))
    bands_of = {tuple(ages): disjoint(ages) for ages in several["ages"].unique().to_list()}
    table = pl.DataFrame(
        [(list(ages), age, is_complete(bands)) for ages, bands in bands_of.items() for age in bands],
        schema={"ages": pl.List(pl.String), "age": pl.String, "complete": pl.Boolean},
        orient="row",
    )
    return parts.join(several, on=keys).join(table, on=["ages", "age"]).drop("ages")


def band(age: str) -> tuple[int, int] | None:
    """Return the first and the last year of an age group written as in SDMX (Y0T14, Y_LT15, Y_GE65, Y7); None for any other name."""
    if match := _RANGE.fullmatch(age):
        return int(match[1]), int(match[2])
    if match := _BELOW.fullmatch(age):
        return 0, int(match[1]) - 1
    if match := _FROM.fullmatch(age):
        return int(match[1]), _OPEN
    if match := _ONE.fullmatch(age):
        return int(match[1]), int(match[1])
    return None


def disjoint(ages: Iterable[str]) -> list[str]:
    """Return as many of `ages` as do not overlap each other. A name without years counts as a band that overlaps none."""
    bands = [(years, age) for age in ages if (years := band(age)) is not None]
    result, last = [age for age in ages if band(age) is None], -1
    for (first, until), age in sorted(bands, key=lambda b: (b[0][1], -b[0][0], b[1])):
        if first > last:
            result.append(age)
            last = until
    return result


def is_complete(ages: Iterable[str]) -> bool:
    """Return whether ages that do not overlap cover everyone: from 0 to the open end without a gap. Names without years count as complete."""
    bands = sorted(years for age in ages if (years := band(age)) is not None)
    if not bands:
        return True
    follows = all(a[1] + 1 == b[0] for a, b in pairwise(bands))
    return bands[0][0] == 0 and bands[-1][1] == _OPEN and follows
