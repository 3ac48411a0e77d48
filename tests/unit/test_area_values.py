"""Impossible values of areas: they go to quarantine with file and row, and the rest of the area stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.extract.sources import fetch_sources
from pipelines.lake.ingest import Ingest
from pipelines.lake.quarantine import quarantine_frame
from pipelines.lake.store import Lake
from pipelines.packs.workspace import Workspace
from tests.support import five_places, ingested

DECLARED = five_places.AREAS.replace("state: {}}", "state: {}, lat: {type: number}, lon: {type: number}, km2: {type: number}, born: {type: date}, "
                                     "ended: {type: date}}").replace(
    "name: name,", "name: name, lat: lat, lon: lon, area_km2: km2, valid_from: born, valid_to: ended,"
)  # fmt: skip
Area = tuple[str, float | None, float | None, float | None]


def ingest(folder: Path, values: dict[str, str]) -> tuple[list[Area], list[tuple[str, int, str | None, str]]]:
    """Process areas with further cells, by area; return the areas and the quarantine."""
    lines = five_places.AREAS_CSV.splitlines()
    text = "\n".join([f"{lines[0]},lat,lon,km2,born,ended", *(f"{line},{values.get(line[:2], '50,15,3,,')}" for line in lines[1:])]) + "\n"
    pack = packs.load(five_places.write(folder / "pack", sources__areas_yml=DECLARED, data__areas_csv=text))
    workspace = Workspace(folder / "home", Settings(), pack=pack)
    fetch_sources(workspace, ["areas"])
    ingest = Ingest(workspace)
    report = ingest.run()["areas"]
    assert report.errors == {}
    rows = Lake(workspace.lake).read_all(report.files("area_rows"), "area_rows")
    refused = quarantine_frame(workspace, "areas").select("source", "row_number", "column", "reason").rows()
    return rows.select("ref_area", "lat", "lon", "area_km2").rows(), refused


class TestImpossibleValues:
    @pytest.mark.parametrize(
        ("cells", "expected", "reasons"),
        [
            (
                "-1160000.25,-680000,3,,",
                (None, None, 3.0),
                {"lat": "-1160000.25, expected -90 to 90 degrees", "lon": "-680000.0, expected"},
            ),
            ("50,181,3,,", (None, None, 3.0), {"lat": "the other coordinate is impossible", "lon": "181.0, expected -180 to 180 degrees"}),
            ("90,-180,0,,", (90.0, -180.0, 0.0), {}),
            ("50,15,-1,,", (50.0, 15.0, None), {"area_km2": "-1.0, expected 0 or more"}),
            (",,,,", (None, None, None), {}),
        ],
        ids=["metres", "one coordinate", "bounds", "negative size", "empty"],
    )
    def test_of_cells_are_refused_alone(
        self, tmp_path: Path, cells: str, expected: tuple[float | None, ...], reasons: dict[str, str]
    ) -> None:
        areas, refused = ingest(tmp_path, {"a2": cells})
        assert ("a2", *expected) in areas
        assert len(areas) == 10
        assert {column for _, _, column, _ in refused} == set(reasons)
        for source, row, column, reason in refused:
            assert (source, row) == ("areas", 3)
            assert reasons[column or ""] in reason

    def test_of_validity_refuse_the_row(self, tmp_path: Path) -> None:
        areas, refused = ingest(tmp_path, {"a2": "50,15,3,2020-01-01,2019-01-01"})
        assert len(areas) == 9
        assert refused == [("areas", 3, None, "valid_to is not after valid_from")]


class TestImpossibleCoordinates:
    def test_of_events_are_refused_alone(self, tmp_path: Path) -> None:
        events = "id,start,place,lat,lon\n1,2024-05-01T10:00,t1,50,15\n2,2024-05-02T10:00,t1,95,15\n3,,t1,95,15\n"
        columns = "{id: {}, start: {}, place: {}, lat: {type: number}, lon: {type: number}}"
        declared = (
            "fetch: {url: data/s.csv}\nread: {format: csv}\nmax_quarantined: 1\n"
            f"columns: {columns}\ninto: events\nmap: {{id: id, start: start, area: {{scheme: office, code: place}}, lat: lat, lon: lon}}\n"
        )
        done = ingested.ingest(tmp_path, declared, {"s.csv": events})
        assert sorted(done.frame.select("id", "lat", "lon").rows()) == [("1", 50.0, 15.0), ("2", None, None)]
        assert done.reasons() == [
            (3, "lat", "map.lat: 95.0, expected -90 to 90 degrees (WGS 84)"),
            (3, "lon", "map.lon: the other coordinate is impossible"),
            (4, None, "the event has no start"),
        ]


class TestCodes:
    def test_that_would_be_published_as_those_of_other_areas_are_refused(self, tmp_path: Path) -> None:
        declared = (
            "fetch: {url: data/s.csv}\nread: {format: csv}\nmax_quarantined: 1\ncolumns: {area: {}, number: {}}\ninto: areas\n"
            "map: {area: {ref_area: area, level: \"'town'\", codes: {number: number}}}\n"
        )
        rows = "area,number\n\u00e9,1\ne\u0301,2\n=1,3\n'=1,4\nu,e\u0301\nv,'-1\nw,-1\n"
        done = ingested.ingest(tmp_path, declared, {"s.csv": rows})
        assert sorted(done.frame["ref_area"]) == ["=1", "w", "\u00e9"]
        assert done.reasons() == [
            (3, None, "the identifier of the area is not in Unicode's composed form (NFC)"),
            (5, None, "the identifier of the area looks like one that is guarded against spreadsheets"),
            (6, None, "a code of the area is not in Unicode's composed form (NFC)"),
            (7, None, "a code of the area looks like one that is guarded against spreadsheets"),
        ]
