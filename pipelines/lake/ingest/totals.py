"""A source's own totals beside their parts: over sex (`_T` beside M, F and `_U`) and over ages (`_T` beside its bands).

Parts and total of a sum are never added. The total stands where it is at least the sum of its parts; where it is smaller, one of them is not
what its label says (rows of unknown sex that a map sends to `_T`, for example), and the whole cell is refused.
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
_DECIMALS = 6  # values with more are computed, and not rounded
_EXACT = 1e-9  # relative: what sums of floating-point numbers lose


@dataclass(frozen=True)
class Judged:
    """`refused` has the cells of contradicted totals with the `reason`; `warnings` say how many totals differ from their parts and stand."""

    refused: pl.DataFrame
    warnings: list[str]


def judge(rows: pl.DataFrame) -> Judged:
    """Compare the totals in `rows`, observations of sums of one source, with their parts; a cell may have a row for each part of the source."""
    cells = _cells(rows.filter(pl.col("ref_area").is_not_null()))
    by_sex, by_age = _compared(cells, "sex"), _compared(cells, "age")
    # one sex of a cell decides for all, and one age of a place: what is wrong with the labels is wrong in each of them
    refused = pl.concat(
        [
            cells.select(CELL).join(_reasons(by_sex, "sex"), on=[*PLACE, "age"]),
            cells.select(CELL).join(_reasons(by_age, "age"), on=PLACE),
        ]
    )
    refused = refused.group_by(CELL).agg(pl.col("reason").unique().sort().str.join("; ")).sort(CELL)
    stands = by_age.filter(~pl.col("smaller") & pl.col("differs")).join(refused, on=PLACE, how="anti")
    counts = stands.group_by("measure").len().sort("measure").iter_rows()
    return Judged(refused, [f"{n} totals of {measure} over ages differ from the sum of their ages" for measure, n in counts])


def _cells(rows: pl.DataFrame) -> pl.DataFrame:
    """Return one row per cell with its `value` (null where a row of it is missing), how many `rows` and how many `decimals` it has."""
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
    """Return each total over sex or ages beside the sum of its parts, and whether it is `smaller`, or `differs`."""
    keys = [c for c in CELL if c != over]
    own = cells.filter((pl.col(over) == "_T") & pl.col("value").is_not_null()).rename({"value": "total"}).drop(over)
    parts = cells.filter(pl.col(over) != "_T").join(own.select(keys), on=keys, how="semi")
    parts = _without_overlaps(parts, keys) if over == "age" else parts.with_columns(complete=pl.lit(True))
    sums = parts.group_by(keys).agg(
        pl.col("value").sum().alias("known"),
        pl.col("value").is_not_null().all().alias("all_known"),
        (pl.col("value").min() >= 0).fill_null(True).alias("not_negative"),
        pl.col("complete").all(),
        pl.col("rows").sum().alias("part_rows"),
        pl.col("decimals").max().alias("part_decimals"),
    )
    both = own.join(sums, on=keys)
    places = pl.max_horizontal("decimals", "part_decimals").cast(pl.Float64)
    # whole numbers are counts; of a number with decimals, half a unit of the last one may be rounding
    rounding = pl.when(places > 0).then(0.5 * pl.lit(10.0).pow(-places) * (pl.col("rows") + pl.col("part_rows"))).otherwise(0.0)
    slack = rounding + _EXACT * pl.max_horizontal(pl.col("total").abs(), pl.col("known").abs())
    # a sum that lacks a part is the least that there can be, unless there are negative values
    return both.with_columns(
        (pl.col("total") < pl.col("known") - slack).and_(pl.col("all_known") | pl.col("not_negative")).alias("smaller"),
        ((pl.col("total") - pl.col("known")).abs() > slack).and_(pl.col("all_known") & pl.col("complete")).alias("differs"),
    )


def _reasons(compared: pl.DataFrame, over: Over) -> pl.DataFrame:
    """Return the keys of contradicted cells, each once with its reason."""
    keys = [*PLACE, "age"] if over == "sex" else PLACE
    what = "over sex is {}, less than M, F and _U together: {}" if over == "sex" else "over ages is {}, less than its ages together: {}"
    numbers = [pl.col(c).cast(pl.String).str.replace(r"\.0$", "") for c in ("total", "known")]
    reason = pl.format(f"the source's own total {what}; total and parts cannot both be what they are labelled", *numbers)
    found = compared.filter("smaller").with_columns(reason.alias("reason")).sort(*keys, "reason")
    return found.unique(keys, keep="first", maintain_order=True).select(*keys, "reason")


# -------------------------------------------------------------------------------------------------------------------- ages


def _without_overlaps(parts: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Return only ages of which none overlaps another, the finest ones, and whether they are `complete`."""
    several = parts.group_by(keys).agg(pl.col("age").unique().sort().alias("ages"))
    chosen = {tuple(ages): disjoint(ages) for ages in several["ages"].unique().to_list()}
    table = pl.DataFrame(
        [(list(ages), age, is_complete(bands)) for ages, bands in chosen.items() for age in bands],
        schema={"ages": pl.List(pl.String), "age": pl.String, "complete": pl.Boolean},
        orient="row",
    )
    return parts.join(several, on=keys).join(table, on=["ages", "age"]).drop("ages")


def band(age: str) -> tuple[int, int] | None:
    """Return the first and the last year of an age group written as in SDMX (Y0T14, Y_LT15, Y_GE65, Y7); None for any other name."""
    if found := _RANGE.fullmatch(age):
        return int(found[1]), int(found[2])
    if found := _BELOW.fullmatch(age):
        return 0, int(found[1]) - 1
    if found := _FROM.fullmatch(age):
        return int(found[1]), _OPEN
    if found := _ONE.fullmatch(age):
        return int(found[1]), int(found[1])
    return None


def disjoint(ages: Iterable[str]) -> list[str]:
    """Return as many of `ages` as do not overlap. Names that say no years are taken for bands beside the others."""
    bands = [(years, age) for age in ages if (years := band(age)) is not None]
    chosen, last = [age for age in ages if band(age) is None], -1
    for (first, until), age in sorted(bands, key=lambda b: (b[0][1], -b[0][0], b[1])):
        if first > last:
            chosen.append(age)
            last = until
    return chosen


def is_complete(ages: Iterable[str]) -> bool:
    """Whether ages that do not overlap are all there are: from 0 to the open end without a gap, or names that say no years."""
    bands = sorted(years for age in ages if (years := band(age)) is not None)
    if not bands:
        return True
    follows = all(a[1] + 1 == b[0] for a, b in pairwise(bands))
    return bands[0][0] == 0 and bands[-1][1] == _OPEN and follows
