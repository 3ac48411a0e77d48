"""The browser of the tests sees what a page does wrong: each fault is put into a page, and the page must be complained about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support import browser as browsers
from tests.support import static_server

GOOD = (
    "<!doctype html><html lang='en'><head><title>A page</title><meta name='viewport' content='width=device-width'>"
    "<link rel='icon' href='data:,'></head>"
    "<body data-state='ready'><main><h1>A page</h1><p>Text</p>{}</main></body></html>"
)
FAULTS = {
    "message": ("<script>console.error('broken')</script>", "console error: broken"),
    "exception": ("<script>null.x</script>", "error: Cannot read properties of null"),
    "missing file": ("<img alt='' src='nothing.png'>", "404: "),
    "another host": ("<img alt='' src='http://localhost:9/x.png'>", "request to another host: http://localhost:9/x.png"),
    "dialog": ("<script>alert('opened')</script>", "dialog alert: opened"),
    "outside the folder": ("<img alt='' src='/above.png'>", "404: "),
}

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.html").write_text(GOOD.format(""), encoding="utf-8")
    return tmp_path


@pytest.fixture
def base(folder: Path) -> Iterator[str]:
    with static_server.serving(folder) as address:
        yield address


def test_a_good_page_has_no_complaint(browser: Browser, base: str) -> None:
    for scheme in ("light", "dark"):
        with browsers.watched(browser, base, width=320, scheme=scheme, language="en") as watched:
            page = watched.open("good.html")
            assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") is (scheme == "dark")
            assert page.evaluate("[innerWidth, navigator.language]") == [320, "en"]
            assert browsers.violations(page) == []
            assert browsers.sideways(page) == 0


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_a_complaint(browser: Browser, base: str, folder: Path, name: str) -> None:
    body, complaint = FAULTS[name]
    (folder / "faulty.html").write_text(GOOD.format(body), encoding="utf-8")
    with browsers.watched(browser, base) as watched:
        watched.open("faulty.html")
        assert any(found.startswith(complaint) for found in watched.complaints), watched.complaints
        with pytest.raises(AssertionError):
            watched.assert_silent()


def test_axe_and_the_width_of_the_page_find_faults(browser: Browser, base: str, folder: Path) -> None:
    body = "<details><p style='color:#ccc; width: 900px'>weak</p></details><img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>"
    (folder / "faulty.html").write_text(GOOD.format(body), encoding="utf-8")
    with browsers.watched(browser, base, width=320) as watched:
        page = watched.open("faulty.html")
        found = {violation.split(":")[0] for violation in browsers.violations(page)}
        assert {"color-contrast", "image-alt", "summary-name"} & found >= {"color-contrast", "image-alt"}
        assert browsers.sideways(page) > 500


def test_transferred_bytes_are_those_of_the_compressed_files(browser: Browser, base: str, folder: Path) -> None:
    (folder / "long.js").write_text("// " + "x" * 100_000, encoding="utf-8")
    (folder / "loads.html").write_text(GOOD.format("<script src='long.js'></script>"), encoding="utf-8")
    with browsers.watched(browser, base) as watched:
        counted = browsers.transfer(watched.page)
        watched.open("loads.html")
        assert 100 < counted.total("Script") < 1_000
        assert counted.total("Script") < counted.total() < 2_000
