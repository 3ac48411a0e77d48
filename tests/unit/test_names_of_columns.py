"""Names that polars takes for patterns, that SQL does not tell apart, or that our own tables use: the published numbers are those of the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines import packs
from pipelines.core.yaml import PackError
from pipelines.lake.quarantine import quarantine_frame
from tests.support import small_pack, small_warehouse
from tests.support.small_pack import HEAD, indicator
from tests.support.small_warehouse import SmallWarehouse

AREAS = {"N": ("n1", "n2", "n3")}
# `^a$`, `*` and `^.*$` are patterns that `a` matches. A row of n1 is a repeat, the cell of `^a$` in n2 is refused, one row of n3 is corrected
# and one left out, and the row without a code is refused with a personal cell
PATTERNS = """\
code,*,^a$,a,^.*$,p,^p$
n1,1,2,3,4,,
n1,1,2,3,4,,
n2,5,-6,7,8,,
n3,9,10,11,12,,
n3,x,0,0,0,,
,1,2,3,4,secret,open
"""
NUMBER = {"type": "number"}
COLUMNS: dict[str, Any] = {
    "code": {"required": True}, "*": {**NUMBER, "max": 9}, "^a$": {**NUMBER, "min": 0, "max": 10}, "a": {**NUMBER, "max": 11},
    "^.*$": {**NUMBER, "pattern": "[0-9]+"}, "p": {"personal": True}, "^p$": {},
}  # fmt: skip


def observed(columns: dict[str, Any], **measures: str) -> dict[str, Any]:
    return {
        "columns": columns, "into": "observations", "max_quarantined": 1,
        "map": {"area": {"ref_area": "code"}, "period": "'2021'", "measures": measures},
    }  # fmt: skip


SOURCES: dict[str, dict[str, Any]] = {
    "patterns": {
        "fetch": {"url": "data/patterns.csv"}, **observed(COLUMNS, star='"*"', caret='"^a$"', plain="a", all='"^.*$"'), "key": ["code", "^.*$"],
        "read": {"format": "csv", "ignore": "\"*\" = 'x' and \"^a$\" = '0'"},
        "corrections": [{"where": "\"*\" = '9'", "expect": {"^a$": "10"}, "set": {"^.*$": "13"}, "reason": "a slip"}],
    },
    "same_file": {
        "fetch": {"url": "data/patterns.csv"}, "read": {"format": "csv", "ignore": "\"*\" = 'x' or code = 'n1'"},
        **observed({"code": {}, "^a$": NUMBER}, same_caret='"^a$"'),
    },
    "looking": {
        "fetch": {"url": "data/codes.csv"}, **observed({"code": {}}, taken='"^b$"', taken_plain="b"),
        "lookups": {"of_patterns": {"source": "patterns", "on": {"code": "code"}, "take": {"b": "a", "^b$": "^a$", "*": "*"}}},
    },
    "wide": {
        "fetch": {"url": "data/wide.csv"}, **observed({"code": {}, "^n$": {}, "v": NUMBER}, unpivoted="v"),
        "read": {"format": "csv", "unpivot": {"columns": ["^a$"], "name": "^n$", "value": "v"}},
    },
    "cases": {"fetch": {"url": "data/cases.csv"}, **observed({"code": {}, "A": NUMBER, "a": NUMBER, "a_1": NUMBER}, a_1="a_1")},
    "functions": {
        "fetch": {"url": "data/functions.csv"},
        **observed({"code": {}, "current_date": NUMBER, "input": NUMBER, "v0": NUMBER}, today="current_date", input="input", v0="v0"),
    },
    "variables": {
        **observed({"code": {}, "v": NUMBER}, filled="v + cast(x as double)"),
        "fetch": {"url": "data/part_{x}_{y}.csv", "parts": {"x": ["1"], "y": ["{x}"]}},
    },
    "clubs": {
        "fetch": {"url": "data/clubs.csv"}, "columns": {"code": {}, "club": {}, "since": {"type": "date"}, "founded": {}}, "into": "register",
        "map": {
            "register": "'clubs'", "id": "club", "area": {"ref_area": "code"}, "valid_from": "since",
            "attributes": {"year": "founded", "^status$": "founded", "*": "club"},
        },
    },
}  # fmt: skip
COUNTED = {
    "id": "counted", "from": "register", "where": "\"^status$\" = '1990' and \"*\" <> 'c3'",
    "measures": {"clubs": "count(*)", "Clubs": "count(year)"}, "universe": "\"^name$\" = 'n1' or \"*\" = 'n2'",
}  # fmt: skip
FILES = {
    "patterns.csv": PATTERNS,
    "codes.csv": "code\nn1\nn2\nn3\n",
    "wide.csv": "code,^a$,a\nn1,1,2\nn2,3,4\n",
    "cases.csv": "code,A,a,a_1\nn1,1,2,3\n",
    "functions.csv": "code,current_date,input,v0\nn1,1,2,3\n",
    "part_1_{x}.csv": "code,v\nn1,10\n",
    "part_1_1.csv": "code,v\nn1,20\n",
    "clubs.csv": "code,club,since,founded\nn1,c1,2020-01-01,1990\nn1,c2,2021-01-01,1990\nn1,c3,2020-01-01,1990\nn2,c4,2020-01-01,1991\n",
}
MEASURES = ("star", "caret", "plain", "all", "same_caret", "taken", "taken_plain", "unpivoted", "a_1", "today", "input", "v0", "filled", "clubs",
            "capital_clubs")  # fmt: skip


def write(root: Path) -> Path:
    measures = [indicator(name, {"numerator": [{"measure": "Clubs" if name == "capital_clubs" else name}]}, ["town"]) for name in MEASURES]
    pack = small_pack.write(root, AREAS, "period,code,m\n2021,n1,1\n", measures)
    areas = json.loads((pack / "sources/areas.yml").read_text(encoding="utf-8"))
    areas["map"]["area"]["attributes"] = {"^name$": "code", "*": "code", "b": "'x'"}
    (pack / "sources/areas.yml").write_text(json.dumps(areas), encoding="utf-8")
    for name, source in SOURCES.items():
        (pack / f"sources/{name}.yml").write_text(json.dumps({**HEAD, "id": name, "title": name, **source}), encoding="utf-8")
    (pack / "sources/counted.yml").write_text(json.dumps(COUNTED), encoding="utf-8")
    for name, text in FILES.items():
        (pack / "data" / name).write_text(text, encoding="utf-8")
    return pack


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> SmallWarehouse:
    root = tmp_path_factory.mktemp("names")
    return small_warehouse.build(write(root / "pack"), root / "home")


@pytest.mark.parametrize(
    ("measure", "values"),
    [
        ("star", {"n1": (1, "A"), "n2": (5, "A"), "n3": (9, "A")}),
        ("caret", {"n1": (2, "A"), "n2": (None, "Q"), "n3": (10, "A")}),
        ("plain", {"n1": (3, "A"), "n2": (7, "A"), "n3": (11, "A")}),
        ("all", {"n1": (4, "A"), "n2": (8, "A"), "n3": (13, "A")}),
        ("same_caret", {"n1": (None, "O"), "n2": (-6, "A"), "n3": (10, "A")}),
        ("taken", {"n1": (2, "A"), "n2": (None, "Q"), "n3": (10, "A")}),
        ("taken_plain", {"n1": (3, "A"), "n2": (7, "A"), "n3": (11, "A")}),
        ("unpivoted", {"n1": (1, "A"), "n2": (3, "A"), "n3": (None, "O")}),
        ("a_1", {"n1": (3, "A"), "n2": (None, "O"), "n3": (None, "O")}),
        ("today", {"n1": (1, "A"), "n2": (None, "O"), "n3": (None, "O")}),
        ("input", {"n1": (2, "A"), "n2": (None, "O"), "n3": (None, "O")}),
        ("v0", {"n1": (3, "A"), "n2": (None, "O"), "n3": (None, "O")}),
        ("filled", {"n1": (11, "A"), "n2": (None, "O"), "n3": (None, "O")}),
        ("clubs", {"n1": (2, "A"), "n2": (0, "A"), "n3": (None, "O")}),
        ("capital_clubs", {"n1": (2, "A"), "n2": (0, "A"), "n3": (None, "O")}),
    ],
)
def test_published_numbers_are_those_of_the_columns(warehouse: SmallWarehouse, measure: str, values: dict[str, Any]) -> None:
    assert warehouse.values(measure, "2021") == values


def test_explanations_find_the_same_numbers(warehouse: SmallWarehouse) -> None:
    assert warehouse.differences(*MEASURES) == []


def test_a_name_does_not_show_a_personal_cell(warehouse: SmallWarehouse) -> None:
    rows = quarantine_frame(warehouse.workspace, "patterns").filter(row_number=7)
    assert [json.loads(text) for text in rows["value"]] == [
        {"code": None, "*": "1", "^a$": "2", "a": "3", "^.*$": "4", "p": "***", "^p$": "open"}
    ]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"year": "founded"', '"Status": "founded"', "map.attributes.Status: Status: is the name of a field"),
        ('"year": "founded"', '"part": "founded"', "map.attributes.part: part: is the name of a field"),
        ('"year": "founded"', '"__year": "founded"', "map.attributes.__year: __year: is the name of a field"),
        ('"year": "founded"', '"^STATUS$": "founded"', "the attributes ^STATUS$ and ^status$ differ only in case"),
    ],
)
def test_an_attribute_is_not_taken_for_another_field(tmp_path: Path, old: str, new: str, fault: str) -> None:
    source = write(tmp_path) / "sources/clubs.yml"
    source.write_text(source.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(PackError) as error:
        packs.load(tmp_path)
    assert fault in str(error.value)


def test_a_value_of_a_variable_is_not_filled_in_again() -> None:
    assert packs.Part("y={x},x=1", {"y": "{x}", "x": "1"}).filled("{y} {x} {z}") == "{x} 1 {z}"


@pytest.mark.parametrize(
    ("parts", "fault"),
    [
        ({"x": ["1", "1"], "y": ["2"]}, "fetch.parts: x: 1 is listed twice"),
        ({"x": ["1", "1,y=2"], "y": ["2", "2,y=2"]}, "fetch.parts: two combinations have the name x=1,y=2,y=2"),
    ],
)
def test_no_two_parts_have_one_name(tmp_path: Path, parts: dict[str, list[str]], fault: str) -> None:
    source = write(tmp_path) / "sources/variables.yml"
    block = json.loads(source.read_text(encoding="utf-8"))
    block["fetch"]["parts"] = parts
    source.write_text(json.dumps(block), encoding="utf-8")
    with pytest.raises(PackError) as error:
        packs.load(tmp_path)
    assert fault in str(error.value)
