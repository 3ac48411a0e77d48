"""What the site says and draws in small: gaps of series, bound words, suppliers, codes and positions. Needs Node and the packages of the site."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import site_scripts

SCRIPT = """
import {{ readFileSync }} from "node:fs";
import {{ knownCode, Areas }} from {areas};
import {{ mainLevels }} from {levels};
import {{ suppliersOf }} from {suppliers};
import {{ loadTexts }} from {texts};
import {{ gaps, runs }} from {time};
import {{ bound }} from {typography};
import {{ changeOf }} from {model};
import {{ positionText }} from {words};
Object.assign(globalThis, {{
  document: {{ documentElement: {{ lang: "cs" }}, body: {{ dataset: {{}} }} }},
  requestAnimationFrame: setImmediate,
  fetch: async () => ({{ ok: true, text: async () => JSON.stringify(texts) }}),
}});
const folder = process.argv[2];
const texts = Object.assign({{}}, ...["common", "place", "level"].map((group) => JSON.parse(readFileSync(`${{folder}}/cs/${{group}}.json`, "utf8"))));
await loadTexts();
const levels = [["lau", 0, 3, "okres"], ["orp", 3, 1, "okres"], ["okres", 4, 1, "state"], ["state", 5, 1, null]];
const meta = {{
  levels: levels.map(([level, first, count, above]) => ({{ level, title: level, first, count, above }})),
  country: {{ area: 5, code: "S", name: "Stát" }},
  areas: {{ first: 3, code: ["a", "b", "c"], name: ["a", "b", "c"], parent: [4, 5, null], population: [], bundle: [] }},
}};
const place = {{ area: 0, level: "lau", parent: 4 }};
const says = (among, amongPeers = null, withoutValue = 0) => positionText({{ among, amongPeers, withoutValue }}, place, new Areas(meta));
const at = (below, equal, others) => ({{ below, equal, others }});
const points = (series) => series.map(([period, value]) => ({{ period, value }}));
const row = (indicator, period, series, about = {{}}) => ({{ about: {{ indicator, ...about }}, period, series: points(series) }});
const rows = [
  row("people", "2024", [["2019", 90], ["2023", null], ["2024", 100]]),
  row("change", "2024", [], {{ change_of: "people", change_years: 5 }}),
  row("late", "2024", [], {{ change_of: "people", change_years: 1 }}),
  row("alone", "2024", [], {{ change_years: 5 }}),
];
console.log(JSON.stringify({{
  gaps: [["2007", "2008", "2009", "2010", "2020"], ["2010", "2014", "2018", "2022"], ["2010", "2017", "2021"], ["2000", "2010", "2020", "2021"],
    ["2013", "2023"], ["2023"], [], ["2023-11", "2023-12", "2024-01", "2024-06"], ["2023-Q3", "2023-Q4", "2024-Q1"]].map(gaps),
  runs: [runs([1, 2, null, 3, 4, 5], [4]), runs([null, undefined], []), runs([0, 0, 0], [1, 2])],
  bound: ["Rozdíl v obci a u nás", "a v obci", "K obci (z okresu)", "člověk má 5 % lidí", "podíl s ", "bez slov"].map((text) => bound(text, "cs")),
  unbound: bound("a place in a town", "en"),
  suppliers: suppliersOf(
    ["Agentura, obce", "obce", "", "Ministerstvo školství, mládeže a tělovýchovy", "svazy, Síť"], new Set(["obce", "svazy", "Agentura, obce"]),
  ),
  codes: ["CZ_578347", "CZ_ORP_2101", "CZ064", "SK_508438", "CZ_Praha", "578347", "a_1"].map(knownCode),
  levels: mainLevels(meta),
  positions: [
    says(at(52, 0, 115)), says(at(115, 0, 115)), says(at(0, 0, 113), at(0, 0, 10)), says(at(0, 5, 115), at(4, 1, 10)),
    says(at(0, 115, 115), at(0, 10, 10)), says(at(3, 0, 115), at(0, 0, 10), 2), says(null, null), says(at(110, 5, 115)),
  ],
  changes: rows.map((row) => changeOf(row, rows)).map((change) => change && [change.from.value, change.to.value]),
}}));
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    modules = {name: f"core/{name}" for name in ("areas", "levels", "suppliers", "texts", "time", "typography")}
    folder = tmp_path_factory.mktemp("words")
    bundle = site_scripts.bundled(folder, SCRIPT, model="place/model", words="place/words", **modules)
    results: dict[str, Any] = site_scripts.run(bundle, str(site_scripts.SITE / "texts"))
    return results


def test_a_step_longer_than_usual_is_a_gap(said: dict[str, Any]) -> None:
    """Elections every four years leave nothing out, although most years have no value."""
    assert said["gaps"] == [[4], [], [1], [], [], [], [], [3], []]


def test_points_are_joined_only_without_a_missing_value_or_a_cut_between_them(said: dict[str, Any]) -> None:
    assert said["runs"] == [[[0, 1], [3], [4, 5]], [], [[0], [1], [2]]]


def test_a_short_word_is_bound_to_the_next_one(said: dict[str, Any]) -> None:
    assert said["bound"] == [
        "Rozdíl v\u00a0obci a\u00a0u\u00a0nás", "a\u00a0v\u00a0obci", "K\u00a0obci (z\u00a0okresu)",
        "člověk má 5\u00a0% lidí", "podíl s\u00a0", "bez slov",
    ]  # fmt: skip
    assert said["unbound"] == "a place in a town"


def test_a_supplier_is_named_once_and_a_name_with_commas_is_not_torn(said: dict[str, Any]) -> None:
    assert said["suppliers"] == ["Agentura", "obce", "Ministerstvo školství, mládeže a tělovýchovy", "svazy", "Síť"]


def test_a_code_is_shown_without_the_prefix_of_its_scheme(said: dict[str, Any]) -> None:
    assert said["codes"] == ["578347", "2101", "CZ064", "508438", "CZ_Praha", "578347", "a_1"]


def test_the_main_levels_are_those_in_which_areas_are_compared(said: dict[str, Any]) -> None:
    assert said["levels"] == ["lau", "okres", "state"]


def test_a_position_at_an_end_is_said_as_people_do(said: dict[str, Any]) -> None:
    said_with_spaces = [text and text.replace("\u00a0", " ") for text in said["positions"]]
    assert said_with_spaces == [
        "výše než 52 ze 115 obcí okresu",
        "výše než všech dalších 115 obcí okresu",
        "níže než všech dalších 113 obcí okresu a všech 10 podobných",
        "nejníže, stejně jako 5 ze 115 obcí okresu; výše než 4 z 10 podobných (1 stejně)",
        "stejně jako všech dalších 115 obcí okresu a všech 10 podobných",
        "výše než 3 ze 115 obcí okresu; níže než všech 10 podobných; 2 bez údaje",
        None,
        "výše než 110 ze 115 obcí okresu (5 stejně)",
    ]


def test_a_change_knows_the_two_values_that_it_compares(said: dict[str, Any]) -> None:
    assert said["changes"] == [None, [90, 100], None, None]
