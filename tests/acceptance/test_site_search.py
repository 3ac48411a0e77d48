"""The search of the site: names as people type them, namesakes, the keys of a combobox, and its speed over a whole country."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.conftest import current_release
from tests.support import browser as browsers
from tests.support import five_places, static_server
from tests.support.command import EPOCH, zpo2

pytestmark = [pytest.mark.slow, pytest.mark.acceptance]

AREAS_CSV = """\
code,name,level,orp,okres,state
a1,Lhota,lau,R1,O1,
a2,Žďár nad Sázavou,lau,R1,O1,
a3,Litomyšl,lau,R2,O1,
a4,Litoměřice,lau,R2,O2,
a5,Lhota,lau,R2,O2,
R1,Severní správa,orp,,,S
R2,Jižní správa,orp,,,S
O1,Východ,okres,,,S
O2,Západ,okres,,,S
S,Země,nuts0,,,
"""
MOST_MS = 100
"""Time from a key press to the suggestions on the screen at most."""
PRESS = """async text => {
  const field = document.querySelector("[role=combobox]");
  field.value = "";
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
  const start = performance.now();
  field.value = text;
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - start;
}"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("search")
    pack = five_places.write(root / "pack", pack_yml=five_places.PACK.replace("sdmx]", "site]"), data__areas_csv=AREAS_CSV)
    done = zpo2("run", "--pack", pack, "--home", root / "home", SOURCE_DATE_EPOCH=EPOCH)
    assert done.returncode == 0, done.stdout + done.stderr
    with static_server.serving(current_release(root / "home")) as address:
        yield address


@pytest.fixture
def page(browser: Browser, base: str) -> Iterator[Page]:
    with browsers.watched(browser, base, language="en") as watched:
        yield watched.open("site/en/index.html")


def _type(page: Page, text: str) -> Locator:
    """Type into the emptied field and return the suggestions."""
    field = page.get_by_role("combobox").first
    field.fill("")
    field.press_sequentially(text)
    return page.get_by_role("option")


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("zdar", "Žďár nad Sázavou"),
        ("ŽĎÁR NAD", "Žďár nad Sázavou"),
        ("sazavou zdar", "Žďár nad Sázavou"),
        ("litomysl", "Litomyšl"),
        ("litomšyl", "Litomyšl"),
        ("lytomysl", "Litomyšl"),
        ("litomeric", "Litoměřice"),
        ("share wom", "Share of women"),
        ("zapad", "Západ"),
    ],
)
def test_names_are_found_as_people_type_them(page: Page, typed: str, first: str) -> None:
    expect(_type(page, typed).first.locator("b")).to_have_text(first)


def test_namesakes_are_told_apart_and_the_larger_one_comes_first(page: Page) -> None:
    options = _type(page, "lhota")
    expect(options).to_have_count(2)
    expect(options.nth(0)).to_contain_text("Západ")
    expect(options.nth(0)).to_contain_text("100 inhabitants")
    expect(options.nth(1)).to_contain_text("Východ")
    options = _type(page, "lhota vychod")
    expect(options).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url("**/place.html?area=a1")


def test_what_is_not_there_is_said(page: Page) -> None:
    expect(_type(page, "qqqq")).to_have_count(0)
    expect(page.get_by_role("status").first).to_contain_text("beginning of the name")


def test_keys_move_through_the_list_and_close_it(page: Page) -> None:
    field = page.get_by_role("combobox").first
    options = _type(page, "lito")
    expect(options).to_have_count(2)
    assert field.get_attribute("aria-expanded") == "true"
    for key, chosen in (("ArrowDown", 0), ("End", 1), ("ArrowDown", 0), ("ArrowUp", 1), ("Home", 0)):
        page.keyboard.press(key)
        expect(options.nth(chosen)).to_have_attribute("aria-selected", "true")
        assert field.get_attribute("aria-activedescendant") == options.nth(chosen).get_attribute("id")
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    assert (field.get_attribute("aria-expanded"), field.input_value()) == ("false", "lito")
    page.keyboard.press("Escape")
    assert field.input_value() == ""


def test_the_search_of_places_offers_no_indicators(browser: Browser, base: str) -> None:
    with browsers.watched(browser, base, language="en") as watched:
        page = watched.open("site/en/place.html")
        expect(_type(page, "share of women")).to_have_count(0)
        expect(_type(page, "litomysl")).to_have_count(1)


def test_a_key_press_is_answered_at_once_over_a_whole_country(browser: Browser, cz_release: Path) -> None:
    """The first one after the names were loaded makes the index and does not count. Of three presses the fastest counts: machines have other work."""
    with static_server.serving(cz_release) as base, browsers.watched(browser, base, language="cs") as watched:
        page = watched.open("site/cs/index.html")
        expect(_type(page, "praha").first.locator("b")).to_have_text("Praha")
        words = ("o", "ol", "olo", "olom", "olomouc", "usti nad", "ceske budejov", "nezamestnan", "lytomysl", "qqqqqqqq")
        times = {word: min(page.evaluate(PRESS, word) for _ in range(3)) for word in words}
        assert max(times.values()) <= MOST_MS, times
