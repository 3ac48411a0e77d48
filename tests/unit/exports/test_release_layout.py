"""Where the tables of a release are: nothing twice, nothing empty, a CSV file for each indicator of the large tables, and its size by format."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import derived_sample
import duckdb
import frictionless
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from release_sample import INFO, Home

import exports
from exports import Column, Table
from exports.metadata import report
from exports.model import checksums, layout
from exports.model.errors import ReleaseError
from exports.verify.csv_metadata import metadata_path
from pipelines.core.vocabulary import DEFAULT_FORMATS, FORMATS
from tests.support.copies import to_spoil, writable
from tests.support.validators import csvw_refuses

pytestmark = pytest.mark.slow

COMPARISONS = Table(
    "comparisons",
    "Comparisons.",
    (
        Column("indicator", "VARCHAR", "The indicator"),
        Column("ref_area", "VARCHAR", "The area"),
        Column("obs_value", "DOUBLE", "A value", "%"),
    ),
    ("indicator", "ref_area"),
)
DISPERSION = Table(
    "cohesion_dispersion",
    "Dispersion.",
    (Column("indicator", "VARCHAR", "The indicator"), Column("within", "VARCHAR", "The area"), Column("obs_value", "DOUBLE", "A value")),
    ("indicator", "within"),
)
MORE = """
create table marts.comparisons (indicator varchar, ref_area varchar, obs_value double);
create table marts.cohesion_dispersion as
    select indicator, ref_area as within, 0.5::double as obs_value from marts.areas, (values ('share'), ('share_of_men')) t(indicator);
insert into marts.indicator_values
    select v.* replace ('share_of_men' as indicator) from marts.indicator_values as v where indicator = 'share';
insert into marts.indicators values ('share_of_men', 'Share of men', '%', 'office');
delete from marts.indicator_values where indicator = 'never';
"""
TABLES = (*derived_sample.TABLES, COMPARISONS, DISPERSION)


def warehouse(path: Path, *changes: str) -> Path:
    with duckdb.connect(str(path)) as connection:
        for statement in (derived_sample.FILL, MORE, *changes):
            connection.execute(statement)
    return path


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return warehouse(tmp_path_factory.mktemp("layout") / "warehouse.duckdb")


@pytest.fixture(scope="module")
def published(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Home(tmp_path_factory.mktemp("published")).build(source, INFO, TABLES).path


def package(release: Path, name: str) -> dict[str, object]:
    resources: list[dict[str, object]] = json.loads((release / "datapackage.json").read_bytes())["resources"]
    return next(resource for resource in resources if resource["name"] == name)


class TestFiles:
    def test_large_tables_have_a_file_for_each_indicator(self, published: Path) -> None:
        files = {path.relative_to(published).as_posix() for path in (published / "csv").rglob("*") if path.is_file()}
        parts = {f"csv/indicator_values/{name}.csv" for name in ("share", "share_of_men")}
        metadata = {f"csv{folder}/csv-metadata.json" for folder in ("", "/indicator_values")}
        names = ("areas", "area_parents", "cohesion_dispersion", "indicators", "latest_values", "peers", "changes")
        assert files == parts | metadata | {f"csv/{name}.csv" for name in names}
        assert exports.verify(published) == []

    def test_files_of_a_table_are_the_table(self, published: Path) -> None:
        glob = f"read_csv('{published}/csv/indicator_values/*.csv', all_varchar = true)"
        parquet = f"'{published}/parquet/indicator_values.parquet'"
        names = [name for name, *_ in duckdb.sql(f"describe from {parquet}").fetchall()]
        both = [duckdb.sql(f"select {', '.join(names)} from {table}").fetchall() for table in (glob, parquet)]
        assert [row[:6] for row in both[0]] == [row[:6] for row in both[1]]
        headers = {path.read_text(encoding="utf-8").splitlines()[0] for path in (published / "csv" / "indicator_values").glob("*.csv")}
        assert headers == {",".join(names)}

    def test_nothing_is_written_twice(self, published: Path) -> None:
        texts = [path.read_bytes() for path in published.rglob("*.csv")]
        assert sum(text.count(b"share_of_men,001,2003,") for text in texts) == 1

    def test_nothing_is_empty(self, published: Path) -> None:
        of_indicators = [*(published / "csv").glob("*/*.csv"), *(published / "jsonstat").iterdir()]
        assert len(of_indicators) == 4
        assert all(b"share" in path.read_bytes() for path in of_indicators)
        assert not (published / "csv" / "comparisons").exists(), "there are no comparisons"
        assert package(published, "comparisons")["data"] == [["indicator", "ref_area", "obs_value"]]

    def test_sdmx_is_made_on_request(self, published: Path) -> None:
        assert set(FORMATS) - set(DEFAULT_FORMATS) == {"sdmx"}
        assert not (published / "sdmx").exists()

    def test_an_indicator_that_is_no_file_name_is_refused(self, home: Home, tmp_path: Path) -> None:
        strange = warehouse(tmp_path / "strange.duckdb", "insert into marts.comparisons values ('../x', '001', 1)")
        with pytest.raises(ReleaseError, match=r"comparisons: the indicator '\.\./x' cannot be a file name"):
            home.build(strange, INFO, TABLES)

    def test_changed_indicator_is_the_only_file_written(self, home: Home, source: Path, tmp_path: Path) -> None:
        home.build(source, INFO, TABLES)
        other = warehouse(tmp_path / "other.duckdb", "update marts.indicator_values set coverage = 0.5 where indicator = 'share'")
        second = home.build(other, INFO, TABLES).path
        written = {path.name for path in (second / "csv" / "indicator_values").iterdir() if path.stat().st_nlink == 1}
        assert written == {"share.csv", "csv-metadata.json"}
        assert exports.verify(second) == []

    def test_damaged_part_is_written_anew_and_leaves_the_old_release_alone(self, home: Home, source: Path, tmp_path: Path) -> None:
        first = home.build(source, INFO, TABLES).path
        path = writable(first) / "parquet" / "indicator_values.parquet"
        path.write_bytes(path.read_bytes()[:-1] + b"x")
        before = (first / "csv" / "indicator_values" / "share.csv").read_bytes()
        other = warehouse(tmp_path / "other.duckdb", "update marts.areas set name = 'Jihlava' where ref_area = '001'")
        second = home.build(other, INFO, TABLES).path
        assert exports.verify(second) == []
        assert (first / "csv" / "indicator_values" / "share.csv").read_bytes() == before


class TestDescriptors:
    def test_csvw_has_one_group_for_all_files(self, published: Path) -> None:
        path = published / "csv" / "indicator_values" / "csv-metadata.json"
        document = json.loads(path.read_bytes())
        assert [table["url"] for table in document["tables"][:2]] == ["share.csv", "share_of_men.csv"]
        assert all(table["suppressOutput"] for table in document["tables"][2:])
        assert document["tables"][0]["tableSchema"] == document["tables"][1]["tableSchema"]
        assert csvw_refuses([path]) == set()

    def test_data_package_has_one_resource_with_all_paths(self, published: Path) -> None:
        resource = package(published, "indicator_values")
        assert resource["path"] == ["csv/indicator_values/share.csv", "csv/indicator_values/share_of_men.csv"]
        read = frictionless.Package(str(published / "datapackage.json"))
        assert len(read.get_resource("indicator_values").read_rows()) == 54
        assert read.get_resource("comparisons").read_rows() == []

    def test_catalogues_name_each_file_by_its_indicator(self, published: Path) -> None:
        catalogue = (published / "catalog.ttl").read_text(encoding="utf-8")
        assert '"CSV, Share"@en' in catalogue
        assert "datasets/women#csv-share>" in catalogue
        assert '"CSV, territorial dispersion"@en' in catalogue

    def test_new_indicator_does_not_change_the_shape(self, home: Home, source: Path, tmp_path: Path) -> None:
        home.build(source, INFO, TABLES)
        other = warehouse(tmp_path / "other.duckdb", "insert into marts.comparisons values ('share', '001', 1)")
        second = home.build(other, INFO, TABLES)
        assert second.changed
        assert json.loads((second.path / "datapackage.json").read_bytes())["schema_version"] == "1.0.0"

    def test_parquet_fields_say_what_they_are(self, published: Path) -> None:
        schema = pq.read_schema(published / "parquet" / "indicator_values.parquet")
        field = schema.field("coverage")
        assert {name: field.metadata[name] for name in (b"description", b"unit")} == {b"description": b"The coverage", b"unit": b"1"}
        assert (schema.field("indicator").type, schema.field("indicator").nullable) == (pa.string(), False)


class TestSize:
    def test_report_has_size_by_format(self, published: Path) -> None:
        size = json.loads((published / "quality" / "report.json").read_bytes())["size"]
        sizes = {path: (published / path).stat().st_size for path in checksums.files(published)}
        for own in ("api", "site"):
            assert size["formats"][own]["files"] == sum(p.startswith(f"{own}/") for p in sizes)
            assert size["formats"][own]["bytes"] == sum(sizes[p] for p in sizes if p.startswith(f"{own}/"))
            assert size[own]["within_budget"] is True
        sizes = {path: own for path, own in sizes.items() if not path.startswith(("api/", "site/"))}  # they have budgets of their own
        assert size["files"] == len(sizes)
        assert size["formats"]["csv"]["bytes"] == sum(sizes[p] for p in sizes if p.startswith("csv/") and p.endswith(".csv"))
        assert size["formats"]["parquet"]["bytes"] == sum(sizes[p] for p in sizes if p.startswith("parquet/"))
        assert 0 <= size["formats"]["duckdb"]["bytes"] - sizes["indicators.duckdb"] < report.ROUNDED
        unsized = sizes["quality/report.json"] + sizes["SHA256SUMS"]
        rounding = size["formats"]["duckdb"]["bytes"] - sizes["indicators.duckdb"]
        assert (
            size["bytes"]
            == sum(own["bytes"] for name, own in size["formats"].items() if name not in ("api", "site"))
            == sum(sizes.values()) - unsized + rounding
        )

    def test_bare_csv_has_each_header_once(self, published: Path) -> None:
        size = json.loads((published / "quality" / "report.json").read_bytes())["size"]
        with (published / "csv/indicator_values/share.csv").open("rb") as file:
            header = len(file.readline())
        empty = len(",".join(column.name for column in COMPARISONS.columns)) + 1
        assert size["bare_csv_bytes"] == size["formats"]["csv"]["bytes"] - header + empty

    @pytest.mark.parametrize(("small", "files", "fits"), [(0, 450, False), (10_000_000, 450, True), (10_000_000, 20, False)])
    def test_a_release_over_budget_is_reported(
        self, home: Home, source: Path, monkeypatch: pytest.MonkeyPatch, small: int, files: int, fits: bool
    ) -> None:
        monkeypatch.setattr(report, "SMALL", small)
        monkeypatch.setattr(report, "FILES", files)
        messages: list[str] = []
        say: Callable[[str], None] = messages.append
        built = home.build(source, INFO, TABLES, on_progress=say)
        size = json.loads((built.path / "quality" / "report.json").read_bytes())["size"]
        assert list(built.over_budget) == ([] if fits else [size["over_budget"]])
        assert any("more than the budget of" in message for message in messages) != fits

    @pytest.mark.parametrize(
        ("folder", "limit"), [("API", "API_BYTES"), ("API", "API_FILES"), ("SITE", "SITE_BYTES"), ("SITE", "SITE_FILES")]
    )
    def test_files_for_programs_and_site_over_budget_say_where_they_are(
        self, home: Home, source: Path, monkeypatch: pytest.MonkeyPatch, folder: str, limit: str
    ) -> None:
        monkeypatch.setattr(report, limit, 1)
        messages: list[str] = []
        say: Callable[[str], None] = messages.append
        built = home.build(source, INFO, TABLES, on_progress=say)
        name = getattr(report, folder)
        size = json.loads((built.path / "quality" / "report.json").read_bytes())["size"]
        [reason] = built.over_budget
        assert reason in messages
        assert size[name]["within_budget"] is False
        assert size[name]["over_budget"] == reason
        assert reason.startswith(f"{name} has {size[name]['bytes']} bytes in {size[name]['files']} files")
        assert f"most is in {name}/" in reason


def test_verify_knows_metadata_of_releases_of_earlier_versions(published: Path, tmp_path: Path) -> None:
    assert layout.metadata_path("csv/areas.csv") == "csv/csv-metadata.json"
    assert metadata_path(published, "csv/areas.csv") == "csv/csv-metadata.json"
    former = to_spoil(published, tmp_path / "former")
    document = json.loads((former / "csv/csv-metadata.json").read_bytes())
    for table in document["tables"]:
        own = {**document, "tables": [table, *(other for other in document["tables"] if other.get("suppressOutput"))]}
        if not table.get("suppressOutput"):
            (former / "csv" / f"{table['url']}-metadata.json").write_text(json.dumps(own), encoding="utf-8")
    (former / "csv/csv-metadata.json").unlink()
    assert metadata_path(former, "csv/areas.csv") == "csv/areas.csv-metadata.json"
    checksums.write(former, {})
    assert exports.verify(former) == []
    (former / "csv/areas.csv-metadata.json").write_bytes((former / "csv/peers.csv-metadata.json").read_bytes())
    checksums.write(former, {})
    assert exports.verify(former) == ["csv/areas.csv-metadata.json: describes peers.csv"]
