"""Derived formats have the same cells as the tables and are reproducible, and `verify` finds a format that differs."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import geoparquet_validator
import polars as pl
import pyarrow.parquet as pq
import pytest
import python_calamine
from derived_sample import AREAS, FILL, TABLES, VALUES
from release_sample import INFO, REPORT

import exports
from exports.formats import geo, jsonstat
from exports.model import checksums, sdmx
from exports.model.labels import Indicator, Labels
from pipelines.core.vocabulary import FORMATS, STATUSES, TABLE_FORMATS
from tests.support.copies import to_spoil

pytestmark = pytest.mark.slow

LABELS = Labels({"share": Indicator("share", {"en": "Share"}, "%", 1, ["office"])}, {"001": "Brno"})


def build(root: Path, day: int = 3, formats: Sequence[str] = FORMATS) -> Path:
    if not root.is_dir():
        root.mkdir(parents=True)
        with duckdb.connect(str(root / "warehouse.duckdb")) as connection:
            connection.execute(FILL)
    levels = {"lau": {"en": "municipality", "cs": "obec"}}
    info = dataclasses.replace(INFO, released=datetime(2026, 11, day, tzinfo=UTC), formats=formats, levels=levels)
    return exports.build(root / "warehouse.duckdb", TABLES, info, root / "public", root / "staging", REPORT).path


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("full") / "home")


class TestWorkbook:
    def test_keeps_codes_as_text(self, full: Path) -> None:
        book = python_calamine.CalamineWorkbook.from_path(full / "demo_en.xlsx")
        assert book.sheet_names == ["municipality", "definitions", "missing values", "readme"]
        rows = book.get_sheet_by_index(0).to_python()
        assert rows[2:5] == [["Name", "Code", "Share (%, 2006)"], ["'=sum", "002", 0.857142857143], ["Brno", "001", 0.857142857143]]
        about = {key: value for key, value, *_ in book.get_sheet_by_name("readme").to_python()}
        assert (about["Release"], about["Licence"]) == ("2026.11.1", "CC-BY-4.0")
        assert (full / "csv_locale/latest_values_cs.csv").is_file()
        assert not (full / "csv_locale/latest_values_en.csv").exists()


class TestDerivedFormats:
    @pytest.mark.parametrize("others", [(), ("xlsx", "sdmx"), ("duckdb", "jsonstat", "geo")])
    def test_are_those_that_the_pack_lists(self, tmp_path: Path, others: tuple[str, ...]) -> None:
        release = build(tmp_path / "home", formats=(*TABLE_FORMATS, *others))
        paths = {
            "duckdb": "indicators.duckdb", "xlsx": "demo_en.xlsx", "jsonstat": "jsonstat", "sdmx": "sdmx", "geo": "geo",
        }  # fmt: skip
        assert {name for name, path in paths.items() if (release / path).exists()} == set(others)
        readme = (release / "README.md").read_text(encoding="utf-8")
        assert {name for name, path in paths.items() if f"| `{path}" in readme} == set(others)
        assert exports.verify(release) == []
        assert build(tmp_path / "home", day=4).name == "2026.11.2"  # other formats are another release of the same values

    def test_texts_are_composed_and_guarded(self, full: Path) -> None:
        assert "Žďár" in (full / "csv/areas.csv").read_text(encoding="utf-8")  # it came with a combining accent
        assert "'=sum" in (full / "csv/areas.csv").read_text(encoding="utf-8")
        features = json.loads((full / "geo/areas.geojson").read_bytes())["features"]
        assert [f["properties"]["name"] for f in features] == ["Brno", "'=sum"]

    def test_are_independent_of_version_and_time(self, full: Path, tmp_path: Path) -> None:
        later = build(tmp_path / "later", day=9)
        for folder in ("parquet", "csv", "jsonstat", "geo"):
            for path in (full / folder).rglob("*"):
                if path.is_file() and path.suffix != ".json":
                    assert path.read_bytes() == (later / path.relative_to(full)).read_bytes(), path
        assert (full / "demo_en.xlsx").read_bytes() != (later / "demo_en.xlsx").read_bytes()


class TestSdmx:
    def test_has_valid_statuses_and_codes(self, full: Path) -> None:
        frame = pl.read_csv(full / "sdmx/share.csv", infer_schema=False)
        assert dict(frame.select("OWN_STATUS", "OBS_STATUS").unique().rows()) == {
            "A": "A", "B": "B", "C": "Q", "Q": "O", "O": "L", "Z": "M", "M": "O", "S": "O",
        }  # fmt: skip
        assert frame["REF_AREA"].unique().sort().to_list() == ["001", "002", "CZ$20$C3$A9"]
        assert frame.height == 27
        assert not (full / "sdmx/never.csv").exists()  # no value, no file
        assert sdmx.code("a$b") == "a$24b"
        assert '<str:Code id="CZ$20$C3$A9"><com:Name xml:lang="en">Žďár</com:Name>' in (full / "sdmx/structure.xml").read_text(
            encoding="utf-8"
        )


class TestGeoParquet:
    def test_passes_validator(self, tmp_path: Path) -> None:
        columns = {
            "ref_area": ["001", "002"],
            "name": ["Brno", None],
            "level": ["lau", "lau"],
            "valid_to": pl.Series([None, None], dtype=pl.String),
        }
        frame = geo.points(pl.DataFrame({**columns, "lat": [49.2, 50.0], "lon": [16.6, 14.5]}), {})
        good, empty, spoiled = (tmp_path / f"{name}.parquet" for name in ("good", "empty", "spoiled"))
        geo.write_parquet(frame, AREAS, {}, good)
        geo.write_parquet(frame.clear(), AREAS, {}, empty)
        for path in (good, empty):
            report = geoparquet_validator.check(str(path))
            assert geoparquet_validator.failed(report) == [], path
            assert report["version"] == "1.1.0"
        assert pq.ParquetFile(empty).metadata.num_row_groups == 0
        status = {o["id"]: o["status"] for o in geoparquet_validator.check(str(good))["outcomes"]}
        assert {status[f"/conf/{name}"] for name in ("core/wkb", "core/bbox-extent", "covering/bbox-paths")} == {"pass"}

        table = pq.read_table(good)
        metadata = json.loads(pq.ParquetFile(good).metadata.metadata[b"geo"])
        metadata["columns"]["geometry"]["bbox"] = [0, 0, 1, 1]
        pq.write_table(table.replace_schema_metadata({"geo": json.dumps(metadata)}), spoiled)
        assert geoparquet_validator.failed(geoparquet_validator.check(str(spoiled))) == ["/conf/core/bbox-extent"]


class TestParquet:
    def test_has_metadata_and_order(self, full: Path) -> None:
        with pq.ParquetFile(full / "parquet/indicator_values.parquet") as file:
            metadata, schema, group = file.metadata.metadata, file.schema_arrow, file.metadata.row_group(0)
            order = [schema.names[column.column_index] for column in group.sorting_columns]
        assert order == list(VALUES.key)
        assert [name for name in schema.names if not schema.field(name).nullable] == list(VALUES.key)
        assert (metadata[b"title"], metadata[b"licence"]) == (b"Demo indicators", b"CC-BY-4.0")
        assert b"Statistical office, Population (CC0-1.0)" in metadata[b"sources"]
        assert json.loads(metadata[b"columns"])["coverage"]["unit"] == "1"
        keys = pl.read_parquet(full / "parquet/indicator_values.parquet").select(VALUES.key)
        assert keys.equals(keys.sort(VALUES.key))


class TestQueryMacros:
    def test_may_share_name_with_table(self, full: Path) -> None:
        with duckdb.connect(str(full / "indicators.duckdb"), read_only=True) as release:
            assert release.execute("from peers('001')").fetchall() == [(1, "002", "'=sum", 0.5)]
            assert release.execute("from peers").fetchall() == [("001", 1, "002", 0.5)]
            columns = release.execute("select comment from duckdb_columns() where table_name = 'latest'").fetchall()
            assert columns
            assert all(comment for (comment,) in columns)


def _edit(path: str, old: str, new: str) -> Callable[[Path], None]:
    def edit(release: Path) -> None:
        text = (release / path).read_text(encoding="utf-8")
        assert old in text
        (release / path).write_text(text.replace(old, new, 1), encoding="utf-8")

    return edit


def _ask(*statements: str) -> Callable[[Path], None]:
    def ask(release: Path) -> None:
        with duckdb.connect(str(release / "indicators.duckdb")) as connection:
            for statement in statements:
                connection.execute(statement)

    return ask


class TestVerify:
    @pytest.mark.parametrize(
        ("spoil", "fault"),
        [
            (_edit("csv/indicator_values/share.csv", "2003,", "2033,"), "csv/indicator_values: row 5, time_period: '2033', but '2003'"),
            (
                _edit("csv/indicator_values/share.csv", "\nshare,", "\nzeal,"),
                "csv/indicator_values/share.csv: has rows of another indicator",
            ),
            (lambda r: (r / "csv/indicator_values/share.csv").unlink(), "csv/indicator_values/share.csv: missing"),
            (lambda r: (r / "csv/indicator_values/csv-metadata.json").unlink(), "csv/indicator_values/csv-metadata.json: missing"),
            (
                lambda r: shutil.copy(r / "csv/indicator_values/share.csv", r / "csv/indicator_values/other.csv"),
                "csv/indicator_values/other.csv: datapackage.json has no such table",
            ),
            (_edit("sdmx/share.csv", ",Q,C,", ",O,C,"), "sdmx/share.csv: OBS_STATUS differs from the table"),
            (_edit("sdmx/share.csv", "0.428571428571", "0.5"), "sdmx/share.csv: OBS_VALUE differs from the table"),
            (lambda r: (r / "sdmx/share.csv").unlink(), "sdmx/share.csv: missing"),
            (_edit("jsonstat/share.json", "0.428571428571", "0.5"), "jsonstat/share.json: its values differ from the table"),
            (_edit("jsonstat/share.json", '"1":"Q"', '"1":"O"'), "jsonstat/share.json: its statuses differ from the table"),
            (_edit("geo/areas.geojson", "49.2", "49.3"), "geo/areas.geojson: its points differ from"),
            (lambda r: shutil.copy(r / "parquet/areas.parquet", r / "geo/areas.parquet"), "geo: cannot be read"),
            (lambda r: (r / "demo_en.xlsx").write_bytes(b"PK"), "workbook: cannot be read"),
            (_edit("croissant.json", '"name": "obs_value"', '"name": "value"'), "croissant.json: the fields of indicator_values"),
            (_ask("comment on macro table series is null"), "indicators.duckdb: no comment on macro series"),
            (_ask("drop view latest"), "indicators.duckdb: macro compare cannot be queried"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_finds_wrong_derived_format(self, full: Path, tmp_path: Path, spoil: Callable[[Path], None], fault: str) -> None:
        copy = to_spoil(full, tmp_path / "release")
        spoil(copy)
        checksums.write(copy, {})  # the sums are right: it is what is said that is wrong
        faults = exports.verify(copy)
        assert any(fault in line for line in faults), faults
        assert exports.verify(full) == []


class TestJsonStat:
    @pytest.mark.parametrize("gaps", [0, 3, 20])
    def test_has_values_and_statuses_in_place(self, tmp_path: Path, gaps: int) -> None:
        rows = [
            ("share", area, str(2000 + year), sex, "_T", None if year == 1 else area / 7, "C" if year == 1 else "A")
            for area in range(1, 7) for year in range(2) for sex in ("F", "M")
        ]  # fmt: skip
        columns = ["indicator", "ref_area", "time_period", "sex", "age", "obs_value", "obs_status"]
        frame = pl.DataFrame([(i, f"{a:03}", *rest) for i, a, *rest in rows[gaps:]], schema=columns, orient="row", strict=False)
        jsonstat.write(frame, "share", INFO, LABELS, tmp_path / "share.json")
        cube = json.loads((tmp_path / "share.json").read_bytes())
        assert cube["id"] == ["indicator", "ref_area", "time_period", "sex", "age"]
        assert cube["dimension"]["indicator"]["category"]["unit"] == {"share": {"label": "%", "decimals": 1}}
        assert cube["extension"]["status"]["own"]["C"] == "Q"
        values = cube["value"] if isinstance(cube["value"], dict) else {str(i): v for i, v in enumerate(cube["value"]) if v is not None}
        dimensions = {name: cube["dimension"][name]["category"]["index"] for name in cube["id"]}
        seen = {}
        for row in frame.iter_rows(named=True):
            at = 0
            for name, codes in dimensions.items():
                at = at * len(codes) + codes.index(row[name])
            seen[str(at)] = row["obs_value"]
            assert cube["status"].get(str(at)) == (None if row["obs_status"] == "A" else "Q")
        assert values == {at: round(value, 1) for at, value in seen.items() if value is not None}, "as many decimals as it states"

    def test_indicator_without_values_has_no_file(self, full: Path) -> None:
        assert [path.name for path in (full / "jsonstat").iterdir()] == ["share.json"]


class TestDocumentation:
    def test_lists_status_codes(self) -> None:
        page = (Path(exports.__file__).parents[1] / "docs" / "publication.md").read_text(encoding="utf-8")
        for own, status in STATUSES.items():
            assert f"| {own} | {status.name()} | {status.sdmx} | {status.sdmx_name().lower()} |" in page
