"""The integers by which the warehouse joins indicators and measures."""

from __future__ import annotations

import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import packs
from pipelines.core.fingerprint import integer_keys
from pipelines.packs.compile import SCHEMAS, compile_pack
from tests.support.command import PROJECT

COLLIDING = ("m3985819", "m4420602")
"""Two names whose checksums are equal in the bits that a key has."""
names = st.sets(st.text(min_size=1, max_size=12), max_size=30)


def checksum(name: str) -> int:
    return zlib.crc32(name.encode()) & 0x7FFFFFFF


class TestIntegerKeys:
    @given(names)
    def test_every_name_has_its_own_positive_integer(self, declared: set[str]) -> None:
        keys = integer_keys(declared)
        assert keys.keys() == declared
        assert len(set(keys.values())) == len(declared)
        assert all(0 < key < 2**31 for key in keys.values())

    @given(names, names)
    def test_names_keep_their_integers_when_names_are_added(self, declared: set[str], added: set[str]) -> None:
        before, after = integer_keys(declared), integer_keys(declared | added)
        assert {name: after[name] for name in before} == before

    def test_known_values(self) -> None:
        # a change of these would give every row of a warehouse another key
        assert integer_keys(["population", "area_km2"]) == {"population": checksum("population"), "area_km2": checksum("area_km2")}
        assert integer_keys(["population"]) == {"population": 877240328}

    def test_order_and_repetition(self) -> None:
        assert integer_keys(["b", "a", "b", *COLLIDING]) == integer_keys([*reversed(COLLIDING), "a", "b"])

    def test_collision(self) -> None:
        first, second = COLLIDING
        assert checksum(first) == checksum(second)
        assert integer_keys(COLLIDING) == {first: checksum(first), second: checksum(first) + 1}
        # the other names keep theirs
        assert integer_keys(["population", *COLLIDING])["population"] == integer_keys(["population"])["population"]

    def test_no_names(self) -> None:
        assert integer_keys([]) == {}


class TestKeysOfAPack:
    @pytest.fixture(scope="class")
    def tables(self) -> dict[str, list[dict[str, Any]]]:
        return {name: table.to_dicts() for name, table in compile_pack(packs.load(PROJECT / "packs" / "demo")).items()}

    def test_one_key_per_indicator(self, tables: dict[str, list[dict[str, Any]]]) -> None:
        keys = {row["indicator"]: row["indicator_key"] for row in tables["indicators"]}
        assert keys == integer_keys(keys)
        for table in ("indicator_levels", "terms"):
            assert tables[table]
            assert all(row["indicator_key"] == keys[row["indicator"]] for row in tables[table])

    def test_one_key_per_measure_in_all_tables(self, tables: dict[str, list[dict[str, Any]]]) -> None:
        pairs = {
            (row[column], row[f"{column}_key"])
            for table, schema in SCHEMAS.items()
            for column in ("measure", "times", "weighted_by", "weight")
            if f"{column}_key" in schema
            for row in tables[table]
        }
        without_a_name = {pair for pair in pairs if pair[0] is None}
        assert without_a_name <= {(None, None)}
        keys = dict(pairs - without_a_name)
        assert len(keys) == len(pairs - without_a_name) > 3
        assert keys == integer_keys(keys)
