"""The pages of the site: a shell per kind and language, which the script fills, and which leads on without one. Texts are hostile until escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from exports.metadata.text import licence_url, release_url
from exports.model import layout
from exports.model.licences import NO_LICENCE
from exports.model.topics import INDICATORS
from exports.pages import render, words
from exports.site import built as built_files
from exports.site import choices, first_views, meta, places
from exports.site.built import KINDS, Built
from exports.site.facts import SiteFacts
from exports.site.source import Source, pick

WITH_FILES = ("place", "indicator")
"""The pages that list the files of each topic for readers without a script."""
BY_ADDRESS = ("place", "indicator", "compare", "cohesion")
"""The pages whose data follow from their address: a small script asks for them while that of the page is on its way."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
TO_ROOT = "../../"
"""From a page to the folder of the release."""
_CUT = 300
"""Longer titles of a pack are cut in the head of a page."""


@dataclass(frozen=True)
class FileLink:
    """A topic or an indicator that a reader without a script is led to, by its files: format and path in the folder of the release."""

    title: str
    formats: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class FileGroup:
    """The files of a topic; without a title, of all topics."""

    title: str
    files: Sequence[FileLink]


def documents(source: Source, facts: SiteFacts, built: Built, pack_files: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of each page in the languages of `built`, and of the page that leads to the first of them.

    `pack_files` are the names of the style and the logo of the pack, if it has any.
    """
    languages = list(built.texts)
    template = render.environment("exports.site").get_template("page.html.j2")
    for language in languages:
        for kind in KINDS:
            page = _page(source, facts, built, language, kind) | _pack_files(facts, pack_files)
            yield f"{language}/{kind}.html", (template.render(page).rstrip("\n") + "\n").encode()
    start = render.environment("exports.site").get_template("start.html.j2")
    title = _title(source, facts, languages[0])
    text = start.render(
        languages=languages,
        names=words.NAMES,
        title=title,
        t=lambda key: _text(built, languages[0], key),
        policy=render.POLICY,
        generator=render.GENERATOR,
    )
    yield "index.html", (text.rstrip("\n") + "\n").encode()


def _page(source: Source, facts: SiteFacts, built: Built, language: str, kind: str) -> dict[str, Any]:
    index = source.index
    released = words.day(render.clean(index["released"]), language)
    address = release_url(facts.base_uri, index["version"])
    root = f"{address}{layout.SITE}/" if address else ""
    share = built.share(kind)
    return {
        "kind": kind,
        "kinds": KINDS,
        "language": language,
        "languages": list(built.texts),
        "names": words.NAMES,
        "t": lambda key: _text(built, language, key),
        "title": _title(source, facts, language),
        "publisher": _cut(pick(index["publisher"], language)),
        "version": index["version"],
        "released": released,
        "licence": "" if index["licence"] == NO_LICENCE else index["licence"],
        "licence_url": licence_url(index["licence"]) or "",
        "to_root": TO_ROOT,
        "landing": layout.index_path(language, render.page_languages(index["languages"]))
        if language in index["languages"]
        else layout.INDEX,
        "groups": _groups(source, facts, built, kind, language) if kind in WITH_FILES else (),
        "script": built.scripts.get(kind, ""),
        "style": built.style,
        "preload": [f"{layout.SITE}/data/{name}.{language}.json" for name in ("meta", "texts")] + _needed(source, facts, kind),
        "early": built.early if kind in BY_ADDRESS else "",
        "asks": _asks(source, kind),
        "address": f"{root}{language}/{kind}.html" if root else "",
        "share": f"{root}{built_files.ASSETS}/{share}" if root and share else "",
        "policy": POLICY,
        "generator": render.GENERATOR,
    }


def _needed(source: Source, facts: SiteFacts, kind: str) -> list[str]:
    """Return the files that a page asks for in every view, beside its texts."""
    data = f"{layout.SITE}/data"
    if kind == "index":
        chosen = first_views.flagships(source, facts)
        drawn = first_views.map_of(source, first_views.map_level(source)) if chosen else None
        return [*(f"{data}/indicators/{name}.json" for name in chosen), *([drawn] if drawn else [])]
    if kind == "compare":
        return [f"{data}/places.json"]
    return [f"{data}/files.json", layout.api_path("indicators")] if kind == "data" else []


def _asks(source: Source, kind: str) -> dict[str, str]:
    """Return what the small script of a page must know to ask for the data of an address: attributes by name."""
    if kind == "place":
        attributes = {
            "finds": str(places.files(source)),
            "map": first_views.place_map(source, meta.above(source, source.areas["levels"][0])),
        }
    elif kind == "compare":
        attributes = {"finds": str(places.files(source))}
    else:
        level = first_views.map_level(source)
        names = source.with_values if kind == "indicator" else first_views.with_cohesion(source)
        usual = first_views.usual_of_cohesion(source) if kind == "cohesion" else None
        attributes = {"ids": " ".join(names), "level": level, "map": first_views.map_of(source, level), "usual": usual}
    return {name: value for name, value in attributes.items() if value}


def _text(built: Built, language: str, key: str) -> str:
    """Return a text in a language, else in English, else its key, as the script does."""
    candidates = (texts.get(key) for texts in (built.texts[language], built.texts.get(built_files.DEFAULT, {})))
    return next((text for text in candidates if isinstance(text, str)), key)


def _pack_files(facts: SiteFacts, pack_files: Sequence[str]) -> dict[str, Any]:
    """Return the names of the style and the logo of the pack, empty without them."""
    style = next((name for name in pack_files if name.endswith(".css")), "")
    logo = next((name for name in pack_files if name.endswith(".png")), "")
    width, height = choices.logo_size(facts.choices.logo) if logo else (0, 0)
    return {"pack_style": style, "logo": logo, "logo_width": width, "logo_height": height}


def _title(source: Source, facts: SiteFacts, language: str) -> str:
    return _cut(pick(facts.choices.title, language) or pick(source.index["title"], language))


def _groups(source: Source, facts: SiteFacts, built: Built, kind: str, language: str) -> list[FileGroup]:
    """Return the files that show what a page would: those of topics for places, and those of indicators by topic for indicators.

    Indicators that are in no topic come last.
    """
    titled = [(_cut(pick(topic.titles, language)), topic) for topic in facts.topics]
    if kind == "place":
        topics = [_link(facts, title, layout.topic_csv_path(topic.id), layout.topic_parquet_path(topic.id)) for title, topic in titled]
        return [FileGroup("", [link for link in topics if link.formats])]
    in_topics = {name for topic in facts.topics for name in topic.indicators}
    others = [name for name in source.with_values if name not in in_topics]
    groups = [FileGroup(title, _indicator_links(source, facts, topic.indicators, language)) for title, topic in titled]
    groups.append(FileGroup(_text(built, language, "common.other_topics"), _indicator_links(source, facts, others, language)))
    return [group for group in groups if group.files]


def _indicator_links(source: Source, facts: SiteFacts, names: Sequence[str], language: str) -> list[FileLink]:
    links = [
        _link(
            facts,
            pick(source.abouts[name]["title"], language),
            f"{layout.csv_folder(INDICATORS)}/{name}.csv",
            layout.jsonstat_path(name),
        )
        for name in names
        if name in source.abouts
    ]
    return [link for link in links if link.formats]


def _link(facts: SiteFacts, title: str, *paths: str) -> FileLink:
    return FileLink(_cut(title), [(render.format_name(path), path) for path in paths if path in facts.files])


def _cut(text: str) -> str:
    text = render.clean(text)
    return text if len(text) <= _CUT else f"{text[: _CUT - 1].rstrip()}…"
