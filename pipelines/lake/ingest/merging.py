"""The same event in several feeds: the first one counts, the others are recorded beside it. Removes no row of the lake."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

import polars as pl

from pipelines.core import versions
from pipelines.core.fingerprint import digest
from pipelines.lake import store as lake_rooms
from pipelines.lake.ingest.context import Context
from pipelines.lake.ingest.report import SourceReport
from pipelines.lake.store import File

_KEY = ("source", "part", "row_number")


def merge(context: Context, reports: dict[str, SourceReport]) -> File:
    """Write which events are the same as one of an earlier feed (sources in the order of file names, then parts).

    Two events of different feeds are the same when their normalised titles, areas and starts are; a start without a time of day is equal to
    any on its day. An event takes up at most one event of another feed, so that two performances on a day stay two.
    """
    files = [f for r in reports.values() if r.kind == "events" for f in r.files("events")]
    name = digest([[f.sha256 for f in files], versions.LAKE])[:24]
    return context.lake.write("event_merges", name, same(context.lake.read_all(files, "events")))


def same(events: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each of `events` (rows of the lake, in the order of their feeds) that another one stands for."""
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
    return pl.DataFrame(merged, schema=lake_rooms.EVENT_MERGES).sort(_KEY)


def _pairs(group: list[dict[str, Any]]) -> list[dict[str, Any]]:
    winners: list[dict[str, Any]] = []
    taken: set[tuple[int, str, str]] = set()  # (winner, feed it has already taken up)
    pairs = []
    for row in group:
        feed = (row["source"], row["part"])
        # the exact time first, then a day without one
        order = sorted(range(len(winners)), key=lambda i, start=row["start"]: winners[i]["start"] != start)  # type: ignore[misc]
        hit = next(
            (
                i
                for i in order
                if (winners[i]["source"], winners[i]["part"]) != feed
                and (i, *feed) not in taken
                and _same_start(winners[i]["start"], row["start"])
            ),
            None,
        )
        if hit is None:
            winners.append(row)
            continue
        taken.add((hit, *feed))
        winner = winners[hit]
        pairs.append({**{k: row[k] for k in (*_KEY, "id")}, **{f"winner_{k}": winner[k] for k in (*_KEY, "id")}})
    return pairs


def _same_start(a: datetime, b: datetime) -> bool:
    return a == b or not (a.hour or a.minute) or not (b.hour or b.minute)
