"""The site of the demo release: every number of its data is one of the tables, its pages are whole, and it is small."""

from __future__ import annotations

import gzip
import json
import random
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from exports.site import built
from exports.site.built import KINDS
from exports.verify import site
from tests.support.command import PROJECT

pytestmark = pytest.mark.acceptance
TOTAL = (pl.col("sex") == "_T") & (pl.col("age") == "_T")


@pytest.fixture
def release(demo_release: Path) -> Path:
    return demo_release


def data(release: Path, name: str) -> Any:
    return json.loads((release / "site" / "data" / f"{name}.json").read_bytes())


@pytest.fixture(scope="module")
def values(demo_release: Path) -> dict[tuple[str, str, str], tuple[float | None, str]]:
    """Value and status of the total by indicator, area and period."""
    table = pl.read_parquet(demo_release / "parquet" / "indicator_values.parquet").filter(TOTAL)
    columns = ("indicator", "ref_area", "time_period", "obs_value", "obs_status")
    return {(name, area, period): (value, status) for name, area, period, value, status in table.select(columns).iter_rows()}


def test_the_site_has_no_fault(release: Path) -> None:
    assert list(site.faults(release)) == []


def test_every_kind_of_page_is_there_in_both_languages(release: Path) -> None:
    for language in ("en", "cs"):
        for kind in KINDS:
            text = (release / "site" / language / f"{kind}.html").read_text(encoding="utf-8")
            assert f'<html lang="{language}">' in text
            assert "../assets/" + built.read().scripts[kind] in text


def test_headline_values_are_those_of_the_table(release: Path, values: dict[tuple[str, str, str], tuple[float | None, str]]) -> None:
    codes = json.loads((release / "api" / "v1" / "areas.json").read_bytes())["areas"]["code"]
    meta = data(release, "meta.en")
    about = {own["indicator"]: own for own in meta["indicators"]}
    headlines = {name for name, own in about.items() if own["display"] == "headline" and own["newest"]}
    assert headlines
    seen = set()
    for path in sorted((release / "site" / "data" / "within").iterdir()):
        within = json.loads(path.read_bytes())
        for name, shown in within["indicators"].items():
            assert name in headlines
            for area, value in zip(within["areas"], shown, strict=True):
                expected, _ = values.get((name, codes[area], about[name]["newest"][within["level"]]), (None, "."))
                assert value == (None if expected is None else pytest.approx(round(expected, about[name]["decimals"]), abs=1e-9)), (
                    name,
                    area,
                )
                seen.add(name)
    assert seen == headlines


def test_random_series_are_those_of_the_table(release: Path, values: dict[tuple[str, str, str], tuple[float | None, str]]) -> None:
    codes = json.loads((release / "api" / "v1" / "areas.json").read_bytes())["areas"]["code"]
    paths = sorted((release / "site" / "data" / "indicators").iterdir())
    checked = 0
    for path in random.Random(19).sample(paths, 40):
        own = json.loads(path.read_bytes())
        for level in own["levels"]:
            total = next(part for part in level["series"]["breakdowns"] if part["sex"] == part["age"] == "_T")
            for row, period in enumerate(level["series"]["periods"]):
                for place in range(level["count"]):
                    status = total["status"][row][place]
                    expected, code = values.get((path.stem, codes[level["first"] + place], period), (None, "."))
                    shown = total["value"][row][place]
                    assert status == code, (path.stem, period, place)
                    assert shown == (None if expected is None else pytest.approx(round(expected, own["about"]["decimals"]), abs=1e-9))
                    checked += 1
    assert checked > 1_000


def test_every_area_of_a_level_is_within_one_group(release: Path) -> None:
    meta = data(release, "meta.en")
    found = [area for path in (release / "site" / "data" / "within").iterdir() for area in json.loads(path.read_bytes())["areas"]]
    assert sorted(found) == list(range(sum(level["count"] for level in meta["levels"])))


def test_maps_are_named_where_they_are(release: Path) -> None:
    levels = {level["level"]: level for level in data(release, "meta.cs")["levels"]}
    assert {name: level["map"] for name, level in levels.items()} == {name: f"geo/{name}.topojson" for name in ("okres", "nuts3", "nuts0")}
    assert all((release / level["map"]).is_file() for level in levels.values())


def test_the_data_of_a_first_view_are_small(release: Path) -> None:
    """Compressed as servers send it: 250 kB for any page before a map is asked for, 60 kB for a place."""

    def packed(path: str) -> int:
        return len(gzip.compress((release / path).read_bytes(), 6))

    common = sum(packed(f"site/data/{name}") for name in ("meta.cs.json", "texts.cs.json"))
    common += sum(packed(f"site/assets/{name}") for name in (built.read().scripts["indicator"], built.read().style))
    largest = max(packed(path.relative_to(release).as_posix()) for path in (release / "site" / "data" / "indicators").iterdir())
    assert common + largest < 250_000
    place = max(packed(path.relative_to(release).as_posix()) for path in (release / "api" / "v1" / "areas").iterdir())
    assert place < 60_000


def test_nothing_leads_to_another_host_but_the_licence_and_the_address_of_the_release(release: Path) -> None:
    pack = (PROJECT / "packs" / "demo" / "pack.yml").read_text(encoding="utf-8")
    base = re.search(r"^base_uri: *(\S+)", pack, re.MULTILINE)
    for path in (release / "site").rglob("*.html"):
        hosts = set(re.findall(r'(?:href|src|content)="(https?://[^/"]+)', path.read_text(encoding="utf-8")))
        assert hosts <= {"https://creativecommons.org", *({"/".join(base[1].split("/")[:3])} if base else ())}, path
