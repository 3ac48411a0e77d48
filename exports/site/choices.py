"""Turn the choices of a pack into files and texts of its site. A pack is hostile: only known colours and texts have an effect."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from exports.model.site_choices import COLOURS, SiteChoices, logo_fault
from exports.site.built import Texts

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def files(choices: SiteChoices) -> dict[str, bytes]:
    """Return style and logo of a pack by name, with a hash in each name. The style comes first, if there is one."""
    contents = {}
    if text := _style(choices):
        contents[_name("pack", text, "css")] = text
    if choices.logo and not logo_fault(choices.logo):
        contents[_name("logo", choices.logo, "png")] = choices.logo
    return contents


def texts(interface: Texts, choices: SiteChoices, language: str) -> Texts:
    """Return the texts of the interface with those that the pack has in place of them. Texts with forms for numbers stay."""
    replaced = {key: text for key, text in choices.texts.get(language, {}).items() if isinstance(interface.get(key), str)}
    return {**interface, **replaced}


def logo_size(logo: bytes) -> tuple[int, int]:
    """Return width and height of a PNG file in pixels."""
    return int.from_bytes(logo[16:20], "big"), int.from_bytes(logo[20:24], "big")


def _style(choices: SiteChoices) -> bytes:
    """Return custom properties in place of those of `tokens.css`; empty if the pack has no colours of its own."""
    light, dark = _declarations(choices.colours), _declarations(choices.colours_dark)
    rules = [f":root{{{light}}}"] if light else []
    if dark:
        rules += [f'@media (prefers-color-scheme:dark){{:root:not([data-theme="light"]){{{dark}}}}}']
    return "\n".join([*rules, ""]).encode() if rules else b""


def _declarations(colours: Mapping[str, str]) -> str:
    return ";".join(f"--{name}:{colours[name]}" for name in COLOURS if _COLOUR.fullmatch(colours.get(name, "")))


def _name(stem: str, content: bytes, ending: str) -> str:
    return f"{stem}-{hashlib.sha256(content).hexdigest()[:12]}.{ending}"
