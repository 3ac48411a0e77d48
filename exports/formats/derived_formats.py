"""Write the published tables in derived formats: by topic, by indicator (SDMX, JSON-stat), as a workbook and as map files.

They are made from the Parquet files and contain nothing beyond the tables. A build that has nothing new to publish does not make them.
The rows of one indicator are in memory at a time. The workbook and the map files need all their rows: one per area.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pyarrow.parquet as pq

from exports.formats import geo, jsonstat, latest_by_level, localized_csv, parquet, reading_texts, topic_files, workbook
from exports.formats import sdmx as sdmx_files
from exports.model import checksums, labels, layout, made_from, sdmx
from exports.model.connection import Limits
from exports.model.info import Context, FileFacts
from exports.model.labels import Labels
from exports.model.reuse import Reuse, key
from exports.model.tables import Table

if TYPE_CHECKING:
    from exports.formats.boundaries import Level

JSON_STAT, SDMX = layout.JSON_STAT, layout.SDMX
INDEX_TABLES = ("sustainability", "community")
GEO_PARQUET, GEO_JSON = layout.GEO_PARQUET, layout.GEO_JSON


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
        read = executor.submit(lambda: list(_made_to_be_read(folder, context, tables, spill)) if "xlsx" in formats else [])
        paths = list(_maps(folder, context, tables, reuse)) if "geo" in formats else []
        paths += _by_indicator(folder, context, tables, names, reuse)
        paths += _topics(folder, context, tables, reuse)
        paths += read.result()
    return {path: reuse.linked.get(path) or checksums.facts(folder / path) for path in sorted(paths)}


def _made_to_be_read(folder: Path, context: Context, tables: dict[str, Table], spill: Path) -> Iterator[str]:
    """Write the newest values as a workbook in each language, and as CSV where a language has a decimal comma."""
    columns = {name: {column.name for column in table.columns} for name, table in tables.items()}
    if not all(needed <= columns.get(name, set()) for name, needed in latest_by_level.NEEDED.items()):
        return
    levels = latest_by_level.read(folder / "parquet", list(context.info.levels))
    if not levels:
        return
    indices = [_index_scores(folder, name) for name in INDEX_TABLES if name in tables and context.facts.indices]
    scores = workbook.index_rows(pl.concat(indices), context) if indices else None
    for language in context.info.languages:
        if workbook.fits(levels):
            yield (path := layout.workbook_path(context.info.pack, language))
            workbook.write(levels, scores, context, language, folder / path, spill)
        if language in reading_texts.DECIMAL_COMMA:
            yield (path := layout.localized_csv_path(language))
            (folder / path).parent.mkdir(exist_ok=True)
            localized_csv.write(levels, context, language, folder / path)


def _index_scores(folder: Path, table: str) -> pl.DataFrame:
    names = pl.scan_parquet(folder / "parquet/areas.parquet").select("ref_area", "name")
    return pl.scan_parquet(folder / f"parquet/{table}.parquet").join(names, on="ref_area", how="left", maintain_order="left").collect()


def _maps(folder: Path, context: Context, tables: dict[str, Table], reuse: Reuse) -> Iterator[str]:
    table = tables.get("areas")
    if table is None or not {"ref_area", "lat", "lon"} <= {column.name for column in table.columns}:
        return
    (folder / GEO_PARQUET).parent.mkdir()
    paths = (GEO_PARQUET, GEO_JSON)
    about = context.info.about(made_from.table_sources(context.info, table))
    levels = _levels_with_boundaries(folder, context)
    moved = _moved(levels)
    if not reuse.link(folder, paths, key("maps", asdict(table), about, reuse.tables[table.name].digest.parts, moved)):
        points = geo.points(pl.read_parquet(folder / "parquet/areas.parquet"), moved)
        geo.write_parquet(points, table, about, folder / GEO_PARQUET)
        geo.write_geojson(points, folder / GEO_JSON)
    yield from paths
    if levels:
        yield from _boundaries(folder, context, levels, reuse)


def _levels_with_boundaries(folder: Path, context: Context) -> list[Level]:
    if context.info.boundaries is None:
        return []
    from exports.formats import boundaries  # shapely is slow to import, and few packs have boundaries

    return boundaries.read(folder, context.info)


def _moved(levels: Sequence[Level]) -> dict[str, tuple[float, float]]:
    """Return the points that maps have in place of those of the source, which lie far outside of their areas."""
    if not levels:
        return {}
    from exports.formats import boundaries

    return boundaries.points_inside(levels)


def _boundaries(folder: Path, context: Context, levels: Sequence[Level], reuse: Reuse) -> list[str]:
    from exports.formats import boundaries

    assert context.info.boundaries is not None
    paths = boundaries.paths(levels)
    tables = {name: reuse.tables[name].digest.parts for name in ("areas", "area_parents") if name in reuse.tables}
    facts = (boundaries.about(context.info), context.info.boundaries.sha256, dict(context.info.levels), version("shapely"), tables)
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
    if not reuse.link(folder, paths, key("boundaries", *facts)):
        boundaries.write(folder, levels, context)
    return paths


def _topics(folder: Path, context: Context, tables: dict[str, Table], reuse: Reuse) -> Iterator[str]:
    """Write the values of each topic, with everything that a reader needs in every row."""
    if "indicator_values" in tables and context.data_sets:
        found = {run.indicator: (run.first, run.rows) for run in runs(folder / layout.parquet_path("indicator_values"))}
        yield from topic_files.write(folder, context, found, reuse)


def _by_indicator(folder: Path, context: Context, tables: dict[str, Table], names: Labels, reuse: Reuse) -> Iterator[str]:
    """Write the values of each indicator that has any as a cube."""
    table = tables.get("indicator_values")
    note = reuse.tables.get("indicator_values")
    if table is None or note is None or note.digest.by != layout.PART or not sdmx.is_cube(table):
        return
    info, source = context.info, folder / layout.parquet_path(table.name)
    folders = [path for path in (JSON_STAT, SDMX) if path in info.formats]
    with_values = [run for run in runs(source) if run.values] if folders else []
    if not with_values:
        return
    for path in folders:
        (folder / path).mkdir()
    labelling = key(info.languages, info.licence_of_all, info.sources, names.areas)
    for run in with_values:
        name, digest = run.indicator, note.digest.parts[run.indicator]
        files: dict[str, tuple[str, Callable[..., object]]] = {}
        if JSON_STAT in folders:
            files[f"{JSON_STAT}/{name}.json"] = (
                key("json-stat", labelling, asdict(names.indicator(name)), digest),
                partial(jsonstat.write, name=name, info=info, labels=names),
            )
        if SDMX in folders:
            files[f"{SDMX}/{name}.csv"] = (key("sdmx", info.pack, digest), partial(sdmx_files.write, pack=info.pack))
        changed = {path: write_file for path, (k, write_file) in files.items() if not reuse.link(folder, [path], k)}
        if changed:
            rows = read_rows(source, run.first, run.rows)
            for path, write_file in changed.items():
                write_file(rows, path=folder / path)
        yield from files
    if SDMX in folders:
        ages = pl.scan_parquet(source).select(pl.col("age").unique().sort()).collect(engine="streaming")["age"].to_list()
        sdmx_files.write_structure(info, names, [run.indicator for run in with_values], ages, folder / sdmx.STRUCTURE_PATH)
        yield sdmx.STRUCTURE_PATH


@dataclass(frozen=True)
class Run:
    """The consecutive rows of one indicator: the number of the first one, how many there are, and how many of them have a value."""

    indicator: str
    first: int
    rows: int
    values: int


def runs(source: Path) -> Iterator[Run]:
    """Yield the rows of each indicator of a sorted Parquet file."""
    run: Run | None = None
    offset = 0
    with pq.ParquetFile(source) as file:
        for batch in file.iter_batches(parquet.ROW_GROUP, columns=["indicator", "obs_value"]):
            names, values = pl.Series(batch.column("indicator")), batch.column("obs_value")
            start = 0
            for name, length in names.rle().struct.unnest().select("value", "len").iter_rows():
                with_value = length - values.slice(start, length).null_count
                if run is not None and run.indicator == name:
                    run = Run(name, run.first, run.rows + length, run.values + with_value)
                else:
                    if run is not None:
                        yield run
                    run = Run(name, offset, length, with_value)
                start += length
                offset += length
    if run is not None:
        yield run


def read_rows(source: Path, offset: int, count: int, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Read `count` rows of a Parquet file from row `offset` on. Only the row groups that have them are read."""
    rows = pl.scan_parquet(source).slice(offset, count)
    return (rows.select(columns) if columns else rows).collect()
