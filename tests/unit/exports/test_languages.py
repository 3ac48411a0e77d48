"""The languages of a release: every text for people that our code writes exists in all of them, and no list misses a code."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import polars as pl
import pytest
from release_sample import INFO, context

from exports.changes.published import ALL_KINDS
from exports.formats import jsonstat, reading_texts, sdmx
from exports.metadata import changelog, citation, codelist, croissant, csvw, datapackage, dqv, markdown, prov, readme, schema_org
from exports.model import sdmx as sdmx_model
from exports.model.change_summary import Revision, Summary, TableChanges
from exports.model.info import Previous
from exports.model.labels import Indicator, Labels
from exports.model.tables import Table
from exports.push.ckan_dictionary import dictionaries
from exports.push.push_plan import PushPlan
from pipelines.core import code_texts, vocabulary
from tests.support import languages

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
    "metrics": {name: metric.description for name, metric in dqv.METRICS.items()},
    "dimensions of quality": dqv.DIMENSIONS,
    "other": {"all ages": code_texts.ALL_AGES, "no period": jsonstat.NO_PERIOD, "run": prov.RUN},
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
        document = csvw.describe(release, [csvw.CsvFile("codelists/obs_status.csv", status)])
        assert document["dc:description"] == [
            {"@value": status.description, "@language": "en"},
            {"@value": status.translations["cs"], "@language": "cs"},
        ]
        (resource,) = [resource for resource in datapackage.resources(release) if resource["name"] == "indicator_values"]
        (field,) = [field for field in resource["schema"]["fields"] if field["name"] == "obs_status"]
        assert field["categories"][0] == {"value": "A", "label": "normal", "label_cs": "normální hodnota"}


class TestReadme:
    def test_each_language_of_the_pack_with_a_template_has_one(self) -> None:
        assert list(readme.descriptor(context())) == ["README.md", "README.cs.md"]
        assert list(readme.descriptor(context(replace(INFO, languages=["pl", "hu"])))) == ["README.md"]

    def test_czech_one_has_czech_texts(self) -> None:
        documents = readme.descriptor(context())
        czech, english = (documents[path].decode() for path in ("README.cs.md", "README.md"))
        assert czech.startswith("# Ukázkové ukazatele\n")
        assert english.startswith("# Demo indicators\n")
        assert "| `areas` | Území | 1 |" in czech
        assert "| C | důvěrný údaj | důvěrný údaj: mohl by vypovídat o jednotlivých osobách nebo firmách | bez hodnoty |" in czech
        assert "[English](README.md)" in czech
        assert "[Česky](README.cs.md)" in english


@pytest.mark.parametrize("document", ["README", "CHANGELOG"])
@pytest.mark.parametrize("language", [language for language in markdown.TEMPLATES if language != "en"])
def test_templates_say_the_same(document: str, language: str) -> None:
    """Compare conditions, loops and values, and everything that is code. A sentence can have another order."""
    folder = Path(markdown.__file__).parent / "templates"
    english, other = ((folder / f"{document}.{name}.md.j2").read_text(encoding="utf-8") for name in ("en", language))
    pattern = re.compile(r"\{%-?\s*(.*?)\s*-?%\}|\{\{\s*(.*?)\s*\}\}", re.DOTALL)
    parts = [
        Counter(re.sub(r'"[^"]* [^"]*"|"(rank|fifth|pořadí|pětina)"', '"..."', a or b) for a, b in pattern.findall(text))
        for text in (english, other)
    ]
    assert parts[0] == parts[1]
    headings = [[line.split()[0] for line in text.splitlines() if line.startswith("#")] for text in (english, other)]
    assert headings[0] == headings[1]
    paths = [re.findall(r"^\| (`[^<`]*`(?:, `[^`]*`)*) \|", text, re.MULTILINE) for text in (english, other)]
    assert paths[0] == paths[1]
    assert len(paths[0]) > {"README": 15, "CHANGELOG": 3}[document]


class TestChangelog:
    CHANGES = Summary(
        "2026.10.1",
        {"areas": TableChanges(4, 0, 1, 3, {"source revised": 2}), "trends": TableChanges(None, 1, 0, 1, {})},
        [Revision("share", 1, 0, 0, 0.125, '{"indicator":"share","ref_area":"CZ_1","sex":"_T"}')],
        {"indicators": ["third"]},
        {"sources": ["office"]},
        [{"source": "office", "measure": "people", "period": "2001", "note": "a census", "note_en": "a census", "note_cs": "sčítání"}],
    )

    def documents(self, changes: Summary) -> tuple[list[str], list[str]]:
        release = replace(context(), previous=Previous("2026.10.1", {"areas": 4}), changes=changes)
        english, czech = changelog.descriptor(release).values()
        return english.decode().splitlines(), czech.decode().splitlines()

    def test_every_language_has_every_word(self) -> None:
        assert set(changelog.WORDS) == set(markdown.TEMPLATES)
        assert {frozenset(words) for words in changelog.WORDS.values()} == {frozenset(changelog.WORDS["en"])}
        assert set(ALL_KINDS) < set(changelog.WORDS["en"])

    def test_czech_one_says_the_same_in_czech(self) -> None:
        english, czech = self.documents(self.CHANGES)
        for of_english, of_czech in (
            ("[Česky](CHANGELOG.cs.md)", "[English](CHANGELOG.md)"),
            ("* new table `trends`", "* nová tabulka `trends`"),
            ("* new indicators: `third`", "* nové ukazatele: `third`"),
            ("* withdrawn sources: `office`", "* stažené zdroje: `office`"),
            (
                "* declared break in `people` of the source `office`, 2001: a census",
                "* deklarovaný zlom v řadě `people` ze zdroje `office`, 2001: sčítání",
            ),
            ("| table | source revised |", "| tabulka | revize zdroje (`source revised`) |"),
            ("| `share` | 1 | 0 | 0 | 12.5 % | CZ_1 |", "| `share` | 1 | 0 | 0 | 12,5 % | CZ_1 |"),
        ):
            assert of_english in english
            assert of_czech in czech
        assert len(english) == len(czech)

    def test_says_in_each_language_that_nothing_could_be_compared(self) -> None:
        english, czech = self.documents(Summary("2026.10.1", not_comparable="its parquet/areas.parquet is damaged or missing"))
        assert english[8] == "This release could not be compared with release 2026.10.1: its parquet/areas.parquet is damaged or missing."
        assert czech[8].startswith("Toto vydání nebylo možné porovnat s vydáním 2026.10.1: některý z jeho souborů je poškozený nebo chybí")


IN_TWO_LANGUAGES = replace(INFO, sources=[{**INFO.sources[0], "title": {"en": "Population", "cs": "Obyvatelstvo"}}])


class TestGraphs:
    def test_provenance_and_quality_are_labelled_in_each_language(self) -> None:
        release = context(IN_TWO_LANGUAGES)
        made, quality = (
            descriptor(release)[path].decode() for descriptor, path in ((prov.descriptor, prov.PATH), (dqv.descriptor, dqv.PATH))
        )
        assert 'rdfs:label "The run that made this release"@en, "Běh, který vytvořil toto vydání"@cs' in made
        assert 'dct:title "Population"@en, "Obyvatelstvo"@cs' in made
        assert 'foaf:name "Statistical office" ;' in made, "a name without a language has none"
        assert 'skos:prefLabel "Completeness"@en, "Úplnost"@cs' in quality
        assert quality.count("@en") == quality.count("@cs") > 1

    def test_search_engines_get_the_titles_of_sources_in_each_language(self) -> None:
        document = json.loads(schema_org.descriptor(context(IN_TWO_LANGUAGES))[schema_org.PATH])
        assert document["isBasedOn"][0]["name"] == [
            {"@value": "Population", "@language": "en"}, {"@value": "Obyvatelstvo", "@language": "cs"},
        ]  # fmt: skip


class TestCroissant:
    def document(self, *languages: str) -> dict[str, Any]:
        plain = context(replace(INFO, languages=languages))
        areas = plain.tables[0]
        columns = tuple(replace(column, translations={"cs": f"O sloupci {column.name}"}) for column in areas.columns)
        release = replace(plain, tables=(replace(areas, columns=columns, translations={"cs": "Území"}),))
        return dict(json.loads(croissant.descriptor(release)[croissant.PATH]))

    def test_names_and_descriptions_have_each_language(self) -> None:
        document = self.document("cs", "en")
        assert document["name"] == {"cs": "Ukázkové ukazatele", "en": "Demo indicators"}
        assert set(document["description"]) == {"cs", "en"}
        (records,) = document["recordSet"]
        assert records["description"] == {"cs": "Území", "en": "Areas | and their names."}
        (lat,) = [field["description"] for field in records["field"] if field["name"] == "lat"]
        assert lat == {"cs": "O sloupci lat. Jednotka: persons.", "en": "About lat. Unit: persons."}

    def test_english_alone_is_plain_text(self) -> None:
        document = self.document("en")
        assert (document["name"], document["recordSet"][0]["description"]) == ("Demo indicators", "Areas | and their names.")


def test_citation_has_one_language_as_its_format_has() -> None:
    text = citation.descriptor(context(replace(INFO, languages=["cs", "en"])))["CITATION.cff"].decode()
    assert "title: Ukázkové ukazatele\n" in text
    assert "Demo indicators" not in text


class TestPush:
    def test_dictionary_of_a_portal_is_in_its_language(self, tmp_path: Path) -> None:
        plain = context()
        areas = plain.tables[0]
        columns = (replace(areas.columns[0], translations={"cs": "Území"}), *areas.columns[1:])
        release = replace(plain, tables=(replace(areas, columns=columns),))
        for path, content in datapackage.descriptor(release).items():
            (tmp_path / path).write_bytes(content)
        plan = PushPlan("2026.11.1", tmp_path, {}, {}, ())
        czech, english = ({c["id"]: c["info"]["notes"] for c in dictionaries(plan, language)["csv/areas.csv"]} for language in ("cs", None))
        assert (czech["ref_area"], english["ref_area"]) == ("Území", "About ref_area")
        assert (czech["lat"], english["lat"]) == ("About lat. Jednotka: persons.", "About lat. Unit: persons.")


class TestWalk:
    def test_finds_what_a_release_lacks_in_a_language(self, tmp_path: Path) -> None:
        """The tables of the sample have no Czech descriptions, and it has no data files."""
        release = context()
        written = (datapackage, csvw, codelist, readme, changelog, croissant, prov, dqv)
        for descriptor in (module.descriptor for module in written):
            for path, content in descriptor(release).items():
                (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / path).write_bytes(content)
        assert [fault for fault in languages.of_release(tmp_path, ["en"]) if "missing" not in fault] == []
        faults = set(languages.of_release(tmp_path, ["en", "cs"]))
        assert {
            "datapackage.json: areas has no description in cs",
            "datapackage.json: areas.ref_area has no description in cs",
            "datapackage.json: areas.lat has no unit in cs",
            "README.cs.md: areas is not described in cs",
            "croissant.json: areas is not described in cs",
            "croissant.json: areas/ref_area is not described in cs",
            "demo_cs.xlsx: missing",
            "csv-metadata.json: ref_area is not described in cs",
        } <= faults
        assert not [fault for fault in faults if "obs_status.csv" in fault or fault.startswith("dqv.ttl")]
        assert [fault for fault in faults if fault.startswith("prov.ttl")] == [
            "prov.ttl: http://www.w3.org/2000/01/rdf-schema#label of "
            "https://data.example.org/zpo2/releases/2026.11.1/prov.ttl#source-town-rights is not in cs"
        ]
