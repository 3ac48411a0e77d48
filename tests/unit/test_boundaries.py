"""Polygons of areas: read from map files, refused with reasons, fitted to their neighbours, and joined to those of coarser levels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import shapely
from shapely.geometry import box, mapping

from pipelines import packs
from pipelines.core.yaml import PackError
from pipelines.lake import boundaries
from pipelines.lake.boundaries import AREA_BOUNDARY
from pipelines.lake.mapping.boundaries import SCHEMA
from pipelines.lake.store import Lake
from pipelines.lake.territory import ROW_SCHEMA, merge_areas
from pipelines.readers import ReadOptions, UnreadableSnapshot, read, topojson
from tests.support.ingested import Ingested, ingest, write

GEOJSON = """\
fetch: {url: data/map.geojson}
read: {format: geojson}
columns: {code: {required: true}, geometry: {required: true}, day: {type: date}}
max_quarantined: 1
into: boundaries
map: {area: {scheme: office, code: code}, date: day}
"""
UNIT = box(10, 50, 11, 51)
BOW_TIE = {"type": "Polygon", "coordinates": [[[10, 50], [11, 51], [11, 50], [10, 51], [10, 50]]]}


def feature(code: str, geometry: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": {"code": code, "day": "2024-01-01"}, "geometry": geometry}


def ingest_features(folder: Path, *features: Any) -> Ingested:
    return ingest(folder, GEOJSON, {"map.geojson": json.dumps({"type": "FeatureCollection", "features": features})})


def resolved(ingested: Ingested) -> dict[str, dict[str, Any]]:
    """Return the polygons of all areas in the lake, as shapes."""
    manifest = json.loads((ingested.context.workspace.manifest).read_text())
    path = ingested.context.lake.root / manifest["files"]["area_boundaries"][0]["path"]
    rows = pl.read_parquet(path).to_dicts()
    return {row["ref_area"]: row | {"shape": shapely.from_wkb(row["geometry"])} for row in rows}


@pytest.mark.slow
def test_polygons_that_take_too_long_leave_the_areas_without_any_until_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feature_of_one = feature("t1", mapping(UNIT))
    with monkeypatch.context() as patched:
        patched.setattr(boundaries, "SECONDS", 0)
        stopped = ingest_features(tmp_path, feature_of_one)
    assert stopped.report.accepted == 1
    assert resolved(stopped) == {}
    assert set(resolved(ingest_features(tmp_path, feature_of_one))) == {"t1", "C"}


class TestMap:
    def test_polygons_come_by_code_with_their_day(self, tmp_path: Path) -> None:
        s = ingest_features(tmp_path, feature("t1", mapping(UNIT)), feature("t2", mapping(box(11, 50, 12, 51))))
        assert s.reasons() == []
        assert s.frame.select("ref_area", pl.col("date").cast(pl.String), "row_number").rows() == [
            ("t1", "2024-01-01", 1),
            ("t2", "2024-01-01", 2),
        ]
        assert shapely.from_wkb(s.frame["geometry"][0]).equals(UNIT)

    @pytest.mark.parametrize(
        ("geometry", "reason"),
        [
            (BOW_TIE, "the polygon is not valid: Self-intersection[10.5 50.5]"),
            (mapping(box(170, 50, 190, 51)), "the polygon leaves the earth"),
            (mapping(box(10, 89, 11, 91)), "the polygon leaves the earth"),
            ({"type": "Point", "coordinates": [10, 50]}, "expected a polygon, not a Point"),
            ({"type": "Polygon", "coordinates": [[[10, 50], [11, 51]]]}, "the polygon cannot be read"),
            ({"type": "Polygon", "coordinates": [[[10, 50], [11, 51], [10, 50], [11, 51], [10, 50]]]}, "the polygon is not valid"),
            (
                {"type": "Polygon", "coordinates": [[[float("nan"), 50], [11, 51], [11, 50], [float("nan"), 50]]]},
                "the geometry is not valid",
            ),
            ({"type": "Polygon", "coordinates": []}, "the geometry is not valid"),
            ({"type": "GeometryCollection", "geometries": []}, "the geometry is not valid"),
            (None, "geometry: required, but empty"),
        ],
    )
    def test_an_unusable_polygon_is_refused_alone(self, tmp_path: Path, geometry: Any, reason: str) -> None:
        s = ingest_features(tmp_path, feature("t1", mapping(UNIT)), feature("t2", geometry))
        assert s.frame["ref_area"].to_list() == ["t1"]
        ((row, _, text),) = s.reasons()
        assert row == 2
        assert reason in text

    def test_an_area_that_is_unknown_or_there_twice_has_no_polygon(self, tmp_path: Path) -> None:
        s = ingest_features(
            tmp_path, feature("t1", mapping(UNIT)), feature("t2", mapping(box(12, 50, 13, 51))), feature("t2", mapping(box(13, 50, 14, 51))),
            feature("x", mapping(box(15, 50, 16, 51))),
        )  # fmt: skip
        assert s.frame["ref_area"].to_list() == ["t1"]
        assert [(row, text) for row, _, text in s.reasons()] == [
            (2, "area t2: has several polygons"), (3, "area t2: has several polygons"), (4, "code x of scheme office: unknown"),
        ]  # fmt: skip

    def test_a_polygon_over_all_others_is_refused_and_they_stay(self, tmp_path: Path) -> None:
        towns = [feature("t1", mapping(UNIT)), feature("t2", mapping(box(11, 50, 12, 51)))]
        s = ingest_features(tmp_path, *towns, feature("t3", mapping(box(0, 40, 20, 60))))
        assert s.frame["ref_area"].to_list() == ["t1", "t2"]
        assert s.reasons() == [(3, None, "the polygon overlaps that of t1")]

    def test_a_crossing_of_a_few_metres_is_repaired(self, tmp_path: Path) -> None:
        ring = [[10, 50], [11, 50], [11, 51], [10.5, 51], [10.4999, 51.0001], [10.4999, 50.9999], [10.5, 51.0001], [10, 51], [10, 50]]
        assert not shapely.Polygon(ring).is_valid
        s = ingest_features(tmp_path, feature("t1", {"type": "Polygon", "coordinates": [ring]}))
        assert s.reasons() == []
        assert shapely.from_wkb(s.frame["geometry"][0]).area == pytest.approx(1, abs=1e-3)

    def test_a_level_above_is_the_union_of_its_areas(self, tmp_path: Path) -> None:
        s = ingest_features(tmp_path, feature("t1", mapping(UNIT)), feature("t2", mapping(box(11, 50, 12, 51))))
        made = resolved(s)
        assert made["C"]["shape"].equals(box(10, 50, 12, 51))
        assert (made["C"]["joined"], made["C"]["areas_missing"], str(made["C"]["date"]), made["C"]["sources"]) == (
            True,
            1,
            "2024-01-01",
            ["s"],
        )

    def test_a_source_without_any_good_polygon_stops_nothing(self, tmp_path: Path) -> None:
        s = ingest_features(tmp_path, feature("t1", BOW_TIE))
        assert resolved(s) == {}
        assert s.of("a_areas").report.accepted == 4

    def test_a_missing_column_is_named_with_its_line(self, tmp_path: Path) -> None:
        root = write(tmp_path, GEOJSON.replace("geometry: {required: true}, ", ""), {"map.geojson": "{}"})
        with pytest.raises(PackError, match=r"s\.yml:9: .*geometry.*no such column|s\.yml.*map\.geometry") as error:
            packs.load(root)
        assert "geometry" in str(error.value)


def grid(n: int) -> dict[str, Any]:
    return {f"a{i}{j}": box(i, j, i + 1, j + 1) for i in range(n) for j in range(n)}


def territory_of(parents: dict[str, str], tops: dict[str, str]) -> Any:
    rows = [{"ref_area": a, "level": "town", "parents": [{"level": "county", "parent": p}]} for a, p in parents.items()]
    rows += [{"ref_area": a, "level": "county", "parents": [{"level": "state", "parent": p}]} for a, p in tops.items()]
    rows += [{"ref_area": a, "level": "state", "parents": []} for a in set(tops.values())]
    unset: dict[str, Any] = dict.fromkeys(("name", "country", "lat", "lon", "area_km2", "valid_from", "valid_to"))
    empty = unset | {"codes": [], "attributes": [], "source": "a", "part": "", "row_number": 1, "snapshot": ""}
    return merge_areas([pl.DataFrame([empty | row for row in rows], schema=ROW_SCHEMA)], "CZ")


def given(shapes: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(
        {"source": ["s"] * len(shapes), "part": [""] * len(shapes), "ref_area": list(shapes), "date": [None] * len(shapes),
         "geometry": [shapely.to_wkb(s) for s in shapes.values()], "row_number": [1] * len(shapes), "snapshot": [""] * len(shapes)},
        schema=SCHEMA,
    )  # fmt: skip


LEVELS = {"town": ["county"], "county": ["state"], "state": []}


class TestResolve:
    def test_levels_are_joined_from_the_finest(self) -> None:
        shapes = grid(4)
        territory = territory_of({a: f"c{a[1]}" for a in shapes}, dict.fromkeys(("c0", "c1", "c2", "c3"), "S"))
        frame = boundaries.resolve([given(shapes)], territory, LEVELS)
        made = {r["ref_area"]: shapely.from_wkb(r["geometry"]) for r in frame.to_dicts()}
        assert made["S"].equals(box(0, 0, 4, 4))
        assert made["c1"].equals(shapely.union_all([shapes[f"a1{j}"] for j in range(4)]))
        assert frame["ref_area"].to_list() == sorted(made)
        assert frame.schema == AREA_BOUNDARY

    def test_narrow_gaps_and_overlaps_of_neighbours_are_closed(self) -> None:
        shapes = {"a00": box(0, 0, 1.00002, 1), "a10": box(1, 0, 2, 1), "a20": box(2.00003, 0, 3, 1)}
        territory = territory_of(dict.fromkeys(shapes, "c"), {"c": "S"})
        frame = boundaries.resolve([given(shapes)], territory, LEVELS)
        made = {r["ref_area"]: shapely.from_wkb(r["geometry"]) for r in frame.to_dicts()}
        assert shapely.coverage_is_valid([made[a] for a in shapes], gap_width=boundaries.GAP)
        assert made["c"].geom_type == "Polygon"
        assert len(made["c"].interiors) == 0
        assert made["c"].area == pytest.approx(3, abs=1e-3)

    def test_a_level_with_polygons_of_its_own_is_not_joined(self) -> None:
        shapes = grid(2) | {"c": box(0, 0, 2, 2.5)}
        frame = boundaries.resolve([given(shapes)], territory_of(dict.fromkeys(grid(2), "c"), {"c": "S"}), LEVELS)
        rows = {r["ref_area"]: r for r in frame.to_dicts()}
        assert not rows["c"]["joined"]
        assert shapely.from_wkb(rows["c"]["geometry"]).equals(box(0, 0, 2, 2.5))
        assert shapely.from_wkb(rows["S"]["geometry"]).equals(box(0, 0, 2, 2.5))

    def test_the_first_source_of_an_area_wins(self) -> None:
        territory = territory_of({"a": "c"}, {"c": "S"})
        frame = boundaries.resolve([given({"a": box(0, 0, 1, 1)}), given({"a": box(5, 5, 6, 6)})], territory, LEVELS)
        assert shapely.from_wkb(frame.filter(pl.col("ref_area") == "a")["geometry"][0]).equals(box(0, 0, 1, 1))

    def test_the_lake_has_the_columns(self, tmp_path: Path) -> None:
        assert Lake(tmp_path).read_all([], "area_boundaries").schema == AREA_BOUNDARY


TOPOLOGY: dict[str, Any] = {
    "type": "Topology", "transform": {"scale": [0.5, 0.25], "translate": [10, 50]},
    "objects": {"towns": {"type": "GeometryCollection", "geometries": [
        {"type": "Polygon", "id": 7, "properties": {"name": "A"}, "arcs": [[0, 1]]},
        {"type": "MultiPolygon", "id": 8, "arcs": [[[-1, 2]]]},
    ]}},
    "arcs": [[[2, 0], [0, 4]], [[2, 4], [-2, 0], [0, -4], [2, 0]], [[2, 0], [2, 0], [0, 4], [-2, 0]]],
}  # fmt: skip


class TestTopojsonReader:
    def read(self, tmp_path: Path, document: Any, **options: Any) -> pl.DataFrame:
        path = tmp_path / "map.topojson"
        path.write_text(json.dumps(document))
        return read(path, ReadOptions(format="topojson", **options))

    def test_shared_arcs_become_polygons(self, tmp_path: Path) -> None:
        rows = self.read(tmp_path, TOPOLOGY).to_dicts()
        assert [(r["id"], r["name"], r["__row"], r["__fault"]) for r in rows] == [("7", "A", 1, None), ("8", None, 2, None)]
        assert shapely.from_wkt(rows[0]["geometry"]).equals(box(10, 50, 11, 51))
        assert shapely.from_wkt(rows[1]["geometry"]).equals(box(11, 50, 12, 51))

    @pytest.mark.parametrize(
        ("geometry", "fault"),
        [
            ({"type": "Polygon", "id": 9, "arcs": [[3]]}, "there is no arc 3, only 3"),
            ({"type": "Polygon", "id": 9, "arcs": [[-4]]}, "there is no arc 3, only 3"),
            ({"type": "Polygon", "id": 9, "arcs": [["x"]]}, "the arcs of the geometry are not valid"),
            ({"type": "Polygon", "id": 9, "arcs": 5}, "the arcs of the geometry are not valid"),
            ({"type": "Polygon", "id": 9}, "the arcs of the geometry are not valid"),
            ({"type": "Point", "coordinates": [1, 2]}, "expected a Polygon or a MultiPolygon, not Point"),
            ({"type": "Polygon", "id": 9, "properties": [1], "arcs": [[0, 1]]}, "the properties are not an object"),
            ("text", "expected a geometry"),
        ],
    )
    def test_a_broken_geometry_is_a_fault_of_its_row(self, tmp_path: Path, geometry: Any, fault: str) -> None:
        document = json.loads(json.dumps(TOPOLOGY))
        document["objects"]["towns"]["geometries"].append(geometry)
        frame = self.read(tmp_path, document)
        assert frame["__fault"].to_list() == [None, None, fault]

    @pytest.mark.parametrize(
        ("change", "text"),
        [
            ({"type": "Other"}, "expected a Topology"),
            ({"arcs": None}, "expected a Topology with arcs"),
            ({"objects": {"a": {"geometries": []}, "b": {"geometries": []}}}, "set read.records to one of the objects"),
            ({"objects": {"a": []}}, "expected the object a to be a GeometryCollection"),
            ({"transform": {"scale": [1]}}, "expected scale and translate"),
            ({"transform": {"scale": ["NaN", 1], "translate": [0, 0]}}, "expected scale and translate"),
        ],
    )
    def test_a_broken_file_is_refused(self, tmp_path: Path, change: dict[str, Any], text: str) -> None:
        with pytest.raises(UnreadableSnapshot, match=text):
            self.read(tmp_path, TOPOLOGY | change)

    def test_records_names_the_object(self, tmp_path: Path) -> None:
        document = TOPOLOGY | {"objects": TOPOLOGY["objects"] | {"other": {"geometries": []}}}
        assert self.read(tmp_path, document, records="/towns").height == 2
        with pytest.raises(UnreadableSnapshot, match="there is no object none, only towns, other"):
            self.read(tmp_path, document, records="/none")

    def test_arcs_that_are_named_again_and_again_are_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(topojson, "MAX_POINTS", 1000)
        document = json.loads(json.dumps(TOPOLOGY))
        document["objects"]["towns"]["geometries"][0]["arcs"] = [[0, 1] * 500]
        with pytest.raises(UnreadableSnapshot, match="the polygons have more than 1000 points"):
            self.read(tmp_path, document)
