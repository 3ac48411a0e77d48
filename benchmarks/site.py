"""Measure the site of a release in Chromium: sizes, the first view of each kind of page on the line of a phone, and an interaction.

    .venv/bin/python benchmarks/site.py data/cz/public/releases/2026.11.2

Prints Markdown; `--json` also writes the results to a file. The line is slow 4G: 1.6 Mbit/s and 150 ms, without a cache. Text is compressed as
docs/operations/nginx.conf does. A page is usable when it has drawn all that it asks for, which its body says. The median of the rounds counts.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from tests.support import browser as browsers  # noqa: E402
from tests.support import static_server  # noqa: E402
from tests.support.site_views import Views, view  # noqa: E402

LEVEL = 6
SCRIPT_OF_OUR_WORLD_IN_DATA = 800_000
"""Bytes: the budget that Our World in Data sets itself for its script (.bundlewatch.config.json of owid-grapher)."""
KINDS = ("home", "places", "largest place", "village", "indicators", "indicator", "compare", "cohesion", "measures", "data")
AIMS = {
    "script and style": 120_000,
    "first view": 250_000,
    "place": 60_000,
    "usable": 2.0,
    "interaction": 0.1,
    "build": 15.0,
    "folder": 60e6,
}
"""Bytes, seconds and bytes of the folder, as docs/site.md and the requirements state them."""


@dataclass(frozen=True)
class Shown:
    """The first view of a page: the bytes of everything that was sent, and the seconds until it was complete."""

    sent: int
    seconds: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("release", type=Path, help="the folder of a release")
    parser.add_argument("--language", default="cs", help="language of the pages (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each page is opened (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="File for all results.")
    options = parser.parse_args()
    views = Views(options.release.resolve())
    sizes = _sizes(views)
    shown, interaction = _pages(views, options.language, options.rounds)
    places = _places(views)
    seconds = _build_seconds(options.release)
    print("\n".join([*_size_table(sizes, places, seconds), "", *_page_table(shown, interaction)]))
    if options.json:
        results = {
            "sizes": sizes, "pages": {kind: vars(own) for kind, own in shown.items()}, "places": places,
            "interaction_seconds": interaction, "build_seconds": seconds,
        }  # fmt: skip
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


def _sizes(views: Views) -> dict[str, int]:
    """Return the bytes of the largest script of a page and of the style as they are sent, and of the whole folder as it lies on the disk."""
    site = views.release / "site"
    assets = {
        ending: max(len(gzip.compress(path.read_bytes(), LEVEL, mtime=0)) for path in (site / "assets").glob(f"*-*{ending}"))
        for ending in (".js", ".css")
    }
    files = [path for path in site.rglob("*") if path.is_file()]
    return {
        "script": assets[".js"],
        "style": assets[".css"],
        "folder": sum(path.stat().st_size for path in files),
        "files": len(files),
    }


def _places(views: Views) -> dict[str, int]:
    """Return the median and the largest of the bytes, as sent, of the file of a place's values, and of the file of similar places."""
    found = {}
    for name, folder in (("values", "api/v1/areas"), ("similar", "site/data/peers")):
        sizes = [len(gzip.compress(path.read_bytes(), LEVEL, mtime=0)) for path in sorted((views.release / folder).glob("*.json"))]
        found |= {f"{name}, median": int(statistics.median(sizes)), f"{name}, largest": max(sizes)}
    return found


def _pages(views: Views, language: str, rounds: int) -> tuple[dict[str, Shown], float]:
    """Return the first view of each kind of page on a slow line, and the seconds that typing into the search takes."""
    found = {}
    addresses = views.kinds()
    addresses |= {"largest place": addresses["place"], "village": view("place", area=views.codes(0)[1])}
    with browsers.running() as browser, static_server.serving(views.release) as base:
        for kind in KINDS:
            views_of_kind = [_first_view(browser, base, f"site/{language}/{addresses[kind]}") for _ in range(rounds)]
            found[kind] = Shown(views_of_kind[0].sent, statistics.median(own.seconds for own in views_of_kind))
            print(f"{kind}: {found[kind]}", file=sys.stderr, flush=True)
        with browsers.watched(browser, base, language=language) as watched:
            interaction = _typing_seconds(watched, f"site/{language}/index.html")
    return found, interaction


def _first_view(browser: browsers.Browser, base: str, path: str) -> Shown:
    with browsers.watched(browser, base, width=360) as watched:
        counted = browsers.transfer(watched.page)
        browsers.slow_4g(watched.page)
        start = time.perf_counter()
        watched.open(path)
        return Shown(counted.total(), time.perf_counter() - start - browsers.SETTLED_MS / 1000)


def _typing_seconds(watched: browsers.Watched, path: str) -> float:
    """Return the seconds from a letter typed into the search until its suggestions are there, when the list of places is."""
    page = watched.open(path)
    field = page.get_by_role("combobox").first
    field.click()
    watched.settle()
    option = page.get_by_role("option").first
    field.press("p")
    option.wait_for()
    start = time.perf_counter()
    field.press("r")
    option.wait_for()
    return time.perf_counter() - start


def _build_seconds(release: Path) -> float:
    """Return the seconds that writing the pages and the data takes, with the start of Python."""
    folder = Path(tempfile.mkdtemp(prefix="zpo2-site-"))
    try:
        start = time.perf_counter()
        command = [sys.executable, str(PROJECT / "site" / "preview.py"), str(release), str(folder / "release")]
        subprocess.run(command, check=True, capture_output=True, cwd=PROJECT)
        return time.perf_counter() - start
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# ------------------------------------------------------------------------------------------------------------------------- tables


def _kilobytes(size: float) -> str:
    return f"{size / 1000:.0f} kB"


def _size_table(sizes: dict[str, int], places: dict[str, int], seconds: float) -> list[str]:
    both = sizes["script"] + sizes["style"]
    other = f"{_kilobytes(SCRIPT_OF_OUR_WORLD_IN_DATA)} (Our World in Data, its own limit for script)"
    return [
        "| what | measured | aim | against |",
        "| --- | ---: | ---: | --- |",
        f"| **script and style, gzip** | **{_kilobytes(both)}** | at most {_kilobytes(AIMS['script and style'])} | {other} |",
        f"| - script of the largest page; style | {_kilobytes(sizes['script'])}; {_kilobytes(sizes['style'])} | | |",
        f"| values of a place, gzip: median; largest | {_kilobytes(places['values, median'])}; {_kilobytes(places['values, largest'])} | "
        f"at most {_kilobytes(AIMS['place'])} | |",
        f"| - values of similar places: median; largest | {_kilobytes(places['similar, median'])}; "
        f"{_kilobytes(places['similar, largest'])} | | |",
        f"| the folder `site` | {sizes['folder'] / 1e6:.1f} MB in {sizes['files']} files | at most {AIMS['folder'] / 1e6:.0f} MB | |",
        f"| writing it | {seconds:.1f} s | at most {AIMS['build']:.0f} s | |",
    ]


def _page_table(shown: dict[str, Shown], interaction: float) -> list[str]:
    return [
        f"| first view on slow 4G | sent, at most {_kilobytes(AIMS['first view'])} | usable after, at most {AIMS['usable']:.0f} s |",
        "| --- | ---: | ---: |",
        *(f"| {kind} | {_kilobytes(own.sent)} | {own.seconds:.1f} s |" for kind, own in shown.items()),
        "",
        f"A letter typed into the search shows its suggestions after {interaction * 1000:.0f} ms (at most {AIMS['interaction'] * 1000:.0f} ms).",
    ]


if __name__ == "__main__":
    raise SystemExit(main())
