"""Loading a pack: every fault is one line with the file, the line and the key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines import packs
from pipelines.core.settings import Settings
from pipelines.core.yaml import PackError
from pipelines.extract.http import local_files
from pipelines.extract.http.request import FetchError
from pipelines.packs import compile, expressions
from pipelines.packs.schema.indicator import Formula
from tests.support import five_places
from tests.support.command import PROJECT


def faults(pack: Path) -> list[str]:
    with pytest.raises(PackError) as error_info:
        packs.load(pack)
    return error_info.value.lines


class TestLoad:
    def test_returns_the_pack(self, tmp_path: Path) -> None:
        pack = packs.load(five_places.write(tmp_path))
        assert list(pack.sources) == ["areas", "people"]
        assert [p.name for p in pack.parts(pack.sources["people"])] == ["year=2020", "year=2021"]
        assert pack.text(pack.indicators["women_share"].title) == "Share of women"

    def test_names_file_and_line_of_an_unknown_key(self, tmp_path: Path) -> None:
        pack = five_places.write(tmp_path, pack_yml=five_places.PACK + "surprise: 1\n")
        line = len((five_places.PACK + "surprise: 1\n").splitlines())
        assert faults(pack) == [f"pack.yml:{line}: surprise: unknown key"]

    def test_refuses_an_unknown_key_with_null(self, tmp_path: Path) -> None:
        assert faults(five_places.write(tmp_path, pack_yml=five_places.PACK + "surprise: null\n"))[0].endswith("surprise: unknown key")

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("objective: ZPO2-1", "objective: ZPO2-1\n  surprise: x", "indicators/all.yml:4: 0.surprise: unknown key"),
            (
                "measure: population, sex: F",
                "measure: people, sex: F",
                "0.formula.numerator.0.measure: people: no source declares this measure",
            ),
            (
                "levels: [lau, orp, okres, nuts0]\n- id: population",
                "levels: [village]\n- id: population",
                "0.levels.0: village: no such level",
            ),
            ("direction: none\n  formula", "direction: upwards\n  formula", "0.direction: input should be"),
            ("multiplier: 100", "multiplier: a lot", "0.formula.multiplier: input should be a valid number"),
            ("- id: population", "- id: women_share", "1.id: women_share: is declared twice"),
            ("needed: a survey of households", "sdg: 5.c", "2: give a formula with levels, or needed"),
        ],
    )
    def test_names_faults_in_indicators(self, tmp_path: Path, old: str, new: str, message: str) -> None:
        assert old in five_places.INDICATORS
        lines = faults(five_places.write(tmp_path, indicators__all_yml=five_places.INDICATORS.replace(old, new, 1)))
        assert any(message in line for line in lines), lines

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("code: code}", "code: kod}", "sources/people.yml:15: map.area.code: kod: no such column"),
            ("scheme: lau", "scheme: iso", "map.area.scheme: iso: no source of areas declares this scheme"),
            ("population: persons", "population: (select 1)", "map.measures.population.value: subquery is not allowed"),
            ("population: persons", "population: sum(persons)", "aggregates are allowed only in the measures of counted sources"),
            ("population: persons", "population: read_text('/etc/passwd')", "read_text: is not in the list of functions"),
            ("population: persons", "population: getenv('HOME')", "getenv: is not in the list of functions"),
            ("id: people", "id: persons", "id: persons: must be the name of the file, people"),
            ("people_{year}", "people_{month}", "fetch.url: {month}: parts has no such variable"),
            ("into: observations", "into: numbers", "into: input should be"),
            ("persons: {type: integer, min: 0}", "persons: {type: integer, personal: true}\n  __x: {}", "columns.__x: not a valid name"),
            ("sex: sex\n", "sex: sex\n  when: now\n", "map.when: unknown key"),
        ],
    )
    def test_names_faults_in_sources(self, tmp_path: Path, old: str, new: str, message: str) -> None:
        assert old in five_places.PEOPLE
        lines = faults(five_places.write(tmp_path, sources__people_yml=five_places.PEOPLE.replace(old, new, 1)))
        assert any(message in line for line in lines), lines

    def test_refuses_to_store_a_personal_column(self, tmp_path: Path) -> None:
        text = five_places.PEOPLE.replace("code: {required: true}", "code: {required: true, personal: true}")
        lines = faults(five_places.write(tmp_path, sources__people_yml=text))
        assert any("uses a personal column, which must never be stored" in line for line in lines)

    def test_refuses_an_index_of_an_indicator_without_direction(self, tmp_path: Path) -> None:
        text = five_places.INDEX.replace(", direction: higher_better", "")
        lines = faults(five_places.write(tmp_path, indices__wellbeing_yml=text))
        assert any("women_share: an indicator with direction none has no score" in line for line in lines)

    def test_reads_yaml_1_2_core(self, tmp_path: Path) -> None:
        text = five_places.PACK.replace("country: CZ", "country: NO").replace("title: Five places", "title: on")
        pack = packs.load(five_places.write(tmp_path, pack_yml=text))
        assert (pack.file.country, pack.text(pack.file.title)) == ("NO", "on")

    def test_keeps_the_text_of_numbers(self, tmp_path: Path) -> None:
        pack = packs.load(five_places.write(tmp_path, pack_yml=five_places.PACK.replace("title: Five places", "title: 007.50")))
        assert pack.text(pack.file.title) == "007.50"

    @pytest.mark.parametrize("text", ["id: [", "id: five\nid: six\n", "a: &x [*x]\n", "id: !!python/object:os.system x\n"])
    def test_reports_hostile_yaml_in_one_line(self, tmp_path: Path, text: str) -> None:
        assert faults(five_places.write(tmp_path, pack_yml=text))[0].startswith("pack.yml:")

    def test_digest_is_independent_of_layout(self, tmp_path: Path) -> None:
        one = packs.load(five_places.write(tmp_path / "a"))
        text = '{"id": "five", "title": "Five places", "country": "CZ", "licence": "CC0-1.0", "publisher": {"name": "Somebody"}, '
        text += '"weight": "population", "formats": ["csv", "parquet", "duckdb", "xlsx", "jsonstat", "geo", "api", "site", "sdmx"], '
        text += '"levels": [{"id": "lau", "parents": ["orp", "okres"]}, {"id": "orp", "parents": ["nuts0"]}, '
        text += '{"id": "okres", "parents": ["nuts0"]}, {"id": "nuts0"}]}'
        two = packs.load(five_places.write(tmp_path / "b", pack_yml=text))
        assert one.digest == two.digest

    @pytest.mark.parametrize(
        ("file", "before", "after", "fault"),
        [
            ("pack.yml", "country: CZ", "country: CZ\ntimezone: Mars/Olympus", "timezone: Mars/Olympus: no such time zone"),
            ("pack.yml", "country: CZ", "country: CZ\nbase_uri: nowhere", "base_uri: nowhere: expected an address such as"),
            (
                "pack.yml",
                "country: CZ",
                "country: CZ\ncatalogues: [nkod, sk]",
                "catalogues: nkod, sk: national catalogues need a base_uri with https",
            ),
            (
                "pack.yml",
                "formats: [csv, parquet, duckdb, xlsx, jsonstat, geo, api, site, sdmx]",
                "formats: [csv, xlsx]",
                "formats: every release has its tables as csv and parquet: add parquet",
            ),
            (
                "pack.yml",
                "formats: [csv, parquet, duckdb, xlsx, jsonstat, geo, api, site, sdmx]",
                "formats: [csv, parquet, site]",
                "formats: site reads the files of api: add api, or leave site out",
            ),
            ("sources/areas.yml", "data/areas.csv", "../areas.csv", "fetch.url: ../areas.csv: a path must stay inside the pack"),
            ("sources/areas.yml", "data/areas.csv", "/etc/passwd", "fetch.url: /etc/passwd: a path must stay inside the pack"),
            ("sources/areas.yml", "data/areas.csv", "ftp://x/y", "fetch.url: ftp://x/y: expected http, https"),
            ("sources/areas.yml", "data/areas.csv", '"${HOME}/x"', "expected http, https"),
            ("sources/areas.yml", "licence: CC0-1.0", "licence: CC-BY", "sources/areas.yml:4: licence: CC-BY: not an SPDX identifier"),
            ("sources/areas.yml", "licence: CC0-1.0", "licence: cc0-1.0", "licence: cc0-1.0: write it as SPDX does, CC0-1.0"),
            ("pack.yml", "licence: CC0-1.0", "licence: Free", "licence: Free: not an SPDX identifier"),
            (
                "sources/areas.yml",
                "licence: CC0-1.0",
                "licence: CC0-1.0\nrights: Anything",
                "rights: the licence is CC0-1.0; rights are for sources without one",
            ),
            (
                "sources/areas.yml",
                "licence: CC0-1.0",
                "licence: CC0-1.0\ncarrier: {name: Mirror, licence: Free}",
                "licence: Free: not an SPDX identifier",
            ),
            ("pack.yml", "title: Five places", "title: {de: Orte}", "title: the text is only in de, and the languages of the pack are en"),
            ("sources/areas.yml", "title: Areas", "title: {cs: Obce}", "title: the text is only in cs"),
            (
                "sources/areas.yml",
                "{url: data/areas.csv}",
                '{url: "https://x.example.org/a?key=${ZPO2_SECRET_KEY}"}',
                "fetch.url: ${ZPO2_SECRET_KEY}: a secret cannot stand in a text; write {secret_env: ZPO2_SECRET_KEY}",
            ),
            (
                "sources/areas.yml",
                "{url: data/areas.csv}",
                "{url: https://x.example.org/a, params: {key: '${ZPO2_SECRET_KEY}'}}",
                "fetch.params.key: ${ZPO2_SECRET_KEY}: a secret cannot stand in a text",
            ),
            (
                "sources/areas.yml",
                "{url: data/areas.csv}",
                "{url: https://x.example.org/a, params: {key: {secret_env: PASSWORD}}}",
                "secret_env: string should match pattern",
            ),
            (
                "sources/people.yml",
                "format: csv, ignore",
                "format: csv, delimiter: ';', names: ['n{year}'], ignore",
                "a variable of parts is not",
            ),
            (
                "sources/people.yml",
                "{year: [2020, 2021]}",
                "{year: [2020, 2021]}, headers: {X: 'y{year}'}",
                "fetch.headers.X: {year}: a variable",
            ),
            (
                "sources/people.yml",
                "format: csv, ignore",
                "format: csv, member: 'a{month}.csv', ignore",
                "read.member: {month}: parts has no such",
            ),
            (
                "sources/people.yml",
                "into: obs",
                "corrections: [{where: code = 'a1', set: {pupils: '1'}, reason: r}]\ninto: obs",
                "corrections.0.set.pupils: pupils: no such column in `columns`",
            ),
            ("indices/wellbeing.yml", "level: lau", "level: lau\nperiod: each\nmax_age: 2", "max_age: is for period: latest"),
            ("sources/areas.yml", "name: {}", 'name: {pattern: "["}', "columns.name.pattern: [: not a regular expression"),
            ("sources/people.yml", "min: 0", "min: 9, max: 1", "columns.persons.max: 1: less than min, 9"),
            ("sources/areas.yml", "fetch: {", 'fetch: {cadence: "61 * * * *", ', "fetch.cadence: 61 * * * *: not a cron expression"),
            ("sources/areas.yml", "fetch: {", "fetch: {inbox: true, ", "has no url"),
            ("sources/areas.yml", "{url: data/areas.csv}", "{push: {type: t}}", "fetch.url: missing"),
            (
                "sources/people.yml",
                "into: obs",
                "breaks: [{measure: population, period: 20x0}]\ninto: obs",
                "breaks.0.period: expected a period: a year",
            ),
            (
                "indices/wellbeing.yml",
                "indicator: women_share",
                "weight: .inf, indicator: women_share",
                "weight: input should be a finite number",
            ),
            (
                "indices/wellbeing.yml",
                "indicator: women_share",
                "bounds: [.nan, 1], indicator: women_share",
                "input should be a finite number",
            ),
            (
                "indices/wellbeing.yml",
                "direction: higher_better",
                "direction: target",
                "direction target needs the indicator's target_value",
            ),
            (
                "indices/wellbeing.yml",
                "level:",
                "impute: {method: component_group_mean, by: x}\nlevel:",
                "impute.by: x: no source of areas",
            ),
            (
                "indices/wellbeing.yml",
                "level:",
                "normalise: {method: minmax, scale: [1, 1]}\nlevel:",
                "both ends of the scale are the same",
            ),
            (
                "indices/wellbeing.yml",
                "level:",
                "normalise: {method: zscore, scale: [1, 0]}\nlevel:",
                "a standard deviation must be above 0",
            ),
            (
                "sources/areas.yml",
                "{url: data/areas.csv}",
                "{push: {type: t, carries: record}}",
                "read.format: pushed records must have one of the formats json",
            ),
        ],
    )
    def test_refuses_impossible_values(self, tmp_path: Path, file: str, before: str, after: str, fault: str) -> None:
        root = five_places.write(tmp_path / "pack")
        path = root / file
        assert before in path.read_text()
        path.write_text(path.read_text().replace(before, after, 1))
        with pytest.raises(PackError) as error_info:
            packs.load(root)
        assert any(fault in line for line in error_info.value.lines), error_info.value.lines


class TestExpressionFault:
    def test_measures_of_counted_sources_need_an_aggregate(self) -> None:
        assert expressions.fault("count(*) filter (where is_free)", {"is_free"}, aggregate=True) is None
        assert expressions.fault("is_free", {"is_free"}, aggregate=True) == "expected an aggregate, such as count(*) or sum(amount)"


@pytest.mark.parametrize("name", ["cz", "demo"])
def test_indicators_have_texts_in_all_languages_of_their_pack(name: str) -> None:
    pack = packs.load(PROJECT / "packs" / name)
    for indicator in pack.indicators.values():
        assert set(indicator.title) == set(pack.file.languages), indicator.id
        if indicator.formula is not None:
            assert set(indicator.description or {}) == set(pack.file.languages), indicator.id
            assert indicator.sdg, indicator.id


class TestFilesOfThePack:
    def test_missing_file_is_a_fault_of_check_only(self, tmp_path: Path) -> None:
        folder = five_places.write(tmp_path)
        packs.load(folder, with_files=True)
        (folder / "data" / "people_2021.csv").unlink()
        packs.load(folder)
        with pytest.raises(PackError) as caught:
            packs.load(folder, with_files=True)
        assert caught.value.faults == ["sources/people.yml:6: fetch.url: data/people_2021.csv: no such file in the pack"]

    @pytest.mark.parametrize("name", ["a" * 300, "a/" * 3000 + "b", "%00", "circle"])
    def test_name_that_no_file_can_have_is_a_fault(self, tmp_path: Path, name: str) -> None:
        folder = five_places.write(tmp_path, sources__areas_yml=five_places.AREAS.replace("data/areas.csv", f"data/{name}"))
        (folder / "data" / "circle").symlink_to("circle")
        with pytest.raises(PackError, match="no such file in the pack"):
            packs.load(folder, with_files=True)
        with pytest.raises(FetchError):
            local_files.file(folder, f"data/{name}", Settings())


@pytest.mark.parametrize(
    ("formula", "is_change"),
    [
        ({"numerator": [{"measure": "births"}], "denominator": [{"measure": "people"}]}, False),
        ({"numerator": [{"measure": "men"}, {"measure": "women"}]}, False),
        ({"numerator": [{"measure": "people"}], "denominator": [{"measure": "people", "sex": "_T"}]}, False),
        ({"numerator": [{"measure": "births"}, {"measure": "deaths", "factor": -1}], "denominator": [{"measure": "people"}]}, True),
        ({"numerator": [{"measure": "people"}, {"measure": "people", "lag": 1, "factor": -1}]}, True),
        ({"numerator": [{"measure": "people"}], "denominator": [{"measure": "people", "lag": 5}]}, True),
        ({"numerator": [{"measure": "people"}], "change": {"years": 5}}, True),
        ({"numerator": [{"measure": "rate"}], "difference_to": "country"}, True),
    ],
)
def test_values_that_are_changes_or_differences_are_known(formula: dict[str, Any], is_change: bool) -> None:
    """Their own growth says nothing, so progress does not assess them."""
    assert compile.is_change(Formula.model_validate(formula)) is is_change


def test_counts_have_no_dispersion_unless_the_indicator_asks_for_it(tmp_path: Path) -> None:
    """Measures that add up without a denominator are counts; ratios, rates of change and what cannot be summed are not."""
    people = "{measure: population}"
    formulas = {
        "count": f"{{numerator: [{people}]}}",
        "asked": f"{{numerator: [{people}]}}",
        "growth": f"{{numerator: [{people}], change: {{years: 1}}}}",
        "increase": f"{{numerator: [{people}], change: {{years: 1, kind: difference}}}}",
        "ratio": f"{{numerator: [{people}], denominator: [{people}]}}",
    }
    declared = "".join(
        f"- id: {name}\n  title: {name}\n  objective: ZPO2-1\n  unit: persons\n  direction: none\n  levels: [lau]\n  formula: {formula}\n"
        + ("  dispersion: true\n" if name == "asked" else "")
        for name, formula in formulas.items()
    )
    pack = packs.load(five_places.write(tmp_path / "pack", indicators__more_yml=declared))
    rows = compile.compile_pack(pack)["indicators"].to_dicts()
    dispersion = {row["indicator"]: row["dispersion"] for row in rows if row["indicator"] in formulas}
    assert dispersion == {"count": False, "asked": True, "growth": True, "increase": False, "ratio": True}


@pytest.mark.slow
def test_sources_of_the_packs_without_a_licence_say_what_is_known_of_their_terms() -> None:
    for name in ("cz", "demo", "v4"):
        pack = packs.load(PROJECT / "packs" / name)
        unlicensed = [source for source in pack.sources.values() if source.enabled and source.licence == "NOASSERTION"]
        assert unlicensed
        languages = set(pack.file.languages)
        assert [source.id for source in unlicensed if not source.rights or set(source.rights) != languages] == []
