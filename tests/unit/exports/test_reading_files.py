"""The workbook and the CSV of a language: what a reader sees in a spreadsheet, and what `verify` finds when a value differs."""

from __future__ import annotations

import csv
import dataclasses
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from release_sample import INFO, REPORT

from exports.formats import latest_by_level, localized_csv, workbook
from exports.model import layout
from exports.model.info import Context, Facts, IndexFacts
from exports.verify import derived
from exports.verify.formats import DescribedTable
from pipelines.packs.objectives import OBJECTIVES

LEVELS = {"lau": {"en": "municipality", "cs": "obec"}, "okres": {"en": "district", "cs": "okres"}, "state": {"en": "state", "cs": "stát"}}
AREAS = [
    ("T", "Čistá", "lau"),
    ("S", "Čistá", "lau"),
    ("A", "Dub", "lau"),
    ("K", "Kolín", "okres"),
    ("P", "Písek", "okres"),
    ("Z", "Česko", "state"),
]
PARENTS = [("T", "K"), ("S", "P"), ("A", "P"), ("K", "Z"), ("P", "Z")]
INDICATORS = [
    {
        "indicator": "share",
        "title_en": "Share of forest",
        "title_cs": "Podíl lesů",
        "unit_en": "%",
        "unit_cs": "%",
        "objective": "ZPO2-3",
        "decimals": 1,
    },
    {
        "indicator": "people",
        "title_en": "People",
        "title_cs": "Obyvatelé",
        "unit_en": "persons",
        "unit_cs": "osoby",
        "objective": "ZPO2-1",
        "decimals": 0,
    },
    {"indicator": "never", "title_en": "Never", "title_cs": "Nikdy", "unit_en": "", "unit_cs": "", "objective": None, "decimals": None},
]
VALUES = [
    ("share", "T", "2020", "lau", 12.3456, "A"), ("share", "S", "2020", "lau", None, "C"), ("share", "A", "2020", "lau", 7.0, "A"),
    ("share", "A", "2019", "lau", 99.0, "A"), ("share", "Z", "2020", "state", None, "L"),
    ("people", "T", "2024", "lau", 1234567.0, "A"), ("people", "A", "2024", "lau", 0.0, "A"), ("people", "Z", "2024", "state", 1234567.0, "A"),
    ("never", "A", "2020", "lau", None, "O"),
]  # fmt: skip


@pytest.fixture(scope="module")
def parquet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of a release that the files are made from, as Parquet."""
    folder = tmp_path_factory.mktemp("release") / "parquet"
    folder.mkdir()
    areas = pl.DataFrame(AREAS, schema=["ref_area", "name", "level"], orient="row").with_columns(pl.lit(None, pl.String).alias("valid_to"))
    gone = pl.DataFrame([("G", "Gone", "lau", "2010-01-01")], schema=areas.schema, orient="row")
    links = pl.DataFrame(PARENTS, schema=["ref_area", "parent"], orient="row").with_columns(pl.lit(None, pl.String).alias("valid_to"))
    values = pl.DataFrame(VALUES, schema=["indicator", "ref_area", "time_period", "level", "obs_value", "obs_status"], orient="row")
    totals = values.with_columns(pl.lit("_T").alias("sex"), pl.lit("_T").alias("age"))
    women = totals.filter(pl.col("obs_value").is_not_null()).with_columns(pl.lit("F").alias("sex"), pl.lit("2030").alias("time_period"))
    newest = values.filter(pl.col("time_period") != "2019").pivot("indicator", index="ref_area", values="obs_value")
    latest = pl.concat([areas, gone]).drop("valid_to").join(newest, on="ref_area", how="left")
    frames = {
        "areas": pl.concat([areas, gone]), "area_parents": links, "indicators": pl.DataFrame(INDICATORS),
        "indicator_values": pl.concat([totals, women]),
        "latest_values": latest,
    }  # fmt: skip
    for name, frame in frames.items():
        frame.write_parquet(folder / f"{name}.parquet")
    return folder


@pytest.fixture(scope="module")
def context() -> Context:
    info = dataclasses.replace(INFO, levels=LEVELS, objectives=OBJECTIVES)
    facts = Facts(
        indices=(IndexFacts("green", {"en": "Green", "cs": "Zelený"}, "lau", False, {"en": "Shown in fifths.", "cs": "Jen pětiny."}),)
    )
    return Context(info, "2026.11.1", (), {}, {}, (), {}, REPORT, facts=facts)


@pytest.fixture(scope="module")
def levels(parquet: Path) -> Sequence[latest_by_level.Level]:
    return latest_by_level.read(parquet, list(LEVELS))


@pytest.fixture(scope="module")
def book(parquet: Path, levels: Sequence[latest_by_level.Level], context: Context) -> Path:
    columns = ["index", "component", "ref_area", "name", "time_period", "score", "obs_status", "fifth", "rank", "rank_low", "rank_high"]
    scores = pl.DataFrame(
        [("green", "green", "A", "Dub", "2020", 51.26, "A", 2, 3, 1, 5, "2019", "2020"),
         ("green", "water", "A", "Dub", "2020", 1.0, "A", 1, 1, 1, 1, "2019", "2020")],
        schema=[*columns, "oldest_input", "newest_input"], orient="row",
    )  # fmt: skip
    path = parquet.parent / layout.workbook_path("demo", "cs")
    workbook.write(levels, workbook.index_rows(scores, context), context, "cs", path, parquet.parent)
    return path


def sheet(book: Path, name: str) -> list[tuple[Any, ...]]:
    return list(openpyxl.load_workbook(book)[name].iter_rows(values_only=True))


class TestWorkbook:
    def test_has_a_sheet_for_each_level_with_values_and_the_explanations(self, book: Path) -> None:
        assert openpyxl.load_workbook(book).sheetnames == ["obec", "stát", "indexy", "definice", "chybějící hodnoty", "čtěte"]

    def test_heads_name_title_unit_and_period_by_objective(self, book: Path) -> None:
        ids, groups, heads, *_ = sheet(book, "obec")
        assert ids == (None, None, "ref_area", "people", "share")
        assert groups[3:] == (
            "ZPO2-1: Soudržnost uvnitř území a mezi nimi",
            "ZPO2-3: Udržitelný rozvoj v hospodářské, environmentální a sociální oblasti",
        )
        assert heads == ("Název", "Okres", "Kód", "Obyvatelé (osoby, 2024)", "Podíl lesů (%, 2020)")

    def test_tells_namesakes_apart_and_rounds_values(self, book: Path) -> None:
        assert sheet(book, "obec")[3:] == [
            ("Čistá", "Písek", "S", None, "C"),
            ("Čistá", "Kolín", "T", 1234567, 12.3),
            ("Dub", "Písek", "A", 0, 7),
        ]

    def test_shows_statuses_in_grey_and_numbers_by_decimals(self, book: Path) -> None:
        cells = openpyxl.load_workbook(book)["obec"]
        assert cells["E4"].font.color.rgb == "FF8A8A8A"
        assert (cells["E5"].number_format, cells["D5"].number_format) == ("#,##0.0", "#,##0")
        assert cells.freeze_panes == "B4"
        assert cells.auto_filter.ref == "A3:E6"
        assert cells.row_dimensions[1].hidden

    def test_explains_missing_values_and_indices(self, book: Path) -> None:
        assert sheet(book, "chybějící hodnoty")[1:] == [
            ("obec", "Podíl lesů", "2020", "C", "důvěrný údaj: mohl by vypovídat o jednotlivých osobách nebo firmách", 1),
        ]
        assert sheet(book, "indexy")[1:] == [
            ("Zelený", "Dub", "Písek", "A", "2020", 51.3, "A", 2, "2019", "2020")
        ]  # no rank: it does not hold
        assert ("Zelený", "Jen pětiny.") in sheet(book, "čtěte")
        assert [row[0] for row in sheet(book, "definice")[1:]] == ["Obyvatelé", "Podíl lesů"]

    def test_is_the_same_each_time(self, book: Path, levels: Sequence[latest_by_level.Level], context: Context, tmp_path: Path) -> None:
        for name in ("first.xlsx", "second.xlsx"):
            workbook.write(levels, None, context, "en", tmp_path / name, tmp_path)
        assert (tmp_path / "first.xlsx").read_bytes() == (tmp_path / "second.xlsx").read_bytes()

    def test_takes_a_text_of_a_pack_for_a_text(self, levels: Sequence[latest_by_level.Level], context: Context, tmp_path: Path) -> None:
        titles = {"lau": {"en": "=1+1[x]"}, "okres": {"en": "a very long title that no sheet could have"}}
        hostile = dataclasses.replace(context, info=dataclasses.replace(context.info, levels=titles))
        workbook.write(levels, None, hostile, "en", tmp_path / "book.xlsx", tmp_path)
        book = openpyxl.load_workbook(tmp_path / "book.xlsx")
        assert book.sheetnames[:2] == ["=1+1 x", "state"]
        assert all(cell.data_type != "f" for name in book.sheetnames for row in book[name].iter_rows() for cell in row)

    def test_verification_finds_a_value_and_an_area_that_differ(self, parquet: Path, book: Path, tmp_path: Path) -> None:
        table = DescribedTable("latest_values", {}, ("ref_area",), (), ())
        assert list(derived.workbook_faults(parquet.parent, table)) == []
        shutil.copytree(parquet, tmp_path / "parquet")
        for cell, value, fault in (
            ("E5", 12.4, "the values of share in the sheet obec differ"),
            ("C5", "X", "the areas of the sheet obec differ"),
        ):
            changed = openpyxl.load_workbook(book)
            changed["obec"][cell] = value
            changed.save(tmp_path / book.name)
            assert [fault in found for found in derived.workbook_faults(tmp_path, table)] == [True]


class TestLocalizedCsv:
    def test_has_semicolons_decimal_commas_and_names(
        self, levels: Sequence[latest_by_level.Level], context: Context, tmp_path: Path
    ) -> None:
        localized_csv.write(levels, context, "cs", tmp_path / "cs.csv")
        assert (tmp_path / "cs.csv").read_bytes().startswith(b"\xef\xbb\xbf")
        with (tmp_path / "cs.csv").open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file, delimiter=";"))
        assert rows == [
            ["Kód", "Název", "Úroveň", "okres", "Obyvatelé (osoby, 2024)", "Podíl lesů (%, 2020)"],
            ["S", "Čistá", "obec", "Písek", "", ""],
            ["T", "Čistá", "obec", "Kolín", "1234567", "12,3"],
            ["A", "Dub", "obec", "Písek", "0", "7,0"],
            ["Z", "Česko", "stát", "", "1234567", ""],
        ]

    def test_guards_a_text_that_a_spreadsheet_would_run(
        self, levels: Sequence[latest_by_level.Level], context: Context, tmp_path: Path
    ) -> None:
        hostile = dataclasses.replace(context, info=dataclasses.replace(context.info, levels={"lau": {"cs": "=1+1"}}))
        localized_csv.write(levels, hostile, "cs", tmp_path / "cs.csv")
        assert ";'=1+1;" in (tmp_path / "cs.csv").read_text(encoding="utf-8-sig")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
@pytest.mark.parametrize(("locale", "number"), [("cs-CZ", "12,3"), ("en-US", "12.3")])
def test_libreoffice_reads_numbers_as_numbers(book: Path, tmp_path: Path, locale: str, number: str) -> None:
    options = "csv:Text - txt - csv (StarCalc):59,34,76,1,,0,false,true,false,false,false,1"
    profile = f"-env:UserInstallation=file://{tmp_path / 'profile'}"
    language = {"LC_ALL": f"{locale.replace('-', '_')}.UTF-8", "LANG": f"{locale.replace('-', '_')}.UTF-8"}
    (tmp_path / "profile/user").mkdir(parents=True)
    (tmp_path / "profile/user/registrymodifications.xcu").write_text(
        '<?xml version="1.0" encoding="UTF-8"?><oor:items xmlns:oor="http://openoffice.org/2001/registry">'
        f'<item oor:path="/org.openoffice.Setup/L10N"><prop oor:name="ooSetupSystemLocale"><value>{locale}</value></prop></item></oor:items>',
        encoding="utf-8",
    )
    command = ["soffice", profile, "--headless", "--convert-to", options, "--outdir", str(tmp_path), str(book)]
    subprocess.run(command, env={**os.environ, **language}, check=True, capture_output=True, timeout=300)
    (path,) = tmp_path.glob("*.csv")
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines(), delimiter=";"))
    (row,) = [row for row in rows if row[2] == "T"]
    assert row[:2] == ["Čistá", "Kolín"]
    assert row[4] == number
