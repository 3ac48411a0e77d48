"""Write latest_values.xlsx: the latest values and indices for spreadsheet users, with notes on the indicators and the release."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from exports.model.info import Context
from pipelines.core.vocabulary import STATUSES

LATEST, INDICATORS, INDICES, ABOUT = "latest_values", "indicators", "indices", "about"
RANKS = ("rank", "rank_low", "rank_high")
MOST_ROWS, MOST_COLUMNS = 1_048_575, 16_384
"""The limits of a sheet, without its header."""
WIDTHS = {"name": 28, "title": 42, "description": 60, "formula": 50, "needed": 40}


def fits(frame: pl.DataFrame) -> bool:
    return frame.height <= MOST_ROWS and frame.width <= MOST_COLUMNS


def index_rows(scores: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Return the scores of whole indices in their newest periods, with ranks only of the indices whose ranks are shown to readers."""
    rankable = [index.id for index in context.facts.indices if index.rankable]
    titles = {index.id: context.info.text(index.titles) for index in context.facts.indices}
    whole = scores.filter(pl.col("component") == pl.col("index"), pl.col("time_period") == pl.col("time_period").max().over("index"))
    ranks = [pl.when(pl.col("index").is_in(rankable)).then(pl.col(name)).alias(name) for name in RANKS] if rankable else []
    title = pl.col("index").replace_strict(titles, default=pl.col("index"), return_dtype=pl.String).alias("title")
    return whole.select(
        "index", title, "ref_area", "name", "time_period", "score", "obs_status", "fifth", *ranks, "oldest_input", "newest_input"
    )


def write(tables: Mapping[str, pl.DataFrame], context: Context, path: Path, spill: Path) -> None:
    """Write the workbook: a sheet for each of `tables`, and one about the release.

    Texts stay texts, so that codes keep their zeros; a missing value is an empty cell. The same tables and version give the same bytes.
    """
    options = {
        "constant_memory": True, "tmpdir": str(spill), "strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False,
    }  # fmt: skip
    with xlsxwriter.Workbook(path, options) as book:
        book.set_properties({
            "title": context.info.text(context.info.title),
            "comments": f"release {context.version}",
            "created": context.info.released.astimezone(UTC).replace(tzinfo=None, microsecond=0),
        })  # fmt: skip
        head, text = book.add_format({"bold": True}), book.add_format({"num_format": "@"})
        for name, frame in {**tables, ABOUT: _about(context)}.items():
            _sheet(book, name, frame, head, text)


def _sheet(book: xlsxwriter.Workbook, name: str, frame: pl.DataFrame, head: Any, text: Any) -> None:
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 1)
    if frame.height:
        sheet.autofilter(0, 0, frame.height, frame.width - 1)
    for number, (column, kind) in enumerate(frame.schema.items()):
        sheet.set_column(number, number, WIDTHS.get(column.partition("_")[0], 14), None if kind.is_numeric() else text)
        sheet.write_string(0, number, column, head)
    numeric = [kind.is_numeric() for kind in frame.dtypes]
    write_number, write_text = sheet.write_number, sheet.write_string
    for row, cells in enumerate(frame.iter_rows(), 1):
        for number, cell in enumerate(cells):
            if cell is None or cell == "":
                continue
            if numeric[number]:
                write_number(row, number, cell)
            else:
                write_text(row, number, cell, text)


def _about(context: Context) -> pl.DataFrame:
    info = context.info
    rows = [("title", info.text(info.title)), ("release", context.version), ("released", info.timestamp), ("licence", info.licence)]
    if info.publisher.get("name"):
        rows.append(("publisher", info.text(info.publisher["name"])))
    rows += [(f"source {s['id']}", f"{info.text(s['publisher'])}: {info.text(s['title'])} ({s['licence']})") for s in info.sources]
    rows += [(f"index {index.id}", info.text(index.notes)) for index in context.facts.indices]
    rows += [(f"status {code}", f"{status.name}, {status.presence}") for code, status in STATUSES.items()]
    rows.append(("missing values", "an empty cell; the table indicator_values has the status of each value"))
    return pl.DataFrame(rows, schema=["name", "text"], orient="row")
