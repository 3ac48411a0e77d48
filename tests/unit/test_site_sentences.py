"""What the page of a place says stands out is true of the data, and said only on its conditions. Needs Node and the packages of the site."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support import site_scripts

RELEASED = "2026-11-30T00:00:00Z"
LEVEL = "lau"
AREAS, INDICATORS = 20, 40
SCRIPT = """
import {{ readFileSync }} from "node:fs";
import {{ placeOf }} from {model};
import {{ standsOut }} from {sentences};
const {{ meta, bundle }} = JSON.parse(readFileSync(process.argv[2], "utf8"));
const sentences = bundle.areas.map((area) => {{
  const place = placeOf(meta, {{ bundle, within: null, peers: null }}, area);
  return standsOut(place.rows, meta.released).map(({{ row, ...facts }}) => ({{ indicator: row.about.indicator, ...facts }}));
}});
console.log(JSON.stringify(sentences));
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sentences")
    return site_scripts.bundled(folder, SCRIPT, model="place/model", sentences="sentences/standsOut")


def run(script: Path, folder: Path, data: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Return the sentences of each area of a bundle."""
    source = folder / "data.json"
    source.write_text(json.dumps(data), encoding="utf-8")
    sentences: list[list[dict[str, Any]]] = site_scripts.run(script, str(source))
    return sentences


def about(number: int, chance: random.Random, **changes: Any) -> dict[str, Any]:
    return {
        "indicator": f"i{number}",
        "topic": f"t{number % 9}",
        "display": chance.choice(["headline", "more"]),
        "direction": chance.choice(["higher_better", "lower_better", "target", "none"]),
        "depends_on_size": chance.random() < 0.2,
        "group": {"kind": chance.choice(["ratio", "ratio", "ratio", "sum"]), "multiplier": 100},
        "newest": {LEVEL: "2023"},
        **changes,
    }


def compared(value: float, near: float, far: float, reference: float | None, direction: str) -> tuple[str, float | None]:
    """Return outcome and significance as in the table `comparisons`: `near` and `far` are the halves of the intervals of 95 and 99.8 %."""
    if reference is None:
        return "no_reference", None
    if abs(value - reference) <= near:
        return "similar", None
    better = {"higher_better": value > reference, "lower_better": value < reference, "target": value > reference}
    side = ("higher" if value > reference else "lower") if direction == "none" else ("better" if better[direction] else "worse")
    return side, 99.8 if abs(value - reference) > far else 95.0


def indicator(own: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """Return the values of an indicator in all areas of a bundle, with comparisons that follow from them."""
    period = chance.choice(["2018", "2022", "2023"])
    with_interval = chance.random() < 0.6
    country, peers = chance.choice([None, chance.uniform(30, 70)]), [chance.uniform(30, 70) for _ in range(AREAS)]
    values = [None if chance.random() < 0.1 else round(chance.uniform(0, 100), 1) for _ in range(AREAS)]
    halves = [chance.uniform(1, 30) for _ in range(AREAS)]
    status = ["M" if value is None else "A" for value in values]
    entry: dict[str, Any] = {
        "indicator": own["indicator"], "newest": period, "periods": [period],
        "breakdowns": [{"sex": "_T", "age": "_T", "value": [[value] for value in values], "status": status}],
        "numerator": [5] * AREAS, "denominator": [chance.choice([1, 50]) for _ in range(AREAS)],
        "positions": {"peers": positions(values, chance)},
    }  # fmt: skip
    if with_interval:
        bounds = [(None, None) if value is None else (value - half, value + half) for value, half in zip(values, halves, strict=True)]
        entry["breakdowns"][0] |= {"lower": [[lower] for lower, _ in bounds], "upper": [[upper] for _, upper in bounds]}
        found = {
            "country": [compared(value, half, 1.5 * half, country, own["direction"]) if value is not None else ("no_value", None)
                        for value, half in zip(values, halves, strict=True)],
            "peers": [compared(value, half, 1.5 * half, peer, own["direction"]) if value is not None else ("no_value", None)
                      for value, half, peer in zip(values, halves, peers, strict=True)],
        }  # fmt: skip
        references = {"country": [country] * AREAS, "peers": peers}
        entry["comparisons"] = {
            against: {"reference": references[against], "outcome": [o for o, _ in rows], "significance": [s for _, s in rows]}
            for against, rows in found.items()
        }
    return entry


def positions(values: list[float | None], chance: random.Random) -> dict[str, list[int | None]]:
    others = [None if value is None else chance.choice([3, 9, 10]) for value in values]
    below = [None if count is None else chance.choice([0, 1, count - 1, count]) for count in others]
    equal = [None if count is None else min(chance.choice([0, 0, 1]), count - (b or 0)) for count, b in zip(others, below, strict=True)]
    return {"below": below, "equal": equal, "others": others}


def world(seed: int) -> dict[str, Any]:
    chance = random.Random(seed)
    abouts = [about(number, chance) for number in range(INDICATORS)]
    bundle = {
        "bundle": "b", "level": LEVEL, "parent": 99, "areas": list(range(AREAS)), "codes": [f"c{n}" for n in range(AREAS)],
        "names": [f"n{n}" for n in range(AREAS)], "peers": [[] for _ in range(AREAS)], "indices": [],
        "indicators": [indicator(own, chance) for own in abouts],
    }  # fmt: skip
    return {"meta": {"released": RELEASED, "indicators": abouts, "topics": [], "levels": []}, "bundle": bundle}


@pytest.mark.parametrize("seed", range(6))
def test_every_sentence_is_true_and_allowed(script: Path, tmp_path: Path, seed: int) -> None:
    data = world(seed)
    abouts = {own["indicator"]: own for own in data["meta"]["indicators"]}
    entries = {own["indicator"]: own for own in data["bundle"]["indicators"]}
    sentences_of = run(script, tmp_path, data)
    assert sum(map(len, sentences_of)) > AREAS, "there is something to say"
    for at, sentences in enumerate(sentences_of):
        assert len(sentences) <= 6
        assert max(Counter(abouts[own["indicator"]]["topic"] for own in sentences).values()) <= 2
        assert len({own["indicator"] for own in sentences}) == len(sentences)
        assert [own["kind"] for own in sentences].count("similar") <= 1
        for own in sentences:
            holds(own, abouts[own["indicator"]], entries[own["indicator"]], at)


def holds(sentence: dict[str, Any], own: dict[str, Any], entry: dict[str, Any], at: int) -> None:
    """Hold one sentence against the data."""
    total = entry["breakdowns"][0]
    value = total["value"][at][0]
    assert value is not None
    assert own["group"]["kind"] != "sum", "a count is not compared"
    if sentence["kind"] == "position":
        place = {name: column[at] for name, column in entry["positions"]["peers"].items()}
        assert "lower" not in total, "a position stands for what has no interval"
        assert not own["depends_on_size"]
        above = place["others"] - place["below"] - place["equal"]
        assert sentence["k"] == (place["below"] if sentence["side"] == "higher" else above)
        assert sentence["n"] == place["others"] >= 8
        assert sentence["k"] >= 0.9 * sentence["n"]
        return
    assert sentence["comparisons"]
    for one in sentence["comparisons"]:
        assert not (one["against"] == "country" and own["depends_on_size"])
        column = entry["comparisons"][one["against"]]
        assert one["value"] == column["reference"][at]
        if one["side"] == "similar":
            assert column["outcome"][at] == "similar"
            assert total["lower"][at][0] <= one["value"] <= total["upper"][at][0]
        else:
            assert one["side"] == ("higher" if value > one["value"] else "lower")
            assert one["significance"] == column["significance"][at]
            assert column["outcome"][at] in ("better", "worse", "higher", "lower")
    significant = [one for one in sentence["comparisons"] if one["significance"] == 99.8]
    assert bool(significant) == (sentence["kind"] == "differs")


def test_differences_from_both_come_first_and_older_data_last(script: Path, tmp_path: Path) -> None:
    chance = random.Random(1)
    plain = {"display": "headline", "direction": "none", "depends_on_size": False, "group": None}
    abouts = [about(number, chance, topic=f"t{number}", **plain) for number in range(4)]

    def entry(number: int, period: str, peers: float, country: float) -> dict[str, Any]:
        against = {"peers": peers, "country": country}
        return {
            "indicator": f"i{number}", "newest": period, "periods": [period],
            "breakdowns": [{"sex": "_T", "age": "_T", "value": [[50]], "status": ["A"], "lower": [[45]], "upper": [[55]]}],
            "comparisons": {
                name: {"reference": [value], "outcome": ["similar" if value == 50 else "higher"], "significance": [None if value == 50 else 99.8]}
                for name, value in against.items()
            },
        }  # fmt: skip

    entries = [entry(0, "2023", 50, 20), entry(1, "2018", 20, 20), entry(2, "2023", 20, 20), entry(3, "2023", 50, 50)]
    bundle: dict[str, Any] = {
        "bundle": "b",
        "level": LEVEL,
        "parent": None,
        "areas": [0],
        "codes": ["c"],
        "names": ["n"],
        "peers": [[]],
        "indices": [],
        "indicators": entries,
    }
    data = {"meta": {"released": RELEASED, "indicators": abouts, "topics": [], "levels": []}, "bundle": bundle}
    assert [own["indicator"] for own in run(script, tmp_path, data)[0]] == ["i2", "i1", "i0", "i3"]
