"""Render the Markdown documents of a release from the Jinja2 templates in `templates/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from exports.metadata.text import cell, prose

TEMPLATES: Mapping[str, str] = {"en": "English", "cs": "Česky"}
"""The languages that the documents have a template in, `templates/<document>.<language>.md.j2`, with what a link to the document says."""


def path_in(path: str, language: str) -> str:
    """Return the path of a document in a language. The one in English has no language in its name, because catalogues name it."""
    stem, _, ending = path.rpartition(".")
    return path if language == "en" else f"{stem}.{language}.{ending}"


def in_languages(path: str, languages: Sequence[str], document: Callable[[str, Mapping[str, str]], bytes]) -> dict[str, bytes]:
    """Return a document by path, in English and in each of `languages` that has a template.

    `document` returns it in a language, given what links to the others say and where they lead.
    """
    paths = {language: path_in(path, language) for language in ("en", *languages) if language in TEMPLATES}
    return {
        own: document(language, {TEMPLATES[other]: paths[other] for other in paths if other != language}) for language, own in paths.items()
    }


def render(name: str, filters: Mapping[str, Callable[..., str]] | None = None, **values: Any) -> bytes:
    """Return the document of the template `name`, with exactly one line break at its end."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # imported here: only a build renders documents

    environment = Environment(loader=PackageLoader("exports.metadata"), undefined=StrictUndefined, autoescape=False)
    environment.filters |= {"cell": cell, "prose": prose, **(filters or {})}
    return (environment.get_template(name).render(**values).rstrip("\n") + "\n").encode()
