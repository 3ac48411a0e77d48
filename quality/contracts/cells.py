"""Findings on single cells: text that does not have the declared type, and values that pandera rejects.

Findings are frames with the columns `__n` (index of the row), `order` (position of the rule), `column` and `reason`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.core import frames
from pipelines.core.imports import stand_ins
from quality.contracts import cell_types
from quality.contracts.rules import ColumnRule, anchored, typed_constant

if TYPE_CHECKING:
    import pandera.polars as pa

_VALUE, _TEXT = "value ", "text "  # how the columns with the values and with the texts of a rule are named, before its position


def find(frame: pl.DataFrame, typed: pl.DataFrame, rules: Sequence[ColumnRule]) -> pl.DataFrame:
    """Return all findings on the cells of `frame`, whose values are `typed`, by row and rule."""
    empty = pl.DataFrame(schema={"__n": pl.UInt32, "order": pl.Int32, "column": pl.String, "reason": pl.String})
    findings = [*_wrong_types(frame, typed, rules), *_rejected_values(frame, typed, rules)]
    return pl.concat([empty, *findings]).sort("__n", "order", maintain_order=True)


def without_bad_cells(typed: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """Return `typed` with null in every cell that has a finding."""
    rows = pl.int_range(pl.len(), dtype=pl.UInt32)
    columns = findings.group_by("column", maintain_order=True).agg("__n")
    return typed.with_columns(
        pl.when(~rows.is_in(numbers.implode())).then(frames.column(column)).alias(column)
        for column, numbers in zip(columns["column"], columns["__n"], strict=True)
    )


def _findings(mask: pl.Series, order: int, column: str, reason: str | pl.Series) -> pl.DataFrame:
    """Return a finding for each row where `mask` is true. `reason` is one text, or a series with one text for each such row."""
    rows = mask.arg_true().cast(pl.UInt32)
    reasons = reason if isinstance(reason, pl.Series) else pl.lit(reason, pl.String)
    return pl.DataFrame({"__n": rows}).select(
        "__n", pl.lit(order, pl.Int32).alias("order"), pl.lit(column).alias("column"), reasons.alias("reason")
    )


def _wrong_types(frame: pl.DataFrame, typed: pl.DataFrame, rules: Sequence[ColumnRule]) -> list[pl.DataFrame]:
    """Return the cells whose text does not have the declared type."""
    result = []
    for order, rule in enumerate(rules):
        if rule.type == "string":
            continue
        failed = frames.cells(frame, rule.source).is_not_null() & frames.cells(typed, rule.name).is_null()
        if failed.any():
            reasons = cell_types.explain_failures(frames.cells(frame, rule.source).filter(failed), rule.type, rule.decimal, rule.thousands)
            result.append(_findings(failed, order, rule.name, reasons))
    return result


def _rejected_values(frame: pl.DataFrame, typed: pl.DataFrame, rules: Sequence[ColumnRule]) -> list[pl.DataFrame]:
    """Return the cells whose values pandera rejects."""
    if not frame.height or not any(rule.has_checks for rule in rules):
        return []
    with stand_ins({"hypothesis": None, "pyspark": None}):  # where they are installed, pandera imports them for what nobody uses here
        import pandera.backends.polars.builtin_checks  # noqa: F401
        import pandera.polars as pa  # takes seconds, so it is imported only where rows are checked
    from pandera.config import ValidationDepth, config_context
    from pandera.errors import SchemaErrors

    checks = [_checks(rule, pa) for rule in rules]
    # columns are named by the positions of their rules, because pandera takes names such as `^a$` for patterns
    checked = {_VALUE + str(i): (i, frames.cells(typed, rule.name), checks[i]) for i, rule in enumerate(rules)}
    for i, rule in enumerate(rules):
        if rule.pattern is not None and rule.type != "string":  # a pattern is about the text
            checked[_TEXT + str(i)] = (i, frames.cells(frame, rule.source), checks[i][-1:])
            checked[_VALUE + str(i)] = (i, frames.cells(typed, rule.name), checks[i][:-1])
    required = {_VALUE + str(i) for i, rule in enumerate(rules) if rule.required}
    schema = pa.DataFrameSchema(
        {
            name: pa.Column(cells.dtype, [check for check, _ in of_column], nullable=name not in required)
            for name, (_, cells, of_column) in checked.items()
        }
    )
    try:
        # an environment variable of the operator must not switch the contract off
        with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA):
            schema.validate(pl.DataFrame([cells.alias(name) for name, (_, cells, _) in checked.items()]), lazy=True)
        return []
    except SchemaErrors as errors:
        schema_errors = errors.schema_errors
    result = []
    for error in schema_errors:
        order, _, of_column = checked[str(error.schema.name)]
        rule = rules[order]
        if not isinstance(error.check_output, pl.DataFrame) or error.check_output.height != frame.height:
            raise RuntimeError(f"the contract could not be applied to {rule.name}: {error}")
        passed = error.check_output.to_series()
        if error.check_index is None:  # the check that a value is present; a cell that could not be parsed has its own reason
            result.append(_findings(~passed & frames.cells(frame, rule.source).is_null(), order, rule.name, "required, but empty"))
        else:
            result.append(_findings(~passed, order, rule.name, of_column[error.check_index][1]))
    return result


def _checks(rule: ColumnRule, pa: Any) -> list[tuple[pa.Check, str]]:
    """Return pandera's checks of one column, each with the reason that a failed cell gets; that of the pattern comes last."""
    result = []
    if rule.min is not None:
        result.append((pa.Check.ge(typed_constant(rule, rule.min)), f"below the minimum of {_bound_text(rule.min)}"))
    if rule.max is not None:
        result.append((pa.Check.le(typed_constant(rule, rule.max)), f"above the maximum of {_bound_text(rule.max)}"))
    if rule.values is not None:
        allowed = [typed_constant(rule, value) for value in rule.values if value != "" or rule.type == "string"]
        result.append((pa.Check.isin(allowed), f"not one of {', '.join(value for value in rule.values if value)}"))
    if rule.pattern is not None:
        result.append((pa.Check.str_matches(anchored(rule.pattern)), f"does not match {rule.pattern}"))
    return result


def _bound_text(bound: float | str) -> str:
    return f"{bound:g}" if isinstance(bound, int | float) else bound
