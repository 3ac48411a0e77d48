"""Small release folders of Parquet files, and the comparison of two of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from exports import Column, Table
from exports.changes import compare
from exports.formats import parquet
from exports.model import checksums, provenance
from exports.model.change_summary import Summary
from exports.model.connection import Limits
from exports.model.provenance import Provenance

POLARS = {"VARCHAR": pl.String, "DOUBLE": pl.Float64, "BIGINT": pl.Int64}
Row = Sequence[Any]
NOTHING = Provenance()


@dataclass(frozen=True)
class Content:
    """A table and its rows in any order. `columns` has the types by name."""

    name: str
    columns: Mapping[str, str]
    key: tuple[str, ...]
    rows: Sequence[Row]
    view_of: str | None = None


def values(*rows: Row) -> Content:
    """Return a table of values: indicator, area, period, value, status, sources."""
    types = ("VARCHAR", "VARCHAR", "VARCHAR", "DOUBLE", "VARCHAR", "VARCHAR")
    names = ("indicator", "ref_area", "time_period", "obs_value", "obs_status", "sources")
    return Content("indicator_values", dict(zip(names, types, strict=True)), names[:3], rows)


def areas(*rows: Row) -> Content:
    """Return a table of areas: ref_area, level, valid_from, valid_to."""
    return Content("areas", dict.fromkeys(("ref_area", "level", "valid_from", "valid_to"), "VARCHAR"), ("ref_area",), rows)


def parents(*rows: Row) -> Content:
    """Return a table of links: ref_area, parent, valid_from, valid_to."""
    names = ("ref_area", "parent", "valid_from", "valid_to")
    return Content("area_parents", dict.fromkeys(names, "VARCHAR"), names[:3], rows)


def release(folder: Path, facts: Provenance, *contents: Content) -> Path:
    """Write the files of a release that `changes` is made from."""
    (folder / "parquet").mkdir(parents=True)
    (folder / "csv").mkdir()
    for content in contents:
        columns = tuple(Column(name, kind, f"About {name}") for name, kind in content.columns.items())
        table = Table(content.name, "A table.", columns, content.key, content.view_of)
        frame = pl.DataFrame(content.rows, schema={n: POLARS[k] for n, k in content.columns.items()}, orient="row").sort(content.key)
        schema = parquet.schema_of(table)
        with parquet.open_writer(folder / "parquet" / f"{content.name}.parquet", table, schema, []) as writer:
            writer.write_table(frame.to_arrow().cast(schema))
    (folder / provenance.PATH).write_text(json.dumps(facts.to_json()))
    checksums.write(folder, {})
    return folder


@dataclass(frozen=True)
class Differences:
    """The rows of `changes` without table and version, by table, and the summary."""

    rows: dict[str, list[tuple[str, str, str, str | None, str | None]]]
    summary: Summary
    csv: str


def between(
    tmp: Path,
    old: Sequence[Content],
    new: Sequence[Content],
    then: Provenance = NOTHING,
    now: Provenance = NOTHING,
    limit: int = compare.LIMIT,
) -> Differences:
    """Return what `changes` says of two releases with the tables `old` and `new`."""
    tmp.mkdir(parents=True, exist_ok=True)
    number = len(list(tmp.iterdir()))
    before, after = release(tmp / f"{number}-old", then, *old), release(tmp / f"{number}-new", now, *new)
    with compare.release_files(after) as sink:
        summary = compare.compare(before, after, "2026.11.1", now, Limits(spill=tmp / "spill"), sink, limit=limit)
    frame = pl.read_parquet(after / "parquet" / "changes.parquet")
    assert frame.equals(frame.sort("table", "key", "column"))
    assert frame.select("table", "key", "column").is_duplicated().sum() == 0
    assert frame["from_version"].unique().to_list() in ([], ["2026.11.1"])
    rows: dict[str, list[Any]] = {}
    for table, *row in frame.drop("from_version").iter_rows():
        rows.setdefault(table, []).append(tuple(row))
    return Differences(rows, summary, (after / "csv" / "changes.csv").read_text())
