"""The scripts, styles, pictures and texts that the build of `site/` leaves in `built`. They are part of the software, not of a pack."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from exports.model.errors import ReleaseError

Texts = Mapping[str, Any]
"""Texts by key; a text with forms for numbers is a mapping."""
KINDS = ("index", "place", "indicator", "compare", "cohesion", "measures", "data")
"""The kinds of pages in the order of the navigation. The first is the home page."""
LANGUAGES = ("cs", "en", "sk", "pl", "hu")
DEFAULT = "en"
ASSETS = "assets"
"""The folder of scripts, styles and pictures in a site."""
FOLDER = Path(__file__).parent / "built"
_HASHED = re.compile(r"[a-z][a-z-]*-[0-9a-f]{8,64}\.(js|css|png|svg)")
_SHARE = re.compile(r"share-([a-z]+)-[0-9a-f]{8,64}\.png")


@dataclass(frozen=True)
class Built:
    """The texts of each language, and the files of the interface by name. `scripts` are names by kind of page, `style` and `early` names."""

    texts: Mapping[str, Texts]
    files: Mapping[str, Path] = field(default_factory=dict)
    scripts: Mapping[str, str] = field(default_factory=dict)
    style: str = ""
    early: str = ""

    def share(self, kind: str) -> str:
        """Return the name of the picture that is shown where a page of a kind is shared; empty if there is none."""
        pictures = {match[1]: name for name in self.files if (match := _SHARE.fullmatch(name))}
        return pictures.get(kind, pictures.get("site", ""))

    def languages(self, languages: Sequence[str]) -> list[str]:
        """Return the languages of a site: those of the pack that have texts, in its order; English if there is none."""
        return [language for language in dict.fromkeys(languages) if language in self.texts] or [DEFAULT]


def read(folder: Path = FOLDER) -> Built:
    """Read the result of a build. Raises ReleaseError if it is not complete."""
    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
        texts = {language: json.loads(path.read_bytes()) for language in LANGUAGES if (path := folder / f"texts.{language}.json").is_file()}
    except (OSError, ValueError) as error:
        raise ReleaseError(f"the built files of the site are not complete: {error}; build them with `npm run build` in `site`") from error
    files = {path.name: path for path in sorted(folder.iterdir()) if _HASHED.fullmatch(path.name)}
    scripts = {kind: manifest.get(f"{kind}.js", "") for kind in KINDS}
    built = Built(texts, files, scripts, manifest.get("style.css", ""), manifest.get("early.js", ""))
    needed = {**{f"{kind}.js": name for kind, name in scripts.items()}, "style.css": built.style}
    missing = [name or asked for asked, name in needed.items() if name not in files]
    if missing or DEFAULT not in texts:
        raise ReleaseError(f"the built files of the site are not complete: {', '.join(missing) or f'texts.{DEFAULT}.json'} is missing")
    return built


def digest(folder: Path = FOLDER) -> str:
    """Return a digest of the names and bytes of all built files: a site made with others differs. Empty without any."""
    names = sorted(path.name for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    sums = [f"{name} {hashlib.sha256((folder / name).read_bytes()).hexdigest()}" for name in names]
    return hashlib.sha256("\n".join(sums).encode()).hexdigest() if sums else ""


def with_sources(built: Built | None, folder: Path) -> Built:
    """Return what was built with the texts as they are now in `<folder>/<language>/<group>.json`, for the preview of a developer."""
    texts: dict[str, Texts] = {}
    for language in LANGUAGES:
        joined: dict[str, Any] = {}
        for path in sorted((folder / language).glob("*.json")):
            joined |= json.loads(path.read_bytes())
        if joined:
            texts[language] = joined
    return replace(built or Built({}), texts=texts)
