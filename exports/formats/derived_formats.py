"""Write the published tables in derived formats: by indicator (CSV, SDMX, JSON-stat), as a workbook and as map files.

They are made from the Parquet files and contain nothing beyond the tables. A build that has nothing new to publish does not make them.
The rows of one indicator are in memory at a time. The workbook and the map files need all their rows: one per area.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from exports.formats import csv, geo, jsonstat, parquet, workbook
from exports.formats import sdmx as sdmx_files
from exports.model import checksums, labels, sdmx
from exports.model.connection import Limits
from exports.model.info import Context, FileFacts
from exports.model.labels import Labels
from exports.model.reuse import Reuse, key
from exports.model.tables import Table

BY_INDICATOR = "csv/by_indicator"
JSON_STAT, SDMX = "jsonstat", "sdmx"
WORKBOOK = "latest_values.xlsx"
INDEX_TABLES = ("sustainability", "community")
GEO_PARQUET, GEO_JSON = "geo/areas.parquet", "geo/areas.geojson"


def write(folder: Path, context: Context, limits: Limits, reuse: Reuse) -> dict[str, FileFacts]:
    """Write to `folder`, which has the Parquet files of all tables, and return size and checksum by path.

    A format is written if the pack wants it and the tables have the columns that it needs. Files that did not change are linked.
    """
    tables = {table.name: table for table in context.tables}
    names = labels.read(folder / "parquet", context.info.languages)
    spill = limits.spill
    assert spill is not None
    spill.mkdir(exist_ok=True)
    formats = context.info.formats
    with ThreadPoolExecutor(1) as executor:  # XlsxWriter is pure Python and runs beside the other libraries, which are not
        book = executor.submit(lambda: list(_workbook(folder, context, tables, spill)) if "xlsx" in formats else [])
        paths = list(_maps(folder, context, tables, reuse)) if "geo" in formats else []
        paths += _by_indicator(folder, context, tables, names, reuse)
        paths += book.result()
    return {path: reuse.linked.get(path) or checksums.facts(folder / path) for path in sorted(paths)}


def _workbook(folder: Path, context: Context, tables: dict[str, Table], spill: Path) -> Iterator[str]:
    if {workbook.LATEST, workbook.INDICATORS} <= set(tables):
        sheets = {name: pl.read_parquet(folder / f"parquet/{name}.parquet") for name in (workbook.LATEST, workbook.INDICATORS)}
        scores = [_index_scores(folder, name) for name in INDEX_TABLES if name in tables and "areas" in tables and context.facts.indices]
        if scores:
            sheets[workbook.INDICES] = workbook.index_rows(pl.concat(scores), context)
        if all(workbook.fits(sheet) for sheet in sheets.values()):
            workbook.write(sheets, context, folder / WORKBOOK, spill)
            yield WORKBOOK


def _index_scores(folder: Path, table: str) -> pl.DataFrame:
    names = pl.scan_parquet(folder / "parquet/areas.parquet").select("ref_area", "name")
    return pl.scan_parquet(folder / f"parquet/{table}.parquet").join(names, on="ref_area", how="left", maintain_order="left").collect()


def _maps(folder: Path, context: Context, tables: dict[str, Table], reuse: Reuse) -> Iterator[str]:
    table = tables.get("areas")
    if table is None or not {"ref_area", "lat", "lon"} <= {column.name for column in table.columns}:
        return
    (folder / GEO_PARQUET).parent.mkdir()
    paths = (GEO_PARQUET, GEO_JSON)
    if not reuse.link(folder, paths, key("maps", asdict(table), context.info.about(), reuse.tables[table.name].digest.parts)):
        points = geo.points(pl.read_parquet(folder / "parquet/areas.parquet"))
        geo.write_parquet(points, table, context.info.about(), folder / GEO_PARQUET)
        geo.write_geojson(points, folder / GEO_JSON)
    yield from paths


def _by_indicator(folder: Path, context: Context, tables: dict[str, Table], names: Labels, reuse: Reuse) -> Iterator[str]:
    table = tables.get("indicator_values")
    note = reuse.tables.get("indicator_values")
    if table is None or note is None or note.digest.by != "indicator":
        return
    info, source = context.info, folder / "parquet/indicator_values.parquet"
    as_csv = "by_indicator" in info.formats
    as_json_stat, as_sdmx = (sdmx.is_cube(table) and name in info.formats for name in (JSON_STAT, SDMX))
    folders = [path for path, is_written in ((BY_INDICATOR, as_csv), (JSON_STAT, as_json_stat), (SDMX, as_sdmx)) if is_written]
    if not folders:
        return
    for path in folders:
        (folder / path).mkdir()
    columns, labelling = key(asdict(table)), key(info.languages, info.licence, info.sources, names.areas)
    indicators = []
    for name, offset, count in runs(source):
        indicators.append(name)
        digest = note.digest.parts[name]
        if as_csv:
            path = f"{BY_INDICATOR}/{name}.csv"
            if not reuse.link(folder, [path], key("csv", columns, digest)):
                csv.write_part(folder / "csv/indicator_values.csv", note.ranges[name], folder / path)
            yield path
        files: dict[str, tuple[str, Callable[..., object]]] = {}
        if as_json_stat:
            files[f"{JSON_STAT}/{name}.json"] = (
                key("json-stat", labelling, asdict(names.indicator(name)), digest),
                partial(jsonstat.write, name=name, info=info, labels=names),
            )
        if as_sdmx:
            files[f"{SDMX}/{name}.csv"] = (key("sdmx", info.pack, digest), partial(sdmx_files.write, pack=info.pack))
        changed = {path: write_file for path, (k, write_file) in files.items() if not reuse.link(folder, [path], k)}
        if changed:
            rows = read_rows(source, offset, count)
            for path, write_file in changed.items():
                write_file(rows, path=folder / path)
        yield from files
    if as_sdmx:
        ages = pl.scan_parquet(source).select(pl.col("age").unique().sort()).collect(engine="streaming")["age"].to_list()
        sdmx_files.write_structure(info, names, indicators, ages, folder / sdmx.STRUCTURE_PATH)
        yield sdmx.STRUCTURE_PATH


def runs(source: Path) -> Iterator[tuple[str, int, int]]:
    """Yield each indicator of a sorted Parquet file with the number of its first row and the number of its rows."""
    name, first, offset = None, 0, 0
    with pq.ParquetFile(source) as file:
        for batch in file.iter_batches(parquet.ROW_GROUP, columns=["indicator"]):
            for run in pl.Series(batch.column(0)).rle().to_list():
                if run["value"] != name:
                    if name is not None:
                        yield name, first, offset - first
                    name, first = run["value"], offset
                offset += run["len"]
    if name is not None:
        yield name, first, offset - first


def read_rows(source: Path, offset: int, count: int, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Read `count` rows of a Parquet file from row `offset` on. Only the row groups that have them are read."""
    rows = pl.scan_parquet(source).slice(offset, count)
    return (rows.select(columns) if columns else rows).collect()
