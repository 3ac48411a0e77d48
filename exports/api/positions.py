"""Where a value stands among others: how many are below it and equal to it, and how a group is distributed. Works on arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from exports.api.encode import Floats, Ints
from exports.api.territory import Territory

QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)


@dataclass(frozen=True)
class Position:
    """For each area: how many others of its group have a lower value, the same value, and any value. -1 without a value of its own."""

    below: Ints
    equal: Ints
    others: Ints

    def of(self, areas: Ints) -> Position:
        return Position(self.below[areas], self.equal[areas], self.others[areas])


def among_groups(values: Floats, group: Ints) -> Position:
    """Return the position of each value among those with the same number in `group`; a negative number is no group."""
    below, equal, others = (np.full(len(values), -1, dtype=np.int64) for _ in range(3))
    has_value = np.isfinite(values)
    for number in np.unique(group[(group >= 0) & has_value]):
        own = np.flatnonzero((group == number) & has_value)
        ordered = np.sort(values[own])
        below[own] = np.searchsorted(ordered, values[own], "left")
        equal[own] = np.searchsorted(ordered, values[own], "right") - below[own] - 1
        others[own] = len(own) - 1
    return Position(below, equal, others)


def among_peers(values: Floats, peers: Ints) -> Position:
    """Return the position of each value among those of its peers: a row of places in `values` for each of them, others for no peer."""
    below, equal, others = (np.full(len(values), -1, dtype=np.int64) for _ in range(3))
    are_peers = (peers >= 0) & (peers < len(values))
    of_peers = np.append(values, np.nan)[np.where(are_peers, peers, len(values))]
    own = np.isfinite(values) & are_peers.any(axis=1)
    below[own] = (of_peers[own] < values[own, None]).sum(axis=1)
    equal[own] = (of_peers[own] == values[own, None]).sum(axis=1)
    others[own] = np.isfinite(of_peers[own]).sum(axis=1)
    return Position(below, equal, others)


def quantiles(values: Floats) -> Floats:
    """Return QUANTILES of the values that are not missing."""
    known = values[np.isfinite(values)]
    return np.quantile(known, QUANTILES) if len(known) else np.full(len(QUANTILES), np.nan)


def of_level(values: Floats, first: int, territory: Territory) -> Mapping[str, Position]:
    """Return the positions of the values of a level, whose first area has the number `first`, in the groups that they are compared in."""
    stop = first + len(values)
    return {
        "parent": among_groups(values, territory.parent[first:stop]),
        "peers": among_peers(values, territory.padded_peers[first:stop] - first),
        "country": among_groups(values, territory.country[first:stop]),
    }
