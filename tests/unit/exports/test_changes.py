"""The table `changes`: it has every difference between two releases and the right reason, on small and on random tables."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from changed_tables import Content, areas, between, parents, values
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exports.changes.compare import NotComparableError
from exports.model.provenance import IndexFacts, IndicatorFacts, Provenance, SourceFacts

KEY = '{"indicator":"share","ref_area":"a","time_period":"2020"}'
ROW = ("share", "a", "2020", 0.5, "A", "office")


def row(value: float | None, status: str = "A") -> tuple[Any, ...]:
    return (*ROW[:3], value, status, ROW[5])


def indicators(columns: dict[str, str], *rows: Any) -> Content:
    return Content("indicators", {"indicator": "VARCHAR", **columns}, ("indicator",), rows)


# ---------------------------------------------------------------------------------------------------------------- random tables

TEXT = st.sampled_from(["", "a", "b", 'A"', "a b", "ž\n", "{}", "1"])
NUMBER = st.none() | st.sampled_from([0.0, 1.5, -2.25, 1e-9, 1e18, 0.1])
TABLE = st.dictionaries(st.tuples(TEXT, st.integers(0, 3)), st.tuples(TEXT | st.none(), NUMBER, st.none() | st.integers(-2, 2)), max_size=6)
COLUMNS = {"k": "VARCHAR", "n": "BIGINT", "text": "VARCHAR", "number": "DOUBLE", "count": "BIGINT"}
PARSE: dict[str, Any] = {"text": str, "number": lambda t: float(t.lstrip("'")), "count": lambda t: int(t.lstrip("'"))}


class TestCompare:
    def test_equal_tables_have_no_changes(self, tmp_path: Path) -> None:
        differences = between(tmp_path, [values(ROW)], [values(ROW)])
        assert differences.rows == {}
        assert differences.summary.tables["indicator_values"].is_unchanged
        assert differences.csv == "table,key,column,kind,old,new,from_version\n"

    @pytest.mark.parametrize(
        ("old", "new", "cells"),
        [
            (row(0.5), row(0.25), [("obs_value", "0.5", "0.25")]),
            (row(0.5), row(None, "M"), [("obs_status", "A", "M"), ("obs_value", "0.5", None)]),
            (row(None, "Q"), row(3.0), [("obs_status", "Q", "A"), ("obs_value", None, "3.0")]),
            (row(None, "Q"), row(None, "C"), [("obs_status", "Q", "C")]),
            (row(0.0), row(1e-20), [("obs_value", "0.0", "1e-20")]),
            (row(1e20), row(0.1), [("obs_value", "1e+20", "0.1")]),
            (row(123456789012.0), row(-0.333333333333), [("obs_value", "123456789012.0", "'-0.333333333333")]),
            (row(1.0, "A"), row(1.0, "'=1"), [("obs_status", "A", "'=1")]),
            (row(1.0, "A"), row(1.0, ""), [("obs_status", "A", "")]),
            (row(1.0, 'A,\n"b'), row(1.0, "ž"), [("obs_status", 'A,\n"b', "ž")]),
        ],
    )
    def test_lists_changed_cells(self, tmp_path: Path, old: Any, new: Any, cells: Any) -> None:
        other = ("share", "b", "2020", 1.0, "A", "office")
        differences = between(tmp_path, [values(old, other)], [values(new, other)])
        assert differences.rows == {"indicator_values": [(KEY, column, "method", before, after) for column, before, after in cells]}
        assert differences.summary.tables["indicator_values"].cells == {"method": len(cells)}

    def test_lists_new_and_withdrawn_rows(self, tmp_path: Path) -> None:
        gone, came = row(0.5), ("share", 'ž "', "2020", None, "M", None)
        differences = between(tmp_path, [values(gone)], [values(came)])
        assert differences.rows["indicator_values"] == [
            (KEY, "", "withdrawn", '{"obs_value":0.5,"obs_status":"A","sources":"office"}', None),
            (
                '{"indicator":"share","ref_area":"ž \\"","time_period":"2020"}',
                "",
                "new",
                None,
                '{"obs_value":null,"obs_status":"M","sources":null}',
            ),
        ]
        table = differences.summary.tables["indicator_values"]
        assert (table.before, table.added, table.removed, table.after, table.cells) == (1, 1, 1, 1, {})

    def test_lists_new_and_withdrawn_tables(self, tmp_path: Path) -> None:
        peers = Content(
            "peers",
            {"ref_area": "VARCHAR", "position": "BIGINT", "peer": "VARCHAR"},
            ("ref_area", "position"),
            [("a", 2, "b"), ("a", 1, "c")],
        )
        came = between(tmp_path, [values(ROW)], [values(ROW), peers])
        assert came.rows == {
            "peers": [
                ('{"ref_area":"a","position":1}', "", "new", None, '{"peer":"c"}'),
                ('{"ref_area":"a","position":2}', "", "new", None, '{"peer":"b"}'),
            ]
        }
        went = between(tmp_path, [values(ROW), peers], [values(ROW)])
        assert [r[2:] for r in went.rows["peers"]] == [("withdrawn", '{"peer":"c"}', None), ("withdrawn", '{"peer":"b"}', None)]
        assert went.summary.tables["peers"].after is None

    def test_lists_changed_columns(self, tmp_path: Path) -> None:
        old = indicators(
            {"title_en": "VARCHAR", "decimals": "BIGINT", "unit": "VARCHAR"}, ("share", "Share", 1, "%"), ("rest", "Rest", 2, None)
        )
        new = indicators(
            {"title_en": "VARCHAR", "title_cs": "VARCHAR", "decimals": "VARCHAR"},
            ("share", "Share", "Podíl", "1"),
            ("rest", "Rest", None, "2!"),
        )
        assert between(tmp_path, [old], [new]).rows["indicators"] == [
            ('{"indicator":"rest"}', "decimals", "method", "2", "2!"),
            ('{"indicator":"share"}', "title_cs", "method", None, "Podíl"),
            ('{"indicator":"share"}', "unit", "method", "%", None),
        ]

    def test_does_not_match_rows_of_different_keys(self, tmp_path: Path) -> None:
        old = Content("t", {"a": "VARCHAR", "b": "VARCHAR"}, ("a",), [("x", "y")])
        new = Content("t", {"a": "VARCHAR", "b": "VARCHAR"}, ("a", "b"), [("x", "y")])
        assert between(tmp_path, [old], [new]).rows["t"] == [
            ('{"a":"x","b":"y"}', "", "new", None, "{}"),
            ('{"a":"x"}', "", "withdrawn", '{"b":"y"}', None),
        ]

    def test_skips_views(self, tmp_path: Path) -> None:
        def view(name: str) -> Content:
            return Content("latest_values", {"ref_area": "VARCHAR", "name": "VARCHAR"}, ("ref_area",), [("a", name)], "indicator_values")

        differences = between(tmp_path, [view("one")], [view("two")])
        assert (differences.rows, differences.summary.tables) == ({}, {})

    def test_summarises_too_many_changes(self, tmp_path: Path) -> None:
        old = [("share", str(n), "2020", 1.0, "A", "") for n in range(5)]
        new = [("share", str(n), "2020", 2.0, "A", "") for n in range(1, 7)]
        differences = between(tmp_path, [values(*old)], [values(*new)], limit=6)
        assert differences.rows["indicator_values"] == [
            ("{}", "", "method", '{"rows":5}', '{"rows":6,"added":2,"removed":1,"changed_cells":4}')
        ]
        assert not differences.summary.tables["indicator_values"].listed
        assert len(between(tmp_path, [values(*old)], [values(*new)], limit=7).rows["indicator_values"]) == 7

    def test_counts_revisions(self, tmp_path: Path) -> None:
        old = [("a", str(n), "2020", 2.0, "A", "") for n in range(4)] + [
            ("b", "x", "2020", 0.0, "A", ""),
            ("b", "y", "2020", None, "M", ""),
        ]
        new = [("a", str(n), "2020", 2.0 + n, "A", "") for n in range(3)] + [("a", "3", "2020", None, "M", "")]
        new += [("b", "x", "2020", 5.0, "A", ""), ("b", "y", "2020", 1.0, "A", "")]
        first, second = between(tmp_path, [values(*old)], [values(*new)]).summary.revisions
        assert (first.indicator, first.changed, first.lost, first.found, first.largest) == ("a", 2, 1, 0, 1.0)
        assert json.loads(first.where)["ref_area"] == "2"
        assert (second.indicator, second.changed, second.lost, second.found, second.largest, second.where) == ("b", 1, 0, 1, None, "")

    def test_rejects_damaged_release(self, tmp_path: Path) -> None:
        differences = tmp_path / "0-old" / "parquet" / "indicator_values.parquet"
        between(tmp_path, [values(ROW)], [values(ROW)])
        differences.write_bytes(differences.read_bytes()[:-1])
        from exports.changes import compare
        from exports.model.connection import Limits

        with pytest.raises(NotComparableError, match=r"parquet/indicator_values\.parquet is damaged"):
            compare.compare(tmp_path / "0-old", tmp_path / "0-new", "2026.11.1", Provenance(), Limits(spill=tmp_path / "spill"))

    @pytest.mark.slow
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(old=TABLE, new=TABLE)
    def test_changes_lead_from_old_to_new_rows(self, tmp_path: Path, old: Any, new: Any) -> None:
        sides = [Content("t", COLUMNS, ("k", "n"), [(*key, *cells) for key, cells in side.items()]) for side in (old, new)]
        differences = between(tmp_path, sides[:1], sides[1:])
        rows = {key: dict(zip(PARSE, cells, strict=True)) for key, cells in old.items()}
        for key_text, column, kind, before, after in differences.rows.get("t", []):
            key = tuple(json.loads(key_text).values())
            if kind == "withdrawn":
                assert rows.pop(key) == json.loads(before or "")
            elif kind == "new":
                assert key not in rows
                rows[key] = json.loads(after or "")
            else:
                assert rows[key][column] == (None if before is None else PARSE[column](before))
                assert before != after
                rows[key][column] = None if after is None else PARSE[column](after)
        assert rows == {key: dict(zip(PARSE, cells, strict=True)) for key, cells in new.items()}
        table = differences.summary.tables["t"]
        assert len(old) + table.added - table.removed == len(new)


# ---------------------------------------------------------------------------------------------------------------------- reasons

BEFORE = Provenance(
    sources={
        "office": SourceFacts({"2020": "x"}, "d", "c"),
        "weights": SourceFacts({"": "w"}, "d", "c"),
        "other": SourceFacts({"": "o"}, "d", "c"),
    },
    indicators={"share": IndicatorFacts("i", ["office"]), "rest": IndicatorFacts("i", ["other"])},
    indices={"life": IndexFacts("x", ["share"])},
    shared=["weights"],
    settings="s",
    code="1",
)


def after(**changed: Any) -> Provenance:
    from dataclasses import replace

    sources = {**BEFORE.sources, **changed.pop("sources", {})}
    return replace(BEFORE, sources=sources, **changed)


NEW_BYTES = {"office": SourceFacts({"2020": "y"}, "d", "c")}
NEW_CORRECTION = {"office": SourceFacts({"2020": "x"}, "d", "other")}
ONE_PART_MORE = {"2020": "x", "2021": "z"}
ANOTHER_FORMULA = {"share": IndicatorFacts("j", ["office"]), "rest": IndicatorFacts("i", ["other"])}


def score(value: float) -> Content:
    columns = {"index": "VARCHAR", "component": "VARCHAR", "ref_area": "VARCHAR", "score": "DOUBLE"}
    return Content("sustainability", columns, ("index", "component", "ref_area"), [("life", "life", "a", value)])


class TestReasons:
    @pytest.mark.parametrize(
        ("now", "kind"),
        [
            (after(sources=NEW_BYTES), "source revised"),
            (after(sources=NEW_CORRECTION), "corrected"),
            (after(sources={"office": SourceFacts(ONE_PART_MORE, "d", "c")}), "source revised"),
            (after(sources={"office": SourceFacts(ONE_PART_MORE, "d", "other")}), "corrected"),
            (after(sources={"office": SourceFacts({"2020": "y"}, "d", "other")}), "source revised"),
            (after(sources={"office": SourceFacts({}, "d", "c")}), "source revised"),
            (after(sources={"office": SourceFacts({"2020": "y"}, "mapped otherwise", "c")}), "method"),
            (after(indicators=ANOTHER_FORMULA), "method"),
            (after(indicators=ANOTHER_FORMULA, sources=NEW_BYTES), "method"),
            (after(sources={"weights": SourceFacts({"": "v"}, "d", "c")}, code="2"), "source revised"),
            (after(sources={"weights": SourceFacts({"": "w"}, "d", "other")}), "corrected"),
            (after(code="2"), "method"),
            (after(settings="t"), "method"),
            (after(sources={"other": SourceFacts({"": "p"}, "d", "c")}), "source revised"),
            (after(sources={"other": SourceFacts({"": "p"}, "d", "c")}, code="2"), "method"),
            (BEFORE, "method"),
        ],
    )
    def test_most_specific_reason_counts(self, tmp_path: Path, now: Provenance, kind: str) -> None:
        differences = between(tmp_path, [values(row(1.0))], [values(row(2.0))], BEFORE, now)
        assert differences.rows["indicator_values"] == [(KEY, "obs_value", kind, "1.0", "2.0")]

    @pytest.mark.parametrize(
        ("now", "kind"),
        [
            (after(indices={"life": IndexFacts("other weights", ["share"])}, sources=NEW_BYTES), "method"),
            (after(indicators=ANOTHER_FORMULA), "method"),
            (after(sources=NEW_BYTES, code="2"), "source revised"),
            (after(sources=NEW_CORRECTION), "corrected"),
        ],
    )
    def test_score_has_reason_of_index_or_leaves(self, tmp_path: Path, now: Provenance, kind: str) -> None:
        differences = between(tmp_path, [score(1.0)], [score(2.0)], BEFORE, now)
        assert [r[2] for r in differences.rows["sustainability"]] == [kind]

    def test_source_row_has_reason_of_source(self, tmp_path: Path) -> None:
        def sides(title: str, rows: int) -> Content:
            columns = {"source": "VARCHAR", "title": "VARCHAR", "rows_read": "BIGINT"}
            return Content("sources", columns, ("source",), [(name, title, rows) for name in ("office", "other")])

        differences = between(tmp_path, [sides("T", 1)], [sides("U", 2)], BEFORE, after(sources=NEW_CORRECTION, code="2"))
        assert [(json.loads(r[0])["source"], *r[1:3]) for r in differences.rows["sources"]] == [
            ("office", "rows_read", "corrected"), ("office", "title", "method"),
            ("other", "rows_read", "source revised"), ("other", "title", "method"),
        ]  # fmt: skip


AREAS = areas(
    *((name, level, None, None) for name, level in (("S", "state"), ("N", "region"), ("M", "region"), ("n1", "town"), ("n2", "town")))
)
LINKS = [("N", "S", "", None), ("M", "S", "", None), ("n1", "N", "", None)]
PLACES = ("S", "N", "M", "n1", "n2")


def of_places(value: float, *periods: str) -> Content:
    return values(*(("share", place, period, value, "A", "office") for place in PLACES for period in periods))


def kinds(differences: Any) -> dict[tuple[str, str], str]:
    keys = [(json.loads(r[0]), r[2]) for r in differences.rows["indicator_values"]]
    return {(key["ref_area"], key["time_period"]): kind for key, kind in keys}


class TestBoundaries:
    def test_moved_area_affects_both_parents(self, tmp_path: Path) -> None:
        old = [AREAS, parents(*LINKS, ("n2", "N", "", None)), of_places(1.0, "2020")]
        new = [AREAS, parents(*LINKS, ("n2", "M", "", None)), of_places(2.0, "2020")]
        differences = between(tmp_path, old, new, BEFORE, after(sources=NEW_BYTES))
        reasons = {place: kind for (place, _), kind in kinds(differences).items()}
        assert reasons == {"S": "source revised", "N": "boundary", "M": "boundary", "n1": "source revised", "n2": "source revised"}
        assert [r[2] for r in differences.rows["area_parents"]] == ["new", "withdrawn"]
        assert differences.summary.tables["area_parents"].added == 1

    def test_are_the_reason_in_every_table_if_only_the_territory_changed(self, tmp_path: Path) -> None:
        columns = {"source": "VARCHAR", "rows_accepted": "BIGINT"}
        counted = {"indicator": "VARCHAR", "level": "VARCHAR", "expected": "BIGINT"}

        def tables(parent: str, value: float, count: int) -> list[Content]:
            return [
                AREAS, parents(*LINKS, ("n2", parent, "", None)), of_places(value, "2020"),
                Content("sources", columns, ("source",), [("map", count), ("office", count)]),
                Content("coverage", counted, ("indicator", "level"), [("share", "region", count)]),
            ]  # fmt: skip

        before = replace(BEFORE, sources={**BEFORE.sources, "map": SourceFacts({"": "1"})})
        now = replace(BEFORE, sources={**BEFORE.sources, "map": SourceFacts({"": "2"})})
        differences = between(tmp_path, tables("N", 1.0, 1), tables("M", 2.0, 2), before, now)
        assert {name: {r[2] for r in rows} for name, rows in differences.rows.items()} == {
            "area_parents": {"new", "withdrawn"}, "coverage": {"boundary"}, "indicator_values": {"boundary"}, "sources": {"boundary"},
        }  # fmt: skip

    def test_affect_only_periods_with_difference(self, tmp_path: Path) -> None:
        periods = ("2019", "2020-Q1", "2020-Q4", "2020-07", "2020-06-30", "2021")
        old = [AREAS, parents(*LINKS, ("n2", "N", "", None)), of_places(1.0, *periods)]
        new = [AREAS, parents(*LINKS, ("n2", "N", "", "2020-07-01"), ("n2", "M", "2020-07-01", None)), of_places(2.0, *periods)]
        differences = between(tmp_path, old, new, BEFORE, after(sources=NEW_BYTES))
        touched = {key for key, kind in kinds(differences).items() if kind == "boundary"}
        assert touched == {(place, period) for place in ("N", "M") for period in ("2020-Q4", "2020-07", "2021")}
        assert [r[1:4] for r in differences.rows["area_parents"] if r[1]] == [("valid_to", "boundary", None)]

    def test_ended_area_affects_all_above(self, tmp_path: Path) -> None:
        ended = areas(*(r if r[0] != "n1" else ("n1", "town", None, "2020-01-01") for r in AREAS.rows))
        links = parents(*LINKS, ("n2", "N", "", None))
        differences = between(
            tmp_path, [AREAS, links, of_places(1.0, "2020")], [ended, links, of_places(2.0, "2020")], BEFORE, after(sources=NEW_BYTES)
        )
        assert {place for (place, _), kind in kinds(differences).items() if kind == "boundary"} == {"S", "N", "n1"}
        assert differences.rows["areas"] == [('{"ref_area":"n1"}', "valid_to", "boundary", None, "2020-01-01")]

    def test_declared_change_affects_named_and_above(self, tmp_path: Path) -> None:
        tables = [AREAS, parents(*LINKS, ("n2", "M", "", None))]
        now = after(sources=NEW_BYTES, area_changes=[["gone", "n2", "2019-01-01", "1.0"]])
        differences = between(tmp_path, [*tables, of_places(1.0, "2020")], [*tables, of_places(2.0, "2020")], BEFORE, now)
        assert {place for (place, _), kind in kinds(differences).items() if kind == "boundary"} == {"S", "M", "n2"}
