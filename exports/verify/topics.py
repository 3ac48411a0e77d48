"""Verify the files of topics against the tables, with queries that do not share code with what wrote the files."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path

import duckdb

from exports.formats import topic_files
from exports.formats.rounding import PRECISION
from exports.metadata import csvw
from exports.model import layout
from exports.model.connection import Limits
from exports.verify.csv_metadata import metadata_path, schema_of
from exports.verify.formats import DescribedTable
from pipelines.core.sql import identifier, literal
from pipelines.core.vocabulary import TOTAL, first_day

BUFFER = 4 << 20
"""Bytes that DuckDB reads of a CSV file at a time. Its default is half of the smallest memory of a release."""
MAY_LACK = re.compile(r"sex|age|parent_.*|title_.*|unit_.*")
"""Columns that are not in the CSV file: the same in all its rows, or texts in further languages."""
TYPES = ("VARCHAR", "DOUBLE", "BIGINT")


def topic_faults(folder: Path, values: DescribedTable, limits: Limits, linked: Collection[str] = ()) -> Iterator[str]:
    """Check the files of all topics. `values` is the table `indicator_values`. Files that are `linked` from a verified release are not read.

    The Parquet file must have exactly the rows of its indicators in the table, with names and titles of the tables; the CSV file must have
    the areas of today in the newest period with a value at their level, rounded. Both are sorted by the key.
    """
    paths = {path.stem: path for path in sorted((folder / layout.TOPICS).glob("*.parquet"))}
    for path in sorted((folder / layout.TOPICS).glob("*.csv")):
        if path.stem not in paths:
            yield f"{layout.topic_csv_path(path.stem)}: {layout.topic_parquet_path(path.stem)} is missing"
    for topic in paths:
        newest, whole = layout.topic_csv_path(topic), layout.topic_parquet_path(topic)
        if not (folder / newest).is_file():
            yield f"{newest}: missing"
        elif not {newest, whole} <= set(linked):
            with limits.connect() as connection:
                yield from _faults(connection, folder, values, newest, whole)


def _faults(connection: duckdb.DuckDBPyConnection, folder: Path, values: DescribedTable, newest: str, whole: str) -> Iterator[str]:
    connection.execute(f"create view whole as from read_parquet({literal(folder / whole)})")
    connection.execute(f"create view held as from read_parquet({literal(folder / values.parquet)})")
    types = {name: kind for name, kind, *_ in connection.execute("describe whole").fetchall()}
    if strange := [name for name, kind in types.items() if kind not in TYPES]:
        yield f"{whole}: the type of {', '.join(strange)} is none of a release"
        return
    with (folder / newest).open(encoding="utf-8", newline="") as file:
        header = next(csv.reader(file), [])
    if header != [name for name in types if name in header or not MAY_LACK.fullmatch(name)]:
        yield f"{newest}: its columns differ from {whole}"
        return
    types_of_csv = {name: types[name] for name in header}
    columns = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in types_of_csv.items())
    options = "auto_detect = false, delim = ',', quote = '\"', escape = '\"', new_line = '\\n', "
    options += f"header = true, columns = {{{columns}}}, nullstr = '', allow_quoted_nulls = false, buffer_size = {BUFFER}"
    connection.execute(f"create view newest as from read_csv({literal(folder / newest)}, {options})")
    yield from _values(connection, types, values, whole)
    yield from _names(connection, folder, types, whole)
    yield from _newest(connection, folder, types, types_of_csv, newest, whole)
    document = metadata_path(folder, newest)
    if (folder / document).is_file():
        yield from _described(folder, document, types_of_csv, newest)


def _values(connection: duckdb.DuckDBPyConnection, types: dict[str, str], values: DescribedTable, whole: str) -> Iterator[str]:
    own = [name for name in types if name in values.types and name not in ("name", "level")]  # these are those of the areas
    digest = f"select count(*), bit_xor(hash({', '.join(map(identifier, own))})) from"
    rows = connection.execute(f"{digest} whole").fetchall()
    expected = connection.execute(f"{digest} held where indicator in (select distinct indicator from whole)").fetchall()
    if rows != expected:
        yield f"{whole}: its values differ from {values.parquet}"
    key = ", ".join(identifier(name) for name in values.key if name in types)
    numbered = "select row_number() over () as r, * from whole"
    unsorted = f"select count(*) from (select ({key}) as k, lag(({key})) over (order by r) as before from ({numbered}))"
    if connection.execute(f"{unsorted} where before >= k").fetchall()[0][0]:
        yield f"{whole}: is not in the order of its key"


def _names(connection: duckdb.DuckDBPyConnection, folder: Path, types: dict[str, str], whole: str) -> Iterator[str]:
    areas = literal(folder / layout.parquet_path("areas"))
    own = [name for name in ("name", "level") if name in types]
    differs = " or ".join(f"w.{name} is distinct from a.{name}" for name in own)
    query = (
        f"select count(*) from (select distinct ref_area, {', '.join(own)} from whole) w left join read_parquet({areas}) a using (ref_area)"
    )
    if connection.execute(f"{query} where a.ref_area is null or {differs}").fetchall()[0][0]:
        yield f"{whole}: names or levels of areas differ from {layout.parquet_path('areas')}"
    indicators = literal(folder / layout.parquet_path("indicators"))
    names = [name for name, *_ in connection.execute(f"describe from read_parquet({indicators})").fetchall()]
    for text in (name for name in types if re.fullmatch(r"(title|unit)(_.*)?", name)):
        columns = [identifier(name) for name in names if name == text or ("_" not in text and name.startswith(f"{text}_"))]
        query = f"select count(*) from (select distinct indicator, {text} from whole) w left join read_parquet({indicators}) i using (indicator)"
        unknown = " and ".join(f"w.{text} is distinct from i.{name}" for name in columns) or "false"
        if connection.execute(f"{query} where {unknown}").fetchall()[0][0]:
            yield f"{whole}: the {text} of an indicator differs from {layout.parquet_path('indicators')}"


def _newest(
    connection: duckdb.DuckDBPyConnection, folder: Path, types: dict[str, str], types_of_csv: dict[str, str], newest: str, whole: str
) -> Iterator[str]:
    areas, indicators = (literal(folder / layout.parquet_path(name)) for name in ("areas", "indicators"))
    names = [name for name, *_ in connection.execute(f"describe from read_parquet({areas})").fetchall()]
    periods = [period for (period,) in connection.execute("select distinct time_period from whole").fetchall()]
    connection.execute("create temp table periods (time_period varchar, place varchar)")
    if periods:
        connection.executemany("insert into periods values (?, ?)", [(p, f"{first_day(p)} {p}") for p in periods])
    totals = " and ".join(f"{name} = {literal(TOTAL)}" for name in ("sex", "age") if name in types) or "true"
    if "valid_to" in names:
        totals += f" and ref_area in (select ref_area from read_parquet({areas}) where valid_to is null)"
    level = ", level" if "level" in types else ""
    last = f"max(place) filter (where obs_value is not null) over (partition by indicator{level})"
    connection.execute(
        f"create temp view expected as select * exclude (place) from whole join periods using (time_period) where {totals} qualify place = {last}"
    )
    columns = ", ".join(identifier(name) for name, kind in types_of_csv.items() if kind != "DOUBLE")
    digest = f"select count(*), bit_xor(hash({columns})) from"
    differs = connection.execute(f"{digest} newest").fetchall() != connection.execute(f"{digest} expected").fetchall()
    described = [name for name, *_ in connection.execute(f"describe from read_parquet({indicators})").fetchall()]
    decimals = "decimals" if "decimals" in described else "null"
    half = f"0.5 / 10.0 ** ({decimals} + {topic_files.FURTHER_DIGITS})"
    numbers = [identifier(name) for name, kind in types_of_csv.items() if kind == "DOUBLE"]
    is_far = " or ".join(
        f"(n.{name} is null) <> (e.{name} is null) or abs(n.{name} - e.{name}) > coalesce({half} + abs(e.{name}) * {PRECISION}, 0)"
        for name in numbers
    )
    query = (
        f"select count(*) from newest n join expected e using (indicator, ref_area, time_period) "
        f"join read_parquet({indicators}) i using (indicator) where {is_far or 'false'}"
    )
    if differs or connection.execute(query).fetchall()[0][0]:
        yield f"{newest}: differs from the newest values in {whole}"


def _described(folder: Path, document: str, types: dict[str, str], newest: str) -> Iterator[str]:
    schema = schema_of(json.loads((folder / document).read_text(encoding="utf-8")), Path(newest).name)
    if csvw.kinds(schema["columns"]) != [(csvw.column_name(name), csvw.DATATYPES[kind]) for name, kind in types.items()]:
        yield f"{document}: columns or types of {newest} differ from the file"
