"""Take the pictures of the README from the site of a release that `zpo2 serve` serves, and from Dagster's UI.

    .venv/bin/python docs/take_pictures.py http://127.0.0.1:8000/releases/2026.11.1/site/ --dagster http://127.0.0.1:3000

They show packs/cz. Needs Chromium. Take them anew when the pages look different, and look at them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # the project need not be installed

from docs import screenshot  # noqa: E402

WIDTH = 1280
LARGEST = 300_000
"""Bytes of a picture at most."""
WAIT_MS = 15_000
"""Time that a page is given to load what it shows, as the browser counts it."""


@dataclass(frozen=True)
class Picture:
    """The upper part of a page of the site. `page` is relative to the folder of the site, `height` in CSS pixels."""

    name: str
    page: str
    height: int


PICTURES = (
    Picture("place", "en/place.html?area=CZ_578347", 1440),
    Picture("indicator", "en/indicator.html?indicator=women_candidates_share&level=okres", 1120),
)


def take(program: str, site: str, picture: Picture, target: Path, profile: Path) -> None:
    """Save a picture. Ends the script if it is too large."""
    options = ("--blink-settings=preferredColorScheme=1", f"--virtual-time-budget={WAIT_MS}")
    screenshot.take(program, f"{site.rstrip('/')}/{picture.page}", target, profile, (WIDTH, picture.height), LARGEST, *options)


def take_lineage(program: str, dagster: str, target: Path) -> None:
    """Save a picture of the groups of assets in Dagster's UI, which loads over a socket that stays open."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 640})
        page.goto(f"{dagster.rstrip('/')}/asset-groups")
        page.get_by_text("publication").last.wait_for(timeout=60_000)
        page.get_by_text("Hide navigation").click()
        page.wait_for_timeout(3_000)  # the graph moves into its place
        page.screenshot(path=str(target))
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("site", help="address of the folder of a site")
    parser.add_argument("--dagster", help="address of Dagster's UI, for the picture of the lineage")
    parser.add_argument("--out", type=Path, default=HERE / "pictures", help="a folder (default: %(default)s)")
    arguments = parser.parse_args()
    program = screenshot.chromium()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        for picture in PICTURES:
            take(program, arguments.site, picture, arguments.out.resolve() / f"{picture.name}.png", Path(profile))
    if arguments.dagster:
        take_lineage(program, arguments.dagster, arguments.out.resolve() / "lineage.png")


if __name__ == "__main__":
    main()
