"""The page of an indicator in a real browser: what breaks and sizes set by law forbid, the state in the address, pictures and files."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Browser, Page

from tests.support import browser as browsers
from tests.support.site_views import Views, view

pytestmark = [pytest.mark.slow, pytest.mark.acceptance]

PNG = b"\x89PNG\r\n\x1a\n"
SVG = "{http://www.w3.org/2000/svg}"
REGION_MAP = 62_500
"""Bytes of the boundaries of the municipalities of a region, compressed."""


def _texts(views: Views, language: str) -> dict[str, Any]:
    found: dict[str, Any] = views.read(f"site/data/texts.{language}.json")
    return found


def _open(watched: browsers.Watched, **query: str) -> Page:
    return watched.open(f"site/en/{view('indicator', **query)}")


def _with_bands(views: Views) -> str:
    """Return an indicator whose districts are compared with the country."""
    found: str = next(
        own["indicator"] for own in views.with_values() if own["has_interval"] and not own["depends_on_size"] and own["levels"][0]["newest"]
    )
    return found


def test_a_line_is_interrupted_at_each_break_that_is_explained(browser: Browser, demo_site: tuple[str, Views]) -> None:
    base, views = demo_site
    about = next(own for own in views.with_values() if len({one["period"] for one in own["breaks"]}) > 1 and len(own["periods"]) > 5)
    page_file = views.read(f"site/data/indicators/{about['indicator']}.json")
    series = page_file["levels"][-1]["series"]
    periods = [period for period, values in zip(series["periods"], series["breakdowns"][0]["value"], strict=True) if values[0] is not None]
    breaks = sorted({one["period"] for one in about["breaks"] if periods[0] < one["period"] <= periods[-1]})
    assert breaks, "the indicator is broken inside its series"
    pieces = [[own for own in periods if low <= own < high] for low, high in zip(["", *breaks], [*breaks, "9999"], strict=True)]
    with browsers.watched(browser, base, language="en") as watched:
        page = _open(watched, indicator=about["indicator"])
        line = page.locator("#series .line.country > path").first.get_attribute("d") or ""
        assert line.count("M") == sum(len(piece) > 1 for piece in pieces)
        assert line.count("L") == sum(len(piece) - 1 for piece in pieces if piece)
        text = page.locator("#series").inner_text()
        for one in about["breaks"]:
            if one["period"] in breaks:
                assert one["note"]["en"].lower() in text.lower()


def test_an_indicator_tied_to_size_is_not_compared_with_the_country(browser: Browser, demo_site: tuple[str, Views]) -> None:
    base, views = demo_site
    texts = _texts(views, "en")
    country = views.read("site/data/meta.en.json")["country"]["name"]
    judged = [
        texts[key].replace("{country}", country) for key in ("indicator.higher_than", "indicator.lower_than", "indicator.not_different")
    ]
    tied = [own["indicator"] for own in views.with_values() if own["depends_on_size"]]
    assert tied
    for indicator in tied[:3]:
        with browsers.watched(browser, base, language="en") as watched:
            page = _open(watched, indicator=indicator)
            assert page.locator("#map .map-picture").count() == 1
            assert page.locator("#ranking .reference").count() == 0
            text = page.inner_text("main").lower()
            assert [word for word in judged if word in text] == []
            assert texts["indicator.know_size"] in page.inner_text("#know")


def test_bands_are_those_of_the_comparisons_and_have_no_ranks(browser: Browser, demo_site: tuple[str, Views]) -> None:
    base, views = demo_site
    indicator = _with_bands(views)
    level = next(
        own for own in views.read(f"api/v1/indicators/{indicator}.json")["levels"] if own["level"] == views.areas["levels"][0]["level"]
    )
    compared, values = level["comparisons"]["country"], level["breakdowns"][0]["value"]
    outside = [at for at, outcome in enumerate(compared["outcome"]) if outcome in ("better", "worse", "higher", "lower")]
    higher = sum(values[at] > compared["reference"][at] for at in outside)
    with browsers.watched(browser, base, language="en") as watched:
        page = _open(watched, indicator=indicator)
        bands = {
            table.locator("caption b").inner_text(): table.locator("tbody tr").count() for table in page.locator("#ranking table").all()
        }
        texts, country = _texts(views, "en"), views.read("site/data/meta.en.json")["country"]["name"]
        named = {key: texts[f"indicator.{key}"].replace("{country}", country) for key in ("higher_than", "lower_than", "not_different")}
        by_key = {key: next((n for title, n in bands.items() if title.lower() == text.lower()), 0) for key, text in named.items()}
        assert by_key == {"higher_than": higher, "lower_than": len(outside) - higher, "not_different": compared["outcome"].count("similar")}
        assert page.locator("#ranking ol").count() == 0
        assert page.locator("#map .map-picture").count() == 2


def test_level_and_area_are_in_the_address(browser: Browser, demo_site: tuple[str, Views]) -> None:
    base, views = demo_site
    indicator = _with_bands(views)
    with browsers.watched(browser, base, language="en") as watched:
        page = _open(watched, indicator=indicator)
        buttons = page.locator("#map .segmented button")
        other = buttons.locator("xpath=self::*[@aria-pressed='false']").first
        name = other.inner_text()
        other.click()
        watched.settle()
        assert "level=" in page.url
        assert page.locator("#map .segmented button[aria-pressed=true]").inner_text() == name
        link = page.locator("#ranking tbody a").first
        area = link.inner_text()
        link.focus()
        page.keyboard.press("Enter")
        assert "area=" in page.url
        assert page.locator("#ranking a[aria-current=true]").inner_text() == area
        page.go_back()
        assert "area=" not in page.url
        assert page.locator("#ranking a[aria-current=true]").count() == 0
        page.reload()
        watched.settle()
        assert page.locator("#map .segmented button[aria-pressed=true]").inner_text() == name


def test_pictures_and_data_can_be_saved(browser: Browser, demo_site: tuple[str, Views], tmp_path: Path) -> None:
    base, views = demo_site
    indicator = _with_bands(views)
    with browsers.watched(browser, base, language="en") as watched:
        page = _open(watched, indicator=indicator)
        title = page.locator("h1").inner_text()
        for section in ("#map", "#ranking"):
            saved = {}
            for button in page.locator(f"{section} .chart-actions button:not([aria-expanded])").all():
                with page.expect_download() as download:
                    button.click()
                path = tmp_path / download.value.suggested_filename
                download.value.save_as(path)
                saved[path.suffix] = path
            assert sorted(saved) == [".csv", ".png", ".svg"]
            assert saved[".png"].read_bytes().startswith(PNG)
            picture = ElementTree.parse(saved[".svg"]).getroot()
            assert (picture.findtext(f"{SVG}title") or "").startswith(title)
            assert {own.tag.removeprefix(SVG) for own in picture.iter()} & {"script", "foreignObject", "image", "style"} == set()
            with saved[".csv"].open(encoding="utf-8-sig", newline="") as file:
                rows = list(csv.DictReader(file))
            level = next(own for own in views.read(f"api/v1/indicators/{indicator}.json")["levels"] if own["level"] == rows[0]["level"])
            codes = views.areas["areas"]["code"][level["first"] : level["first"] + level["count"]]
            expected = dict(zip(codes, level["breakdowns"][0]["value"], strict=True))
            assert {row["ref_area"]: json.loads(row["obs_value"] or "null") for row in rows} == expected


def test_files_of_an_indicator_exist(browser: Browser, demo_site: tuple[str, Views]) -> None:
    base, views = demo_site
    with browsers.watched(browser, base, language="en") as watched:
        page = _open(watched, indicator=_with_bands(views))
        links: list[str] = page.eval_on_selector_all("#know a[href^='../../']", "links => links.map(link => link.href)")
        assert len(links) >= 4
        assert [link for link in links if page.request.get(link).status != 200] == []


def test_an_indicator_without_values_says_what_is_needed(browser: Browser, demo_site: tuple[str, Views]) -> None:
    base, views = demo_site
    empty = [own for own in views.read("site/data/meta.en.json")["indicators"] if not own["newest"]]
    if not empty:
        pytest.skip("every indicator has values")
    with browsers.watched(browser, base, language="en") as watched:
        page = _open(watched, indicator=empty[0]["indicator"])
        text = page.inner_text("main")
        assert empty[0]["needed"] in text
        assert empty[0]["supplier"] in text
        assert page.locator("[data-status]").count() == 0


def test_municipalities_are_loaded_when_a_region_is_chosen(browser: Browser, cz_site: tuple[str, Views]) -> None:
    """On a narrow screen the map against the country comes first, because shares of small places are mostly chance."""
    base, views = cz_site
    finest = views.read("site/data/meta.en.json")["levels"][0]
    parts = finest["map_parts"]["files"]
    shares = (own for own in views.with_values() if own["has_interval"] and own["target_value"])
    indicator = next(own["indicator"] for own in shares if own["levels"][0]["level"] == finest["level"] and own["levels"][0]["newest"])
    with browsers.watched(browser, base, language="en", width=360) as watched:
        sent = browsers.transfer(watched.page)
        page = _open(watched, indicator=indicator)
        assert [url for url in watched.requests if "/geo/lau" in url or url.endswith("places.json")] == []
        code = sorted(parts)[8]
        page.locator("#parts select").select_option(code)
        page.locator("#parts .map-picture").first.wait_for(state="attached")
        watched.settle()
        assert f"region={code}" in page.url
        boundaries = {url: size for url, size in sent.bytes.items() if "/geo/lau" in url}
        assert [url.endswith(parts[code]) for url in boundaries] == [True]
        assert max(boundaries.values()) <= REGION_MAP
        maps = page.locator("#parts .map-view")
        assert [maps.nth(at).is_visible() for at in range(2)] == [False, True]
        page.locator("#parts .map-pair .segmented button").first.click()
        assert [maps.nth(at).is_visible() for at in range(2)] == [True, False]
