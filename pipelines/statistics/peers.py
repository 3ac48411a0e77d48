"""Peers: the areas most like an area. Arrays in, arrays out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]

BLOCK = 256  # number of areas whose distances to all others are in memory at the same time
DECIMALS = 9  # decimals to which distances are compared, so that rounding errors do not decide


def standardise(values: Array) -> Array:
    """Return the z-scores of `values` (areas x attributes) by column: z = (x - mean) / sd, with n in the sd; 0 if all values are equal."""
    deviation = values.std(axis=0)
    centred = values - values.mean(axis=0)
    z: Array = np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 0)
    return z


def nearest(values: Array, k: int) -> tuple[Index, Array]:
    """Return the positions of the `k` areas nearest to each area, nearest first, and their distances (areas x k).

    The distance is the Euclidean one of the z-scores of `values` (areas x attributes, no NaN), in standard deviations. Of areas at the
    same distance, the first one in `values` comes first. With fewer than `k` other areas, all of them are peers.
    """
    z = standardise(values)
    n = z.shape[0]
    k = max(0, min(k, n - 1))
    peers, distances = np.zeros((n, k), dtype=np.int64), np.zeros((n, k))
    for start in range(0, n if k else 0, BLOCK):
        rows = np.arange(start, min(start + BLOCK, n))
        squares = np.zeros((rows.size, n))
        for column in z.T:
            squares += (column[rows, np.newaxis] - column) ** 2
        distance = np.sqrt(squares)
        distance[np.arange(rows.size), rows] = np.inf
        rounded = np.round(distance, DECIMALS)
        limit = np.partition(rounded, k - 1, axis=1)[:, k - 1]
        for i, row in enumerate(rows):
            near = np.flatnonzero(rounded[i] <= limit[i])
            chosen = near[np.argsort(rounded[i, near], kind="stable")[:k]]
            peers[row], distances[row] = chosen, distance[i, chosen]
    return peers, distances
