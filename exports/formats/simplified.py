"""Polygons simplified together, so that neighbours keep the same border, as far as a file of them needs it to fit a number of bytes."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import shapely

TOLERANCES = (0.0, *(round(1e-4 * 1.3**step, 7) for step in range(36)))
"""What is tried, in degrees: the square root of the surface of the triangle that a point makes with its neighbours, below which it is left out."""


def packed(content: bytes) -> int:
    """Return the bytes of a file as a server compresses it."""
    return len(gzip.compress(content, 9, mtime=0))


def fitting(areas: Mapping[str, Any], fits: Callable[[Mapping[str, Any]], bool]) -> tuple[float, dict[str, Any]]:
    """Return the smallest tolerance at which the simplified areas fit, and the areas. Where none does, it is the largest one."""
    low, high = 0, len(TOLERANCES) - 1
    best = None
    while low < high:
        middle = (low + high) // 2
        simple = simplify(areas, TOLERANCES[middle])
        if fits(simple):
            best, high = (middle, simple), middle
        else:
            low = middle + 1
    return TOLERANCES[low], best[1] if best is not None and best[0] == low else simplify(areas, TOLERANCES[low])


def simplify(areas: Mapping[str, Any], tolerance: float) -> dict[str, Any]:
    """Return the areas of a coverage (neighbours have the same points on their border) without the points that matter least."""
    shapes = np.array(list(areas.values()), dtype=object)
    return dict(zip(areas, shapely.coverage_simplify(shapes, tolerance) if tolerance and len(shapes) else shapes, strict=True))
