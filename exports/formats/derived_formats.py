"""The published tables in further forms: by indicator (CSV, SDMX, JSON-stat), as a workbook, as map files. Made from the Parquet files.

They hold nothing that the tables do not, and a release that says the same as the last one is never asked for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl

from exports.formats import csv, geo, jsonstat, workbook
from exports.formats import sdmx as sdmx_files
from exports.model import checksums, labels, sdmx
from exports.model.info import Context, FileFacts
from exports.model.labels import Labels
from exports.model.tables import Table

BY_INDICATOR = "csv/by_indicator"
JSON_STAT = "jsonstat"
WORKBOOK = "latest_values.xlsx"
GEO_PARQUET, GEO_JSON = "geo/areas.parquet", "geo/areas.geojson"


def write(folder: Path, context: Context, spill: Path) -> dict[str, FileFacts]:
    """Write into `folder`, which has the Parquet files of all tables, and return size and checksum by path.

    A form is there where the tables have the columns that it needs.
    """
    tables = {table.name: table for table in context.tables}
    called = labels.read(folder / "parquet", context.info.languages)
    spill.mkdir(exist_ok=True)
    with ThreadPoolExecutor(1) as beside:  # XlsxWriter is Python, the others hardly
        book = beside.submit(lambda: list(_workbook(folder, context, tables, spill)))
        paths = [*_maps(folder, context, tables), *_by_indicator(folder, context, tables, called)]
        paths += book.result()
    return {path: checksums.facts(folder / path) for path in sorted(paths)}


def _workbook(folder: Path, context: Context, tables: dict[str, Table], spill: Path) -> Iterator[str]:
    if {"latest_values", "indicators"} <= set(tables):
        latest, indicators = (pl.read_parquet(folder / f"parquet/{name}.parquet") for name in ("latest_values", "indicators"))
        if workbook.fits(latest) and workbook.fits(indicators):
            workbook.write(latest, indicators, context, folder / WORKBOOK, spill)
            yield WORKBOOK


def _maps(folder: Path, context: Context, tables: dict[str, Table]) -> Iterator[str]:
    table = tables.get("areas")
    if table is None or not {"ref_area", "lat", "lon"} <= {column.name for column in table.columns}:
        return
    (folder / GEO_PARQUET).parent.mkdir()
    points = geo.points(pl.read_parquet(folder / "parquet/areas.parquet"))
    geo.write_parquet(points, table, context.info.about(), folder / GEO_PARQUET)
    geo.write_geojson(points, folder / GEO_JSON)
    yield from (GEO_PARQUET, GEO_JSON)


def _by_indicator(folder: Path, context: Context, tables: dict[str, Table], called: Labels) -> Iterator[str]:
    table = tables.get("indicator_values")
    if table is None or table.key[0] != "indicator":
        return
    values = pl.read_parquet(folder / "parquet/indicator_values.parquet")
    cube = sdmx.is_cube(table)
    for path in (BY_INDICATOR, *((JSON_STAT, "sdmx") if cube else ())):
        (folder / path).mkdir()
    names = []
    for name, rows in runs(values):
        names.append(name)
        csv.write(rows, folder / BY_INDICATOR / f"{name}.csv")
        yield f"{BY_INDICATOR}/{name}.csv"
        if cube:
            jsonstat.write(rows, name, context.info, called, folder / JSON_STAT / f"{name}.json")
            sdmx_files.write(rows, context.info.pack, folder / "sdmx" / f"{name}.csv")
            yield from (f"{JSON_STAT}/{name}.json", f"sdmx/{name}.csv")
    if cube:
        ages = values["age"].unique().sort().to_list()
        sdmx_files.write_structure(context.info, called, names, ages, folder / sdmx.STRUCTURE_PATH)
        yield sdmx.STRUCTURE_PATH


def runs(values: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield each indicator of the sorted `values` with its rows; no row is copied."""
    at = 0
    for run in values["indicator"].rle().to_list():
        yield run["value"], values.slice(at, run["len"])
        at += run["len"]
