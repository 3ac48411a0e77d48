"""A pack that wants to harm the readers of its site: what it declares and what its data say is text, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.conftest import current_release
from tests.support import browser as browsers
from tests.support import five_places, static_server
from tests.support.command import EPOCH, zpo2
from tests.support.site_views import Views, view

pytestmark = [pytest.mark.slow, pytest.mark.acceptance]

SCRIPT = "<script>window.harmed=1;alert(1)</script>"
IMAGE = "<img src=x onerror=alert(2)>"
BROKEN = "\\\"'><svg onload=alert(3)>"
LONG = "Nejdelší" + "jménovšechmístnasvětě" * 12
OVERRIDE = "\u202eeverse\u202d"
AREAS_CSV = f"""\
code,name,level,orp,okres,state
a1,{SCRIPT}Alder,lau,R1,O1,
a2,{IMAGE}Birch,lau,R1,O1,
a3,{LONG},lau,R2,O1,
a4,Dog{OVERRIDE}wood,lau,R2,O2,
a5,"=HYPERLINK(""javascript:alert(4)"")",lau,R2,O2,
R1,"North"" onmouseover=""alert(5)",orp,,,S
R2,{{{{constructor.constructor('alert(6)')()}}}},orp,,,S
O1,</title><script>alert(7)</script>,okres,,,S
O2,West,okres,,,S
S,{IMAGE}State,nuts0,,,
"""
PACK = (
    five_places.PACK.replace("title: Five places", f'title: {{en: "{SCRIPT}Five", cs: "{IMAGE}Pět"}}\nlanguages: [en, cs]')
    .replace("publisher: {name: Somebody}", f'publisher: {{name: "{SCRIPT}Somebody"}}')
    .replace(
        "api, sdmx]", f'api, site]\nsite:\n  title: {{en: "{SCRIPT}Five", cs: "{IMAGE}Pět"}}\n  texts: {{en: {{nav.place: "{IMAGE}"}}}}'
    )
)
INDICATORS = (
    five_places.INDICATORS.replace("{en: Share of women}", f'{{en: "{SCRIPT}{BROKEN}Share", cs: "{LONG}"}}')
    .replace("title: Population", f'title: {{en: "{IMAGE}People", cs: "{OVERRIDE}Lidé"}}')
    .replace('unit: "1"', f'unit: "{IMAGE}"')
    .replace("needed: a survey of households", f'needed: {{what: "{SCRIPT}survey", supplier: "{IMAGE}"}}')
)
SOURCE = (
    five_places.PEOPLE.replace("title: People", f'title: "{SCRIPT}People"')
    .replace("publisher: Office", f'publisher: "{IMAGE}Office"\nhomepage: "javascript:alert(8)"\nrights: "{SCRIPT}"')
    .replace("licence: CC0-1.0", "licence: NOASSERTION")
)
HARM = "window.harmed === undefined && document.querySelectorAll('main script, main iframe, main object, [onerror], [onload]').length === 0"
ADDRESSES = "[...document.querySelectorAll('[href], [src]')].map(own => own.getAttribute('href') ?? own.getAttribute('src'))"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hostile-site")
    changes = {"pack_yml": PACK, "indicators__all_yml": INDICATORS, "data__areas_csv": AREAS_CSV, "sources__people_yml": SOURCE}
    pack = five_places.write(root / "pack", **changes)
    done = zpo2("run", "--pack", pack, "--home", root / "home", SOURCE_DATE_EPOCH=EPOCH)
    assert done.returncode == 0, done.stdout + done.stderr
    return current_release(root / "home")


@pytest.fixture(scope="module")
def base(release: Path) -> Iterator[str]:
    with static_server.serving(release) as address:
        yield address


def _opened(page: Page) -> None:
    page.evaluate("document.querySelectorAll('main details').forEach(own => { own.open = true })")
    page.wait_for_timeout(100)


@pytest.mark.parametrize("language", ["en", "cs"])
def test_texts_of_a_pack_and_of_its_data_do_nothing(browser: Browser, release: Path, base: str, language: str) -> None:
    """A dialog, a message or a request to another host is a complaint of the watched page."""
    views = Views(release)
    paths = {**views.kinds(), **{code: view("place", area=code) for code in views.areas["areas"]["code"]}}
    for own in views.indicators:
        paths[own["indicator"]] = view("indicator", indicator=own["indicator"])
    with browsers.watched(browser, base, width=320, language=language) as watched:
        for name, path in paths.items():
            page = watched.open(f"site/{language}/{path}")
            _opened(page)
            assert page.evaluate(HARM), name
            addresses = page.evaluate(ADDRESSES)
            assert [own for own in addresses if own.strip().lower().startswith(("javascript:", "vbscript:", "data:text"))] == [], name
            assert page.locator("h1:visible").count() == 1, name
            assert browsers.sideways(page) == 0, name
            watched.assert_silent()


def test_a_hostile_name_is_shown_as_it_is_written(browser: Browser, base: str) -> None:
    with browsers.watched(browser, base, language="en") as watched:
        page = watched.open(f"site/en/{view('place', area='a1')}")
        assert f"{SCRIPT}Alder" in page.inner_text("h1")
        assert SCRIPT in page.title()
        page = watched.open("site/en/place.html?area=%3Cscript%3Ealert(9)%3C/script%3E", state=None)
        page.locator("h1:visible").wait_for()
        assert page.evaluate(HARM)


def test_signs_that_turn_the_direction_of_text_reach_no_page(browser: Browser, base: str) -> None:
    """They would turn what stands after a name, such as a number."""
    with browsers.watched(browser, base, language="cs") as watched:
        for path in (view("place", area="a4"), view("indicator", indicator="population"), "place.html"):
            page = watched.open(f"site/cs/{path}")
            _opened(page)
            assert "everse" in page.content()
            assert page.evaluate("/[\\u202a-\\u202e\\u2066-\\u2069]/.test(document.documentElement.outerHTML)") is False, path
