"""Write the published tables in derived formats: by indicator (CSV, SDMX, JSON-stat), as a workbook and as map files.

They are made from the Parquet files and contain nothing beyond the tables. A build that has nothing new to publish does not make them.
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
    """Write to `folder`, which has the Parquet files of all tables, and return size and checksum by path.

    A format is written if the tables have the columns that it needs.
    """
    tables = {table.name: table for table in context.tables}
    names = labels.read(folder / "parquet", context.info.languages)
    spill.mkdir(exist_ok=True)
    with ThreadPoolExecutor(1) as executor:  # XlsxWriter is pure Python and runs beside the other libraries, which are not
        book = executor.submit(lambda: list(_workbook(folder, context, tables, spill)))
        paths = [*_maps(folder, context, tables), *_by_indicator(folder, context, tables, names)]
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


def _by_indicator(folder: Path, context: Context, tables: dict[str, Table], names: Labels) -> Iterator[str]:
    table = tables.get("indicator_values")
    if table is None or table.key[0] != "indicator":
        return
    values = pl.read_parquet(folder / "parquet/indicator_values.parquet")
    cube = sdmx.is_cube(table)
    for path in (BY_INDICATOR, *((JSON_STAT, "sdmx") if cube else ())):
        (folder / path).mkdir()
    indicators = []
    for name, rows in runs(values):
        indicators.append(name)
        csv.write(rows, folder / BY_INDICATOR / f"{name}.csv")
        yield f"{BY_INDICATOR}/{name}.csv"
        if cube:
            jsonstat.write(rows, name, context.info, names, folder / JSON_STAT / f"{name}.json")
            sdmx_files.write(rows, context.info.pack, folder / "sdmx" / f"{name}.csv")
            yield from (f"{JSON_STAT}/{name}.json", f"sdmx/{name}.csv")
    if cube:
        ages = values["age"].unique().sort().to_list()
        sdmx_files.write_structure(context.info, names, indicators, ages, folder / sdmx.STRUCTURE_PATH)
        yield sdmx.STRUCTURE_PATH


def runs(values: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield each indicator of the sorted `values` with its rows. No row is copied."""
    at = 0
    for run in values["indicator"].rle().to_list():
        yield run["value"], values.slice(at, run["len"])
        at += run["len"]
