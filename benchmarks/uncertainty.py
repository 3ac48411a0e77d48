"""Uncertainty of ranks against a bare numpy loop over the same replicates: 6,258 areas, 30 indicators in three groups, 1,000 replicates.

The loop takes the drawn weights, normalisation and leaf left out of each replicate, multiplies, sorts and ranks, and takes percentiles in the
end; it knows nothing of missing values, ties, availability or other means than the arithmetic one. Run it alone: `python benchmarks/uncertainty.py`.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import time

import numpy as np

from pipelines.statistics import index, uncertainty
from pipelines.statistics.index import Node, Rules, Values
from pipelines.statistics.normalise import Normalisation

AREAS, INDICATORS, GROUPS, REPLICATES = 6258, 30, 3, 1000
VARY = ["weights", "normalisation", "leave_one_out"]


def build() -> tuple[Node, dict[str, Values]]:
    """Return an index of equal groups and skewed values, from a fixed seed."""
    generator = np.random.Generator(np.random.PCG64(20))
    each = INDICATORS // GROUPS
    leaves = [Node(f"i{i}", 1.0, normalisation=Normalisation(clip=True)) for i in range(INDICATORS)]
    groups = tuple(Node(f"g{g}", 1.0, tuple(leaves[g * each : (g + 1) * each])) for g in range(GROUPS))
    values = {leaf.name: Values(generator.lognormal(size=(1, AREAS)), np.zeros((1, AREAS), dtype=np.int8)) for leaf in leaves}
    return Node("index", 1.0, groups), values


def ours(root: Node, tables: list[np.ndarray], choices: uncertainty.Choices, rank: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    ranked = {node.name: ~np.isnan(rank) for node in uncertainty.groups_of(root)}
    ranks = uncertainty.replicate_ranks(root, tables, choices, Rules(min_available=0.6), ranked)
    found = {name: uncertainty.rank_interval(r, rank) for name, r in ranks.items()}
    return found["index"]


def bare(root: Node, tables: list[np.ndarray], choices: uncertainty.Choices, rank: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the same intervals, one replicate after the other."""
    each = INDICATORS // GROUPS
    names = [node.name for node in uncertainty.groups_of(root)]
    ranks = {name: np.empty((REPLICATES, AREAS), dtype=np.int32) for name in names}
    places = np.arange(1, AREAS + 1, dtype=np.int32)
    for r in range(REPLICATES):
        table = tables[choices.normalisation[r]]
        scores = {}
        for g in range(GROUPS):
            weights = choices.weights[f"g{g}"][r].copy()
            gone = choices.left_out[r] - g * each
            if 0 <= gone < each:
                weights[gone] = 0.0
            scores[f"g{g}"] = weights @ table[g * each : (g + 1) * each] / weights.sum()
        scores["index"] = choices.weights["index"][r] @ np.array([scores[f"g{g}"] for g in range(GROUPS)])
        for name in names:
            ranks[name][r, np.argsort(-scores[name])] = places
    found = {name: np.percentile(r, [5, 95], axis=0) for name, r in ranks.items()}
    low, high = found["index"]
    return np.minimum(np.floor(low), rank), np.maximum(np.ceil(high), rank)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    root, values = build()
    rules = Rules(min_available=0.6)
    scores = index.score(root, values, rules)
    methods = uncertainty.alternatives("minmax")
    tables = [t[:, 0] for t in uncertainty.leaf_tables(scores, methods, rules)]
    choices = uncertainty.draw(root, REPLICATES, VARY, len(methods), np.random.Generator(np.random.PCG64(1)))
    rank = scores[-1].rank[0]
    times: dict[str, list[float]] = {"ours": [], "bare": []}
    memory = 0.0
    for run in range(options.runs):
        intervals = []
        for name, function in (("ours", ours), ("bare", bare)):  # ours first: the peak of memory so far is its own
            start = time.perf_counter()
            intervals.append(function(root, tables, choices, rank))
            times[name].append(time.perf_counter() - start)
            if run == 0 and name == "ours":
                memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        for mine, theirs in zip(*intervals, strict=True):
            if np.abs(mine - theirs).max() > 1:  # without ties in the data only the ninth decimal can part them
                sys.exit("the two do not agree")
    middle = {name: statistics.median(seconds) for name, seconds in times.items()}
    result = {**middle, "ratio": middle["ours"] / middle["bare"], "peak_gib": memory}
    if options.json:
        print(json.dumps(result))
    else:
        print(
            f"ours {middle['ours']:.2f} s, bare loop {middle['bare']:.2f} s, ratio {result['ratio']:.2f} (aim 1.5), peak {memory:.2f} GiB (aim 2)"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
