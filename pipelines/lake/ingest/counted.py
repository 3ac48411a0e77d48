"""Measures that are counted from rows of the lake, and the areas that a source declares to report on."""

from __future__ import annotations

from contextlib import suppress

import polars as pl

from pipelines.core import versions
from pipelines.core.fingerprint import digest
from pipelines.core.sql import identifier
from pipelines.lake.ingest.context import Context
from pipelines.lake.ingest.faults import reason_of
from pipelines.lake.ingest.report import SourceReport
from pipelines.lake.mapping import counts
from pipelines.lake.store import File, Receipt
from pipelines.packs import expressions
from pipelines.packs.schema import CountedSource, FetchedSource


def count_source(context: Context, name: str, reports: dict[str, SourceReport], merges: File) -> SourceReport:
    """Count the events or the register entries of all sources. Events in the file `merges` are duplicates and do not count."""
    try:
        return _count(context, name, reports, merges)
    except BaseException as error:
        return SourceReport(name, "counted", errors={"": reason_of(error, name)}, down=True)


def _count(context: Context, name: str, reports: dict[str, SourceReport], merges: File) -> SourceReport:
    counted = context.pack.counted[name]
    report = SourceReport(name, "counted")
    feeding = [r for r in reports.values() if r.kind == counted.from_]
    files = [f for r in feeding for f in r.files(counted.from_)]
    refused_files = [f for r in feeding for f in r.files("refused_entries") if f.rows]
    year = counted.last_year([s.fetched_at for r in feeding for s in r.snapshots.values()], context.settings.now())
    universe = areas_of(context, counted.universe)
    duplicates = merges.sha256 if counted.from_ == "events" else ""
    sha256s = [[f.sha256 for f in files], [f.sha256 for f in refused_files]]
    key = digest([counted.model_dump(mode="json"), *sha256s, duplicates, context.territory_digest, year, versions.LAKE])
    receipt = context.lake.load_receipt(name, "", key)
    if receipt is None:
        everything = context.lake.read_all(files, counted.from_)
        entries = everything
        if counted.from_ == "events" and merges.rows:
            entries = everything.join(context.lake.read(merges), on=["source", "part", "row_number"], how="anti", maintain_order="left")
        selected = counts.select_entries(counted, entries, context.territory, universe, year, context.sandbox)
        rows = counts.count_entries(counted, selected, context.territory, universe, context.sandbox)
        possible = counts.may_count(counted, context.lake.read_all(refused_files, "refused_entries"), context.sandbox)
        rows = counts.without_uncertain(counted, rows, counts.possible_cells(counted, rows, possible, context.territory, universe))
        used = selected["__n"].n_unique()
        ignored = {"where": entries.height - used, "merged": everything.height - entries.height}
        receipt = Receipt(
            source=name, part="", snapshot="", key=key, rows_read=everything.height, accepted=used,
            ignored={reason: n for reason, n in ignored.items() if n},
        )  # fmt: skip
        without_area = possible["ref_area"].null_count()
        if without_area:
            entries_are = "1 refused entry has" if without_area == 1 else f"{without_area} refused entries have"
            receipt.warnings.append(f"{entries_are} no known area, and may be missing from any count (`zpo2 quarantine`)")
        receipt.files["observations"] = context.lake.write("observations", f"{name}/{key[:24]}", rows)
        context.lake.save_receipt(receipt)
    report.parts[""] = receipt
    if any(r.stale_since for r in feeding):
        report.stale_since = min(r.stale_since for r in feeding if r.stale_since)
    return report


def number_entries(context: Context, source: FetchedSource, report: SourceReport) -> None:
    """Note in the receipts of a register, or of a complete list of events, how many entries meet the condition of each count.

    A condition that cannot be evaluated has no number; the count itself fails with the reason.
    """
    selecting = {condition_key(c): c for c in context.pack.counted.values() if c.enabled and c.from_ == source.into}
    if source.is_window or source.fetch.brings_records:
        return
    for receipt in report.parts.values():
        if set(receipt.entries) == set(selecting) or source.into not in receipt.files:
            continue
        entries = context.lake.read(receipt.files[source.into])
        receipt.entries = {}
        for key, count in selecting.items():
            with suppress(expressions.ExpressionError):
                receipt.entries[key] = counts.number_selected(count, entries, context.sandbox)
        context.lake.save_receipt(receipt)


def condition_key(count: CountedSource) -> str:
    """Return the name under which the entries that meet the condition of a count are numbered. Another condition has another name."""
    return f"{count.id} {digest(count.where)[:12]}"


def areas_of(context: Context, condition: str | None) -> pl.DataFrame | None:
    """Return the areas (ref_area) that meet a condition on areas, such as a universe, or `all`; None where none is declared."""
    if condition is None:
        return None
    table = context.territory.areas
    if condition.strip() == "all":
        return table.select("ref_area")
    wide = (
        context.territory.attributes.pivot("attribute", index="ref_area", values="value") if context.territory.attributes.height else None
    )
    if wide is not None:
        table = table.join(wide[["ref_area", *(c for c in wide.columns if c not in table.columns)]], on="ref_area", how="left")
    used = expressions.parse(condition).columns
    absent = [pl.lit(None, pl.String).alias(c) for c in used if c.lower() not in {x.lower() for x in table.columns}]
    return context.sandbox.query(
        f"select {identifier('ref_area')} from input where (\n{condition}\n) order by 1", input=table.with_columns(*absent)
    )
