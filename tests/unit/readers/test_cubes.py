"""Cubes and places: JSON-stat, Eurostat's TSV, SDMX-CSV and GeoJSON, on real files where there are any."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.readers import ReadOptions, UnreadableSnapshot, jsonstat, read

CUBE: dict[str, Any] = {
    "version": "2.0",
    "class": "dataset",
    "id": ["sex", "year"],
    "size": [2, 3],
    "dimension": {
        "year": {"category": {"index": {"2021": 1, "2020": 0, "2022": 2}}},
        "sex": {"category": {"index": ["M", "F"], "label": {"M": "men", "F": "women"}}},
    },
    "value": [1, 2.50, None, 4, 5, 6],
    "status": {"2": "m"},
}


def rows(path: Path, **options: Any) -> list[dict[str, Any]]:
    return read(path, ReadOptions(**options)).to_dicts()


class TestEurostatReader:
    def test_separates_flags_from_values(self, file: Callable[[str], Path]) -> None:
        text = "unit,geo\\time\t2021 \t2020 \nPC,AT11\t6.4 bu\t: u\nPC,AT12\t: \t5.0 \nPC,AT13\t1\n"
        result = rows(file(text), format="eurostat-tsv")
        assert [(r["geo"], r["time_period"], r["value"], r["flag"], r["__row"]) for r in result[:4]] == [
            ("AT11", "2021", "6.4", "bu", 2), ("AT11", "2020", None, "u", 2), ("AT12", "2021", None, None, 3), ("AT12", "2020", "5.0", None, 3),
        ]  # fmt: skip
        assert result[4]["__fault"] == "2 dimensions and 1 values, expected 2 and 2"
        with pytest.raises(UnreadableSnapshot, match="a header such as"):
            rows(file("a\tb\n1\t2\n"), format="eurostat-tsv")

    def test_reads_a_real_table(self, real: Callable[[str], Path]) -> None:
        path = real("tgs00010.tsv")
        result = read(path, ReadOptions(format="eurostat-tsv"))
        lines = path.read_text().splitlines()
        assert result.height == (len(lines) - 1) * (len(lines[0].split("\t")) - 1)
        assert result["__fault"].drop_nulls().is_empty()
        row = result.filter((pl.col("geo") == "AT12") & (pl.col("sex") == "F") & (pl.col("time_period") == "2007")).row(0, named=True)
        assert (row["value"], row["flag"], row["unit"]) == ("4.4", "b", "PC")
        assert result.filter(pl.col("value").is_not_null() & pl.col("value").cast(pl.Float64, strict=False).is_null()).is_empty()


class TestSdmxCsvReader:
    def test_reads_columns(self, file: Callable[[str], Path]) -> None:
        text = 'STRUCTURE,STRUCTURE_ID,ACTION,FREQ,REF_AREA,TIME_PERIOD,OBS_VALUE,OBS_STATUS\ndataflow,"E:F(1.0)",I,A,CZ,2021,1.5,A\n'
        result = rows(file(text), format="sdmx-csv")
        assert (result[0]["REF_AREA"], result[0]["OBS_VALUE"], result[0]["STRUCTURE_ID"]) == ("CZ", "1.5", "E:F(1.0)")


class TestGeojsonReader:
    @pytest.mark.parametrize(
        "geometry",
        [
            {"type": "MultiPolygon", "coordinates": []}, {"type": "Polygon", "coordinates": [[]]}, {"type": "LineString", "coordinates": []},
            {"type": "Point", "coordinates": [10**400, 1]}, {"type": [], "coordinates": [[[0, 0], [1, 0], [1, 1]]]},
            {"type": "Circle", "coordinates": [[[0, 0], [1, 0], [1, 1]]]},
        ],
    )  # fmt: skip
    def test_geometry_that_is_none_is_a_fault_of_its_row(self, file: Callable[[str], Path], geometry: dict[str, Any]) -> None:
        good = {"type": "Feature", "properties": {"kod": "1"}, "geometry": {"type": "Point", "coordinates": [1, 2]}}
        document = {"type": "FeatureCollection", "features": [good, {**good, "geometry": geometry}]}
        result = rows(file(json.dumps(document)), format="geojson")
        assert [row["__fault"] for row in result] == [None, "the geometry is not valid"]

    def test_returns_properties_and_points(self, file: Callable[[str], Path]) -> None:
        square = [[[0, 0], [4, 0], [4, 2], [0, 2], [0, 0]]]
        document = {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "properties": {"kod": "001", "a": {"b": 1.50}},
                    "geometry": {"type": "Point", "coordinates": [16.6, 49.2]},
                },
                {"type": "Feature", "properties": {"kod": "002"}, "geometry": {"type": "Polygon", "coordinates": square}},
                {"type": "Feature", "properties": {"kod": "003"}, "geometry": None},
                {"type": "Feature", "properties": {"kod": "004"}, "geometry": {"type": "Point", "coordinates": ["x"]}},
                7,
            ],
        }
        result = rows(file(json.dumps(document)), format="geojson")
        assert [(r["kod"], r["lon"], r["lat"]) for r in result[:3]] == [("001", "16.6", "49.2"), ("002", "2.0", "1.0"), ("003", None, None)]
        assert result[0]["geometry"] == "POINT (16.6 49.2)"
        assert result[1]["geometry"] == "POLYGON ((0 0, 4 0, 4 2, 0 2, 0 0))"
        assert result[0]["a/b"] == "1.5"
        assert [r["__fault"] for r in result[3:]] == ["the geometry is not valid", "expected a feature"]


class TestGzip:
    def test_is_unpacked_or_refused_if_truncated(self, tmp_path: Path) -> None:
        path = tmp_path / "snapshot"
        packed = gzip.compress(b"a,b\n1,2\n" * 500)
        path.write_bytes(packed)
        assert read(path, ReadOptions(format="csv")).height == 999
        path.write_bytes(packed[:-10])
        with pytest.raises(UnreadableSnapshot, match="gzip"):
            read(path, ReadOptions(format="csv"))


NUMBERS = st.one_of(
    st.none(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0, -0.0, 1e300, "x", True]),
)


class TestJsonstatReader:
    def test_reads_cells_by_dimension_id(self, file: Callable[[str], Path]) -> None:
        result = rows(file(json.dumps(CUBE).replace("2.5", "2.50")), format="jsonstat")
        assert [(r["sex"], r["year"], r["value"], r["status"], r["__row"]) for r in result] == [
            ("M", "2020", "1", None, 1), ("M", "2021", "2.50", None, 2), ("M", "2022", None, "m", 3),
            ("F", "2020", "4", None, 4), ("F", "2021", "5", None, 5), ("F", "2022", "6", None, 6),
        ]  # fmt: skip
        assert [r["sex_label"] for r in result][2:4] == ["men", "women"]

    @pytest.mark.parametrize("status", [["a"], "a", ["a"] * 6])
    def test_reads_one_status_for_all_cells(self, file: Callable[[str], Path], status: Any) -> None:
        assert {r["status"] for r in rows(file(json.dumps(CUBE | {"status": status})), format="jsonstat")} == {"a"}

    def test_reads_sparse_cubes(self, file: Callable[[str], Path]) -> None:
        sparse = CUBE | {"value": {"5": 6, "0": 1}, "status": {"2": "c"}}
        result = rows(file(json.dumps(sparse)), format="jsonstat")
        assert [(r["sex"], r["year"], r["value"], r["status"]) for r in result] == [
            ("M", "2020", "1", None),
            ("M", "2022", None, "c"),
            ("F", "2022", "6", None),
        ]

    def test_selects_a_data_set(self, file: Callable[[str], Path]) -> None:
        old = {k: v for k, v in CUBE.items() if k in ("value", "status")} | {
            "dimension": CUBE["dimension"] | {"id": CUBE["id"], "size": CUBE["size"]}
        }
        bundle = json.dumps({"one": old, "two": old | {"value": [9] * 6}})
        assert rows(file(bundle), format="jsonstat", records="/two")[0]["value"] == "9"
        assert rows(file(bundle), format="jsonstat", records="/0")[0]["value"] == "1"
        with pytest.raises(UnreadableSnapshot, match="several data sets; choose one of /one, /two"):
            rows(file(bundle), format="jsonstat")
        listed = {"class": "collection", "link": {"item": [{"class": "dataset", "href": "x"}, CUBE]}}
        assert rows(file(json.dumps(listed)), format="jsonstat", records="/1")[3]["value"] == "4"
        with pytest.raises(UnreadableSnapshot, match="only metadata"):
            rows(file(json.dumps(listed)), format="jsonstat", records="/0")

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"value": [1, 2]}, "2 values, expected 6"),
            ({"size": [2]}, "one entry per dimension"),
            ({"size": [2, 4], "value": [1] * 8}, "has 3 categories, expected 4"),
            ({"id": ["sex", "place"]}, "dimension place is not described"),
            ({"value": {"6": 1}}, "cell 6 does not exist"),
            ({"value": {"x": 1}}, "positions of cells"),
            ({"size": [100_000, 100_000]}, "more than the limit"),
            ({"value": 5}, "expected a list or an object"),
        ],
    )
    def test_refuses_wrong_shapes(self, file: Callable[[str], Path], change: dict[str, Any], reason: str) -> None:
        with pytest.raises(UnreadableSnapshot, match=reason):
            rows(file(json.dumps(CUBE | change)), format="jsonstat")

    def test_reads_real_cubes(self, real: Callable[[str], Path]) -> None:
        oecd = read(real("oecd.json"), ReadOptions(format="jsonstat"))
        assert oecd.height == 432
        austria = oecd.filter((pl.col("area") == "AT") & (pl.col("year") == "2003"))
        assert austria.select("area_label", "value").rows() == [("Austria", "4.278559338")]
        assert oecd["status"].drop_nulls().len() == 72
        galicia = read(real("galicia.json"), ReadOptions(format="jsonstat"))
        assert galicia.height == 3960
        first = galicia.row(0, named=True)
        assert (first["residence"], first["value"]) == ("T", "2695880")
        assert read(real("canada.json"), ReadOptions(format="jsonstat")).height == 120

    @pytest.mark.slow
    @settings(deadline=None)  # the first example imports modules
    @given(st.lists(NUMBERS, min_size=1, max_size=12), st.booleans(), st.booleans(), st.integers(0, 2))
    def test_fast_and_careful_paths_agree(
        self, tmp_path_factory: pytest.TempPathFactory, values: list[Any], dense: bool, spaced: bool, nested: int
    ) -> None:
        index = {f"c{i}": i for i in range(len(values))}
        label = {"c0": 'a trap: "value": [1, 2, 3]'}
        document: Any = {
            "class": "dataset", "id": ["d"], "size": [len(values)], "dimension": {"d": {"category": {"index": index, "label": label}}},
            "value": values if dense else {str(i): v for i, v in reversed(list(enumerate(values)))},
            "extension": {"value": [1, 2], "note": "value"},
        }  # fmt: skip
        document = [document] * nested if nested else document
        path = tmp_path_factory.getbasetemp() / "cube.json"
        path.write_text(json.dumps(document, indent=2 if spaced else None), encoding="utf-8")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(jsonstat, "LONG", 0)
            fast = read(path, ReadOptions(format="jsonstat"))
            patch.setattr(jsonstat, "LONG", 10**9)
            careful = read(path, ReadOptions(format="jsonstat"))
        assert fast.equals(careful)

    @pytest.mark.parametrize("value", ["[1, 2,, 3]", "[1, 01, 3]", "[1, +2, 3]", '{"0": 1, "1": 2, 3: 4}', '{"0": 1 2, "1": 3}'])
    def test_refuses_invalid_json_in_long_values(self, file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, value: str) -> None:
        monkeypatch.setattr(jsonstat, "LONG", 0)
        text = '{"class": "dataset", "id": ["d"], "size": [3], "dimension": {"d": {"category": {"index": ["a", "b", "c"]}}}, "value": %s}'
        with pytest.raises(UnreadableSnapshot, match="not JSON"):
            read(file(text % value), ReadOptions(format="jsonstat"))
