"""Compare two releases: write every difference to the files of the table `changes`, and return a summary.

DuckDB reads the files table by table with bounded memory. Tables with identical files are skipped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import duckdb
import polars as pl

from exports.changes import listing, masking, pairs, reasons
from exports.changes.pairs import DIFFERING, Pair
from exports.changes.published import REVISED_TABLE, TABLE
from exports.formats import csv, parquet
from exports.model import checksums, layout, provenance
from exports.model.change_summary import Revision, Summary, TableChanges
from exports.model.connection import Limits
from exports.model.info import FileFacts
from exports.model.provenance import BOUNDARY, Provenance
from exports.model.reuse import UnchangedParts
from pipelines.core.errors import Zpo2Error
from pipelines.core.sql import literal

LIMIT = 5_000_000
"""The most rows of `changes` for one table. If there are more, a single row says so."""
NAMED = ("indicators", "sources")
"""Tables whose new and withdrawn rows the summary names."""
_CODED = ["table", "column", "kind", "from_version"]


class NotComparableError(Zpo2Error):
    """A release cannot be compared with, because its files are missing or damaged."""


@dataclass
class Sink:
    """The destination of the rows of `changes`: a CSV file, with or without the row groups of a Parquet file."""

    csv_file: IO[bytes]
    row_groups: parquet.RowGroups | None = None
    rows: int = 0
    guarded: int = 0

    def write(self, frame: pl.DataFrame) -> None:
        frame, guarded = listing.guard(frame)
        self.guarded += guarded
        csv.append(frame, self.csv_file, header=False)
        self.rows += frame.height
        if self.row_groups is not None:
            self.row_groups.write(frame.to_arrow().cast(parquet.schema_of(TABLE)))


def compare(
    old: Path,
    new: Path,
    version: str,
    new_provenance: Provenance,
    limits: Limits,
    sink: Sink | None = None,
    *,
    limit: int = LIMIT,
    unchanged: Mapping[str, UnchangedParts] | None = None,
) -> Summary:
    """Return how the release folder `new` differs from the release `old` with the given version. `sink` gets the rows of `changes`.

    `new` needs only its Parquet files; its provenance is a parameter. Parts of tables that are
    `unchanged` are not read. Raises NotComparableError if `old` cannot be compared with.
    """
    old_provenance = provenance.of_release(old)
    tables: dict[str, TableChanges] = {}
    named: dict[str, dict[str, list[str]]] = {"new": {}, "withdrawn": {}}
    revisions: list[Revision] = []
    with limits.connect() as connection:
        connection.execute("set preserve_insertion_order = false")
        compared = _pairs(connection, old, new)
        why = provenance.between(old_provenance, new_provenance)
        reasons.prepare(connection, why, old_provenance, new_provenance, compared)
        masked = masking.find(connection, compared)
        fallback = why.fallback or (BOUNDARY if reasons.boundaries_changed(connection) else why.otherwise)
        for name, pair in compared.items():
            before, after = (side.rows if side else None for side in (pair.old, pair.new))
            if _same_bytes(pair):
                tables[name] = TableChanges(before, 0, 0, after, {})
                continue
            pairs.find_differences(connection, pairs.differing_parts(pair, unchanged.get(name) if unchanged else None))
            masking.apply(connection, pair, masked)
            added, removed = pairs.added_removed(connection)
            if (before or 0) + added - removed != (after or 0):
                raise AssertionError(f"{name}: {before} rows before + {added} new - {removed} withdrawn is not the {after} rows now")
            cells = listing.count(connection, pair, fallback)
            total = added + removed + sum(cells.values())
            tables[name] = TableChanges(before, added, removed, after, cells, total <= limit)
            if sink is not None and total:
                if total <= limit:
                    for frame in listing.batches(connection, pair, fallback, version):
                        sink.write(frame)
                else:
                    sink.write(listing.summary_row(pair, cells, added, removed, version))
            if name == REVISED_TABLE and pair.comparable:
                revisions = _revisions(connection, pair)
            if name in NAMED:
                for kind, keys in named.items():
                    keys[name] = _named(connection, kind)
    # earlier versions of the software kept no record, so that every break would look new
    earlier = {_break_key(b) for b in old_provenance.breaks}
    breaks = [b for b in new_provenance.breaks if _break_key(b) not in earlier] if provenance.read(old) else []
    return Summary(version, tables, revisions, named["new"], named["withdrawn"], breaks)


def _break_key(series_break: Mapping[str, str]) -> tuple[str | None, ...]:
    """Return what makes a break another one: a new note does not."""
    return tuple(series_break.get(name) for name in ("source", "measure", "period"))


@contextmanager
def release_files(folder: Path, about: Mapping[str, str] | None = None) -> Iterator[Sink]:
    """Open csv/changes.csv and parquet/changes.parquet in a release folder. `about` goes into the metadata of the Parquet file."""
    schema = parquet.schema_of(TABLE)
    with ExitStack() as stack:
        file = stack.enter_context((folder / layout.csv_path(TABLE.name)).open("wb"))
        writer = stack.enter_context(parquet.open_writer(folder / layout.parquet_path(TABLE.name), TABLE, schema, _CODED, about))
        csv.append_header(listing.COLUMNS, file)
        row_groups = parquet.RowGroups(writer)
        yield Sink(file, row_groups)
        row_groups.close()


@contextmanager
def csv_file(path: Path) -> Iterator[Sink]:
    """Open a CSV file for the rows of `changes`."""
    with path.open("wb") as file:
        csv.append_header(listing.COLUMNS, file)
        yield Sink(file)


def facts(folder: Path) -> dict[str, FileFacts]:
    """Return size and checksum of the files of the table `changes`."""
    return {path: checksums.facts(folder / path) for path in (layout.csv_path(TABLE.name), layout.parquet_path(TABLE.name))}


def _pairs(connection: duckdb.DuckDBPyConnection, old: Path, new: Path) -> dict[str, Pair]:
    """Return all tables of both folders except views and `changes` itself. The files of `old` are checked against its checksums."""
    compared = {}
    for name in sorted({*_intact_tables(old), *_tables(new)} - {TABLE.name}):
        sides = [
            pairs.side(connection, folder / "parquet" / f"{name}.parquet") if (folder / "parquet" / f"{name}.parquet").is_file() else None
            for folder in (old, new)
        ]
        if not any(side and side.view_of for side in sides):
            compared[name] = Pair(name, *sides)
    return compared


def _tables(folder: Path) -> list[str]:
    return sorted(path.stem for path in (folder / "parquet").glob("*.parquet"))


def _intact_tables(folder: Path) -> list[str]:
    """Return the tables of a release, having checked that its Parquet files are undamaged. Raises NotComparableError."""
    try:
        sums = {path: digest for path, digest in checksums.read(folder).items() if path.startswith("parquet/")}
    except (OSError, ValueError) as error:
        raise NotComparableError(f"its {checksums.NAME} cannot be read ({error})") from error
    for path, digest in sorted(sums.items()):
        if not (folder / path).is_file() or checksums.facts(folder / path).sha256 != digest:
            raise NotComparableError(f"its {path} is damaged or missing")
    return [Path(path).stem for path in sums]


def _same_bytes(pair: Pair) -> bool:
    old, new = pair.old, pair.new
    if old is None or new is None or old.rows != new.rows:
        return False
    return old.path.samefile(new.path) or checksums.facts(old.path) == checksums.facts(new.path)


def _named(connection: duckdb.DuckDBPyConnection, whole: str) -> list[str]:
    query = f"select json_extract_string(key, '$.*')[1] from {DIFFERING} where whole = {literal(whole)} order by 1"
    return [row[0] for row in connection.execute(query).fetchall()]


def _revisions(connection: duckdb.DuckDBPyConnection, pair: Pair) -> list[Revision]:
    """Return the indicators whose values differ, those with the most changed values first."""
    if pair.new is None or "indicator" not in pair.new.key or "obs_value" not in pair.values:
        return []
    i = pair.values.index("obs_value")
    rows = connection.execute(f"""
        with cells as (
            select json_extract_string(key, '$.indicator') as indicator, key, o{i} as old, n{i} as new,
                case when o{i} <> 0 then abs(n{i} - o{i}) / abs(o{i}) end as share
            from {DIFFERING}
            where whole is null and o{i} is distinct from n{i}
        ),
        counts as (
            select indicator, count(old + new) as changed, count(*) filter (where new is null) as lost,
                count(*) filter (where old is null) as found, max(share) as largest
            from cells
            group by indicator
        )
        select c.indicator, c.changed, c.lost, c.found, c.largest,
            (select min(cells.key) from cells where cells.indicator = c.indicator and cells.share = c.largest) as key
        from counts as c
        order by c.changed + c.lost + c.found desc, c.indicator""").fetchall()
    return [Revision(name, changed, lost, found, largest, key or "") for name, changed, lost, found, largest, key in rows]
