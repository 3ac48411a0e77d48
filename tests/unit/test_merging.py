"""The same event in several feeds counts once, and its duplicates are listed with the winner."""

from __future__ import annotations

import time
from datetime import datetime

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipelines.lake.ingest.merging import find_duplicates
from pipelines.lake.mapping import events

Entry = tuple[str, str, str, str]  # feed, title, start, area


def table(*entries: Entry) -> pl.DataFrame:
    rows = [
        {
            "source": feed, "part": "", "id": f"{feed}{i}", "title": title, "start": datetime.fromisoformat(start), "ref_area": area,
            "row_number": i, "snapshot": "s",
        }
        for i, (feed, title, start, area) in enumerate(entries, 1)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=events.SCHEMA)


def pairs(*entries: Entry) -> list[tuple[str, str]]:
    """Return the identifiers of each duplicate and its winner."""
    return find_duplicates(table(*entries)).select("id", "winner_id").rows()


class TestFindDuplicates:
    def test_compares_normalised_title_start_and_area(self) -> None:
        duplicates = pairs(
            ("a", "Jarní koncert – pro děti!", "2024-05-01T18:00", "X"),
            ("b", "JARNI  KONCERT pro deti", "2024-05-01T18:00", "X"),
            ("b", "Jarní koncert pro děti", "2024-05-01T18:00", "Y"),
            ("b", "Jarní koncert pro děti", "2024-05-02T18:00", "X"),
            ("b", "Podzimní koncert", "2024-05-01T18:00", "X"),
            ("c", "jarni koncert pro deti", "2024-05-01T18:00", "X"),
        )
        assert duplicates == [("b2", "a1"), ("c6", "a1")]

    def test_start_without_time_matches_one_event_of_the_day(self) -> None:
        assert pairs(
            ("a", "Play", "2024-05-01T15:00", "X"), ("a", "Play", "2024-05-01T19:00", "X"), ("b", "Play", "2024-05-01", "X")
        ) == [("b3", "a1")]  # fmt: skip
        assert pairs(
            ("a", "Play", "2024-05-01", "X"), ("b", "Play", "2024-05-01T15:00", "X"), ("b", "Play", "2024-05-01T19:00", "X")
        ) == [("b2", "a1")]  # fmt: skip
        assert pairs(("a", "Play", "2024-05-01T15:00", "X"), ("b", "Play", "2024-05-01T16:00", "X")) == []
        assert pairs(
            ("a", "Play", "2024-05-01", "X"), ("b", "Play", "2024-05-01T19:00", "X"), ("c", "Play", "2024-05-01T19:00", "X")
        ) == [("b2", "a1"), ("c3", "a1")]  # fmt: skip

    def test_many_events_of_one_title_and_day_take_no_longer_than_others(self) -> None:
        many = [("b", "Play", f"2024-05-01T{i % 24:02}:{i % 60:02}", "X") for i in range(30_000)]
        began = time.monotonic()
        found = pairs(
            ("a", "Play", "2024-05-01", "X"), ("a", "Play", "2024-05-01T05:05", "X"), *many, ("c", "Play", "2024-05-01T05:05", "X")
        )
        assert time.monotonic() - began < 60, "each event was compared with every other one"
        assert found == [("b3", "a1"), ("b8", "a2"), ("c30003", "a2")]

    def test_ignores_repeats_in_one_feed_and_events_without_title(self) -> None:
        assert pairs(("a", "Play", "2024-05-01T15:00", "X"), ("a", "Play", "2024-05-01T15:00", "X")) == []
        assert pairs(("a", "...", "2024-05-01", "X"), ("b", "!", "2024-05-01", "X")) == []
        untitled = table(("a", "x", "2024-05-01", "X"), ("b", "x", "2024-05-01", "X")).with_columns(pl.lit(None, pl.String).alias("title"))
        assert find_duplicates(untitled).height == 0

    @given(
        st.lists(
            st.tuples(
                st.sampled_from("abc"), st.sampled_from(["Play", "play!", "Song"]),
                st.sampled_from(["2024-05-01", "2024-05-01T15:00", "2024-05-01T19:00"]), st.sampled_from("XY"),
            ),
            max_size=12,
        )
    )  # fmt: skip
    def test_every_event_is_a_winner_or_has_exactly_one(self, entries: list[Entry]) -> None:
        ordered = sorted(entries, key=lambda entry: entry[0])
        duplicates = find_duplicates(table(*ordered))
        assert duplicates["id"].n_unique() == duplicates.height
        assert not set(duplicates["id"]) & set(duplicates["winner_id"])
        assert (duplicates["source"] != duplicates["winner_source"]).all()
