"""Every indicator with data is in a topic that readers can choose. Needs Node and the packages of the site."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support import site_scripts

SCRIPT = """
import {{ NO_TOPIC, topicsWithData }} from {topics};
globalThis.document = {{ documentElement: {{ lang: "en" }} }} as never; // for the language of the page
console.error = () => undefined; // no texts are loaded
const topics = topicsWithData(JSON.parse(process.argv[2]));
console.log(JSON.stringify(topics.map(({{ topic, indicators }}) => [topic === NO_TOPIC ? null : topic, indicators])));
"""
INDICATORS = [{"indicator": name, "newest": {"lau": "2024"} if name != "empty" else {}} for name in ("rate", "empty", "count", "share")]


@pytest.mark.parametrize(
    ("topics", "expected"),
    [
        ({"work": ["share", "rate", "empty"], "nothing": ["empty"]}, [["work", ["share", "rate"]], [None, ["count"]]]),
        ({"all": ["rate", "count", "share"]}, [["all", ["rate", "count", "share"]]]),
        ({}, [[None, ["rate", "count", "share"]]]),
    ],
    ids=["some in no topic", "all in a topic", "no topics"],
)
def test_indicators_in_no_topic_come_last(tmp_path: Path, topics: dict[str, list[str]], expected: list[Any]) -> None:
    bundle = site_scripts.bundled(tmp_path, SCRIPT, topics="core/topics")
    meta = {"indicators": INDICATORS, "topics": [{"topic": name, "title": name, "indicators": ids} for name, ids in topics.items()]}
    assert site_scripts.run(bundle, json.dumps(meta)) == expected
