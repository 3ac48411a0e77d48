"""The site of a release in a browser, from each kind of host: `python -m http.server` below a path, `zpo2 serve`, nginx."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.integration import test_hosting as hosts
from tests.support import browser as browsers
from tests.support.site_views import view

pytestmark = pytest.mark.slow

START_SECONDS = 30.0


@pytest.fixture(scope="module")
def home(five_home: Path) -> Path:
    return five_home


@contextmanager
def http_server(home: Path) -> Iterator[str]:
    """Serve the folder above the public one, so that releases lie below a path."""
    port = hosts.free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(home)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/public/latest.json"):
                    break
            except urllib.error.URLError:
                assert process.poll() is None, "the server ended"
                assert time.monotonic() < deadline, "the server did not answer in time"
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/public/"
    finally:
        process.terminate()
        process.wait(timeout=30)


@contextmanager
def zpo2_serve(home: Path) -> Iterator[str]:
    with hosts.zpo2_serve(home) as site:
        yield f"http://127.0.0.1:{site.port}/"


@contextmanager
def nginx(home: Path) -> Iterator[str]:
    with hosts.nginx(home) as site:
        yield f"http://127.0.0.1:{site.port}/"


@pytest.mark.parametrize("host", [http_server, zpo2_serve, nginx], ids=["http.server", "serve", "nginx"])
def test_pages_are_complete_and_lead_on(browser: Browser, home: Path, host: object) -> None:
    assert callable(host)
    version = hosts.FIRST
    with host(home) as base, browsers.watched(browser, base, language="en") as watched:
        page = watched.open(f"releases/{version}/site/en/place.html")
        page.locator("main a[href*='area=a1']").first.click()
        page.wait_for_url("**/place.html?area=a1*")
        watched.settle()
        assert "Alder" in page.inner_text("h1")
        watched.open(f"releases/{version}/site/en/{view('indicator', indicator='women_share')}")
        assert "Share of women" in page.inner_text("h1")
        page.goto(f"{base}releases/{version}/site/index.html")
        page.wait_for_url("**/site/en/index.html")
        watched.settle()


def test_the_start_of_zpo2_serve_shows_the_site_of_the_current_release(browser: Browser, home: Path) -> None:
    with zpo2_serve(home) as base, browsers.watched(browser, base, language="en") as watched:
        page = watched.open("")
        assert page.url.endswith("/site/en/index.html")
        assert page.locator("h1:visible").count() == 1
