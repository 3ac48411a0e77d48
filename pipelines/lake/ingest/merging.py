"""The same event in several feeds: the first one counts, and the others are listed as its duplicates. Removes no rows from the lake."""

from __future__ import annotations

from collections import defaultdict, deque
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
    """Return the duplicates in a group, feed by feed: each takes the first winner with the same start that no other of its feed has taken, or
    else the first that equals it because one of them has no time of day. Every winner is looked at once for each feed, not for each event.
    """
    feeds: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in group:
        feeds[row["source"], row["part"]].append(row)
    winners: list[dict[str, Any]] = []
    pairs = []
    for rows in feeds.values():
        free = _Free(winners)
        for row in rows:
            winner = free.take(row["start"])
            if winner is None:
                winners.append(row)
            else:
                pairs.append({**{k: row[k] for k in (*_KEY, "id")}, **{f"winner_{k}": winner[k] for k in (*_KEY, "id")}})
    return pairs


class _Free:
    """The winners of other feeds, in order, that no event of the present feed has taken."""

    def __init__(self, winners: list[dict[str, Any]]) -> None:
        self._taken: set[int] = set()
        self._at: dict[datetime, deque[tuple[int, dict[str, Any]]]] = defaultdict(deque)
        for numbered in enumerate(winners):
            self._at[numbered[1]["start"]].append(numbered)
        self._all = deque(enumerate(winners))
        self._on_the_day = deque((i, winner) for i, winner in enumerate(winners) if not _has_time(winner["start"]))

    def take(self, start: datetime) -> dict[str, Any] | None:
        """Take the winner that equals an event with this start."""
        waiting = [self._at.get(start, deque()), self._on_the_day if _has_time(start) else self._all]
        for candidates in waiting:
            while candidates:
                number, winner = candidates.popleft()
                if number not in self._taken:
                    self._taken.add(number)
                    return winner
        return None


def _has_time(start: datetime) -> bool:
    return bool(start.hour or start.minute)
