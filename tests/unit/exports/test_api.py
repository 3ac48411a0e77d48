"""The files for programs: described by their schemas, equal to the tables, safe against hostile names, and checked by `verify`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from derived_sample import FILL, TABLES
from release_sample import INFO, REPORT

import exports
from exports.api import cells, describe, encode, positions, territory
from exports.metadata import report
from exports.model import checksums, layout
from exports.verify import api as api_verification
from pipelines.core.vocabulary import TABLE_FORMATS
from tests.support import api_files
from tests.support.copies import to_spoil
from tests.support.damage import damage

pytestmark = pytest.mark.slow

HOSTILE = '<script>alert("1")</script>\u202e"},{'


def build(root: Path, more: str = "", day: int = 3, formats: tuple[str, ...] = (*TABLE_FORMATS, "api")) -> Path:
    if not root.is_dir():
        root.mkdir(parents=True)
        with duckdb.connect(str(root / "warehouse.duckdb")) as connection:
            connection.execute(FILL + more)
    info = dataclasses.replace(INFO, released=datetime(2026, 11, day, tzinfo=UTC), formats=formats, levels={"lau": {"en": "municipality"}})
    return exports.build(root / "warehouse.duckdb", TABLES, info, root / "public", root / "staging", REPORT).path


def read(release: Path, *name: str) -> Any:
    return json.loads((release / layout.api_path(*name)).read_bytes())


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("api") / "home")


class TestFiles:
    def test_are_those_that_index_names(self, release: Path) -> None:
        assert {path.relative_to(release).as_posix() for path in (release / layout.API).rglob("*.json")} == {
            "api/v1/index.json", "api/v1/openapi.json", "api/v1/areas.json", "api/v1/indicators.json", "api/v1/objective_measures.json",
            "api/v1/indicators/share.json", "api/v1/indicators/share/series.json", "api/v1/areas/lau-1.json",
        }  # fmt: skip
        assert read(release, "index")["indicators"] == ["share"]
        assert exports.verify(release) == []

    def test_validate_against_their_schemas(self, release: Path) -> None:
        assert list(api_files.undescribed(release)) == []

    def test_are_left_out_where_the_pack_does_not_want_them(self, tmp_path: Path) -> None:
        other = build(tmp_path / "home", formats=TABLE_FORMATS)
        assert not (other / "api").exists()
        assert exports.verify(other) == []

    def test_have_a_budget_of_their_own(self, release: Path) -> None:
        size = json.loads((release / report.PATH).read_bytes())["size"]
        assert size["api"] == {
            **size["formats"]["api"], "budget_bytes": report.API_BYTES, "budget_files": report.API_FILES, "within_budget": True,
        }  # fmt: skip
        assert size["bytes"] == sum(own["bytes"] for name, own in size["formats"].items() if name != "api")

    def test_state_neither_version_nor_time(self, release: Path, tmp_path: Path) -> None:
        later = build(tmp_path / "later", day=9)
        for path in sorted((release / layout.API).rglob("*.json")):
            same = path.read_bytes() == (later / path.relative_to(release)).read_bytes()
            assert same == (path.name != "index.json"), path

    def test_that_did_not_change_are_links(self, tmp_path: Path) -> None:
        first = build(tmp_path / "home")
        with duckdb.connect(str(tmp_path / "home" / "warehouse.duckdb")) as connection:
            connection.execute("update marts.indicators set title_en = 'Other' where indicator = 'never'")
            connection.execute("update marts.peers set distance = 1")
        renamed = build(tmp_path / "home", day=4)
        with duckdb.connect(str(tmp_path / "home" / "warehouse.duckdb")) as connection:
            connection.execute("update marts.latest_values set share = 1")
        third = build(tmp_path / "home", day=5)
        series = layout.api_path("indicators", "share", "series")
        assert renamed != first
        assert third != renamed
        assert (third / series).stat().st_ino == (renamed / series).stat().st_ino
        assert exports.verify(third) == []


class TestContent:
    def test_newest_values_have_numerators_and_statuses(self, release: Path) -> None:
        level = read(release, "indicators", "share")["levels"][0]
        assert (level["level"], level["period"], level["first"], level["count"]) == ("lau", "2006", 0, 3)
        assert level["breakdowns"] == [
            {"sex": "_T", "age": "_T", "value": [0.857142857143] * 3, "status": "AAA", "numerator": [1, 1, 1]},
        ]  # fmt: skip
        assert level["spread"][0]["areas"] == 3

    def test_places_have_series_and_positions(self, release: Path) -> None:
        bundle = read(release, "areas", "lau-1")
        assert bundle["codes"] == read(release, "areas")["areas"]["code"] == ["001", "002", "CZ é"]
        assert bundle["names"] == ["Brno", "'=sum", "Žďár"]
        assert bundle["peers"] == [[1], [], []]
        (entry,) = bundle["indicators"]
        assert entry["breakdowns"][0]["status"] == ["ACQBOZAMS"] * 3
        assert entry["breakdowns"][0]["value"][0] == [0, None, None, 0.428571428571, None, None, 0.857142857143, None, None]
        assert entry["positions"] == {
            "parent": {"below": [None] * 3, "equal": [None] * 3, "others": 0},
            "peers": {"below": [0, None, None], "equal": [1, None, None], "others": [1, None, None]},
            "country": {"below": [0, 0, 0], "equal": [2, 2, 2], "others": 2},
        }

    def test_indicators_without_values_are_listed(self, release: Path) -> None:
        never, share = read(release, "indicators")["indicators"]
        assert (never["indicator"], never["levels"], never["group"]) == ("never", [], None)
        assert (share["title"], share["unit"], share["sources"]) == ({"en": "Share"}, {"en": "%"}, ["office"])
        assert read(release, "indicators")["sources"][0]["licence_url"] == "https://creativecommons.org/publicdomain/zero/1.0/"

    def test_hostile_texts_stay_data(self, tmp_path: Path) -> None:
        text = HOSTILE.replace("'", "''")
        hostile = build(
            tmp_path / "home",
            f"update marts.indicators set title_en = '{text}'; update marts.areas set name = '{text}' where ref_area = '001';",
        )
        assert read(hostile, "indicators")["indicators"][1]["title"] == {"en": HOSTILE}
        assert read(hostile, "areas")["areas"]["name"][0] == HOSTILE
        assert list(api_files.undescribed(hostile)) == []
        assert exports.verify(hostile) == []

    @pytest.mark.parametrize("name", ["../share", "a/b", "", "a b", "ž"])
    def test_names_that_cannot_be_files_are_refused(self, name: str) -> None:
        with pytest.raises(exports.ReleaseError, match="cannot be a file name"):
            layout.api_path("indicators", name)

    def test_strange_codes_of_areas_make_plain_names_of_bundles(self, tmp_path: Path) -> None:
        parents = "insert into marts.area_parents values ('001', 'CZ é', null), ('002', 'CZ é', null);"
        release = build(tmp_path / "home", parents)
        assert read(release, "index")["bundles"] == ["lau-1", "lau-CZ_20_c3_a9-1"]
        assert read(release, "areas", "lau-CZ_20_c3_a9-1")["codes"] == ["001", "002"]
        assert exports.verify(release) == []


SPOILED = {
    ("indicators", "share"): ("0.857142857143", "0.857142857144"),
    ("indicators", "share", "series"): ('"ACQBOZAMS"', '"ACQBOZAMM"'),
    ("areas", "lau-1"): ('"below":[0,0,0]', '"below":[0,1,0]'),
    ("areas",): ('"002"', '"003"'),
    ("index",): ('"lau-1"', '"lau-2"'),
}


class TestVerify:
    @pytest.mark.parametrize("name", SPOILED)
    def test_finds_what_differs_from_the_tables(self, release: Path, tmp_path: Path, name: tuple[str, ...]) -> None:
        copy = to_spoil(release, tmp_path / "copy")
        path = copy / layout.api_path(*name)
        before, after = SPOILED[name]
        text = path.read_text(encoding="utf-8")
        if name[-1] == "series":  # its statuses are by period
            before, after = '"CCC"', '"CCM"'
        assert before in text
        path.chmod(0o644)
        path.write_text(text.replace(before, after), encoding="utf-8")
        faults = [fault for fault in exports.verify(copy) if fault.startswith("api/") and "checksum" not in fault]
        assert faults, "the change was not found"

    def test_finds_a_file_too_many(self, release: Path, tmp_path: Path) -> None:
        copy = to_spoil(release, tmp_path / "copy")
        (copy / layout.API / "indicators").chmod(0o755)
        (copy / layout.api_path("indicators", "other")).write_text("{}", encoding="utf-8")
        assert "api/v1/indicators/other.json: api/v1/index.json does not name it" in exports.verify(copy)


def without(document: Any, *keys: str) -> Any:
    """Return a document without the member at the end of `keys`."""
    at = document
    for key in keys[:-1]:
        at = at[key]
    del at[keys[-1]]
    return document


def described(path: str, document: Any) -> Any:
    """Return an OpenAPI document with one more path, which is like that of `index.json`."""
    return {**document, "paths": {**document["paths"], path: document["paths"]["/index.json"]}}


SERIES, INDEX = "/indicators/{indicator}/series.json", ("components", "schemas", "Index")
OPENAPI = "api/v1/openapi.json"
BUNDLES = '"items": {"type": "string"}, "description": "Bundles of areas'
MISDESCRIBED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "path left out": (
        lambda d: without(d, "paths", SERIES),
        f"{OPENAPI}: has 0 paths for the file /indicators/share/series.json, expected one",
    ),
    "path without a file": (lambda d: described("/other.json", d), f"{OPENAPI}: describes /other.json, but there is no such file"),
    "kind without a file": (
        lambda d: described("/other/{bundle}.json", d),
        f"{OPENAPI}: describes /other/{{bundle}}.json, but there is no such file",
    ),
    "two paths for a file": (lambda d: described("/{bundle}.json", d), f"{OPENAPI}: has 2 paths for the file /areas.json, expected one"),
    "schema left out": (
        lambda d: without(d, "components", "schemas", "Source"),
        f"{OPENAPI}: cannot be read: KeyError: '#/components/schemas/Source'",
    ),
    "member left out": (
        lambda d: without(d, *INDEX, "properties", "pack"),
        "api/v1/index.json: differs from its description: has the unknown member pack",
    ),
    "another type": (
        lambda d: json.loads(json.dumps(d).replace(BUNDLES, BUNDLES.replace("string", "integer"))),
        "api/v1/index.json: differs from its description: .bundles[0] is 'lau-1', expected int",
    ),
    "another form": (lambda d: without(d, "paths", "/index.json", "get"), f"{OPENAPI}: cannot be read: KeyError: 'get'"),
}


class TestDescription:
    @pytest.mark.parametrize("what", MISDESCRIBED)
    def test_verify_finds_what_the_files_are_not(self, release: Path, tmp_path: Path, what: str) -> None:
        copy, (change, fault) = to_spoil(release, tmp_path / "copy"), MISDESCRIBED[what]
        (copy / OPENAPI).write_bytes(encode.document(change(read(release, "openapi"))))
        assert [line for line in api_verification.faults(copy) if line.startswith(fault)]

    @pytest.mark.parametrize("name", ["indicators", "objective_measures"])
    def test_verify_finds_a_file_of_another_form(self, release: Path, tmp_path: Path, name: str) -> None:
        copy = to_spoil(release, tmp_path / "copy")
        (copy / layout.api_path(name)).write_bytes(encode.document({**read(release, name), "more": 1}))
        assert list(api_verification.faults(copy)) == [f"api/v1/{name}.json: differs from its description: has the unknown member more"]

    def test_names_only_kinds_of_files_that_exist(self, release: Path) -> None:
        assert set(read(release, "openapi")["paths"]) == {
            "/index.json", "/indicators.json", "/areas.json", "/indicators/{indicator}.json", SERIES, "/areas/{bundle}.json",
            "/objective_measures.json",
        }  # fmt: skip

    def test_of_an_earlier_version_may_name_kinds_that_a_release_lacks(self, release: Path, tmp_path: Path) -> None:
        copy = to_spoil(release, tmp_path / "copy")
        (copy / OPENAPI).write_bytes(encode.document(described("/indices/{index}.json", read(release, "openapi"))))
        assert list(api_verification.faults(copy)) == []


def test_verify_finds_a_flipped_bit_in_any_file(release: Path, tmp_path: Path) -> None:
    """Also in the list of checksums: in a checksum, a space, a path and the end of a line."""
    copy = to_spoil(release, tmp_path / "copy")
    sums = (copy / checksums.NAME).read_bytes()
    for offset in (0, 63, 64, 65, 66, sums.index(b"\n"), len(sums) - 1):
        damage(copy / checksums.NAME, offset)
        assert checksums.faults(copy), offset
        (copy / checksums.NAME).write_bytes(sums)
    assert checksums.faults(copy) == []
    paths = [path for path in checksums.files(copy) if path != checksums.NAME]
    for path in paths:
        damage(copy / path, (copy / path).stat().st_size // 2)
    assert {OPENAPI, "prov.ttl", "llms.txt"} < set(paths)
    assert checksums.faults(copy) == [f"{path}: does not match its checksum in SHA256SUMS" for path in paths]


class TestNumbers:
    def test_are_rounded_as_python_rounds(self) -> None:
        generator = np.random.default_rng(7)
        values = np.concatenate([generator.uniform(-1000, 1000, 5000), np.arange(-500, 500) / 8, [1e15, 2.675, 0.5, 1.5, -0.0, 1e300]])
        for decimals in (0, 1, 2, 3):
            expected = [round(value, decimals) + 0.0 for value in values.tolist()]
            assert encode.rounded(values, decimals).tolist() == expected
        assert np.isnan(encode.rounded(np.array([np.nan]), 1)).all()

    def test_are_json_without_needless_signs(self) -> None:
        assert encode.document({"a": encode.numbers(np.array([[1.0, np.nan], [2.5, -0.0]]))}) == b'{"a":[[1,null],[2.5,0]]}\n'
        assert encode.numbers(np.zeros((2, 0))) is not None
        assert json.loads(encode.document(encode.numbers(np.array([1e16, 1e-9, 123456789012.0])))) == [1e16, 1e-9, 123456789012]

    def test_positions_count_all_others(self) -> None:
        values = np.array([1.0, 2.0, 2.0, np.nan, 5.0])
        position = positions.among_groups(values, np.array([0, 0, 0, 0, 1]))
        assert (position.below.tolist(), position.equal.tolist(), position.others.tolist()) == (
            [0, 1, 1, -1, 0], [0, 1, 1, -1, 0], [2, 2, 2, -1, 0],
        )  # fmt: skip
        peers = positions.among_peers(values, np.array([[1, 3, 4], [0, -1, -1], [-1, 9, -1], [0, -1, -1], [0, 1, 2]]))
        assert (peers.below.tolist(), peers.others.tolist()) == ([0, 1, -1, -1, 3], [2, 1, -1, -1, 3])


def grouped(value: list[float], top: list[float], low: list[float]) -> cells.IndicatorCells:
    numbers = {"obs_value": value, "numerator": top, "denominator": low, "lower_95": [np.nan] * 2, "upper_95": [np.nan] * 2}
    breakdown = cells.Breakdown(
        "_T", "_T", {name: np.array([own]) for name, own in numbers.items()}, np.full((1, 2), ord("A"), np.uint8), np.full((1, 2), -1), []
    )
    return cells.IndicatorCells("x", [cells.LevelCells(territory.LevelRange("lau", 0, 2), ["2020"], [breakdown])])


class TestGroupRule:
    def test_is_stated_only_if_it_holds_for_every_value(self) -> None:
        nothing = [np.nan, np.nan]
        assert describe.group_rule(grouped([50.0, 25.0], [1.0, 1.0], [2.0, 4.0])) == {"kind": "ratio", "multiplier": 100.0}
        assert describe.group_rule(grouped([50.0, 26.0], [1.0, 1.0], [2.0, 4.0])) is None
        assert describe.group_rule(grouped([1.0, 2.0], [1.0, 2.0], nothing)) is None, "nothing shows that it adds up"
        assert describe.group_rule(grouped([1.0, 2.0], [9.0, 9.0], [1.0, np.nan])) is None
