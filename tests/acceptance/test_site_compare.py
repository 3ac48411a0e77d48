"""The page of comparisons computes groups as the product does, and says that places differ only if their intervals are apart."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.support import browser as browsers
from tests.support.site_views import Views, view

pytestmark = [pytest.mark.slow, pytest.mark.acceptance]

HIGHER = re.compile(r"(?P<name>[^;.]+?) higher than (?P<others>[^;.]+)")
ROWS = """() => [...document.querySelectorAll('table.data tbody tr')].map(row =>
    [...row.querySelectorAll('td > [data-area]:has([data-status])')].map(cell => {
        const value = cell.querySelector('[data-status]')
        const {indicator, period, status, lower, upper} = value.dataset
        return {area: cell.dataset.area, indicator, period, status, lower, upper, text: value.textContent}
    })).filter(cells => cells.length)"""
PARTS = "() => [...document.querySelectorAll('[data-part]')].map(e => [e.dataset.indicator, e.dataset.part, Number(e.dataset.number)])"


def test_a_group_of_all_districts_of_a_region_has_the_values_of_the_region(browser: Browser, demo_site: tuple[str, Views]) -> None:
    base, views = demo_site
    columns, levels = views.areas["areas"], views.areas["levels"]
    region = max(range(levels[1]["first"], levels[1]["first"] + levels[1]["count"]), key=columns["parent"].count)
    members = [code for code, parent in zip(columns["code"], columns["parent"], strict=True) if parent == region]
    bundle = views.read(f"api/v1/areas/{views.areas['bundles'][columns['bundle'][region]]}.json")
    published = {own["indicator"]: own for own in bundle["indicators"]}
    place = bundle["areas"].index(region)
    compared = with_interval = 0
    with browsers.watched(browser, base, language="en") as watched:
        for topic in views.read("site/data/meta.en.json")["topics"]:
            path = view("compare", areas=columns["code"][region], group=",".join(members), topic=topic["topic"])
            page = watched.open(f"site/en/{path}")
            parts = _parts(page)
            for row in page.evaluate(ROWS):
                cells = {cell["area"]: cell for cell in row}
                if "group" not in cells:
                    continue
                group, own = cells["group"], cells[columns["code"][region]]
                for name in ("text", "lower", "upper", "period"):
                    assert group.get(name) == own.get(name), (group, own)
                entry = published[group["indicator"]]
                for part in ("numerator", "denominator"):
                    if (group["indicator"], part) in parts and entry[part][place] is not None:
                        assert parts[group["indicator"], part] == pytest.approx(entry[part][place], rel=1e-9)
                compared += 1
                with_interval += group.get("lower") is not None
    assert compared > 5
    assert with_interval > 0


def _parts(page: Page) -> dict[tuple[str, str], float]:
    """Return the sums of the group by indicator, once the part of the page that shows them is opened."""
    page.evaluate("() => document.querySelectorAll('details').forEach(part => part.open = true)")
    page.wait_for_selector("[data-part], section:not(:has([data-part]))", state="attached")
    return {(indicator, part): number for indicator, part, number in page.evaluate(PARTS)}


def test_places_differ_only_if_their_intervals_are_apart(browser: Browser, demo_site: tuple[str, Views]) -> None:
    base, views = demo_site
    codes = views.codes(0)[20:25]
    names = dict(zip(views.areas["areas"]["code"], views.areas["areas"]["name"], strict=True))
    said_any = False
    with browsers.watched(browser, base, language="en") as watched:
        for topic in views.read("site/data/meta.en.json")["topics"]:
            page = watched.open(f"site/en/{view('compare', areas=','.join(codes), topic=topic['topic'])}")
            sentences = {
                card.get_attribute("data-indicator"): card.locator("p.small").inner_text() for card in page.locator(".compare-card").all()
            }
            for row in page.evaluate(ROWS):
                cells = [cell for cell in row if cell["area"] in codes and cell.get("lower") is not None]
                expected = {(names[a["area"]], names[b["area"]]) for a in cells for b in cells if float(a["lower"]) > float(b["upper"])}
                assert _said(sentences[row[0]["indicator"]]) == expected, row
                said_any |= bool(expected)
    assert said_any


def _said(text: str) -> set[tuple[str, str]]:
    """Return the pairs of names of which the first is said to be higher than the second."""
    found: set[tuple[str, str]] = set()
    for match in HIGHER.finditer(text):
        if "Measurably" not in match["name"]:
            others: Any = re.split(r",? and |, ", match["others"])
            found |= {(match["name"].strip(), other.strip()) for other in others}
    return found


def test_places_are_compared_with_the_country_that_they_are_in(browser: Browser, demo_site: tuple[str, Views]) -> None:
    """A release of several countries has none of its own, but the country of its pack has a name."""
    base, views = demo_site
    top = views.areas["areas"]["name"][views.areas["levels"][-1]["first"]]
    with browsers.watched(browser, base, language="en") as watched:
        _with_meta(watched.page, views, country={"area": None, "code": "XX", "name": "Nowhere"})
        for path, where in ((views.kinds()["place"], ".key"), (views.kinds()["compare"], ".compare-key")):
            page = watched.open(f"site/en/{path}")
            assert top in page.locator(where).inner_text()
            assert "Nowhere" not in page.inner_text("main")


def test_a_logarithm_of_a_ratio_is_also_said_in_times(browser: Browser, demo_site: tuple[str, Views]) -> None:
    base, views = demo_site
    path = views.kinds()["compare"]
    with browsers.watched(browser, base, language="en") as watched:
        page = watched.open(f"site/en/{path}")
        shown = page.eval_on_selector_all(
            ".compare-card li.here [data-status=A]",
            "all => all.map(one => [one.dataset.indicator, parseFloat(one.textContent.replaceAll(',', ''))])",
        )
        name, value = next((name, value) for name, value in shown if 0 < value < 100)
        indicators = [
            own | {"is_log_ratio": True, "change_years": 10, "unit": "x", "decimals": 9}
            for own in views.read("site/data/meta.en.json")["indicators"]
        ]
        _with_meta(page, views, indicators=indicators)
        watched.open(f"site/en/{path}")
        said = page.locator(f".compare-card[data-indicator={name}]")
        times = re.search(r"Against 10 years before: .*? ([\d,.]+) times", said.inner_text())
        assert times, said.inner_text()
        assert float(times[1].replace(",", "")) == pytest.approx(math.exp(value), rel=1e-6)


def _with_meta(page: Page, views: Views, **changes: Any) -> None:
    """Let the page read a `meta.en.json` with other members."""
    body = json.dumps(views.read("site/data/meta.en.json") | changes)
    page.route("**/site/data/meta.en.json", lambda route: route.fulfill(body=body, content_type="application/json"))
