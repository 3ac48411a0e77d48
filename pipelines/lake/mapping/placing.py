"""Place rows in time and territory: periods, their first day, validity, and areas. Knows nothing about measures, events or registers."""

from __future__ import annotations

import polars as pl

from pipelines.core.vocabulary import PERIOD
from pipelines.lake.territory import Territory
from pipelines.packs.schema import AreaReference

_PERIOD = f"^{PERIOD.pattern}$"
_TIMESTAMP = r"^([0-9]{4}-[0-9]{2}-[0-9]{2})[ T][0-9:.]+$"


def canonical_period(raw: pl.Expr) -> pl.Expr:
    """Return the canonical text of a period (2021, 2021-Q3, 2021-07, 2021-07-15), or null where `raw` is not a period."""
    text = raw.str.strip_chars().str.replace(_TIMESTAMP, "${1}")
    return pl.when(text.str.contains(_PERIOD) & first_day(text).is_not_null()).then(text)


def first_day(period: pl.Expr) -> pl.Expr:
    """Return the first day of a canonical period as a date; for one text, see `core.vocabulary.first_day`."""
    groups = period.str.extract_groups(_PERIOD)
    quarter_month = (groups.struct.field("2").cast(pl.Int64, strict=False) * 3 - 2).cast(pl.String).str.zfill(2)
    month = pl.coalesce(groups.struct.field("3"), quarter_month, pl.lit("01"))
    day = pl.coalesce(groups.struct.field("4"), pl.lit("01"))
    return pl.concat_str(groups.struct.field("1"), pl.lit("-"), month, pl.lit("-"), day).str.to_date("%Y-%m-%d", strict=False)


def is_valid_on(day: pl.Expr, start: str = "valid_from", end: str = "valid_to") -> pl.Expr:
    """Return whether a row is valid on a day: from `start` on, and before `end`. A null is an open end."""
    return (pl.col(start).is_null() | (pl.col(start) <= day)) & (pl.col(end).is_null() | (day < pl.col(end)))


def area_key(area: AreaReference) -> str:
    """Return the expression by which a row names its area."""
    return area.ref_area if area.ref_area is not None else str(area.code)


def place_in_areas(rows: pl.DataFrame, area: AreaReference, territory: Territory) -> pl.DataFrame:
    """Add `ref_area` and `area_fault` to `rows`, which have `__area` (text) and `__day` (a date, or null to ignore validity).

    `area_fault` says in words that a key names no area, several areas, or an area that is not valid on that day.
    """
    by_key = territory.by_code(area.scheme) if area.scheme is not None else territory.by_reference()
    template = f"code {{}} of scheme {area.scheme}" if area.scheme is not None else "area {}"
    candidates = rows.select("__area", "__day").unique().join(by_key, left_on="__area", right_on="key", how="left")
    is_valid = pl.col("ref_area").is_not_null() & (pl.col("__day").is_null() | is_valid_on(pl.col("__day")))
    name = pl.format(template, pl.col("__area"))
    areas = candidates.group_by("__area", "__day").agg(
        pl.col("ref_area").is_not_null().any().alias("_exists"),
        pl.col("ref_area").filter(is_valid).n_unique().alias("_n"),
        pl.col("ref_area").filter(is_valid).first(),
    )
    areas = areas.with_columns(
        pl.when(pl.col("__area").is_null())
        .then(pl.lit("no area is named"))
        .when(~pl.col("_exists"))
        .then(name + pl.lit(": unknown"))
        .when(pl.col("_n") == 0)
        .then(name + pl.lit(": not valid on ") + pl.col("__day").cast(pl.String))
        .when(pl.col("_n") > 1)
        .then(name + pl.lit(": names several areas"))
        .alias("area_fault")
    ).with_columns(pl.when(pl.col("area_fault").is_null()).then("ref_area").alias("ref_area"))
    return rows.join(
        areas.select("__area", "__day", "ref_area", "area_fault"),
        on=["__area", "__day"],
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
