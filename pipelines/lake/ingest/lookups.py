"""Columns that a source takes from matching rows of other sources (`lookups`), after its contract and before its map.

The rows of the other sources are read from the archive again: the lake has no personal cells, by which rows are often matched. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pipelines import readers
from pipelines.core import frames
from pipelines.core.fingerprint import digest
from pipelines.lake.ingest.context import Context
from pipelines.lake.mapping import ORIGIN, numbered
from pipelines.packs import Part, expressions
from pipelines.packs.schema import FetchedSource, Lookup

FAULT = "__lookup_fault"
"""A column with the reason why a row cannot be used, or null."""
AcceptedRows = Callable[[FetchedSource, Mapping[str, str]], pl.DataFrame]
"""Takes a source and the snapshots of some of its parts, and returns the accepted rows with all columns."""


@dataclass(frozen=True)
class Match:
    """Where the cells of a lookup come from: rows of another source."""

    lookup: str
    source: str
    columns: tuple[str, ...]
    """The columns that were taken."""
    origin: str
    """The column of the joined rows with part and row of the match (a struct, null without a match)."""


def matches(source: FetchedSource) -> list[Match]:
    """Return the lookups of a source in their order."""
    return [Match(name, lookup.source, tuple(lookup.take), f"{ORIGIN}{i}") for i, (name, lookup) in enumerate(source.lookups.items())]


def add_columns(context: Context, source: FetchedSource, rows: pl.DataFrame, accepted_rows: AcceptedRows) -> pl.DataFrame:
    """Return validated rows with the columns of all lookups, the origins of their cells (`matches`), and FAULT.

    Raises UnreadableSnapshot where a source that is looked up has no usable snapshot, or lacks a column.
    """
    rows = rows.with_columns(pl.lit(None, pl.String).alias(FAULT))
    for match in matches(source):
        rows = _add(context, source, match, rows, accepted_rows)
    return rows


def parts_to_read(context: Context, other: FetchedSource, lookup: Lookup, rows: pl.DataFrame) -> list[Part]:
    """Return the parts of the other source that may have a match: those whose variables have a value that `rows` look for."""
    parts = context.pack.parts(other)
    for here, there in lookup.on.items():
        if there in (other.fetch.parts or {}):
            values = set(_keys(context, numbered(rows), [here], ["value"])[0]["value"].drop_nulls())
            parts = [part for part in parts if part.variables[there] in values]
    return parts


def _add(context: Context, source: FetchedSource, match: Match, rows: pl.DataFrame, accepted_rows: AcceptedRows) -> pl.DataFrame:
    lookup = source.lookups[match.lookup]
    other = context.pack.sources[lookup.source]
    table = _table(context, match, other, lookup, parts_to_read(context, other, lookup, rows), accepted_rows)
    keys = [f"__on_{i}" for i in range(len(lookup.on))]
    rows = numbered(rows)
    values, failed = _keys(context, rows, list(lookup.on), keys)
    joined = rows.join(values, on="__n", how="left", maintain_order="left").join(table, on=keys, how="left", maintain_order="left")
    reasons = pl.concat_str(
        FAULT,
        pl.when(pl.col("__n").is_in(failed.implode())).then(pl.lit(f"lookups.{match.lookup}: what must be equal cannot be computed")),
        pl.when(pl.col("__different") > 1).then(
            pl.format(
                "lookups.{}: {} different rows of {} have the same {}",
                pl.lit(match.lookup), "__different", pl.lit(other.id), pl.lit(", ".join(lookup.on.values())),
            )
        ),
        separator="; ",
        ignore_nulls=True,
    )  # fmt: skip
    used = sorted({column.lower() for here in lookup.on for column in expressions.parse(here).columns})
    is_key_bad = pl.col("__bad").list.eval(pl.element().str.to_lowercase()).list.set_intersection(used).list.len().fill_null(0) > 0
    bad = [pl.when(is_key_bad | pl.col(f"__bad_{column}").fill_null(False)).then(pl.lit(column)) for column in lookup.take]
    bad_columns = pl.concat_list(pl.col("__bad").fill_null([]), *bad).list.drop_nulls()
    return joined.with_columns(
        pl.when(reasons != "").then(reasons).alias(FAULT), pl.when(bad_columns.list.len() > 0).then(bad_columns).alias("__bad")
    ).drop("__n", "__different", *keys, *(f"__bad_{column}" for column in lookup.take))


def _table(
    context: Context, match: Match, other: FetchedSource, lookup: Lookup, parts: Sequence[Part], accepted_rows: AcceptedRows
) -> pl.DataFrame:
    """Return the table of a lookup, the remembered one where the context remembers tables."""
    used = context.parts_used.get(other.id, {})
    for part in parts:
        if part.name not in used:
            name = f"{other.id} {part.name}".rstrip()
            raise readers.UnreadableSnapshot(f"lookups.{match.lookup}: {name} has no snapshot that can be used")
    snapshots = {part.name: used[part.name].snapshot for part in parts}
    if context.lookup_tables is None:
        return _new_table(context, match, lookup, accepted_rows(other, snapshots))
    key = (digest([lookup.model_dump(mode="json"), snapshots]), match.origin)
    if key not in context.lookup_tables:
        context.lookup_tables[key] = _new_table(context, match, lookup, accepted_rows(other, snapshots))
    return context.lookup_tables[key]


def _new_table(context: Context, match: Match, lookup: Lookup, accepted: pl.DataFrame) -> pl.DataFrame:
    """Return the distinct keys (`__on_*`) of the other source with the cells to take, whether each is bad, the number of different matches
    (`__different`), and the origin of the first one."""
    rows = numbered(accepted)
    keys = [f"__on_{i}" for i in range(len(lookup.on))]
    values, _ = _keys(context, rows, list(lookup.on.values()), keys)  # a row of which this cannot be computed matches nothing
    bad = pl.col("__bad").fill_null([])
    taken = [frames.column(column).alias(new) for new, column in lookup.take.items()]
    flags = [bad.list.contains(column).alias(f"__bad_{new}") for new, column in lookup.take.items()]
    origin = pl.struct(pl.col("__part").alias("part"), pl.col("__row").alias("row")).alias(match.origin)
    table = rows.select("__n", *taken, *flags, origin).join(values, on="__n", how="left", maintain_order="left").drop("__n")
    cells = [name for name in table.columns if name not in (match.origin, *keys)]
    distinct = table.unique([frames.column(name) for name in (*keys, *cells)], keep="first", maintain_order=True)
    table = distinct.group_by(keys, maintain_order=True).agg(
        pl.len().alias("__different"), *(frames.column(name).first() for name in (*cells, match.origin))
    )
    # of several different matches none is right
    return table.with_columns(
        pl.when(pl.col("__different") == 1).then(frames.column(name)).alias(name) for name in (*lookup.take, match.origin)
    )


def _keys(context: Context, rows: pl.DataFrame, texts: Sequence[str], names: Sequence[str]) -> tuple[pl.DataFrame, pl.Series]:
    """Return the values of expressions by `__n`, and the `__n` of the rows on which one of them fails."""
    columns = {column.lower() for text in texts for column in expressions.parse(text).columns}
    needed = rows[["__n", *(name for name in rows.columns if name.lower() in columns)]]
    evaluated = [(name, "varchar", text) for name, text in zip(names, texts, strict=True)]
    values, failures = context.sandbox.evaluate(needed, evaluated)
    return values, failures["__n"].unique()
