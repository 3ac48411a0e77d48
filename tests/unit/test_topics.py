"""Topics: which indicators they have, what `check` refuses, what a release makes of them, and whether people find them by their own words."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from exports.model.topics import FURTHER, Topic, data_sets
from pipelines import packs
from pipelines.core.yaml import PackError
from pipelines.packs import topics
from tests.support import five_places
from tests.support.command import PROJECT

TOPIC = {"id": "people", "title": "People", "description": "About people.", "keywords": ["people"]}


def pack(folder: Path, declared: Any) -> Path:
    return five_places.write(folder / "pack", pack_yml=five_places.PACK + yaml.safe_dump({"topics": declared}))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"field": None}, "give indicators, objective or field"),
        ({"indicators": ["nothing"]}, "topics.0.indicators.0: nothing: no such indicator"),
        ({"field": "environmental"}, "people: no indicator has this objective and field"),
        ({"id": "../etc"}, "id: "),
        ({"id": "territory", "field": "social"}, "territory: every release has a data set of this name"),
        ({"id": "release", "field": "social"}, "release: every release has a data set of this name"),
        ({"field": "social", "keywords": {"de": ["Leute"]}}, "de: not one of the pack's languages"),
        ({"field": "social", "title": {"de": "Leute"}}, "the text is only in de"),
        ({"field": "social", "theme": "FOOD"}, "theme: "),
    ],
)
def test_check_names_the_line_of_a_wrong_topic(change: dict[str, Any], fault: str, tmp_path: Path) -> None:
    folder = pack(tmp_path, [{**TOPIC, **change}])
    with pytest.raises(PackError) as raised:
        packs.load(folder)
    assert fault in str(raised.value)
    assert str(raised.value).startswith("pack.yml:")


def test_check_refuses_two_topics_of_one_name(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="people: is declared twice"):
        packs.load(pack(tmp_path, [{**TOPIC, "objective": "ZPO2-1"}, {**TOPIC, "objective": "ZPO2-1"}]))


def test_the_default_is_a_topic_for_each_objective_and_field() -> None:
    demo = packs.load(PROJECT / "packs" / "demo")
    default = topics.of_pack(replace(demo, file=demo.file.model_copy(update={"topics": None})))
    computed = {name: indicator for name, indicator in demo.indicators.items() if indicator.formula}
    assert {topic.id for topic in default} == {
        "zpo2_1_economic", "zpo2_1_social", "zpo2_2_social", "zpo2_3_economic", "zpo2_3_environmental", "zpo2_3_social", "zpo3_1_economic",
        "zpo3_3_social",
    }  # fmt: skip
    assert sorted(name for topic in default for name in topic.indicators) == sorted(computed)
    forests = next(topic for topic in default if topic.id == "zpo2_3_environmental")
    assert forests.titles["cs"].endswith(": oblast životního prostředí")
    assert "Podíl lesů na výměře" in forests.keywords["cs"]
    assert (forests.theme, forests.keywords["en"][1]) == ("ENVI", "environmental field")


def test_a_release_has_the_topics_with_values_and_the_further_data_sets_with_rows() -> None:
    declared = [Topic("a", {"en": "A"}, {}, {}, "SOCI", ("x", "y")), Topic("b", {"en": "B"}, {}, {}, "SOCI", ("z",))]
    found = data_sets(declared, {"y"}, {"areas": 3, "peers": 0, "cohesion_convergence": 1, "snapshots": 9})
    assert [(d.id, d.indicators, d.tables) for d in found] == [
        ("a", ("y",), ("indicator_values",)), ("cohesion", (), ("cohesion_convergence",)), ("territory", (), ("areas",)),
    ]  # fmt: skip


def folded(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()


def finding(word: str, data: Iterable[Topic]) -> list[str]:
    """Return the data sets that a search for a word finds, whatever its case and its diacritics."""
    by_text = {d.id: [*d.titles.values(), *d.descriptions.values(), *(w for words in d.keywords.values() for w in words)] for d in data}
    return [name for name, texts in by_text.items() if any(folded(word) in folded(text) for text in texts)]


WORDS = {
    "population": "stáří STARI senioři obyvatelstvo porodnost ageing children demography",
    "social_exclusion": "exekuce zadlužení chudoba předlužení poverty benefits",
    "municipal_budgets": "zadlužení rozpočet dluh debt",
    "economy": "nezaměstnanost Nezamestnanost HDP unemployment tourism",
    "housing": "bydlení byty housing",
    "elections": "volby účast turnout elections",
    "representation": "ženy zastupitelstvu starostky women councillors",
    "landscape": "lesy forests krajina",
    "migration": "uprchlíci stěhování refugees Ukraine",
    "eu_funds": "dotace fondy subsidies",
    "health_care": "lékař lekari doctors",
    "civic_life": "sport spolky participativní",
    "territory": "okresy číselník codes",
    "gender_gaps": "rovnost equality",
    "cohesion": "nerovnost convergence",
}
ONLY_CZ = {
    "landscape": "odpady odpad waste recycling",
    "shared_taxes": "školka školy schools zaměstnanci",
}


@pytest.mark.parametrize("name", ["cz", "demo"])
def test_people_find_the_data_by_their_own_words(name: str) -> None:
    of_pack = packs.load(PROJECT / "packs" / name)
    data = [*topics.of_pack(of_pack), *FURTHER]
    expected = [*WORDS.items(), *(ONLY_CZ.items() if name == "cz" else [])]
    asked = [(word, topic) for topic, words in expected for word in words.split()]
    assert len(asked) >= 30
    assert [(word, topic) for word, topic in asked if topic not in finding(word, data)] == []
    assert finding("tygr", data) == []
    assert 8 <= len(topics.of_pack(of_pack)) <= 14


@pytest.mark.parametrize("name", ["cz", "demo"])
def test_every_indicator_with_data_is_in_a_topic_in_all_languages(name: str) -> None:
    of_pack = packs.load(PROJECT / "packs" / name)
    listed = topics.of_pack(of_pack)
    assert {i for topic in listed for i in topic.indicators} == {i.id for i in of_pack.indicators.values() if i.formula}
    for topic in listed:
        assert set(topic.titles) == set(topic.descriptions) == set(topic.keywords) == {"en", "cs"}, topic.id
