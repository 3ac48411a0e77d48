"""The links between areas: an area needs a parent, and a parent must be an area of the declared level."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.core.settings import Settings
from pipelines.extract.sources import fetch_sources
from pipelines.lake.ingest import Ingest
from pipelines.lake.territory import CHANGE, ROW_SCHEMA, Territory, merge_areas
from pipelines.orchestration.assets.publication import source_results
from pipelines.packs.loading import load
from pipelines.packs.workspace import Workspace
from pipelines.runs.findings import IngestFindings
from tests.support import five_places

LEVELS = {"town": ["valley", "county"], "valley": ["land"], "county": ["land"], "land": []}


def area(name: str, level: str, since: int | None = None, until: int | None = None, **parents: str) -> dict[str, Any]:
    return {
        "ref_area": name, "level": level, "valid_from": since and date(since, 1, 1), "valid_to": until and date(until, 1, 1),
        "parents": [{"level": of, "parent": parent} for of, parent in parents.items()],
    }  # fmt: skip


def territory(*areas: dict[str, Any], changes: list[tuple[str, str, int]] | None = None) -> Territory:
    result = merge_areas([pl.DataFrame([{c: row.get(c) for c in ROW_SCHEMA} for row in areas], schema=ROW_SCHEMA)], "XX")
    rows = [{"from_area": a, "to_area": b, "changed_on": date(year, 1, 1)} for a, b, year in changes or []]
    return result.with_changes(pl.DataFrame([{c: row.get(c) for c in CHANGE} for row in rows], schema=CHANGE)) if rows else result


LAND = area("X", "land")
VALLEY, COUNTY = area("V", "valley", land="X"), area("C", "county", land="X")


class TestParents:
    def test_one_of_the_levels_is_enough(self) -> None:
        result = territory(LAND, VALLEY, COUNTY, area("t1", "town", valley="V"), area("t2", "town", county="C"))
        assert (result.without_parent(LEVELS), result.unknown_parents) == ({}, {})

    def test_area_without_any_is_named(self) -> None:
        result = territory(LAND, VALLEY, area("t1", "town"), area("t2", "town", valley="V"))
        assert result.without_parent(LEVELS) == {"town": "1 areas of level town have no parent of level valley or county, for example t1"}

    def test_parent_of_another_level_is_none(self) -> None:
        assert "for example t1" in territory(LAND, area("t1", "town", land="X")).without_parent(LEVELS)["town"]

    def test_parent_that_no_row_gives_is_named(self) -> None:
        result = territory(LAND, VALLEY, area("t1", "town", valley="v"), area("t2", "town", valley="v"), area("t3", "town", valley="V"))
        text = "2 areas name 1 parents that no source of areas gives at that level, for example t1 -> v (valley)"
        assert result.unknown_parents == {"valley": text}
        assert result.without_parent(LEVELS)["town"].startswith("2 areas of level town")

    def test_mistyped_parent_beside_a_good_one_is_named(self) -> None:
        result = territory(LAND, VALLEY, COUNTY, area("t1", "town", valley="v", county="C"))
        assert "t1 -> v (valley)" in result.unknown_parents["valley"]
        assert result.without_parent(LEVELS) == {}

    @pytest.mark.parametrize(
        "areas",
        [
            pytest.param([VALLEY, area("t1", "town", 2000, 2020, valley="V"), area("t1", "town", 2020)], id="the link ended"),
            pytest.param([area("V", "valley", None, 2020, land="X"), area("t1", "town", valley="V")], id="the parent ended"),
        ],
    )
    def test_area_that_lost_its_parent_is_named(self, areas: list[dict[str, Any]]) -> None:
        text = "1 areas of level town have no parent of level valley or county, for example t1"
        assert territory(LAND, *areas).without_parent(LEVELS) == {"town": text}

    def test_area_that_moved_to_another_parent_has_one(self) -> None:
        moved = [area("t1", "town", 2000, 2020, valley="V"), area("t1", "town", 2020, county="C")]
        assert territory(LAND, VALLEY, COUNTY, *moved).without_parent(LEVELS) == {}

    def test_replaced_areas_need_none_and_their_children_follow_them(self) -> None:
        changes = [("old", "t1", 2015), ("W", "V", 2015)]
        areas = [VALLEY, area("W", "valley", land="X"), area("t1", "town", valley="W"), area("old", "town")]
        assert territory(LAND, *areas, changes=changes).without_parent(LEVELS) == {}


def spans(result: Territory, name: str) -> list[tuple[int | None, int | None]]:
    """Return when an area is valid, as years."""
    rows = result.spans.filter(pl.col("ref_area") == name).select("valid_from", "valid_to").iter_rows()
    return [(start and start.year, end and end.year) for start, end in rows]


class TestGaps:
    @pytest.mark.parametrize(
        ("dates", "expected"),
        [
            ([(2000, 2005), (2010, None)], [(2000, 2005), (2010, None)]),
            ([(2010, None), (None, 2005)], [(None, 2005), (2010, None)]),
            ([(2000, 2005), (2005, 2010)], [(2000, 2010)]),
            ([(2000, 2012), (2003, 2005), (2010, None)], [(2000, None)]),
            ([(2000, 2005), (None, None), (2010, 2012), (2014, None)], [(2000, 2005), (2010, 2012), (2014, None)]),
            ([(None, None), (None, None)], [(None, None)]),
        ],
    )
    def test_lie_between_the_dated_rows(self, dates: list[tuple[int | None, int | None]], expected: list[Any]) -> None:
        result = territory(LAND, *(area("t1", "town", *row) for row in dates))
        assert spans(result, "t1") == expected
        assert spans(result, "X") == [(None, None)]

    @pytest.mark.parametrize(
        ("dates", "changes", "expected"),
        [
            ([(None, None)], [("t1", "t2", 2005), ("t2", "t1", 2010)], [(None, 2005), (2010, None)]),
            ([(None, None)], [("t1", "t2", 2005), ("t2", "t1", 2010), ("t1", "t2", 2020)], [(None, 2005), (2010, 2020)]),
            ([(None, None)], [("t1", "t2", 2005), ("t1", "t2", 2007), ("t2", "t1", 2010)], [(None, 2005), (2010, None)]),
            ([(2000, 2005), (2010, None)], [("t1", "t2", 2005)], [(2000, 2005), (2010, None)]),
            ([(2000, 2005), (2010, None)], [("t1", "t2", 2004), ("t2", "t1", 2009)], [(2000, 2004), (2010, None)]),
            ([(2010, None)], [("t1", "t2", 2005)], [(2010, None)]),
            ([(2010, 2020)], [("t1", "t2", 2005), ("t2", "t1", 2010), ("t1", "t2", 2020)], [(2010, 2020)]),
            ([(None, None)], [("t1", "t2", 2005), ("t2", "t1", 2005)], [(None, 2005)]),
        ],
    )
    def test_lie_between_changes_too(self, dates: list[Any], changes: list[tuple[str, str, int]], expected: list[Any]) -> None:
        result = territory(LAND, area("t2", "town"), *(area("t1", "town", *row) for row in dates), changes=changes)
        assert spans(result, "t1") == expected

    def test_area_that_separates_again_is_not_replaced(self) -> None:
        both = [area("t1", "town"), area("t2", "town")]
        assert territory(*both, changes=[("t1", "t2", 2005)]).replaced == {"t1"}
        assert territory(*both, changes=[("t1", "t2", 2005), ("t2", "t1", 2010)]).replaced == {"t2"}

    def test_area_that_only_changes_name_has_one(self) -> None:
        changes = [("old", "t1", 1950), ("t1", "old", 1960), ("old", "t1", 1970), ("older", "old", 1965)]
        result = territory(LAND, area("t1", "town"), changes=changes)
        assert (spans(result, "old"), spans(result, "older")) == ([(None, 1950), (1960, 1970)], [(None, 1965)])

    def test_codes_are_not_valid_in_them(self) -> None:
        rows = [{**area("t1", "town"), "codes": [{"scheme": "office", "code": "1"}]}]
        result = territory(LAND, area("t2", "town"), *rows, changes=[("t1", "t2", 2005), ("t2", "t1", 2010)])
        assert [(row[2] and row[2].year, row[3] and row[3].year) for row in result.by_code("office").iter_rows()] == [
            (None, 2005), (2010, None),
        ]  # fmt: skip


class TestGate:
    def test_mistyped_parent_closes_it(self, tmp_path: Path) -> None:
        text = five_places.AREAS_CSV.replace("a5,Elm,lau,R2,O2,", "a5,Elm,lau,R9,O2,")
        workspace = Workspace(tmp_path / "home", Settings(), pack=load(five_places.write(tmp_path / "pack", data__areas_csv=text)))
        workspace.open()
        fetch_sources(workspace)
        ingest = Ingest(workspace)
        reports = ingest.run()
        findings = IngestFindings(area_faults=ingest.area_faults())
        for report in reports.values():
            findings.add(report, workspace.pack)
        failed = {r.name: r for r in source_results(workspace, findings) if not r.passed}
        assert set(failed) == {"areas:unknown_parents"}
        assert failed["areas:unknown_parents"].severity == "error"
        assert "a5 -> R9 (orp)" in failed["areas:unknown_parents"].description

    def test_reference_area_that_no_source_gives_closes_it(self, tmp_path: Path) -> None:
        reference = "normalise: {method: distance_to_reference, reference: Q}\n"
        pack = load(five_places.write(tmp_path / "pack", indices__wellbeing_yml=five_places.INDEX + reference))
        workspace = Workspace(tmp_path / "home", Settings(), pack=pack)
        fetch_sources(workspace, ["areas"])
        ingest = Ingest(workspace)
        ingest.run()
        (fault,) = ingest.area_faults()
        assert fault.kind == "unknown_references"
        assert fault.text == "no source of areas gives Q, the reference area of the index wellbeing"

    @pytest.mark.parametrize(
        ("level", "severity"),
        [("level", "warn"), ("'orp'", "warn"), ("'lau'", "error"), ("'okres'", "error")],
        ids=["any level", "the level of the parent", "the level of the child", "another level"],
    )
    def test_source_that_is_down_and_may_give_the_parent_makes_it_a_warning(self, tmp_path: Path, level: str, severity: str) -> None:
        other = (
            five_places.AREAS.replace("id: areas", "id: others")
            .replace("areas.csv", "others.csv")
            .replace("level: level", f'level: "{level}"')
        )
        text = five_places.AREAS_CSV.replace("a5,Elm,lau,R2,O2,", "a5,Elm,lau,R9,O2,")
        files = {"sources__others_yml": other + "optional: true\n", "data__areas_csv": text}
        workspace = Workspace(tmp_path / "home", Settings(), pack=load(five_places.write(tmp_path / "pack", **files)))
        workspace.open()
        fetch_sources(workspace)
        ingest = Ingest(workspace)
        ingest.run()
        findings = IngestFindings(area_faults=ingest.area_faults())
        assert {r.name: r.severity for r in source_results(workspace, findings) if not r.passed} == {"areas:unknown_parents": severity}
