"""Verify the derived formats against the tables: SDMX and JSON-stat, workbook, map files, and views and macros of the DuckDB file.

A missing format is not a fault here: not every release has every format, and SHA256SUMS reveals files that were lost. The functions yield
faults as lines and raise if a file cannot be read.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Container, Iterator, Mapping
from functools import partial
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq

from exports.formats import derived_formats, workbook
from exports.formats.rounding import PRECISION
from exports.model import sdmx
from exports.model.moved_points import moved_points
from exports.verify.formats import DescribedTable
from pipelines.core.sql import identifier, literal
from pipelines.core.vocabulary import STATUSES

FORMER_WORKBOOK = "latest_values.xlsx"
"""Earlier versions wrote one workbook: a single line of heads, and values that are not rounded."""
SDMX_COLUMNS = {"TIME_PERIOD": "time_period", "OBS_VALUE": "obs_value", "OBS_STATUS": "sdmx", "OWN_STATUS": "obs_status"}
"""Columns of an SDMX-CSV file, and the columns of the table that they must equal."""


def cube_faults(folder: Path, table: DescribedTable, linked: Container[str] = ()) -> Iterator[str]:
    """Check that each indicator's SDMX-CSV and JSON-stat files have the values and statuses of the table, in its order; in JSON-stat rounded.

    An indicator without values needs no files; releases of earlier versions of the software have them. Files that are `linked` from a
    verified release are not read.
    """
    if not (folder / "sdmx").is_dir() and not (folder / derived_formats.JSON_STAT).is_dir():
        return
    names, needed = set(), set()
    decimals = decimals_of(folder)
    for run in derived_formats.runs(folder / table.parquet):
        name = run.indicator
        names.add(name)
        if run.values:
            needed.add(name)
        cube = partial(_json_stat, decimals=decimals.get(name))
        checks = ((f"sdmx/{name}.csv", _sdmx), (f"{derived_formats.JSON_STAT}/{name}.json", cube))
        read = [(path, check) for path, check in checks if path not in linked and (folder / path).is_file()]
        if read:
            part = derived_formats.read_rows(folder / table.parquet, run.first, run.rows, ["time_period", "obs_value", "obs_status"])
            sdmx_codes = part["obs_status"].replace_strict({code: status.sdmx for code, status in STATUSES.items()}, return_dtype=pl.String)
            for path, check in read:
                yield from check(folder, path, part.with_columns(sdmx_codes.alias("sdmx")))
    for kind, suffix in (("sdmx", ".csv"), (derived_formats.JSON_STAT, ".json")):
        if not (folder / kind).is_dir():
            continue
        files = {path.stem for path in (folder / kind).glob(f"*{suffix}")}
        yield from (f"{kind}/{name}{suffix}: missing" for name in sorted(needed - files))
        yield from (f"{kind}/{name}{suffix}: {table.csv} has no such indicator" for name in sorted(files - names))


def _sdmx(folder: Path, path: str, rows: pl.DataFrame) -> Iterator[str]:
    with (folder / path).open(encoding="utf-8", newline="") as file:
        header = next(csv.reader(file), [])
    if header != [column.name for column in sdmx.DATA.columns]:
        yield f"{path}: its columns differ from {sdmx.STRUCTURE_PATH}"
        return
    rows = rows.filter(pl.col("time_period") != "")
    kinds = {name: pl.Float64 if name == "OBS_VALUE" else pl.String for name in header}
    frame = pl.read_csv(folder / path, schema=kinds, columns=list(SDMX_COLUMNS))
    for name, column in SDMX_COLUMNS.items():
        if not frame[name].equals(rows[column]):
            yield f"{path}: {name} differs from the table"


def _json_stat(folder: Path, path: str, rows: pl.DataFrame, decimals: int | None) -> Iterator[str]:
    cube = json.loads((folder / path).read_bytes())
    values = cube["value"].values() if isinstance(cube["value"], dict) else cube["value"]
    shown, expected = pl.Series(values, dtype=pl.Float64).drop_nulls(), rows["obs_value"].drop_nulls()
    near = 0.0 if decimals is None else 0.5 / 10.0**decimals + expected.abs() * PRECISION
    if len(shown) != len(expected) or ((shown - expected).abs() > near).any():
        yield f"{path}: its values differ from the table"
    if list(cube["status"].values()) != rows["sdmx"].filter(rows["sdmx"] != "A").to_list():
        yield f"{path}: its statuses differ from the table"


def decimals_of(folder: Path) -> dict[str, int | None]:
    """Return how many decimals of each indicator are shown to readers."""
    return {row["indicator"]: row.get("decimals") for row in pl.read_parquet(folder / "parquet/indicators.parquet").to_dicts()}


def workbook_faults(folder: Path, table: DescribedTable) -> Iterator[str]:
    """Check that the sheets of values of each workbook have the areas of their level, and the rounded values of the table."""
    paths = sorted(folder.glob("*.xlsx"))
    if not paths:
        return
    areas = pl.read_parquet(folder / "parquet/areas.parquet", columns=["ref_area", "level", "valid_to"])
    current = areas.filter(pl.col("valid_to").is_null()).select("ref_area", "level")
    latest = pl.read_parquet(folder / table.parquet).drop("level", strict=False)
    current = current.join(latest, on="ref_area", how="inner", maintain_order="right")
    decimals = decimals_of(folder)
    for path in paths:
        is_former = path.name == FORMER_WORKBOOK
        shown = dict.fromkeys(decimals) if is_former else decimals
        faults = _sheet_faults(path, current, shown, head_lines=1 if is_former else workbook.HEAD_LINES)
        yield from (f"{path.name}: {fault}" for fault in faults)


def _sheet_faults(path: Path, latest: pl.DataFrame, decimals: Mapping[str, int | None], head_lines: int) -> Iterator[str]:
    """Yield what differs. `decimals` are those of each indicator; the columns of other names are texts about the areas."""
    import python_calamine

    book = python_calamine.CalamineWorkbook.from_path(path)
    for name in book.sheet_names:
        lines = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        ids = [str(cell) for cell in lines[workbook.IDS]] if lines else []
        if "ref_area" not in ids:
            continue
        rows = lines[head_lines:]
        codes = [row[ids.index("ref_area")] for row in rows]
        expected = latest.filter(pl.col("ref_area").is_in(codes))
        if sorted(codes) != latest.filter(pl.col("level").is_in(expected["level"].unique().implode()))["ref_area"].sort().to_list():
            yield f"the areas of the sheet {name} differ from the table"
            continue
        expected = pl.DataFrame({"ref_area": codes}).join(expected, on="ref_area", how="left", maintain_order="left")
        for column, indicator in enumerate(ids):
            if indicator not in decimals:
                continue
            digits = decimals[indicator]
            values = [None if v is None else v if digits is None else round(v, digits) + 0.0 for v in expected[indicator]]
            if [row[column] if isinstance(row[column], float | int) else None for row in rows] != values:
                yield f"the values of {indicator} in the sheet {name} differ from the table"


def map_faults(folder: Path, table: DescribedTable) -> Iterator[str]:
    """Check that both map files have the areas with a point, in the order of the table, and the points that the list of boundaries moved."""
    if not (folder / "geo").is_dir():
        return
    expected = (
        pl.read_parquet(folder / table.parquet, columns=["ref_area", "lon", "lat"]).select("ref_area", "lon", "lat").drop_nulls().rows()
    )
    moved = moved_points(folder)
    expected = [(ref, *moved.get(ref, (lon, lat))) for ref, lon, lat in expected]
    if (folder / derived_formats.GEO_PARQUET).is_file():
        with pq.ParquetFile(folder / derived_formats.GEO_PARQUET) as file:
            rows = file.read(["ref_area", "bbox"]).to_pylist()
        if [(row["ref_area"], row["bbox"]["xmin"], row["bbox"]["ymin"]) for row in rows] != expected:
            yield f"{derived_formats.GEO_PARQUET}: its points differ from {table.csv}"
    if (folder / derived_formats.GEO_JSON).is_file():
        features = json.loads((folder / derived_formats.GEO_JSON).read_bytes())["features"]
        if [(feature["id"], *feature["geometry"]["coordinates"]) for feature in features] != expected:
            yield f"{derived_formats.GEO_JSON}: its points differ from {table.csv}"


def query_faults(folder: Path, name: str) -> Iterator[str]:
    """Check that every view and macro of the DuckDB file has a comment and can be queried."""
    with duckdb.connect(config={"temp_directory": ""}) as connection:
        connection.execute(f"attach {literal(folder / name)} as release (read_only)")
        connection.execute("use release")
        views = connection.execute(
            "select view_name, comment from duckdb_views() where database_name = 'release' and not internal"
        ).fetchall()
        macros = connection.execute(
            "select function_name, comment, len(parameters) from duckdb_functions() "
            "where database_name = 'release' and function_type = 'table_macro' and not internal"
        ).fetchall()
        queries = [("view", view, comment, identifier(view)) for view, comment in views]
        queries += [("macro", macro, comment, f"{identifier(macro)}({', '.join(['null'] * count)})") for macro, comment, count in macros]
        for kind, query, comment, source in queries:
            if not comment:
                yield f"{name}: no comment on {kind} {query}"
            try:
                connection.execute(f"select * from {source} limit 0")
            except duckdb.Error as error:
                yield f"{name}: {kind} {query} cannot be queried: {' '.join(str(error).split())}"
