"""From validated rows to the canonical kinds of rows, one module per kind. This module has what all of them share; it computes no statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from pipelines.lake.sandbox import Sandbox
from pipelines.packs.expressions import parse, strict

REJECTED = pl.Schema({"__row": pl.Int64, "__cell": pl.String, "__part": pl.String, "reason": pl.String})
BAD_CELLS = pl.Schema({"__row": pl.Int64, "__cell": pl.String, "__part": pl.String, "column": pl.String, "reason": pl.String})
MEASURE_CELLS = pl.Schema({"__part": pl.String, "measure": pl.String, "cells": pl.Int64, "refused": pl.Int64, "filled": pl.Int64})
_NOT_CELLS = ("__bad", "__rejected", "__part", "__row", "__cell")
ORIGIN = "__origin_"
"""How the columns begin that say where the cells of a lookup come from."""


@dataclass(frozen=True)
class ValidatedRows:
    """The rows of a source after its contract, with all parts in one frame.

    `rows` are the accepted and the rejected ones (`__rejected`), typed, with `__part`, `__row`, `__cell` (which of several rows of one line
    it is, or null) and `__bad` (names of bad cells).
    """

    rows: pl.DataFrame
    snapshots: Mapping[str, str]  # sha256 by part

    @property
    def accepted(self) -> pl.DataFrame:
        """The accepted rows, numbered by `__n`."""
        return numbered(self.rows.filter(~pl.col("__rejected")))

    @property
    def rejected(self) -> pl.DataFrame:
        """The rejected rows, numbered by `__n`."""
        return numbered(self.rows.filter("__rejected"))


@dataclass(frozen=True)
class MappedRows:
    """What the rows of a source became.

    `rows` are of the canonical kind, `rejected` are accepted rows that could not be mapped, `unselected` are those that no `where`
    selects, and `bad_cells` are single values that could not be computed. Every accepted row is mapped, rejected or unselected.
    `measure_cells` counts the accepted rows that carry a measure, those of them in which its value is refused, and those with a value.
    `refused` are the rows of registers and events that are in quarantine (`mapping.refused`); None for other kinds.
    """

    rows: pl.DataFrame
    rejected: pl.DataFrame
    unselected: pl.DataFrame
    bad_cells: pl.DataFrame
    measure_cells: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=MEASURE_CELLS))
    refused: pl.DataFrame | None = None


def numbered(rows: pl.DataFrame) -> pl.DataFrame:
    """Add a unique `__n` to `rows`, as the sandbox needs it."""
    return rows.with_row_index("__n").with_columns(pl.col("__n").cast(pl.Int64))


def cells_only(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of `rows` that expressions may use, and `__n`."""
    return rows.drop(*_NOT_CELLS, *(name for name in rows.columns if name.startswith(ORIGIN)))


def evaluate(rows: pl.DataFrame, expressions: Sequence[tuple[str, str, str]], sandbox: Sandbox) -> pl.DataFrame:
    """Return the values of `expressions` (name, SQL type, expression) for each of `rows`, with `__n`, `__row`, `__cell`,
    `__part` and `__bad`.

    The column `failure` says which expressions failed on the row and why, or is null.
    """
    values, failures = sandbox.evaluate(cells_only(rows), expressions)
    per_row = failures.group_by("__n").agg(pl.format("map.{}: {}", "column", "reason").str.join("; ").alias("failure"))
    joined = rows.select("__n", "__row", "__cell", "__part", "__bad").join(values, on="__n", maintain_order="left")
    return joined.join(per_row, on="__n", how="left", maintain_order="left")


def map_or_reject(
    source: str, rows: pl.DataFrame, where: str | None, faults: Sequence[pl.Expr], snapshots: Mapping[str, str], schema: pl.Schema
) -> MappedRows:
    """Divide evaluated `rows` into canonical rows of `schema`, rejected rows, and rows that `__where` does not select.

    Each of `faults` is the text of one fault, or null. A row is rejected for its faults only where it is selected, where an expression
    failed on it, or where a cell that cannot be read leaves open whether `where` selects it.
    """
    in_doubt = pl.when(pl.col("__where").is_null()).then(unread_fault("where", where))
    reason = pl.concat_str([pl.col("failure"), in_doubt, *faults], separator="; ", ignore_nulls=True)
    selected = pl.col("__where").fill_null(False)
    is_judged = selected | pl.col("failure").is_not_null() | in_doubt.is_not_null()
    rows = rows.with_columns(pl.when(is_judged & (reason != "")).then(reason).alias("reason"))
    return MappedRows(
        rows=canonical_rows(source, rows.filter(selected & pl.col("reason").is_null()), snapshots, schema),
        rejected=rows.filter(pl.col("reason").is_not_null()).select(*REJECTED).cast(REJECTED),
        unselected=rows.filter(~selected & pl.col("reason").is_null()).select("__row", "__cell", "__part"),
        bad_cells=pl.DataFrame(schema=BAD_CELLS),
    )


def unread_fault(column: str, expression: str | None) -> pl.Expr:
    """Return the fault of a row in which `column` uses a cell that is in quarantine: the value would look as if it were not given."""
    used = sorted(name.lower() for name in parse(expression).columns) if expression is not None else []
    bad = pl.col("__bad").list.eval(pl.element().filter(pl.element().str.to_lowercase().is_in(used)))
    return pl.when(bad.list.len() > 0).then(pl.format("map.{}: {} cannot be read", pl.lit(column), bad.list.join(", ")))


def not_dates(
    values: pl.DataFrame, rows: pl.DataFrame, expressions: Mapping[str, str | None], kind: str, sandbox: Sandbox, prefix: str = ""
) -> list[pl.Expr]:
    """Return the faults of rows in which an expression of a date gives null for a cell that is not empty.

    A form such as try_cast gives null for what it cannot read, as it does for an empty cell; in its strict form it fails. `values` have
    `__n` and what the expressions give, `rows` have `__n` and the cells.
    """
    faults: list[pl.Expr] = []
    for name, expression in expressions.items():
        strict_form = strict(expression) if expression is not None else None
        if strict_form is None:
            continue
        empty = rows.join(values.filter(pl.col(name).is_null()).select("__n"), on="__n", how="semi")
        failures = sandbox.evaluate(cells_only(empty), [(name, kind, strict_form)])[1]
        faults.append(pl.when(pl.col("__n").is_in(failures["__n"].implode())).then(pl.lit(f"{prefix}{name}: not a date")))
    return faults


def canonical_rows(source: str, rows: pl.DataFrame, snapshots: Mapping[str, str], schema: pl.Schema) -> pl.DataFrame:
    """Return mapped rows in the columns of `schema`, with their source, part, row number and snapshot."""
    snapshot = pl.col("__part").replace_strict(list(snapshots), list(snapshots.values()), default=None, return_dtype=pl.String)
    named = rows.with_columns(pl.lit(source).alias("source"), snapshot.alias("snapshot"))
    return named.rename({"__part": "part", "__row": "row_number"}).select(*schema).cast(schema)


def named_values(values: Mapping[str, pl.Expr], name: str, value: str) -> pl.Expr:
    """Return a list of structs, one per entry of `values`, with the fields `name` and `value`."""
    structs = [pl.struct(pl.lit(key).alias(name), text.alias(value)) for key, text in values.items()]
    return pl.concat_list(structs) if structs else pl.lit([], dtype=pl.List(pl.Struct({name: pl.String, value: pl.String})))
