"""The languages of a release: every text for people that our code writes exists in all of them, and no list misses a code."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import polars as pl
import pytest
from release_sample import INFO, context

from exports.formats import jsonstat, reading_texts, sdmx
from exports.metadata import codelist, csvw, datapackage
from exports.model import sdmx as sdmx_model
from exports.model.labels import Indicator, Labels
from exports.model.tables import Table
from pipelines.core import code_texts, vocabulary

LANG = "{http://www.w3.org/XML/1998/namespace}lang"
COMMON = "{http://www.sdmx.org/resources/sdmxml/schemas/v3_0/common}"
STRUCTURE = "{http://www.sdmx.org/resources/sdmxml/schemas/v3_0/structure}"
SHARE = Indicator("share", {"en": "Share", "cs": "Podíl"}, "per person", 1, units={"en": "per person", "cs": "na osobu"})
LABELS = Labels({"share": SHARE}, {"A": "Brno"})
LISTS: Mapping[str, Mapping[Any, code_texts.Texts]] = {
    "statuses": code_texts.STATUS_NAMES,
    "explanations": code_texts.STATUS_EXPLANATIONS,
    "presences": code_texts.PRESENCES,
    "SDMX statuses": code_texts.SDMX_STATUS_NAMES,
    "sexes": code_texts.SEX_NAMES,
    "workbook": reading_texts.WORDS,
    "JSON-stat": jsonstat.DIMENSIONS,
    "SDMX": sdmx.NAMES,
    "other": {"all ages": code_texts.ALL_AGES, "no period": jsonstat.NO_PERIOD},
}
"""Every list of texts, with a text in each language."""


class TestTexts:
    @pytest.mark.parametrize("name", LISTS)
    def test_every_text_exists_in_every_language(self, name: str) -> None:
        lacking = [key for key, texts in LISTS[name].items() if len(texts) != len(code_texts.LANGUAGES) or not all(map(str.strip, texts))]
        assert lacking == []

    def test_every_code_has_texts(self) -> None:
        assert set(code_texts.STATUS_NAMES) == set(code_texts.STATUS_EXPLANATIONS) == set(vocabulary.STATUSES)
        assert set(code_texts.SDMX_STATUS_NAMES) == {status.sdmx for status in vocabulary.STATUSES.values()}
        assert set(code_texts.SEX_NAMES) == set(vocabulary.SEXES)

    def test_a_language_without_texts_has_the_english_ones(self) -> None:
        assert vocabulary.STATUSES["M"].name("pl") == "missing at source"
        assert code_texts.translated(["pl"]) == ("en",)
        assert code_texts.translated(["pl", "sk"]) == ("sk",)

    @pytest.mark.parametrize("table", [*codelist.tables(code_texts.LANGUAGES), sdmx_model.DATA], ids=lambda table: table.name)
    def test_tables_of_codes_and_cubes_are_described_in_czech(self, table: Table) -> None:
        assert table.translations["cs"]
        assert [column.name for column in table.columns if not column.translations.get("cs")] == []


class TestCodeLists:
    def test_have_a_column_per_language_of_the_pack(self) -> None:
        rows = list(csv.DictReader(io.StringIO(codelist.descriptor(context())["codelists/obs_status.csv"].decode())))
        assert list(rows[0]) == ["code", "name_en", "name_cs", "explanation_en", "explanation_cs", "has_value", "sdmx"]
        by_code = {row["code"]: row for row in rows}
        assert by_code["C"]["name_cs"] == "důvěrný údaj"
        assert (by_code["C"]["has_value"], by_code["P"]["has_value"]) == ("false", "true")

    def test_are_in_english_where_no_language_of_the_pack_has_texts(self) -> None:
        lists = codelist.descriptor(context(replace(INFO, languages=["pl"])))
        assert lists["codelists/sex.csv"].decode() == "code,name_en\nF,women\nM,men\n_T,total\n_U,unknown\n"


class TestCube:
    def cube(self, tmp_path: Path, *languages: str) -> dict[str, object]:
        frame = pl.DataFrame(
            [("share", "A", "2020", "F", "_T", 1.0, "A"), ("share", "A", "2020", "_T", "_T", None, "C")],
            schema=["indicator", "ref_area", "time_period", "sex", "age", "obs_value", "obs_status"],
            orient="row",
        )
        jsonstat.write(frame, "share", replace(INFO, languages=languages), LABELS, tmp_path / "share.json")
        return dict(json.loads((tmp_path / "share.json").read_bytes()))

    def test_labels_are_in_the_first_language_and_translations_beside_them(self, tmp_path: Path) -> None:
        cube = self.cube(tmp_path, "cs", "en")
        dimension, extension = cube["dimension"], cube["extension"]
        assert isinstance(dimension, dict)
        assert isinstance(extension, dict)
        assert (cube["label"], dimension["sex"]["label"]) == ("Podíl", "Pohlaví")
        assert dimension["sex"]["category"]["label"] == {"F": "ženy", "_T": "celkem"}
        assert dimension["indicator"]["category"]["unit"]["share"]["label"] == "na osobu"
        assert extension["status"]["label"] == {"A": "Normální hodnota", "Q": "Chybějící hodnota; důvěrný údaj"}
        assert extension["language"] == "cs"
        english = extension["translations"]["en"]
        assert (english["label"], english["extension"]["unit"]) == ("Share", "per person")
        assert english["dimension"]["age"] == {"label": "Age", "category": {"label": {"_T": "all ages"}}}
        assert english["dimension"]["ref_area"] == {"label": "Area"}  # names of areas have one language

    def test_one_language_needs_no_translations(self, tmp_path: Path) -> None:
        extension = self.cube(tmp_path, "en")["extension"]
        assert isinstance(extension, dict)
        assert "translations" not in extension


class TestDescriptors:
    def test_sdmx_structure_names_everything_in_the_languages_of_the_pack(self, tmp_path: Path) -> None:
        sdmx.write_structure(INFO, LABELS, ["share"], ["_T"], tmp_path / "structure.xml")
        tree = ElementTree.parse(tmp_path / "structure.xml")
        areas = tree.find(f".//{STRUCTURE}Codelist[@id='CL_AREA']")
        assert areas is not None
        in_one_language = set(areas.findall(f"{STRUCTURE}Code"))  # the name of an area has one language
        named = [node for node in tree.iter() if node.find(f"{COMMON}Name") is not None and node not in in_one_language]
        assert len(named) > 30
        assert [node.attrib for node in named if [name.get(LANG) for name in node.findall(f"{COMMON}Name")] != ["en", "cs"]] == []

    def test_csvw_and_data_package_carry_the_translations(self) -> None:
        release = context()
        status, _ = codelist.tables(INFO.languages)
        document = csvw.describe(release, ["codelists/obs_status.csv"], status)
        assert document["dc:description"] == [
            {"@value": status.description, "@language": "en"},
            {"@value": status.translations["cs"], "@language": "cs"},
        ]
        (resource,) = [resource for resource in datapackage.resources(release) if resource["name"] == "indicator_values"]
        (field,) = [field for field in resource["schema"]["fields"] if field["name"] == "obs_status"]
        assert field["categories"][0] == {"value": "A", "label": "normal", "label_cs": "normální hodnota"}
