"""Write the files of each topic: the newest values as CSV, and the values of all periods as Parquet, with names and titles in every row.

A missing value has a row, whose status says why. The CSV file has, for each indicator, the areas of today in the newest period in which any
area of their level has a value, women and men of all ages together, rounded to four digits more than are shown. The rows of one indicator are
in memory at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from exports.formats import csv, parquet
from exports.formats.latest_by_level import areas_above
from exports.formats.parquet import RowGroups
from exports.formats.rounding import round_decimals
from exports.model import layout, made_from
from exports.model.info import Context
from exports.model.reuse import Reuse, key
from exports.model.tables import Table
from exports.model.topic_table import NUMBERS, PARENT, newest_table, parents, text_columns, topic_table
from exports.model.topics import INDICATORS, Topic
from pipelines.core.vocabulary import TOTAL, first_day

IS_CURRENT = "is_current"
"""Whether an area exists today; no column of the files."""
AT = pl.col("at")
FURTHER_DIGITS = 4
"""With these, differences and ranks are those of the whole numbers, and who rounds them again gets what the workbook shows."""
NOT_CODED = NUMBERS
"""Columns with so many different values that a dictionary does not pay."""


@dataclass(frozen=True)
class _Labels:
    """What the rows of all topics need beside the values: names of areas, texts of indicators, and how many decimals are shown."""

    areas: pl.DataFrame
    texts: Mapping[str, Mapping[str, str | None]]
    decimals: Mapping[str, int | None]


def write(folder: Path, context: Context, where: Mapping[str, tuple[int, int]], reuse: Reuse) -> Iterator[str]:
    """Write the files of all topics to `folder`, which has the Parquet files of all tables, and yield their paths.

    `where` has the number of the first row and the number of rows of each indicator in `indicator_values`. Files that did not change are
    linked.
    """
    tables: dict[str, tuple[Table, Table]] = {}
    topics: dict[str, Topic] = {}
    for topic in context.data_sets:
        if (whole := topic_table(context, topic)) and (newest := newest_table(context, topic)):
            topics[topic.id], tables[topic.id] = topic, (newest, whole)
    if not topics:
        return
    (folder / layout.TOPICS).mkdir()
    labels = _Labels(_areas(folder, context), _texts(folder, context), _decimals(folder))
    digests = reuse.tables[INDICATORS].digest.parts if INDICATORS in reuse.tables else {}
    others = [reuse.tables[name].digest.parts for name in ("areas", "area_parents", "indicators") if name in reuse.tables]
    for name, topic in topics.items():
        paths = (layout.topic_csv_path(name), layout.topic_parquet_path(name))
        about = context.info.about({source["id"] for source in made_from.data_set_sources(context, topic)})
        inputs = key("topic", [asdict(table) for table in tables[name]], about, [[i, digests.get(i)] for i in topic.indicators], others)
        if not reuse.link(folder, paths, inputs):
            row_ranges = {i: where[i] for i in sorted(topic.indicators) if i in where}
            _write(folder, tables[name], topic, row_ranges, labels, about)
        yield from paths


def _write(
    folder: Path,
    tables: tuple[Table, Table],
    topic: Topic,
    where: Mapping[str, tuple[int, int]],
    labels: _Labels,
    about: Mapping[str, str],
) -> None:
    newest_columns, names = ([column.name for column in table.columns] for table in tables)
    table = tables[1]
    coded = [column.name for column in table.columns if column.name not in NOT_CODED]
    with ExitStack() as stack:
        newest = stack.enter_context((folder / layout.topic_csv_path(topic.id)).open("wb"))
        csv.append_header(newest_columns, newest, quote_style="always")  # so that readers which look at the first rows only expect quotes
        writer = stack.enter_context(
            parquet.open_writer(folder / layout.topic_parquet_path(topic.id), table, parquet.schema_of(table), coded, about)
        )
        groups = RowGroups(writer)
        for indicator, (first, count) in where.items():
            rows = read(folder / layout.parquet_path(INDICATORS), first, count, names)
            rows = described(rows, indicator, labels.areas, labels.texts)
            csv.append(_rounded(newest_rows(rows), labels.decimals.get(indicator)).select(newest_columns), newest, header=False)
            groups.write(_arrow(rows.select(names), table))
        groups.close()


def read(source: Path, first: int, count: int, names: list[str]) -> pl.DataFrame:
    """Return the rows of an indicator, with those of the columns `names` that the file has."""
    with pq.ParquetFile(source) as file:
        present = [name for name in file.schema_arrow.names if name in names and name not in ("level", "name")]
    return pl.scan_parquet(source).slice(first, count).select(present).collect()


def described(rows: pl.DataFrame, indicator: str, areas: pl.DataFrame, texts: Mapping[str, Mapping[str, str | None]]) -> pl.DataFrame:
    """Return the rows of an indicator with its texts and with the names of the areas."""
    columns = [pl.lit(text, dtype=pl.String).alias(name) for name, text in texts.get(indicator, {}).items()]
    return rows.with_columns(columns).join(areas, on="ref_area", how="left", maintain_order="left")


def newest_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of the areas of today, women and men of all ages together, in the newest period with a value at their level."""
    rows = rows.filter(pl.col(IS_CURRENT), *(pl.col(name) == TOTAL for name in ("sex", "age") if name in rows.columns))
    order = {period: str(first_day(period)) + period for period in rows["time_period"].unique()}
    at = rows["time_period"].replace_strict(order, return_dtype=pl.String) if order else rows["time_period"]
    level = "level" if "level" in rows.columns else pl.lit("")
    newest = pl.when(pl.col("obs_value").is_not_null()).then(AT).max().over(level)
    return rows.with_columns(at.alias("at")).filter(newest == AT)


def _rounded(rows: pl.DataFrame, decimals: int | None) -> pl.DataFrame:
    """Return rows with numbers of FURTHER_DIGITS more decimals than are shown; as they are if it is unknown how many are shown."""
    if decimals is None:
        return rows
    numbers = [name for name in NUMBERS if name in rows.columns]
    rounded = [pl.Series(name, round_decimals(rows[name].fill_null(np.nan).to_numpy(), decimals + FURTHER_DIGITS)) for name in numbers]
    return rows.with_columns(series.fill_nan(None) for series in rounded)


def _areas(folder: Path, context: Context) -> pl.DataFrame:
    """Return ref_area, name, level, whether the area is current, and the names of the areas above, a column for each of their levels."""
    frame = pl.read_parquet(folder / layout.parquet_path("areas"))
    wanted = [name for name in ("ref_area", "name", "level") if name in frame.columns]
    is_current = pl.col("valid_to").is_null() if "valid_to" in frame.columns else pl.lit(True)
    frame = frame.select(*wanted, is_current.alias(IS_CURRENT))
    above = parents(context)
    if not above or "level" not in wanted:
        return frame.with_columns(pl.lit(None, dtype=pl.String).alias(PARENT + level) for level in above)
    links = pl.read_parquet(folder / layout.parquet_path("area_parents"))
    if "valid_to" in links.columns:
        links = links.filter(pl.col("valid_to").is_null())
    found = areas_above(links.select("ref_area", "parent").unique(), frame)
    for level in above:
        names = found.filter(pl.col("level") == level).group_by("ref_area").agg(pl.col("name").min().alias(PARENT + level))
        frame = frame.join(names, on="ref_area", how="left", maintain_order="left")
    return frame


def _texts(folder: Path, context: Context) -> dict[str, dict[str, str | None]]:
    """Return the texts of each indicator by the column that they go into."""
    frame = pl.read_parquet(folder / layout.parquet_path("indicators"))
    columns = text_columns(context, set(frame.columns))
    return {row["indicator"]: {column.name: row[column.source] for column in columns} for row in frame.iter_rows(named=True)}


def _decimals(folder: Path) -> dict[str, int | None]:
    """Return how many decimals of each indicator are shown to readers."""
    frame = pl.read_parquet(folder / layout.parquet_path("indicators"))
    return dict(frame.select("indicator", "decimals").iter_rows()) if "decimals" in frame.columns else {}


def _arrow(rows: pl.DataFrame, table: Table) -> pa.Table:
    return rows.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(parquet.schema_of(table))
