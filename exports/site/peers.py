"""`peers/<bundle>.json`: the headline values of all areas that are similar to one of a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exports.api.territory import Bundle
from exports.site.source import Source
from exports.site.within import values_of


def of_bundle(source: Source, bundle: Bundle) -> list[int]:
    """Return the numbers of the areas that are similar to one of the bundle, rising. A bundle without any has no file."""
    return sorted({peer for area in bundle.areas.tolist() for peer in source.peers[area]})


def document(source: Source, peers: Sequence[int]) -> dict[str, Any]:
    """Return the file for the areas `peers`."""
    areas = source.areas["areas"]
    return {
        "areas": list(peers),
        "names": [areas["name"][peer] for peer in peers],
        "codes": [areas["code"][peer] for peer in peers],
        "indicators": values_of(source.headline_values, peers),
    }
