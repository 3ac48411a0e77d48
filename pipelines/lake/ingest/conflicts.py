"""Different observations of one cell within a source: all of them go to quarantine, none is preferred."""

from __future__ import annotations

import polars as pl

from pipelines.core.fingerprint import digest
from pipelines.lake import store as lake_rooms
from pipelines.lake.ingest.context import Context
from pipelines.lake.ingest.report import SourceReport
from pipelines.lake.store import Receipt
from pipelines.packs.schema import FetchedSource, ObservationsMap


def settle(context: Context, source: FetchedSource, report: SourceReport) -> None:
    """Find different observations of one cell within a source, over all its parts: all of them go to quarantine."""
    if not isinstance(source.map, ObservationsMap) or not report.parts:
        return
    plain = [m for m, spec in source.map.measures.items() if spec.aggregate is None]
    key = digest([[r.key for r in report.parts.values()], "conflicts"])
    known = context.lake.receipt(source.id, "conflicts", key)
    if known is None:
        known = _find_conflicts(context, source, report, plain, key)
    report.conflict_rows, report.conflict_cells = known.quarantined, known.cells_quarantined
    report.conflicts = known.files.get("conflicts")
    report.quarantine = [known.files["quarantine"]] if "quarantine" in known.files else []


def _find_conflicts(context: Context, source: FetchedSource, report: SourceReport, plain: list[str], key: str) -> Receipt:
    receipt = Receipt(source.id, "conflicts", "", key, 0, 0, 0, {}, 0)
    cell = ["measure", "ref_area", "time_period", "sex", "age"]
    lake = context.lake.read_all(report.files("observations"), "observations").filter(pl.col("measure").is_not_null())
    rows = lake.filter(pl.col("measure").is_in(plain) & pl.col("ref_area").is_not_null() & (pl.col("obs_status") != "Q"))
    if rows.select(cell).is_duplicated().any():
        told = rows.group_by(cell).agg(pl.struct("obs_value", "obs_status").n_unique().alias("n"))
        cells = told.filter(pl.col("n") > 1).select(cell).sort(cell)
        hit = rows.join(cells, on=cell, how="semi")
        of_row = lake.filter(pl.col("obs_status") != "Q").group_by("part", "row_number").agg(pl.len().alias("all"))
        per_row = hit.group_by("part", "row_number").agg(pl.len().alias("hits")).join(of_row, on=["part", "row_number"])
        whole = per_row.filter(pl.col("hits") == pl.col("all"))
        single = hit.join(whole, on=["part", "row_number"], how="anti")
        receipt.quarantined, receipt.cells_quarantined = whole.height, single.height
        receipt.rows_read = whole.height  # the rows move from accepted to quarantined
        value = pl.struct("measure", "ref_area", "time_period", "sex", "age", "obs_value").struct.json_encode()
        reason = pl.lit("another row of the source gives this cell a different value")
        refused = hit.with_columns(value.alias("value"), reason.alias("reason")).join(
            whole.select("part", "row_number", pl.lit(True).alias("w")), on=["part", "row_number"], how="left"
        )
        refused = refused.with_columns(pl.when(pl.col("w").is_null()).then("measure").alias("column")).sort("part", "row_number", "measure")
        refused = refused.unique(["part", "row_number", "column"], maintain_order=True)
        table = cells.with_columns(pl.lit(source.id).alias("source")).select(*lake_rooms.CONFLICTS)
        receipt.files["conflicts"] = context.lake.write("conflicts", f"{source.id}/{key[:24]}", table)
        receipt.files["quarantine"] = context.lake.write(
            "quarantine",
            f"{source.id}/conflicts/{key[:24]}",
            refused.select(*lake_rooms.QUARANTINE).cast(lake_rooms.QUARANTINE),  # type: ignore[arg-type]
        )
    context.lake.keep(receipt)
    return receipt
