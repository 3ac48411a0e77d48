"""The contract of a source's rows: text becomes typed values, pandera checks them, and keys are compared.

No row is lost: every row of the input is accepted, bad, or a repeat, and every bad cell has a reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from pipelines.core import frames
from quality.contracts import cell_types, cells, rows
from quality.contracts.rules import ColumnRule, assert_usable

MASK = "***"
"""What is shown in place of personal data."""


@dataclass(frozen=True)
class Checked:
    """The rows of a source after the check. Every frame has `__row`, and `__part` and `__cell` if the input has them.

    accepted, rejected: typed columns named by the rules, null for bad cells; `__bad` has the names of the bad cells, or null
    bad_rows: `reasons`, and `values` (JSON of the declared cells of the file, with personal ones masked)
    bad_cells: `column`, `value` and `reason` of the bad cells of accepted rows
    repeats: rows that are equal to an earlier one in all cells of the file
    missing_columns: names of rules whose column the file does not have
    """

    accepted: pl.DataFrame
    bad_rows: pl.DataFrame
    bad_cells: pl.DataFrame
    repeats: pl.DataFrame
    rejected: pl.DataFrame
    missing_columns: list[str]


def check(frame: pl.DataFrame, rules: Sequence[ColumnRule], key: Sequence[str] = ()) -> Checked:
    """Check the rows of `frame`: text columns, `__row`, and optionally `__fault` (why a row's shape is wrong), `__part`, and `__cell`
    (which of several rows of one line it is).

    With a key, rows of one part that are equal in all cells of the file count as one, and different rows with the same key are all bad.
    Raises ValueError if a rule contradicts itself.
    """
    assert_usable(rules, key)
    missing = [rule.name for rule in rules if rule.source not in frame.columns]
    if missing:
        absent = {rule.source for rule in rules if rule.name in missing}
        frame = frame.with_columns(pl.lit(None, pl.String).alias(source) for source in sorted(absent))
    typed = pl.DataFrame(
        [cell_types.parse(frames.cells(frame, r.source), r.type, r.decimal, r.thousands, r.timezone).alias(r.name) for r in rules]
    )
    findings = cells.find(frame, typed, rules)
    typed = cells.without_bad_cells(typed, findings)
    row_findings = rows.find_shape_faults(frame)
    repeats = pl.Series("__n", [], pl.UInt32)
    if key and not set(key) & set(missing):
        repeats, conflicts = rows.find_repeats_and_conflicts(frame, typed, rules, key)
        row_findings = pl.concat([row_findings, conflicts])
    findings = findings.filter(~pl.col("__n").is_in(repeats.implode()))
    return _sorted_out(frame, typed, rules, key, _Findings(findings, row_findings, repeats, missing))


@dataclass(frozen=True)
class _Findings:
    cells: pl.DataFrame
    rows: pl.DataFrame
    repeats: pl.Series
    missing_columns: list[str]


def _sorted_out(frame: pl.DataFrame, typed: pl.DataFrame, rules: Sequence[ColumnRule], key: Sequence[str], findings: _Findings) -> Checked:
    """Return the rows by what becomes of them. A bad cell in a required or a key column makes the whole row bad."""
    essential = {rule.name for rule in rules if rule.required or rule.name in key}
    bad = pl.concat([findings.rows["__n"], findings.cells.filter(pl.col("column").is_in(essential))["__n"]]).unique()
    is_bad, is_repeat = pl.col("__n").is_in(bad.implode()), pl.col("__n").is_in(findings.repeats.implode())
    place = ["__row", *(name for name in ("__part", "__cell") if name in frame.columns)]
    numbered = frame.select(place).with_row_index("__n")
    names = findings.cells.group_by("__n", maintain_order=True).agg(pl.col("column").unique(maintain_order=True).alias("__bad"))
    all_rows = pl.concat([numbered, typed], how="horizontal").join(names, on="__n", how="left", maintain_order="left")
    return Checked(
        accepted=all_rows.filter(~is_bad & ~is_repeat).drop("__n"),
        bad_rows=_bad_rows(frame, rules, numbered.filter(is_bad), findings),
        bad_cells=_bad_cells(frame, rules, numbered, findings.cells.filter(~is_bad)),
        repeats=numbered.filter(is_repeat).drop("__n"),
        rejected=all_rows.filter(is_bad).drop("__n"),
        missing_columns=findings.missing_columns,
    )


def masked_values(frame: pl.DataFrame, rules: Sequence[ColumnRule]) -> pl.Series:
    """Return the declared cells of every row as JSON, with personal ones masked.

    Columns without a rule are left out, because nothing says whether they are personal.
    """
    personal = {rule.source for rule in rules if rule.personal}
    shown = []
    for source in dict.fromkeys(rule.source for rule in rules):
        if source in frame.columns and not source.startswith("__"):
            cell = frames.column(source)
            shown.append(pl.when(cell.is_not_null()).then(pl.lit(MASK)).alias(source) if source in personal else cell)
    if not shown:
        return pl.Series("values", ["{}"] * frame.height, dtype=pl.String)
    return frame.select(pl.struct(shown).struct.json_encode().alias("values"))["values"]


def _bad_rows(frame: pl.DataFrame, rules: Sequence[ColumnRule], bad: pl.DataFrame, findings: _Findings) -> pl.DataFrame:
    """Return the rows of `bad` with all their reasons and their values."""
    of_cells = findings.cells.select("__n", pl.format("{}: {}", "column", "reason").alias("reason"))
    reasons = (
        pl.concat([findings.rows.select("__n", "reason"), of_cells])
        .group_by("__n", maintain_order=True)
        .agg(pl.col("reason").str.join("; ").alias("reasons"))
    )
    values = masked_values(frame[bad["__n"]], rules)
    result = bad.with_columns(values.alias("values")).join(reasons, on="__n", how="left", maintain_order="left")
    return result.select(*(c for c in bad.columns if c != "__n"), "reasons", "values")


def _bad_cells(frame: pl.DataFrame, rules: Sequence[ColumnRule], numbered: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """Return the bad cells of accepted rows, one row per cell with all its reasons."""
    place = [name for name in numbered.columns if name != "__n"]
    reasons = findings.group_by("__n", "column", maintain_order=True).agg(pl.col("reason").str.join("; "))
    result = []
    for rule in rules:
        bad = reasons.filter(pl.col("column") == rule.name)["__n"]
        if bad.len():
            value = pl.Series([MASK] * bad.len()) if rule.personal else frames.cells(frame, rule.source).gather(bad)
            result.append(numbered[bad].select("__n", *place).with_columns(pl.lit(rule.name).alias("column"), value.alias("value")))
    if not result:
        empty = {"column": pl.String, "value": pl.String, "reason": pl.String}
        return numbered.select(place).clear().with_columns(pl.lit(None, t).alias(c) for c, t in empty.items())
    joined = pl.concat(result).join(reasons, on=["__n", "column"], how="left", maintain_order="left")
    return joined.sort("__n", maintain_order=True).select(*place, "column", "value", "reason")
