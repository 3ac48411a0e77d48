"""Check the built documentation site: every link and file of its pages exists, and nothing is loaded from another host.

Run it after `mkdocs build`: `python docs/check_site.py build/docs`. It prints each fault and exits 1 if there is one.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
CSS_ADDRESS = re.compile(r"(?:@import\s+|url\()[\"']?((?:https?:)?//[^\"')\s]+)")


@dataclass
class Links(HTMLParser):
    """The anchors of a page, the addresses it links to, and those it loads."""

    anchors: set[str] = field(default_factory=set)
    linked: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.linked.append(values["href"])
        elif LOADED.get(tag) in values and values.get("rel") != "canonical":
            self.loaded.append(values[LOADED[tag]])


def faults(site: Path) -> list[str]:
    """Return one line per fault of the site, with the page it is on."""
    pages = {path: Links() for path in sorted(site.rglob("*.html"))}
    for path, links in pages.items():
        links.feed(path.read_text(encoding="utf-8"))
    if not pages:
        return [f"{site}: expected pages, found none"]
    lines = []
    for path, links in pages.items():
        page = path.relative_to(site)
        lines += [f"{page}: loads {url} from another host" for url in links.loaded if urlsplit(url).netloc]
        for url in [*links.linked, *(u for u in links.loaded if not urlsplit(u).netloc)]:
            if problem := _problem(url, path, site, pages):
                lines.append(f"{page}: {problem}")
    for sheet in sorted(site.rglob("*.css")):
        addresses = CSS_ADDRESS.findall(sheet.read_text(encoding="utf-8"))
        lines += [f"{sheet.relative_to(site)}: loads {url} from another host" for url in addresses]
    return lines


def _problem(url: str, page: Path, site: Path, pages: dict[Path, Links]) -> str | None:
    """Return what is wrong with an address on a page, or None."""
    parts = urlsplit(url)
    if parts.scheme or parts.netloc:
        return None
    base = site if parts.path.startswith("/") else page.parent
    target = (base / unquote(parts.path).lstrip("/")).resolve() if parts.path else page
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return f"the link {url} leads to no file"
    if parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
        return f"the link {url} leads to no heading"
    return None


def main(site: Path) -> int:
    lines = faults(site.resolve())
    print("\n".join(lines), end="\n" if lines else "")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
