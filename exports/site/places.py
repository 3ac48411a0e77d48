"""The areas of the finest level. The same in all languages.

`places.json` has all of them, for the search and for names. `find/<number>.json` has about a hundred: a page of one area reads where its values
are, without the list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from exports.site import peers
from exports.site.source import Source


def document(source: Source) -> dict[str, Any]:
    """Return the areas in the order of `areas.json`; `bundle` has places in `bundles`, `former` numbers of areas that have ended."""
    areas, level = source.areas["areas"], source.areas["levels"][0]
    of_level = slice(level["first"], level["first"] + level["count"])
    bundles = sorted(set(areas["bundle"][of_level]))
    place = {bundle: number for number, bundle in enumerate(bundles)}
    return {
        **{name: areas[name][of_level] for name in ("code", "name", "parent", "population")},
        "bundle": [place[bundle] for bundle in areas["bundle"][of_level]],
        "bundles": [source.areas["bundles"][bundle] for bundle in bundles],
        "former": [level["first"] + number for number, end in enumerate(areas["valid_to"][of_level]) if end is not None],
    }


SHARD = 100
"""How many areas a file of `find` has, about."""


def files(source: Source) -> int:
    """Return how many files `find` has."""
    return int(-(-source.areas["levels"][0]["count"] // SHARD))


def shards(source: Source) -> Sequence[Mapping[str, list[Any]]]:
    """Return the files of `find` in order: number, bundle and whether the bundle has a file of similar areas, by code of the finest level."""
    areas, level = source.areas["areas"], source.areas["levels"][0]
    with_peers = {bundle.id for bundle in source.bundles if peers.of_bundle(source, bundle)}
    shards_of: list[dict[str, list[Any]]] = [{} for _ in range(files(source))]
    for number in range(level["first"], level["first"] + level["count"]):
        code = areas["code"][number]
        bundle = source.areas["bundles"][areas["bundle"][number]]
        shards_of[shard_of(code, len(shards_of))][code] = [number, bundle, bundle in with_peers]
    return shards_of


def shard_of(code: str, count: int) -> int:
    """Return which of `count` files has an area. The site's script computes the same."""
    place = 0
    for character in code:
        place = (place * 31 + ord(character)) % count
    return place
