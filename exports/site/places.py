"""`places.json`: the areas of the finest level, for the search and for names. The same in all languages."""

from __future__ import annotations

from typing import Any

from exports.site.source import Source


def document(source: Source) -> dict[str, Any]:
    """Return the areas in the order of `areas.json`; `bundle` has places in `bundles`, `former` numbers of areas that have ended."""
    areas, level = source.areas["areas"], source.areas["levels"][0]
    own = slice(level["first"], level["first"] + level["count"])
    bundles = sorted(set(areas["bundle"][own]))
    place = {bundle: number for number, bundle in enumerate(bundles)}
    return {
        **{name: areas[name][own] for name in ("code", "name", "parent", "population")},
        "bundle": [place[bundle] for bundle in areas["bundle"][own]],
        "bundles": [source.areas["bundles"][bundle] for bundle in bundles],
        "former": [level["first"] + number for number, end in enumerate(areas["valid_to"][own]) if end is not None],
    }
