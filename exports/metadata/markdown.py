"""Render the Markdown documents of a release from the Jinja2 templates in `templates/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from exports.metadata.text import cell, prose


def render(name: str, filters: Mapping[str, Callable[..., str]] | None = None, **values: Any) -> bytes:
    """Return the document of the template `name`, with exactly one line break at its end."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # imported here: only a build renders documents

    environment = Environment(loader=PackageLoader("exports.metadata"), undefined=StrictUndefined, autoescape=False)
    environment.filters |= {"cell": cell, "prose": prose, **(filters or {})}
    return (environment.get_template(name).render(**values).rstrip("\n") + "\n").encode()
