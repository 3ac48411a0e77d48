"""Polygons simplified together, so that neighbours keep the same border, as far as their files need it to fit a number of bytes."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import shapely

TOLERANCES = (0.0, *(round(1e-4 * 1.3**step, 7) for step in range(36)))
"""What is tried, in degrees: the square root of the surface of the triangle that a point makes with its neighbours, below which it is left out."""
GZIP_LEVEL = 6
"""As in docs/operations/nginx.conf: a server packs for each reader, and does not try as hard as it could."""
Files = dict[str, bytes]


def packed(content: bytes) -> int:
    """Return the bytes of a file as a server compresses it."""
    return len(gzip.compress(content, GZIP_LEVEL, mtime=0))


def fitting(areas: Mapping[str, Any], encode: Callable[[Mapping[str, Any]], Files], limit: int) -> tuple[float, Files]:
    """Return the smallest tolerance at which each file of the simplified areas takes at most `limit` bytes when packed, and the files.

    Where no tolerance is enough, it is the largest one.
    """
    low, high = 0, len(TOLERANCES) - 1
    files: dict[int, Files] = {}
    while low < high:
        middle = (low + high) // 2 if files else 0
        files[middle] = encode(simplify(areas, TOLERANCES[middle]))
        if all(packed(content) <= limit for content in files[middle].values()):
            high = middle
        else:
            low = middle + 1
    return TOLERANCES[low], files[low] if low in files else encode(simplify(areas, TOLERANCES[low]))


def simplify(areas: Mapping[str, Any], tolerance: float) -> dict[str, Any]:
    """Return the areas of a coverage (neighbours have the same points on their border) without the points that matter least."""
    shapes = np.array(list(areas.values()), dtype=object)
    return dict(zip(areas, shapely.coverage_simplify(shapes, tolerance) if tolerance and len(shapes) else shapes, strict=True))
