"""Observations of a source that contradict each other: all of them go to quarantine, none is preferred.

Either different observations of one cell, or a total of a sum that is smaller than its parts (see `totals`).
"""

from __future__ import annotations

import polars as pl

from pipelines.core.fingerprint import digest
from pipelines.lake import store as lake_rooms
from pipelines.lake.ingest import totals
from pipelines.lake.ingest.context import Context
from pipelines.lake.ingest.report import SourceReport
from pipelines.lake.store import Receipt
from pipelines.packs.schema import FetchedSource, ObservationsMap

CELL = totals.CELL


def settle(context: Context, source: FetchedSource, report: SourceReport) -> None:
    """Find the contradictions within a source, over all its parts, and put them into the report."""
    if not isinstance(source.map, ObservationsMap) or not report.parts:
        return
    key = digest([[r.key for r in report.parts.values()], "conflicts"])
    known = context.lake.receipt(source.id, "conflicts", key)
    if known is None:
        known = _find_conflicts(context, source, source.map, report, key)
    report.conflict_rows, report.conflict_cells = known.quarantined, known.cells_quarantined
    report.conflict_warnings = known.warnings
    report.conflicts = known.files.get("conflicts")
    report.quarantine = [known.files["quarantine"]] if "quarantine" in known.files else []


def _find_conflicts(context: Context, source: FetchedSource, spec: ObservationsMap, report: SourceReport, key: str) -> Receipt:
    receipt = Receipt(source.id, "conflicts", "", key, 0, 0, 0, {}, 0)
    lake = context.lake.read_all(report.files("observations"), "observations").filter(pl.col("measure").is_not_null())
    plain = [m for m, measure in spec.measures.items() if measure.aggregate is None]
    judged = totals.judge(lake.filter(pl.col("aggregate") == "sum"))
    receipt.warnings = judged.warnings
    different, refused = _different(lake, plain, receipt)
    cells = pl.concat([different, judged.refused.select(CELL)]).sort(CELL)
    if cells.height:
        hit = lake.join(judged.refused, on=CELL).with_columns(pl.col("measure").alias("column"))
        receipt.cells_quarantined += hit.height
        value = pl.struct(*CELL, "obs_value").struct.json_encode()
        entries = pl.concat([refused, hit], how="diagonal_relaxed").with_columns(value.alias("value"))
        entries = entries.sort("part", "row_number", "measure").unique(["part", "row_number", "column"], maintain_order=True)
        table = cells.with_columns(pl.lit(source.id).alias("source")).select(*lake_rooms.CONFLICTS)
        receipt.files["conflicts"] = context.lake.write("conflicts", f"{source.id}/{key[:24]}", table)
        receipt.files["quarantine"] = context.lake.write(
            "quarantine",
            f"{source.id}/conflicts/{key[:24]}",
            entries.select(*lake_rooms.QUARANTINE).cast(lake_rooms.QUARANTINE),  # type: ignore[arg-type]
        )
    context.lake.keep(receipt)
    return receipt


def _different(lake: pl.DataFrame, plain: list[str], receipt: Receipt) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the cells of plain measures that have several values, and their observations with `reason` and `column`; count them."""
    rows = lake.filter(pl.col("measure").is_in(plain) & pl.col("ref_area").is_not_null() & (pl.col("obs_status") != "Q"))
    if not rows.select(CELL).is_duplicated().any():
        return rows.select(CELL).clear(), rows.with_columns(column=pl.lit(None, pl.String), reason=pl.lit(None, pl.String)).clear()
    values = rows.group_by(CELL).agg(pl.struct("obs_value", "obs_status").n_unique().alias("n"))
    cells = values.filter(pl.col("n") > 1).select(CELL)
    hit = rows.join(cells, on=CELL, how="semi")
    of_row = lake.filter(pl.col("obs_status") != "Q").group_by("part", "row_number").agg(pl.len().alias("all"))
    per_row = hit.group_by("part", "row_number").agg(pl.len().alias("hits")).join(of_row, on=["part", "row_number"])
    whole = per_row.filter(pl.col("hits") == pl.col("all"))
    single = hit.join(whole, on=["part", "row_number"], how="anti")
    receipt.quarantined, receipt.cells_quarantined = whole.height, single.height
    receipt.rows_read = whole.height  # the rows move from accepted to quarantined
    reason = pl.lit("another row of the source gives this cell a different value").alias("reason")
    hit = hit.join(whole.select("part", "row_number", pl.lit(True).alias("w")), on=["part", "row_number"], how="left")
    return cells, hit.with_columns(reason, pl.when(pl.col("w").is_null()).then("measure").alias("column"))
