"""Boundaries of a release: a topology has the polygons that went in, neighbours share borders when simplified, and `verify` finds differences."""

from __future__ import annotations

import dataclasses
import json
import math
import random
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import geoparquet_validator
import polars as pl
import pytest
import shapely
from derived_sample import AREAS, PARENTS
from release_sample import INFO, REPORT
from shapely.geometry import MultiPolygon, Polygon, box

import exports
from exports.api import territory
from exports.formats import boundaries, simplified, topojson
from exports.model import layout
from pipelines.lake.boundaries import AREA_BOUNDARY
from tests.support.copies import to_spoil

SIDE = 24


def wavy(n: int) -> dict[str, Any]:
    """Return n by n areas that cover a square. Their borders have many points, and neighbours have the same ones."""
    noise = random.Random(1)
    shift: dict[tuple[int, int], tuple[float, float]] = {}

    def at(x: int, y: int) -> tuple[float, float]:
        dx, dy = shift.setdefault((x, y), (noise.uniform(-0.003, 0.003), noise.uniform(-0.003, 0.003)))
        return 14 + x * 0.01 + dx, 49 + y * 0.01 + dy

    areas = {}
    for i in range(n):
        for j in range(n):
            x, y, k = i * 6, j * 6, range(6)
            ring = (
                [at(x + d, y) for d in k]
                + [at(x + 6, y + d) for d in k]
                + [at(x + 6 - d, y + 6) for d in k]
                + [at(x, y + 6 - d) for d in k]
            )
            areas[f"a{i:02}{j:02}"] = Polygon(ring)
    return areas


def encoded(areas: dict[str, Any], **about: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(topojson.encode("towns", areas, {ref: {"name": ref} for ref in areas}, about))
    return document


class TestTopology:
    def test_decoding_gives_the_polygons_on_the_grid(self) -> None:
        areas = wavy(4)
        document = encoded(areas)
        decoded = topojson.decode(document)
        assert list(decoded) == list(areas)
        grid = document["transform"]["scale"][0]
        assert max(shapely.hausdorff_distance(areas[ref], decoded[ref]) for ref in areas) <= grid * math.sqrt(0.5) + 1e-12
        assert shapely.coverage_is_valid(list(decoded.values()))

    def test_a_shared_border_is_written_once(self) -> None:
        document = encoded({"a": box(0, 0, 1, 1), "b": box(1, 0, 2, 1)})
        assert len(document["arcs"]) == 3
        numbers = [ring for geometry in document["objects"]["towns"]["geometries"] for ring in geometry["arcs"]]
        assert sorted(n if n >= 0 else ~n for ring in numbers for n in ring) in ([0, 0, 1, 2], [0, 1, 1, 2])

    def test_an_enclave_and_the_hole_around_it_are_one_arc(self) -> None:
        hole = box(1, 1, 2, 2)
        document = encoded({"around": Polygon(box(0, 0, 3, 3).exterior, [hole.exterior]), "inside": hole})
        assert len(document["arcs"]) == 2
        decoded = topojson.decode(document)
        assert decoded["around"].area == pytest.approx(8)
        assert decoded["inside"].equals(hole)

    def test_outer_rings_are_clockwise(self) -> None:
        hole = box(1, 1, 2, 2)
        shape = topojson.decode(encoded({"a": Polygon(box(0, 0, 3, 3).exterior, [hole.exterior])}))["a"]
        assert (shape.exterior.is_ccw, shape.interiors[0].is_ccw) == (False, True)

    def test_several_parts_stay_several(self) -> None:
        parts = MultiPolygon([box(0, 0, 1, 1), box(3, 0, 4, 1)])
        assert topojson.decode(encoded({"a": parts}))["a"].equals(parts)

    def test_a_small_area_gets_a_finer_grid(self) -> None:
        small = box(14, 49, 14.00002, 49.00002)
        document = encoded({"a": small, "b": box(15, 49, 16, 50)})
        assert document["transform"]["scale"][0] < 1e-4
        assert topojson.decode(document)["a"].normalize().equals_exact(small.normalize(), 1e-9)

    def test_members_are_kept_and_bytes_are_the_same(self) -> None:
        areas = wavy(2)
        assert encoded(areas, attribution=[{"id": "s"}])["attribution"] == [{"id": "s"}]
        assert topojson.encode("t", areas, {r: {} for r in areas}, {}) == topojson.encode("t", dict(areas), {r: {} for r in areas}, {})

    def test_an_area_that_is_there_twice_is_an_error(self) -> None:
        document = encoded({"a": box(0, 0, 1, 1)})
        document["objects"]["towns"]["geometries"] *= 2
        with pytest.raises(ValueError, match="a: is there twice"):
            topojson.decode(document)


class TestSimplified:
    @pytest.mark.parametrize("tolerance", [0.005, 0.02, 0.1])
    def test_neighbours_share_their_border(self, tolerance: float) -> None:
        areas = wavy(5)
        simple = simplified.simplify(areas, tolerance)
        points = [sum(map(shapely.get_num_coordinates, shapes.values())) for shapes in (areas, simple)]
        assert points[1] < points[0]
        decoded = list(topojson.decode(encoded(simple)).values())
        assert shapely.coverage_is_valid(decoded)
        whole = shapely.union_all(decoded)
        assert whole.geom_type == "Polygon"
        assert len(whole.interiors) == 0  # no gap
        assert sum(shape.area for shape in decoded) == pytest.approx(whole.area, abs=1e-9)  # no overlap

    def test_the_smallest_tolerance_that_fits_is_taken(self) -> None:
        areas = wavy(6)

        def encode(shapes: Any) -> simplified.Files:
            return {"a": topojson.encode("t", shapes, {ref: {} for ref in shapes}, {})}

        full = simplified.packed(encode(areas)["a"])
        assert simplified.fitting(areas, encode, full) == (0.0, encode(areas))
        tolerance, files = simplified.fitting(areas, encode, full * 3 // 4)
        assert 0 < tolerance < simplified.TOLERANCES[-1]
        assert simplified.packed(files["a"]) <= full * 3 // 4
        before = simplified.TOLERANCES[simplified.TOLERANCES.index(tolerance) - 1]
        assert simplified.packed(encode(simplified.simplify(areas, before))["a"]) > full * 3 // 4
        assert simplified.fitting(areas, encode, 10)[0] == simplified.TOLERANCES[-1]


def lake_file(folder: Path, areas: dict[str, Any], above: dict[str, Any]) -> exports.BoundaryFile:
    rows = [
        {"ref_area": ref, "level": level, "date": datetime(2024, 1, 1, tzinfo=UTC).date(), "sources": ["demo"], "joined": level != "town",
         "areas_missing": 0, "geometry": shapely.to_wkb(shape)}
        for level, shapes in (("town", areas), ("county", above)) for ref, shape in shapes.items()
    ]  # fmt: skip
    path = folder / "boundaries.parquet"
    pl.DataFrame(rows, schema=AREA_BOUNDARY).sort("ref_area").write_parquet(path)
    return exports.BoundaryFile(path, "0" * 64)


def build(folder: Path, skip: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    areas = wavy(SIDE)
    above = {
        f"C{half}": shapely.coverage_union_all([s for r, s in areas.items() if (int(r[1:3]) < SIDE / 2) == (half == 0)]) for half in (0, 1)
    }
    file = lake_file(folder, {ref: shape for ref, shape in areas.items() if ref != skip}, above)
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.areas (ref_area varchar, name varchar, level varchar, valid_to varchar, lat double, lon double)"
        )
        connection.execute("create table marts.area_parents (ref_area varchar, parent varchar, valid_to varchar)")
        rows: list[tuple[Any, ...]] = [(ref, ref, "town", None, s.centroid.y, s.centroid.x + (ref == "a0101")) for ref, s in areas.items()]
        rows += [(ref, ref, "county", None, None, None) for ref in above] + [("old", "old", "town", "2020-01-01", None, None)]
        connection.executemany("insert into marts.areas values (?, ?, ?, ?, ?, ?)", rows)
        parents = [(ref, f"C{int(int(ref[1:3]) >= SIDE / 2)}", None) for ref in areas]
        connection.executemany("insert into marts.area_parents values (?, ?, ?)", parents)
    return publish(folder, file)


def publish(folder: Path, file: exports.BoundaryFile) -> Path:
    info = dataclasses.replace(
        INFO, boundaries=file, formats=("csv", "parquet", "geo"), levels={"town": {"en": "town"}, "county": {"en": "county"}},
        sources=[{"id": "demo", "title": {"en": "Borders"}, "publisher": "Office", "licence": "CC-BY-4.0", "homepage": "", "citation": ""}],
    )  # fmt: skip
    return exports.build(folder / "warehouse.duckdb", (AREAS, PARENTS), info, folder / "public", folder / "staging", REPORT).path


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("boundaries") / "home", skip="a0000")


@pytest.mark.slow
class TestFiles:
    def test_a_level_of_many_areas_is_divided(self, release: Path) -> None:
        files = {p.relative_to(release).as_posix() for p in (release / "geo").rglob("*") if p.is_file()} - {
            "geo/areas.parquet",
            "geo/areas.geojson",
        }
        assert files == {
            "geo/boundaries.json", "geo/boundaries_county.parquet", "geo/boundaries_town.parquet", "geo/county.topojson", "geo/town.topojson",
            "geo/town/C0.topojson", "geo/town/C1.topojson",
        }  # fmt: skip
        assert exports.verify(release) == []
        for path in files:
            if path.endswith(".topojson"):
                assert simplified.packed((release / path).read_bytes()) <= boundaries.MAX_PART * (1 if "/C" in path else 6)

    def test_the_list_names_what_is_missing(self, release: Path) -> None:
        town, county = json.loads((release / layout.BOUNDARIES).read_bytes())["levels"]
        assert (town["areas"], town["boundaries"], town["missing"], town["points_outside"]) == (SIDE**2, SIDE**2 - 1, ["a0000"], ["a0101"])
        assert town["divided_by"] == "county"
        assert [(part["ref_area"], part["areas"]) for part in town["parts"]] == [("C0", SIDE**2 // 2 - 1), ("C1", SIDE**2 // 2)]
        assert county["attribution"] == [
            {"id": "demo", "title": "Borders", "publisher": "Office", "licence": "CC-BY-4.0", "as_of": "2024-01-01"}
        ]
        whole = json.loads((release / "geo/county.topojson").read_bytes())
        assert whole["attribution"] == county["attribution"]
        assert [g["properties"] for g in whole["objects"]["county"]["geometries"]] == [{"name": "C0"}, {"name": "C1"}]

    def test_maps_have_a_point_inside_where_that_of_the_source_is_far_outside(self, release: Path) -> None:
        (points,) = (level["points"] for level in json.loads((release / layout.BOUNDARIES).read_bytes())["levels"] if level["points"])
        assert list(points) == ["a0101"]
        assert wavy(SIDE)["a0101"].contains(shapely.Point(points["a0101"]))
        features = {f["id"]: f for f in json.loads((release / "geo/areas.geojson").read_bytes())["features"]}
        rows = {row["ref_area"]: row for row in pl.read_parquet(release / "geo/areas.parquet").to_dicts()}
        table = {row["ref_area"]: row for row in pl.read_parquet(release / "parquet/areas.parquet").to_dicts()}
        for ref in ("a0101", "a0102"):
            point = points.get(ref, [table[ref]["lon"], table[ref]["lat"]])
            assert features[ref]["geometry"]["coordinates"] == point
            assert "lon" not in features[ref]["properties"]
            assert list(shapely.from_wkb(rows[ref]["geometry"]).coords[0]) == point
            assert [rows[ref]["bbox"]["xmin"], rows[ref]["bbox"]["ymin"]] == point
            assert (rows[ref]["lon"], rows[ref]["lat"]) == (table[ref]["lon"], table[ref]["lat"]), "the table says what the source says"
        own = territory.read(release / "parquet", ["town", "county"])
        assert own.table.filter(ref_area="a0101").select("lon", "lat").row(0) == tuple(points["a0101"])

    def test_the_catalogue_lists_them_with_their_publisher(self, release: Path) -> None:
        graph = json.loads((release / "catalog.jsonld").read_bytes())
        text = json.dumps(graph, ensure_ascii=False)
        for path in ("geo/town.topojson", "geo/county.topojson", "geo/boundaries_town.parquet", "geo/boundaries_county.parquet"):
            assert path in text
        assert "geo/town/C0.topojson" not in text

    def test_geoparquet_passes_the_validator(self, release: Path) -> None:
        report = geoparquet_validator.check(str(release / "geo/boundaries_town.parquet"))
        assert geoparquet_validator.failed(report) == []
        assert report["version"] == "1.1.0"

    @pytest.mark.slow
    def test_the_same_inputs_give_the_same_bytes(self, release: Path, tmp_path: Path) -> None:
        again = build(tmp_path / "home", skip="a0000")
        for path in boundaries.described(json.loads((release / layout.BOUNDARIES).read_bytes())):
            assert (again / path).read_bytes() == (release / path).read_bytes(), path

    @pytest.mark.slow
    def test_other_boundaries_make_a_new_release(self, tmp_path: Path) -> None:
        first = build(tmp_path / "home")
        areas = {ref: shape for ref, shape in wavy(SIDE).items() if ref != "a0505"}
        (tmp_path / "other").mkdir()
        file = lake_file(tmp_path / "other", areas, {})
        same = publish(tmp_path / "home", exports.BoundaryFile(tmp_path / "home" / "boundaries.parquet", "0" * 64))
        second = publish(tmp_path / "home", dataclasses.replace(file, sha256="1" * 64))
        assert same == first != second
        assert json.loads((second / layout.BOUNDARIES).read_bytes())["levels"][0]["missing"] == ["a0505"]
        assert not (second / "geo/county.topojson").exists()
        assert exports.verify(second) == []

    @pytest.mark.parametrize(
        ("area", "path"), [("CZ010", "geo/lau/CZ010.topojson"), ("../x", None), ("a b", None), ("", None), ("č", None)]
    )
    def test_an_identifier_that_is_no_file_name_has_no_part(self, area: str, path: str | None) -> None:
        assert layout.boundaries_part_path("lau", area) == path


def _moved(release: Path) -> None:
    path = release / "geo/town/C1.topojson"
    document = json.loads(path.read_bytes())
    document["transform"]["translate"][0] += 90
    path.write_text(json.dumps(document))


def _without_an_area(release: Path) -> None:
    path = release / "geo/town.topojson"
    document = json.loads(path.read_bytes())
    document["objects"]["town"]["geometries"].pop()
    path.write_text(json.dumps(document))


def _listed(release: Path, **change: Any) -> None:
    path = release / layout.BOUNDARIES
    document = json.loads(path.read_bytes())
    document["levels"][0] |= change
    path.write_text(json.dumps(document))


class TestVerify:
    @pytest.mark.parametrize(
        ("spoil", "text"),
        [
            (_moved, "geo/town/C1.topojson: a1200 lies elsewhere than its full boundary"),
            (_without_an_area, "geo/town.topojson: its areas differ from those with a boundary"),
            (lambda r: _listed(r, points={"a0101": [20.0, 49.0]}), "the points in place of those outside are not in their areas of town"),
            (lambda r: _listed(r, points={}), "the points in place of those outside are not in their areas of town"),
            (lambda r: _listed(r, missing=[]), "geo/boundaries_town.parquet: its areas are not the current ones"),
            (lambda r: _listed(r, points_outside=[]), "whose point is outside differ from geo/boundaries_town.parquet"),
            (lambda r: (r / "geo/town/C0.topojson").unlink(), "geo/town/C0.topojson: missing"),
            (lambda r: shutil.copy(r / "geo/town.topojson", r / "geo/other.topojson"), "geo/other.topojson: geo/boundaries.json does not name it"),
            (lambda r: (r / "geo/town.topojson").write_text("{}"), "geo: cannot be read"),
        ],
    )  # fmt: skip
    def test_finds_a_difference(self, release: Path, tmp_path: Path, spoil: Callable[[Path], Any], text: str) -> None:
        spoiled = to_spoil(release, tmp_path / release.name)
        spoil(spoiled)
        assert any(text in fault for fault in exports.verify(spoiled)), exports.verify(spoiled)
