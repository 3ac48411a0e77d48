"""The same event in several feeds: the first one counts, and the others are listed as its duplicates. Removes no rows from the lake."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

import polars as pl

from pipelines.core import versions
from pipelines.core.fingerprint import digest
from pipelines.lake.ingest.context import Context
from pipelines.lake.ingest.report import SourceReport
from pipelines.lake.store import EVENT_MERGES, File

_KEY = ("source", "part", "row_number")


def merge_events(context: Context, reports: dict[str, SourceReport]) -> File:
    """Write which events are duplicates of one in an earlier feed (sources in the order of their file names, then parts).

    Two events of different feeds are the same if they have the same normalised title, area and start. A start without a time of day equals
    any start on its day. An event has at most one duplicate per feed, so that two performances on one day stay two events.
    """
    files = [f for r in reports.values() if r.kind == "events" for f in r.files("events")]
    name = digest([[f.sha256 for f in files], versions.LAKE])[:24]
    return context.lake.write("event_merges", name, find_duplicates(context.lake.read_all(files, "events")))


def find_duplicates(events: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each duplicate among `events`, which are rows of the lake in the order of their feeds."""
    plain = pl.col("title").str.normalize("NFKD").str.replace_all(r"\p{M}+", "").str.to_lowercase()
    candidates = (
        events.with_columns(
            plain.str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars().alias("__title"),
            pl.col("start").dt.date().alias("__day"),
        )
        .filter((pl.col("__title") != "") & pl.col("ref_area").is_not_null())
        .filter(pl.struct("source", "part").n_unique().over("__title", "__day", "ref_area") > 1)
    )
    groups: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for row in candidates.select("__title", "__day", "ref_area", *_KEY, "id", "start").iter_rows(named=True):
        groups[row["__title"], row["__day"], row["ref_area"]].append(row)
    merged = [pair for group in groups.values() for pair in _pairs(group)]
    return pl.DataFrame(merged, schema=EVENT_MERGES).sort(_KEY)


def _pairs(group: list[dict[str, Any]]) -> list[dict[str, Any]]:
    winners: list[dict[str, Any]] = []
    matched: set[tuple[int, str, str]] = set()  # (winner, feed in which it already has a duplicate)
    pairs = []
    for row in group:
        feed = (row["source"], row["part"])
        # winners with the same time first, then those without a time of day
        order = sorted(range(len(winners)), key=lambda i, start=row["start"]: winners[i]["start"] != start)  # type: ignore[misc]
        match = next(
            (
                i
                for i in order
                if (winners[i]["source"], winners[i]["part"]) != feed
                and (i, *feed) not in matched
                and _same_start(winners[i]["start"], row["start"])
            ),
            None,
        )
        if match is None:
            winners.append(row)
            continue
        matched.add((match, *feed))
        winner = winners[match]
        pairs.append({**{k: row[k] for k in (*_KEY, "id")}, **{f"winner_{k}": winner[k] for k in (*_KEY, "id")}})
    return pairs


def _same_start(a: datetime, b: datetime) -> bool:
    return a == b or not (a.hour or a.minute) or not (b.hour or b.minute)
