"""Render a page from a template of `templates/`. Every text and address in it is hostile until it has passed through here.

Texts are escaped by Jinja2 and lose control characters and marks that turn the direction of text; addresses on the web are only http, https
and mailto. The pages hold no script and no style of their own, and a policy in each of them forbids both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from exports.model import layout
from exports.pages import words
from pipelines.core.iri import escape_iri

if TYPE_CHECKING:
    from jinja2 import Environment

Texts = Mapping[str, str]

GENERATOR = "zpo2"
"""What a page says it was made by. A page of another maker is never replaced."""
MARK = f'<meta name="generator" content="{GENERATOR}">'.encode()
POLICY = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'"
POLICY_WITH_SCRIPT = f"{POLICY}; script-src 'self'"
ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Cpath d='M0 8H16M3 3V8M13 3V8' stroke='%23808a94' stroke-width='1.5'/%3E"
    "%3Ccircle cx='8' cy='8' r='4' fill='%239c1458'/%3E%3C/svg%3E"
)
"""The icon of all pages, in their head: a browser that finds none asks for a file that no release has."""
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]")
_SPACE = re.compile(r"[ \t\r\n]+")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_EMAIL = re.compile(r"[^\s@<>\"'&?#%]{1,64}@[A-Za-z0-9.-]{1,255}")
_FORMAT_NAMES: Mapping[str, str] = {
    ".csv": "CSV", ".parquet": "Parquet", ".duckdb": "DuckDB", ".xlsx": "XLSX", ".geojson": "GeoJSON", ".jsonld": "JSON-LD", ".json": "JSON",
    ".ttl": "Turtle", ".md": "Markdown", ".xml": "XML", ".cff": "CFF", ".html": "HTML", ".css": "CSS", ".txt": "text", "SHA256SUMS": "text",
}  # fmt: skip


def page_languages(languages: Sequence[str]) -> list[str]:
    """Return those of a pack's languages that can be part of the name of a page; English if there is none."""
    return list(dict.fromkeys(language for language in languages if _LANGUAGE.fullmatch(language))) or ["en"]


def pages(template: str, languages: Sequence[str], to_root: str, folder: str = "", script: bool = False, **values: Any) -> dict[str, bytes]:
    """Return a page in each language by path: the first one as `index.html`, the others as `index.<language>.html`.

    `folder` is what precedes the names, with a slash at its end. `to_root` leads from there to the folder with the style sheet.
    """
    languages = page_languages(languages)
    names = {language: layout.index_path(language, languages) for language in languages}
    result = {}
    for language, name in names.items():
        text = environment().get_template(template).render(
            **values,
            language=language,
            html_language=words.supported(language),
            names=names,
            to_root=to_root,
            own=name,
            policy=POLICY_WITH_SCRIPT if script else POLICY,
            generator=GENERATOR,
            style=layout.STYLE,
            language_names=words.NAMES,
            country=lambda code, language=language: words.country(code, language),
            w=lambda key, *arguments, language=language: words.word(key, language).format(*arguments),
            t=lambda texts, language=language: localized(texts, language),
            size=lambda count, language=language: words.size(count, language),
            number=lambda count, language=language: words.number(count, language),
            day=lambda value, language=language: words.day(clean(value), language),
            period=lambda days, language=language: words.period(days, language),
        )  # fmt: skip
        result[folder + name] = (text.rstrip("\n") + "\n").encode()
    return result


def asset(name: str) -> bytes:
    """Return a file that is part of the software, such as the style sheet."""
    return resources.files("exports.pages").joinpath("templates", name).read_bytes()


@cache
def environment(package: str = "exports.pages") -> Environment:
    """Return the environment of the templates in `templates/` of a package, in which texts are escaped and cleaned."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # imported here: only what writes pages needs it

    environment = Environment(
        loader=PackageLoader(package), undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"clean": clean, "web": web, "mailto": mailto, "path": path, "format_name": format_name}
    environment.globals["icon"] = ICON
    environment.finalize = lambda value: _UNSEEN.sub("", value) if isinstance(value, str) and not hasattr(value, "__html__") else value
    return environment


def clean(text: object) -> str:
    """Return a text on one line without characters that nobody sees, but that change how the page reads."""
    return _SPACE.sub(" ", _UNSEEN.sub("", str(text))).strip()


def localized(texts: Texts, language: str) -> Any:
    """Return the text in `language`; else in the first one that there is, marked with its language where that is not the page's."""
    from markupsafe import Markup

    chosen = next((lang for lang in (language, "en", *texts) if lang in texts), "")
    text = clean(texts.get(chosen, ""))
    if not text or chosen == words.supported(language) or not _LANGUAGE.fullmatch(chosen):
        return text
    return Markup('<span lang="{}">{}</span>').format(chosen, text)


def web(address: str) -> str:
    """Return an address on the web that can be a link; empty if it is anything else."""
    address = escape_iri(clean(address))
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return address if parts.scheme in ("http", "https") and parts.hostname else ""


def mailto(address: str) -> str:
    """Return the link to a mail address; empty if it is none."""
    return f"mailto:{address}" if _EMAIL.fullmatch(address) else ""


def path(value: str) -> str:
    """Return a path below the folder of the page as a relative address."""
    return quote(value, safe="/._-~")


def format_name(value: str) -> str:
    """Return the name of the format of a file."""
    if value.startswith("jsonstat/"):
        return "JSON-stat"
    return next((name for ending, name in _FORMAT_NAMES.items() if value.endswith(ending)), "")
