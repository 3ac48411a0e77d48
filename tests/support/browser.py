"""Chromium of the distribution, driven by Playwright, with watched pages: every complaint of a page fails its test."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, CDPSession, ConsoleMessage, Page, sync_playwright

from tests.support import debian

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
HEIGHT = 900
WAIT_MS = 30_000
SETTLED_MS = 50
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
"""Rules of axe-core: WCAG 2.0 to 2.2 A and AA, and best practice."""
RULES_OF_COLOUR = ("color-contrast", "link-in-text-block")
STATES = ("ready", "failed")
"""Ends of the loading of a page, which its body names in `data-state`."""


def program() -> str:
    """Return the path of Chromium, installed in CI. Skips the test where there is none."""
    if not any(shutil.which(name) for name in PROGRAMS):
        debian.install("chromium", "fonts-dejavu-core")
    for name in PROGRAMS:
        if path := shutil.which(name):
            return path
    pytest.skip("there is no Chromium: apt-get install chromium fonts-dejavu-core (with CI set, root does it here)")


@contextmanager
def running() -> Iterator[Browser]:
    """Start the browser and end it. Playwright runs an event loop in this thread meanwhile, so `asyncio.run` fails beside it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Watched:
    """A page that collects what must not happen in it: messages of errors, failed requests, dialogs, requests to other hosts.

    `base` is the address below which the page reads, for example `http://127.0.0.1:8000/a/b/`.
    """

    page: Page
    base: str
    has_scripts: bool = True
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        page = self.page
        page.set_default_timeout(WAIT_MS)
        page.on("console", lambda message: self._complain(f"console {message.type}: {message.text}", self._is_fault(message)))
        page.on("pageerror", lambda error: self._complain(f"error: {error}"))
        page.on(
            "requestfailed", lambda request: self._complain(f"failed: {request.url} {request.failure}", not _cancelled(request.failure))
        )
        page.on("response", lambda response: self._complain(f"{response.status}: {response.url}", response.status >= 400))
        page.on("request", lambda request: self._requested(request.url))
        page.on("dialog", self._dialog)

    def open(self, path: str, *, state: str | None = "ready") -> Page:
        """Go to `path` below the base and wait until the page says `state`; None waits for the document only."""
        self.page.goto(self.base + path, wait_until="load")
        if state:
            self.settle(state)
        return self.page

    def settle(self, state: str = "ready") -> None:
        """Wait until the page has loaded what it shows and asks for nothing more, and expect `state`."""
        ends = self.page.locator(", ".join(f"body[data-state={end}]" for end in STATES))
        deadline = time.monotonic() + WAIT_MS / 1000
        current = ""
        while time.monotonic() < deadline:
            ends.wait_for(state="attached")
            current = self.page.evaluate("document.body.dataset.state")
            self.page.wait_for_timeout(SETTLED_MS)
            if current in STATES and current == self.page.evaluate("document.body.dataset.state"):
                break
        assert current == state, f"{self.page.url} says {current}: {self.page.inner_text('body')[:300]}; {self.complaints}"

    def assert_silent(self) -> None:
        """Expect no complaint since the last call."""
        complaints, self.complaints[:] = list(self.complaints), []
        assert complaints == [], f"{self.page.url}: {complaints}"

    def _complain(self, text: str, is_complaint: bool = True) -> None:
        if is_complaint:
            self.complaints.append(text)

    def _is_fault(self, message: ConsoleMessage) -> bool:
        """Say whether a message is one of a fault. Without scripts nothing uses what was loaded for them."""
        return message.type in ("error", "warning") and (self.has_scripts or "preload" not in message.text)

    def _requested(self, url: str) -> None:
        self.requests.append(url)
        parts, base = urlsplit(url), urlsplit(self.base)
        self._complain(f"request to another host: {url}", parts.scheme not in ("data", "blob") and parts.netloc != base.netloc)

    def _dialog(self, dialog: Any) -> None:
        self._complain(f"dialog {dialog.type}: {dialog.message}")
        dialog.dismiss()


def _cancelled(failure: str | None) -> bool:
    """Say whether the page itself gave the request up, for example because the reader went on."""
    return failure == "net::ERR_ABORTED"


@contextmanager
def watched(
    browser: Browser, base: str, *, width: int = 1280, height: int = HEIGHT, scheme: str = "light", language: str = "cs",
    scripts: bool = True, touch: bool = False,
) -> Iterator[Watched]:  # fmt: skip
    """Open a page of its own, `width` CSS pixels wide, and expect at the end that it had nothing to complain about."""
    context: BrowserContext = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if scheme == "dark" else "light", locale=language,
        java_script_enabled=scripts, has_touch=touch, is_mobile=touch, accept_downloads=True, reduced_motion="reduce",
    )  # fmt: skip
    try:
        opened = Watched(context.new_page(), base, scripts)
        yield opened
        opened.assert_silent()
    finally:
        context.close()


def violations(page: Page, *, colours_only: bool = False) -> list[str]:
    """Return what axe-core finds on the page with all its details open: the rule, its help and the elements.

    `colours_only` asks only what another colour scheme can change.
    """
    page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true })")
    chosen = {"type": "rule", "values": list(RULES_OF_COLOUR)} if colours_only else {"type": "tag", "values": list(RULES)}
    options = {"runOnly": chosen, "resultTypes": ["violations"]}
    rules_broken = Axe().run(page, options=options).response["violations"]
    return [f"{one['id']}: {one['help']}: {[node['target'] for node in one['nodes'][:3]]}" for one in rules_broken]


def sideways(page: Page) -> int:
    """Return how many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@dataclass
class Transfer:
    """What a page fetched: the encoded bytes of the body of each response, by address and kind."""

    session: CDPSession
    bytes: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.session.send("Network.enable")
        self.session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        self.session.on("Network.responseReceived", self._received)
        self.session.on("Network.loadingFinished", self._finished)

    def _received(self, event: dict[str, Any]) -> None:
        self.addresses[event["requestId"]] = event["response"]["url"]
        self.kinds[event["response"]["url"]] = event["type"]

    def _finished(self, event: dict[str, Any]) -> None:
        if address := self.addresses.get(event["requestId"]):
            self.bytes[address] = self.bytes.get(address, 0) + int(event["encodedDataLength"])

    def total(self, *kinds: str) -> int:
        """Return the bytes of all responses, or of those of `kinds` (Document, Script, Stylesheet, Fetch, ...)."""
        return sum(size for address, size in self.bytes.items() if not kinds or self.kinds[address] in kinds)


def transfer(page: Page) -> Transfer:
    """Count what a page fetches from now on, without the browser's cache. Headers are in the numbers."""
    return Transfer(page.context.new_cdp_session(page))


def slow_4g(page: Page) -> None:
    """Give the page the line of a phone: 1.6 Mbit/s down, 750 kbit/s up, 150 ms."""
    page.context.new_cdp_session(page).send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 750e3 / 8},
    )
