"""Read what a pack chooses about the web site of its releases: the block `site` of pack.yml, and the logo that it names."""

from __future__ import annotations

import os
from pathlib import Path

from exports.model.site_choices import LARGEST_LOGO, SiteChoices, logo_fault
from pipelines.packs.pack import Pack


def choices(pack: Pack) -> SiteChoices:
    """Return the choices of a pack. A logo that cannot be read is left out; `zpo2 check` says why."""
    declared, first = pack.file.site, pack.file.languages[0]
    if declared is None:
        return SiteChoices()
    content, fault = logo(pack.root, declared.logo) if declared.logo else (b"", "")
    return SiteChoices(
        title={language or first: text for language, text in (declared.title or {}).items()},
        logo=b"" if fault else content,
        colours=dict(declared.colours),
        colours_dark=dict(declared.colours_dark),
        texts={language: dict(texts) for language, texts in declared.texts.items()},
        map_indicator=declared.map_indicator or "",
    )


def logo(root: Path, name: str) -> tuple[bytes, str]:
    """Return the content of the logo `name` in the folder of a pack, and what is wrong with it."""
    path = root / name
    try:
        if not os.path.isfile(path) or not path.resolve().is_relative_to(root.resolve()):
            return b"", "no such file in the pack"
        with path.open("rb") as file:
            content = file.read(LARGEST_LOGO + 1)
    except (OSError, ValueError) as error:
        return b"", str(error)
    return content, logo_fault(content)
