"""Every kind of page of the site in a real browser: it is complete, accessible, narrow enough for a phone, light, and prints as it should."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.support import browser as browsers
from tests.support.site_views import Views, view

pytestmark = [pytest.mark.slow, pytest.mark.acceptance]

NARROW, WIDE = 320, 1280
SCHEMES = ("light", "dark")
KINDS = (
    "home", "places", "place", "region", "country", "indicators", "indicator", "indicator-break", "indicator-without-data",
    "compare-empty", "compare", "compare-group", "cohesion", "measures", "data",
)  # fmt: skip
CZ_KINDS = ("home", "place", "indicator", "compare", "cohesion", "measures")
CODE_AND_STYLE = 120_000
FIRST_VIEW = 250_000
PLACE_DATA = 60_000
PEERS_DATA = 20_000
"""Budgets in bytes as they are sent, compressed. The data of a place are the file of its values; those of similar places lie beside it."""
A4 = re.compile(rb"/MediaBox \[0 0 59[45][.\d]* 84[12][.\d]*\]")
PAGE = re.compile(rb"/Type /Page\b(?!s)")
WRONG = re.compile(r"\{\w+\}|\bNaN\b|\bundefined\b|\bnull\b|\[object|Infinity")
"""What shows that a text was not filled."""


@pytest.mark.parametrize(("language", "widths"), [("cs", (NARROW, WIDE)), ("en", (WIDE, NARROW))], ids=["cs", "en"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_page_is_complete_and_accessible(
    browser: Browser, demo_site: tuple[str, Views], kind: str, language: str, widths: tuple[int, ...]
) -> None:
    """A page is loaded at each width in one language. Schemes take turns, so that both languages together see each kind at each width in each."""
    base, views = demo_site
    if kind not in views.kinds():
        pytest.skip("every indicator has data")
    schemes = SCHEMES if KINDS.index(kind) % 2 else SCHEMES[::-1]
    assert (
        _faults(browser, base, language, views.kinds()[kind], [(width, (scheme,)) for width, scheme in zip(widths, schemes, strict=True)])
        == []
    )


@pytest.mark.parametrize("kind", CZ_KINDS)
def test_a_page_of_a_whole_country_is_complete_and_accessible(browser: Browser, cz_site: tuple[str, Views], kind: str) -> None:
    """Language and width take turns, so that each kind is looked at once."""
    base, views = cz_site
    turn = CZ_KINDS.index(kind)
    looks = [((NARROW, WIDE)[turn // 2 % 2], SCHEMES)]
    assert _faults(browser, base, ("cs", "en")[turn % 2], views.kinds()[kind], looks) == []


def _faults(browser: Browser, base: str, language: str, path: str, looks: Sequence[tuple[int, Sequence[str]]]) -> list[str]:
    """Return what is wrong with a view that is loaded at the first width and brought to the others. Each width has the schemes to check."""
    with browsers.watched(browser, base, width=looks[0][0], language=language) as watched:
        page = watched.open(f"site/{language}/{path}")
        found: list[str] = []
        for width, schemes in looks:
            page.set_viewport_size({"width": width, "height": browsers.HEIGHT})
            watched.settle()
            found += [f"{width} pixels: {fault}" for fault in [*watched.complaints, *_texts(page, language)]]
            watched.complaints.clear()
            for turn, scheme in enumerate(schemes):
                page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                found += [f"{width} pixels, {scheme}: {one}" for one in browsers.violations(page, colours_only=turn > 0)]
            page.emulate_media(color_scheme="light")
            if width == NARROW and (excess := browsers.sideways(page)):
                found.append(f"{excess} pixels wider than the window: {_wide(page)}")
        return found + watched.complaints


def _texts(page: Page, language: str) -> Iterator[str]:
    """Yield what is wrong with the texts of a page and its head."""
    if page.evaluate("document.documentElement.lang") != language:
        yield "the page does not say its language"
    if not page.title().strip():
        yield "no title"
    if len(headings := [text.strip() for text in page.locator("h1:visible").all_inner_texts()]) != 1 or not headings[0]:
        yield f"not one heading: {headings}"
    if not (page.locator("meta[name=description]").get_attribute("content") or "").strip():
        yield "no description"
    policy = page.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content") or ""
    if "default-src 'none'" not in policy or "unsafe" in policy:
        yield f"policy {policy!r}"
    names = page.evaluate("[...document.querySelectorAll('[aria-label]')].map(element => element.getAttribute('aria-label'))")
    for text in [page.title(), page.inner_text("body"), *names]:
        yield from (f"not filled: …{text[max(0, m.start() - 40) : m.end() + 20]!r}" for m in WRONG.finditer(text))


def _wide(page: Page) -> list[str]:
    """Return the innermost elements that reach beyond the window."""
    script = """() => [...document.querySelectorAll('body *')].filter(element => {
        const right = element.getBoundingClientRect().right
        return right > innerWidth + 1 && ![...element.children].some(child => child.getBoundingClientRect().right > innerWidth + 1)
    }).slice(0, 5).map(element => `${element.tagName}.${element.className?.baseVal ?? element.className}`)"""
    found: list[str] = page.evaluate(script)
    return found


# ------------------------------------------------------------------------------------------------------------------------- titles


def test_titles_tell_pages_apart(browser: Browser, demo_site: tuple[str, Views]) -> None:
    base, views = demo_site
    with browsers.watched(browser, base) as watched:
        titles = {kind: watched.open(f"site/cs/{path}").title() for kind, path in views.kinds().items() if kind not in ("compare-group",)}
    assert len(set(titles.values())) == len(titles), titles


def test_the_language_is_changed_within_the_same_view(browser: Browser, demo_site: tuple[str, Views]) -> None:
    base, views = demo_site
    with browsers.watched(browser, base) as watched:
        page = watched.open(f"site/cs/{views.kinds()['place']}")
        page.locator("a[hreflang=en]").first.click()
        page.wait_for_url("**/site/en/place.html?area=*")
        watched.settle()
        assert page.evaluate("document.documentElement.lang") == "en"
        assert urlsplit(page.url).query == urlsplit(views.kinds()["place"]).query


def test_an_unknown_place_or_indicator_is_told(browser: Browser, demo_site: tuple[str, Views]) -> None:
    base, _ = demo_site
    with browsers.watched(browser, base) as watched:
        for page_name, query in (("place", "area"), ("indicator", "indicator"), ("compare", "areas"), ("cohesion", "indicator")):
            page = watched.open(f"site/en/{view(page_name, **{query: 'no-such-thing'})}", state=None)
            page.locator("h1:visible").wait_for()
            page.locator("body:not([data-state=loading])").wait_for()
            assert WRONG.search(page.inner_text("main")) is None, page.inner_text("main")[:300]


# ------------------------------------------------------------------------------------------------------------------------ budgets


@pytest.mark.parametrize("kind", CZ_KINDS)
def test_the_first_view_of_a_page_is_light(browser: Browser, cz_site: tuple[str, Views], kind: str) -> None:
    base, views = cz_site
    with browsers.watched(browser, base) as watched:
        counted = browsers.transfer(watched.page)
        watched.open(f"site/cs/{views.kinds()[kind]}")
        assert 0 < counted.total("Script", "Stylesheet") <= CODE_AND_STYLE, counted.bytes
        assert counted.total() <= FIRST_VIEW, counted.bytes


@pytest.mark.parametrize("kind", ["places", "place", "indicator", "compare", "cohesion"])
def test_a_page_asks_for_a_file_once(browser: Browser, demo_site: tuple[str, Views], kind: str) -> None:
    """The small script that runs first, the hints in the head and the script of the page ask for the same files."""
    base, views = demo_site
    with browsers.watched(browser, base) as watched:
        watched.open(f"site/cs/{views.kinds()[kind]}")
        asked = [address for address in watched.requests if not address.startswith("data:")]
        assert sorted(asked) == sorted(set(asked))


def test_opening_more_indicators_shows_their_position(browser: Browser, demo_site: tuple[str, Views]) -> None:
    base, views = demo_site
    with browsers.watched(browser, base) as watched:
        page = watched.open(f"site/cs/{view('place', area=views.codes(0)[1])}")
        assert not [address for address in watched.requests if "/within_more/" in address]
        more = page.locator(".place-objective details").first
        more.locator("summary").click()
        more.locator("tr.row .position svg.strip .ticks").first.wait_for(state="attached")


def test_the_data_of_a_place_are_small(browser: Browser, cz_site: tuple[str, Views]) -> None:
    base, views = cz_site
    with browsers.watched(browser, base) as watched:
        counted = browsers.transfer(watched.page)
        for code in (views.largest(), *views.places(4, seed=1)):
            counted.bytes.clear()
            watched.open(f"site/cs/{view('place', area=code)}")
            own = {address: size for address, size in counted.bytes.items() if "/api/v1/areas/" in address}
            peers = {address: size for address, size in counted.bytes.items() if "/site/data/peers/" in address}
            assert own, counted.bytes
            assert sum(own.values()) <= PLACE_DATA, own
            assert sum(peers.values()) <= PEERS_DATA, peers


# -------------------------------------------------------------------------------------------------------------------------- print


@pytest.mark.parametrize("language", ["cs", "en"])
@pytest.mark.parametrize("pack", ["demo", "cz"])
def test_a_place_prints_on_two_pages(browser: Browser, request: pytest.FixtureRequest, pack: str, language: str) -> None:
    base, views = request.getfixturevalue(f"{pack}_site")
    with browsers.watched(browser, base, language=language) as watched:
        for code in [views.largest(), *views.places(2 if pack == "cz" else 4, seed=2)]:
            page = watched.open(f"site/{language}/{view('place', area=code)}")
            printed = page.pdf(prefer_css_page_size=True)
            assert len(PAGE.findall(printed)) == 2, code
            assert len(A4.findall(printed)) == 2, "two pages of A4"


# ----------------------------------------------------------------------------------------------------------------- without script


@pytest.mark.parametrize("language", ["cs", "en"])
def test_without_a_script_every_link_of_a_page_leads_somewhere(browser: Browser, demo_site: tuple[str, Views], language: str) -> None:
    base, views = demo_site
    asked: set[str] = set()
    with browsers.watched(browser, base, language=language, scripts=False) as watched:
        for path in ("index.html", "place.html", "indicator.html", "compare.html", "cohesion.html", "measures.html", "data.html"):
            page = watched.open(f"site/{language}/{path}", state=None)
            assert page.locator("h1:visible").count() == 1
            assert page.locator("main a:visible").count() > 0, f"{path} is a dead end"
            links = page.eval_on_selector_all("a[href]", "links => links.map(link => link.getAttribute('href'))")
            asked |= {urljoin(page.url, link).partition("#")[0] for link in links}
    own = {unquote(address.removeprefix(base).partition("?")[0]) for address in asked if address.startswith(base)}
    assert [address for address in asked if urlsplit(address).netloc == urlsplit(base).netloc and not address.startswith(base)] == []
    assert [path for path in sorted(own) if not (views.release / path).is_file()] == []
    assert any(path.startswith(("csv/", "topics/", "parquet/")) for path in own), "the tables of the release can be reached"
