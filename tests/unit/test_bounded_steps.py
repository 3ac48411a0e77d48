"""Rows that are few and small can still make a later step endless: such rows are refused with a reason."""

from __future__ import annotations

from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.lake import isolated
from pipelines.lake.mapping import area_changes, areas, counts
from pipelines.lake.sandbox import Sandbox
from pipelines.packs.expressions import ExpressionError
from pipelines.readers.reading import CELL, ROW, TEXT, size_of
from tests.support.ingested import HEAD, ingest

CHANGES = """\
fetch: {url: data/changes.csv}
read: {format: csv}
columns: {old: {}, new: {}, day: {type: date}, share: {type: number}}
into: area_changes
map: {from: old, to: new, "on": day, share: share}
"""
REGISTER = """\
fetch: {url: data/register.csv}
read: {format: csv}
columns: {id: {required: true}, town: {}, since: {type: date}}
into: register
map: {register: "'offices'", id: id, area: {scheme: office, code: town}, valid_from: since}
"""
COUNT = """\
id: n
title: Offices
from: register
measures: {offices: count(*)}
"""


class TestAreaChanges:
    def test_changes_that_lead_on_in_too_many_ways_are_refused(self, tmp_path: Path) -> None:
        days = [f"20{year:02}-01-01" for year in range(25)]
        rows = [f"{old},{new},{day},0.5" for day in days for old, new in permutations(("t1", "t2", "t3"), 2)]
        s = ingest(tmp_path, CHANGES, {"changes.csv": "\n".join(["old,new,day,share", *rows])})
        assert "more than 1000000 ways" in s.report.errors[""]
        assert not s.frame.height

    def test_changes_of_all_sources_are_bounded_together(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The optional source comes first in the pack, and is refused: the required one is processed before it."""
        monkeypatch.setattr(area_changes, "MAX_WAYS", 100)
        days = [f"20{year:02}-01-01" for year in range(5)]
        rows = [
            [f"{old},{new},{day},0.5" for day in days[first::2] for old, new in permutations(("t1", "t2", "t3"), 2)] for first in (0, 1)
        ]
        files = {f"{name}.csv": "\n".join(["old,new,day,share", *of_file]) for name, of_file in zip(("changes", "more"), rows, strict=True)}
        more = HEAD.format(id="a_more") + "optional: true\n" + CHANGES.replace("changes.csv", "more.csv")
        s = ingest(tmp_path, CHANGES, files, sources__a_more_yml=more)
        assert s.counts() == (18, 18, 0, {})
        assert "more than 100 ways" in s.of("a_more").report.errors[""]
        assert not s.of("a_more").frame.height
        assert s.of("a_more").report.down

    def test_a_long_chain_of_names_is_followed_whatever_its_order(self, tmp_path: Path) -> None:
        names = [*(f"name{i}" for i in range(300)), "t1"]
        rows = [f"{old},{new},{1900 + i // 4}-{1 + i % 4:02}-01," for i, (old, new) in enumerate(pairwise(names))]
        s = ingest(tmp_path, CHANGES, {"changes.csv": "\n".join(["old,new,day,share", *rows])})
        assert s.counts() == (300, 300, 0, {})
        assert {"name0", "name299"} <= set(s.context.territory.areas["ref_area"])


class TestAreas:
    def test_more_areas_than_any_territory_has_are_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(areas, "MAX_AREAS", 3)
        s = ingest(tmp_path, CHANGES, {"changes.csv": "old,new,day,share\n"})
        assert s.of("a_areas").report.errors == {"": "the rows give 4 areas, more than 3"}


class TestCounts:
    @pytest.mark.slow
    def test_entries_that_count_in_too_many_years_are_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        files = {"register.csv": "id,town,since\n1,t1,0001-01-01\n2,t2,2020-06-01\n"}
        whole = ingest(tmp_path / "whole", REGISTER, files, sources__n_yml=COUNT).of("n")
        assert whole.values()["t1", "1500"] == whole.values()["t2", "2021"] == 1
        monkeypatch.setattr(counts, "MAX_ROWS", 2000)
        s = ingest(tmp_path / "refused", REGISTER, files, sources__n_yml=COUNT).of("n")
        assert "valid in so many years since 1 that more than 2000 would count (from_year)" in s.report.errors[""]


class TestFrames:
    def test_the_texts_of_all_pieces_are_bounded(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(isolated, "MOST_TEXT", 2_000_000)
        piece = {"a": pl.DataFrame({"text": ["x" * 500_000]})}
        request: dict[str, Any] = {"frames": {}, "options": None, "folder": str(tmp_path)}
        assert "frames" in isolated.answer(request, lambda *_: [piece] * 4)
        assert isolated.answer(request, lambda *_: [piece] * 5) == {"refused": "the results have more than 2 MB of text"}

    def test_a_text_counts_once_for_each_cell_that_has_it(self) -> None:
        shared = pl.DataFrame({"text": ["x" * 1000], "n": [1]})[[0] * 50]
        assert size_of(shared) == 50 * (ROW + 2 * CELL + 1000 * TEXT)

    def test_the_reason_of_a_long_cell_is_short(self) -> None:
        cells = pl.DataFrame({"__n": [0], "text": ["x" * 1_000_000]})
        _, failures = Sandbox().evaluate(cells, [("v", "double", "cast(text as double)")])
        assert len(failures["reason"][0]) < 2000

    @pytest.mark.slow
    def test_an_expression_that_needs_too_much_memory_is_stopped(self) -> None:
        cells = pl.DataFrame({"__n": [0], "text": ["a" * 20_000_000]})
        with pytest.raises(ExpressionError, match="the expressions: stopped at 1500 MB of memory"):
            Sandbox().evaluate(cells, [("v", "varchar", f"replace(text, 'a', '{'b' * 900}')")])
