"""The files of topics: what a row says, which rows there are, and that `verify` finds what differs from the tables."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import derived_sample
import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest
from release_sample import INFO, Home

import exports
from exports import Column, Table
from exports.formats import csv
from exports.model import checksums
from tests.support.copies import to_spoil
from tests.support.validators import csvw_refuses

pytestmark = pytest.mark.slow
CSV, PARQUET, METADATA = "topics/women.csv", "topics/women.parquet", "topics/csv-metadata.json"
WITH_LEVELS = replace(
    INFO,
    formats=("csv", "parquet", "duckdb"),
    levels={"lau": {"en": "municipality"}, "okres": {"en": "district"}, "nuts0": {"en": "state"}},
)
MORE = """
insert into marts.areas values ('D1', 'Brno-venkov', 'okres', null, null, null), ('D2', 'Praha', 'okres', null, null, null);
insert into marts.areas values ('R', 'Česko', 'nuts0', null, null, null);
insert into marts.area_parents values ('001', 'D1', null), ('002', 'D1', '2005-01-01'), ('D1', 'R', null);
insert into marts.indicator_values select v.* replace ('F' as sex, obs_value / 2 as obs_value) from marts.indicator_values v
    where indicator = 'share' and ref_area = '001';
update marts.indicator_values set obs_value = null, obs_status = 'M' where ref_area = '002' and time_period = '2006';
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("topics") / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(derived_sample.FILL)
        connection.execute(MORE)
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def release(home: Home, source: Path) -> Path:
    return home.build(source, WITH_LEVELS, derived_sample.TABLES).path


def test_a_row_says_everything(release: Path) -> None:
    lines = (release / CSV).read_text(encoding="utf-8").splitlines()
    assert lines == [
        '"indicator","title","unit","ref_area","name","level","parent_okres","time_period","obs_value","obs_status"',
        "share,Share,%,001,Brno,lau,Brno-venkov,2006,0.857142857143,A",
        "share,Share,%,002,'=sum,lau,,2006,,M",
        "share,Share,%,CZ é,Žďár,lau,,2006,0.857142857143,A",
    ]


def test_what_is_the_same_in_all_rows_is_only_in_the_parquet_file(release: Path) -> None:
    header = pl.read_csv(release / CSV, n_rows=0).columns
    assert [name for name in pl.read_parquet_schema(release / PARQUET) if name not in header] == ["parent_nuts0", "sex", "age"]
    assert pl.read_parquet(release / PARQUET).filter(pl.col("ref_area") == "001")["parent_nuts0"].unique().to_list() == ["Česko"]


def test_all_periods_and_sexes_are_in_the_parquet_file(release: Path) -> None:
    frame = pl.read_parquet(release / PARQUET)
    assert frame.group_by("ref_area", "sex").len().sort("ref_area", "sex").rows() == [
        ("001", "F", 9), ("001", "_T", 9), ("002", "_T", 9), ("CZ é", "_T", 9),
    ]  # fmt: skip
    values = pl.read_parquet(release / "parquet" / "indicator_values.parquet").filter(pl.col("indicator") == "share")
    assert frame["obs_value"].to_list() == values["obs_value"].to_list()
    assert frame["obs_status"].to_list() == values["obs_status"].to_list()
    column = pq.ParquetFile(release / PARQUET).metadata.row_group(0).column(0)
    assert (column.compression, "RLE_DICTIONARY" in column.encodings) == ("ZSTD", True)


def test_the_newest_period_is_that_of_the_level_and_former_areas_are_left_out(source: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.duckdb"
    changed.write_bytes(source.read_bytes())
    with duckdb.connect(str(changed)) as connection:
        connection.execute("update marts.areas set valid_to = '2004-12-31' where ref_area = '001'")
        connection.execute("update marts.indicator_values set obs_value = null, obs_status = 'M' where time_period = '2006'")
    release = Home(tmp_path / "home").build(changed, WITH_LEVELS, derived_sample.TABLES).path
    rows = pl.read_csv(release / CSV, infer_schema=False)
    assert rows.select("ref_area", "time_period").rows() == [("002", "2003"), ("CZ é", "2003")]
    assert exports.verify(release) == []


def test_quotes_are_found_by_readers_that_look_at_the_first_rows_only(tmp_path: Path) -> None:
    with (tmp_path / "late.csv").open("wb") as file:
        csv.append_header(["title", "obs_value"], file, quote_style="always")
        csv.append(pl.DataFrame({"title": ["share"] * 30_000 + ["share, in per cent"], "obs_value": 1.5}), file, header=False)
    assert duckdb.sql(f"select count(*), sum(obs_value) from read_csv('{tmp_path / 'late.csv'}')").fetchall() == [(30_001, 45_001.5)]


def test_the_csv_file_is_described(release: Path) -> None:
    document = json.loads((release / METADATA).read_bytes())
    (topic,) = (table for table in document["tables"] if table["url"] == "women.csv")
    columns = {column["name"]: column["titles"] for column in topic["tableSchema"]["columns"]}
    assert list(columns) == pl.read_csv(release / CSV, n_rows=0).columns
    assert columns["ref_area"] == {"en": ["Code of the area", "ref_area"], "cs": ["Kód území", "ref_area"]}
    assert columns["parent_okres"] == {"en": ["district", "parent_okres"]}
    assert csvw_refuses([release / METADATA]) == set()
    assert exports.verify(release) == []


def test_titles_and_units_are_in_each_language_and_numbers_as_they_are_read(source: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.duckdb"
    changed.write_bytes(source.read_bytes())
    columns = ("indicator", "title_en", "title_cs", "unit_en", "unit_cs", "sources")
    table = Table(
        "indicators", "Indicators.", (*(Column(n, "VARCHAR", n) for n in columns), Column("decimals", "BIGINT", "d")), ("indicator",)
    )
    with duckdb.connect(str(changed)) as connection:
        connection.execute(
            "create or replace table marts.indicators as select indicator, title_en, 'Podíl' as title_cs, unit as unit_en, "
            "'procent' as unit_cs, sources, 1::bigint as decimals from marts.indicators"
        )
    tables = [table if other.name == "indicators" else other for other in derived_sample.TABLES]
    info = replace(WITH_LEVELS, formats=(*WITH_LEVELS.formats, "jsonstat"))
    release = Home(tmp_path / "home").build(changed, info, tables).path
    row = pl.read_parquet(release / PARQUET).filter(pl.col("ref_area") == "001", pl.col("time_period") == "2006", pl.col("sex") == "_T")
    texts = {"title": "Share", "title_cs": "Podíl", "unit": "%", "unit_cs": "procent"}
    assert row.select(*texts).to_dicts() == [texts]
    assert row["obs_value"].item() == 0.857142857143
    newest = pl.read_csv(release / CSV, infer_schema=False).filter(pl.col("ref_area") == "001")
    assert newest.select("title", "unit", "obs_value").row(0) == ("Share", "%", "0.85714")
    cube = (release / "jsonstat/share.json").read_text(encoding="utf-8")
    assert set(json.loads(cube)["value"].values()) == {0, 0.2, 0.4, 0.9}
    assert ":0.0" not in cube
    assert exports.verify(release) == []
    for path, old, new, fault in (
        (CSV, ",0.85714,", ",0.85715,", f"{CSV}: differs from the newest values in {PARQUET}"),
        ("jsonstat/share.json", "0.4,", "0.5,", "jsonstat/share.json: its values differ from the table"),
    ):
        copy = to_spoil(release, tmp_path / Path(path).name)
        text = (copy / path).read_text(encoding="utf-8")
        assert old in text
        (copy / path).write_text(text.replace(old, new), encoding="utf-8")
        assert fault in _faults(copy)


def test_an_unchanged_topic_is_linked(home: Home, release: Path, source: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.duckdb"
    changed.write_bytes(source.read_bytes())
    with duckdb.connect(str(changed)) as connection:
        connection.execute("update marts.peers set distance = 0.75")
    later = home.build(changed, WITH_LEVELS, derived_sample.TABLES)
    assert later.changed
    for path in (CSV, PARQUET):
        assert (later.path / path).stat().st_ino == (release / path).stat().st_ino
    other = Home(tmp_path / "other").build(changed, WITH_LEVELS, derived_sample.TABLES).path
    for path in (CSV, PARQUET):
        assert (other / path).read_bytes() == (release / path).read_bytes()


def test_verify_accepts_large_numbers_that_end_with_a_half(source: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.duckdb"
    changed.write_bytes(source.read_bytes())
    indicators = next(table for table in derived_sample.TABLES if table.name == "indicators")
    table = replace(indicators, columns=(*indicators.columns, Column("decimals", "BIGINT", "d")))
    with duckdb.connect(str(changed)) as connection:
        connection.execute("alter table marts.indicators add column decimals bigint default 1")
        # 5.00003807e-06 and 0.0500000119 from what is published of it
        connection.execute(
            "update marts.indicator_values set obs_value = if(time_period = '2006', 806454.545455, 123456789.15) where obs_value is not null"
        )
    tables = [table if other is indicators else other for other in derived_sample.TABLES]
    release = Home(tmp_path / "home").build(changed, replace(WITH_LEVELS, formats=(*WITH_LEVELS.formats, "jsonstat")), tables).path
    assert "806454.54546" in (release / CSV).read_text(encoding="utf-8")
    assert exports.verify(release) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("select * replace (obs_value + 1 as obs_value) from w", f"{PARQUET}: its values differ from parquet/indicator_values.parquet"),
        ("select * from w where time_period <> '2003'", f"{PARQUET}: its values differ from parquet/indicator_values.parquet"),
        ("select * replace ('Brno' as name) from w", f"{PARQUET}: names or levels of areas differ from parquet/areas.parquet"),
        ("select * replace ('persons' as unit) from w", f"{PARQUET}: the unit of an indicator differs from parquet/indicators.parquet"),
        ("select * from w order by time_period", f"{PARQUET}: is not in the order of its key"),
    ],
)
def test_verify_finds_a_wrong_parquet_file(change: str, fault: str, release: Path, tmp_path: Path) -> None:
    copy = to_spoil(release, tmp_path / "copy")
    duckdb.execute(f"create or replace table w as from '{release / PARQUET}'")
    duckdb.execute(f"copy ({change}) to '{tmp_path / 'changed'}' (format parquet)")
    (copy / PARQUET).unlink()
    (copy / PARQUET).write_bytes((tmp_path / "changed").read_bytes())
    assert fault in _faults(copy)


@pytest.mark.parametrize(
    ("old", "new"),
    [(",2006,", ",2005,"), ("Brno-venkov", "Praha"), ("share,Share,%,002,'=sum,lau,,2006,", ""), (",0.857142857143,", ",0.857142857142,")],
)
def test_verify_finds_a_wrong_csv_file(old: str, new: str, release: Path, tmp_path: Path) -> None:
    copy = to_spoil(release, tmp_path / "copy")
    text = (copy / CSV).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if new or not line.startswith(old)]
    (copy / CSV).unlink()
    (copy / CSV).write_text("\n".join(line.replace(old, new) if new else line for line in lines) + "\n", encoding="utf-8")
    assert (copy / CSV).read_text(encoding="utf-8") != text
    assert f"{CSV}: differs from the newest values in {PARQUET}" in _faults(copy)


def test_verify_finds_a_missing_file(release: Path, tmp_path: Path) -> None:
    copy = to_spoil(release, tmp_path / "copy")
    (copy / PARQUET).unlink()
    assert f"{CSV}: {PARQUET} is missing" in _faults(copy)


def _faults(copy: Path) -> list[str]:
    (copy / checksums.NAME).unlink()
    checksums.write(copy, {})
    return exports.verify(copy)
