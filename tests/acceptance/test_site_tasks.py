"""Twelve tasks of readers of the site, each done with nothing but the keyboard, and with taps on a screen of a phone."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import polars as pl
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support import browser as browsers
from tests.support import static_server
from tests.support.site_views import Views, view

pytestmark = [pytest.mark.slow, pytest.mark.acceptance]

LANGUAGE = "en"
MOST_STOPS = 700
"""So many stops of the Tab key at most lead to a control."""


@dataclass
class Reader:
    """Somebody who uses a page in one way only."""

    watched: browsers.Watched
    texts: dict[str, Any]
    views: Views
    has_keyboard: bool

    @property
    def page(self) -> Page:
        return self.watched.page

    def open(self, path: str) -> Page:
        return self.watched.open(f"site/{LANGUAGE}/{path}")

    def text(self, key: str, **values: object) -> str:
        found: str = self.texts[key]
        for name, value in values.items():
            found = found.replace(f"{{{name}}}", str(value))
        return found

    def reach(self, control: Locator) -> None:
        """Bring the focus to a control with the Tab key, and expect that the focus can be seen."""
        for _ in range(MOST_STOPS):
            if control.evaluate("own => own === document.activeElement"):
                style = control.evaluate("own => { const s = getComputedStyle(own); return [s.outlineStyle, parseFloat(s.outlineWidth)] }")
                assert style[0] != "none", "the focus is seen"
                assert style[1] >= 2, "the focus is seen"
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"the Tab key does not reach {control}")

    def use(self, control: Locator, key: str = "Enter") -> None:
        """Press a button, follow a link, open a part of the page."""
        if self.has_keyboard:
            self.reach(control)
            self.page.keyboard.press(key)
        else:
            control.tap()

    def search(self, field: Locator, words: str, wanted: str) -> None:
        """Type into a search field and take the suggestion whose text contains `wanted`."""
        if self.has_keyboard:
            self.reach(field)
        else:
            field.tap()
        self.page.keyboard.type(words)
        option = self.page.get_by_role("option").filter(has_text=wanted).first
        option.wait_for()
        if not self.has_keyboard:
            option.tap()
            return
        for _ in range(20):
            self.page.keyboard.press("ArrowDown")
            if option.get_attribute("aria-selected") == "true":
                assert field.get_attribute("aria-activedescendant") == option.get_attribute("id")
                self.page.keyboard.press("Enter")
                return
        raise AssertionError(f"the arrow keys do not reach {wanted}")

    def choose(self, select: Locator, value: str) -> None:
        """Choose an option of a select; a phone shows its own list, which a test cannot tap."""
        if not self.has_keyboard:
            select.select_option(value)
            return
        self.reach(select)
        values = select.evaluate("own => [...own.options].map(option => option.value)")
        steps = values.index(value) - values.index(select.input_value())
        for _ in range(abs(steps)):
            self.page.keyboard.press("ArrowDown" if steps > 0 else "ArrowUp")
        assert select.input_value() == value

    def until(self, name: str, count: int) -> None:
        """Wait until so many codes are in a member of the query, and shown."""
        self.page.wait_for_url(lambda url: len("".join(parse_qs(urlsplit(url).query).get(name, [])).split(",")) == count)
        self.watched.settle()

    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.page.url).query).items()}


@pytest.fixture(scope="module")
def demo(demo_release: Path) -> Iterator[tuple[str, Path]]:
    with static_server.serving(demo_release) as base:
        yield base, demo_release


@pytest.fixture(scope="module")
def cz(cz_release: Path) -> Iterator[tuple[str, Path]]:
    with static_server.serving(cz_release) as base:
        yield base, cz_release


def _reader(browser: Browser, base: str, release: Path, way: str) -> Iterator[Reader]:
    size: dict[str, Any] = {"width": 1280} if way == "keyboard" else {"width": 360, "height": 740, "touch": True}
    with browsers.watched(browser, base, language=LANGUAGE, **size) as watched:
        watched.page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=base.rstrip("/"))
        watched.page.add_init_script("window.print = () => { window.printed = (window.printed ?? 0) + 1 }")
        texts = json.loads((release / "site" / "data" / f"texts.{LANGUAGE}.json").read_bytes())
        yield Reader(watched, texts, Views(release), way == "keyboard")


@pytest.fixture(params=["keyboard", "phone"])
def reader(request: pytest.FixtureRequest, browser: Browser, demo: tuple[str, Path]) -> Iterator[Reader]:
    yield from _reader(browser, *demo, request.param)


@pytest.fixture(params=["keyboard", "phone"])
def reader_of_cz(request: pytest.FixtureRequest, browser: Browser, cz: tuple[str, Path]) -> Iterator[Reader]:
    yield from _reader(browser, *cz, request.param)


def _place(reader: Reader) -> str:
    """Return an area of the finest level with similar ones."""
    return reader.views.codes(0)[2]


def _name(reader: Reader, code: str) -> str:
    areas = reader.views.areas["areas"]
    name: str = areas["name"][areas["code"].index(code)]
    return name


def test_1_find_my_town_among_namesakes(reader_of_cz: Reader) -> None:
    """Without its diacritics; the suggestion says the district."""
    reader = reader_of_cz
    areas, own = reader.views.areas["areas"], reader.views.areas["levels"][0]
    named = [number for number in range(own["first"], own["first"] + own["count"]) if areas["name"][number] == "Lhota"]
    assert len(named) > 2
    town = max(named, key=lambda number: areas["population"][number] or 0)
    reader.open("index.html")
    field = reader.page.get_by_role("combobox").first
    district = areas["name"][areas["parent"][town]]
    reader.search(field, f"lhota {district}"[:40], district)
    reader.page.wait_for_url("**/place.html?area=*")
    reader.watched.settle()
    assert reader.query()["area"] == areas["code"][town]
    expect(reader.page.locator("h1")).to_contain_text("Lhota")


def test_2_is_my_place_ageing_faster_than_similar_ones(reader: Reader) -> None:
    reader.open(view("place", area=_place(reader)))
    row = reader.page.locator("tr[data-indicator=mean_age]")
    expect(row).to_contain_text(reader.text("place.similar"))
    expect(row.locator("[data-status]").first).to_contain_text(re.compile(r"\d+\.\d"))
    reader.use(row.get_by_role("link").first)
    reader.page.wait_for_url("**/indicator.html?indicator=mean_age*")
    reader.watched.settle()
    assert reader.query()["area"] == _place(reader)
    expect(reader.page.locator("main")).to_contain_text(_name(reader, _place(reader)))


def test_3_where_is_the_largest_inner_gap_in_unemployment(reader: Reader) -> None:
    reader.open("cohesion.html")
    select = reader.page.get_by_role("combobox", name=reader.text("cohesion.indicator"))
    reader.choose(select, "unemployed_share")
    reader.page.wait_for_url("**indicator=unemployed_share*")
    reader.watched.settle()
    file = reader.views.read("api/v1/cohesion/unemployed_share.json")
    assert file["indicator"] == "unemployed_share"
    expect(reader.page.locator("main table").first).to_be_attached()
    assert reader.page.locator("main table tbody tr").count() > 3


def test_4_how_many_women_are_elected(reader: Reader) -> None:
    code = _place(reader)
    reader.open(view("place", area=code))
    row = reader.page.locator("tr[data-indicator=women_councillors_share]")
    table = _values(reader, "women_councillors_share", code)
    shown = row.locator("[data-status]").first
    expect(shown).to_contain_text(f"{table['obs_value']:.1f}")
    reader.use(row.get_by_role("button").first)
    origin = reader.page.locator("#origin-women_councillors_share")
    expect(origin).to_contain_text(f"{int(table['numerator']):,}")
    expect(origin).to_contain_text(f"{int(table['denominator']):,}")
    expect(origin).to_contain_text("zpo2 explain women_councillors_share")


def _values(reader: Reader, indicator: str, code: str) -> dict[str, Any]:
    """Return the row of the newest period of an indicator and area in the tables."""
    table = pl.scan_parquet(reader.views.release / "parquet" / "indicator_values.parquet")
    own = (pl.col("indicator") == indicator) & (pl.col("ref_area") == code) & (pl.col("sex") == "_T") & (pl.col("age") == "_T")
    return table.filter(own & pl.col("obs_value").is_not_null()).sort("time_period").collect().row(-1, named=True)


def test_5_why_is_this_value_missing(reader: Reader) -> None:
    reader.open(view("place", area=_place(reader)))
    missing = reader.page.locator("#missing")
    summary = missing.locator("summary").first
    reader.use(summary)
    part = missing.locator("details[open]").first
    expect(part.get_by_role("listitem").first).to_be_visible()
    without = next(own for own in reader.views.indicators if not own["levels"] and own["needed"].get(LANGUAGE))
    reader.open(view("indicator", indicator=without["indicator"]))
    expect(reader.page.locator("main")).to_contain_text(without["needed"][LANGUAGE][:40])


def test_6_copy_a_chart_into_a_report(reader: Reader) -> None:
    reader.open(view("indicator", indicator="women_candidates_share"))
    for ending, start in (("PNG", b"\x89PNG"), ("SVG", b"<svg")):
        button = reader.page.locator(".chart-actions button", has_text=ending).first
        with reader.page.expect_download() as download:
            reader.use(button)
        content = Path(download.value.path()).read_bytes()
        assert start in content[:300], ending
        assert len(content) > 2_000


def test_7_download_the_values(reader: Reader) -> None:
    reader.open(view("indicator", indicator="women_candidates_share"))
    with reader.page.expect_download() as download:
        reader.use(reader.page.locator(".chart-actions button", has_text="CSV").first)
    rows = list(csv.reader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8-sig"))))
    assert len(rows) > len(reader.views.codes(0)) // 2
    assert len({len(row) for row in rows}) == 1


def test_8_share_a_view(reader: Reader) -> None:
    codes = reader.views.codes(0)[3:5]
    reader.open(view("compare", areas=",".join(codes)))
    reader.use(reader.page.get_by_role("button", name=reader.text("compare.copy")))
    expect(reader.page.get_by_role("status").filter(has_text=reader.text("compare.copied"))).to_be_attached()
    copied = reader.page.evaluate("navigator.clipboard.readText()")
    assert copied == reader.page.url
    reader.page.goto(copied)
    reader.watched.settle()
    for code in codes:
        expect(reader.page.locator("main")).to_contain_text(_name(reader, code))


def test_9_switch_the_language(reader: Reader) -> None:
    reader.open(view("place", area=_place(reader)))
    reader.use(reader.page.locator("a[hreflang=cs]").first)
    reader.page.wait_for_url("**/site/cs/place.html?area=*")
    reader.watched.settle()
    assert reader.page.evaluate("document.documentElement.lang") == "cs"
    assert reader.query()["area"] == _place(reader)


def test_10_print_a_place(reader: Reader) -> None:
    reader.open(view("place", area=_place(reader)))
    reader.use(reader.page.get_by_role("button", name=reader.text("place.print")))
    assert reader.page.evaluate("window.printed") == 1


def test_11_compare_four_places(reader: Reader) -> None:
    codes = reader.views.codes(0)[10:14]
    reader.open("compare.html")
    for position, code in enumerate(codes, 1):
        reader.search(reader.page.get_by_role("combobox", name=reader.text("compare.add")), _name(reader, code), _name(reader, code))
        reader.until("areas", position)
    assert sorted(reader.query()["areas"].split(",")) == sorted(codes)
    card = reader.page.locator("article[data-indicator]").first
    for code in codes:
        expect(card.locator(f"[data-area='{code}'] [data-status]")).to_be_visible()


def test_12_add_up_my_micro_region(reader: Reader) -> None:
    """The value of the group is the ratio of the sums in the tables."""
    codes = reader.views.codes(0)[20:23]
    reader.open(view("compare", areas=codes[0], topic=_topic(reader, "women_candidates_share")))
    reader.use(reader.page.get_by_role("button", name=reader.text("compare.group_own")))
    for position, code in enumerate(codes[1:], 2):
        field = reader.page.get_by_role("combobox", name=reader.text("compare.add_member"))
        reader.search(field, _name(reader, code), _name(reader, code))
        reader.until("group", position)
    rows = [_values(reader, "women_candidates_share", code) for code in codes]
    together = 100 * sum(row["numerator"] for row in rows) / sum(row["denominator"] for row in rows)
    shown = reader.page.locator("article[data-indicator=women_candidates_share] [data-area=group] [data-status]")
    expect(shown).to_contain_text(f"{together:.1f}")


def _topic(reader: Reader, indicator: str) -> str:
    topics = reader.views.read(f"site/data/meta.{LANGUAGE}.json")["topics"]
    topic: str = next(own["topic"] for own in topics if indicator in own["indicators"])
    return topic
