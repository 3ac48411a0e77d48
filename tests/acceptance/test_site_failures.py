"""A file of the release is missing or damaged: each page that reads it says so in words and leads on, and is never blank."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.support import browser as browsers
from tests.support.site_views import Views

pytestmark = [pytest.mark.slow, pytest.mark.acceptance]

KINDS = ("home", "places", "place", "indicator", "compare", "cohesion", "measures", "data")
DAMAGES = {"missing": (404, "not found"), "cut off": (200, '{"areas": [1, '), "of another kind": (200, "{}")}
LOADING = {"cs": "Načítá se", "en": "Loading"}
ENDS = "body[data-state=ready], body[data-state=failed]"
LANGUAGES = ("cs", "en")


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_without_one_of_its_files_says_so_and_leads_on(browser: Browser, demo_site: tuple[str, Views], kind: str) -> None:
    base, views = demo_site
    assert list(_faults_of_kind(browser, base, views.kinds()[kind])) == []


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_page_without_an_indicator_shows_everything_else(
    browser: Browser, demo_site: tuple[str, Views], language: str, damage: str
) -> None:
    base, views = demo_site
    meta = views.read(f"site/data/meta.{language}.json")
    titles = {own["indicator"]: own["title"] for own in meta["indicators"]}
    drawn, other = meta["home"]["indicators"]
    status, body = DAMAGES[damage]
    for name, alerts in ((drawn, 2), (other, 1)):
        with _damaged(browser, f"/site/data/indicators/{name}.json", status, body) as page:
            page.goto(f"{base}site/{language}/index.html")
            page.locator("body[data-state=failed]").wait_for(state="attached")
            page.wait_for_timeout(browsers.SETTLED_MS)
            said = page.locator("[role=alert]").all_inner_texts()
            assert len(said) == alerts, "its map, which only the first one has, and its sentence"
            assert all(text.startswith(titles[name]) for text in said)
            kept = other if name == drawn else drawn
            assert page.locator(f'.findings a[href*="indicator={kept}"]').count() > 0
            assert page.locator("figure.home-map").count() == (0 if name == drawn else 1)
            assert page.locator(".objective").count() == len({own["objective"] for own in meta["indicators"]})
            assert page.get_by_role("combobox").count() == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_without_its_script_says_so_after_a_while(browser: Browser, demo_site: tuple[str, Views], language: str) -> None:
    base, _ = demo_site
    with _damaged(browser, "/site/assets/index-", 404, "") as page:
        page.goto(f"{base}site/{language}/index.html")
        assert page.locator("main").inner_text().startswith(LOADING[language])
        page.evaluate("document.getAnimations().forEach(animation => animation.finish())")
        assert not list(_faults(page, language, waits=True))


def _faults_of_kind(browser: Browser, base: str, address: str) -> Iterator[str]:
    """Yield what is wrong with a view without one of its files. Languages take turns over the files."""
    for number, path in enumerate(_files(browser, f"{base}site/cs/{address}")):
        language = LANGUAGES[number % len(LANGUAGES)]
        for damage, (status, body) in DAMAGES.items():
            with _damaged(browser, path, status, body) as page:
                page.goto(f"{base}site/{language}/{address}")
                page.locator(ENDS).wait_for(state="attached")
                page.wait_for_timeout(browsers.SETTLED_MS)
                yield from (f"{path} {damage}: {fault}" for fault in _faults(page, language))


def _files(browser: Browser, address: str) -> list[str]:
    """Return the paths of the data that a view reads, below the folder of the release."""
    with browsers.watched(browser, address.partition("site/")[0]) as watched:
        watched.open("site/" + address.partition("site/")[2])
        found = {url.partition("?")[0].removeprefix(watched.base) for url in watched.requests}
    return sorted("/" + path for path in found if path.endswith("json"))


@contextmanager
def _damaged(browser: Browser, path: str, status: int, body: str) -> Iterator[Page]:
    """Open a page for which one file of the release is another one; its name in the other languages is damaged, too."""

    def answer(route: Route) -> None:
        if path.replace(".cs.json", "") in route.request.url:
            route.fulfill(status=status, body=body, content_type="application/json")
        else:
            route.continue_()

    context = browser.new_context(reduced_motion="reduce")
    try:
        page = context.new_page()
        page.set_default_timeout(browsers.WAIT_MS)
        page.route("**/*", answer)
        yield page
    finally:
        context.close()


def _faults(page: Page, language: str, *, waits: bool = False) -> Iterator[str]:
    """Yield what a page lacks that is not shown in whole: a heading, words and a way on."""
    main = page.locator("main")
    text = main.inner_text()
    if main.get_by_role("heading", level=1).count() != 1:
        yield f"not one heading in {text[:100]!r}"
    if main.locator("a[href]:visible, input:visible").count() == 0:
        yield f"a dead end: {text[:100]!r}"
    if len(text.split()) < 10:
        yield f"no words: {text[:100]!r}"
    if not waits and LOADING[language] in text:
        yield f"still loading: {text[:200]!r}"
