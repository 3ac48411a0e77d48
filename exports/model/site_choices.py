"""The choices of a pack about the web site of its releases, as a record, and what a logo may be. `pipelines.packs.site` fills it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

COLOURS = (
    "ground", "panel", "ink", "ink-2", "ink-3", "rule", "rule-2", "tick", "peer", "here", "here-2", "link", "link-visited", "better", "worse",
    "fill-1", "fill-2", "fill-3", "fill-4", "fill-5", "lower", "similar", "higher", "hatch", "edge", "edge-2", "bar",
)  # fmt: skip
"""The names of the custom properties of the style (`site/src/style/tokens.css`), without the two hyphens."""
LARGEST_LOGO = 100_000
"""Bytes of a logo."""
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class SiteChoices:
    """`title` is by language, `texts` by language and key, colours are `#rrggbb` by name. `logo` is the content of a PNG file."""

    title: Mapping[str, str] = field(default_factory=dict)
    logo: bytes = b""
    colours: Mapping[str, str] = field(default_factory=dict)
    colours_dark: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    map_indicator: str = ""


def logo_fault(content: bytes) -> str:
    """Return why a file cannot be a logo, or an empty text."""
    if not content.startswith(PNG) or content[12:16] != b"IHDR":
        return "not a PNG file"
    if len(content) > LARGEST_LOGO:
        return f"{len(content)} bytes, but a logo has at most {LARGEST_LOGO}"
    width, height = int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")
    if not 0 < width <= 4 * height or height > 2000:
        return f"{width} x {height} pixels, but a logo is at most four times as wide as high, and at most 2000 pixels high"
    return ""
