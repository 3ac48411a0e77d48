"""The contract of a source's rows: text becomes typed values, pandera judges them, keys are compared. Reads no file, maps nothing.

What is refused is never lost: every row of the input is accepted, bad, or a repeat, and every bad cell has its reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from quality import cell_types as cells

if TYPE_CHECKING:
    import pandera.polars as pa

Type = Literal["string", "integer", "number", "boolean", "date", "datetime"]
MASK = "***"
_ROWS_NAMED = 5  # rows of one key that a reason names


@dataclass(frozen=True)
class ColumnRule:
    """What one column must be. `name` is the pack's, `source` the file's; marks are the column's own or its source's."""

    name: str
    source: str
    type: Type = "string"
    required: bool = False
    min: float | str | None = None
    max: float | str | None = None
    pattern: str | None = None
    values: tuple[str, ...] | None = None
    decimal: str | None = None
    thousands: str | None = None
    personal: bool = False


@dataclass(frozen=True)
class Checked:
    """A source's rows after judgement. Every frame has `__row`, and `__part` where the input has it.

    accepted, rejected: typed columns named by the rules, bad cells null, `__bad` (names of the bad cells, or null)
    bad_rows: reasons, values (JSON of the declared cells of the file, personal ones masked)
    bad_cells: column, value, reason - of the accepted rows only
    repeats: rows that stand a second time, equal in all cells of the file
    """

    accepted: pl.DataFrame
    bad_rows: pl.DataFrame
    bad_cells: pl.DataFrame
    repeats: pl.DataFrame
    rejected: pl.DataFrame
    missing_columns: list[str]


def fault(rule: ColumnRule) -> str | None:
    """Return why `rule` can judge nothing, or None."""
    if rule.pattern is not None:
        try:
            pl.Series([""]).str.contains(_whole(rule.pattern))
        except pl.exceptions.ComputeError:
            return f"pattern: {rule.pattern} is no regular expression (look-around and back-references are not understood)"
    if rule.thousands and rule.thousands == (rule.decimal or "."):
        return "decimal and thousands are the same character"
    for bound in ("min", "max"):
        given = getattr(rule, bound)
        if given is not None and rule.type in ("string", "boolean"):
            return f"{bound}: a column of type {rule.type} has no order"
        if given is not None and _constant(rule, given) is None:
            return f"{bound}: {given} is no {rule.type}"
    for value in rule.values or ():
        if value != "" and _constant(rule, value) is None:
            return f"values: {value} is no {rule.type}"
    return None


def check(frame: pl.DataFrame, rules: Sequence[ColumnRule], key: Sequence[str] = ()) -> Checked:
    """Judge the rows of `frame`: text columns, `__row`, and perhaps `__fault` (why a row's shape is wrong) and `__part`.

    With a key, rows of one part that are equal in all cells of the file are one, and different rows with one key are all bad.
    Raises ValueError for rules that can judge nothing.
    """
    _assert_usable(rules, key)
    missing = [rule.name for rule in rules if rule.source not in frame.columns]
    if missing:
        absent = {rule.source for rule in rules if rule.name in missing}
        frame = frame.with_columns(pl.lit(None, pl.String).alias(source) for source in sorted(absent))
    place = ["__row", *(["__part"] if "__part" in frame.columns else [])]
    typed = pl.DataFrame([cells.parsed(frame[rule.source], rule.type, rule.decimal, rule.thousands).alias(rule.name) for rule in rules])
    findings = [*_unparsed(frame, typed, rules), *_judged(frame, typed, rules)]
    found = pl.concat([_no_findings(), *findings]).sort("__n", "order", maintain_order=True)
    typed = _without_bad_cells(typed, found)

    whole = _row_faults(frame)
    repeats = pl.Series("__n", [], pl.UInt32)
    if key and not set(key) & set(missing):
        repeats, conflicts = _same_keys(frame, typed, rules, key, place)
        whole = pl.concat([whole, conflicts])
    hard = {rule.name for rule in rules if rule.required or rule.name in key}
    found = found.filter(~pl.col("__n").is_in(repeats.implode()))
    bad = pl.concat([whole["__n"], found.filter(pl.col("column").is_in(hard))["__n"]]).unique()

    numbered = frame.select(place).with_row_index("__n")
    rows = pl.concat([numbered, typed], how="horizontal")
    is_bad, is_repeat = pl.col("__n").is_in(bad.implode()), pl.col("__n").is_in(repeats.implode())
    names = found.group_by("__n", maintain_order=True).agg(pl.col("column").unique(maintain_order=True).alias("__bad"))
    rows = rows.join(names, on="__n", how="left", maintain_order="left")
    bad_cells = found.filter(~is_bad).unique(["__n", "column"], keep="first", maintain_order=True)
    return Checked(
        accepted=rows.filter(~is_bad & ~is_repeat).drop("__n"),
        bad_rows=_bad_rows(frame, rules, numbered.filter(is_bad), found, whole),
        bad_cells=_bad_cells(frame, rules, numbered, found.filter(~is_bad), bad_cells),
        repeats=numbered.filter(is_repeat).drop("__n"),
        rejected=rows.filter(is_bad).drop("__n"),
        missing_columns=missing,
    )


def masked_values(frame: pl.DataFrame, rules: Sequence[ColumnRule]) -> pl.Series:
    """Return the declared cells of every row as JSON, personal ones masked.

    Columns that no rule names are left out, because nothing says whether they are personal.
    """
    personal = {rule.source for rule in rules if rule.personal}
    shown = []
    for source in dict.fromkeys(rule.source for rule in rules):
        if source in frame.columns and not source.startswith("__"):
            cell = pl.col(source)
            shown.append(pl.when(cell.is_not_null()).then(pl.lit(MASK)).alias(source) if source in personal else cell)
    if not shown:
        return pl.Series("values", ["{}"] * frame.height, dtype=pl.String)
    return frame.select(pl.struct(shown).struct.json_encode().alias("values"))["values"]


# ------------------------------------------------------------------------------------------------------------------- cells


def _no_findings() -> pl.DataFrame:
    return pl.DataFrame(schema={"__n": pl.UInt32, "order": pl.Int32, "column": pl.String, "reason": pl.String})


def _findings(mask: pl.Series, order: int, column: str, reason: str | pl.Series) -> pl.DataFrame:
    """Return a finding for each row where `mask` is true. `reason` is one text, or one for each such row."""
    rows = mask.arg_true().cast(pl.UInt32)
    reasons = reason if isinstance(reason, pl.Series) else pl.lit(reason, pl.String)
    return pl.DataFrame({"__n": rows}).select(
        "__n", pl.lit(order, pl.Int32).alias("order"), pl.lit(column).alias("column"), reasons.alias("reason")
    )


def _unparsed(frame: pl.DataFrame, typed: pl.DataFrame, rules: Sequence[ColumnRule]) -> list[pl.DataFrame]:
    """Return the cells whose text is not of the declared type."""
    result = []
    for order, rule in enumerate(rules):
        if rule.type == "string":
            continue
        failed = frame[rule.source].is_not_null() & typed[rule.name].is_null()
        if failed.any():
            reasons = cells.why_not(frame[rule.source].filter(failed), rule.type, rule.decimal, rule.thousands)
            result.append(_findings(failed, order, rule.name, reasons))
    return result


def _judged(frame: pl.DataFrame, typed: pl.DataFrame, rules: Sequence[ColumnRule]) -> list[pl.DataFrame]:
    """Return what pandera finds in the typed cells."""
    if not frame.height or not any(_has_checks(rule) for rule in rules):
        return []
    import pandera.polars as pa  # takes seconds: only who checks rows pays
    from pandera.config import ValidationDepth, config_context
    from pandera.errors import SchemaErrors

    order = {rule.name: i for i, rule in enumerate(rules)}
    told = {rule.name: _checks(rule, pa) for rule in rules}
    judged = typed
    for rule in rules:
        if rule.pattern is not None and rule.type != "string":  # a pattern is about the text
            judged = judged.with_columns(frame[rule.source].alias(f"{rule.name}\0text"))
            told[f"{rule.name}\0text"] = told[rule.name][-1:]
            told[rule.name] = told[rule.name][:-1]
            order[f"{rule.name}\0text"] = order[rule.name]
    required = {rule.name for rule in rules if rule.required}
    schema = pa.DataFrameSchema(
        {name: pa.Column(judged.schema[name], [c for c, _ in told[name]], nullable=name not in required) for name in judged.columns}
    )
    try:
        # the operator's environment must not be able to switch the contract off
        with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA):
            schema.validate(judged, lazy=True)
        return []
    except SchemaErrors as errors:
        faults = errors.schema_errors
    result = []
    for error in faults:
        column = str(error.schema.name)
        if not isinstance(error.check_output, pl.DataFrame) or error.check_output.height != frame.height:
            raise RuntimeError(f"the contract could not be applied to {column}: {error}")
        passed = error.check_output.to_series()
        name = column.removesuffix("\0text")
        if error.check_index is None:  # nullable; a cell that could not be parsed has its own reason
            source = next(rule.source for rule in rules if rule.name == name)
            result.append(_findings(~passed & frame[source].is_null(), order[name], name, "required, but empty"))
        else:
            result.append(_findings(~passed, order[column], name, told[column][error.check_index][1]))
    return result


def _has_checks(rule: ColumnRule) -> bool:
    return rule.required or any(x is not None for x in (rule.min, rule.max, rule.pattern, rule.values))


def _checks(rule: ColumnRule, pa: Any) -> list[tuple[pa.Check, str]]:
    """Return pandera's checks of one column with the reason each one gives; the pattern comes last."""
    result = []
    constant = partial(_constant, rule)
    if rule.min is not None:
        result.append((pa.Check.ge(constant(rule.min)), f"below the minimum of {_shown(rule.min)}"))
    if rule.max is not None:
        result.append((pa.Check.le(constant(rule.max)), f"above the maximum of {_shown(rule.max)}"))
    if rule.values is not None:
        allowed = [constant(value) for value in rule.values if value != "" or rule.type == "string"]
        result.append((pa.Check.isin(allowed), f"not one of {', '.join(value for value in rule.values if value)}"))
    if rule.pattern is not None:
        result.append((pa.Check.str_matches(_whole(rule.pattern)), f"does not match {rule.pattern}"))
    return result


def _whole(pattern: str) -> str:
    return f"^(?:{pattern})$"


def _shown(bound: float | str) -> str:
    return f"{bound:g}" if isinstance(bound, int | float) else bound


def _constant(rule: ColumnRule, given: float | str) -> Any:
    """Return a bound or an allowed value in the type of the column; None where it is none."""
    if isinstance(given, int | float):
        return float(given) if rule.type in ("integer", "number") else None
    if rule.type == "string":
        return given
    return cells.parsed(pl.Series([given]), rule.type, None, None)[0]


def _without_bad_cells(typed: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    rows = pl.int_range(pl.len(), dtype=pl.UInt32)
    columns = found.group_by("column", maintain_order=True).agg("__n")
    return typed.with_columns(
        pl.when(~rows.is_in(numbers.implode())).then(pl.col(column)).alias(column)
        for column, numbers in zip(columns["column"], columns["__n"], strict=True)
    )


def _bad_cells(
    frame: pl.DataFrame, rules: Sequence[ColumnRule], numbered: pl.DataFrame, found: pl.DataFrame, once: pl.DataFrame
) -> pl.DataFrame:
    """Return the bad cells of rows that are otherwise good, one row for each cell with all its reasons."""
    place = [name for name in numbered.columns if name != "__n"]
    reasons = found.group_by("__n", "column").agg(pl.col("reason").str.join("; "))
    result = []
    for rule in rules:
        rows = once.filter(pl.col("column") == rule.name)["__n"]
        if rows.len():
            value = pl.Series([MASK] * rows.len()) if rule.personal else frame[rule.source].gather(rows)
            result.append(numbered[rows].select("__n", *place).with_columns(pl.lit(rule.name).alias("column"), value.alias("value")))
    if not result:
        empty = {"column": pl.String, "value": pl.String, "reason": pl.String}
        return numbered.select(place).clear().with_columns(pl.lit(None, t).alias(c) for c, t in empty.items())
    joined = pl.concat(result).join(reasons, on=["__n", "column"], how="left", maintain_order="left")
    return joined.sort("__n", maintain_order=True).select(*place, "column", "value", "reason")


# -------------------------------------------------------------------------------------------------------------------- rows


def _row_faults(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows whose shape is wrong, with the reader's reason."""
    if "__fault" not in frame.columns:
        return pl.DataFrame(schema={"__n": pl.UInt32, "reason": pl.String})
    return frame.select(pl.col("__fault").alias("reason")).with_row_index("__n").filter(pl.col("reason").is_not_null())


def _same_keys(
    frame: pl.DataFrame, typed: pl.DataFrame, rules: Sequence[ColumnRule], key: Sequence[str], place: list[str]
) -> tuple[pl.Series, pl.DataFrame]:
    """Return the rows that repeat an equal one, and the different rows that share a key. A row of wrong shape has no key."""
    part = ["__part"] if "__part" in place else []
    keys = typed.select(key).with_columns(frame[name] for name in part)
    several = keys.is_duplicated() if keys.width > 1 else keys.to_series().is_duplicated()
    if "__fault" in frame.columns:
        several &= frame["__fault"].is_null()
    rows = several.arg_true().cast(pl.UInt32)
    files = [name for name in frame.columns if name not in ("__row", "__fault")]
    texts = frame.select(files)[rows]
    first = (
        texts.is_first_distinct() if hasattr(texts, "is_first_distinct") else texts.select(pl.struct(files).is_first_distinct()).to_series()
    )
    repeats = rows.filter(~first).alias("__n")
    rows = rows.filter(first)
    source = {rule.name: rule.source for rule in rules}
    known = pl.Series([True] * rows.len(), dtype=pl.Boolean)
    for name in key:  # a key cell that is bad is no key, and the row is refused for it anyway
        known &= typed[name].gather(rows).is_not_null() | frame[source[name]].gather(rows).is_null()
    rows = rows.filter(known)
    candidates = keys[rows].with_columns(rows.alias("__n"), frame["__row"].gather(rows))
    groups = candidates.group_by(*key, *part, maintain_order=True).agg("__n", "__row").filter(pl.col("__n").list.len() > 1)
    named = pl.col("__row").list.head(_ROWS_NAMED).cast(pl.List(pl.String)).list.join(", ")
    more = pl.when(pl.col("__row").list.len() > _ROWS_NAMED).then(pl.lit(", ...")).otherwise(pl.lit(""))
    reason = pl.format("{} different rows have the key ({}): rows {}{}", pl.col("__n").list.len(), pl.lit(", ".join(key)), named, more)
    return repeats, groups.select("__n", reason.alias("reason")).explode("__n")


def _bad_rows(
    frame: pl.DataFrame, rules: Sequence[ColumnRule], bad: pl.DataFrame, found: pl.DataFrame, whole: pl.DataFrame
) -> pl.DataFrame:
    of_cells = found.select("__n", pl.format("{}: {}", "column", "reason").alias("reason"))
    told = pl.concat([whole.select("__n", "reason"), of_cells]).group_by("__n", maintain_order=True).agg(pl.col("reason").str.join("; "))
    values = masked_values(frame[bad["__n"]], rules)
    result = bad.with_columns(values.alias("values")).join(told, on="__n", how="left", maintain_order="left")
    return result.rename({"reason": "reasons"}).select(*(c for c in bad.columns if c != "__n"), "reasons", "values")


def _assert_usable(rules: Sequence[ColumnRule], key: Sequence[str]) -> None:
    names = [rule.name for rule in rules]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name}: two rules for one column")
    for name in key:
        if name not in names:
            raise ValueError(f"key: {name} is no column")
    for rule in rules:
        wrong = fault(rule)
        if wrong:
            raise ValueError(f"{rule.name}: {wrong}")
