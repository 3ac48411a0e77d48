"""Every number on pages of the site drawn by chance is that of the release's tables, with its status, its period and its unit."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from playwright.sync_api import Browser, Page

from tests.support import browser as browsers
from tests.support import static_server
from tests.support.site_views import Views, view

pytestmark = [pytest.mark.slow, pytest.mark.acceptance]

SEED = 20261130
NO_VALUE = "–"
NO_ROW = "."
SIGNS = {"cs": (",", "\u00a0"), "en": (".", ",")}
"""The decimal sign and the sign between thousands."""
SHOWN = """() => [...document.querySelectorAll('main [data-status]')].map(element => {
    const mark = name => element.closest(`[data-${name}]`)?.getAttribute(`data-${name}`) ?? null
    const around = []
    for (let own = element; own && own.id !== 'main'; own = own.parentElement) around.push(own)
    return {
        indicator: mark('indicator'), area: mark('area'), period: mark('period'), sex: element.getAttribute('data-sex') ?? '_T',
        status: element.getAttribute('data-status'), text: element.textContent.trim(),
        lower: element.getAttribute('data-lower'), upper: element.getAttribute('data-upper'),
        row: (element.closest('tr, li, dl, article') ?? element).textContent,
        around: around.map(own => own.textContent),
    }
})"""
"""What a page shows: the marks of each value, its text, the text of its row, and the texts of what contains it."""
UNIT_OF_LOGARITHMS = {"cs": "logaritmus poměru (0 = beze změny)", "en": "logarithm of the ratio (0 = no change)"}
"""The words of the site for the unit of an indicator of logarithms of a ratio."""
Key = tuple[str, str, str, str]


@dataclass(frozen=True)
class Release:
    """A release that is served, with its published values by indicator, area, period and sex."""

    base: str
    views: Views
    values: dict[Key, dict[str, Any]]
    about: dict[str, Any]


@pytest.fixture(scope="module")
def demo(demo_release: Path) -> Iterator[Release]:
    yield from _release(demo_release, _drawn(Views(demo_release), 12))


@pytest.fixture(scope="module")
def cz(cz_release: Path) -> Iterator[Release]:
    yield from _release(cz_release, _drawn(Views(cz_release), 40))


def _release(folder: Path, drawn: list[tuple[str, str]]) -> Iterator[Release]:
    views = Views(folder)
    areas = {code for page, code in drawn if page == "place"}
    indicators = {indicator for page, indicator in drawn if page == "indicator"}
    table = pl.scan_parquet(folder / "parquet" / "indicator_values.parquet").filter(
        (pl.col("age") == "_T") & (pl.col("ref_area").is_in(areas) | pl.col("indicator").is_in(indicators))
    )
    rows = table.select("indicator", "ref_area", "time_period", "sex", "obs_value", "obs_status", "lower_95", "upper_95").collect()
    values = {(r["indicator"], r["ref_area"], r["time_period"], r["sex"]): r for r in rows.iter_rows(named=True)}
    with static_server.serving(folder) as base:
        yield Release(base, views, values, {own["indicator"]: own for own in views.indicators})


def _drawn(views: Views, count: int) -> list[tuple[str, str]]:
    """Return kinds of pages with an area or an indicator, half of each."""
    indicators = [own["indicator"] for own in views.with_values()]
    chosen = random.Random(SEED).sample(indicators, min(count // 2, len(indicators)))
    places = views.places(count - len(chosen), SEED)
    return [*(("place", code) for code in places), *(("indicator", indicator) for indicator in chosen)]


@pytest.mark.parametrize(("pack", "pages"), [("demo", 12), ("cz", 40)])
def test_every_number_is_that_of_the_tables(browser: Browser, request: pytest.FixtureRequest, pack: str, pages: int) -> None:
    release: Release = request.getfixturevalue(pack)
    faults, read = [], 0
    for language in ("cs", "en"):
        with browsers.watched(browser, release.base, language=language) as watched:
            for page_name, name in _drawn(release.views, pages)[("cs", "en").index(language) :: 2]:
                query = {"area": name} if page_name == "place" else {"indicator": name}
                page = watched.open(f"site/{language}/{view(page_name, **query)}")
                shown = _shown(page)
                read += len(shown)
                faults += [f"{page_name} {name} {language}: {fault}" for one in shown for fault in _faults(one, release, language)]
                missed = _missed(page_name, name, shown, release)
                faults += [f"{page_name} {name} {language}: does not show {key}" for key in missed]
    assert faults[:20] == [], f"{len(faults)} faults"
    assert read > 20 * pages, "the pages show their numbers"


def _shown(page: Page) -> list[dict[str, Any]]:
    """Return the values on a page with all its details open."""
    for _ in range(3):  # details may hold others
        closed = page.evaluate("[...document.querySelectorAll('main details:not([open])')].map(own => { own.open = true }).length")
        page.wait_for_timeout(100)
        page.locator("body:not([data-state=loading])").wait_for()
        if not closed:
            break
    found: list[dict[str, Any]] = page.evaluate(SHOWN)
    return [one for one in found if one["area"] != "group"]


def _faults(one: dict[str, Any], release: Release, language: str) -> Iterator[str]:
    """Yield what is wrong with a shown value."""
    place = f"{one['indicator']} {one['area']} {one['period']} {one['sex']} {one['text']!r}"
    about = release.about.get(one["indicator"])
    if about is None:
        yield f"{place}: no such indicator"
        return
    row = release.values.get((one["indicator"], one["area"], one["period"], one["sex"]))
    if row is None or row["obs_value"] is None:
        if not one["text"].startswith(NO_VALUE):
            yield f"{place}: the tables have no value"
        if row is not None and one["status"] != row["obs_status"]:
            yield f"{place}: status {one['status']} instead of {row['obs_status']}"
        if row is None and one["status"] not in (NO_ROW, ""):
            yield f"{place}: status {one['status']} without a row"
        return
    if one["status"] != row["obs_status"]:
        yield f"{place}: status {one['status']} instead of {row['obs_status']}"
    if not _same(one["text"], row["obs_value"], about["decimals"] or 0, language):
        yield f"{place}: instead of {row['obs_value']}"
    for end, column in (("lower", "lower_95"), ("upper", "upper_95")):
        if one[end] is not None and (row[column] is None or abs(float(one[end]) - row[column]) > _half(about["decimals"] or 0)):
            yield f"{place}: {end} {one[end]} instead of {row[column]}"
    unit = UNIT_OF_LOGARITHMS[language] if "log_ratio" in (about["formula"] or "") else about["unit"].get(language, "")
    if unit not in ("", "1") and not any(unit in text.replace("\u00a0", " ") for text in one["around"]):
        yield f"{place}: no unit {unit}"
    year = str(one["period"])[:4]
    if not any(year in text for text in one["around"]):
        yield f"{place}: no period"


def _same(text: str, value: float, decimals: int, language: str) -> bool:
    """Say whether a text begins with a value, rounded to its decimals and written as in its language."""
    decimal, thousands = SIGNS[language]
    found = re.match(rf"−?\d{{1,3}}(?:{thousands}?\d{{3}})*(?:{re.escape(decimal)}\d+)?", text)
    if not found:
        return False
    written = found[0].replace(thousands, "").replace(decimal, ".").replace("−", "-")
    return len(written.partition(".")[2]) == decimals and abs(float(written) - value) <= _half(decimals)


def _half(decimals: int) -> float:
    """Return half a unit of the last decimal, with room for the arithmetic of a double."""
    return 0.5 * 10.0**-decimals * (1 + 1e-6) + 1e-9


def _missed(page: str, name: str, shown: list[dict[str, Any]], release: Release) -> list[str]:
    """Return what the page has to show and does not: of a place, each indicator with a value of its newest period; of an indicator, each area.

    The areas are those of the level that it shows, of at most 400 areas.
    """
    if page == "place":
        there = {one["indicator"] for one in shown if one["area"] == name}
        needed = {
            key[0] for key, row in release.values.items() if key[1] == name and row["obs_value"] is not None and _is_newest(key, release)
        }
    else:
        there = {one["area"] for one in shown if one["indicator"] == name}
        with_data = {own["level"] for own in release.about[name]["levels"] if own["newest"]}
        levels = [own["level"] for own in release.views.areas["levels"] if own["count"] <= 400 and own["level"] in with_data]
        codes = max((_codes(level, release) for level in levels), key=lambda own: len(own & there), default=set())
        needed = {key[1] for key, row in release.values.items() if key[0] == name and key[1] in codes and row["obs_value"] is not None}
    return sorted(needed - there)


def _is_newest(key: Key, release: Release) -> bool:
    indicator, area, period, sex = key
    return sex == "_T" and any(
        own["newest"] == period for own in release.about[indicator]["levels"] if area in _codes(own["level"], release)
    )


def _codes(level: str, release: Release) -> set[str]:
    positions = [position for position, own in enumerate(release.views.areas["levels"]) if own["level"] == level]
    return {code for position in positions for code in release.views.codes(position)}
