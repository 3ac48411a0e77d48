"""Peers: distances by hand, ties, and laws that any set of areas obeys."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pipelines.statistics.peers import nearest, standardise

TABLES = arrays.arrays(np.float64, st.tuples(st.integers(1, 30), st.integers(1, 3)), elements=st.integers(-50, 50).map(float))


class TestPeers:
    def test_distance_by_hand(self) -> None:
        # mean 2, squares 4 + 0 + 4 over n = 3: sd = sqrt(8/3)
        peers, distances = nearest(np.array([[0.0], [2.0], [4.0]]), 1)
        assert peers.ravel().tolist() == [1, 0, 1]  # 0 and 2 are equally near to 1: the first stands
        np.testing.assert_allclose(distances.ravel(), 2 / np.sqrt(8 / 3))

    def test_constant_attribute(self) -> None:
        assert standardise(np.array([[1.0, 7.0], [3.0, 7.0]])).tolist() == [[-1.0, 0.0], [1.0, 0.0]]

    def test_fewer_areas_than_peers(self) -> None:
        assert nearest(np.array([[1.0], [2.0]]), 10)[0].tolist() == [[1], [0]]
        assert nearest(np.array([[1.0]]), 3)[0].shape == (1, 0)

    @settings(max_examples=60, deadline=None)
    @given(TABLES, st.integers(1, 5))
    def test_nearest_areas(self, table: np.ndarray, k: int) -> None:
        peers, distances = nearest(table, k)
        z = standardise(table)
        for i in range(len(table)):
            everybody = np.round(np.sqrt(((z - z[i]) ** 2).sum(axis=1)), 9)
            others = sorted((everybody[j], j) for j in range(len(table)) if j != i)[:k]
            assert peers[i].tolist() == [j for _, j in others]
            np.testing.assert_allclose(distances[i], [d for d, _ in others], atol=1e-8)

    @settings(max_examples=40, deadline=None)
    @given(TABLES, st.sampled_from([2.0, 8.0, 0.5]), st.integers(-100, 100))
    def test_unit_and_origin_invariance(self, table: np.ndarray, factor: float, shift: int) -> None:
        np.testing.assert_allclose(nearest(table, 3)[1], nearest(factor * table + shift, 3)[1], atol=1e-8)
