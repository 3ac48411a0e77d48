"""Two releases against each other: every table that differs, row by row, into the files of the table `changes`, and a summary.

Files are read table by table in DuckDB with bounded memory; tables whose bytes are the same are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import duckdb
import polars as pl

from exports.changes import listing, pairs, reasons
from exports.changes.pairs import DIFFERING, Pair
from exports.changes.published import REVISED_TABLE, TABLE
from exports.formats import csv, parquet
from exports.model import checksums, provenance
from exports.model.change_summary import Revised, Summary, TableChanges
from exports.model.info import FileFacts
from exports.model.provenance import BOUNDARY, METHOD, Provenance
from pipelines.core.sql import literal

MEMORY = "512MB"
LIMIT = 5_000_000
"""Rows of `changes` about one table; with more it is one row that says so."""
NAMED = ("indicators", "sources")
"""Tables whose new and withdrawn rows are named in the summary."""
_CODED = ["table", "column", "kind", "from_version"]


class UnusableError(Exception):
    """A release cannot be compared with: its files are not there, or not the ones it was published with."""


@dataclass
class Sink:
    """Where the rows of `changes` go: into files, or only through a count."""

    csv_file: IO[bytes] | None = None
    parquet_writer: Any = None
    rows: int = 0
    guarded: int = 0
    _waiting: list[pl.DataFrame] = field(default_factory=list)

    def take(self, frame: pl.DataFrame) -> None:
        frame, guarded = listing.guard(frame)
        self.guarded += guarded
        if self.csv_file is not None:
            csv.append(frame, self.csv_file, header=False)
        self.rows += frame.height
        if self.parquet_writer is not None:
            self._waiting.append(frame)
            while sum(f.height for f in self._waiting) >= parquet.ROW_GROUP:  # whatever the portions, row groups are the same
                everything = pl.concat(self._waiting)
                self._put(everything.head(parquet.ROW_GROUP))
                self._waiting = [everything.slice(parquet.ROW_GROUP)]

    def end(self) -> None:
        if self.parquet_writer is not None and sum(f.height for f in self._waiting) > 0:
            self._put(pl.concat(self._waiting))

    def _put(self, frame: pl.DataFrame) -> None:
        self.parquet_writer.write_table(frame.to_arrow().cast(self.parquet_writer.schema), row_group_size=parquet.ROW_GROUP)


def compare(
    old: Path,
    new: Path,
    version: str,
    now: Provenance,
    spill: Path,
    sink: Sink | None = None,
    limit: int = LIMIT,
) -> Summary:
    """Return what differs in the release folder `new` from `old`, whose version is `version`; the rows of `changes` go into `sink`.

    `now` is the record of `new`, whose other files need not be there yet. Raises UnusableError where `old` cannot be compared with.
    """
    then = provenance.of_release(old)
    tables: dict[str, TableChanges] = {}
    named: dict[str, dict[str, list[str]]] = {"new": {}, "withdrawn": {}}
    revised: list[Revised] = []
    with duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": str(spill), "preserve_insertion_order": False}) as connection:
        found = _pairs(connection, old, new)
        why = provenance.between(then, now)
        reasons.prepare(connection, why, then, now, found)
        elsewhere = why.elsewhere or (BOUNDARY if reasons.boundaries_changed(connection) else METHOD)
        for name, pair in found.items():
            before, after = (side.rows if side else None for side in (pair.old, pair.new))
            if _same_bytes(pair):
                tables[name] = TableChanges(before, 0, 0, after, {})
                continue
            pairs.differ(connection, pair)
            added, removed = pairs.added_removed(connection)
            if (before or 0) + added - removed != (after or 0):
                raise AssertionError(f"{name}: {before} rows before + {added} new - {removed} withdrawn are not the {after} there are")
            cells = listing.count(connection, pair, elsewhere)
            total = added + removed + sum(cells.values())
            tables[name] = TableChanges(before, added, removed, after, cells, total <= limit)
            if sink is not None and total:
                if total <= limit:
                    for frame in listing.batches(connection, pair, elsewhere, version):
                        sink.take(frame)
                else:
                    sink.take(listing.folded(pair, cells, added, removed, version))
            if name == REVISED_TABLE and pair.comparable:
                revised = _revised(connection, pair)
            if name in NAMED:
                for kind, keys in named.items():
                    keys[name] = _named(connection, kind)
    if sink is not None:
        sink.end()
    told = [b for b in now.breaks if b not in then.breaks] if provenance.read(old) else []  # earlier software kept no record
    return Summary(version, tables, revised, named["new"], named["withdrawn"], told)


@contextmanager
def files(folder: Path, about: Mapping[str, str] | None = None) -> Iterator[Sink]:
    """Open csv/changes.csv and parquet/changes.parquet of a release folder; `about` goes into the metadata of the latter."""
    schema = parquet.schema_of(TABLE)
    with ExitStack() as stack:
        file = stack.enter_context((folder / "csv" / f"{TABLE.name}.csv").open("wb"))
        writer = stack.enter_context(parquet.opened(folder / "parquet" / f"{TABLE.name}.parquet", TABLE, schema, _CODED, about))
        csv.append(pl.DataFrame(schema=dict.fromkeys(listing.COLUMNS, pl.String)), file, header=True)
        yield Sink(file, writer)


@contextmanager
def csv_file(path: Path) -> Iterator[Sink]:
    """Open a CSV file of the rows of `changes`."""
    with path.open("wb") as file:
        csv.append(pl.DataFrame(schema=dict.fromkeys(listing.COLUMNS, pl.String)), file, header=True)
        yield Sink(file)


def facts(folder: Path) -> dict[str, FileFacts]:
    """Return size and checksum of the files of `changes`."""
    return {path: checksums.facts(folder / path) for path in (f"csv/{TABLE.name}.csv", f"parquet/{TABLE.name}.parquet")}


def _pairs(connection: duckdb.DuckDBPyConnection, old: Path, new: Path) -> dict[str, Pair]:
    """Return all tables of both folders, views and `changes` itself apart. The files of `old` are checked against its checksums."""
    there = _tables(new)
    found = {}
    for name in sorted({*_sound(old), *there} - {TABLE.name}):
        sides = [
            pairs.side(connection, folder / "parquet" / f"{name}.parquet") if (folder / "parquet" / f"{name}.parquet").is_file() else None
            for folder in (old, new)
        ]
        if not any(side and side.view_of for side in sides):
            found[name] = Pair(name, *sides)
    return found


def _tables(folder: Path) -> list[str]:
    return sorted(path.stem for path in (folder / "parquet").glob("*.parquet"))


def _sound(folder: Path) -> list[str]:
    """Return the tables of a release whose Parquet files are those it was published with. Raises UnusableError."""
    try:
        sums = {path: digest for path, digest in checksums.read(folder).items() if path.startswith("parquet/")}
    except (OSError, ValueError) as error:
        raise UnusableError(f"its {checksums.NAME} cannot be read ({error})") from error
    for path, digest in sorted(sums.items()):
        if not (folder / path).is_file() or checksums.facts(folder / path).sha256 != digest:
            raise UnusableError(f"its {path} is damaged or missing")
    return [Path(path).stem for path in sums]


def _same_bytes(pair: Pair) -> bool:
    old, new = pair.old, pair.new
    return old is not None and new is not None and old.rows == new.rows and checksums.facts(old.path) == checksums.facts(new.path)


def _named(connection: duckdb.DuckDBPyConnection, whole: str) -> list[str]:
    query = f"select json_extract_string(key, '$.*')[1] from {DIFFERING} where whole = {literal(whole)} order by 1"
    return [row[0] for row in connection.execute(query).fetchall()]


def _revised(connection: duckdb.DuckDBPyConnection, pair: Pair) -> list[Revised]:
    """Return the indicators whose values differ, those with most changed values first."""
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
    return [Revised(name, changed, lost, found, largest, key or "") for name, changed, lost, found, largest, key in rows]
