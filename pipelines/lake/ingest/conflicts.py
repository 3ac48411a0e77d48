"""Observations of a source that contradict each other. All of them go to quarantine; none is preferred.

They are either different observations of one cell, or a total that is smaller than the sum of its parts (see `totals`).
"""

from __future__ import annotations

import polars as pl

from pipelines.core.fingerprint import digest
from pipelines.lake.ingest import totals
from pipelines.lake.ingest.context import Context
from pipelines.lake.ingest.report import SourceReport
from pipelines.lake.store import CONFLICTS, QUARANTINE, Receipt
from pipelines.packs.schema import FetchedSource, ObservationsMap

CELL = totals.CELL
_ROW = ["part", "row_number", *(name for name in CELL if name != "measure")]  # a line may give several rows
_USED = ["source", "part", "snapshot", "row_number", *CELL, "obs_value", "obs_status", "aggregate", "row_count"]


def resolve_conflicts(context: Context, source: FetchedSource, report: SourceReport) -> None:
    """Find the contradictions within a source, over all its parts, and add them to the report."""
    if not isinstance(source.map, ObservationsMap) or not report.parts:
        clear(report)
        return
    key = digest([[r.key for r in report.parts.values()], "conflicts"])
    receipt = context.lake.load_receipt(source.id, "conflicts", key) or _find_conflicts(context, source, source.map, report, key)
    report.conflict_rows, report.conflict_cells = receipt.quarantined, receipt.cells_quarantined
    report.conflict_warnings = receipt.warnings
    report.conflicts = receipt.files.get("conflicts")
    report.quarantine = [receipt.files["quarantine"]] if "quarantine" in receipt.files else []


def clear(report: SourceReport) -> None:
    """Remove the contradictions from the report."""
    report.conflict_rows = report.conflict_cells = 0
    report.conflict_warnings, report.conflicts, report.quarantine = [], None, []


def _find_conflicts(context: Context, source: FetchedSource, spec: ObservationsMap, report: SourceReport, key: str) -> Receipt:
    receipt = Receipt(source=source.id, part="conflicts", snapshot="", key=key)
    observations = context.lake.read_all(report.files("observations"), "observations").filter(pl.col("measure").is_not_null()).select(_USED)
    plain = [m for m, measure in spec.measures.items() if measure.aggregate is None]
    checked = totals.check_totals(observations.filter(pl.col("aggregate") == "sum"))
    receipt.warnings = checked.warnings
    different, quarantined = _different_values(observations, plain, receipt)
    cells = pl.concat([different, checked.contradicted.select(CELL)]).sort(CELL)
    if cells.height:
        contradicted = observations.join(checked.contradicted, on=CELL).with_columns(pl.col("measure").alias("column"))
        receipt.cells_quarantined += contradicted.height
        value = pl.struct(*CELL, "obs_value").struct.json_encode()
        entries = pl.concat([quarantined, contradicted], how="diagonal_relaxed").with_columns(value.alias("value"))
        entries = entries.sort("part", "row_number", "measure").unique([*_ROW, "column"], maintain_order=True)
        table = cells.with_columns(pl.lit(source.id).alias("source")).select(*CONFLICTS)
        receipt.files["conflicts"] = context.lake.write("conflicts", f"{source.id}/{key[:24]}", table)
        receipt.files["quarantine"] = context.lake.write(
            "quarantine", f"{source.id}/conflicts/{key[:24]}", entries.with_columns(cell=None).select(*QUARANTINE).cast(QUARANTINE)
        )
    context.lake.save_receipt(receipt)
    return receipt


def _different_values(observations: pl.DataFrame, plain: list[str], receipt: Receipt) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the cells of plain measures that have several values, and their observations with `reason` and `column`.

    Sets the counts of `receipt`: a row of which every observation is in such a cell is in quarantine as a whole.
    """
    accepted = observations.filter(pl.col("obs_status") != "Q")
    rows = accepted.filter(pl.col("measure").is_in(plain) & pl.col("ref_area").is_not_null())
    if not rows.select(CELL).is_duplicated().any():
        return rows.select(CELL).clear(), rows.with_columns(column=pl.lit(None, pl.String), reason=pl.lit(None, pl.String)).clear()
    values = rows.group_by(CELL).agg(pl.struct("obs_value", "obs_status").n_unique().alias("n"))
    cells = values.filter(pl.col("n") > 1).select(CELL)
    conflicting = rows.join(cells, on=CELL, how="semi")
    all_of_row = accepted.group_by(_ROW).agg(pl.len().alias("all"))
    per_row = conflicting.group_by(_ROW).agg(pl.len().alias("conflicting")).join(all_of_row, on=_ROW)
    whole = per_row.filter(pl.col("conflicting") == pl.col("all"))
    single = conflicting.join(whole, on=_ROW, how="anti")
    receipt.quarantined, receipt.cells_quarantined = whole.height, single.height
    receipt.rows_read = whole.height  # the rows move from accepted to quarantined
    reason = pl.lit("another row of the source gives this cell a different value").alias("reason")
    is_whole = whole.select(_ROW).with_columns(pl.lit(True).alias("is_whole"))
    conflicting = conflicting.join(is_whole, on=_ROW, how="left")
    return cells, conflicting.with_columns(reason, pl.when(pl.col("is_whole").is_null()).then("measure").alias("column"))
