"""Write all files below `site` from the files of a release. Files whose inputs did not change are linked from the previous release."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from exports.api.encode import document
from exports.model import checksums, layout
from exports.model.info import Context, FileFacts
from exports.model.reuse import Reuse, key
from exports.site import built as built_files
from exports.site import choices, cohesion, file_list, indicator_pages, meta, newest, pages, peers, places, within
from exports.site import facts as site_facts
from exports.site.built import Built
from exports.site.facts import SiteFacts
from exports.site.source import Source

FORMAT = "site"
DATA, ASSETS = f"{layout.SITE}/data", f"{layout.SITE}/{built_files.ASSETS}"
AREAS = (layout.api_path("areas"), layout.parquet_path("areas"), layout.parquet_path("area_parents"), layout.parquet_path("peers"))
"""The files that say which areas there are, and which belong together."""


@dataclass(frozen=True)
class SiteFile:
    """A file of the site. `made_from` are the files of the release that it follows from; without any its content decides."""

    path: str
    make: Callable[[], bytes]
    made_from: Sequence[str] = ()


def write(folder: Path, context: Context, reuse: Reuse) -> dict[str, FileFacts]:
    """Write the files to `folder`, which has all other data files of the release, and return size and checksum by path.

    Nothing is written if the pack does not want the format. Raises ReleaseError if the files for programs or the built files are missing.
    """
    if not layout.has_site(context.info.formats, context.files):
        return {}
    built = built_files.read()
    paths = []
    for file in files(Source(folder), site_facts.of_release(context), built):
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        made_from = [context.files[path].sha256 for path in file.made_from if path in context.files]
        content = None if made_from else file.make()
        of_inputs = made_from if content is None else hashlib.sha256(content).hexdigest()
        if not reuse.link(folder, [file.path], key(FORMAT, of_inputs)):
            target.write_bytes(file.make() if content is None else content)
        paths.append(file.path)
    return {path: reuse.linked.get(path) or checksums.facts(folder / path) for path in sorted(paths)}


def files(source: Source, facts: SiteFacts, built: Built) -> Iterator[SiteFile]:
    """Yield all files of the site. Their content is made when it is asked for."""
    languages = built.languages(source.index["languages"])
    pack_files = choices.files(facts.choices)
    for name, path in built.files.items():
        yield SiteFile(f"{ASSETS}/{name}", path.read_bytes)
    for name, content in pack_files.items():
        yield SiteFile(f"{ASSETS}/{name}", partial(bytes, content))
    texts_of = {language: choices.texts(built.texts[language], facts.choices, language) for language in languages}
    for language, texts in texts_of.items():
        yield SiteFile(
            f"{DATA}/texts.{language}.json", partial(orjson.dumps, texts, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
        )
        yield _data(f"meta.{language}", partial(meta.document, source, facts, language, texts))
    yield _data("places", partial(places.document, source), AREAS)
    for number, shard in enumerate(places.shards(source)):
        yield _data(f"find/{number}", partial(dict, shard))
    yield _data("files", partial(file_list.document, facts))
    headlines = [*AREAS, layout.api_path("indicators"), *(layout.api_path("indicators", name) for name in source.headlines)]
    others = [*AREAS, layout.api_path("indicators"), *(layout.api_path("indicators", name) for name in source.others)]
    for name, bundles in within.groups(source).items():
        yield _data(f"within/{name}", partial(within.document, source, bundles), headlines)
        if source.others:
            yield _data(f"within_more/{name}", partial(within.more, source, bundles), others)
    for bundle in source.bundles:
        if numbers := peers.of_bundle(source, bundle):
            yield _data(f"peers/{bundle.id}", partial(peers.document, source, numbers), headlines)
    for name, part in newest.parts(source.areas):
        yield _data(f"newest/{name}.{part}", partial(_newest, source, name, part), (layout.api_path("areas", name),))
    for name in source.with_values:
        about = (layout.api_path("indicators", name), layout.api_path("indicators", name, "series"), layout.api_path("indicators"))
        yield _data(f"indicators/{name}", partial(indicator_pages.document, source, name), (*about, *AREAS))
    for name in source.index["cohesion"]:
        yield _data(f"cohesion/{name}", partial(_cohesion, source, name), (layout.api_path("cohesion", name),))
    for page, text in pages.documents(source, facts, replace(built, texts=texts_of), list(pack_files)):
        yield SiteFile(f"{layout.SITE}/{page}", partial(bytes, text))


def _cohesion(source: Source, name: str) -> dict[str, Any]:
    return cohesion.document(source.cohesion(name))


def _newest(source: Source, bundle: str, part: int) -> dict[str, Any]:
    return newest.document(source.bundle(bundle), part)


def _data(name: str, make: Callable[[], Any], made_from: Sequence[str] = ()) -> SiteFile:
    return SiteFile(f"{DATA}/{name}.json", lambda: document(make()), made_from)
