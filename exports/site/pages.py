"""The pages of the site: a shell per kind and language, which the script fills, and which leads on without one. Texts are hostile until escaped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exports.metadata.text import licence_url, release_url
from exports.model import layout
from exports.pages import render, words
from exports.site import built as built_files
from exports.site.built import Built
from exports.site.facts import SiteFacts
from exports.site.source import Source, pick

KINDS = ("index", "place", "indicator", "compare", "cohesion", "measures", "data")
"""The kinds of pages in the order of the navigation. The first is the home page."""
WITH_FILES = ("place", "indicator")
"""The pages that list the files of each topic for readers without a script."""
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
    """A file that a reader without a script is led to. `path` is relative to the folder of the release."""

    title: str
    path: str
    format: str


@dataclass(frozen=True)
class FileGroup:
    """The files of a topic."""

    title: str
    files: Sequence[FileLink]


def documents(source: Source, facts: SiteFacts, built: Built, languages: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of each page in the site's `languages`, and of the page that leads to the first of them."""
    template = render.environment("exports.site").get_template("page.html.j2")
    for language in languages:
        for kind in KINDS:
            page = _page(source, facts, built, languages, language, kind)
            yield f"{language}/{kind}.html", (template.render(page).rstrip("\n") + "\n").encode()
    start = render.environment("exports.site").get_template("start.html.j2")
    title = _cut(pick(source.index["title"], languages[0]))
    text = start.render(
        languages=languages,
        names=words.NAMES,
        title=title,
        texts=built.texts[languages[0]],
        policy=render.POLICY,
        generator=render.GENERATOR,
    )
    yield "index.html", (text.rstrip("\n") + "\n").encode()


def _page(source: Source, facts: SiteFacts, built: Built, languages: Sequence[str], language: str, kind: str) -> Mapping[str, Any]:
    index, texts = source.index, built.texts[language]
    released = words.day(render.clean(index["released"]), language)
    address = release_url(facts.base_uri, index["version"])
    root = f"{address}{layout.SITE}/" if address else ""
    share = built.share(kind)
    return {
        "kind": kind,
        "kinds": KINDS,
        "language": language,
        "languages": languages,
        "names": words.NAMES,
        "t": texts,
        "title": _cut(pick(index["title"], language)),
        "publisher": _cut(pick(index["publisher"], language)),
        "version": index["version"],
        "released": released,
        "licence": index["licence"],
        "licence_url": licence_url(index["licence"]) or "",
        "to_root": TO_ROOT,
        "landing": layout.index_path(language, render.page_languages(index["languages"]))
        if language in index["languages"]
        else layout.INDEX,
        "groups": _groups(source, facts, kind, language) if kind in WITH_FILES else (),
        "script": built.script,
        "style": built.style,
        "preload": [f"meta.{language}.json", f"texts.{language}.json"],
        "address": f"{root}{language}/{kind}.html" if root else "",
        "share": f"{root}{built_files.ASSETS}/{share}" if root and share else "",
        "policy": POLICY,
        "generator": render.GENERATOR,
    }


def _groups(source: Source, facts: SiteFacts, kind: str, language: str) -> list[FileGroup]:
    """Return the files that show what a page would: those of topics for places, and those of indicators by topic for indicators."""
    groups = []
    for topic in facts.topics:
        title = pick(topic.titles, language)
        if kind == "place":
            paths = [(title, layout.topic_csv_path(topic.id)), (title, layout.topic_parquet_path(topic.id))]
        else:
            paths = [
                (pick(source.abouts[name]["title"], language), f"{layout.csv_folder('indicator_values')}/{name}.csv")
                for name in topic.indicators
                if name in source.abouts
            ]
        files = [FileLink(_cut(name), path, render.format_name(path)) for name, path in paths if path in facts.files]
        if files:
            groups.append(FileGroup(_cut(title), files))
    return groups


def _cut(text: str) -> str:
    text = render.clean(text)
    return text if len(text) <= _CUT else f"{text[: _CUT - 1].rstrip()}…"
