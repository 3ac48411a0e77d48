"""Whether snapshots that could be processed may be used: how many rows they lost, and how much of them was refused. Reads no file of a source.

A snapshot that fails is refused, and the last good one stays. The operator may accept its content (`zpo2 accept`), or declare other limits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

import polars as pl

from pipelines.extract.source_state import SourceState
from pipelines.lake.ingest.report import SourceReport
from pipelines.lake.store import Lake, Receipt
from pipelines.packs.schema import FetchedSource

MAX_QUARANTINED, MIN_REFUSED = 0.2, 5
MAX_LOSS, MAX_LOSS_OF_OBSERVATIONS = 0.3, 0.5
MIN_LOST = 2


def refuse_losses(source: FetchedSource, report: SourceReport, states: Mapping[str, SourceState], measures_read: Collection[str]) -> None:
    """Refuse each part whose new snapshot has far fewer rows, accepted rows, values or counted entries than its last good one.

    Of the values, those of the measures that an indicator reads matter.
    """
    limit = _max_loss(source)
    if limit is None:
        return
    for part, receipt in list(report.parts.items()):
        state = states[part]
        if receipt.snapshot == state.good or state.is_accepted(receipt.snapshot):
            continue
        counts = [
            ("rows", state.rows, rows_without_ignored(receipt), MIN_LOST),
            ("accepted rows", state.accepted_rows, receipt.accepted, MIN_LOST),
            *_values(source, receipt, state, measures_read),
            *_entries(receipt, state),
        ]
        for name, before, now, fewest in counts:
            if before and _is_lost(before, now, limit, fewest):
                text = f"{now} {name} after {before}, a loss of {(before - now) / before:.0%}; the limit is {limit:.0%}"
                report.refuse(part, f"{report.snapshots[part].url}: {text} (expect.rows_change)", acceptable=True)
                break


def _values(
    source: FetchedSource, receipt: Receipt, state: SourceState, measures_read: Collection[str]
) -> Iterator[tuple[str, int, int, int]]:
    """Yield the values of each measure that an indicator reads, before and now. Refused cells are no loss: `refuse_quarantined` judges them."""
    may_lose_columns = source.on_schema_change in ("evolve", "warn")
    for measure, before in state.values.items():
        if measure in measures_read and receipt.values is not None:
            now = receipt.values.get(measure, 0) + receipt.measures.get(measure, (0, 0))[1]
            if now or not may_lose_columns:
                yield f"values of {measure}", before, now, MIN_REFUSED


def _entries(receipt: Receipt, state: SourceState) -> Iterator[tuple[str, int, int, int]]:
    """Yield the entries that each count selects, before and now, where its condition is the same. Refused rows are no loss."""
    for key, before in state.entries.items():
        if key in receipt.entries:
            yield f"entries for the count {key.split(' ')[0]}", before, receipt.entries[key] + receipt.quarantined, MIN_REFUSED


def refuse_quarantined(
    source: FetchedSource, report: SourceReport, states: Mapping[str, SourceState], lake: Lake, measures_read: Collection[str]
) -> None:
    """Refuse parts of which too large a share is refused: rows, or cells of a measure that an indicator reads.

    The source as a whole is judged; then those of its parts fail that exceed the share themselves. A new snapshot is also judged by itself,
    and so is one of which everything is refused, unless it has a single row.
    """
    if source.fetch.brings_records and source.max_quarantined is None:
        return  # each pushed record is judged by itself
    counts = {part: _refusals(receipt, measures_read) for part, receipt in report.parts.items()}
    for part, what in _conflicting(report, lake):
        if part in counts and what in counts[part]:
            total, refused = counts[part][what]
            counts[part][what] = (total, min(refused + 1, total))
    limit = MAX_QUARANTINED if source.max_quarantined is None else source.max_quarantined
    fewest = MIN_REFUSED if limit else 1
    totals: dict[str, tuple[int, int]] = {}
    for of_part in counts.values():
        for what, (total, refused) in of_part.items():
            before = totals.get(what, (0, 0))
            totals[what] = (before[0] + total, before[1] + refused)
    for part, of_part in counts.items():
        state = states[part]
        if state.is_accepted(report.parts[part].snapshot):
            continue
        is_new = report.parts[part].snapshot != state.good
        for what, (total, refused) in of_part.items():
            by_source = _is_too_much(*totals[what], limit, fewest) and refused > limit * total
            by_itself = total > 1 and (is_new or refused == total) and _is_too_much(total, refused, limit, fewest)
            if by_source or by_itself:
                reason = _first_reason(report.parts[part], lake)
                text = f"{refused} of {total} {what} are refused, more than {limit:.0%}" + (f"; the first: {reason}" if reason else "")
                report.refuse(part, f"{report.snapshots[part].url}: {text} (max_quarantined)", acceptable=True)
                break


def refuse_empty(source: FetchedSource, report: SourceReport, states: Mapping[str, SourceState]) -> None:
    """Refuse the snapshots of a complete list that has rows and gives none, because `where` or `ignore` leaves all of them out.

    The source as a whole is judged: a part may have nothing to give. Where rows are refused, `refuse_quarantined` judges. A source that accepts
    any number of refused rows accepts this, too.
    """
    is_list = (
        source.into in ("observations", "areas", "register", "boundaries") and not source.is_window and not source.fetch.brings_records
    )
    if not is_list or source.max_quarantined == 1 or report.accepted or report.quarantined or not report.rows_read:
        return
    for part, receipt in list(report.parts.items()):
        if receipt.rows_read and not states[part].is_accepted(receipt.snapshot):
            reasons = ", ".join(f"{count} by {reason}" for reason, count in sorted(receipt.ignored.items()))
            text = f"none of {receipt.rows_read} rows is used: left out are {reasons} (max_quarantined)"
            report.refuse(part, f"{report.snapshots[part].url}: {text}", acceptable=True)


def _is_too_much(total: int, refused: int, limit: float, fewest: int) -> bool:
    return refused > limit * total and (refused >= fewest or refused == total)


def _is_lost(before: int, now: int, limit: float, fewest: int) -> bool:
    """Whether too much of `before` is lost. Fewer than `fewest` never count, unless nothing is left or no loss at all is acceptable."""
    is_enough = before - now >= fewest or not limit or (not now and fewest == MIN_LOST)
    return before - now > limit * before and is_enough


def _max_loss(source: FetchedSource) -> float | None:
    """Return the largest acceptable loss of rows, relative to the last good snapshot; None for a window."""
    declared = source.fetch.expect.rows_change if source.fetch.expect else None
    if declared is not None:
        return declared
    if source.is_window:
        return None
    return MAX_LOSS_OF_OBSERVATIONS if source.into == "observations" else MAX_LOSS


def rows_without_ignored(receipt: Receipt) -> int:
    """Return the rows of a snapshot that are data: without titles, totals and notes, which `read.ignore` names."""
    return receipt.rows_read - receipt.ignored.get("ignore", 0)


def _refusals(receipt: Receipt, measures_read: Collection[str]) -> dict[str, tuple[int, int]]:
    """Return by what is counted how much of it there is, and how much is refused. Ignored rows do not count."""
    rows = receipt.accepted + receipt.quarantined
    cells = {f"cells of {measure}": counts for measure, counts in receipt.measures.items() if measure in measures_read}
    return {"rows": (rows, receipt.quarantined), **cells}


def _conflicting(report: SourceReport, lake: Lake) -> Iterator[tuple[str, str]]:
    """Yield the part of each row and each cell that is in quarantine because it contradicts another one, and what is counted there."""
    for file in report.quarantine:
        for part, column in lake.read(file).select("part", "column").iter_rows():
            yield part, "rows" if column is None else f"cells of {column}"


def _first_reason(receipt: Receipt, lake: Lake) -> str:
    """Return the most frequent kind of reason in the quarantine of a part, with its first row."""
    file = receipt.files.get("quarantine")
    entries = lake.read(file) if file is not None else pl.DataFrame()
    if not entries.height:
        return ""
    common = Counter(entries["column"].to_list()).most_common(1)[0][0]
    row = entries.filter(pl.col("column").eq_missing(pl.lit(common, pl.String))).row(0, named=True)
    return f"row {row['row_number']}, {f'{common}: ' if common else ''}{row['reason'][:200]}"
