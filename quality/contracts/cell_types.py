"""Parses the text of cells: numbers, dates, booleans.

Each type has a fast path, which is polars' own cast and takes nearly all cells, and a careful one for the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import polars as pl

_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
_EXACT = 2**53  # whole numbers up to here survive a floating-point number
_MACHINE = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
_GROUPED = r"^[+-]?[0-9]{1,3}(?:\.[0-9]{3})+$"
_ISO_DATE = r"^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]00:00(?::00(?:\.0*)?)?)?$"
_DOTTED_DATE = r"^([0-9]{1,2})\. ?([0-9]{1,2})\. ?([0-9]{4})"
_TIME = r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(\.[0-9]{1,6})?[0-9]*)?"
_ISO_DATETIME = rf"^([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})(?:[T ]{_TIME} ?(?:Z|[+-][0-9]{{2}}(?::?[0-9]{{2}})?)?)?$"
_DOTTED_DATETIME = _DOTTED_DATE + rf"(?:,? {_TIME})?$"
_OFFSET = r":[0-9.]+ ?(Z|([+-])([0-9]{2}):?([0-9]{2})?)$"
_WORKBOOK_ERROR = r"^(#(?:DIV/0!|N/A|NAME\?|NULL!|NUM!|REF!|VALUE!|SPILL!|CALC!|FIELD!|GETTING_DATA)|Err:[0-9]{3})$"
_THREE_ZEROS = "the mark before three zeros may separate thousands: declare `thousands` and `decimal`"


def parse(text: pl.Series, kind: str, decimal: str | None, thousands: str | None, timezone: str | None = None) -> pl.Series:
    """Return the values of `text` in the type `kind`; null for null and for text that is not of the type (see `explain_failures`).

    Numbers use the declared marks; they may have an exponent, and a minus at the end. Dates are ISO 8601, or day, month and year with
    dots. A datetime with an offset from UTC becomes local time in `timezone`; without one, the clock time counts as it is written.
    """
    if kind == "string":
        return text
    if kind == "integer":
        return _fast_or_careful(text, text.cast(pl.Int64, strict=False), lambda rest: _integers(rest, decimal or ".", thousands or ""))
    if kind == "number":
        return _finite(_numbers(text, decimal or ".", thousands or ""))
    if kind == "boolean":
        return text.str.to_lowercase().replace_strict(_BOOLEANS, default=None, return_dtype=pl.Boolean)
    return _dates(text) if kind == "date" else _datetimes(text, timezone)


def explain_failures(text: pl.Series, kind: str, decimal: str | None, thousands: str | None) -> pl.Series:
    """Return what is wrong with each of the texts, none of which `parse` could read."""
    article = "an" if kind == "integer" else "a"
    errors = text.str.extract(_WORKBOOK_ERROR, 1)
    if errors.null_count() < errors.len():
        reasons = _explain_failures(text, kind, article, decimal, thousands)
        frame = pl.DataFrame({"error": errors, "reason": reasons})
        return frame.select(pl.coalesce(pl.format("the workbook has the error {} here", "error"), "reason").alias("reason"))["reason"]
    return _explain_failures(text, kind, article, decimal, thousands)


def _explain_failures(text: pl.Series, kind: str, article: str, decimal: str | None, thousands: str | None) -> pl.Series:
    if kind not in ("integer", "number"):
        return pl.Series([f"not {article} {kind}"] * text.len(), dtype=pl.String)
    values = _numbers(text, decimal or ".", thousands or "")
    frame = pl.DataFrame({"text": text, "value": values})
    value = pl.col("value")
    is_named = pl.col("text").str.to_lowercase().str.contains("nan|inf")
    too_large = value.is_infinite() & ~is_named
    reason = pl.when(too_large).then(pl.lit("too large")).otherwise(pl.lit(f"not {article} {kind}"))
    if (decimal or ".") != "." and (thousands or "") != ".":
        reason = (
            pl.when(pl.col("text").str.contains(_GROUPED))
            .then(pl.lit("a dot is neither decimal mark nor thousands separator"))
            .otherwise(reason)
        )
    if kind == "integer":
        reason = (
            pl.when(_may_be_thousands(pl.col("text"), decimal or ".", thousands or "")).then(pl.lit(_THREE_ZEROS))
            .when(value.is_finite() & (value != value.round())).then(pl.lit("not a whole number"))
            .when(value.is_finite()).then(pl.lit("too large")).otherwise(reason)
        )  # fmt: skip
    return frame.select(reason.alias("reason"))["reason"]


def _fast_or_careful(text: pl.Series, quick: pl.Series, careful: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Return `quick`, with the result of `careful` for texts for which it has no value."""
    left = text.is_not_null() & quick.is_null()
    rows = left.arg_true()
    if not rows.len():
        return quick
    return quick.scatter(rows, careful(text.gather(rows)))


def _finite(values: pl.Series) -> pl.Series:
    return values.to_frame("v").select(pl.when(pl.col("v").is_finite()).then(pl.col("v")).alias(values.name)).to_series()


# ----------------------------------------------------------------------------------------------------------------- numbers


def _numbers(text: pl.Series, decimal: str, thousands: str) -> pl.Series:
    """Return floating-point numbers, including infinite ones; null for other text."""
    if decimal == ".":
        quick = text.cast(pl.Float64, strict=False)
        if thousands == ".":
            quick = pl.Series(text.name, [None] * text.len(), dtype=pl.Float64)
    else:
        plain = pl.when(~pl.col("t").str.contains(".", literal=True)).then(pl.col("t").str.replace(decimal, ".", literal=True, n=1))
        quick = text.to_frame("t").select(plain.cast(pl.Float64, strict=False)).to_series().alias(text.name)
    return _fast_or_careful(text, quick, lambda rest: _machine_text(rest, decimal, thousands).cast(pl.Float64, strict=False))


def _integers(text: pl.Series, decimal: str, thousands: str) -> pl.Series:
    """Return whole numbers that have marks, a zero fraction or an exponent; null for other text."""
    frame = pl.DataFrame({"t": _machine_text(text, decimal, thousands)})
    value = pl.col("t").cast(pl.Float64, strict=False)
    plain = pl.col("t").str.extract(r"^([+-]?[0-9]+)(?:\.0*)?$", 1).cast(pl.Int64, strict=False)
    exact = pl.when((value == value.round()) & (value.abs() <= _EXACT)).then(value).cast(pl.Int64, strict=False)
    whole = frame.select(plain.fill_null(exact).alias("v"))["v"]
    doubtful = text.to_frame("t").select(_may_be_thousands(pl.col("t"), decimal, thousands)).to_series()
    return whole.to_frame("v").select(pl.when(~doubtful.fill_null(False)).then(pl.col("v")).alias("v"))["v"]


def _may_be_thousands(text: pl.Expr, decimal: str, thousands: str) -> pl.Expr:
    """Return whether a whole number has a decimal mark and three zeros, and the mark may separate thousands, because none is declared."""
    if thousands:
        return pl.lit(False)
    return text.str.contains(rf"^[+-]?[1-9][0-9]{{0,2}}{re.escape(decimal)}000-?$")


def _machine_text(text: pl.Series, decimal: str, thousands: str) -> pl.Series:
    """Return numbers in the form that a cast understands; null for text that does not follow the declared marks.

    Numbers that have this form already, such as numeric cells of a workbook, are accepted too, unless their dot could separate thousands.
    """
    mark = re.escape(decimal)
    group = {"": "", " ": "[ \u00a0\u202f]", "'": "['\u2019]"}.get(thousands, re.escape(thousands))
    whole = f"(?:[0-9]+|[0-9]{{1,3}}(?:{group}[0-9]{{3}})+)" if group else "[0-9]+"
    declared = rf"^[+-]?(?:{whole}(?:{mark}[0-9]*)?|{mark}[0-9]+)(?:[eE][+-]?[0-9]+)?$"
    t = pl.col("t")
    frame = text.to_frame("t").select(t.str.replace_all("\u2212", "-", literal=True))
    frame = frame.select(pl.when(t.str.contains(r"^[^+-].*-$")).then("-" + t.str.head(-1)).otherwise(t).alias("t"))
    written = t.str.replace_all(group, "") if group else t
    if decimal != ".":
        written = written.str.replace(decimal, ".", literal=True)
    forms = [pl.when(t.str.contains(declared)).then(written)]
    if decimal != "." and thousands != ".":
        forms.append(pl.when(t.str.contains(_MACHINE) & ~t.str.contains(_GROUPED)).then(t))
    return frame.select(pl.coalesce(forms).alias("t"))["t"]


# ------------------------------------------------------------------------------------------------------------------- dates


def _dates(text: pl.Series) -> pl.Series:
    t = pl.col("t")
    iso = t.str.extract(_ISO_DATE, 1).str.to_date("%Y-%m-%d", strict=False)
    quick = text.to_frame("t").select(_since_year_one(iso)).to_series().alias(text.name)
    dotted = _from_dots(t, _DOTTED_DATE + "$").str.to_date("%Y-%m-%d", strict=False)
    return _fast_or_careful(text, quick, lambda rest: rest.to_frame("t").select(_since_year_one(dotted)).to_series())


def _datetimes(text: pl.Series, timezone: str | None) -> pl.Series:
    t = pl.col("t")
    quick = text.to_frame("t").select(_moment(t.str.extract(_ISO_DATETIME, 1), t, _ISO_DATETIME, 2)).to_series().alias(text.name)
    dotted = _moment(_from_dots(t, _DOTTED_DATETIME), t, _DOTTED_DATETIME, 4)
    clock = _fast_or_careful(text, quick, lambda rest: rest.to_frame("t").select(dotted).to_series())
    if timezone is None or not text.str.contains(_OFFSET).any():
        return clock
    frame = pl.DataFrame({"t": text, "clock": clock})
    return frame.select(local_time(pl.col("clock"), t, timezone)).to_series().alias(text.name)


def local_time(clock: pl.Expr, text: pl.Expr, timezone: str) -> pl.Expr:
    """Return the local time in `timezone` of a `clock` time whose `text` has an offset from UTC; without an offset, `clock` itself."""
    parts = text.str.extract_groups(_OFFSET)
    sign = pl.when(parts.struct.field("2") == "-").then(-1).otherwise(1)
    minutes = [parts.struct.field(name).cast(pl.Int64, strict=False).fill_null(0) for name in ("3", "4")]
    offset = pl.duration(minutes=sign * (minutes[0] * 60 + minutes[1]))
    local = (clock - offset).dt.replace_time_zone("UTC").dt.convert_time_zone(timezone).dt.replace_time_zone(None)
    return pl.when(parts.struct.field("1").is_not_null()).then(local).otherwise(clock)


def _from_dots(text: pl.Expr, pattern: str) -> pl.Expr:
    """Return dates of day, month and year with dots as ISO dates."""
    day, month, year = (text.str.extract(pattern, i) for i in (1, 2, 3))
    return year + "-" + month.str.zfill(2) + "-" + day.str.zfill(2)


def _moment(day: pl.Expr, text: pl.Expr, pattern: str, first: int) -> pl.Expr:
    """Return the datetime of an ISO date `day` and the time in `text`, whose groups in `pattern` begin with number `first`."""
    hour, minute, second, fraction = (text.str.extract(pattern, first + i) for i in range(4))
    clock = hour.fill_null("").str.zfill(2) + ":" + minute.fill_null("00") + ":" + second.fill_null("00") + fraction.fill_null(".0")
    moment = (day + "T" + clock).str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", strict=False, time_unit="us")
    return pl.when(moment.dt.year() >= 1).then(moment)


def _since_year_one(date: pl.Expr) -> pl.Expr:
    return pl.when(date.dt.year() >= 1).then(date)
