"""Where a page of one area finds its values without the list of all areas."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from exports.site import places
from exports.site.source import Source

CODES = [f"CZ_{number}" for number in range(500011, 500011 + 250)] + ["ř1", "a b", "../x"]


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Source:
    count = len(CODES)
    document: dict[str, Any] = {
        "levels": [{"level": "lau", "first": 0, "count": count}, {"level": "state", "first": count, "count": 1}],
        "bundles": ["lau-1", "lau-2", "state-1"],
        "areas": {"code": [*CODES, "CZ"], "bundle": [*(number % 2 for number in range(count)), 2]},
    }
    monkeypatch.setattr(Source, "areas", document)
    bundles = [SimpleNamespace(id="lau-1", areas=np.array([0, 2])), SimpleNamespace(id="lau-2", areas=np.array([1, 3]))]
    monkeypatch.setattr(Source, "bundles", bundles)
    monkeypatch.setattr(Source, "peers", [[2], [], [0], []])
    return Source(tmp_path)


def test_every_area_of_the_finest_level_is_in_the_file_that_its_code_leads_to(source: Source) -> None:
    files = places.shards(source)
    assert len(files) == 3
    assert sorted(code for file in files for code in file) == sorted(CODES)
    for number, code in enumerate(CODES):
        assert files[places.shard_of(code, len(files))][code] == [number, f"lau-{number % 2 + 1}", number % 2 == 0]


def test_the_files_are_about_equal(source: Source) -> None:
    assert all(50 <= len(file) <= 120 for file in places.shards(source))


def test_the_file_of_a_code_does_not_change() -> None:
    """The script of the site computes the same numbers."""
    assert [places.shard_of(code, 63) for code in ("CZ_578347", "CZ_530255", "XX", "")] == [58, 56, 44, 0]
